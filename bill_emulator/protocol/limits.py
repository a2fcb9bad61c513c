"""Latency, the limits on requests at once and per hour, and what is counted.

| behaviour | known from |
| --- | --- |
| 3 requests at once per developer key and organization; `BDC_1322` until one finishes | documented |
| 20,000 requests and 200 sign-ins per developer key and clock hour; then `BDC_1144` | documented |
| an app (see `protocol.tokens`) has limits of its own, as a developer key has | assumed |
| the status of both answers (429 by default); that sign-ins have the same code | undocumented; assumed |
| sign-in and sign-out count as requests too | assumed |
| how long an answer takes | up to the user of the emulator |

An organization has one developer key and one app here, so all requests without an access token count together.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bill_emulator.protocol.errors import HOUR_USED_UP, TOO_MANY_AT_ONCE, CodedError
from bill_emulator.protocol.responses import error_answer
from bill_emulator.protocol.scope import APP, OVER, is_control

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bill_emulator.clock import Clock

_STATUSES = range(400, 600)


@dataclass(slots=True)
class Counters:
    """What happened since the start, or since they were set back. Requests to `/control` are not counted.

    Whoever has read an answer to its end finds it counted, and what
    `protocol.edits` did on its account.
    """

    requests: int = 0
    """Answered requests of any kind and status, refused ones included."""
    by_status: dict[int, int] = field(default_factory=dict)
    in_flight: int = 0
    peak_in_flight: int = 0
    """The most that were under way at once, refused ones included: more than the limit means that some were refused."""
    refused: int = 0
    """Answers `BDC_1322`."""
    logins: int = 0
    """Sign-ins that succeeded."""
    edits: int = 0
    adds: int = 0
    deletes: int = 0
    first_request: float = 0.0
    last_answer: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The counters by name; the two moments are seconds of a clock that only runs forward."""
        return asdict(self)

    def reset(self) -> None:
        """Start again from zero; what is in flight stays in flight."""
        fresh = Counters(in_flight=self.in_flight, peak_in_flight=self.in_flight)
        for name, value in asdict(fresh).items():
            setattr(self, name, value)


class Gate:
    """Counts and delays every BILL request, and refuses one more than may be in flight; `limit` 0 lets all in."""

    def __init__(  # noqa: PLR0913 -- what surrounds it, and three settings
        self, inner: ASGIApp, counters: Counters, clock: Clock, *, latency: float, limit: int, status: int
    ) -> None:
        if latency < 0:
            raise ValueError("latency must not be negative")
        if limit < 0:
            raise ValueError("limit must not be negative")
        if status not in _STATUSES:
            raise ValueError(f"limit_status must be from {_STATUSES[0]} to {_STATUSES[-1]}")
        self._inner = inner
        self._counters = counters
        self._clock = clock
        self._latency = latency
        self._limit = limit
        self._status = status
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it. It is over just before the last byte of its answer goes out."""
        if is_control(scope["path"]):
            await self._inner(scope, receive, send)
            return
        counters = self._counters
        clock = asyncio.get_running_loop().time
        counters.first_request = counters.first_request or clock()
        app = scope[APP]
        self._under_way[app] += 1
        counters.in_flight += 1
        counters.peak_in_flight = max(counters.peak_in_flight, counters.in_flight)
        under_way = True

        def over() -> None:
            nonlocal under_way
            if under_way:
                under_way = False
                self._under_way[app] -= 1
                counters.in_flight -= 1
                counters.last_answer = clock()

        scope[OVER] = over

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                counters.requests += 1
                counters.by_status[message["status"]] = counters.by_status.get(message["status"], 0) + 1
            elif not message.get("more_body"):
                over()
            await send(message)

        try:
            if 0 < self._limit < self._under_way[app]:
                counters.refused += 1
                await error_answer(CodedError(TOO_MANY_AT_ONCE), self._clock, self._status)(scope, receive, counted)
                return
            await asyncio.sleep(self._latency)
            await self._inner(scope, receive, counted)
        finally:
            over()


class HourlyLimits:
    """Counts by developer key or app, and clock hour; a limit of 0 lets everything through."""

    def __init__(self, clock: Clock, *, requests: int, logins: int, status: int) -> None:
        if min(requests, logins) < 0:
            raise ValueError("hourly limits must not be negative")
        self._clock = clock
        self._limits = {"requests": requests, "logins": logins}
        self._status = status
        self._hour = ""
        self._counts: Counter[tuple[str, str]] = Counter()
        self.refused = 0

    def refusal(self, key: str, *, is_login: bool) -> Response | None:
        """Count a request; answers what refuses it, or None."""
        hour = f"{self._clock.now():%Y-%m-%d %H}"
        if hour != self._hour:
            self._hour = hour
            self._counts.clear()
        kinds = ["requests", "logins"] if is_login else ["requests"]
        self._counts.update((kind, key) for kind in kinds)
        if not any(0 < self._limits[kind] < self._counts[kind, key] for kind in kinds):
            return None
        self.refused += 1
        return error_answer(CodedError(HOUR_USED_UP), self._clock, self._status)
