"""OAuth client credentials: access tokens, the call that issues them, and what refuses a request with one.

| behaviour | known from |
| --- | --- |
| a form with `grant_type=client_credentials`, `client_id` and `client_secret` gets an access token | documented |
| `Authorization: Bearer` and no other credential, for AP, AR and Spend & Expense | documented |
| a request with another credential as well is 400 | assumed |
| an app belongs to one organization; its token may do what the user may who made the app | documented |
| either scope may read, see the session and sign out; neither may sign in to Accountant Console | documented |
| where the call is; the shapes of its answer and errors; how long a token lives (choose) | undocumented; RFC 6749 |
| a token that has ended is 401, in BILL's shape or that of RFC 6750 (choose) | assumed |
| wrong client: 401; a wrong form, or another grant: 400 | RFC 6749 |
| signing out ends the token; a sign-in with a token is refused | assumed |
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.routing import Route

from bill_emulator.protocol import errors
from bill_emulator.protocol.errors import AnswerError, CodedError, ErrorBody, ValidationError
from bill_emulator.protocol.responses import json_answer
from bill_emulator.protocol.scope import TOKEN_PLACES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from starlette.datastructures import Headers
    from starlette.requests import Request
    from starlette.responses import Response

    from bill_emulator.clock import Clock

    _Refuse = Callable[[int, str, str], AnswerError]

EXPIRES_IN: dict[str, Callable[[int], dict[str, Any]]] = {
    "right": lambda life: {"expires_in": life},
    "missing": lambda _: {},
    "text": lambda _: {"expires_in": "soon"},
    "digits": lambda life: {"expires_in": str(life)},
    "zero": lambda _: {"expires_in": 0},
    "negative": lambda life: {"expires_in": -life},
}
"""What the answer may say about the life of a token."""

SCOPES = ("accounting", "full")
REFUSALS = ("bill", "rfc6750")

_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
_GRANT = "client_credentials"
_FORM = "application/x-www-form-urlencoded"
_OTHERS = ("sessionId", "devKey", "apiToken")
"""The headers of other credentials."""


@dataclass(frozen=True, slots=True)
class TokenRules:
    """How tokens behave where BILL's behaviour is undocumented.

    `place` is where they are issued, one of `protocol.scope.TOKEN_PLACES`. A token ends `seconds` after it was issued,
    and after `requests` requests (0: any number); `expires_in` is what the answer says about that, one of `EXPIRES_IN`.
    `errors` is the shape in which no token is issued, `refusal` that in which a token is refused; `scope` is the app's.
    """

    place: str = "connect"
    seconds: float = 3600
    requests: int = 0
    expires_in: str = "right"
    errors: str = "rfc6749"
    scope: str = "accounting"
    refusal: str = "bill"

    def __post_init__(self) -> None:
        _one_of("token_place", self.place, TOKEN_PLACES)
        _one_of("token_expires_in", self.expires_in, EXPIRES_IN)
        _one_of("token_errors", self.errors, ERRORS)
        _one_of("token_scope", self.scope, SCOPES)
        _one_of("token_refusal", self.refusal, REFUSALS)
        if not self.seconds > 0:
            raise ValueError("token_seconds must be more than 0")
        if self.requests < 0:
            raise ValueError("token_requests must not be negative")

    @property
    def path(self) -> str:
        """The path of the call that issues tokens; empty if there is none."""
        return TOKEN_PLACES[self.place]


def _one_of(name: str, value: str, known: Mapping[str, object] | tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class App:
    """A developer app, which belongs to one organization and to the user who made it; without a client id: none."""

    client_id: str
    client_secret: str = field(repr=False)
    organization_id: str
    user_id: str


@dataclass(slots=True)
class Token:
    """What one access token stands for."""

    app: App
    issued: datetime
    requests: int = 0
    ended: bool = False

    @property
    def user_id(self) -> str:
        """The user whose permissions it has."""
        return self.app.user_id


class TokenBook:
    """All access tokens. May be used from any thread."""

    def __init__(self, clock: Clock, rules: TokenRules) -> None:
        self.rules = rules
        self.clients_refused = False
        self.issued = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}

    def issue(self, app: App) -> str:
        """A new access token."""
        value = "TOKEN-" + secrets.token_hex(16)
        with self._lock:
            self._tokens[value] = Token(app, self._clock.now())
            self.issued += 1
        return value

    def find(self, headers: Headers) -> Token | None:
        """The token of a request, which may have ended."""
        with self._lock:
            return self._tokens.get(_bearer(headers) or "")

    def admit(self, request: Request) -> Token | None:
        """The token of a request, which is used with that; None: it has none. Raises what refuses it."""
        if _bearer(request.headers) is None:
            return None
        if others := [name for name in _OTHERS if name in request.headers]:
            raise ValidationError(f"{', '.join(others)}: must not be sent along with Authorization")
        token = self.find(request.headers)
        with self._lock:
            if token is not None and self._lives(token):
                token.requests += 1
                return token
        if self.rules.refusal == "bill":
            raise CodedError(errors.NO_SESSION)
        raise OAuthError(401, "invalid_token", "The access token has expired or is not valid.", _CHALLENGE)

    def _lives(self, token: Token) -> bool:
        rules, age = self.rules, self._clock.now() - token.issued
        used_up = rules.requests and token.requests >= rules.requests
        return not (token.ended or used_up or age.total_seconds() >= rules.seconds)

    def revoke_all(self) -> None:
        """End every token, as if all had expired."""
        with self._lock:
            for token in self._tokens.values():
                token.ended = True


def token_routes(app: App, book: TokenBook) -> list[Route]:
    """The call that issues an app's tokens, at the place where it is."""
    rules, refuse = book.rules, ERRORS[book.rules.errors]

    async def issue(request: Request) -> Response:
        form = form_fields(await request.body())
        _check(request.headers, form, refuse)
        given = [*form.get("client_id", [""]), *form.get("client_secret", [""])]
        if book.clients_refused or not all(given) or given != [app.client_id, app.client_secret]:
            raise refuse(401, "invalid_client", "The client id or the client secret is wrong.")
        answer = {
            "access_token": book.issue(app),
            "token_type": "Bearer",
            **EXPIRES_IN[rules.expires_in](int(rules.seconds)),
            "scope": rules.scope,
        }
        return json_answer(answer, headers={"Cache-Control": "no-store"})

    return [Route(rules.path, issue, methods=["POST"])] if rules.path else []


