"""The stream classes that a row of the resource table turns into."""

from __future__ import annotations

import copy
import logging
import re
import sys
import typing as t
from collections import deque
from datetime import UTC, datetime
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncExceptionBase
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL, Metadata

from tap_bill.api.errors import BillError, Reaction, RefusedError
from tap_bill.api.pagination import Endpoint
from tap_bill.resources import Clock, Key, Lines, Parent, Resource
from tap_bill.settings import parse_time
from tap_bill.singer import stream_maps as maps
from tap_bill.singer.records import UNKNOWN_FIELDS, RowMaker, line_rows
from tap_bill.sync import reader as fetcher
from tap_bill.sync.scan import NotAsAskedError, Page, Pass, spell
from tap_bill.sync.state import ORGANIZATION, REPLICATION_KEY, StreamState

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib.catalog import MetadataMapping

    from tap_bill.api.error_responses import Refusal
    from tap_bill.api.stats import Tally
    from tap_bill.tap import TapBill

LOGGED_ELSEWHERE: t.Final = (BillError, BrokenPipeError, AbortedSyncExceptionBase)
"""What ends a stream without being a fault of the tap; the last is how the SDK's dry run ends each after one record."""

_PACKAGED: t.Final = files("tap_bill") / "schemas"
SCHEMAS: t.Final = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "schemas"
"""The schema files: inside the package when installed from a wheel, at the top of a checkout."""


