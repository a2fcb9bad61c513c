"""The arithmetic of one scan over a list: what to ask for, what is left, where the bookmark moves. No I/O.

A scan selects the rows changed since the bookmark (less a lookback) and reads them in the order of `createdTime`,
which edits cannot change. Each slice of that time line is read from both of its ends in turn, and every request names
the times between which rows are still wanted: no answer depends on the one before, so rows that are edited, added or
deleted meanwhile cannot move others past the reader, and a cursor that BILL forgets does not matter. Reading from both
ends shows whether BILL keeps the order: a list that ignores it cannot ascend and descend.

Where that is not to be had (the sort or the filter is refused or has no effect, rows have no `createdTime`, or more
than a page of them were created within a second), a `Walk` follows the cursor, and walks again until two walks agree.
The bookmark moves only where every row was read in one of these ways.

BILL shows whole seconds and may store finer ones, so every position is a whole second, and `SLACK` covers a second that
BILL may have rounded up.
"""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from tap_bill.sync.times import comparable, earlier, later, parse, spell, time_of
from tap_bill.sync.walk import MOST_ROUNDS, Walk, fingerprint, identity

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_bill.api.pagination import Record

SLACK: t.Final = timedelta(seconds=1)
"""How far a time that BILL shows may lie after the one it stores."""

WORTH_DIVIDING: t.Final = 3.0
"""Pages that must be left in a slice before a second reader saves more than the request that it costs."""

EVEN: t.Final = 10.0
"""How many times the pace at one end of a slice may be that at the other for its rows to count as evenly spread."""

CROWD_PAGES: t.Final = 10
"""Pages that are walked together where too many rows were created within one second."""

FEW: t.Final = 10
"""Rows on a page from which on it is worth a look how many of them would come again."""

SEVERAL_PAGES: t.Final = "rows may have moved from one page to another while it was read"
"""The doubt that a second reading of a list can dispel."""

CREATED: t.Final = "createdTime"
UPDATED: t.Final = "updatedTime"


class NotAsAskedError(Exception):
    """BILL did not do what it was asked for; the message says what."""


@dataclass(slots=True, eq=False)
class _Edge:
    """What is known of one end of a slice.

    Args:
        rows: what the next answer there must show again (one of it at least, unless all were deleted): id and mark.
        pace: rows per second of `createdTime` there; 0 where that is not known.
    """

    rows: Mapping[t.Any, int] = field(default_factory=dict)
    pace: float = 0.0


@dataclass(slots=True, eq=False)
class Slice:
    """A part of the time line of `createdTime` that is still to be read, and how far its reader is.

    Args:
        low: every row of the slice created before this is written; None before the first.
        high: every row of the slice created at or after this is written; None for the end of the time line.
        walk: what reads it, where it is read by following a cursor.
        busy: whether a request is under way.
        finished: whether every row is received.
        begin: as `low`, of what is received.
        end: as `high`, of what is received.
        ascending: whether the newest request reads from the lower end.
    """

    low: datetime | None = None
    high: datetime | None = None
    walk: Walk | None = None
    busy: bool = False
    finished: bool = False
    begin: datetime | None = None
    end: datetime | None = None
    ascending: bool = False
    is_crowded: bool = False
    """Whether rows lie so close together at the upper end that only the lower end advances."""
    is_new: bool = True
    """Whether it was cut off and nothing came of it yet."""
    below: _Edge = field(default_factory=_Edge)
    above: _Edge = field(default_factory=_Edge)

    def __post_init__(self) -> None:
        """Begin where what is written ends."""
        self.begin, self.end = self.low, self.high

    @property
    def cursor(self) -> str:
        """The cursor of the next page; empty where no cursor is followed."""
        return self.walk.cursor if self.walk else ""

    def turn(self) -> None:
        """Choose the end that is read next: one after the other, and first the one where something is known already.

        The end of a time line that was begun comes first: if rows without a `createdTime` are there, no request
        for the times in between would show them.
        """
        if self.is_crowded:
            self.ascending = True
        elif self.end is None or self.begin is None:
            self.ascending = self.begin is None
        elif self.is_new:
            self.ascending = bool(self.below.rows) or not self.above.rows
        else:
            self.ascending = not self.ascending

    @property
    def edge(self) -> _Edge:
        """The end that the newest request reads from."""
        return self.below if self.ascending else self.above

    def may_hold(self, oldest: datetime, newest: datetime) -> bool:
        """Tell whether rows lie on the right side of the end that the newest request reads from.

        The other end may have come nearer since then; what lies beyond it is another slice's.
        """
        if self.ascending:
            return self.begin is None or oldest >= self.begin
        last = later(self.end, SLACK.total_seconds()) if self.end else None
        return last is None or newest <= last


