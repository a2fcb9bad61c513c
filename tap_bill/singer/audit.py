"""The stream `sync_audit`: which tables were read whole, and when, so that deleted rows can be told."""

from __future__ import annotations

import typing as t

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.schema.source import SchemaDirectory, StreamSchema

from tap_bill.api.stats import SYNC_AUDIT
from tap_bill.singer import stream_maps as maps
from tap_bill.singer.streams import SCHEMAS
from tap_bill.sync.state import ORGANIZATION, take_audits
from tap_bill.sync.times import canonical

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record


class AuditStream(Stream):
    """What the tap says of its own reads; it asks BILL for nothing.

    Its rows wait in the state until all other rows of the run are written. A loader stores one table after the other,
    and a row of this table must not be there before those that it tells of.
    """

    name = SYNC_AUDIT
    schema = StreamSchema(SchemaDirectory(SCHEMAS))
    primary_keys = (ORGANIZATION, "stream", "startedAt")
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap) -> None:
        """Make the stream."""
        super().__init__(tap)
        self._bill = tap

    @property
    def is_wanted(self) -> bool:
        """Whether the catalog selects it, and no stream map removes it."""
        return self.selected and not maps.is_removed(self, self._bill.mapper)

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Return nothing: its rows are written at the end of a run."""
        del context
        return ()

    def write(self, organization_id: str) -> int:
        """Write what the state of an organization holds for it; return how many rows."""
        self._write_schema_message()
        rows = [
            {
                ORGANIZATION: organization_id,
                "stream": table,
                "startedAt": canonical(audit["started"]),
                "completedAt": canonical(audit.get("completed", audit["started"])),
                "rows": count,
            }
            for audit in take_audits(self.tap_state, organization_id)
            for table, count in audit["rows"].items()
        ]
        for row in rows:
            self._write_record_message(row)
        if rows:
            self._bill.state_writer.write_state(self.tap_state)
        return len(rows)
