"""OAuth client credentials: one short-lived token for accounts payable and receivable and for Spend & Expense.

BILL documents `POST /authx/token`, the three fields of its form, and the Bearer header of every later call (BILL: OAuth
client credentials). What comes before `/authx`, how long a token lives and how a refusal looks is not known, so it is
tried here.
"""

from __future__ import annotations

import logging
import math
import re
import typing as t

from tap_bill.api.auth import Authenticator, Lasting
from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import CODES, ErrorAction, NoAnswerError, Scope, SignInError
from tap_bill.api.requester import PASSING, Request
from tap_bill.api.stats import SIGN_IN
from tap_bill.settings import root_of

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_bill.api.transport import ApiResponse

LOGGER = logging.getLogger("tap-bill")

TOKEN: t.Final = "/authx/token"  # noqa: S105 - a path
"""Where tokens are asked for: behind the base URL, as the reference has it for other paths, or behind the host."""

EARLY: t.Final = 60.0
"""Seconds before its end at which a token is no longer used, at most; of a short life, a tenth."""

NO_ACCESS: t.Final = "BDC_1105"

ADVICE: t.Final[dict[ErrorAction, str]] = {
    ErrorAction.RENEW_SESSION: (
        "also with a fresh token, which BILL accepts elsewhere. Check that the user who made the developer app may "
        "read this, or deselect it"
    ),
    ErrorAction.SLOW_DOWN: (
        "too many requests at once or in a short time. Lower max_concurrency, or run when no other program reads"
    ),
    ErrorAction.WAIT_FOR_HOUR: (
        "the limit is still used up right after the full hour. Run again later, and see which other programs read"
    ),
}
"""What to check after a refusal, where BILL's codes speak of users and keys."""


class TokenError(SignInError):
    """There is no token, so nothing can be read."""

    scope = Scope.RUN


class OAuthClient:
    """A developer app, which belongs to one organization."""

    def __init__(self, settings: Mapping[str, t.Any]) -> None:
        self.organization_id: str = settings["organization_id"]
        self.key: str = settings["client_id"]
        self.user = (self.key, str(settings["client_secret"]))

    @property
    def form(self) -> dict[str, str]:
        """What asks for a token."""
        client_id, client_secret = self.user
        return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}


class AccessToken(Lasting):
    """The one header of every call with a token (BILL: OAuth client credentials).

    Args:
        token: what BILL issued.
        ends: when it expires by BILL's clock, in seconds since the epoch; infinity where that is not known.
    """

    def __init__(self, token: str, ends: float) -> None:
        super().__init__(Authorization=f"Bearer {token}")
        self.ends = ends


