"""Layers of the emulator with which a test decides what happens when, so that the machine's speed does not."""

from __future__ import annotations

import asyncio
import contextlib

PATIENCE = 60
"""Seconds after which a layer gives up: what it waits for does not come, and the test will say so."""


def held_until(met):
    """Hold every GET until `met(scope)` is true; the tap has as many under way by then as it ever will."""

    def layer(application):
        async def holding(scope, receive, send):
            if scope["method"] == "GET":
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        while not met(scope):  # noqa: ASYNC110 - what is counted sets no event
                            await asyncio.sleep(0.005)
            await application(scope, receive, send)

        return holding

    return layer


def before_request(number, act, path=""):
    """Act just before the request with this number, counted from 1, of those whose path ends like this."""

    def layer(application):
        count = 0

        async def counting(scope, receive, send):
            nonlocal count
            if scope["path"].endswith(path):
                count += 1
                if count == number:
                    act()
            await application(scope, receive, send)

        return counting

    return layer


def ticking(clock):
    """Let a second pass before each request."""

    def layer(application):
        async def passing(scope, receive, send):
            clock.advance(1)
            await application(scope, receive, send)

        return passing

    return layer


def refusing(*paths, body, after=0):
    """Answer 401 with this body where one of the paths occurs, from the first request after so many of them on."""

    def layer(application):
        count = 0

        async def answering(scope, receive, send):
            nonlocal count
            is_meant = any(path in scope["path"] for path in paths)
            count += is_meant
            if is_meant and count > after:
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": body})
                return
            await application(scope, receive, send)

        return answering

    return layer
