"""What the tap keeps in Singer state, per stream and organization.

`{"bookmarks": {"bills": {"partitions": [{"context": {"organizationId": "008..."}, "replication_key": "updatedTime",
"replication_key_value": "2026-06-30T12:00:00.000Z", "covers": ["bill_line_items", "bills"]}]}}}`. In addition,
while a pass runs, `"pass"`: `Scan.progress()` and the tables that it covers; and, while BILL does not let the user read
what is asked for per record, `"behind": {"bill_documents": {"since": "2026-06-01T00:00:00.000Z", "parent": "00n..."}}`:
from when on that table has missed rows (null: from the beginning), and a record for which it was refused.

`"whole"` is BILL's clock when the last read from the beginning began. `"digest"` is of the rows of a list that is read
whole, as they were last written. `"audits"` are rows of `sync_audit` that are still to be written, and `"audited"` is
the newest `startedAt` of those that are; in a pass, `"audit"` is what such a row will need to say.

`"follow": ["00n..."]` are records that changed ones have named and that are still to be read again (`sync.follow`), and
`"followed"` is BILL's clock when the last complete scan of a stream that names others began, unless it is the bookmark.

A bookmark also holds only for the key under which its rows were written. `"key": "uuid"` says which, and is left out
where it is `id`, as all of them were until version 0.1. An entry that is about another key is forgotten.
"""

from __future__ import annotations

import typing as t

from tap_bill.api.errors import StateError
from tap_bill.sync.scan import Scan
from tap_bill.sync.times import parse, spell

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

REPLICATION_KEY: t.Final = "updatedTime"

_OLDEST_KEY: t.Final = "id"
"""What told the rows apart of every stream with a bookmark, when the state did not say yet."""

ORGANIZATION: t.Final = "organizationId"
"""The column, and the context of a bookmark, that keep organizations apart."""


class StreamState:
    """The state of one stream and organization.

    A stream, its line tables and its parts share a bookmark. A table that was not selected when the bookmark was made
    has missed rows, so the bookmark holds only for the tables that it covers. A part that may not be read does not
    hold the others up: what it has missed is noted, and read as soon as it may be.

    Args:
        entry: the writable part of the tap's state.
        tables: the selected ones of the stream and its line tables.
        key: field that tells the rows of the stream apart.
    """

    def __init__(self, entry: dict[str, t.Any], tables: Iterable[str], key: str = _OLDEST_KEY) -> None:
        self._entry = entry
        self._tables = set(tables)
        self._key = key
        self._regained: set[str] = set()

    def forget_other_key(self) -> str:
        """Forget what is known of rows that were written under another key than now; return that key, or nothing."""
        known = self._entry.keys() & {"replication_key_value", "pass", "behind"}
        other = self._entry.get("key", _OLDEST_KEY)
        if not known or other == self._key:
            return ""
        for name in self._entry.keys() - {"context"}:
            del self._entry[name]
        return str(other)

    @property
    def behind(self) -> dict[str, str]:
        """The selected tables that have missed rows because they might not be read, each with a parent to try with."""
        behind = self._entry.get("behind", {})
        return {table: behind[table]["parent"] for table in sorted(self._missing)}

    def regain(self, table: str) -> None:
        """Note that a table may be read again: what it has missed is to be read now."""
        self._regained.add(table)

    @property
    def bookmark(self) -> datetime | None:
        """How far all of the tables were read, or None if one of them never was."""
        marks = [self._entry.get("replication_key_value") if self._are_covered(self._entry) else None]
        marks += [self._entry["behind"][table]["since"] for table in self._regained]
        return min(parse(mark) for mark in marks if mark) if all(marks) else None

    @property
    def shown(self) -> str | None:
        """The bookmark as it is in the state, or None before the first complete scan."""
        value: str | None = self._entry.get("replication_key_value")
        return value

    @property
    def interrupted(self) -> dict[str, t.Any] | None:
        """What is known of an interrupted scan over all of the tables, or None."""
        progress: dict[str, t.Any] | None = self._entry.get("pass")
        return progress if progress and self._are_covered(progress) else None

    @property
    def whole(self) -> datetime | None:
        """BILL's clock when the last read from the beginning began; None if no state says so."""
        return _time(self._entry.get("whole"))

    def was_read_whole(self, started_at: datetime) -> None:
        """Note that all was read, and BILL's clock when that began."""
        self._entry["whole"] = spell(started_at)

    @property
    def digest(self) -> str:
        """Of the rows that were last written of a list that is read whole; empty if that is not known."""
        return str(self._entry.get("digest", ""))

    def forget_digest(self) -> bool:
        """Forget what was last written, because other rows will be; return whether anything was known."""
        return self._entry.pop("digest", None) is not None

    def keep_digest(self, digest: str) -> None:
        """Note what was written."""
        self._entry["digest"] = digest

    @property
    def audited(self) -> datetime | None:
        """The newest `startedAt` of a read of which `sync_audit` says, or will say, that it was complete."""
        return _time(_newest_audit(self._entry))

    def add_audit(self, audit: Mapping[str, t.Any]) -> None:
        """Note what `sync_audit` is to say of a read that is complete."""
        self._entry.setdefault("audits", []).append(dict(audit))

    def leave_out(self, table: str, parent: str) -> None:
        """Note that a table may not be read, and for which record that showed."""
        was_covered = table in self._entry.get("covers", ())
        since = self._entry.get("replication_key_value") if was_covered else None
        self._entry.setdefault("behind", {}).setdefault(table, {"since": since, "parent": parent})
        self._regained.discard(table)

    def note(self, progress: Mapping[str, t.Any]) -> None:
        """Keep how far a scan is, so that a run after an interruption resumes there."""
        self._entry["pass"] = {**progress, "covers": self._covered}
        self._note_key()

    def begin_again(self) -> None:
        """Forget how far a scan is: it is read in another way, from the beginning."""
        self._entry.pop("pass", None)

    def complete(self, bookmark: datetime | None) -> None:
        """Note that the tables were read up to a time; None leaves the bookmark as it was."""
        self._entry.pop("pass", None)
        if bookmark is not None:
            self._entry["replication_key"] = REPLICATION_KEY
            self._entry["replication_key_value"] = spell(bookmark)
            self._entry["covers"] = self._covered
            self._note_key()
            behind = self._entry.pop("behind", {})
            if left := {table: mark for table, mark in behind.items() if table not in self._regained}:
                self._entry["behind"] = left

    def _note_key(self) -> None:
        if self._key != _OLDEST_KEY:
            self._entry["key"] = self._key

    @property
    def _missing(self) -> set[str]:
        return self._tables.intersection(self._entry.get("behind", {})) - self._regained

    @property
    def _covered(self) -> list[str]:
        return sorted(self._tables - self._missing)

    def _are_covered(self, by: Mapping[str, t.Any]) -> bool:
        regained = self._regained if by is self._entry else set()
        return self._tables - self._missing - regained <= set(by.get("covers", ()))


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


