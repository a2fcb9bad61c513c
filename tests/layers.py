"""Layers of the emulator with which a test decides what happens when, so that the machine's speed does not."""

from __future__ import annotations

import asyncio
import contextlib
import json
from urllib.parse import parse_qsl, urlencode

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


def asked_as(change, path=""):
    """Let the emulator be asked with another query: `change(query)` changes it, for paths that end like this."""

    def layer(application):
        async def asking(scope, receive, send):
            if scope["path"].endswith(path):
                query = dict(parse_qsl(scope["query_string"].decode()))
                change(query)
                scope = {**scope, "query_string": urlencode(query).encode()}
            await application(scope, receive, send)

        return asking

    return layer


def answered_as(change, path=""):
    """Answer with another body: `change(body, query)` changes it, or returns another, for paths that end like this."""

    def layer(application):
        async def answering(scope, receive, send):
            if not scope["path"].endswith(path):
                await application(scope, receive, send)
                return
            began, body = {}, b""

            async def collect(message):
                nonlocal body
                began.update(message if message["type"] == "http.response.start" else {})
                body += message.get("body", b"")

            await application(scope, receive, collect)
            if body:
                known = json.loads(body)
                changed = change(known, dict(parse_qsl(scope["query_string"].decode())))
                body = json.dumps(known if changed is None else changed).encode()
            headers = [pair for pair in began["headers"] if pair[0] != b"content-length"]
            await send({**began, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        return answering

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
