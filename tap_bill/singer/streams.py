"""The stream classes that a row of the resource table turns into."""

from __future__ import annotations

import copy
import logging
import sys
import typing as t
from collections import deque
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from singer_sdk import Stream
from singer_sdk.exceptions import AbortedSyncExceptionBase
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.schema.source import SchemaDirectory, StreamSchema
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL, Metadata, MetadataMapping, StreamMetadata

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import BillError, ErrorAction
from tap_bill.api.pagination import Endpoint
from tap_bill.resources import Changes, Lines, Parent, Resource
from tap_bill.settings import parse_time
from tap_bill.singer import stream_maps as maps
from tap_bill.singer.decimals import with_decimals, with_numbers
from tap_bill.singer.records import UNKNOWN_FIELDS, OddFields, RowMaker, line_rows
from tap_bill.singer.whole import MOST_HELD, Held, Reading, shape
from tap_bill.sync.reader import Extraction
from tap_bill.sync.reread import is_due
from tap_bill.sync.scan import SEVERAL_PAGES, NotAsAskedError, Page, Scan
from tap_bill.sync.state import ORGANIZATION, REPLICATION_KEY, StreamState
from tap_bill.sync.times import comparable, spell

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib.catalog import SelectionMask

    from tap_bill.api.error_responses import ErrorResponse
    from tap_bill.api.stats import StreamStats
    from tap_bill.singer.writer import PageWriter
    from tap_bill.sync.context import RunContext

LOGGED_ELSEWHERE: t.Final = (BillError, BrokenPipeError, AbortedSyncExceptionBase)
"""What ends a stream without being a fault of the tap; the last is how the SDK's dry run ends each after one record."""

NOT_CERTAIN: t.Final = "%s: %s, so sync_audit does not say that it was read whole."

_PACKAGED: t.Final = files("tap_bill") / "schemas"
SCHEMAS: t.Final = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "schemas"
"""The schema files: inside the package when installed from a wheel, at the top of a checkout."""


