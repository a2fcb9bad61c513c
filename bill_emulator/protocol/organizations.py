"""The front of a server for several organizations, and the hourly limits of a developer key.

| behaviour | known from |
| --- | --- |
| a session is one organization's | documented |
| 20,000 requests and 200 sign-ins per developer key and clock hour; then `BDC_1144` | documented |
| sign-ins have the same code; its status (429 unless told otherwise) | assumed; undocumented |
| sign-ins and sign-outs are requests too; refused requests count | assumed |
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from bill_emulator.protocol.api import ROOT
from bill_emulator.protocol.control import is_control
from bill_emulator.protocol.errors import HOUR_USED_UP, CodedError
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bill_emulator.clock import Clock
    from bill_emulator.protocol.sessions import SessionBook

ORGANIZATION = "bill_emulator.organization"
"""Where the ASGI scope says whose request it is; empty where nobody knows."""

_LOGIN = ROOT + "/login"


class HourlyLimits:
    """Counts by developer key and clock hour; a limit of 0 lets everything through."""

    def __init__(self, clock: Clock, *, requests: int, logins: int, status: int) -> None:
        if min(requests, logins) < 0:
            raise ValueError("hourly limits must not be negative")
        self._clock = clock
        self._limits = {"requests": requests, "logins": logins}
        self.status = status
        self._hour = ""
        self._counts: Counter[tuple[str, str]] = Counter()
        self.refused = 0

    def admit(self, dev_key: str, *, is_login: bool) -> bool:
        """Count a request; answers whether it may be served."""
        hour = f"{self._clock.now():%Y-%m-%d %H}"
        if hour != self._hour:
            self._hour = hour
            self._counts.clear()
        kinds = ["requests", "logins"] if is_login else ["requests"]
        for kind in kinds:
            self._counts[kind, dev_key] += 1
        served = not any(0 < self._limits[kind] < self._counts[kind, dev_key] for kind in kinds)
        self.refused += not served
        return served

    def answer(self) -> bytes:
        """The body of a refusal."""
        return msgspec.json.encode(CodedError(HOUR_USED_UP).body(shown(microseconds(self._clock.now()))))


class Front:
    """Finds out whose a request is, counts it, and hands it to that organization's application.

    A request of which that is not known goes to the first organization, which refuses it.
    """

    def __init__(
        self,
        applications: Mapping[str, ASGIApp],
        sessions: SessionBook,
        limits: HourlyLimits,
        tokens: Mapping[str, str],
    ) -> None:
        """`tokens` are the organizations of Spend & Expense tokens."""
        self._tokens = tokens
        self._applications = applications
        self._first = next(iter(applications.values()))
        self._sessions = sessions
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        if is_control(scope["path"]):
            await self._first(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        dev_key, session_id = headers.get(b"devkey", ""), headers.get(b"sessionid")
        organization = self._sessions.organization_of(session_id)
        is_login = scope["path"] == _LOGIN
        if is_login:
            body = await _whole(receive)
            receive = _Replay(body, receive)
            asked = _object(body)
            dev_key, organization = str(asked.get("devKey", "")), str(asked.get("organizationId", ""))
        if token := headers.get(b"apitoken"):
            organization = self._tokens.get(token, "")
        scope[ORGANIZATION] = organization if organization in self._applications else ""
        if token or self._limits.admit(dev_key, is_login=is_login):
            await self._applications.get(organization or "", self._first)(scope, receive, send)
            return
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self._limits.status, "headers": head})
        await send({"type": "http.response.body", "body": self._limits.answer()})


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


class _Replay:
    """Hands out a body that was read already, then whatever else comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        body, self._body = self._body, None
        return await self._receive() if body is None else {"type": "http.request", "body": body, "more_body": False}


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