class Page(t.NamedTuple):
    """Records to write, and how far their slice is once they are written.

    Args:
        slice: that they belong to.
        records: as BILL sent them.
        low: every row of the slice created before this is then written; None where that is not known.
        high: every row of the slice created at or after this is then written; None where that is not known.
        is_last: whether the slice is then complete.
    """

    slice: Slice
    records: Sequence[Record]
    low: datetime | None
    high: datetime | None
    is_last: bool


@dataclass(slots=True, eq=False)
class Scan:
    """One scan over a list.

    Args:
        since: read the rows changed at or after this time; None for every row.
        bookmark: where the last complete scan got to, or None before the first.
        started_at: BILL's clock when the scan began; None before its first request, or where BILL sends no `Date`.
        ordered: whether slices of the time line are read from both ends. If not, each slice is walked.
        keeps_up: whether every row that changed since the bookmark is read for sure, so that the bookmark may move.
        verifies: whether walks are repeated until two agree, because a bookmark depends on them.
        answered: whether anything came yet.
        notes: what the user is to know of how the list is read, each kind once.
        slices: what is left to write.
        why_not: why the bookmark stays, where that showed while the list was read.
        doubt: why a row that BILL has may have been missed; empty where that cannot be.
        is_resumed: whether an earlier run has written a part of it.
    """

    since: datetime | None = None
    bookmark: datetime | None = None
    started_at: datetime | None = None
    ordered: bool = True
    keeps_up: bool = True
    verifies: bool = False
    answered: bool = False
    notes: list[str] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=lambda: [Slice()])
    why_not: str = ""
    doubt: str = ""
    is_resumed: bool = False
    _newest: str = ""
    _has_told: bool = False

    @classmethod
    def plan(cls, *, bookmark: datetime | None, start_date: datetime | None, lookback: float) -> Scan:
        """Plan the next scan: from the bookmark less the lookback, or from the start date if there is no bookmark.

        Args:
            bookmark: where the last complete scan got to.
            start_date: where the first one begins.
            lookback: seconds.
        """
        since = start_date if bookmark is None else earlier(bookmark, lookback)
        return cls(since, bookmark, verifies=True)

    @classmethod
    def whole(cls, queries: Iterable[Mapping[str, str]]) -> Scan:
        """Plan to read a list as BILL gives it, once with each of the queries."""
        slices = [Slice(walk=Walk(dict(query))) for query in queries]
        doubt = SEVERAL_PAGES if len(slices) > 1 else ""
        return cls(ordered=False, keeps_up=False, slices=slices, doubt=doubt)

    def walked(self, query: Mapping[str, str]) -> Scan:
        """Return this scan for a list that is not read by slices of its time line: filtered, and walked."""
        filters = {"filters": f'{UPDATED}:gte:"{spell(self.since)}"'} if self.since else {}
        return replace(self, ordered=False, slices=[self._walking({**query, **filters})])

    @property
    def queries(self) -> list[dict[str, str]]:
        """What the walks ask for."""
        return [slice_.walk.query for slice_ in self.slices if slice_.walk]

    # Reading

    def next_slice(self) -> Slice | None:
        """Return a slice in which a request may be sent now, marked busy; None while each has one under way."""
        for slice_ in self.slices:
            if not slice_.busy and not slice_.finished:
                slice_.busy = True
                slice_.turn()
                return slice_
        return None

    def divide(self, page_size: int) -> Slice | None:
        """Cut a part off the slice with the most left to do, marked busy; None if that is not worth it.

        The estimate goes by the pace at both ends: where rows crowd at one of them, the cut lies near it.
        The page under way is left to its reader.
        """
        best: tuple[float, Slice, datetime] | None = None
        for slice_ in self.slices:
            below, above = slice_.below.pace, slice_.above.pace
            is_even = below and above and 1 / EVEN < above / below < EVEN
            if slice_.walk or slice_.finished or not (slice_.begin and slice_.end and below and above):
                continue
            if slice_.is_new and not is_even:
                continue
            begin = later(slice_.begin, page_size / below) if slice_.busy and slice_.ascending else slice_.begin
            end = earlier(slice_.end, page_size / above) if slice_.busy and not slice_.ascending else slice_.end
            if begin is None or end is None or begin >= end:
                continue
            span = (end - begin).total_seconds()
            left = math.sqrt(below * above) * span
            share = math.sqrt(above / below)
            middle = (begin + (end - begin) * (share / (1 + share))).replace(microsecond=0)
            if left >= WORTH_DIVIDING * page_size and begin < middle < end and (best is None or left > best[0]):
                best = left, slice_, middle
        if best is None:
            return None
        _, slice_, middle = best
        cut = math.sqrt(slice_.below.pace * slice_.above.pace)
        other = Slice(low=slice_.low, high=slice_.high, busy=True)
        other.begin, other.end = slice_.begin, slice_.end
        lower, upper = (slice_, other) if slice_.ascending else (other, slice_)
        upper.above, lower.below = slice_.above, slice_.below
        # Nothing is known of the cut but that it lies between the two ends.
        lower.above, upper.below = _Edge(pace=cut), _Edge(pace=cut)
        upper.is_crowded, lower.is_crowded = slice_.is_crowded, False
        lower.high = lower.end = upper.low = upper.begin = middle
        slice_.is_new = True
        self.slices.append(other)
        other.turn()
        return other

    def query(self, slice_: Slice) -> dict[str, str]:
        """Return what the next request in a slice asks for; times are quoted: they contain colons."""
        if slice_.walk:
            return slice_.walk.query
        # The end of the time line is looked at without bounds, so that rows without a time show.
        begin = slice_.begin if slice_.end or slice_.ascending else None
        return self._between(begin, slice_.end, ascending=slice_.ascending)

    def receive(self, slice_: Slice, records: Sequence[Record], cursor: str) -> Page:
        """Take an answer in, and return what is to be written of it.

        Args:
            slice_: the slice that was asked.
            records: what came.
            cursor: `nextPage`, empty at the end of the list.

        Raises:
            EndlessError: if the cursor leads to no new rows.
            NotAsAskedError: if the rows are not those that were asked for.
        """
        slice_.busy = False
        self.answered = True
        if self.verifies and self.keeps_up and not all(time_of(record, UPDATED) for record in records):
            self._give_up(f"BILL sent rows without an {UPDATED} that can be read, so their changes cannot be asked for")
        if slice_.walk:
            return self._walk(slice_, slice_.walk, records, cursor)
        if not cursor:
            # One answer holds all that was asked for, in whatever order it came.
            slice_.finished = True
            return Page(slice_, self._wanted(slice_, records), None, None, is_last=True)
        if not records:
            slice_.walk = self._walking(self.query(slice_)).walk
            return self._walk(slice_, t.cast("Walk", slice_.walk), records, cursor)
        return self._scan(slice_, records)

    def _scan(self, slice_: Slice, records: Sequence[Record]) -> Page:
        """Take in a page that is not all of what was asked for."""
        times = [time_of(record, CREATED) for record in records]
        if not all(times):
            raise NotAsAskedError(f"BILL sent rows without a {CREATED} that can be read")
        along = times if slice_.ascending else times[::-1]
        first, newest = parse(along[0]), parse(along[-1])
        if any(one > other for one, other in pairwise(along)) or not slice_.may_hold(first, newest):
            raise NotAsAskedError("BILL did not keep the creation order that was asked for")
        if slice_.edge.rows and slice_.edge.rows.keys().isdisjoint(map(identity, records)):
            raise NotAsAskedError("BILL did not show again the row that its creation order must continue from")
        if slice_.begin is None and slice_.ascending:
            self._newest = along[-1]
        if slice_.end is None and not slice_.ascending:
            if along[-1] < self._newest:
                raise NotAsAskedError("BILL did not begin with the newest row, as it was asked to")
            if along[0] == along[-1] == self._newest:
                return self._crowd_of_all(slice_, newest)
        pace = len(records) / max((newest - first).total_seconds(), 1.0)
        wanted = self._wanted(slice_, records)
        if slice_.ascending:
            low = earlier(newest.replace(microsecond=0), SLACK.total_seconds()) or first
            bound = comparable(low)
            again = {
                identity(record): fingerprint(record)
                for record, time in zip(records, times, strict=True)
                if time >= bound
            }
            crawls = len(records) >= FEW and 2 * len(again) > len(records)
            if slice_.begin and (low <= slice_.begin or crawls):
                return self._crowd(slice_, newest, pace, len(records))
            slice_.begin, slice_.below = low, _Edge(again, pace)
        else:
            high = later(first.replace(microsecond=0), SLACK.total_seconds())
            bound = comparable(high) if high else "~"
            again = {
                identity(record): fingerprint(record)
                for record, time in zip(records, times, strict=True)
                if time < bound
            }
            slice_.is_crowded = high is None or (slice_.end is not None and high >= slice_.end)
            slice_.end, slice_.above = slice_.end if slice_.is_crowded else high, _Edge(again, pace)
        slice_.is_new = False
        slice_.finished = bool(slice_.begin and slice_.end and slice_.begin >= slice_.end)
        return Page(slice_, wanted, slice_.begin, slice_.end, slice_.finished)

    def _wanted(self, slice_: Slice, records: Sequence[Record]) -> Sequence[Record]:
        """Leave out what was received before, and what is another slice's since the request was sent."""
        begin = comparable(slice_.begin) if slice_.begin else ""
        end = comparable(last) if slice_.end and (last := later(slice_.end, SLACK.total_seconds())) else "~"
        known = {**slice_.below.rows, **slice_.above.rows}
        return [
            record
            for record in records
            if (not (time := time_of(record, CREATED)) or begin <= time <= end)
            and not ((key := identity(record)) in known and known[key] == fingerprint(record))
        ]

    def _crowd(self, slice_: Slice, newest: datetime, pace: float, rows: int) -> Page:
        """Have a stretch walked whose rows the seconds of the time line cannot keep apart; its rows come with that."""
        begin = t.cast("datetime", slice_.begin)
        stop = later(max(newest, begin), max(2.0, CROWD_PAGES * rows / pace))
        self._tell_of_crowd(newest)
        if stop is None or (slice_.end and stop >= slice_.end):
            slice_.walk = self._walking(self._between(begin, slice_.end)).walk
            return Page(slice_, (), None, None, is_last=False)
        stop = stop.replace(microsecond=0)
        crowd = self._walking(self._between(begin, stop))
        crowd.low, crowd.high, slice_.low, slice_.begin, slice_.below = slice_.low, stop, stop, stop, _Edge()
        slice_.is_new = True
        self.slices.append(crowd)
        return Page(slice_, (), None, None, is_last=False)

    def _crowd_of_all(self, slice_: Slice, newest: datetime) -> Page:
        """Have everything walked: all that shows from either end was created in the same second."""
        self._tell_of_crowd(newest)
        slice_.walk = self._walking(self._between(None, None)).walk
        return Page(slice_, (), None, None, is_last=False)

    def _walk(self, slice_: Slice, walk: Walk, records: Sequence[Record], cursor: str) -> Page:
        """Take in a page of a walk."""
        if not all(_obeys(record, walk.query.get("filters", "")) for record in records):
            raise NotAsAskedError("BILL did not keep to the filter that was asked for")
        new = walk.take(records, cursor)
        if not cursor:
            slice_.finished = walk.is_settled
            if not walk.is_proof:
                self.doubt = self.doubt or SEVERAL_PAGES
            if not slice_.finished and not walk.is_at_rest:
                slice_.finished = True
                self.doubt = f"rows moved in BILL's list each of the {MOST_ROUNDS} times that it was read"
                self._give_up(self.doubt)
            elif not slice_.finished:
                walk.again()
        return Page(slice_, new, None, None, slice_.finished)

    def receive_nothing(self, slice_: Slice) -> Page:
        """Take an answer in that leaves the list out: BILL leaves out what is empty, but that proves nothing."""
        self.keeps_up = False
        self.doubt = "BILL's answer held no list"
        return self.receive(slice_, [], "")

    def reopen(self, slice_: Slice) -> bool:
        """Begin a walk's round again after BILL refused its cursor; return False once that has been tried too often."""
        slice_.busy = False
        return slice_.walk is not None and slice_.walk.reopen()

    def simpler(self, *, refused: bool = True) -> Scan | None:
        """Return a scan that asks BILL for less than this one, which did not work; None if there is none.

        First a walk in creation order, then one without its sort, which only a refusal may be due to, then one
        without its filters, after which the bookmark stays.

        Args:
            refused: whether BILL refused the request, rather than answered something else than it was asked for.
        """
        if self.ordered:
            return self._again(self.walked({"sort": f"{CREATED}:asc"} if self.answered else {}))
        for name in ("sort", "filters") if refused and not self.answered else ("filters",):
            if any(name in query for query in self.queries):
                less = [{key: query[key] for key in query if key != name} for query in self.queries]
                slices = [self._walking(query) for place, query in enumerate(less) if query not in less[:place]]
                plan = self._again(replace(self, keeps_up=self.keeps_up and name == "sort", slices=slices))
                if name == "filters":
                    if not all(query.get(name, UPDATED).startswith(UPDATED) for query in self.queries):
                        plan.doubt = "BILL does not filter its list, and may leave rows out without that"
                    plan.since = None
                elif len(slices) > 1:
                    plan.doubt = SEVERAL_PAGES
                return plan
        return None

    @staticmethod
    def _again(plan: Scan) -> Scan:
        return replace(plan, answered=False, notes=[], why_not="", doubt="", is_resumed=False)

    def _walking(self, query: Mapping[str, str]) -> Slice:
        return Slice(walk=Walk(dict(query), remembers=self.verifies and self.keeps_up))

    def _between(self, begin: datetime | None, end: datetime | None, *, ascending: bool = True) -> dict[str, str]:
        """Ask for the rows created from `begin` on and before `end`."""
        bounds = ((UPDATED, "gte", self.since), (CREATED, "gte", begin), (CREATED, "lt", end))
        filters = [f'{name}:{operator}:"{spell(time)}"' for name, operator, time in bounds if time]
        return {"sort": f"{CREATED}:{'asc' if ascending else 'desc'}"} | (
            {"filters": ",".join(filters)} if filters else {}
        )

    def _tell_of_crowd(self, newest: datetime) -> None:
        if not self._has_told:
            self._has_told = True
            self.notes.append(
                f"more than a page of rows were created close to {spell(newest)}; they are read together, so a run "
                "that stops before the last of them reads them all again"
            )

    def _give_up(self, why: str) -> None:
        self.keeps_up = False
        self.why_not = why

    # Writing

    def wrote(self, page: Page) -> None:
        """Note that all records of a page are written; pages of one slice are written in the order they came."""
        slice_ = page.slice
        if page.is_last:
            self.slices.remove(slice_)
        if page.low:
            slice_.low = max(page.low, slice_.low or page.low)
        if page.high:
            slice_.high = min(page.high, slice_.high or page.high)

    @property
    def is_complete(self) -> bool:
        """Whether every row is written."""
        return not self.slices

    def next_bookmark(self) -> datetime | None:
        """Return the bookmark once the scan is complete: BILL's clock when it began, up to which every change was read.

        It stays where BILL sent no `Date`, or where it is not certain that every row was read.
        """
        if self.started_at is None or not self.keeps_up:
            return self.bookmark
        return self.started_at.replace(microsecond=0)

    # Resuming

    def progress(self) -> dict[str, t.Any]:
        """Return what a later run needs to resume here, as JSON."""
        return {
            "started_at": _spelled(self.started_at),
            "since": _spelled(self.since),
            "keeps_up": self.keeps_up,
            "ranges": [[_spelled(slice_.low), _spelled(slice_.high)] for slice_ in self.slices],
        }

    def resume(self, progress: Mapping[str, t.Any]) -> None:
        """Resume where an interrupted scan stopped, unless it knew no clock or selected fewer rows than this one is to.

        Raises:
            KeyError, TypeError, ValueError: if it is not what `progress` returned.
        """
        since, started_at = _read(progress["since"]), _read(progress["started_at"])
        slices = [Slice(_read(low), _read(high)) for low, high in progress["ranges"]]
        if started_at is None or (since is not None and (self.since is None or self.since < since)):
            return
        self.since, self.started_at, self.slices, self.is_resumed = since, started_at, slices, True
        self.keeps_up = progress.get("keeps_up", True) is True


