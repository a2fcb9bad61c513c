"""The arithmetic of one extraction pass over a stream: what to ask for, what is left, where the bookmark goes. No I/O.

A pass selects the rows changed since the bookmark (less a lookback) and reads them in the order of `createdTime`,
which edits cannot change: an edit during the read can repeat a row but cannot make the reader skip one.
The time line of `createdTime` may be cut into ranges that are read side by side; each follows a cursor of its own.
BILL shows whole seconds and may store finer ones, so every position here is a whole second, lower bounds are
inclusive, and `SLACK` covers a second that BILL may have rounded up.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Record = dict[str, t.Any]

SLACK: t.Final = timedelta(seconds=1)
"""How far a time that BILL shows may lie after the one it stores."""

WORTH_DIVIDING: t.Final = 3.0
"""Pages that must be left in a range before a second reader saves more than the request that it costs."""

MOST_EMPTY_PAGES: t.Final = 100
"""Empty pages in a row, each with a new cursor, after which a list is taken to have no end."""


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
    """
    if len(text) == 29 and text[10] == "T" and text[19] == "." and text.endswith("+00:00"):  # noqa: PLR2004
        return text
    time = parse(text)
    return time.isoformat(timespec="milliseconds" if time.microsecond % 1000 == 0 else "microseconds")