class OAuthAuthenticator(Authenticator[OAuthClient]):
    """One token, renewed a little before it expires, or when BILL refuses it. There is no logout."""

    identity = OAuthClient
    limited = "developer app"
    error = TokenError

    _at_root: bool | None = None
    _is_described = False

    def check(self) -> None:
        """Find out whether BILL refuses the token itself, or only the request that a new token was used for.

        Raises:
            SignInError: if it refuses the token.
        """
        with self._lock:
            auth = self._auth = self._auth or self._sign_in()
            try:
                self._session(auth)
            except ApiError as error:
                is_refused = error.response.action is ErrorAction.RENEW_SESSION
                is_known = self._is_described or not self.has_served  # not, where BILL tells nothing of any token
                if is_refused and is_known and not self._requester.has_expired(auth):
                    self._auth, self._refused = None, self._refused_at_once(error)
                    raise self._refused from None
            except NoAnswerError:
                return  # so it is not known, and the request alone is what failed

    def _open(self) -> Lasting:
        """Ask for a token."""
        asked = self._monotonic()
        answer = self._ask()
        body = answer.body if isinstance(answer.body, dict) else {}
        token, kind = body.get("access_token"), body.get("token_type") or "bearer"
        if not isinstance(token, str) or not _VISIBLE.fullmatch(token):
            raise TokenError(
                f"BILL {self._where} answered the request for an OAuth token without an access_token that can be "
                "used; check api_url and any proxy."
            )
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise TokenError(
                f"BILL {self._where} issued an OAuth token whose token_type is not bearer, and tap-bill knows no "
                "other; look for a newer tap-bill."
            )
        life = _seconds(body.get("expires_in"))
        self._good_until = asked + life - min(EARLY, life / 10)
        self.server_time = answer.server_time
        auth = AccessToken(token, answer.server_time.timestamp() + life if answer.server_time else math.inf)
        if not self._signed_in:
            self._compare(auth)
            LOGGER.info("Signed in to BILL %s with OAuth, organization %s.", self._where, self._login.organization_id)
        return auth

    def _ask(self) -> ApiResponse:
        """Send the request for a token to the place that has answered before, or to the one of the two that answers."""
        url, host = self._requester.api_url, root_of(self._requester.api_url)
        places = [False, True] if url != host else [False]
        for at_root in places if self._at_root is None else [self._at_root]:
            try:
                answer = self._requester.send(
                    Request(SIGN_IN, "POST", TOKEN, form=self._login.form, at_root=at_root),
                    Lasting(),
                    self._quotas,
                    self._stats,
                )
            except NoAnswerError as error:
                raise TokenError(error.message) from None
            except ApiError as error:
                if not error.response.means_no_such_path:
                    raise self._refusal(error) from None
            else:
                self._at_root = at_root
                return answer
        paths = " or ".join((f"{host}{TOKEN}" if at_root else f"{url}{TOKEN}") for at_root in places)
        raise TokenError(
            f"BILL {self._where} issues no OAuth tokens, at least not at {paths} (HTTP 404). Check api_url, or sign in "
            "with username, password and dev_key in place of client_id and client_secret."
        )

    def _refusal(self, error: ApiError) -> TokenError:
        response = error.response
        if response.action in PASSING:
            return TokenError(error.message)
        code = ", ".join((f"HTTP {response.status}", *response.codes))
        known = CODES[NO_ACCESS].advice if NO_ACCESS in response.codes else ""
        return TokenError(
            f"BILL {self._where} refused client_id and client_secret of organization {self._login.organization_id} "
            f"({code}): "
            + (
                known
                or "they are wrong, expired or revoked, or of the other environment (sandbox and production have "
                "separate ones). Check them at the developer app in BILL's web app, and check api_url"
            )
            + ".",
            wrong_credentials=not known,
        )

    def _refused_at_once(self, error: ApiError) -> TokenError:
        code = ", ".join((f"HTTP {error.response.status}", *error.response.codes))
        return TokenError(
            f"BILL {self._where} refused the OAuth token of organization {self._login.organization_id} right after it "
            f"had issued it ({code}). Check in BILL's web app that the developer app of client_id is active and that "
            "the user who made it still has access, then run again."
        )

    def _compare(self, auth: Lasting) -> None:
        """Compare the token's organization with the one that names the rows, if BILL tells it.

        Raises:
            SignInError: if they differ.
        """
        try:
            body = self._session(auth).body
        except (ApiError, NoAnswerError):
            return  # BILL does not say whether a token may ask; if the token is no good, the streams will show it
        self._is_described = True
        found = body.get("organizationId") if isinstance(body, dict) else None
        if isinstance(found, str):
            self._check_organization(found)

    def _session(self, auth: Lasting) -> ApiResponse:
        """Ask what a token is good for (BILL: every scope may retrieve API session details)."""
        request = Request(SIGN_IN, "GET", "/v3/login/session")
        return self._requester.send(request, auth, self._quotas[:1], self._stats)


_VISIBLE: t.Final = re.compile(r"[\x21-\x7e]+")


def _seconds(value: object) -> float:
    """Read how long a token lives; infinity unless that is a number above 0."""
    try:
        life = float(value) if not isinstance(value, bool) else 0.0  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return life if life > 0 else math.inf
