"""What surrounds the answers: how long they take, how many may be asked for at once, and what is counted.

| behaviour | known from |
| --- | --- |
| 3 requests at once per developer key and organization; `BDC_1322` until one finishes | documented |
| the status of that answer (429 unless told otherwise) | undocumented |
| sign-in and sign-out count as requests too | assumed |
| how long an answer takes | up to the user of the emulator |

An emulator has one developer key and one organization, so all its requests count together.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from bill_emulator.protocol.control import is_control
from bill_emulator.protocol.errors import TOO_MANY_AT_ONCE, CodedError
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bill_emulator.company.company import Company

_STATUSES = range(400, 600)

OVER = "bill_emulator.over"
"""Where the gate leaves what to call when a request is over without the end of an answer."""


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
        """Begin anew; what is in flight stays in flight."""
        fresh = Counters(in_flight=self.in_flight, peak_in_flight=self.in_flight)
        for name, value in asdict(fresh).items():
            setattr(self, name, value)


class Gate:
    """Counts and delays every BILL request, and refuses one more than may be in flight; `limit` 0 lets all in."""

    def __init__(  # noqa: PLR0913 -- what surrounds it, and three settings
        self, inner: ASGIApp, counters: Counters, company: Company, *, latency: float, limit: int, status: int
    ) -> None:
        if latency < 0:
            raise ValueError("latency must not be negative")
        if limit < 0:
            raise ValueError("limit must not be negative")
        if status not in _STATUSES:
            raise ValueError(f"limit_status must be from {_STATUSES[0]} to {_STATUSES[-1]}")
        self._inner = inner
        self._counters = counters
        self._company = company
        self._latency = latency
        self._limit = limit
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it. It is over just before the last byte of its answer goes out."""
        if is_control(scope["path"]):
            await self._inner(scope, receive, send)
            return
        counters = self._counters
        clock = asyncio.get_running_loop().time
        counters.first_request = counters.first_request or clock()
        counters.in_flight += 1
        counters.peak_in_flight = max(counters.peak_in_flight, counters.in_flight)
        under_way = True

        def over() -> None:
            nonlocal under_way
            if under_way:
                under_way = False
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
            if self._limit and counters.in_flight > self._limit:
                counters.refused += 1
                await self._refuse(counted)
                return
            await asyncio.sleep(self._latency)
            await self._inner(scope, receive, counted)
        finally:
            over()

    async def _refuse(self, send: Send) -> None:
        body = CodedError(TOO_MANY_AT_ONCE).body(shown(microseconds(self._company.clock.now())))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(body)})
