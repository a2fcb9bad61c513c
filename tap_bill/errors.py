"""What BILL's refusals mean and how the tap says so."""

from __future__ import annotations

import enum
import logging
import typing as t
from dataclasses import dataclass

import click

if t.TYPE_CHECKING:
    from collections.abc import Iterator

LOGGER = logging.getLogger("tap-bill")

LONGEST_MESSAGE = 300
"""Characters of BILL's own words that are repeated to the user."""


class BillError(click.ClickException):
    """A problem that the user can understand and mend.

    The message is one sentence for the log: what happened, where, what to do next. Raised anywhere below
    the command line it ends the process with exit code 1 and that sentence, without a traceback.
    """

    def show(self, file: t.IO[t.Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        """Log the message; click calls this in place of a traceback."""
        for line in self.message.splitlines():
            LOGGER.error(line)


class ConfigurationError(BillError):
    """The settings cannot work; one line per setting, and nothing was sent."""


class StateError(BillError):
    """The state file was not written by this tap."""


class SignInError(BillError):
    """BILL refused the credentials."""


class UnreachableError(BillError):
    """No usable answer came back: connection refused, timeout, redirect, not BILL's JSON."""


class PagingError(BillError):
    """The cursor of a list leads nowhere new."""


class RefusedError(BillError):
    """BILL answered a request with an error.

    `refusal` keeps the status and the codes for callers that can go on without this answer.
    """

    def __init__(self, message: str, refusal: Refusal) -> None:
        super().__init__(message)
        self.refusal = refusal


class Reaction(enum.Enum):
    """What the tap does about a refusal."""

    RENEW_SESSION = "sign in once more and repeat the request once"
    STOP = "stop with one sentence"


REACTIONS: t.Final[dict[str, Reaction]] = {
    "BDC_1109": Reaction.RENEW_SESSION,  # session invalid or expired (documented)
    "BDC_1120": Reaction.RENEW_SESSION,  # treated as an ended session by other readers (assumed)
}
"""BILL's code decides first; codes that are not named here stop the run."""

STATUS_REACTIONS: t.Final[dict[int, Reaction]] = {401: Reaction.RENEW_SESSION}
"""The HTTP status decides only when the body names no code."""

SIGN_IN_ADVICE: t.Final[dict[str, str]] = {
    "BDC_1101": (
        "the user name or password is wrong. Check username and password (with a sync token: the token's name and "
        "its value) and that they belong to this environment"
    ),
    "BDC_1102": (
        "the developer key is not valid here. Check dev_key: most often it belongs to the other environment "
        "(sandbox and production have separate keys), so check api_url too"
    ),
    "BDC_1105": "the organization has no API access. Ask BILL or the organization's administrator to enable it",
    "BDC_1144": (
        "the developer key has used up its sign-ins or requests for this clock hour. Run again after the next full hour"
    ),
}
"""What to check when `POST /v3/login` is refused, by BILL's code."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error, read from any of BILL's body shapes.

    Args:
        status: the HTTP status.
        codes: BILL's `BDC_` codes in order of appearance, each once.
        text: BILL's messages joined, each once, at most `LONGEST_MESSAGE` characters.
    """

    status: int
    codes: tuple[str, ...]
    text: str

    @property
    def reaction(self) -> Reaction:
        """What to do about it: decided by BILL's code, by the status only where there is no code."""
        for code in self.codes:
            if code in REACTIONS:
                return REACTIONS[code]
        if self.codes:
            return Reaction.STOP
        return STATUS_REACTIONS.get(self.status, Reaction.STOP)

    def __str__(self) -> str:
        """HTTP status, codes and BILL's words, for a log line."""
        words = f": {self.text}" if self.text else ""
        return f"{', '.join((f'HTTP {self.status}', *self.codes))}{words}"


def read_refusal(status: int, body: object) -> Refusal | None:
    """Tell whether an answer is an error, and which.

    BILL documents an array of objects with `code` and `message`. Arrays without codes and single objects were
    seen too, and error arrays under status 200 are guarded against by other readers.

    Args:
        status: the HTTP status.
        body: the parsed JSON, or None where the body was not JSON.

    Returns:
        The refusal, or None when the answer is a success.
    """
    parts = [part for part in _parts(body) if _is_error(part)]
    if status < 300 and not (isinstance(body, list) and parts and len(parts) == len(body)):  # noqa: PLR2004
        return None
    codes = dict.fromkeys(part["code"] for part in parts if isinstance(part.get("code"), str))
    texts = dict.fromkeys(part["message"].strip() for part in parts if isinstance(part.get("message"), str))
    return Refusal(status, tuple(codes), _shorten("; ".join(texts)))


def sign_in_advice(refusal: Refusal) -> str:
    """Say what to check when `POST /v3/login` is refused."""
    known = (SIGN_IN_ADVICE[code] for code in refusal.codes if code in SIGN_IN_ADVICE)
    words = refusal.text or "no reason given"
    return next(known, f"{words}. Check username, password, dev_key, organization_id and api_url")


def _parts(body: object) -> Iterator[dict[str, t.Any]]:
    for part in body if isinstance(body, list) else [body]:
        if isinstance(part, dict):
            yield part


def _is_error(part: dict[str, t.Any]) -> bool:
    code = part.get("code")
    return (isinstance(code, str) and code.startswith("BDC_")) or ("message" in part and "id" not in part)


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."
