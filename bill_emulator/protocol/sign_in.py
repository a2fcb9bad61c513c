"""Sign-in, sign-out, and who is signed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from bill_emulator.protocol import errors
from bill_emulator.protocol.errors import CodedError, ValidationError
from bill_emulator.protocol.responses import json_answer
from bill_emulator.protocol.scope import ROOT
from bill_emulator.protocol.tokens import Token

if TYPE_CHECKING:
    from starlette.requests import Request

    from bill_emulator.company.company import Company
    from bill_emulator.protocol.limits import Counters
    from bill_emulator.protocol.sessions import Session, SessionBook
    from bill_emulator.protocol.tokens import TokenBook

_SECRET_FIELDS = ("password", "consoleApiToken")
"""One of them goes with every login (documented)."""


@dataclass(frozen=True)
class Credentials:
    """What a program must know to sign in, and whether that is a sync token. The default values are invented."""

    username: str = "sync-token-demo"
    password: str = field(default="demo-token-value", repr=False)
    dev_key: str = field(default="01DEMODEVKEY0000EMULATOR", repr=False)
    console_api_token: str = field(default="", repr=False)
    spend_api_token: str = field(default="demo-spend-token", repr=False)
    is_sync_token: bool = True
    client_id: str = "demo-client-id"
    client_secret: str = field(default="demo-client-secret", repr=False)


class SignIn:
    """Lets the programs of one organization in; all of them are the user who has this role."""

    def __init__(  # noqa: PLR0913 -- whom it lets in, and who follows that
        self,
        company: Company,
        sessions: SessionBook,
        tokens: TokenBook,
        credentials: Credentials,
        *,
        counters: Counters,
        role: str,
    ) -> None:
        users = {user["role"]["type"]: user["id"] for user in company.rows("users")}
        if role not in users:
            raise ValueError(f"unknown role {role}; known are {', '.join(users)}")
        self.user_id: str = users[role]
        self.is_administrator = role == "ADMINISTRATOR"
        self.credentials = credentials
        self._organization = company.organization_id
        self._sessions = sessions
        self._tokens = tokens
        self._counters = counters
        self.logins = 0

    def routes(self) -> list[Route]:
        """The routes of sessions."""
        return [
            Route(ROOT + "/login", self._login, methods=["POST"]),
            Route(ROOT + "/logout", self._logout, methods=["POST"]),
            Route(ROOT + "/login/session", self._session, methods=["GET"]),
        ]

    def session(self, request: Request) -> Session | Token:
        """The session or access token of a request, which is active with that; raises what refuses it."""
        if token := self._tokens.admit(request):
            return token
        session = self._sessions.find(request.headers.get("sessionId"))
        if session is None:
            raise CodedError(errors.NO_SESSION)
        if request.headers.get("devKey") != session.dev_key:
            raise CodedError(errors.WRONG_KEY)
        self._sessions.touch(session)
        return session

    async def _login(self, request: Request) -> Response:
        """`POST /v3/login`: the developer key counts only in the body (observed)."""
        body = _object(await request.body())
        if self._tokens.admit(request):
            console = "consoleApiToken" in body
            raise CodedError(errors.NO_PERMISSION) if console else ValidationError("Authorization: must not be sent")
        self._check(body)
        self.logins += 1
        self._counters.logins += 1
        answer = {
            "sessionId": self._sessions.open(self.user_id, body["devKey"], self._organization),
            "organizationId": self._organization,
            "userId": self.user_id,
            "trusted": bool(body.get("rememberMeId") and body.get("device")),
        }
        return json_answer(answer)

    def _check(self, body: dict[str, Any]) -> None:
        secret = next((name for name in _SECRET_FIELDS if body.get(name) is not None), _SECRET_FIELDS[0])
        fields = ("username", secret, "organizationId", "devKey")
        absent = [f"{name}: must not be null" for name in fields if body.get(name) is None]
        wrong = [f"{name}: must be text" for name in fields if not isinstance(body.get(name, ""), str)]
        if absent or wrong:
            raise ValidationError(*absent, *wrong)
        known = {"password": self.credentials.password, "consoleApiToken": self.credentials.console_api_token}
        if body["devKey"] != self.credentials.dev_key:
            raise CodedError(errors.WRONG_KEY)
        if not known[secret] or (body["username"], body[secret]) != (self.credentials.username, known[secret]):
            raise CodedError(errors.WRONG_PASSWORD)
        if body["organizationId"] != self._organization:
            raise CodedError(errors.NO_API_ACCESS)

    async def _logout(self, request: Request) -> Response:
        """`POST /v3/logout`: 200, empty body (official). It ends an access token too (assumed)."""
        session = self.session(request)
        if isinstance(session, Token):
            session.ended = True
        else:
            self._sessions.close(request.headers["sessionId"])
        return Response()

    async def _session(self, request: Request) -> Response:
        """`GET /v3/login/session` (official example)."""
        user_id = self.session(request).user_id
        known = {"mfaStatus": "DISABLED", "mfaBypass": True}
        return json_answer({"organizationId": self._organization, "userId": user_id, **known})


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise ValidationError("the body is not JSON") from None
    if not isinstance(found, dict):
        raise ValidationError("the body is not a JSON object")
    return found
