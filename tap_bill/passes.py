"""The arithmetic of one extraction pass over a stream: what to ask for, and how far the bookmark moves. No I/O.

A pass selects the rows changed since the bookmark (less a lookback) and reads them in the order of `createdTime`,
which edits cannot change: an edit during the read can repeat a row but cannot make the reader skip one.
BILL shows whole seconds and may store finer ones, so every position here is a whole second and lower bounds are
inclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


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
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def spell(time: datetime) -> str:
    """Spell a whole second for a filter or a bookmark: `2026-04-11T09:30:00.000Z`."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


@dataclass(slots=True)
class Pass:
    """One pass over a stream.

    Args:
        bookmark: where the last complete pass got to, or None before the first.
        since: read the rows changed at or after this time; None for every row.
        started_at: BILL's clock when the pass began, or None where BILL does not tell.
        out_of_order: whether rows came in another order than the one that was asked for.
    """

    bookmark: datetime | None
    since: datetime | None
    started_at: datetime | None
    out_of_order: bool = False
    _newest: str = ""
    _last_created: str = ""
    _trusted: bool = True

    @classmethod
    def plan(
        cls,
        *,
        bookmark: datetime | None,
        start_date: datetime | None,
        lookback: timedelta,
        started_at: datetime | None,
    ) -> Pass:
        """Plan the next pass: from the bookmark less the lookback, or from the start date if there is no bookmark."""
        since = start_date if bookmark is None else bookmark - lookback
        return cls(bookmark, since, started_at)

    def params(self) -> dict[str, str]:
        """Return BILL's `sort` and `filters` parameters; times are quoted because they contain colons."""
        params = {"sort": "createdTime:asc"}
        if self.since is not None:
            params["filters"] = f'updatedTime:gte:"{spell(self.since)}"'
        return params

    def distrust(self) -> None:
        """Note that the list is read in an order in which an edit may hide a row."""
        self._trusted = False

    def see(self, created: str | None, updated: str | None) -> None:
        """Note one row.

        Args:
            created: its `createdTime`, canonical.
            updated: its `updatedTime`, canonical.
        """
        if updated and updated > self._newest:
            self._newest = updated
        if created:
            self.out_of_order |= self._trusted and created < self._last_created
            self._last_created = created

    def next_bookmark(self) -> datetime | None:
        """Return the bookmark once every row of the pass is written.

        It never passes BILL's clock at the start, because a row edited later may have been read before its edit.
        It stays where BILL told no time, or where rows did not come in the order that makes the pass complete.
        """
        if self.started_at is None or not self._trusted or self.out_of_order:
            return self.bookmark
        seen = [time for time in (self.bookmark, parse(self._newest) if self._newest else None) if time]
        return min(max(seen), self.started_at).replace(microsecond=0) if seen else None