class BillStream(Stream):
    """What main streams, line tables and parts have in common."""

    schema = StreamSchema(SchemaDirectory(SCHEMAS))

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """`RowMaker` has already made every row fit its schema, without dropping anything."""

    resource: Resource
    """Where the rows, or the records that hold them, are read."""

    own_columns: tuple[str, ...]
    """Columns that the tap adds to BILL's fields."""

    when_readable = "Its bookmark stays."
    """What becomes of the rows of a stream that may not be read."""

    _maker: RowMaker | None = None
    _named: frozenset[str] = frozenset()

    def __init__(self, tap: TapBill) -> None:
        """Make the stream."""
        super().__init__(tap)
        self._bill = tap

    def make_row(self, record: Mapping[str, t.Any], own: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Make the row of a record and warn, once per field, about what the schema does not name.

        Args:
            record: a record or line as BILL sent it.
            own: the values of `own_columns`.

        Raises:
            BillError: if BILL left out a part of the key.
        """
        if self._maker is None:
            self._maker = RowMaker(self.effective_schema, self.own_columns, maps.levels(self.stream_maps))
        row = self._maker.row(record, own)
        unknown = row.get(UNKNOWN_FIELDS)
        if unknown and (new := {re.sub(r"\[\d+\]", "[]", path) for path in unknown} - self._named):
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

    @property
    def metadata(self) -> MetadataMapping:
        """What the catalog selects; always the key, and the time that tells the present lines from older ones."""
        found = super().metadata
        for column in (*self.primary_keys, "parentUpdatedTime"):
            if entry := found.get(("properties", column)):
                entry.inclusion = Metadata.InclusionType.AUTOMATIC
        return found

    @property
    def is_wanted(self) -> bool:
        """Whether the catalog selects the stream, and no stream map removes it."""
        return super().selected and not maps.is_removed(self.stream_maps)

    @property
    def selected(self) -> bool:
        """Whether it is wanted, and there are credentials to read it with."""
        return self.is_wanted and self._bill.may_read(self.resource)

    @selected.setter
    def selected(self, value: bool | None) -> None:
        """Select the stream, or not."""
        vars(Stream)["selected"].__set__(self, value)

    @property
    def is_refused(self) -> bool:
        """Whether BILL did not let the user read it, or what it comes from."""
        resource = self.resource
        sources = (resource.name, resource.parent.stream) if resource.parent else (resource.name,)
        return any(self._bill.tallies.of(source).skipped for source in sources)

    @cached_property
    def tally(self) -> Tally:
        """What is told of this stream in the run's summary."""
        return self._bill.tallies.of(self.name)

    def endpoint(self, parent_id: str = "") -> Endpoint:
        """Return where the rows are read."""
        return Endpoint.of(
            self.resource,
            organization_id=self._bill.organization_id,
            page_size=self.config["page_size"],
            parent_id=parent_id,
        )

    def pages(self, read: fetcher.Read) -> Iterator[tuple[fetcher.Read, Page]]:
        """Yield the pages of a pass; where BILL cannot read it as planned, those of a simpler pass from the start.

        Raises:
            BillError: with one sentence, if it could not be completed.
        """
        why = ""
        while True:
            try:
                for page in self._bill.fetcher_of(self.resource).pages(read):
                    if why:
                        self.logger.log(
                            self._gravity(read.plan), "%s: %s, so %s.", self.name, why, self._instead(read.plan)
                        )
                        why = ""
                    yield read, page
            except RefusedError as error:
                if not error.refusal.may_mean_the_query or (plan := read.plan.simpler()) is None:
                    raise
                why = why or f"BILL refused to filter and sort it as asked for ({error.refusal})"
            except NotAsAskedError as error:
                if (plan := read.plan.simpler(refused=False)) is None:
                    raise
                why = why or str(error)
            else:
                return
            read = fetcher.Read(read.endpoint, plan, is_begun=True)

    def _gravity(self, plan: Pass) -> int:
        """Return the level at which a simpler pass is logged; that some lists may have to be read whole is no news."""
        expected = not self.replication_key or (self.resource.clock is Clock.ASSUMED and not plan.keeps_up)
        return logging.INFO if expected else logging.WARNING

    def _instead(self, plan: Pass) -> str:
        """Say what a simpler pass is like."""
        if self.replication_key and plan.keeps_up:
            return "one reader follows BILL's own cursor, twice where there is more than a page"
        return f"it is read whole{', and its bookmark stays' if self.replication_key else ''}"

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
        """Log a message of the SDK, unless the tap logs the same: that a stream begins, and which error ends it."""
        if message.startswith("Beginning sync of"):
            return
        if level == logging.ERROR and isinstance(sys.exception(), LOGGED_ELSEWHERE):
            return
        super().log(message, *args, level=level, **kwargs)

    def skip(self, refusal: Refusal) -> None:
        """Leave a stream that may not be read, once and for all lines of the summary to see."""
        self.tally.skipped = str(refusal)
        self.logger.warning(
            "%s: skipped, because BILL does not let this user read it (%s): it needs %s. %s "
            "Give the user a role with this permission in BILL, or deselect the stream.",
            self.name,
            refusal,
            self.resource.needs,
            self.when_readable,
        )

    def fail(self, error: BillError) -> None:
        """Note why it could not be read to the end, and with it what is read along with it."""
        for stream in (self, *(child for child in self.child_streams if child.selected)):
            t.cast("BillStream", stream).tally.failed = error.message

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Return nothing: the bookmark is capped by BILL's clock (`passes`), not by this machine's."""


class ChildStream(BillStream):
    """What is written while another stream is read, record by record of that."""

    _announced = False

    def announce(self) -> None:
        """Write the SCHEMA message, once per run."""
        if not self._announced:
            self._write_schema_message()
            self._announced = True

    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Refuse: rows come with their parent."""
        raise NotImplementedError(self.name, context)

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """Keep no state: the bookmark is the parent's."""


class LineStream(ChildStream):
    """The lines of a resource's records; it asks BILL for nothing itself."""

    lines: Lines

    def write_lines(self, record: Mapping[str, t.Any], parent: Mapping[str, t.Any]) -> None:
        """Write the lines of one record.

        Args:
            record: the parent as BILL sent it.
            parent: the parent's row.
        """
        for line, place in line_rows(self.lines, record):
            own = {
                **self._bill.owner,
                self.resource.parent_key: parent["id"],
                # Stands until the line's own id replaces it: a line that comes without one is not lost.
                **({"id": f"position-{place['position']}"} if self.lines.key is Key.ID else {}),
                **place,
                "parentUpdatedTime": parent.get(REPLICATION_KEY),
            }
            self.tally.records += 1
            # A copy where fields may be cut out of the row, because the parent still holds the line.
            self._write_record_message(self.make_row(line if self.is_plain else copy.deepcopy(line), own))


class PartStream(ChildStream):
    """What BILL answers for each record of another resource, a few at a time.

    Only the records that this run reads are asked for, so that it needs no state of its own.
    """

    parent: Parent

    when_readable = "What it misses until then is made up for once it may be read."

    def __init__(self, tap: TapBill) -> None:
        """Make the stream."""
        super().__init__(tap)
        self._queries: Sequence[Mapping[str, str]] = self.resource.queries
        self._was_read = False

    def may_be_read(self, parent_id: str) -> bool:
        """Ask for the parts of one record, for which they were refused before.

        Raises:
            BillError: with one sentence, if BILL refuses for another reason.
        """
        read = self._plan(parent_id)
        try:
            for _ in self.pages(read):
                break
        except RefusedError as error:
            if error.refusal.reaction is Reaction.SKIP_STREAM:
                self.skip(error.refusal)
                return False
            if not error.refusal.means_missing:
                raise
        return True

    def write_parts(self, parent_ids: Iterable[str]) -> str:
        """Write the parts of some records.

        Args:
            parent_ids: the records.

        Returns:
            The record for which BILL did not let the user read them; empty where all are written.

        Raises:
            BillError: with one sentence, if they could not be read.
        """
        fetch = self._bill.fetcher_of(self.resource)
        left = deque(parent_ids)
        while left and not self.tally.skipped:
            queries = self._queries
            reads = [self._plan(parent_id) for parent_id in left]
            fetch.expect(reads, next_=True)
            try:
                for read in reads:
                    self._write_of(left[0], read)
                    left.popleft()
                    if self._queries is not queries:
                        break  # the others are asked for as this one had to be
            except RefusedError as error:
                if self._was_read or error.refusal.reaction is not Reaction.SKIP_STREAM:
                    raise
                self.skip(error.refusal)
                return left[0]
            finally:
                fetch.forget(reads)
        return ""

    def _write_of(self, parent_id: str, read: fetcher.Read) -> None:
        """Write the parts of one record; a record that went away meanwhile, or that has none, brings nothing."""
        own: dict[str, t.Any] = {**self._bill.owner, self.parent.column: parent_id}
        position = 0
        try:
            for each, page in self.pages(read):
                if each is not read:  # it begins again, in a simpler way
                    read, position = each, 0
                    self._queries = each.plan.queries
                for record in page.records:
                    position += 1
                    place = {"position": position} if "position" in self.own_columns else {}
                    self.tally.records += 1
                    self._write_record_message(self.make_row(record, {**own, **place}))
                self._bill.fetcher_of(self.resource).wrote(read, page)
                self._was_read = True
        except RefusedError as error:
            if not error.refusal.means_missing:
                raise

    def _plan(self, parent_id: str) -> fetcher.Read:
        return fetcher.Read(self.endpoint(parent_id), Pass.whole(self._queries))


class ResourceStream(BillStream):
    """A BILL resource, read in one pass per run and organization."""

    own_columns = (ORGANIZATION,)

    def __init__(self, tap: TapBill) -> None:
        """Make the stream."""
        super().__init__(tap)
        self._reads: dict[str, fetcher.Read] = {}

    @property
    def partitions(self) -> list[dict[str, t.Any]] | None:
        """One partition per organization, so that bookmarks of different organizations never mix."""
        return [{ORGANIZATION: self._bill.organization_id}]

    def expected(self) -> Iterator[fetcher.Read]:
        """Plan the passes of this run, so that their first pages can be fetched ahead."""
        for context in self.partitions or ():
            state = self._state(context)
            if not state.behind:  # what is to be made up for shows only when the stream's turn comes
                read = self._reads[context[ORGANIZATION]] = self._plan(state)
                yield read

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of one pass and write their lines; then move the bookmark.

        Raises:
            BillError: with one sentence, if the pass could not be completed.
        """
        context = t.cast("Context", context)
        for table in self._tables:
            table.announce()
        state = self._state(context)
        self.tally.before = self.tally.after = state.shown
        self._regain(state)
        read = self._reads.pop(context[ORGANIZATION], None) or self._plan(state)
        which = f"what changed since {spell(read.plan.since)}" if read.plan.since else "everything"
        self.logger.info("%s: reading %s.", self.name, which)
        try:
            for each, page in self.pages(read):
                if each is not read:
                    read = each
                    self._begin_again(state)
                yield from self._write(read, page, state)
        except RefusedError as error:
            if read.plan.answered or error.refusal.reaction is not Reaction.SKIP_STREAM:
                raise
            self.skip(error.refusal)
            return
        if self._incremental:
            if read.plan.started_at is None:
                self.logger.warning("%s: BILL's answers carry no Date, so the bookmark stays.", self.name)
            elif read.plan.why_not:
                self.logger.warning("%s: %s, so the bookmark stays.", self.name, read.plan.why_not)
            state.complete(read.plan.next_bookmark())
            self.tally.after = state.shown

    def _regain(self, state: StreamState) -> None:
        """Try whether parts that might not be read may be by now; what they have missed is then read, too."""
        for part in self._parts:
            if (parent_id := state.behind.get(part.name)) and part.may_be_read(parent_id):
                state.regain(part.name)
                self.logger.info("%s: may be read again; what it has missed comes now.", part.name)

    def _begin_again(self, state: StreamState) -> None:
        """Keep nothing of a pass that could not be read as planned: its successor could not tell what it missed."""
        if self._incremental:
            state.begin_again()
            self._bill.state_writer.write_state(self.tap_state)

    def _write(self, read: fetcher.Read, page: Page, state: StreamState) -> Iterator[Record]:
        """Yield the rows of a page, write their lines and parts, and keep how far the pass is."""
        ids: list[str] = []
        yield from self._rows(page.records, ids)
        for part in self._parts:
            refused_for = part.write_parts(ids)
            if refused_for and self._incremental:  # what is read whole misses nothing for longer than a run
                state.leave_out(part.name, refused_for)
        self._bill.message_writer.flush()
        while read.plan.notes:
            self.logger.info("%s: %s.", self.name, read.plan.notes.pop())
        progress = self._bill.fetcher_of(self.resource).wrote(read, page)
        if self._incremental and read.plan.ordered:
            state.note(progress)
            self._bill.state_writer.write_state(self.tap_state)

    def _rows(self, records: Iterable[Record], ids: list[str]) -> Iterator[Record]:
        """Yield the rows of a page, each after its lines are written; note in `ids` whose parts are wanted."""
        for record in records:
            row = self.make_row(record, self._bill.owner)
            if self.stream_maps[0].get_filter_result(row):
                if self._parts:
                    ids.append(str(row["id"]))
                for table in self._lines:
                    table.write_lines(record, row)
            self.tally.records += 1
            yield row

    @cached_property
    def _tables(self) -> list[ChildStream]:
        return [child for child in self.child_streams if isinstance(child, ChildStream) and child.selected]

    @cached_property
    def _lines(self) -> list[LineStream]:
        return [table for table in self._tables if isinstance(table, LineStream)]

    @cached_property
    def _parts(self) -> list[PartStream]:
        return [table for table in self._tables if isinstance(table, PartStream)]

    @property
    def _incremental(self) -> bool:
        """Whether a bookmark is kept; a catalog may force the stream to be read whole."""
        return self.resource.clock is not Clock.NONE and self.replication_method == REPLICATION_INCREMENTAL

    def _state(self, context: Context) -> StreamState:
        tables = [stream.name for stream in (self, *self._tables) if stream.selected]
        return StreamState(self.get_context_state(context), tables)

    def _plan(self, state: StreamState) -> fetcher.Read:
        start_date = self.config.get("start_date")
        if self._incremental:
            plan = Pass.plan(
                bookmark=self._believed(state.bookmark),
                start_date=parse_time(start_date) if start_date else None,
                lookback=self.config["lookback_seconds"],
            )
            if self.resource.clock is Clock.FILTER_ONLY:
                plan = plan.walked(self.resource.queries[0])
            elif state.interrupted:
                plan.resume(state.interrupted)
        elif self.resource.clock in SORTED:
            plan = Pass()
        else:
            plan = Pass.whole(self.resource.queries)
        return fetcher.Read(self.endpoint(), plan)

    def _believed(self, bookmark: datetime | None) -> datetime | None:
        """Return a bookmark that can be true: BILL's clock has reached it."""
        now = self._bill.client_of(self.resource).server_time()
        if bookmark is None or now is None or bookmark <= now:
            return bookmark
        self.logger.warning(
            "%s: its bookmark lies after BILL's present time, so BILL's clock was ahead once; "
            "it is read from the beginning.",
            self.name,
        )
        return None

    def generate_child_contexts(self, record: Record, context: Context | None) -> Iterator[Context | None]:
        """Yield nothing: lines are written with their record, not by requests of their own."""
        del record, context
        yield from ()

    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Do nothing per record: the bookmark moves when the pass is complete."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Do nothing: the pass begins at its own bookmark."""


SORTED: t.Final = (Clock.DOCUMENTED, Clock.ASSUMED)
"""Where BILL is asked for the order of creation, even to read all: then no edit can move a row past the reader."""


def stream_classes(resources: Iterable[Resource]) -> Iterator[type[BillStream]]:
    """Turn rows of the table into classes: each resource's, then one for each of its line tables.

    Classes, not instances of one, because the SDK joins children to parents by class.

    Args:
        resources: the rows, parents before what is asked for each of them.
    """
    classes: dict[str, type[BillStream]] = {}
    for resource in resources:
        owner = () if resource.is_spend else (ORGANIZATION,)
        parent = resource.parent
        common: dict[str, t.Any] = {
            "__doc__": f"{resource.bill_object} records of BILL.",
            "resource": resource,
            "name": resource.name,
            "primary_keys": (*owner, *resource.key),
            "selected_by_default": resource.is_default,
        }
        if parent:
            place = ("position",) if "position" in resource.key else ()
            own = {
                "parent": parent,
                "parent_stream_type": classes[parent.stream],
                "own_columns": (ORGANIZATION, parent.column, *place),
                "replication_key": None,
            }
            yield type(resource.name, (PartStream,), common | own)
            continue
        incremental = resource.clock is not Clock.NONE
        main = type(
            resource.name, (ResourceStream,), common | {"replication_key": REPLICATION_KEY if incremental else None}
        )
        classes[resource.name] = main
        yield main
        for lines in resource.lines:
            added = (lines.enclosing,) if lines.enclosing else ()
            yield type(
                lines.name,
                (LineStream,),
                {
                    "__doc__": f"Lines from {'.'.join(lines.array)} of {resource.name}.",
                    "parent_stream_type": main,
                    "resource": resource,
                    "lines": lines,
                    "own_columns": (ORGANIZATION, resource.parent_key, *added, "position", "parentUpdatedTime"),
                    "name": lines.name,
                    "primary_keys": (*owner, resource.parent_key, lines.key.value),
                    "replication_key": None,
                },
            )
