"""Stored rows of one resource, and ordered selections of them which survive edits.

A selection ("view") is sorted once; every later edit moves the one row concerned, so that following a cursor through
100,000 rows costs a slice per page even while rows change.

Order: by the sort field; rows with equal values by id, ascending, except under `createdTime`, where equal values come
by id *descending*. `desc` is the exact reverse of `asc`. Without `sort` the order is by id, unless
`protocol.sorting` says otherwise. BILL documents neither the default order nor the tie-breaking: do not rely on
either. Rows without the sort field come first in `asc`, or last (assumed).
"""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bill_emulator.company.stored import FLAG, NUMBER, TIME, Field, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

SortValue = int | str | Decimal
Key = tuple[SortValue, str]

_VIEWS_KEPT = 64
_FAR = 2**62  # beyond every moment of the calendar, before it or after it
_FIRST: dict[str, SortValue] = {TIME: -_FAR, FLAG: -1, NUMBER: Decimal("-Infinity")}
_LAST: dict[str, SortValue] = {TIME: _FAR, FLAG: 2, NUMBER: Decimal("Infinity")}
_LAST_TEXT = chr(0x10FFFF)
# Reverses the order of ids: the first letter of the alphabet becomes the last, and so on.
_INVERT = str.maketrans({chr(code): chr(0x7F - code) for code in range(0x80)})


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda actual, wanted: actual in wanted,
    "nin": lambda actual, wanted: actual not in wanted,
    "sw": str.startswith,
}
_MET_BY_NOTHING = ("ne", "nin")


@dataclass(frozen=True, slots=True)
class Condition:
    """One term of a filter. `value` is comparable with `Field.value_of`; a frozenset of such for lists."""

    field: Field
    op: str
    value: Any

    def holds(self, stored: Stored) -> bool:
        """Whether a row meets this term; a row without the field meets only `ne` and `nin` (assumed)."""
        actual = self.field.value_of(stored)
        return self.op in _MET_BY_NOTHING if actual is None else _TESTS[self.op](actual, self.value)


@dataclass(frozen=True, slots=True)
class Query:
    """What a list request asks for: conditions that must all hold, and the field to sort by (None: default order)."""

    conditions: tuple[Condition, ...] = ()
    field: Field | None = None
    descending: bool = False


Entry = tuple[SortValue, str, Stored]


def sort_key(stored: Stored, field: Field | None) -> Key:
    """Where a row stands in an ascending list."""
    if field is None:
        return 0, stored.id
    value = field.value_of(stored)
    if value is None:
        value = _LAST.get(field.kind, _LAST_TEXT) if field.missing_last else _FIRST.get(field.kind, "")
    return value, stored.id.translate(_INVERT) if field.name == "createdTime" else stored.id


def entry_key(entry: Entry) -> Key:
    """Where an entry stands."""
    return entry[:2]


def _moment(entry: Entry) -> int:
    """The sort value of an entry in a list that is sorted by a time."""
    return int(entry[0])


@dataclass(slots=True)
class View:
    """The rows that meet some conditions, in ascending order."""

    conditions: tuple[Condition, ...]
    field: Field | None
    entries: list[Entry]

    def replace(self, old: Stored | None, new: Stored | None) -> None:
        """Follow one edit."""
        if old is not None and self._holds(old):
            place = bisect_left(self.entries, sort_key(old, self.field), key=entry_key)
            del self.entries[place]
        if new is not None and self._holds(new):
            insort(self.entries, (*sort_key(new, self.field), new), key=entry_key)

    def _holds(self, stored: Stored) -> bool:
        return all(condition.holds(stored) for condition in self.conditions)


class Table:
    """All rows of one resource, by id. Not locked: the company does that."""

    def __init__(self, rows: list[Stored]) -> None:
        self.rows: dict[str, Stored] = {stored.id: stored for stored in rows}
        self._views: OrderedDict[Query, View] = OrderedDict()
        self._bases: dict[Field, View] = {}

    def put(self, stored: Stored) -> None:
        """Insert a row, or replace the one with the same id."""
        old = self.rows.get(stored.id)
        self.rows[stored.id] = stored
        self._follow(old, stored)

    def remove(self, row_id: str) -> None:
        """Take a row away; KeyError when there is none."""
        self._follow(self.rows.pop(row_id), None)

    def view(self, query: Query) -> View:
        """The rows of a query, in ascending order of its sort field."""
        query = replace(query, descending=False)
        view = self._views.get(query)
        if view is None:
            view = View(query.conditions, query.field, self._select(query))
            self._views[query] = view
            if len(self._views) > _VIEWS_KEPT:
                self._views.popitem(last=False)
        else:
            self._views.move_to_end(query)
        return view

    def _follow(self, old: Stored | None, new: Stored | None) -> None:
        for view in (*self._views.values(), *self._bases.values()):
            view.replace(old, new)

    def _select(self, query: Query) -> list[Entry]:
        """Cut by the narrowest time range first, then test the rest, then sort unless the cut is in order already."""
        times = [condition.field for condition in query.conditions if condition.field.kind == TIME]
        if query.field is not None and query.field.kind == TIME:
            times.append(query.field)
        cuts = [(self._cut(field, query.conditions), field) for field in dict.fromkeys(times)]
        if not cuts:
            chosen = [stored for stored in self.rows.values() if all(c.holds(stored) for c in query.conditions)]
            return sorted(((*sort_key(stored, query.field), stored) for stored in chosen), key=entry_key)
        # Of equally narrow cuts, the one that is in order already.
        (low, high), field = min(cuts, key=lambda cut: (cut[0][1] - cut[0][0], cut[1] != query.field))
        entries = self._base(field).entries[low:high]
        rest = [c for c in query.conditions if c.field != field]
        if rest:
            entries = [entry for entry in entries if all(c.holds(entry[2]) for c in rest)]
        if field == query.field:
            return entries
        return sorted(((*sort_key(entry[2], query.field), entry[2]) for entry in entries), key=entry_key)

    def _cut(self, field: Field, conditions: tuple[Condition, ...]) -> tuple[int, int]:
        """Which stretch of all rows, ordered by a time field, meets the conditions on that field."""
        entries = self._base(field).entries
        bounds = [condition for condition in conditions if condition.field == field]
        # A row without the time meets no condition on it.
        low, high = bisect_right(entries, -_FAR, key=_moment) if bounds else 0, len(entries)
        for condition in bounds:
            bisect = bisect_left if condition.op in ("gte", "lt") else bisect_right
            place = bisect(entries, condition.value, key=_moment)
            if condition.op in ("gt", "gte"):
                low = max(low, place)
            else:
                high = min(high, place)
        return low, max(low, high)

    def _base(self, field: Field) -> View:
        if field not in self._bases:
            entries = [(*sort_key(stored, field), stored) for stored in self.rows.values()]
            self._bases[field] = View((), field, sorted(entries, key=entry_key))
        return self._bases[field]
