"""Moments as whole microseconds since 1970 (UTC), how they are shown, and which spellings a filter may use.

Documented: answers show `yyyy-MM-dd'T'HH:mm:ss.SSSX`; filters accept that, the same without zone, to seconds, to
minutes, and `yyyy-MM-dd`. Observed: answers really look like `2026-04-11T09:30:00.000+00:00`.
Assumed: a value without zone is UTC; BILL stores finer than the whole seconds it shows.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)

_SPELLINGS = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"(T\d\d:\d\d(:\d\d(\.\d{3}(Z|[+-]\d\d(:?\d\d)?)?)?)?)?"
)


def microseconds(moment: datetime) -> int:
    """An aware datetime as microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(year: int, month: int, day: int, hour: int = 0) -> int:
    """A UTC calendar moment as microseconds since 1970."""
    return microseconds(datetime(year, month, day, hour, tzinfo=UTC))


def shown(at: int) -> str:
    """A moment as BILL sends it: whole seconds, `2026-04-11T09:30:00.000+00:00`."""
    return f"{(_EPOCH + timedelta(seconds=at // SECOND)).isoformat()[:19]}.000+00:00"


def calendar_day(at: int, plus_days: int = 0) -> str:
    """The UTC day of a moment (or some days later) as `yyyy-MM-dd`."""
    return (_EPOCH_DAY + timedelta(days=at // DAY + plus_days)).isoformat()


def read_stored(text: object) -> int | None:
    """The moment written in a row, or None when it is not a date-time with a zone."""
    if not isinstance(text, str):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if value.tzinfo is None else microseconds(value)


def read_filter_time(text: str) -> int | None:
    """The moment written in a filter, or None when the spelling is not one of the documented ones."""
    if not _SPELLINGS.fullmatch(text):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return microseconds(value if value.tzinfo else value.replace(tzinfo=UTC))


def is_calendar_day(text: str) -> bool:
    """Whether the text is a real `yyyy-MM-dd` date."""
    return len(text) == len("yyyy-MM-dd") and read_filter_time(text) is not None