def _check(headers: Headers, form: dict[str, list[str]], refuse: _Refuse) -> None:
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
        raise refuse(400, "invalid_request", f"the body must be {_FORM}")
    if repeated := [name for name, values in form.items() if len(values) > 1]:
        raise refuse(400, "invalid_request", f"{', '.join(repeated)}: must come once")
    if "grant_type" not in form:
        raise refuse(400, "invalid_request", "grant_type: must not be missing")
    if form["grant_type"] != [_GRANT]:
        raise refuse(400, "unsupported_grant_type", f"grant_type: must be {_GRANT}")


def form_fields(body: bytes) -> dict[str, list[str]]:
    """The fields of a form, each with all its values."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def _bearer(headers: Headers) -> str | None:
    """The access token in a request's headers."""
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


class OAuthError(AnswerError):
    """One object with `error` and `error_description` (RFC 6749, section 5.2)."""

    def __init__(self, status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.headers = headers or {}
        self._body = {"error": error, "error_description": description}

    def body(self, timestamp: str) -> ErrorBody:  # noqa: ARG002 -- RFC 6749 has no place for it
        """The object."""
        return self._body


def _in_bills_shape(_: int, error: str, description: str) -> AnswerError:
    return CodedError(errors.WRONG_CLIENT) if error == "invalid_client" else ValidationError(description)


ERRORS: dict[str, _Refuse] = {"rfc6749": OAuthError, "bill": _in_bills_shape}
"""The shapes in which no token is issued."""
