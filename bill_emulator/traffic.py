"""What surrounds the answers: how long they take, how many may be asked for at once, and what changes meanwhile.

| behaviour | known from |
| --- | --- |
| 3 requests at once per developer key and organization; one more is answered `BDC_1322` | documented |
| the status of that answer (429 unless told otherwise) | undocumented |
| sign-in and sign-out count as requests too | assumed |
| how long an answer takes; what people edit while somebody reads | up to the user of the emulator |
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from bill_emulator.errors import TOO_MANY_AT_ONCE, CodedError
from bill_emulator.resources import RESOURCES
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bill_emulator.company import Company

BASE = "/connect/"
"""Where BILL's paths begin; anything else is the emulator's own and not counted."""


@dataclass(slots=True)
class Counters:
    """What happened since the start, or since they were set back."""

    requests: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    refused: int = 0
    edits: int = 0
    adds: int = 0
    first_request: float = 0.0
    last_answer: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The counters by name; the two moments are seconds of a clock that only runs forward."""
        return asdict(self)

    def reset(self) -> None:
        """Begin anew; what is in flight stays in flight."""
        for name, value in asdict(Counters(in_flight=self.in_flight)).items():
            setattr(self, name, value)


class Gate:
    """Delays every BILL request, and refuses one more than may be in flight; `limit` 0 lets all in."""

    def __init__(  # noqa: PLR0913 -- what surrounds it, and three settings
        self, inner: ASGIApp, counters: Counters, company: Company, *, latency: float, limit: int, status: int
    ) -> None:
        self._inner = inner
        self._counters = counters
        self._company = company
        self._latency = latency
        self._limit = limit
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if not scope.get("path", "").startswith(BASE):
            await self._inner(scope, receive, send)
            return
        counters = self._counters
        clock = asyncio.get_running_loop().time
        counters.first_request = counters.first_request or clock()
        counters.requests += 1
        counters.in_flight += 1
        counters.peak_in_flight = max(counters.peak_in_flight, counters.in_flight)
        try:
            if self._limit and counters.in_flight > self._limit:
                counters.refused += 1
                await self._refuse(send)
                return
            await asyncio.sleep(self._latency)
            await self._inner(scope, receive, send)
        finally:
            counters.in_flight -= 1
            counters.last_answer = clock()

    async def _refuse(self, send: Send) -> None:
        body = CodedError(TOO_MANY_AT_ONCE).body(shown(microseconds(self._company.clock.now())))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(body)})


class Editor:
    """People at work: after every so many list answers, rows of the list that was just read change or are added."""

    def __init__(self, inner: ASGIApp, counters: Counters, company: Company, *, every: int, rows: int) -> None:
        self._inner = inner
        self._counters = counters
        self._company = company
        self._every = every
        self._rows = rows
        self._chance = Random(company.seed)
        self._lists = {f"{BASE}v3{kind.path}": name for name, kind in RESOURCES.items() if kind.timed}
        self._answers = 0
        self._turns = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then perhaps edit."""

        async def watched(message: Message) -> None:
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            if ended and (resource := self._lists.get(scope["path"])):
                self._answers += 1
                if self._every and self._answers % self._every == 0:
                    self._work_on(resource)

        await self._inner(scope, receive, watched)

    def _work_on(self, resource: str) -> None:
        self._turns += 1
        ids = self._company.ids(resource)
        for row_id in self._chance.sample(ids, min(self._rows, len(ids))):
            self._counters.edits += 1
            has_text = "description" in self._company.row(resource, row_id)
            changes = {"description": f"Edited {self._counters.edits}"} if has_text else {}
            self._company.edit(resource, row_id, changes)
        if self._turns % 2 == 0:
            self._company.add(resource)
            self._counters.adds += 1
