"""The stream classes that a row of the resource table turns into."""

from __future__ import annotations

import copy
import logging
import sys
import typing as t
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_bill import fetcher, passes
from tap_bill.errors import BillError, RefusedError
from tap_bill.records import UNKNOWN_FIELDS, RowMaker, line_rows
from tap_bill.resources import Clock, Key, Lines, Resource
from tap_bill.settings import parse_time
from tap_bill.state import REPLICATION_KEY, StreamState

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record

    from tap_bill.client import BillClient

ORGANIZATION: t.Final = "organizationId"

_PACKAGED: t.Final = files("tap_bill") / "schemas"
SCHEMAS: t.Final = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[1] / "schemas"
"""The schema files: inside the package when installed from a wheel, at the top of a checkout."""

UNUSABLE_QUERY: t.Final = (400, 422)
"""Statuses by which a filter or sort is refused (BILL documents none; 400 is what others saw for bad parameters)."""


class BillStream(Stream):
    """What main streams and line tables have in common."""

    schema = StreamSchema(SchemaDirectory(SCHEMAS))

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """`RowMaker` has already made every row fit its schema, without dropping anything."""

    own_columns: tuple[str, ...]
    """Columns that the tap adds to BILL's fields."""

    _maker: RowMaker | None = None
    _named: frozenset[str] = frozenset()

    def make_row(self, record: Mapping[str, t.Any], own: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Make the row of a record and warn, once per field, about what the schema does not name.

        Args:
            record: a record or line as BILL sent it.
            own: the values of `own_columns`.

        Raises:
            BillError: if BILL left out a part of the key.
        """
        if self._maker is None:
            self._maker = RowMaker(self.effective_schema, self.own_columns)
        row = self._maker.row(record, own)
        if new := row.get(UNKNOWN_FIELDS, {}).keys() - self._named:
            self._named |= new
            self.logger.warning(
                "%s: BILL sends fields that this version does not know in this form: %s. "
                "Their values are kept in %s; look for a newer tap-bill.",
                self.name,
                ", ".join(sorted(new)),
                UNKNOWN_FIELDS,
            )
        for key in self.primary_keys:
            if row.get(key) is None:
                raise BillError(f"{self.name}: BILL sent a row without {key}, so it has no key; tell BILL's support.")
        return row

    def log(self, message: str, *args: t.Any, level: int = logging.INFO, **kwargs: t.Any) -> None:
        """Log a message, except the SDK's announcement of an error that tells all by itself."""
        if level == logging.ERROR and isinstance(sys.exception(), BillError):
            return
        super().log(message, *args, level=level, **kwargs)

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Return nothing: the bookmark is capped by BILL's clock (`passes`), not by this machine's."""


class LineStream(BillStream):
    """The lines of a resource's records, written while those are read; it asks BILL for nothing itself."""

    lines: Lines
    parent_key: str
    _announced = False

    def announce(self) -> None:
        """Write the SCHEMA message, once per run."""
        if not self._announced:
            self._write_schema_message()
            self._announced = True

    def write_lines(self, record: Mapping[str, t.Any], parent: Mapping[str, t.Any]) -> None:
        """Write the lines of one record.

        Args:
            record: the parent as BILL sent it.
            parent: the parent's row.
        """
        for line, place in line_rows(self.lines, record):
            own = {
                ORGANIZATION: parent[ORGANIZATION],
                self.parent_key: parent["id"],
                # Stands until the line's own id replaces it: a line that comes without one is not lost.
                **({"id": f"position-{place['position']}"} if self.lines.key is Key.ID else {}),
                **place,
                "parentUpdatedTime": parent.get(REPLICATION_KEY),
            }
            # A copy, because deselected fields are cut out of the row while the parent still holds the line.
            self._write_record_message(self.make_row(copy.deepcopy(line), own))

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Refuse: lines come with their parent."""
        raise NotImplementedError(self.name, context)

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """Keep no state: the bookmark is the parent's."""


class ResourceStream(BillStream):
    """A BILL resource, read in one pass per run and organization."""

    resource: Resource
    own_columns = (ORGANIZATION,)

    STATE_MSG_FREQUENCY = 1000

    def __init__(self, tap: Tap, client: Callable[[], BillClient]) -> None:
        """Make the stream.

        Args:
            tap: the tap.
            client: returns the client; called at the first request, so that discovery needs no settings.
        """
        super().__init__(tap)
        self._client = client

    @property
    def partitions(self) -> list[dict[str, t.Any]] | None:
        """One partition per organization, so that bookmarks of different organizations never mix."""
        return [{ORGANIZATION: self.config["organization_id"]}]

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of one pass and write their lines; then move the bookmark.

        Raises:
            BillError: with one sentence, if the pass could not be completed.
        """
        organization = {ORGANIZATION: t.cast("Context", context)[ORGANIZATION]}
        lines = [child for child in self.child_streams if isinstance(child, LineStream) and child.selected]
        for table in lines:
            table.announce()
        covered = [stream.name for stream in (self, *lines) if stream.selected]
        state = StreamState(self.get_context_state(context))
        planned = self._plan(state.bookmark(covered))
        for page in self._read(planned):
            for record in page:
                row = self.make_row(record, organization)
                planned.see(row.get("createdTime"), row.get(REPLICATION_KEY))
                if self.stream_maps[0].get_filter_result(row):
                    for table in lines:
                        table.write_lines(record, row)
                yield row
        if self._incremental:
            state.complete(self._close(planned), covered)

    @property
    def _incremental(self) -> bool:
        """Whether a bookmark is kept; a catalog may force the stream to be read whole."""
        return self.resource.clock is not Clock.NONE and self.replication_method == REPLICATION_INCREMENTAL

    def _plan(self, bookmark: datetime | None) -> passes.Pass:
        start_date = self.config.get("start_date")
        planned = passes.Pass.plan(
            bookmark=bookmark if self._incremental else None,
            start_date=parse_time(start_date) if start_date and self._incremental else None,
            lookback=timedelta(seconds=self.config["lookback_seconds"]),
            started_at=self._client().server_time(),
        )
        since = passes.spell(planned.since) if planned.since else "the beginning"
        self.logger.info("%s: reading rows changed since %s.", self.name, since)
        return planned

    def _read(self, planned: passes.Pass) -> Iterator[fetcher.Page]:
        """Yield the pages of a pass; where BILL refuses to filter or sort, those of the whole list instead."""
        if self.resource.clock is Clock.NONE:
            yield from self._pages({})
            return
        pages = self._pages(planned.params())
        try:
            first = next(pages)
        except RefusedError as error:
            if error.refusal.status not in UNUSABLE_QUERY:
                raise
            self.logger.warning(
                "%s: BILL refused to filter and sort it by time (%s), so it is read whole, and its bookmark stays.",
                self.name,
                error.refusal,
            )
            planned.distrust()
            yield from self._pages({})
        else:
            yield first
            yield from pages

    def _pages(self, params: Mapping[str, str]) -> Iterator[fetcher.Page]:
        client = self._client()
        path = self.resource.path.format(organization_id=client.organization_id)
        read = fetcher.READERS[self.resource.envelope]
        return read(client, self.name, path, {"max": str(self.config["page_size"]), **params})

    def _close(self, planned: passes.Pass) -> datetime | None:
        """Return the bookmark after a pass and say so if it cannot move."""
        if planned.out_of_order:
            self.logger.warning(
                "%s: BILL did not keep the creation order that was asked for, so an edit during the read may have "
                "hidden a row; the bookmark stays and the next run reads this stream again.",
                self.name,
            )
        if planned.started_at is None:
            self.logger.warning("%s: BILL's answers carry no Date, so the bookmark stays.", self.name)
        return planned.next_bookmark()

    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterator[Context | None]:
        """Yield nothing: lines are written with their record, not by requests of their own."""
        del record, context
        yield from ()

    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Do nothing per record: the bookmark moves when the pass is complete."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Do nothing: the pass begins at its own bookmark."""


def stream_classes(resource: Resource) -> Iterator[type[BillStream]]:
    """Turn a row of the table into classes: the resource's, then one for each of its line tables.

    Classes, not instances of one, because the SDK joins children to parents by class.
    """
    incremental = resource.clock is not Clock.NONE
    parent = type(
        resource.name,
        (ResourceStream,),
        {
            "__doc__": f"{resource.bill_object} records of BILL.",
            "resource": resource,
            "name": resource.name,
            "primary_keys": (ORGANIZATION, "id"),
            "replication_key": REPLICATION_KEY if incremental else None,
        },
    )
    yield parent
    for lines in resource.lines:
        added = (lines.enclosing,) if lines.enclosing else ()
        yield type(
            lines.name,
            (LineStream,),
            {
                "__doc__": f"Lines from {'.'.join(lines.array)} of {resource.name}.",
                "parent_stream_type": parent,
                "lines": lines,
                "parent_key": resource.parent_key,
                "own_columns": (ORGANIZATION, resource.parent_key, *added, "position", "parentUpdatedTime"),
                "name": lines.name,
                "primary_keys": (ORGANIZATION, resource.parent_key, lines.key.value),
                "replication_key": None,
            },
        )
