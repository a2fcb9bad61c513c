"""The stream classes that a row of the resource table turns into."""

from __future__ import annotations

import copy
import logging
import sys
import typing as t
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncExceptionBase
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_bill import fetcher
from tap_bill.errors import BillError, Reaction, RefusedError
from tap_bill.passes import OutOfOrderError, Page, Pass, spell
from tap_bill.records import UNKNOWN_FIELDS, RowMaker, line_rows
from tap_bill.resources import Clock, Key, Lines, Resource
from tap_bill.settings import parse_time
from tap_bill.state import REPLICATION_KEY, StreamState

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_bill.refusals import Refusal
    from tap_bill.tally import Tally
    from tap_bill.tap import TapBill

ORGANIZATION: t.Final = "organizationId"

TOLD_ELSEWHERE: t.Final = (BillError, BrokenPipeError, AbortedSyncExceptionBase)
"""What ends a stream without being a fault of the tap; the last is how `--test` ends each after one record."""

_PACKAGED: t.Final = files("tap_bill") / "schemas"
SCHEMAS: t.Final = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[1] / "schemas"
"""The schema files: inside the package when installed from a wheel, at the top of a checkout."""


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

    @cached_property
    def tally(self) -> Tally:
        """What is told of this stream in the run's summary."""
        return t.cast("TapBill", self._tap).tallies.of(self.name)

    @cached_property
    def is_plain(self) -> bool:
        """Whether rows go out as they are: every field selected, no stream map, no flattening."""
        first, *more = self.stream_maps
        same = isinstance(first, SameRecordTransform) and not first.flattening_enabled and not more
        return same and all(self.mask.values())

    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Make the RECORD messages of a row; a plain one needs none of the SDK's work on it."""
        if self.is_plain:
            yield RecordMessage(stream=self.name, record=record, time_extracted=datetime.now(UTC))
        else:
            yield from super()._generate_record_messages(record)

    def log(self, message: str, *args: t.Any, level: int = logging.INFO, **kwargs: t.Any) -> None:
        """Log a message, except the SDK's announcement of an error that tells all by itself, or that is none."""
        if level == logging.ERROR and isinstance(sys.exception(), TOLD_ELSEWHERE):
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
            self.tally.records += 1
            # A copy where fields may be cut out of the row, because the parent still holds the line.
            self._write_record_message(self.make_row(line if self.is_plain else copy.deepcopy(line), own))

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Refuse: lines come with their parent."""
        raise NotImplementedError(self.name, context)

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """Keep no state: the bookmark is the parent's."""


class ResourceStream(BillStream):
    """A BILL resource, read in one pass per run and organization."""

    resource: Resource
    own_columns = (ORGANIZATION,)

    def __init__(self, tap: TapBill) -> None:
        """Make the stream."""
        super().__init__(tap)
        self._bill = tap
        self._reads: dict[str, fetcher.Read] = {}

    @property
    def partitions(self) -> list[dict[str, t.Any]] | None:
        """One partition per organization, so that bookmarks of different organizations never mix."""
        return [{ORGANIZATION: self.config["organization_id"]}]

    def expected(self) -> Iterator[fetcher.Read]:
        """Plan the passes of this run, so that their first pages can be fetched ahead."""
        for context in self.partitions or ():
            read = self._reads[context[ORGANIZATION]] = self._plan(context)
            yield read

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of one pass and write their lines; then move the bookmark.

        Raises:
            BillError: with one sentence, if the pass could not be completed.
        """
        context = t.cast("Context", context)
        organization = {ORGANIZATION: context[ORGANIZATION]}
        for table in self._lines:
            table.announce()
        state = self._state(context)
        self.tally.before = self.tally.after = state.shown
        read = self._reads.pop(context[ORGANIZATION], None) or self._plan(context)
        try:
            for read, page in self._pages(read):  # noqa: B020 - it becomes a simpler one where BILL refuses
                yield from self._rows(page.records, organization, read.plan)
                self._bill.message_writer.flush()
                progress = self._bill.fetcher.wrote(read, page)
                if self._incremental and read.plan.ordered:
                    state.note(progress)
                    self._bill.state_writer.write_state(self.tap_state)
        except RefusedError as error:
            if error.refusal.reaction is not Reaction.SKIP_STREAM:
                raise
            self._skip(error.refusal)
            return
        if self._incremental:
            if read.plan.started_at is None:
                self.logger.warning("%s: BILL's answers carry no Date, so the bookmark stays.", self.name)
            state.complete(read.plan.next_bookmark())
            self.tally.after = state.shown

    def _rows(self, records: Iterable[Record], own: Mapping[str, t.Any], plan: Pass) -> Iterator[Record]:
        """Yield the rows of a page, each after its lines are written."""
        for record in records:
            row = self.make_row(record, own)
            plan.see(row.get(REPLICATION_KEY))
            if self.stream_maps[0].get_filter_result(row):
                for table in self._lines:
                    table.write_lines(record, row)
            self.tally.records += 1
            yield row

    def _skip(self, refusal: Refusal) -> None:
        """Leave a stream that may not be read, once and for all lines of the summary to see."""
        self.tally.skipped = str(refusal)
        self.logger.warning(
            "%s: skipped, because BILL does not let this user read it (%s): it needs %s. "
            "Its bookmark stays. Give the user a role with this permission in BILL, or deselect the stream.",
            self.name,
            refusal,
            self.resource.needs,
        )

    @cached_property
    def _lines(self) -> list[LineStream]:
        return [child for child in self.child_streams if isinstance(child, LineStream) and child.selected]

    @property
    def _incremental(self) -> bool:
        """Whether a bookmark is kept; a catalog may force the stream to be read whole."""
        return self.resource.clock is not Clock.NONE and self.replication_method == REPLICATION_INCREMENTAL

    def _state(self, context: Context) -> StreamState:
        tables = [stream.name for stream in (self, *self._lines) if stream.selected]
        return StreamState(self.get_context_state(context), tables)

    def _plan(self, context: Context) -> fetcher.Read:
        state, start_date = self._state(context), self.config.get("start_date")
        if self._incremental:
            plan = Pass.plan(
                bookmark=state.bookmark,
                start_date=parse_time(start_date) if start_date else None,
                lookback=timedelta(seconds=self.config["lookback_seconds"]),
            )
            if state.interrupted:
                plan.resume(state.interrupted)
        else:
            plan = Pass(ordered=self.resource.clock is not Clock.NONE)
        path = self.resource.path.format(organization_id=context[ORGANIZATION])
        return fetcher.Read(self.name, path, self.resource.envelope, self.config["page_size"], plan)

    def _pages(self, read: fetcher.Read) -> Iterator[tuple[fetcher.Read, Page]]:
        """Yield the pages of a pass; where BILL cannot read it as planned, those of a simpler pass from the start."""
        since = spell(read.plan.since) if read.plan.since else "the beginning"
        self.logger.info("%s: reading rows changed since %s.", self.name, since)
        while True:
            try:
                for page in self._bill.fetcher.pages(read):
                    yield read, page
            except (OutOfOrderError, RefusedError) as error:
                why = "BILL did not keep the creation order that was asked for"
                if isinstance(error, RefusedError):
                    why = f"BILL refused to filter and sort it by time ({error.refusal})"
                    if not error.refusal.may_mean_the_query:
                        raise
                if (plan := read.plan.simpler()) is None:
                    raise
            else:
                return
            instead = "one reader reads it" if plan.ordered else "it is read whole, and its bookmark stays"
            self.logger.warning("%s: %s, so %s.", self.name, why, instead)
            read = replace(read, plan=plan, waiting=deque(), under_way=0, error=None)

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
