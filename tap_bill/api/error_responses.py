"""BILL's error answers, whatever shape their bodies have, read into something that is safe to log."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from tap_bill.api.errors import (
    CODES,
    OAUTH_CODES,
    OTHER,
    SERVER_TROUBLE,
    STATUSES,
    BillError,
    ErrorAction,
    KnownError,
    Scope,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_MESSAGE = 300
"""Characters of BILL's own words that are repeated to the user."""

LONGEST_READ: t.Final = 2_000
MOST_READ: t.Final = 20
"""A message that is longer, and any after so many, is left out: BILL's own are short and few."""

SUCCESS: t.Final = range(200, 300)
SERVER_ERRORS: t.Final = range(500, 600)

NOT_FOUND: t.Final = 404

UNUSABLE_QUERY: t.Final = (400, 422)
"""Statuses by which a filter or sort is refused (BILL documents none; 400 is what others saw for bad parameters)."""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An error answer, read from any of BILL's body shapes.

    Args:
        status: the HTTP status.
        codes: BILL's `BDC_` codes in order of appearance, each once; or that of OAuth.
        text: BILL's messages joined, each once, without anything that could be a record's content.
        is_json: whether the body was JSON. Where it was not, something between here and BILL may have answered.
    """

    status: int
    codes: tuple[str, ...] = ()
    text: str = ""
    is_json: bool = True

    @property
    def known_as(self) -> KnownError:
        """What to do about it, and what to say: by BILL's code, by the status only where no code is known."""
        for code in self.codes:
            if known := CODES.get(code) or OAUTH_CODES.get(code):
                return known
        if self.status in STATUSES and (self.is_json or STATUSES[self.status].action is not ErrorAction.SKIP_STREAM):
            return STATUSES[self.status]
        return SERVER_TROUBLE if self.status in SERVER_ERRORS or self.status in SUCCESS else OTHER

    @property
    def action(self) -> ErrorAction:
        """What to do about it."""
        return self.known_as.action

    @property
    def may_mean_the_query(self) -> bool:
        """Whether BILL may have refused the filter or the sort, so that it may answer a simpler query."""
        return self.status in UNUSABLE_QUERY and self.action in {ErrorAction.STOP, ErrorAction.RETRY}

    @property
    def means_no_such_path(self) -> bool:
        """Whether nothing that BILL offers is there."""
        return "BDC_1121" in self.codes or (self.status == NOT_FOUND and not {*self.codes} & {*OAUTH_CODES})

    @property
    def means_missing(self) -> bool:
        """Whether there is no such record (any more)."""
        return "BDC_1205" in self.codes or (self.status == NOT_FOUND and self.is_json and self.known_as is OTHER)

    def __str__(self) -> str:
        """HTTP status, codes and BILL's words, for a log line."""
        words = self.text if self.is_json else "the body is not JSON"
        return f"{', '.join((f'HTTP {self.status}', *self.codes))}{': ' if words else ''}{words}"


class ApiError(BillError):
    """BILL answered a request with an error.

    `response` keeps the status and the codes for callers that can continue without this answer.
    """

    def __init__(self, message: str, response: ErrorResponse) -> None:
        super().__init__(message)
        self.response = response
        if response.action is ErrorAction.WAIT_FOR_HOUR:
            self.scope = Scope.SIDE


def read_error(status: int, body: object, *, is_json: bool) -> ErrorResponse | None:
    """Return what is wrong with an answer, or None if it can be used.

    BILL documents an array of objects with `code` and `message`. Arrays without codes and single objects were
    seen too; v2 answers errors under status 200 in an envelope of its own, and other readers guard against error
    arrays under status 200. Where OAuth is concerned, errors may have the shape of its standard (RFC 6749 and 6750).

    Args:
        status: the HTTP status; never a redirect.
        body: the parsed JSON.
        is_json: whether the body was JSON.

    Returns:
        The response, or None when the answer can be used.
    """
    if not is_json:
        return ErrorResponse(status, is_json=False)
    errors = list(_errors(body))
    if status in SUCCESS and not errors:
        return None
    codes = dict.fromkeys(code for error in errors if isinstance(code := error.get("code"), str))
    texts = [text for error in errors[:MOST_READ] if isinstance(text := error.get("message"), str)]
    return ErrorResponse(
        status,
        tuple(code for code in codes if _CODE.fullmatch(code) or code in OAUTH_CODES),
        _joined([text for text in texts if len(text) <= LONGEST_READ]),
    )


def _errors(body: object) -> Iterator[dict[str, t.Any]]:
    """Yield the errors of a body that consists of nothing else, in BILL's v3 spelling."""
    parts = body if isinstance(body, list) else [body]
    errors = [error for part in parts if isinstance(part, dict) and (error := _error(part)) is not None]
    if len(errors) == len(parts):
        yield from errors


def _error(part: dict[str, t.Any]) -> dict[str, t.Any] | None:
    if part.get("response_status"):
        data = part.get("response_data")
        return {"code": data.get("error_code"), "message": data.get("error_message")} if isinstance(data, dict) else {}
    oauth = part.get("error")
    if isinstance(oauth, str) and oauth in OAUTH_CODES and not part.keys() & {"id", "results"}:
        return {"code": oauth, "message": part.get("error_description")}
    code = part.get("code")
    has_code = isinstance(code, str) and bool(_CODE.fullmatch(code))
    return part if has_code or ("message" in part and not part.keys() & {"id", "results"}) else None


_CODE: t.Final = re.compile(r"BDC_\w{1,12}")

_CAPITALISED: t.Final = frozenset(
    (
        *("A", "API", "An", "Access", "BILL", "Bad", "Cannot", "Could", "Error", "Field", "Filter", "ID", "Internal"),
        *("Invalid", "MFA", "Missing", "No", "Not", "Organization", "Parameter", "Please", "Request", "Server"),
        *("Session", "Sort", "System", "The", "This", "Too", "URL", "Unable", "Unauthorized", "Unexpected", "Unknown"),
        *("Unsupported", "User", "Value", "You", "Your"),
    )
)
"""Words with a capital letter that are no name."""

_QUOTED: t.Final = re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)|\$\{[^}]*\}|<[^>]*>")
_PLAIN: t.Final = re.compile(r"[a-z]+(?:[A-Z][a-z]+)*(?:'[a-z]+)?[.,;:!?]?|-")
_HIDDEN: t.Final = "..."


def _joined(texts: list[str]) -> str:
    """Join messages, each once; the same problem may come a second time after the id of a record."""
    shown: dict[str, str] = {}
    for text in map(_without_content, texts):
        shown.setdefault(text.removeprefix(f"{_HIDDEN} "), text)
    text = "; ".join(text for text in shown.values() if text != _HIDDEN)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}{_HIDDEN}"


def _without_content(text: str) -> str:
    """Leave out of a message what may be a record's content or a secret: quotations, names, numbers, addresses.

    What remains are plain words and the names of fields, which say what is wrong.
    """
    words = [
        word if _PLAIN.fullmatch(word) or word.rstrip(".,;:!?") in _CAPITALISED else _HIDDEN
        for word in _QUOTED.sub(f" {_HIDDEN} ", text).split()
    ]
    kept = [word for word, before in zip(words, ["", *words], strict=False) if not word == before == _HIDDEN]
    return " ".join(kept).rstrip(".")
