"""What rows show of order, times and completeness: arithmetic over pages, no requests."""

from __future__ import annotations

import re
import typing as t
from datetime import timedelta
from itertools import pairwise

from tap_bill.singer.records import UNKNOWN_FIELDS, RowMaker
from tap_bill.sync.times import parse
from tap_bill.verify.findings import Note

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tap_bill.api.pagination import Record
    from tap_bill.singer.streams import BillStream
    from tap_bill.verify.asking import Answer

SECOND: t.Final = timedelta(seconds=1)
"""How far a time that BILL shows may lie from the one that it stores."""

POSSIBLE: t.Final = range(1970, 3000)
"""The years in which a record can have been made."""

_SPELLING: t.Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")


def time_in(record: Record, name: str) -> datetime | None:
    """Return one of a record's times; None where it cannot be read, or cannot be true."""
    try:
        time = parse(record[name])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return time if time.year in POSSIBLE else None


def times_in(rows: Iterable[Record], name: str) -> list[datetime]:
    """Return all of these times that can be read."""
    return [time for row in rows if (time := time_in(row, name))]


def usual_spelling(record: Record, name: str) -> bool:
    """Tell whether a time that can be read is spelled as BILL is said to spell it."""
    return time_in(record, name) is None or bool(_SPELLING.fullmatch(record[name]))


def ascends(times: Sequence[datetime]) -> bool:
    """Tell whether times are in ascending order."""
    return all(one <= other for one, other in pairwise(times))


def have_keys(ids: Sequence[str | None]) -> bool:
    """Tell whether each row has something that tells it from all others."""
    return all(ids) and len({*ids}) == len(ids)


def unknown_fields(stream: BillStream, rows: Iterable[Record], own: dict[str, str]) -> tuple[str, ...]:
    """Return the names of fields that the schema of a stream does not know in this form."""
    maker = RowMaker(stream.effective_schema, stream.own_columns)
    found: dict[str, None] = {}
    for row in rows:
        paths = maker.row(row, own).get(UNKNOWN_FIELDS, {})
        found |= dict.fromkeys(re.sub(r"\[\d+\]", "[]", path) for path in paths)
    return tuple(found)


def middle(times: list[datetime], part: float = 0.5) -> datetime:
    """Return the time that so large a part of them is older than, in whole seconds."""
    return sorted(times)[int(len(times) * part)].replace(microsecond=0)


class Range(t.NamedTuple):
    """What a filter by time asks for.

    Args:
        field: `createdTime` or `updatedTime`.
        low: the first moment.
        high: the moment before which it ends; None without end.
    """

    field: str
    low: datetime
    high: datetime | None = None

    def has_strangers(self, rows: Iterable[Record]) -> bool:
        """Tell whether some rows are certainly not in it."""
        return any(not self._may_hold(time) for time in times_in(rows, self.field))

    def _may_hold(self, time: datetime) -> bool:
        return time >= self.low - SECOND and (self.high is None or time <= self.high + SECOND)

    def misses(self, began: Answer, got: Answer, *, at_bound: bool) -> Note | None:
        """Compare an answer, in an order of creation, with the beginning of the list as it was before.

        Args:
            began: the beginning of the list.
            got: what came for the range.
            at_bound: whether to look at the rows of the very first moment, or at all that are later.

        Returns:
            What is wrong; None if nothing is.
        """
        known = {*got.ids}
        seen = times_in(got.rows, "createdTime")
        for row, id_ in zip(began.rows, began.ids, strict=True):
            time, created = time_in(row, self.field), time_in(row, "createdTime")
            if time is None or (got.cursor and not (created and min(seen) < created < max(seen))):
                continue  # it may be on another page
            wanted = time == self.low if at_bound else time > self.low and (self.high is None or time < self.high)
            if wanted and id_ not in known:
                return Note.BOUND_MISSING if at_bound else Note.ROWS_MISSING
        return None
