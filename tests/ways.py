"""The ways to sign in, for tests that are about any of them.

A test asks for the fixture `sign_in`, and is run once for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import canned

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, eq=False)
class Way:
    """One way to sign in.

    Args:
        name: of the test.
        path: where it signs in.
        first: what the first sign-in of a run asks for.
        last: what the end of a run asks for.
        credentials: settings that sign in to an emulator.
        expire: ends what an emulator has let in.
        serve: gives canned answers.
        headers: what every request after the sign-in has, and none has of the other ways.
    """

    name: str
    path: str
    first: list[str]
    last: list[str]
    credentials: Callable[[Any], dict[str, str]]
    expire: Callable[[Any], None]
    serve: Callable[..., dict[str, str]]
    headers: frozenset[str]


SESSION = Way(
    "session",
    "/v3/login",
    ["/v3/login"],
    ["/v3/logout"],
    lambda emulator: emulator.credentials,
    lambda emulator: emulator.expire_sessions(),
    lambda server, answers, answer=None: canned.serve(server, answers, login=answer),
    frozenset({"sessionid", "devkey"}),
)

OAUTH = Way(
    "oauth",
    "/authx/token",
    ["/authx/token", "/v3/login/session"],
    [],
    lambda emulator: emulator.oauth_credentials,
    lambda emulator: emulator.revoke_tokens(),
    lambda server, answers, answer=None: canned.serve_oauth(server, answers, token=answer),
    frozenset({"authorization"}),
)

WAYS = (SESSION, OAUTH)
CREDENTIALS = frozenset({"sessionid", "devkey", "apitoken", "authorization"})
