"""Instants as BILL shows them, and spellings of them that can be compared, filtered by and kept."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta
from functools import lru_cache

if t.TYPE_CHECKING:
    from collections.abc import Mapping


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


def later(time: datetime, seconds: float) -> datetime | None:
    """Return an instant so many seconds after another; None where there is none so late."""
    try:
        return time + timedelta(seconds=seconds)
    except OverflowError:
        return None


def time_of(record: Mapping[str, t.Any], name: str) -> str:
    """Return one of a record's times, canonical; empty where there is none that can be read."""
    try:
        return _readable(record[name])
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""


@lru_cache(maxsize=1024)  # the same time is looked at more than once while its page is taken in
def _readable(text: str) -> str:
    parse(text)
    return canonical(text)


def comparable(time: datetime) -> str:
    """Spell an instant so that it compares with canonical texts."""
    return time.isoformat(timespec="milliseconds")
