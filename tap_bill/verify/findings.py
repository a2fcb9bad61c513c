"""What a trial found: a verdict, a fixed sentence, and at most names of BILL's fields and numbers.

Nothing that a record holds can get into a finding: there is no place for a free text in it.
"""

from __future__ import annotations

import enum
import re
import typing as t
from dataclasses import dataclass

from tap_bill.verify.assumptions import BY_NAME


class Verdict(enum.Enum):
    """Whether an assumption is true."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNTRIED = "could not be tried"


class Note(enum.Enum):
    """All that is ever said about a verdict."""

    NONE = ""
    # Why something could not be tried
    BUDGET = "the requests are used up"
    NOT_SELECTED = "nothing that is selected shows it"
    NOT_SIGNED_IN = "not signed in"
    OTHER_WAY = "only for another way to sign in"
    MAY_NOT_READ = "the user may not read it"
    REFUSED = "BILL refused the request"
    NO_ANSWER = "BILL gave no answer that can be used"
    NO_ROWS = "the list has no rows"
    FEW_ROWS = "the list has too few rows"
    ALIKE = "the times of its rows differ too little"
    LONG = "the list is too long to see all of it"
    NO_ORDER = "the order is not kept anyway"
    NO_FILTER = "the filter is not kept anyway"
    TIMED = "every row has its time"
    NONE_ARCHIVED = "no row is archived"
    NO_PAYMENTS = "no payment names a bill"
    # What was seen
    TRUSTED = "the session is trusted"
    UNTRUSTED = "the session is not trusted"
    NOT_TOLD = "the answer does not say it"
    SECONDS = "seconds"
    AT_HOST = "behind the host"
    IGNORED = "it has no effect"
    DISORDER = "in another order"
    FIRST = "first in ascending order"
    LAST = "last in ascending order"
    IN_BETWEEN = "in both directions at the same end, or in between"
    ROWS_MISSING = "rows are missing"
    BOUND_MISSING = "rows of that very moment are missing"
    OTHERS = "other rows came"
    SAME_ROWS = "rows of the page before came again"
    FEWER = "fewer rows came, and a cursor"
    MORE = "more rows came"
    OTHER_SHAPE = "the answer has another shape"
    NO_KEY = "a row has none, or the same as another"
    UNREADABLE = "some cannot be read, or are missing"
    SPELLED = "some are spelled in another way"
    FIELDS = "fields"
    EMPTY_CURSOR = "`nextPage` is there, without a value"
    ANSWERED = "it was answered"
    OLDER = "bills that did not move"
    ANSWERS = "answers"
    LATER = "rows from the future"


_FIELD: t.Final = re.compile(r"[a-z][A-Za-z]{0,39}\d?(?:\[\])?(?:\.[a-z][A-Za-z]{0,39}\d?(?:\[\])?)*")
"""What a field is called in BILL; anything else might be content that somebody uses as a name."""

ODD_NAME: t.Final = "(an odd name)"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one trial found on one list, or on none.

    Args:
        assumption: its name.
        verdict: whether it is true.
        stream: the list; empty where it is about none.
        note: what was seen, or why nothing could be.
        names: fields that the note is about.
        count: a number that the note is about; None without one.
        status: of an HTTP answer that the note is about; 0 without one.
    """

    assumption: str
    verdict: Verdict
    stream: str = ""
    note: Note = Note.NONE
    names: tuple[str, ...] = ()
    count: int | None = None
    status: int = 0

    def __post_init__(self) -> None:
        """Let nothing pass for the name of a field that may be something else.

        Raises:
            KeyError: if no such assumption is known.
        """
        BY_NAME[self.assumption]
        shown = (name if _FIELD.fullmatch(name) else ODD_NAME for name in self.names)
        object.__setattr__(self, "names", tuple(dict.fromkeys(shown)))

    @property
    def remark(self) -> str:
        """The note with all that it is about."""
        count = "" if self.count is None else f"{self.count} "
        status = f" (HTTP {self.status})" if self.status else ""
        names = f" {', '.join(self.names)}" if self.names else ""
        return f"{count}{self.note.value}{names}{status}"


def holds(assumption: str, stream: str = "", note: Note = Note.NONE, **more: t.Any) -> Finding:
    """Return that an assumption is true."""
    return Finding(assumption, Verdict.HOLDS, stream, note, **more)


def fails(assumption: str, stream: str = "", note: Note = Note.NONE, **more: t.Any) -> Finding:
    """Return that it is not."""
    return Finding(assumption, Verdict.FAILS, stream, note, **more)


def untried(assumption: str, stream: str = "", note: Note = Note.NONE, **more: t.Any) -> Finding:
    """Return that nobody knows."""
    return Finding(assumption, Verdict.UNTRIED, stream, note, **more)


def judged(assumption: str, stream: str, problem: Note | None, **more: t.Any) -> Finding:
    """Return that it is true unless there is a problem."""
    return fails(assumption, stream, problem, **more) if problem else holds(assumption, stream)