class BillStream(Stream):
    """What main streams, line tables and parts have in common."""

    _schema_file = StreamSchema(SchemaDirectory(SCHEMAS))

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """`RowMaker` has already made every row fit its schema, without dropping anything."""

    resource: Resource
    """Where the rows, or the records that hold them, are read."""

    own_columns: tuple[str, ...]
    """Columns that the tap adds to BILL's fields."""

    when_readable = "Its bookmark stays."
    """What becomes of the rows of a stream that may not be read."""

    _maker: RowMaker | None = None

    def __init__(self, tap: Tap, context: RunContext, main: BillStream | None = None) -> None:
        """Make the stream.

        Args:
            tap: whose stream it is.
            context: what the streams of a run share.
            main: the same stream of the tap that made this one for one of several organizations.
        """
        super().__init__(tap)
        self._bill = tap
        self._run = context
        self._main = main
        self._odd = OddFields(self.name, self.logger)

    @cached_property
    def schema(self) -> dict[str, t.Any]:
        """What the stream is discovered as."""
        schema: dict[str, t.Any] = self._schema_file
        return with_decimals(schema) if self.config["use_singer_decimal"] else schema

    @cached_property
    def effective_schema(self) -> dict[str, t.Any]:
        """What records are held against and stream maps compute with: amounts are numbers, whatever a catalog says."""
        return with_numbers(super().effective_schema)

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
        if unknown := row.get(UNKNOWN_FIELDS):
            self._odd.tell(unknown)
        for key in self.primary_keys:
            if row.get(key) is None:
                raise BillError(
                    f"{self.name}: BILL sent a row without {key}, so it has no key; contact BILL's support."
                )
        return row

    @property
    def metadata(self) -> MetadataMapping:
        """What the catalog selects; always the key, and the time that tells the present lines from older ones."""
        catalog = self._bill.input_catalog
        if self._metadata is None and catalog and catalog.get_stream(self.name) is None:
            # As the SDK would have it, without an entry for each column that nobody selects.
            self._metadata = MetadataMapping({(): StreamMetadata(selected=False)})
        found = super().metadata
        for column in (*self.primary_keys, "parentUpdatedTime"):
            if entry := found.get(("properties", column)):
                entry.inclusion = Metadata.InclusionType.AUTOMATIC
        return found

    @property
    def mask(self) -> SelectionMask:
        """What the catalog selects: the same for all organizations, because it takes time to work it out."""
        return self._main.mask if self._main else super().mask

    @property
    def is_wanted(self) -> bool:
        """Whether the catalog selects the stream, and no stream map removes it."""
        return super().selected and not maps.is_removed(self, self._bill.mapper)

    @property
    def selected(self) -> bool:
        """Whether it is wanted, and there are credentials to read it with."""
        return self._run.may_read(self.resource) and self.is_wanted

    @selected.setter
    def selected(self, value: bool | None) -> None:
        """Select the stream, or not."""
        vars(Stream)["selected"].__set__(self, value)

    @property
    def is_refused(self) -> bool:
        """Whether BILL did not let the user read it, or what it comes from."""
        resource = self.resource
        sources = (resource.name, resource.parent.stream) if resource.parent else (resource.name,)
        return any(self._run.stats.of(source).skipped for source in sources)

    @cached_property
    def stats(self) -> StreamStats:
        """What the summary of the run says about this stream."""
        return self._run.stats.of(self.name)

    def endpoint(self, parent_id: str = "") -> Endpoint:
        """Return where the rows are read."""
        return Endpoint.of(
            self.resource,
            organization_id=self._run.organization_id,
            page_size=self.config["page_size"],
            parent_id=parent_id,
        )

    def pages(self, extraction: Extraction) -> Iterator[tuple[Extraction, Page]]:
        """Yield the pages of a scan; where BILL cannot read it as planned, those of a simpler scan from the start.

        Raises:
            BillError: with one sentence, if it could not be completed.
        """
        why = ""
        while True:
            try:
                for page in self._run.reader_of(self.resource).pages(extraction):
                    if why:
                        level, instead = self._level(extraction.scan), self._instead(extraction.scan)
                        self.logger.log(level, "%s: %s, so %s.", self.name, why, instead)
                        why = ""
                    yield extraction, page
            except ApiError as error:
                if not error.response.may_mean_the_query or (scan := extraction.scan.simpler()) is None:
                    raise
                why = why or f"BILL refused to filter and sort it as asked for ({error.response})"
            except NotAsAskedError as error:
                if (scan := extraction.scan.simpler(refused=False)) is None:
                    raise
                why = why or str(error)
            else:
                return
            extraction = Extraction(extraction.endpoint, scan, is_begun=True)

    def second(self, extraction: Extraction, queries: Sequence[Mapping[str, str]]) -> Held | None:
        """Read a list that follows BILL's cursor a second time; None where BILL does not let it be read as before.

        Raises:
            BillError: with one sentence, if it could not be completed.
        """
        reader = self._run.reader_of(self.resource)
        again, held = Extraction(extraction.endpoint, Scan.whole(queries)), Held()
        for each, page in self.pages(again):
            if each is not again:
                return None
            held.add(page)
            reader.wrote(again, page)
        return held

    def _level(self, scan: Scan) -> int:
        """Return the level at which a simpler scan is logged; that some lists may have to be read whole is no news."""
        expected = not self.replication_key or (self.resource.changes is Changes.ASSUMED and not scan.keeps_up)
        return logging.INFO if expected else logging.WARNING

    def _instead(self, scan: Scan) -> str:
        """Say what a simpler scan is like."""
        if self.replication_key and scan.keeps_up:
            return "one reader follows BILL's own cursor, twice where there is more than a page"
        return f"it is read whole{', and its bookmark stays' if self.replication_key else ''}"

    @cached_property
    def is_plain(self) -> bool:
        """Whether rows go out with the columns they have: every field selected, no stream map, no flattening."""
        first, *more = self.stream_maps
        same = isinstance(first, SameRecordTransform) and not first.flattening_enabled and not more
        return same and all(self.mask.values())

    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """Make the RECORD messages of a row; a plain one needs none of the SDK's work on it."""
        if self.is_plain:
            row = t.cast("Record", self.stream_maps[0].transform(record))
            yield RecordMessage(stream=self.name, record=row, time_extracted=self._run.now())
        else:
            for message in super()._generate_record_messages(record):
                message.time_extracted = self._run.now()
                yield message

    def log(self, message: str, *args: t.Any, level: int = logging.INFO, **kwargs: t.Any) -> None:
        """Log a message of the SDK, unless the tap logs the same: that a stream begins, and which error ends it."""
        if message.startswith("Beginning sync of"):
            return
        if level == logging.ERROR and isinstance(sys.exception(), LOGGED_ELSEWHERE):
            return
        super().log(message, *args, level=level, **kwargs)

    def skip(self, response: ErrorResponse) -> None:
        """Leave a stream that may not be read, once and for all lines of the summary to see."""
        self.stats.skipped = str(response)
        self.logger.warning(
            "%s: skipped, because BILL does not let this user read it (%s): it needs %s. %s "
            "Give the user a role with this permission in BILL, or deselect the stream.",
            self.name,
            response,
            self.resource.needs,
            self.when_readable,
        )

    def fail(self, error: BillError) -> None:
        """Note why it could not be read to the end, and with it what is read along with it."""
        for stream in (self, *(child for child in self.child_streams if child.selected)):
            t.cast("BillStream", stream).stats.failed = error.message

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
                **self._run.owner,
                self.resource.parent_key: parent[self.resource.identifier],
                **place,
                "parentUpdatedTime": parent.get(REPLICATION_KEY),
            }
            self.stats.records += 1
            # A copy where fields may be cut out of the row, because the parent still holds the line.
            self._write_record_message(self.make_row(line if self.is_plain else copy.deepcopy(line), own))


