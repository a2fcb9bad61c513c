"""Several organizations on one server: whose a request is.

Documented: a session is one organization's, and so is an app. Assumed: sign-ins and sign-outs count as requests of the
hour, and so do requests that are refused; requests with an access token count for its app, and asking for one is a
sign-in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request

from bill_emulator.protocol.scope import APP, ORGANIZATION, ROOT, TOKEN, TOKEN_PLACES, is_control
from bill_emulator.protocol.tokens import form_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bill_emulator.protocol.limits import HourlyLimits
    from bill_emulator.protocol.sessions import SessionBook
    from bill_emulator.protocol.tokens import Token, TokenBook

_LOGIN = ROOT + "/login"
_TOKEN_PATHS = frozenset(filter(None, TOKEN_PLACES.values()))
_SIGN_INS = _TOKEN_PATHS | {_LOGIN}


@dataclass(frozen=True, slots=True)
class _Sender:
    """Whose a request is, the key or app that its hour counts for (None: no hour does), its app and its token."""

    organization: str
    key: str | None
    app: str = ""
    token: Token | None = None


class Front:
    """Finds out whose a request is, counts it, and hands it to that organization's application.

    A request of which that is not known goes to the first organization, which refuses it.
    """

    def __init__(  # noqa: PLR0913 -- everything that tells whose a request is
        self,
        applications: Mapping[str, ASGIApp],
        sessions: SessionBook,
        tokens: TokenBook,
        limits: HourlyLimits,
        *,
        spend_tokens: Mapping[str, str],
        apps: Mapping[str, str],
    ) -> None:
        """`spend_tokens` and `apps` are the organizations of Spend & Expense tokens and of client ids."""
        self._tokens = tokens
        self._spend_tokens = spend_tokens
        self._apps = apps
        self._applications = applications
        self._first = next(iter(applications.values()))
        self._sessions = sessions
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        if is_control(scope["path"]):
            await self._first(scope, receive, send)
            return
        body = b""
        if scope["path"] in _SIGN_INS:
            body = await Request(scope, receive).body()
            receive = _replay(body, receive)
        sender = self._sender(scope["path"], Headers(scope=scope), body)
        organization = sender.organization if sender.organization in self._applications else ""
        scope[ORGANIZATION], scope[TOKEN], scope[APP] = organization, sender.token, sender.app if organization else ""
        is_login = scope["path"] in (_LOGIN, self._tokens.rules.path)
        refusal = None if sender.key is None else self._limits.refusal(sender.key, is_login=is_login)
        await (refusal or self._applications.get(organization, self._first))(scope, receive, send)

    def _sender(self, path: str, headers: Headers, body: bytes) -> _Sender:
        if path in _TOKEN_PATHS:
            app = form_fields(body).get("client_id", [""])[0]
            return _Sender(self._apps.get(app, ""), app, app)
        if token := self._tokens.find(headers):
            return _Sender(token.app.organization_id, token.app.client_id, token.app.client_id, token)
        if spend_token := headers.get("apiToken"):
            return _Sender(self._spend_tokens.get(spend_token, ""), None)
        if path == _LOGIN:
            asked = _object(body)
            return _Sender(str(asked.get("organizationId", "")), str(asked.get("devKey", "")))
        return _Sender(self._sessions.organization_of(headers.get("sessionId")) or "", headers.get("devKey", ""))


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
