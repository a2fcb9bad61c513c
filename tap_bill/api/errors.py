"""What goes wrong with BILL, what the tap does about it, and what it says: tables and exceptions."""

from __future__ import annotations

import enum
import logging
import typing as t

import click

LOGGER = logging.getLogger("tap-bill")


class Scope(enum.Enum):
    """What a problem ends."""

    STREAM = "what was being read"
    SIDE = "all that is read with the same credentials: accounts payable and receivable, or Spend & Expense"
    RUN = "everything"


class BillError(click.ClickException):
    """A problem that the user can understand and mend.

    The message is one sentence for the log: what happened, where, what to do next. Raised anywhere below
    the command line it ends the process with exit code 1 and that sentence, without a traceback.
    """

    scope = Scope.STREAM

    def show(self, file: t.IO[t.Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        """Log the message; click calls this in place of a traceback."""
        for line in self.message.splitlines():
            LOGGER.error(line)


class ConfigurationError(BillError):
    """The settings cannot work; one line per setting, and nothing was sent."""

    scope = Scope.RUN


class StateError(BillError):
    """The state file was not written by this tap."""

    scope = Scope.RUN


class SignInError(BillError):
    """BILL refused the sign-in, or gave no answer to it.

    `wrong_credentials`: whether the user or the key is refused, so that no other organization needs to be tried.
    """

    scope = Scope.SIDE

    def __init__(self, message: str, *, wrong_credentials: bool = False) -> None:
        super().__init__(message)
        self.wrong_credentials = wrong_credentials


class UnreachableError(BillError):
    """BILL cannot be reached: a redirect, a certificate that cannot be verified, no answer to anything."""

    scope = Scope.RUN


class NoAnswerError(UnreachableError):
    """No usable answer came back this time: connection refused or reset, timeout, an answer cut off."""

    scope = Scope.STREAM


class QuotaError(BillError):
    """The developer key has used up an hourly limit, and the next hour is too far away."""

    scope = Scope.SIDE

    def __init__(self, message: str) -> None:
        """Tell what to do, after a message that ends with when to run again."""
        super().__init__(
            f"{message}: what was read is kept, and the next run resumes there. "
            "Or let it wait: raise rate_limit_max_wait."
        )


class PagingError(BillError):
    """The cursor of a list leads to no new rows."""


class TargetGoneError(BillError):
    """Nobody reads what the tap writes any more."""

    scope = Scope.RUN


class StoppedError(BillError):
    """The run ends while this request was still waiting."""

    scope = Scope.RUN


def fault(where: str, error: Exception) -> BillError:
    """Log the traceback of an error that is the tap's own, and return the error to report."""
    LOGGER.error("%s: could not be read.", where, exc_info=error)
    return BillError(f"{where}: {type(error).__name__}, a fault of tap-bill: report it with the lines above.")


class ErrorAction(enum.Enum):
    """What the tap does about a response."""

    RETRY = "wait a little and repeat the request, at most max_retries times"
    SLOW_DOWN = "the same, with fewer requests at once for a while"
    WAIT_FOR_HOUR = "wait until BILL's next clock hour, or stop where that is too long"
    RENEW_SESSION = "sign in once more and repeat the request once"
    SKIP_STREAM = "warn and read the other streams"
    STOP = "stop with one sentence"


class KnownError(t.NamedTuple):
    """One of BILL's error codes.

    Args:
        action: what the tap does.
        advice: what it means and what to check, as the end of a sentence, for when the action did not help.
    """

    action: ErrorAction
    advice: str


_SIGNED_OUT: t.Final = "also right after a fresh sign-in; check that nothing else signs this user out"
_TROUBLE: t.Final = (
    "BILL has trouble with this request; run again later, and contact BILL's support if it happens again"
)

CODES: t.Final[dict[str, KnownError]] = {
    "BDC_1001": KnownError(ErrorAction.RETRY, _TROUBLE),
    "BDC_1002": KnownError(ErrorAction.RETRY, _TROUBLE),
    "BDC_1101": KnownError(
        ErrorAction.STOP,
        "the user name or password is wrong. Check username and password (with a sync token: the token's name and "
        "its value) and that they belong to this environment",
    ),
    "BDC_1102": KnownError(
        ErrorAction.STOP,
        "the developer key is not valid here. Check dev_key: most often it belongs to the other environment "
        "(sandbox and production have separate keys), so check api_url too",
    ),
    "BDC_1105": KnownError(
        ErrorAction.STOP,
        "the organization has no API access. Ask BILL or the organization's administrator to enable it",
    ),
    "BDC_1109": KnownError(ErrorAction.RENEW_SESSION, _SIGNED_OUT),
    "BDC_1120": KnownError(
        ErrorAction.RENEW_SESSION, _SIGNED_OUT
    ),  # treated as an ended session by other readers (assumed)
    "BDC_1121": KnownError(ErrorAction.STOP, "the path is unknown there. Check api_url: it ends with /connect"),
    "BDC_1143": KnownError(ErrorAction.STOP, "BILL does not accept what was asked for. Look for a newer tap-bill"),
    "BDC_1144": KnownError(
        ErrorAction.WAIT_FOR_HOUR,
        "the developer key's limit is still used up right after the full hour. Run again later, "
        "and see which other programs use the key",
    ),
    "BDC_1205": KnownError(ErrorAction.STOP, "the record does not exist. Check organization_id"),
    "BDC_1302": KnownError(ErrorAction.SKIP_STREAM, "the user's role may not read this"),
    "BDC_1322": KnownError(
        ErrorAction.SLOW_DOWN,
        "other programs use the developer key at the same time. Lower max_concurrency, or run at another time",
    ),
    "BDC_1361": KnownError(
        ErrorAction.RENEW_SESSION,
        "also right after a fresh sign-in, so BILL wants a session trusted by MFA. Use an AP & AR sync token, "
        "or set remember_me_id and device",
    ),
}
"""BILL's code decides first. Sources: BILL's list of common error codes; other readers where it is silent."""

OAUTH_CODES: t.Final[dict[str, KnownError | None]] = {
    **dict.fromkeys(("invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "access_denied")),
    **dict.fromkeys(("unauthorized_client", "unsupported_grant_type")),
    "server_error": KnownError(ErrorAction.RETRY, _TROUBLE),
    "temporarily_unavailable": KnownError(ErrorAction.RETRY, _TROUBLE),
    "invalid_token": KnownError(ErrorAction.RENEW_SESSION, _SIGNED_OUT),
    "insufficient_scope": KnownError(ErrorAction.SKIP_STREAM, "the scope of the developer app does not cover this"),
}
"""Codes of the OAuth standard (RFC 6749, sections 4.1.2.1 and 5.2; RFC 6750, section 3.1); None: the status decides."""

STATUSES: t.Final[dict[int, KnownError]] = {
    401: KnownError(ErrorAction.RENEW_SESSION, _SIGNED_OUT),
    403: KnownError(ErrorAction.SKIP_STREAM, "the user's role may not read this"),
    408: KnownError(ErrorAction.RETRY, _TROUBLE),
    429: KnownError(ErrorAction.SLOW_DOWN, "too many requests. Lower max_concurrency, or run at another time"),
}
"""The HTTP status decides where the body names no code of the table."""

SERVER_TROUBLE: t.Final = KnownError(ErrorAction.RETRY, _TROUBLE)
"""Any other 5xx, and an error that comes under a status of success."""

OTHER: t.Final = KnownError(ErrorAction.STOP, "")
"""What no table knows."""