class PartStream(ChildStream):
    """What BILL answers for each record of another resource, a few at a time.

    Only the records that this run reads are asked for, so that it needs no state of its own.
    """

    parent: Parent

    when_readable = "What it misses until then is read as soon as it may be."

    def __init__(self, tap: Tap, context: RunContext, main: BillStream | None = None) -> None:
        """Make the stream."""
        super().__init__(tap, context, main)
        self._queries: Sequence[Mapping[str, str]] = self.resource.queries
        self._was_read = False
        self.is_certain = False
        """Whether no part of a record can have been missed; a part that may have been is then looked for again."""

    def may_be_read(self, parent_id: str) -> bool:
        """Ask for the parts of one record, for which they were refused before.

        Raises:
            BillError: with one sentence, if BILL refuses for another reason.
        """
        extraction = self._plan(parent_id)
        try:
            for _ in self.pages(extraction):
                break
        except ApiError as error:
            if error.response.action is ErrorAction.SKIP_STREAM:
                self.skip(error.response)
                return False
            if not error.response.means_missing:
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
        reader = self._run.reader_of(self.resource)
        left = deque(parent_ids)
        while left and not self.stats.skipped:
            queries = self._queries
            extractions = [self._plan(parent_id) for parent_id in left]
            reader.expect(extractions, next_=True)
            try:
                for extraction in extractions:
                    self._write_of(left[0], extraction)
                    left.popleft()
                    if self._queries is not queries:
                        break  # the others are asked for as this one had to be
            except ApiError as error:
                if self._was_read or error.response.action is not ErrorAction.SKIP_STREAM:
                    raise
                self.skip(error.response)
                return left[0]
            finally:
                reader.forget(extractions)
        return ""

    def _write_of(self, parent_id: str, extraction: Extraction) -> None:
        """Write the parts of one record; a record that was deleted meanwhile, or that has none, brings no rows."""
        own: dict[str, t.Any] = {**self._run.owner, self.parent.column: parent_id}
        reader = self._run.reader_of(self.resource)
        position = 0
        try:
            found = Held()
            for each, page in self.pages(extraction):
                if each is not extraction:  # it begins again, in a simpler way
                    extraction, position, found = each, 0, Held()
                    self._queries = each.scan.queries
                if self.is_certain:
                    found.add(page)
                for record in page.records:
                    reader.keep_busy()
                    position += 1
                    place = {"position": position} if "position" in self.own_columns else {}
                    self.stats.records += 1
                    self._write_record_message(self.make_row(record, {**own, **place}))
                self.stats.read += len(page.records)
                reader.wrote(extraction, page)
                self._was_read = True
            if self.is_certain and extraction.scan.doubt:
                again = self.second(extraction, self._queries) if extraction.scan.doubt == SEVERAL_PAGES else None
                self.is_certain = again is not None and again.is_same(found)
        except ApiError as error:
            if not error.response.means_missing:
                raise

    def _plan(self, parent_id: str) -> Extraction:
        return Extraction(self.endpoint(parent_id), Scan.whole(self._queries))