def parse(text: str) -> datetime:
    """Read an instant; without a zone it is taken as UTC.

    Raises:
        ValueError: if it is not an ISO 8601 instant.
    """
    time = datetime.fromisoformat(text.upper())
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def spell(time: datetime) -> str:
    """Spell a whole second for a filter or a bookmark: `2026-04-11T09:30:00.000Z`."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


@dataclass(slots=True, eq=False)
class Range:
    """A part of the time line of `createdTime` that is still to be read, and how far its reader is.

    Args:
        low: every row of the range created before this is written; None before the first.
        high: where the next range begins; None for the end of the time line.
        query: `sort` and `filters` as the range was opened with; a cursor goes with the query it came from.
        floor: lower bound of `createdTime` in that query.
        cursor: where to go on; empty before the first request.
        busy: whether a request is under way.
        finished: whether every row is received.
        newest: `createdTime` of the newest row received.
        pace: rows per second of `createdTime` in the newest page.
    """

    low: datetime | None = None
    high: datetime | None = None
    query: dict[str, str] = field(default_factory=dict)
    floor: datetime | None = None
    cursor: str = ""
    busy: bool = False
    finished: bool = False
    newest: datetime | None = None
    pace: float = 0.0
    _cursors: set[str] = field(default_factory=set)
    _ids: list[t.Any] = field(default_factory=list)
    _empty: int = 0

    def follow(self, records: Sequence[Record], cursor: str) -> None:
        """Take the cursor of an answer for the next request.

        Raises:
            EndlessError: if it leads nowhere new.
        """
        ids = [record.get("id", record) for record in records]
        if ids and ids == self._ids:
            raise EndlessError("BILL sent the same page twice in a row under different cursors")
        if cursor and cursor in self._cursors:
            raise EndlessError("BILL sent a cursor for the second time, so its list has no end")
        self._empty = 0 if ids else self._empty + 1
        if cursor and self._empty == MOST_EMPTY_PAGES:
            raise EndlessError(f"BILL sent {MOST_EMPTY_PAGES} empty pages in a row, each with a new cursor")
        self._ids = ids or self._ids
        self._cursors.add(cursor)
        self.cursor = cursor


class Page(t.NamedTuple):
    """Records to write, and where their range stands once they are written.

    Args:
        part: the range.
        records: as BILL sent them.
        low: every row of the range created before this is then written; None where that is not known.
        is_last: whether the range is then complete.
    """

    part: Range
    records: Sequence[Record]
    low: datetime | None
    is_last: bool


@dataclass(slots=True, eq=False)
class Pass:
    """One pass over a stream.

    Args:
        since: read the rows changed at or after this time; None for every row.
        bookmark: where the last complete pass got to, or None before the first.
        started_at: BILL's clock when the pass began; None before its first request, or where BILL does not tell.
        ordered: whether BILL is asked for creation order. If not, the list is read as BILL gives it, each range by
            one reader.
        divisible: whether BILL may be asked for a part of the time line.
        keeps_up: whether every row that changed since the bookmark is read for sure, so that the bookmark may move.
        newest: newest `updatedTime` written, canonical.
        ranges: what is left to write.
    """

    since: datetime | None = None
    bookmark: datetime | None = None
    started_at: datetime | None = None
    ordered: bool = True
    divisible: bool = True
    keeps_up: bool = True
    newest: str = ""
    ranges: list[Range] = field(default_factory=lambda: [Range()])

    @classmethod
    def plan(cls, *, bookmark: datetime | None, start_date: datetime | None, lookback: timedelta) -> Pass:
        """Plan the next pass: from the bookmark less the lookback, or from the start date if there is no bookmark."""
        return cls(start_date if bookmark is None else bookmark - lookback, bookmark)

    @classmethod
    def whole(cls, queries: Iterable[Mapping[str, str]]) -> Pass:
        """Plan to read a list as BILL gives it, once with each of the queries."""
        return cls(ordered=False, keeps_up=False, ranges=[Range(query=dict(query)) for query in queries])

    def only_filtered(self, query: Mapping[str, str]) -> Pass:
        """Return this pass for a list that BILL filters by `updatedTime`, and does not sort by creation."""
        filters = {"filters": f'updatedTime:gte:"{spell(self.since)}"'} if self.since else {}
        return replace(self, ordered=False, ranges=[Range(query={**query, **filters})])

    # Reading

    def request(self) -> Range | None:
        """Return a range in which a request may be sent now, marked busy; None while each has one under way."""
        for part in self.ranges:
            if not part.busy and not part.finished:
                part.busy = True
                return part
        return None

    def divide(self, page_size: int) -> Range | None:
        """Cut off the later half of the range with the most left to do, marked busy; None if that is not worth it.

        The estimate goes by the pace of each range's newest page. The page under way is left to its reader.
        """
        best: tuple[float, Range, datetime] | None = None
        for part in self.ranges:
            end = part.high or self.started_at
            if (
                not (self.ordered and self.divisible)
                or part.finished
                or part.newest is None
                or end is None
                or not part.pace
            ):
                continue
            begin = part.newest + timedelta(seconds=page_size / part.pace)
            left = part.pace * (end - begin).total_seconds()
            middle = (begin + (end - begin) / 2).replace(microsecond=0)
            worth_it = left >= WORTH_DIVIDING * page_size and part.newest < middle < end
            if worth_it and (best is None or left > best[0]):
                best = left, part, middle
        if best is None:
            return None
        _, part, middle = best
        later = Range(low=middle, high=part.high, busy=True)
        part.high = middle
        self.ranges.append(later)
        return later

    def query(self, part: Range) -> dict[str, str]:
        """Return what the next request in a range asks for; times are quoted: they contain colons."""
        if not part.cursor and self.ordered:
            part.floor = part.low
            bounds = {"updatedTime": self.since, "createdTime": part.floor}
            filters = [f'{name}:gte:"{spell(time)}"' for name, time in bounds.items() if time]
            part.query = {"sort": "createdTime:asc"} | ({"filters": ",".join(filters)} if filters else {})
        return part.query

    def receive(self, part: Range, records: Sequence[Record], cursor: str) -> Page:
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
        part.follow(records, cursor)
        part.finished = not cursor
        if not self.ordered:
            if not all(_obeys(record, part.query.get("filters", "")) for record in records):
                raise NotAsAskedError("BILL did not keep to the filter that was asked for")
            return Page(part, records, None, part.finished)
        # Only rows of one answer can be compared: an edit may move rows of the page before into this one.
        created = [_created(record) for record in records]
        times = [time for time in created if time]
        if times:
            first, newest = parse(times[0]), parse(times[-1])
            if times != sorted(times) or (part.floor and first < part.floor):
                raise NotAsAskedError("BILL did not keep the creation order that was asked for")
            part.newest = max(newest, part.newest or newest)
            part.pace = len(times) / max((newest - first).total_seconds(), 1.0)
        if part.high and times and times[-1] > (limit := canonical((part.high + SLACK).isoformat())):
            # What lies beyond the range is its neighbour's, who asked for it with an inclusive lower bound.
            records = [record for record, time in zip(records, created, strict=True) if time <= limit]
            part.finished = True
        low = part.newest.replace(microsecond=0) - SLACK if part.newest else None
        return Page(part, records, low, part.finished)

    def simpler(self, *, refused: bool = True) -> Pass | None:
        """Return a pass that asks BILL for less than this one, which did not work; None if there is none.

        First without parts of the time line, for which `createdTime` must be filterable, then without any order. A pass
        that is not ordered goes first without its sort, which only a refusal may be due to, then without its filters.

        Args:
            refused: whether BILL refused the request, rather than answered something else than it was asked for.
        """
        if self.ordered:
            in_parts = self.divisible and any(part.floor for part in self.ranges)
            return replace(self, ordered=in_parts, divisible=False, keeps_up=in_parts, ranges=[Range()])
        for name in ("sort", "filters") if refused else ("filters",):
            if any(name in part.query for part in self.ranges):
                less = [{key: part.query[key] for key in part.query if key != name} for part in self.ranges]
                ranges = [Range(query=query) for place, query in enumerate(less) if query not in less[:place]]
                return replace(self, keeps_up=self.keeps_up and name == "sort", ranges=ranges)
        return None

    # Writing

    def see(self, updated: str | None) -> None:
        """Note the `updatedTime` (canonical) of a row that was written."""
        if updated and updated > self.newest:
            self.newest = updated

    def wrote(self, page: Page) -> None:
        """Note that all records of a page are written; pages of one range are written in the order they came."""
        if page.is_last:
            self.ranges.remove(page.part)
        elif page.low:
            page.part.low = max(page.low, page.part.low or page.low)

    @property
    def is_complete(self) -> bool:
        """Whether every row is written."""
        return not self.ranges

    def next_bookmark(self) -> datetime | None:
        """Return the bookmark once the pass is complete.

        It never passes BILL's clock at the start, because a row edited later may have been read before its edit.
        It stays where BILL told no time, or where the order that makes a pass lossless was not to be had.
        """
        if self.started_at is None or not self.keeps_up:
            return self.bookmark
        seen = [time for time in (self.bookmark, parse(self.newest) if self.newest else None) if time]
        return min(max(seen), self.started_at).replace(microsecond=0) if seen else None

    # Resuming

    def progress(self) -> dict[str, t.Any]:
        """Return what a later run needs to go on here, as JSON."""
        return {
            "started_at": _spelled(self.started_at),
            "since": _spelled(self.since),
            "newest": self.newest,
            "ranges": [[_spelled(part.low), _spelled(part.high)] for part in self.ranges],
        }

    def resume(self, progress: Mapping[str, t.Any]) -> None:
        """Go on where an interrupted pass stopped, unless it knew no clock or selected fewer rows than this one is to.

        Raises:
            KeyError, TypeError, ValueError: if it is not what `progress` returned.
        """
        since, started_at = _read(progress["since"]), _read(progress["started_at"])
        if started_at is None or (since is not None and (self.since is None or self.since < since)):
            return
        self.since, self.started_at = since, started_at
        self.newest = progress["newest"]
        self.ranges = [Range(_read(low), _read(high)) for low, high in progress["ranges"]]


def _obeys(record: Record, filters: str) -> bool:
    """Tell whether a record is one of those that were asked for, as far as it shows that."""
    terms = (term.split(":", 2) for term in filters.split(",") if term)
    return all(
        _HOLDS[operator](record[name], wanted) for name, operator, wanted in terms if record.get(name) is not None
    )


def _is_since(value: t.Any, wanted: str) -> bool:
    try:
        return parse(value) >= parse(wanted.strip('"')) - SLACK
    except (AttributeError, ValueError):
        return True


_HOLDS: t.Final[dict[str, t.Callable[[t.Any, str], bool]]] = {
    "eq": lambda value, wanted: str(value).lower() == wanted,
    "gte": _is_since,
}
"""The operators that unordered lists are asked with."""


def _created(record: Record) -> str:
    """Return a record's `createdTime`, canonical; empty where there is none that can be read."""
    try:
        text = record["createdTime"]
        parse(text)
        return canonical(text)
    except (KeyError, TypeError, ValueError):
        return ""


def _spelled(time: datetime | None) -> str | None:
    return spell(time) if time else None


def _read(text: str | None) -> datetime | None:
    return parse(text) if text else None
