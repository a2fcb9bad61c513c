"""Reading again what a changed record names, in the same run.

Nobody has written down whether a payment moves the `updatedTime` of the bill that it pays, or a bill that of its vendor
with the vendor's balance. So the records that changed ones name (`Resource.touches`) are read by `id:in:"..."`, as many
in a request as fit on a page, once a page of them is together, and the rest when all streams are read.

Which of them have to be read? A source's row shows a change that BILL stored at the time `u` (its `updatedTime`), and
names a record. Let `t` be BILL's clock before the record was last asked for.

- If `u < t`, less the lookback, BILL had stored the change when it answered: nothing is to be read. The record may have
  come with its own scan (`t`: when that began), or been followed already (`t`: when that request was sent), or belong
  to a list that was once read whole (`t`: when that read began, kept in the state as `whole`).
- Else it is read by a request that is sent after the source's row was received, so BILL had stored the change by then.
- A change that BILL stores after the source's row was received has an `updatedTime` after the source's scan began,
  which is the source's next bookmark: the next run reads the source's row again, and follows it then.
- A source's row that changed before the source's last complete scan began was followed in that run, or is still in the
  state (`follow`), where every name is put in the same message that says that its source's page was written.

As for bookmarks, `lookback_seconds` covers what BILL stores later than its `updatedTime` says.
"""

from __future__ import annotations

import logging
import re
import typing as t

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import BillError, ErrorAction, Scope, fault
from tap_bill.sync.reader import Extraction
from tap_bill.sync.scan import SLACK, UPDATED, NotAsAskedError, Scan
from tap_bill.sync.times import comparable, earlier, parse, spell, time_of

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from tap_bill.api.error_responses import ErrorResponse
    from tap_bill.api.pagination import Endpoint, Record
    from tap_bill.resources import Resource
    from tap_bill.sync.reader import Reader

LOGGER = logging.getLogger("tap-bill")

MOST_KEPT: t.Final = 1_000
"""Ids that are kept for a stream that cannot be read now; if there are more, it is read whole when it can be."""

MOST_REMEMBERED: t.Final = 10_000
"""Rows of a stream of which is remembered when they were read."""

ALWAYS: t.Final = "~"
"""After every time."""

_ASKABLE: t.Final = re.compile(r"(?=.*[^0])[A-Za-z0-9_-]+")
"""Ids that can stand in a filter. One of zeros is how BILL's version 2 wrote an empty reference."""


class Target(t.Protocol):
    """A stream whose records others may name, or that may name them."""

    resource: Resource

    @property
    def entry(self) -> dict[str, t.Any] | None:
        """The stream's part of the state; None where there is none."""

    def endpoint(self) -> Endpoint:
        """Return where the rows are read."""

    def write_again(self, records: Sequence[Record]) -> None:
        """Write records that were read because others name them, with their lines and parts."""

    def write_state(self) -> None:
        """Write the state."""

    def skip(self, response: ErrorResponse) -> None:
        """Leave a stream that may not be read."""

    def fail(self, error: BillError) -> None:
        """Note why it could not be read to the end."""


def named(record: Record, path: str) -> Iterator[str]:
    """Yield the ids at a path like `billPayments[].billId` that can be asked for."""
    found: list[t.Any] = [record]
    for step in path.split("."):
        found = [value.get(step.removesuffix("[]")) for value in found if isinstance(value, dict)]
        if step.endswith("[]"):
            found = [entry for value in found if isinstance(value, list) for entry in value]
    yield from (value for value in found if isinstance(value, str) and _ASKABLE.fullmatch(value))


