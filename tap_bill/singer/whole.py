"""What is known of a whole list once it is read: whether it is news, and what `sync_audit` says of it.

A list without a clock is read whole in every run. Its records are held until it is complete, and written only if they
are not those that were last written.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.json import Encoder

from tap_bill.settings import SDK_SETTINGS
from tap_bill.sync.context import VERSION
from tap_bill.sync.times import comparable, parse
from tap_bill.sync.walk import identity

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk import Stream

    from tap_bill.api.pagination import Record
    from tap_bill.sync.reader import Extraction
    from tap_bill.sync.scan import Page
    from tap_bill.sync.state import StreamState

MOST_HELD: t.Final = 10_000
"""Records of a list that are held; a longer list is written as it comes, in every run."""

MOMENT: t.Final = timedelta(milliseconds=1)
"""The smallest difference between two times that `sync_audit` shows."""

_ENCODER: t.Final = Encoder(order="sorted", decimal_format="number", enc_hook=str)


def shape(streams: Iterable[Stream], config: Mapping[str, t.Any]) -> bytes:
    """Return what makes other rows of the same records: the tables, their columns and keys, maps, and the version."""
    tables = [
        [stream.name, [[each.stream_alias, each.transformed_key_properties, each.transformed_schema] for each in maps]]
        for stream in streams
        for maps in (stream.stream_maps,)
    ]
    maps = {name: config[name] for name in SDK_SETTINGS if name in config}
    return _ENCODER.encode([VERSION, tables, maps])


class Held:
    """A list, or as much of it as has come; what it says does not depend on the order in which BILL lists records."""

    def __init__(self) -> None:
        self.pages: list[Sequence[Record]] = []
        self.size = 0
        self.marks: set[bytes] = set()
        self._order: dict[str, list[tuple[t.Any, bytes]]] = {}

    def add(self, page: Page) -> None:
        """Take a page in."""
        self.pages.append(page.records)
        self.size += len(page.records)
        walked = str(page.slice.walk.query) if page.slice.walk else ""
        marked = [(identity(record), _mark(record)) for record in page.records]
        self._order.setdefault(walked, []).extend(marked)
        self.marks.update(mark for _, mark in marked)

    def has(self, record: Record) -> bool:
        """Tell whether a record came, just as it is."""
        return _mark(record) in self.marks

    def is_same(self, other: Held) -> bool:
        """Tell whether the same came in the same order, so that nothing can have moved while either was read."""
        return self._order == other._order

    def digest(self, shape_: bytes) -> str:
        """Return what is the same for no other rows.

        Args:
            shape_: what makes rows of the records.
        """
        whole = hashlib.sha256(shape_)
        for mark in sorted(self.marks):
            whole.update(mark)
        return whole.hexdigest()[:32]


def _mark(record: Record) -> bytes:
    return hashlib.sha256(_ENCODER.encode(record)).digest()


@dataclass(slots=True, eq=False)
class Reading:
    """One read of a stream.

    Args:
        extraction: the scan.
        queries: what it asks with where it follows BILL's cursor.
        held: what has come of a list that is held; None where it is written as it comes.
        is_audited: whether `sync_audit` is to say that it was read whole.
        started: this machine's clock before its first request.
        counts: rows of each table before the read, less what an earlier run has written of it.
    """

    extraction: Extraction
    queries: list[dict[str, str]]
    held: Held | None = None
    is_audited: bool = False
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    counts: dict[str, int] = field(default_factory=dict)

    def audit(self, state: StreamState, saved: Mapping[str, t.Any] | None, written: Mapping[str, int]) -> None:
        """Have `sync_audit` tell of it.

        No clock need be right for that: what is read later starts later than all that `sync_audit` tells of already.

        Args:
            state: of the stream.
            saved: what an earlier run has kept of it; None where it begins.
            written: rows of each table in this run so far.
        """
        self.is_audited = True
        if saved:
            self.started = parse(saved["started"])
            self.counts = {name: written[name] - rows for name, rows in saved["rows"].items() if name in written}
            return
        begun = self.extraction.begun_at
        self.started = begun.replace(microsecond=begun.microsecond // 1000 * 1000)
        if last := state.audited:
            self.started = max(self.started, last + MOMENT)
        self.counts = dict(written)

    def progress(self, written: Mapping[str, int]) -> dict[str, t.Any]:
        """Return what a later run needs to know of it, as JSON; nothing where `sync_audit` will not tell of it."""
        if not self.is_audited or self.extraction.scan.doubt:
            return {}
        rows = {name: written[name] - before for name, before in self.counts.items()}
        return {"audit": {"started": comparable(self.started), "rows": rows}}
