"""What the tap keeps in Singer state, per stream and organization.

`{"bookmarks": {"bills": {"partitions": [{"context": {"organizationId": "008..."}, "replication_key": "updatedTime",
"replication_key_value": "2026-06-30T12:00:00.000Z", "covers": ["bill_line_items", "bills"]}]}}}`, and while a pass
runs, `"pass"` beside them: `Pass.progress()` and the tables that it covers.
"""

from __future__ import annotations

import typing as t

from tap_bill.errors import StateError
from tap_bill.passes import Pass, parse, spell

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

REPLICATION_KEY: t.Final = "updatedTime"

ORGANIZATION: t.Final = "organizationId"
"""The column, and the context of a bookmark, that tell organizations apart."""


class StreamState:
    """The state of one stream and organization.

    A stream and its line tables share a bookmark. A table that was not selected when the bookmark was made has missed
    rows, so the bookmark holds only for the tables that it covers.

    Args:
        entry: the writable part of the tap's state.
        tables: the selected ones of the stream and its line tables.
    """

    def __init__(self, entry: dict[str, t.Any], tables: Iterable[str]) -> None:
        self._entry = entry
        self._tables = sorted(tables)
        self._left_out: set[str] = set()

    @property
    def bookmark(self) -> datetime | None:
        """How far all of the tables were read, or None if one of them never was."""
        value = self._entry.get("replication_key_value")
        return parse(value) if value and self._are_covered(self._entry) else None

    @property
    def shown(self) -> str | None:
        """The bookmark as it is in the state, or None before the first complete pass."""
        value: str | None = self._entry.get("replication_key_value")
        return value

    @property
    def interrupted(self) -> dict[str, t.Any] | None:
        """What is known of an interrupted pass over all of the tables, or None."""
        progress: dict[str, t.Any] | None = self._entry.get("pass")
        return progress if progress and self._are_covered(progress) else None

    def leave_out(self, table: str) -> None:
        """Note that a table could not be read, so that what is kept does not cover it."""
        self._left_out.add(table)

    def note(self, progress: Mapping[str, t.Any]) -> None:
        """Keep how far a pass is, so that a run after an interruption goes on there."""
        self._entry["pass"] = {**progress, "covers": self._covered}

    def complete(self, bookmark: datetime | None) -> None:
        """Note that the tables were read up to a time; None leaves the bookmark as it was."""
        self._entry.pop("pass", None)
        if bookmark is not None:
            self._entry["replication_key"] = REPLICATION_KEY
            self._entry["replication_key_value"] = spell(bookmark)
            self._entry["covers"] = self._covered

    @property
    def _covered(self) -> list[str]:
        return [table for table in self._tables if table not in self._left_out]

    def _are_covered(self, by: Mapping[str, t.Any]) -> bool:
        return set(self._tables) <= set(by.get("covers", ()))


def of_organization(state: Mapping[str, t.Any], organization_id: str) -> dict[str, t.Any]:
    """Return the part of a state that is about one organization."""
    return {
        "bookmarks": {
            stream: {"partitions": [entry for entry in bookmark["partitions"] if entry["context"] == context]}
            for context in ({ORGANIZATION: organization_id},)
            for stream, bookmark in state.get("bookmarks", {}).items()
            if bookmark.get("partitions")
        }
    }


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
    value, progress = entry.get("replication_key_value"), entry.get("pass")
    try:
        if value is not None:
            parse(value)
        if progress is not None:
            Pass().resume(progress)
    except (KeyError, TypeError, ValueError):
        return False
    return set(entry["context"]) == {ORGANIZATION}


_ADVICE: t.Final = "Pass the last state that tap-bill wrote for this pipeline, or none to read everything again."
