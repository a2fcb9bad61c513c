"""The arithmetic of one extraction pass over a list: what to ask for, what is left, where the bookmark goes. No I/O.

A pass selects the rows changed since the bookmark (less a lookback) and reads them in the order of `createdTime`,
which edits cannot change. Each range of that time line is read from both of its ends in turn, and every request names
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
import typing as t
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import msgspec

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Record = dict[str, t.Any]

SLACK: t.Final = timedelta(seconds=1)
"""How far a time that BILL shows may lie after the one it stores."""

WORTH_DIVIDING: t.Final = 3.0
"""Pages that must be left in a range before a second reader saves more than the request that it costs."""

EVEN: t.Final = 10.0
"""How many times the pace at one end of a range may be that at the other for its rows to count as evenly spread."""

CROWD_PAGES: t.Final = 10
"""Pages that are walked as one piece where rows stand too close together to be told apart by their second."""

FEW: t.Final = 10
"""Rows on a page from which on it is worth a look how many of them would come again."""

MOST_ROUNDS: t.Final = 3
"""How often a list is walked before it counts as one that does not come to rest."""

MOST_REOPENED: t.Final = 3
"""How often in a row a walk begins again because BILL refused its own cursor."""

MOST_EQUAL_PAGES: t.Final = 3
"""Equal pages in a row, each under a new cursor, after which a list is taken to go round in circles. Two are possible:
where a whole page of older rows was edited between two requests, an offset cursor shows the same rows again."""

MOST_EMPTY_PAGES: t.Final = 100
"""Empty pages in a row, each with a new cursor, after which a list is taken to have no end."""

CREATED: t.Final = "createdTime"
UPDATED: t.Final = "updatedTime"


class EndlessError(Exception):
    """The cursor of a list leads nowhere new; the message says how that showed."""


class NotAsAskedError(Exception):
    """BILL did not do what it was asked for; the message says what."""


def canonical(text: str) -> str:
    """Spell an instant in UTC with at least milliseconds, as BILL does: `2026-04-11T09:30:00.000+00:00`.

    Such texts compare as the instants do, which Singer relies on. An instant without zone is taken as UTC;
    fractions finer than milliseconds are kept.

    Args:
        text: an ISO 8601 instant.

    Raises:
        ValueError: if it is not one.
    """
    if len(text) == 29 and text[10] == "T" and text[19] == "." and text.endswith("+00:00"):  # noqa: PLR2004
        return text
    time = parse(text)
    return time.isoformat(timespec="milliseconds" if time.microsecond % 1000 == 0 else "microseconds")


def parse(text: str) -> datetime:
    """Read an instant; without a zone it is taken as UTC.

    Raises:
        ValueError: if it is not an ISO 8601 instant of the years 1 to 9999.
    """
    time = datetime.fromisoformat(text.upper())
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None


def spell(time: datetime) -> str:
    """Spell a whole second for a filter or a bookmark: `2026-04-11T09:30:00.000Z`."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}.000Z"


def earlier(time: datetime, seconds: float) -> datetime | None:
    """Return an instant so many seconds before another; None where there is none so early."""
    try:
        return time - timedelta(seconds=seconds)
    except OverflowError:
        return None


def _later(time: datetime, seconds: float) -> datetime | None:
    """Return an instant so many seconds after another; None where there is none so late."""
    try:
        return time + timedelta(seconds=seconds)
    except OverflowError:
        return None


@dataclass(slots=True, eq=False)
class Walk:
    """A list, or a stretch of its time line, that is read by following the cursor.

    Args:
        query: `sort`, `filters` and the like; they stay the same from page to page.
        remembers: whether a second round is to show that nothing moved during the first.
        cursor: where to go on; empty for the first page.
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
            EndlessError: if the cursor leads nowhere new.
        """
        self._follow([_id(record) for record in records], cursor)
        self._pages += 1
        if not self.remembers:
            return records
        ordered_by = self.query.get("sort", "").partition(":")[0]
        new = []
        for record in records:
            key, mark = _id(record), _mark(record)
            time = _time(record, ordered_by)
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
        """Begin the round once more after BILL refused its own cursor; return False where that is of no use."""
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