def take_audits(state: Mapping[str, t.Any], organization_id: str) -> list[dict[str, t.Any]]:
    """Return what `sync_audit` is still to say of an organization; the state says from now on that it does."""
    taken: list[dict[str, t.Any]] = []
    for stream in state.get("bookmarks", {}).values():
        for entry in stream.get("partitions", ()):
            if entry["context"] == {ORGANIZATION: organization_id} and entry.get("audits"):
                entry["audited"] = _newest_audit(entry)
                taken += entry.pop("audits")
    return taken


def _newest_audit(entry: Mapping[str, t.Any]) -> str | None:
    times = [entry.get("audited"), *(audit["started"] for audit in entry.get("audits", ()))]
    return max((time for time in times if time), key=parse, default=None)


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
        if not ours or len({entry["context"][ORGANIZATION] for entry in entries or ()}) < len(entries or ()):
            raise StateError(f"The state file's bookmark of {stream!r} was not written by tap-bill. {_ADVICE}")


def _is_ours(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("context"), dict):
        return False
    value, progress, behind = entry.get("replication_key_value"), entry.get("pass"), entry.get("behind", {})
    follow = entry.get("follow", [])
    try:
        times = [value, *(entry.get(key) for key in ("whole", "audited", "followed"))]
        times += [mark["since"] for mark in behind.values()]
        names = [entry["context"][ORGANIZATION], entry.get("key", ""), *(mark["parent"] for mark in behind.values())]
        names += follow
        for covers in (entry.get("covers", []), (progress or {}).get("covers", [])):
            names += covers
        for time in times:
            if time is not None:
                parse(time)
        if progress is not None:
            Scan().resume(progress)
        audits = [*entry.get("audits", []), *([progress["audit"]] if progress and "audit" in progress else [])]
        for audit in audits:
            parse(audit["started"])
            parse(audit.get("completed", audit["started"]))
        counts = [(name, count) for audit in audits for name, count in audit["rows"].items()]
        names += [entry.get("digest", ""), *(name for name, _ in counts)]
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    are_counts = all(isinstance(count, int) for _, count in counts)
    is_ours = set(entry["context"]) == {ORGANIZATION} and are_counts and isinstance(follow, list)
    return is_ours and all(isinstance(name, str) for name in names)


def _time(text: str | None) -> datetime | None:
    return parse(text) if text else None


_ADVICE: t.Final = "Pass the last state that tap-bill wrote for this pipeline, or none to read everything again."
