"""Several organizations on one server: whose a request is.

Documented: a session is one organization's. Assumed: sign-ins and sign-outs count as requests of the hour, and so do
requests that are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request

from bill_emulator.protocol.scope import ORGANIZATION, ROOT, is_control

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bill_emulator.protocol.limits import HourlyLimits
    from bill_emulator.protocol.sessions import SessionBook

_LOGIN = ROOT + "/login"


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
        request = Request(scope, receive)
        dev_key, token = request.headers.get("devKey", ""), request.headers.get("apiToken")
        organization = self._sessions.organization_of(request.headers.get("sessionId"))
        is_login = scope["path"] == _LOGIN
        if is_login:
            body = await request.body()
            receive = _replay(body, receive)
            asked = _object(body)
            dev_key, organization = str(asked.get("devKey", "")), str(asked.get("organizationId", ""))
        if token:
            organization = self._tokens.get(token, "")
        scope[ORGANIZATION] = organization if organization in self._applications else ""
        refusal = None if token else self._limits.refusal(dev_key, is_login=is_login)
        await (refusal or self._applications.get(organization or "", self._first))(scope, receive, send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hands out a body that was read already, then whatever else comes."""
    left = [body]

    async def again() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return again


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