@dataclass(slots=True, eq=False)
class _Edge:
    """What is known of one end of a range.

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
        low: every row of the range created before this is written; None before the first.
        high: every row of the range created at or after this is written; None for the end of the time line.
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
    """Whether rows stand so close together at the upper end that only the lower one gets on."""
    is_new: bool = True
    """Whether it was cut off and nothing came of it yet."""
    below: _Edge = field(default_factory=_Edge)
    above: _Edge = field(default_factory=_Edge)

    def __post_init__(self) -> None:
        """Begin where what is written ends."""
        self.begin, self.end = self.low, self.high

    @property
    def cursor(self) -> str:
        """Where to go on; empty where no cursor is followed."""
        return self.walk.cursor if self.walk else ""

    def turn(self) -> None:
        """Choose the end that is read next: one after the other, and first the one where something is known already.

        The end of a time line that was begun comes first: where rows without a `createdTime` stand there, no request
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

        The other end may have come nearer since then; what lies beyond it is another range's.
        """
        if self.ascending:
            return self.begin is None or oldest >= self.begin
        last = _later(self.end, SLACK.total_seconds()) if self.end else None
        return last is None or newest <= last


class Page(t.NamedTuple):
    """Records to write, and where their range stands once they are written.

    Args:
        part: the range.
        records: as BILL sent them.
        low: every row of the range created before this is then written; None where that is not known.
        high: every row of the range created at or after this is then written; None where that is not known.
        is_last: whether the range is then complete.
    """

    part: Slice
    records: Sequence[Record]
    low: datetime | None
    high: datetime | None
    is_last: bool


@dataclass(slots=True, eq=False)
class Scan:
    """One pass over a list.

    Args:
        since: read the rows changed at or after this time; None for every row.
        bookmark: where the last complete pass got to, or None before the first.
        started_at: BILL's clock when the pass began; None before its first request, or where BILL does not tell.
        ordered: whether ranges of the time line are read from both ends. If not, each range is walked.
        keeps_up: whether every row that changed since the bookmark is read for sure, so that the bookmark may move.
        verifies: whether walks are repeated until two agree, because a bookmark depends on them.
        answered: whether anything came yet.
        notes: what the user is to know of how the list is read, each kind once.
        ranges: what is left to write.
        why_not: why the bookmark stays, where that showed while the list was read.
    """

    since: datetime | None = None
    bookmark: datetime | None = None
    started_at: datetime | None = None
    ordered: bool = True
    keeps_up: bool = True
    verifies: bool = False
    answered: bool = False
    notes: list[str] = field(default_factory=list)
    ranges: list[Slice] = field(default_factory=lambda: [Slice()])
    why_not: str = ""
    _newest: str = ""
    _has_told: bool = False

    @classmethod
    def plan(cls, *, bookmark: datetime | None, start_date: datetime | None, lookback: float) -> Scan:
        """Plan the next pass: from the bookmark less the lookback, or from the start date if there is no bookmark.

        Args:
            bookmark: where the last complete pass got to.
            start_date: where the first one begins.
            lookback: seconds.
        """
        since = start_date if bookmark is None else earlier(bookmark, lookback)
        return cls(since, bookmark, verifies=True)

    @classmethod
    def whole(cls, queries: Iterable[Mapping[str, str]]) -> Scan:
        """Plan to read a list as BILL gives it, once with each of the queries."""
        return cls(ordered=False, keeps_up=False, ranges=[Slice(walk=Walk(dict(query))) for query in queries])

    def walked(self, query: Mapping[str, str]) -> Scan:
        """Return this pass for a list that is not read by ranges of its time line: filtered, and walked."""
        filters = {"filters": f'{UPDATED}:gte:"{spell(self.since)}"'} if self.since else {}
        return replace(self, ordered=False, ranges=[self._walking({**query, **filters})])

    @property
    def queries(self) -> list[dict[str, str]]:
        """What the walks ask for."""
        return [part.walk.query for part in self.ranges if part.walk]

    # Reading

    def request(self) -> Slice | None:
        """Return a range in which a request may be sent now, marked busy; None while each has one under way."""
        for part in self.ranges:
            if not part.busy and not part.finished:
                part.busy = True
                part.turn()
                return part
        return None

    def divide(self, page_size: int) -> Slice | None:
        """Cut a part off the range with the most left to do, marked busy; None if that is not worth it.

        The estimate goes by the pace at both ends: where rows crowd at one of them, the cut lies near it.
        The page under way is left to its reader.
        """
        best: tuple[float, Slice, datetime] | None = None
        for part in self.ranges:
            below, above = part.below.pace, part.above.pace
            is_even = below and above and 1 / EVEN < above / below < EVEN
            if part.walk or part.finished or not (part.begin and part.end and below and above):
                continue
            if part.is_new and not is_even:
                continue
            begin = _later(part.begin, page_size / below) if part.busy and part.ascending else part.begin
            end = earlier(part.end, page_size / above) if part.busy and not part.ascending else part.end
            if begin is None or end is None or begin >= end:
                continue
            span = (end - begin).total_seconds()
            left = math.sqrt(below * above) * span
            share = math.sqrt(above / below)
            middle = (begin + (end - begin) * (share / (1 + share))).replace(microsecond=0)
            if left >= WORTH_DIVIDING * page_size and begin < middle < end and (best is None or left > best[0]):
                best = left, part, middle
        if best is None:
            return None
        _, part, middle = best
        cut = math.sqrt(part.below.pace * part.above.pace)
        other = Slice(low=part.low, high=part.high, busy=True)
        other.begin, other.end = part.begin, part.end
        lower, upper = (part, other) if part.ascending else (other, part)
        upper.above, lower.below = part.above, part.below
        # Nothing is known of the cut but that it lies between the two ends.
        lower.above, upper.below = _Edge(pace=cut), _Edge(pace=cut)
        upper.is_crowded, lower.is_crowded = part.is_crowded, False
        lower.high = lower.end = upper.low = upper.begin = middle
        part.is_new = True
        self.ranges.append(other)
        other.turn()
        return other

    def query(self, part: Slice) -> dict[str, str]:
        """Return what the next request in a range asks for; times are quoted: they contain colons."""
        if part.walk:
            return part.walk.query
        # The end of the time line is looked at without bounds, so that rows without a time show.
        begin = part.begin if part.end or part.ascending else None
        return self._between(begin, part.end, ascending=part.ascending)

    def receive(self, part: Slice, records: Sequence[Record], cursor: str) -> Page:
        """Take an answer in, and return what is to be written of it.

        Args:
            part: the range that was asked.
            records: what came.
            cursor: `nextPage`, empty at the end of the list.

        Raises:
            EndlessError: if the cursor leads nowhere new.
            NotAsAskedError: if the rows are not those that were asked for.
        """
        part.busy = False
        self.answered = True
        if self.verifies and self.keeps_up and not all(_time(record, UPDATED) for record in records):
            self._give_up(f"BILL sent rows without an {UPDATED} that can be read, so their changes cannot be asked for")
        if part.walk:
            return self._walk(part, part.walk, records, cursor)
        if not cursor:
            # One answer holds all that was asked for, in whatever order it came.
            part.finished = True
            return Page(part, self._wanted(part, records), None, None, is_last=True)
        if not records:
            part.walk = self._walking(self.query(part)).walk
            return self._walk(part, t.cast("Walk", part.walk), records, cursor)
        return self._scan(part, records)

    def _scan(self, part: Slice, records: Sequence[Record]) -> Page:
        """Take in a page that is not all of what was asked for."""
        times = [_time(record, CREATED) for record in records]
        if not all(times):
            raise NotAsAskedError(f"BILL sent rows without a {CREATED} that can be read")
        along = times if part.ascending else times[::-1]
        first, newest = parse(along[0]), parse(along[-1])
        if any(one > other for one, other in pairwise(along)) or not part.may_hold(first, newest):
            raise NotAsAskedError("BILL did not keep the creation order that was asked for")
        if part.edge.rows and part.edge.rows.keys().isdisjoint(map(_id, records)):
            raise NotAsAskedError("BILL did not show the row again that its creation order must go on with")
        if part.begin is None and part.ascending:
            self._newest = along[-1]
        if part.end is None and not part.ascending:
            if along[-1] < self._newest:
                raise NotAsAskedError("BILL did not begin with the newest row, as it was asked to")
            if along[0] == along[-1] == self._newest:
                return self._crowd_of_all(part, newest)
        pace = len(records) / max((newest - first).total_seconds(), 1.0)
        wanted = self._wanted(part, records)
        if part.ascending:
            low = earlier(newest.replace(microsecond=0), SLACK.total_seconds()) or first
            bound = _text(low)
            again = {_id(record): _mark(record) for record, time in zip(records, times, strict=True) if time >= bound}
            crawls = len(records) >= FEW and 2 * len(again) > len(records)
            if part.begin and (low <= part.begin or crawls):
                return self._crowd(part, newest, pace, len(records))
            part.begin, part.below = low, _Edge(again, pace)
        else:
            high = _later(first.replace(microsecond=0), SLACK.total_seconds())
            bound = _text(high) if high else "~"
            again = {_id(record): _mark(record) for record, time in zip(records, times, strict=True) if time < bound}
            part.is_crowded = high is None or (part.end is not None and high >= part.end)
            part.end, part.above = part.end if part.is_crowded else high, _Edge(again, pace)
        part.is_new = False
        part.finished = bool(part.begin and part.end and part.begin >= part.end)
        return Page(part, wanted, part.begin, part.end, part.finished)

    def _wanted(self, part: Slice, records: Sequence[Record]) -> Sequence[Record]:
        """Leave out what was received before, and what is another range's since the request was sent."""
        begin = _text(part.begin) if part.begin else ""
        end = _text(last) if part.end and (last := _later(part.end, SLACK.total_seconds())) else "~"
        known = {**part.below.rows, **part.above.rows}
        return [
            record
            for record in records
            if (not (time := _time(record, CREATED)) or begin <= time <= end)
            and not ((key := _id(record)) in known and known[key] == _mark(record))
        ]

    def _crowd(self, part: Slice, newest: datetime, pace: float, rows: int) -> Page:
        """Have a stretch walked whose rows the seconds of the time line cannot keep apart; its rows come with that."""
        begin = t.cast("datetime", part.begin)
        stop = _later(max(newest, begin), max(2.0, CROWD_PAGES * rows / pace))
        self._tell_of_crowd(newest)
        if stop is None or (part.end and stop >= part.end):
            part.walk = self._walking(self._between(begin, part.end)).walk
            return Page(part, (), None, None, is_last=False)
        stop = stop.replace(microsecond=0)
        crowd = self._walking(self._between(begin, stop))
        crowd.low, crowd.high, part.low, part.begin, part.below = part.low, stop, stop, stop, _Edge()
        part.is_new = True
        self.ranges.append(crowd)
        return Page(part, (), None, None, is_last=False)

    def _crowd_of_all(self, part: Slice, newest: datetime) -> Page:
        """Have everything walked: all that shows from either end was created in the same second."""
        self._tell_of_crowd(newest)
        part.walk = self._walking(self._between(None, None)).walk
        return Page(part, (), None, None, is_last=False)

    def _walk(self, part: Slice, walk: Walk, records: Sequence[Record], cursor: str) -> Page:
        """Take in a page of a walk."""
        if not all(_obeys(record, walk.query.get("filters", "")) for record in records):
            raise NotAsAskedError("BILL did not keep to the filter that was asked for")
        new = walk.take(records, cursor)
        if not cursor:
            part.finished = walk.is_settled
            if not part.finished and not walk.is_at_rest:
                part.finished = True
                self._give_up(f"rows moved in BILL's list each of the {MOST_ROUNDS} times that it was read")
            elif not part.finished:
                walk.again()
        return Page(part, new, None, None, part.finished)

    def reopen(self, part: Slice) -> bool:
        """Begin a walk's round again after BILL refused its cursor; return False where that is of no use."""
        part.busy = False
        return part.walk is not None and part.walk.reopen()

    def simpler(self, *, refused: bool = True) -> Scan | None:
        """Return a pass that asks BILL for less than this one, which did not work; None if there is none.

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
                ranges = [self._walking(query) for place, query in enumerate(less) if query not in less[:place]]
                return self._again(replace(self, keeps_up=self.keeps_up and name == "sort", ranges=ranges))
        return None

    @staticmethod
    def _again(plan: Scan) -> Scan:
        return replace(plan, answered=False, notes=[], why_not="")

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
                f"more than a page of rows were created close to {spell(newest)}; they are read as one piece, so a run "
                "that is stopped before its end begins that piece again"
            )

    def _give_up(self, why: str) -> None:
        self.keeps_up = False
        self.why_not = why

    # Writing

    def wrote(self, page: Page) -> None:
        """Note that all records of a page are written; pages of one range are written in the order they came."""
        part = page.part
        if page.is_last:
            self.ranges.remove(part)
        if page.low:
            part.low = max(page.low, part.low or page.low)
        if page.high:
            part.high = min(page.high, part.high or page.high)

    @property
    def is_complete(self) -> bool:
        """Whether every row is written."""
        return not self.ranges

    def next_bookmark(self) -> datetime | None:
        """Return the bookmark once the pass is complete: BILL's clock when it began, up to which every change was read.

        It stays where BILL told no time, or where it is not certain that every row was read.
        """
        if self.started_at is None or not self.keeps_up:
            return self.bookmark
        return self.started_at.replace(microsecond=0)

    # Resuming

    def progress(self) -> dict[str, t.Any]:
        """Return what a later run needs to go on here, as JSON."""
        return {
            "started_at": _spelled(self.started_at),
            "since": _spelled(self.since),
            "keeps_up": self.keeps_up,
            "ranges": [[_spelled(part.low), _spelled(part.high)] for part in self.ranges],
        }

    def resume(self, progress: Mapping[str, t.Any]) -> None:
        """Go on where an interrupted pass stopped, unless it knew no clock or selected fewer rows than this one is to.

        Raises:
            KeyError, TypeError, ValueError: if it is not what `progress` returned.
        """
        since, started_at = _read(progress["since"]), _read(progress["started_at"])
        ranges = [Slice(_read(low), _read(high)) for low, high in progress["ranges"]]
        if started_at is None or (since is not None and (self.since is None or self.since < since)):
            return
        self.since, self.started_at, self.ranges = since, started_at, ranges
        self.keeps_up = progress.get("keeps_up", True) is True


def _id(record: Record) -> t.Any:
    """Return what tells a record from others: its `id`, or all of it."""
    key = record.get("id")
    return key if isinstance(key, str | int) else msgspec.json.encode(record)


def _mark(record: Record) -> int:
    """Return what changes when the record does."""
    return hash(msgspec.json.encode(record))


def _obeys(record: Record, filters: str) -> bool:
    """Tell whether a record is one of those that were asked for, as far as it shows that."""
    terms = (term.split(":", 2) for term in filters.split(",") if term)
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
        last = _later(parse(wanted.strip('"')), SLACK.total_seconds())
        return last is None or parse(value) <= last
    except (AttributeError, TypeError, ValueError):
        return True


_HOLDS: t.Final[dict[str, t.Callable[[t.Any, str], bool]]] = {
    "eq": lambda value, wanted: str(value).lower() == wanted,
    "gte": _is_since,
    "lt": _is_before,
}
"""The operators that lists are asked with."""


def _time(record: Record, name: str) -> str:
    """Return one of a record's times, canonical; empty where there is none that can be read."""
    try:
        return _readable(record[name])
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""


@lru_cache(maxsize=1024)  # the same time is looked at more than once while its page is taken in
def _readable(text: str) -> str:
    parse(text)
    return canonical(text)


def _text(time: datetime) -> str:
    """Spell an instant so that it compares with canonical texts."""
    return time.isoformat(timespec="milliseconds")


def _spelled(time: datetime | None) -> str | None:
    return spell(time) if time else None


def _read(text: str | None) -> datetime | None:
    return parse(text) if text is not None else None