class _Named:
    """The records of one stream that others name, and what is known of when they were read.

    Args:
        target: the stream.
        entry: its part of the state.
        margin: seconds that BILL may take to store a change.
    """

    def __init__(self, target: Target, entry: dict[str, t.Any], margin: float) -> None:
        self.target = target
        self.pending: dict[str, None] = dict.fromkeys(filter(_ASKABLE.fullmatch, entry.get("follow", ())))
        self.is_ready = False
        self.is_refused = False
        self._entry = entry
        self._margin = margin
        self._whole = _bound(entry.get("whole"), margin)
        self._read: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The stream's."""
        return self.target.resource.name

    def note(self, id_: str, changed: str) -> None:
        """Note that a row that changed at this time (empty: nobody knows when) names a record."""
        if not self.is_refused and not (changed and changed < max(self._whole, self._read.get(id_, ""))):
            self.pending[id_] = None

    def received(self, records: Iterable[Record], scan: Scan) -> None:
        """Note that records of the stream came with its own scan."""
        if _is_whole(scan):
            # Without BILL's clock the bookmark stays, so the next run reads everything again.
            self._whole = _bound(scan.started_at, self._margin) if scan.started_at else ALWAYS
        else:
            self._remember((record.get("id") for record in records), scan.started_at)

    def complete(self, scan: Scan) -> None:
        """Note that the stream's own scan is complete."""
        self.is_ready = True
        if _is_whole(scan) and not scan.keeps_up and self._entry.get("replication_key_value"):
            self._whole = ""  # rows may have been missed, and the next run does not read everything again

    def done(self, ids: Iterable[str], asked_at: datetime | None) -> None:
        """Note that records were read, or are gone."""
        for id_ in ids:
            self.pending.pop(id_, None)
        self._remember(ids, asked_at)
        self.keep()

    def refuse(self) -> None:
        """Follow none of them in this run."""
        self.is_refused = True
        self.pending.clear()
        self.keep()

    def keep(self) -> None:
        """Put into the state what is still to be read."""
        if not self.is_ready:
            if not self._entry.keys() & {"replication_key_value", "pass"}:
                self.pending.clear()  # it will be read from the beginning
            elif len(self.pending) > MOST_KEPT:
                self.pending.clear()
                for name in self._entry.keys() - {"context"}:
                    del self._entry[name]
                LOGGER.warning(
                    "%s: more than %d of its records were touched while it was not read; "
                    "it is read from the beginning when it is read again.",
                    self.name,
                    MOST_KEPT,
                )
        if self.pending:
            self._entry["follow"] = list(self.pending)
        else:
            self._entry.pop("follow", None)

    def _remember(self, ids: Iterable[t.Any], asked_at: datetime | None) -> None:
        if asked_at:
            bound = _bound(asked_at, self._margin)
            for id_ in ids:
                if len(self._read) < MOST_REMEMBERED or id_ in self._read:
                    self._read[id_] = bound


