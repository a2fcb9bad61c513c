"""Reading a list by following BILL's cursor, and whether that proves that no row was missed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import msgspec

from tap_bill.sync.times import time_of

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_bill.api.pagination import Record

MOST_ROUNDS: t.Final = 3
"""How often a list is walked before the tap gives up waiting for it to stay the same."""

MOST_REOPENED: t.Final = 3
"""How often in a row a walk begins again because BILL refused its own cursor."""

MOST_EQUAL_PAGES: t.Final = 3
"""Equal pages in a row, each under a new cursor, after which a list is taken to go round in circles. Two are possible:
where a whole page of older rows was edited between two requests, an offset cursor shows the same rows again."""

MOST_EMPTY_PAGES: t.Final = 100
"""Empty pages in a row, each with a new cursor, after which a list is taken to have no end."""


class EndlessError(Exception):
    """The cursor of a list leads to no new rows; the message says how that showed."""


def identity(record: Record) -> t.Any:
    """Return what identifies a record: its `uuid`, its `id`, or all of it."""
    key = record.get("uuid") or record.get("id")
    return key if isinstance(key, str | int) else msgspec.json.encode(record)


def fingerprint(record: Record) -> int:
    """Return what changes when the record does."""
    return hash(msgspec.json.encode(record))


@dataclass(slots=True, eq=False)
class Walk:
    """A list, or a stretch of its time line, that is read by following the cursor.

    Args:
        query: `sort`, `filters` and the like; they stay the same from page to page.
        remembers: whether a second round is to show that nothing moved during the first.
        cursor: of the next page; empty for the first.
    """

    query: dict[str, str]
    remembers: bool = False
    cursor: str = ""
    _rounds: int = 1
    _reopened: int = 0
    _pages: int = 0
    _in_order: bool = True
    _newest: str = ""
    _seen: dict[t.Any, int] = field(default_factory=dict)
    _before: dict[t.Any, int] = field(default_factory=dict)
    _was_in_order: bool = False
    _cursors: set[str] = field(default_factory=set)
    _ids: list[t.Any] = field(default_factory=list)
    _equal: int = 1
    _empty: int = 0

    def take(self, records: Sequence[Record], cursor: str) -> Sequence[Record]:
        """Take a page in, and return the rows of it that the round before did not have as they are now.

        Raises:
            EndlessError: if the cursor leads to no new rows.
        """
        self._follow([identity(record) for record in records], cursor)
        self._pages += 1
        if not self.remembers:
            return records
        ordered_by = self.query.get("sort", "").partition(":")[0]
        new = []
        for record in records:
            key, mark = identity(record), fingerprint(record)
            time = time_of(record, ordered_by)
            # An edit may bring a row twice; only one that is new here shows an order that is not kept.
            self._in_order = self._in_order and bool(time) and (time >= self._newest or key in self._seen)
            self._newest = max(self._newest, time)
            self._seen[key] = mark
            if self._before.get(key) != mark:
                new.append(record)
        return new

    @property
    def is_settled(self) -> bool:
        """Whether the round that has just ended proves that no row was missed.

        One answer cannot miss any. Of two rounds in an order that edits cannot change, the second must still have
        every row of the first, because only a row that vanished can have moved another one past the reader. In any
        other order the second must be the first over again.
        """
        if self._pages == 1 or not self.remembers:
            return True
        if self._in_order and self._was_in_order:
            return self._before.keys() <= self._seen.keys()
        return list(self._before.items()) == list(self._seen.items())

    @property
    def is_proof(self) -> bool:
        """Whether it may settle that no row was missed: one answer does, and so do rounds that are compared."""
        return self._pages == 1 or self.remembers

    @property
    def is_at_rest(self) -> bool:
        """Whether it is worth another round."""
        return self._rounds < MOST_ROUNDS

    def again(self) -> None:
        """Begin another round."""
        self._rounds += 1
        self._before, self._was_in_order = self._seen, self._in_order
        self._reopened = 0
        self._begin()

    def reopen(self) -> bool:
        """Begin the round again after BILL refused its own cursor; return False once that was tried too often."""
        self._reopened += 1
        self._begin()
        return self._reopened <= MOST_REOPENED

    def _begin(self) -> None:
        self.cursor, self._newest, self._in_order, self._seen = "", "", True, {}
        self._cursors, self._ids, self._equal, self._empty, self._pages = set(), [], 1, 0, 0

    def _follow(self, ids: list[t.Any], cursor: str) -> None:
        self._equal = self._equal + 1 if ids and ids == self._ids else 1
        self._empty = 0 if ids else self._empty + 1
        if cursor and cursor in self._cursors:
            raise EndlessError("BILL sent a cursor for the second time, so its list has no end")
        if self._equal == MOST_EQUAL_PAGES:
            raise EndlessError(f"BILL sent the same page {MOST_EQUAL_PAGES} times in a row under different cursors")
        if cursor and self._empty == MOST_EMPTY_PAGES:
            raise EndlessError(f"BILL sent {MOST_EMPTY_PAGES} empty pages in a row, each with a new cursor")
        self._ids = ids or self._ids
        self._cursors.add(cursor)
        self.cursor = cursor