class ResourceStream(BillStream):
    """A BILL resource, read in one scan per run and organization."""

    own_columns = (ORGANIZATION,)

    def __init__(self, tap: Tap, context: RunContext, main: BillStream | None = None) -> None:
        """Make the stream."""
        super().__init__(tap, context, main)
        self._extractions: dict[str, Extraction] = {}

    @property
    def partitions(self) -> list[dict[str, t.Any]] | None:
        """One partition per organization, so that bookmarks of different organizations never mix."""
        return [{ORGANIZATION: self._run.organization_id}]

    def expected(self) -> Iterator[Extraction]:
        """Plan the passes of this run, so that their first pages can be fetched ahead."""
        for context in self.partitions or ():
            state = self._state(context)
            if not state.behind:  # what was missed shows only when the stream's turn comes
                extraction = self._extractions[context[ORGANIZATION]] = self._plan(state)
                yield extraction

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Yield the rows of one scan and write their lines; then move the bookmark.

        Raises:
            BillError: with one sentence, if the scan could not be completed.
        """
        context = t.cast("Context", context)
        for table in self._tables:
            table.announce()
        state = self._state(context)
        self.stats.before = self.stats.after = state.shown
        self._regain(state)
        self._run.not_before = state.audited
        extraction = self._extractions.pop(context[ORGANIZATION], None) or self._plan(state)
        since = extraction.scan.since
        which = f"what changed since {spell(since)}" if since else "everything"
        self.logger.info("%s: reading %s.", self.name, which)
        reading: Reading | None = None
        try:
            for each, page in self.pages(extraction):
                if each is not extraction:
                    extraction, reading = each, None
                    self._begin_again(state)
                reading = reading or self._reading(extraction, state)
                self.stats.read += len(page.records)
                yield from self._take(reading, page, state)
            if reading:
                yield from self._decide(reading, state)
        except ApiError as error:
            if extraction.scan.answered or error.response.action is not ErrorAction.SKIP_STREAM:
                raise
            self.skip(error.response)
            return
        if reading:
            self._audit(reading, state)
        if self._incremental:
            self._move_bookmark(extraction.scan, state)
        self._run.follower.complete(self.resource, extraction.scan)
        self.stats.is_read = True

    def _move_bookmark(self, scan: Scan, state: StreamState) -> None:
        """Move the bookmark, or say why it stays."""
        if scan.started_at is None:
            self.logger.warning("%s: BILL's answers carry no Date, so the bookmark stays.", self.name)
        elif scan.why_not:
            self.logger.warning("%s: %s, so the bookmark stays.", self.name, scan.why_not)
        state.complete(scan.next_bookmark())
        self.stats.after = state.shown
        start_date = self.config.get("start_date")
        if scan.started_at and (scan.since is None or (start_date and scan.since <= parse_time(start_date))):
            state.was_read_whole(scan.started_at)

    def _regain(self, state: StreamState) -> None:
        """Try whether parts that might not be read may be by now; what they have missed is then read, too."""
        for part in self._parts:
            if (parent_id := state.behind.get(part.name)) and part.may_be_read(parent_id):
                state.regain(part.name)
                self.logger.info("%s: may be read again; what it has missed comes now.", part.name)

    def _begin_again(self, state: StreamState) -> None:
        """Forget how far a scan is that could not be read as planned: it begins again in another way."""
        if self._incremental:
            state.begin_again()
            self.write_state()

    def _reading(self, extraction: Extraction, state: StreamState) -> Reading:
        """Begin a read, of which the first page has come."""
        scan = extraction.scan
        is_whole = scan.since is None
        reading = Reading(extraction, scan.queries)
        if is_whole and not scan.is_resumed and not (self._incremental and scan.keeps_up):
            reading.held = Held()
        saved = (state.interrupted or {}).get("audit") if scan.is_resumed else None
        if is_whole and self._run.audits and (saved or not scan.is_resumed):
            reading.audit(state, saved, self._written)
            self._run.not_before = max(reading.started, state.audited or reading.started)
        for part in self._parts:
            part.is_certain = reading.is_audited and part.name in reading.counts
        return reading

    @property
    def _written(self) -> dict[str, int]:
        """How many rows of it and its tables this run has written."""
        return {table.name: table.stats.records for table in (self, *self._tables) if table.selected}

    def _take(self, reading: Reading, page: Page, state: StreamState) -> Iterator[Record]:
        """Write a page, or hold it until all of its list has come."""
        extraction, held = reading.extraction, reading.held
        if held:
            held.add(page)
            self._tell(extraction.scan)
            self._run.reader_of(self.resource).wrote(extraction, page)
            if held.size > MOST_HELD:
                self.logger.info(
                    "%s: has more than %s rows, so they are written in every run, changed or not.",
                    self.name,
                    f"{MOST_HELD:,}",
                )
                yield from self._write_held(held, state, extraction.scan)
                reading.held = None
            return
        if page.records:
            self._forget_digest(state)
        yield from self._write(page.records, state)
        self._run.follower.take(self.resource, page.records, extraction.scan)
        self._tell(extraction.scan)
        progress = self._run.reader_of(self.resource).wrote(extraction, page)
        if self._incremental and extraction.scan.ordered:
            state.note({**progress, **reading.progress(self._certain(reading))})
            self.write_state()

    def _decide(self, reading: Reading, state: StreamState) -> Iterator[Record]:
        """Write a list that was held and has come to its end, unless it is what was written last."""
        held, scan = reading.held, reading.extraction.scan
        if held is None:
            return
        digest = held.digest(self._shape)
        if digest == state.digest and not (self._parts and self._is_due(state)):
            reading.is_audited = False
            for records in held.pages:
                self._run.follower.take(self.resource, records, scan)
            return
        yield from self._write_held(held, state, scan)
        is_known = True
        if reading.is_audited and scan.doubt == SEVERAL_PAGES and not scan.ordered:
            again = self.second(reading.extraction, reading.queries)
            if again:
                self.stats.read += again.size
                new = [record for page in again.pages for record in page if not held.has(record)]
                yield from self._write(new, state)
                self._run.follower.take(self.resource, new, scan)
                is_known = again.marks == held.marks
                if again.is_same(held):
                    scan.doubt = ""
        if is_known and not any(part.stats.skipped for part in self._parts):
            state.keep_digest(digest)
            if scan.started_at and self._parts and not self._incremental:
                state.was_read_whole(scan.started_at)

    def _write_held(self, held: Held, state: StreamState, scan: Scan) -> Iterator[Record]:
        self._forget_digest(state)
        for records in held.pages:
            yield from self._write(records, state)
            self._run.follower.take(self.resource, records, scan)

    def _forget_digest(self, state: StreamState) -> None:
        """Let no state say, from before the first row on, that what was last written is still all that was."""
        if state.forget_digest():
            t.cast("PageWriter", self._bill.message_writer).write_state_now(self.tap_state)

    def _audit(self, reading: Reading, state: StreamState) -> None:
        """Note what `sync_audit` is to say now that all is written."""
        scan = reading.extraction.scan
        if not reading.is_audited:
            return
        if scan.doubt:
            self.logger.info(NOT_CERTAIN, self.name, scan.doubt)
            return
        audit = reading.progress(self._certain(reading))["audit"]
        names = {table.name: maps.tables(table, self.config) for table in (self, *self._tables)}
        rows = {alias: rows for name, rows in audit["rows"].items() for alias in names[name]}
        if rows and not maps.has_filter(self, self.config):  # which leaves lines and parts out as well
            state.add_audit({**audit, "completed": comparable(self._run.now()), "rows": rows})

    def _certain(self, reading: Reading) -> dict[str, int]:
        """Forget the counts of parts of which some may have been missed; return how many rows are written."""
        for part in self._parts:
            if part.name in reading.counts and not part.is_certain:
                self.logger.info(NOT_CERTAIN, part.name, SEVERAL_PAGES)
            if not part.is_certain or part.stats.skipped:
                reading.counts.pop(part.name, None)
        return self._written

    @cached_property
    def _shape(self) -> bytes:
        return shape((table for table in (self, *self._tables) if table.selected), self.config)

    def _tell(self, scan: Scan) -> None:
        """Log what the user is to know of how the list is read."""
        while scan.notes:
            self.logger.info("%s: %s.", self.name, scan.notes.pop())

    def _write(self, records: Iterable[Record], state: StreamState) -> Iterator[Record]:
        """Yield the rows of a page, and write their lines and parts."""
        ids: list[str] = []
        yield from self._rows(records, ids)
        for part in self._parts:
            refused_for = part.write_parts(ids)
            if refused_for and self._incremental:  # what is read whole misses nothing for longer than a run
                state.leave_out(part.name, refused_for)
        t.cast("PageWriter", self._bill.message_writer).flush()

    def write_again(self, records: Sequence[Record]) -> None:
        """Write records that were read because others name them, with their lines and parts.

        Raises:
            BillError: with one sentence, if their parts could not be read.
        """
        self.stats.followed += len(records)
        self.stats.read += len(records)
        state = self._state({ORGANIZATION: self._run.organization_id})
        self._run.not_before = max(filter(None, (self._run.not_before, state.audited)), default=None)
        self._forget_digest(state)
        for row in self._write(records, state):
            if self.selected:
                self._write_record_message(row)

    @property
    def entry(self) -> dict[str, t.Any] | None:
        """Its part of the state, of this organization; None where there is none."""
        entries = self.tap_state.get("bookmarks", {}).get(self.name, {}).get("partitions", [])
        return next((entry for entry in entries if entry["context"] in (self.partitions or ())), None)

    def write_state(self) -> None:
        """Write the state of the tap."""
        self._bill.state_writer.write_state(self.tap_state)

    def _rows(self, records: Iterable[Record], ids: list[str]) -> Iterator[Record]:
        """Yield the rows of a page, each after its lines are written; note in `ids` whose parts are wanted."""
        reader = self._run.reader_of(self.resource)
        for record in records:
            reader.keep_busy()
            row = self.make_row(record, self._run.owner)
            if self.stream_maps[0].get_filter_result(row):
                if self._parts:
                    ids.append(row[self.resource.identifier])
                for table in self._lines:
                    table.write_lines(record, row)
            self.stats.records += 1
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
        return self.resource.changes is not Changes.NONE and self.replication_method == REPLICATION_INCREMENTAL

    def _state(self, context: Context) -> StreamState:
        tables = [stream.name for stream in (self, *self._tables) if stream.selected]
        state = StreamState(self.get_context_state(context), tables, self.resource.identifier)
        if other := state.forget_other_key():
            self.logger.warning(
                "%s: its bookmark is of rows with the key %s, and the key is %s now, so it is read from the beginning. "
                "Tables with the old key have to be dropped first; see the changelog.",
                self.name,
                other,
                self.resource.identifier,
            )
        return state

    def _is_due(self, state: StreamState) -> bool:
        """Whether its last whole read is older than it may be; what no state says began with the last run."""
        days, now = self.config.get("full_reread_days"), self._run.client_of(self.resource).server_time()
        last = state.whole or state.bookmark
        whose = f"{self._run.organization_id}/{self.name}"
        return bool(days and now and last and is_due(last, now, float(days), whose))

    def _plan(self, state: StreamState) -> Extraction:
        start_date = self.config.get("start_date")
        if self._incremental:
            is_due = state.bookmark is not None and self._is_due(state)
            if is_due:
                self.logger.info("%s: is read from the beginning again, as full_reread_days asks for.", self.name)
            scan = Scan.plan(
                bookmark=None if is_due else self._believed(state.bookmark),
                start_date=parse_time(start_date) if start_date else None,
                lookback=self.config["lookback_seconds"],
            )
            if self.resource.changes is Changes.FILTER_ONLY:
                scan = scan.walked(self.resource.queries[0])
            elif state.interrupted:
                scan.resume(state.interrupted)
        elif self.resource.changes in SORTED:
            scan = Scan()
        else:
            scan = Scan.whole(self.resource.queries)
        return Extraction(self.endpoint(), scan)

    def _believed(self, bookmark: datetime | None) -> datetime | None:
        """Return a bookmark that can be true: BILL's clock has reached it."""
        now = self._run.client_of(self.resource).server_time()
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
        """Do nothing per record: the bookmark moves when the scan is complete."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Do nothing: the scan begins at its own bookmark."""