def _obeys(record: Record, filters: str) -> bool:
    """Tell whether a record is one of those that were asked for, as far as it shows that."""
    terms = (term.split(":", 2) for term in _TERMS.findall(filters))
    return all(
        _HOLDS[operator](record[name], wanted) for name, operator, wanted in terms if record.get(name) is not None
    )


def _is_since(value: t.Any, wanted: str) -> bool:
    try:
        return parse(value) >= parse(wanted.strip('"')) - SLACK
    except (AttributeError, TypeError, ValueError, OverflowError):
        return True


def _is_before(value: t.Any, wanted: str) -> bool:
    try:
        last = later(parse(wanted.strip('"')), SLACK.total_seconds())
        return last is None or parse(value) <= last
    except (AttributeError, TypeError, ValueError):
        return True


_TERMS: t.Final = re.compile(r'(?:[^,"]|"[^"]*")+')
"""What stands between commas that are not in quotes."""

_HOLDS: t.Final[dict[str, t.Callable[[t.Any, str], bool]]] = {
    "eq": lambda value, wanted: str(value).lower() == wanted,
    "in": lambda value, wanted: value in wanted.strip('"').split(","),
    "gte": _is_since,
    "lt": _is_before,
}
"""The operators that lists are asked with."""


def _spelled(time: datetime | None) -> str | None:
    return spell(time) if time else None


def _read(text: str | None) -> datetime | None:
    return parse(text) if text is not None else None
