"""What the tap keeps in Singer state, per stream and organization.

`{"bookmarks": {"bills": {"partitions": [{"context": {"organizationId": "008..."}, "replication_key": "updatedTime",
"replication_key_value": "2026-06-30T12:00:00.000Z", "covers": ["bill_line_items", "bills"]}]}}}`
"""

from __future__ import annotations

import typing as t

from tap_bill.errors import StateError
from tap_bill.passes import parse, spell

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

REPLICATION_KEY: t.Final = "updatedTime"

_CONTEXT: t.Final = {"organizationId"}


class StreamState:
    """The state of one stream and organization.

    Args:
        entry: the writable part of the tap's state.
    """

    def __init__(self, entry: dict[str, t.Any]) -> None:
        self._entry = entry

    def bookmark(self, streams: Iterable[str]) -> datetime | None:
        """Return how far every one of these streams was read, or None if one of them never was.

        A stream and its line tables share one bookmark. One that was not selected when the bookmark was made has
        missed rows, so the bookmark does not hold for it.
        """
        value = self._entry.get("replication_key_value")
        return parse(value) if value and set(streams) <= set(self._entry.get("covers", ())) else None

    def complete(self, bookmark: datetime | None, streams: Iterable[str]) -> None:
        """Note that these streams, and no others, were read up to a time."""
        if bookmark is not None:
            self._entry["replication_key"] = REPLICATION_KEY
            self._entry["replication_key_value"] = spell(bookmark)
            self._entry["covers"] = sorted(streams)


def check(state: Mapping[str, t.Any]) -> None:
    """Refuse a state that this tap did not write.

    Bookmarks of another tap may carry the same stream names; taken for ours they would skip rows.

    Raises:
        StateError: with one sentence that names what is foreign.
    """
    if state == {}:
        return
    bookmarks = state.get("bookmarks")
    if not isinstance(bookmarks, dict):
        raise StateError(f"The state file has no bookmarks of tap-bill. {_ADVICE}")
    for stream, bookmark in bookmarks.items():
        entries = bookmark.get("partitions", []) if isinstance(bookmark, dict) else None
        ours = isinstance(entries, list) and set(bookmark) <= {"partitions"} and all(map(_is_ours, entries))
        if not ours:
            raise StateError(f"The state file's bookmark of {stream!r} was not written by tap-bill. {_ADVICE}")


def _is_ours(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("context"), dict):
        return False
    value = entry.get("replication_key_value")
    try:
        return set(entry["context"]) == _CONTEXT and (value is None or bool(parse(value)))
    except (TypeError, ValueError):
        return False


_ADVICE: t.Final = "Pass the last state that tap-bill wrote for this pipeline, or none to read everything again."