SORTED: t.Final = (Changes.DOCUMENTED, Changes.ASSUMED)
"""Where BILL is asked for the order of creation, even to read all: then no edit can move a row past the reader."""


def stream_classes(resources: Iterable[Resource]) -> Iterator[type[BillStream]]:
    """Turn rows of the table into classes: each resource's, then one for each of its line tables.

    Classes, not instances of one, because the SDK joins children to parents by class.

    Args:
        resources: the rows, parents before what is asked for each of them.
    """
    classes: dict[str, type[BillStream]] = {}
    for resource in resources:
        parent = resource.parent
        common: dict[str, t.Any] = {
            "__doc__": f"{resource.bill_object} records of BILL.",
            "resource": resource,
            "name": resource.name,
            "primary_keys": (ORGANIZATION, *resource.key),
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
        incremental = resource.changes is not Changes.NONE
        main = type(
            resource.name, (ResourceStream,), common | {"replication_key": REPLICATION_KEY if incremental else None}
        )
        classes[resource.name] = main
        yield main
        for lines in resource.lines:
            yield type(
                lines.name,
                (LineStream,),
                {
                    "__doc__": f"Lines from {', '.join(array.path for array in lines.arrays)} of {resource.name}.",
                    "parent_stream_type": main,
                    "resource": resource,
                    "lines": lines,
                    "own_columns": (
                        *(ORGANIZATION, resource.parent_key),
                        *lines.enclosing,
                        *("position", "parentUpdatedTime"),
                    ),
                    "name": lines.name,
                    "primary_keys": (ORGANIZATION, resource.parent_key, *lines.key_columns),
                    "selected_by_default": resource.is_default,
                    "replication_key": None,
                },
            )