class Follower:
    """Reads what changed records of one organization name.

    Args:
        reader_of: returns what reads the pages of a resource.
        lookback: seconds that BILL may take to store a change.
    """

    def __init__(self, reader_of: Callable[[Resource], Reader], lookback: float) -> None:
        self._reader_of = reader_of
        self._margin = lookback + SLACK.total_seconds()
        self._named: dict[str, _Named] = {}
        self._sources: dict[str, tuple[dict[str, t.Any], str]] = {}
        self._failed: list[str] = []

    def begin(self, streams: Collection[Target]) -> None:
        """Take over what is known of the streams when the run begins.

        Args:
            streams: all that rows may name, or that may name others; also those that this run does not read.
        """
        touched = {touch.stream for stream in streams for touch in stream.resource.touches}
        for stream in streams:
            name, entry = stream.resource.name, stream.entry
            if entry is None:
                continue
            if name in touched:
                self._named[name] = _Named(stream, entry, self._margin)
            if stream.resource.touches:
                marks = [mark for key in ("replication_key_value", "followed") if (mark := entry.get(key))]
                self._sources[name] = entry, max((_bound(mark, self._margin) for mark in marks), default="")

    def take(self, resource: Resource, records: Sequence[Record], scan: Scan) -> None:
        """Take in what a stream's own scan brought, once that is written, and read what comes together.

        Raises:
            BillError: if not only the named records cannot be read.
        """
        if mine := self._named.get(resource.name):
            mine.received(records, scan)
        touched = [(self._named[touch.stream], touch) for touch in resource.touches if touch.stream in self._named]
        if not touched or resource.name not in self._sources:
            return
        _, since = self._sources[resource.name]
        for record in records:
            changed = time_of(record, UPDATED)
            if not changed or changed >= since:
                for other, touch in touched:
                    for path in touch.fields:
                        for id_ in named(record, path):
                            other.note(id_, changed)
        for other, _ in touched:
            self._read(other, self._plan(other))
            other.keep()

    def complete(self, resource: Resource, scan: Scan) -> None:
        """Note that a stream's own scan is complete, and its bookmark where it belongs."""
        if mine := self._named.get(resource.name):
            mine.complete(scan)
        if scan.started_at and resource.name in self._sources:
            entry, _ = self._sources[resource.name]
            entry["followed"] = spell(scan.started_at)
            if entry["followed"] == entry.get("replication_key_value"):
                del entry["followed"]

    def finish(self) -> list[str]:
        """Read what is left, when all streams are read.

        Returns:
            The streams of which named records could not be read; why is logged.

        Raises:
            BillError: if nothing can be read any more.
        """
        left = [each for each in self._named.values() if each.pending]
        plans = [(each, self._plan(each, rest=True)) for each in left]
        for each, plan in plans:
            self._reader_of(each.target.resource).expect(extraction for _, extraction in plan)
        try:
            for each, plan in plans:
                self._read(each, plan)
        finally:
            if left:
                left[0].target.write_state()
        return self._failed

    def _plan(self, each: _Named, *, rest: bool = False) -> list[tuple[list[str], Extraction]]:
        """Return what to ask for: full pages, and with `rest` all there is."""
        if not each.is_ready:
            return []
        endpoint = each.target.endpoint()
        ids, size = list(each.pending), endpoint.page_size
        pages = [ids[start : start + size] for start in range(0, len(ids), size)]
        return [
            (page, Extraction(endpoint, Scan.whole([{"filters": f'id:in:"{",".join(page)}"'}])))
            for page in pages
            if rest or len(page) == size
        ]

    def _read(self, each: _Named, plan: list[tuple[list[str], Extraction]]) -> None:
        """Read and write named records of one stream; what goes wrong with them stays there.

        Raises:
            BillError: if it concerns other streams, too.
        """
        if not plan:
            return
        reader = self._reader_of(each.target.resource)
        extractions = [extraction for _, extraction in plan]
        reader.forget(extractions)
        reader.expect(extractions, next_=True)
        try:
            for ids, extraction in plan:
                for page in reader.pages(extraction):
                    each.target.write_again(page.records)
                    reader.wrote(extraction, page)
                each.done(ids, extraction.scan.started_at)
        except NotAsAskedError:
            self._refuse(each, "it answers other records than those that are asked for")
        except ApiError as error:
            if error.response.action is ErrorAction.SKIP_STREAM:
                each.is_ready = False
                each.target.skip(error.response)
            elif _means_the_filter(error.response):
                self._refuse(each, str(error.response))
            else:
                self._fail(each, error)
        except BillError as error:
            self._fail(each, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours, which must not take the other streams along
            self._fail(each, fault(each.name, error))
        finally:
            reader.forget(extractions)

    @staticmethod
    def _refuse(each: _Named, why: str) -> None:
        each.refuse()
        LOGGER.warning(
            "%s: BILL does not let records be read by their ids (%s), so those that other records have changed may be "
            "out of date. Set full_reread_days: the stream is then read whole every so many days.",
            each.name,
            why,
        )

    def _fail(self, each: _Named, error: BillError) -> None:
        if error.scope is not Scope.STREAM:
            raise error
        each.is_ready = False
        each.target.fail(error)
        self._failed.append(each.name)
        error.show()


def _means_the_filter(response: ErrorResponse) -> bool:
    """Tell whether the filter may be what BILL refuses, for whatever reason: a list of ids may be too long for it."""
    is_client_error = response.status < 500  # noqa: PLR2004 - HTTP
    return response.may_mean_the_query or (is_client_error and response.action is ErrorAction.STOP)


def _is_whole(scan: Scan) -> bool:
    """Tell whether a scan reads every row that the warehouse is to have."""
    return scan.bookmark is None or scan.since is None


def _bound(time: datetime | str | None, margin: float) -> str:
    """Return the time before which a change was stored for sure at another time; empty where that is not known."""
    known = parse(time) if isinstance(time, str) else time
    before = earlier(known, margin) if known else None
    return comparable(before) if before else ""
