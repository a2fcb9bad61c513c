"""Reads scans with a few requests at once, in the order in which their answers are needed.

The thread that writes also plans: while it writes one stream, the slices of that stream and then the first pages of the
next streams are on their way. Workers only ask BILL; they touch no scan, no state and no output, and hand back what
came or what went wrong. An idle worker takes over the later half of a long slice.
"""

from __future__ import annotations

import contextlib
import threading
import typing as t
from collections import deque
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import PagingError
from tap_bill.api.pagination import RUN_AGAIN
from tap_bill.sync.walk import EndlessError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_bill.api.client import Client
    from tap_bill.api.pagination import Endpoint, Record
    from tap_bill.sync.scan import Page, Scan, Slice

PAGES_WAITING: t.Final = 8
"""Pages that may wait or be under way for the stream that is being written."""

PAGES_AHEAD: t.Final = 12
"""Pages that may wait or be under way for a stream and those before it, before none is asked for that stream."""

GLANCE: t.Final = 0.2
"""Seconds between two looks at whether the run is to stop, while nothing else happens."""


@dataclass(eq=False, slots=True)
class Extraction:
    """One scan of one list, and its pages that wait to be written.

    Args:
        endpoint: the list.
        scan: what is left to read of it.
        is_begun: whether anything was asked yet: BILL's clock counts only if it was read before that.
        begun_at: this machine's clock before its first request.
    """

    endpoint: Endpoint
    scan: Scan
    is_begun: bool = False
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    waiting: deque[Page] = field(default_factory=deque)
    under_way: int = 0
    error: Exception | None = None

    @property
    def pages_held(self) -> int:
        """Pages that take up memory, now or soon."""
        return len(self.waiting) + self.under_way


class PageRequest(t.NamedTuple):
    """A request to be sent.

    Args:
        extraction: that it belongs to.
        slice: that it reads in.
        query: what it asks for.
        cursor: of the next page of a walk; empty where no cursor is followed.
        goes_on: whether BILL has answered the beginning of the same list.
    """

    extraction: Extraction
    slice: Slice
    query: dict[str, str]
    cursor: str
    goes_on: bool


Answer = tuple[t.Sequence["Record"], str] | None | Exception
"""Records and the next cursor; None for an empty list that BILL left out; or what went wrong."""


class Reader:
    """Reads with one client. All methods are for one thread, that of the caller.

    Args:
        client: asks BILL.
        limit: requests at once.
        check: called while waiting; raises what is to end the run.
    """

    def __init__(self, client: Client, *, limit: int, check: Callable[[], None]) -> None:
        self._client = client
        self._limit = limit
        self._check = check
        self._extractions: list[Extraction] = []
        self._workers: list[threading.Thread] = []
        self._requests: SimpleQueue[PageRequest | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[PageRequest, Answer]] = SimpleQueue()
        self._under_way = 0
        self._is_closed = False

    def expect(self, extractions: Iterable[Extraction], *, next_: bool = False) -> None:
        """Announce extractions in the order in which `pages` will be called for them; nothing is asked yet.

        Args:
            extractions: to come.
            next_: whether they come before those that were announced already.
        """
        self._extractions = [*extractions, *self._extractions] if next_ else [*self._extractions, *extractions]

    def forget(self, extractions: Iterable[Extraction]) -> None:
        """Ask no more for extractions that were announced."""
        forgotten = set(extractions)
        self._extractions = [extraction for extraction in self._extractions if extraction not in forgotten]

    def pages(self, extraction: Extraction) -> Iterator[Page]:
        """Yield the pages of an extraction as they arrive.

        Between two records of a page, `keep_busy` lets the next requests be sent; `wrote` says that a page is written.

        Raises:
            BillError: the first failure of any of its requests.
            NotAsAskedError: if BILL did not do what it was asked for.
        """
        self._extractions = [extraction, *(other for other in self._extractions if other is not extraction)]
        try:
            while True:
                self._check()
                self.keep_busy()
                self._send()
                if extraction.waiting:
                    yield extraction.waiting.popleft()
                elif extraction.error:
                    raise extraction.error
                elif extraction.scan.is_complete:
                    return
                else:
                    self._wait()
        finally:
            self.forget([extraction])

    def keep_busy(self) -> None:
        """Take in the answers that have arrived, and send the requests that are needed next."""
        if not self._answers.empty():
            while not self._answers.empty():
                self._take(*self._answers.get())
            self._send()

    @staticmethod
    def wrote(extraction: Extraction, page: Page) -> dict[str, t.Any]:
        """Note that a page is written, and return how far its scan is, for the state."""
        extraction.scan.wrote(page)
        return extraction.scan.progress()

    def close(self, patience: float | None = None) -> bool:
        """Ask for nothing more, and wait for each request under way, at most so many seconds.

        Returns:
            Whether all of them have ended.
        """
        self._is_closed = True
        for _ in self._workers:
            self._requests.put(None)
        for worker in self._workers:
            worker.join(patience)
        return not any(worker.is_alive() for worker in self._workers)

    def _wait(self) -> None:
        """Wait a moment for an answer."""
        with contextlib.suppress(Empty):
            self._take(*self._answers.get(timeout=GLANCE))

    def _send(self) -> None:
        """Send requests while fewer than the limit are under way."""
        while self._under_way < self._limit and not self._is_closed and (request := self._next_request()):
            request.extraction.under_way += 1
            self._under_way += 1
            self._dispatch(request)

    def _dispatch(self, request: PageRequest) -> None:
        """Hand a request to a worker, a new one where all are busy."""
        if len(self._workers) < self._under_way:
            # In a copy of the context, so that its log lines name the organization. A daemon, unlike the threads of
            # concurrent.futures: a request that hangs must not hold up the end of an interrupted run.
            worker = threading.Thread(
                target=copy_context().run, args=(self._work,), name="tap-bill-reader", daemon=True
            )
            try:
                worker.start()
            except RuntimeError as error:  # no more threads to be had
                self._answers.put((request, error))
                return
            self._workers.append(worker)
        self._requests.put(request)

    def _work(self) -> None:
        """Send requests until there are no more; a worker's only job."""
        while request := self._requests.get():
            answer: Answer
            try:
                answer = self._ask(request)
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the thread that waits for it
                answer = error
            self._answers.put((request, answer))

    def _ask(self, request: PageRequest) -> Answer:
        endpoint = request.extraction.endpoint
        params = endpoint.params(request.query, request.cursor)
        body = self._client.get(endpoint.stream, endpoint.path, params, goes_on=request.goes_on)
        if body == {} and endpoint.may_be_left_out and not request.cursor:
            return None
        return endpoint.open(body, request.cursor)

    def _next_request(self) -> PageRequest | None:
        """Choose the request that is needed soonest."""
        ahead = 0
        for index, extraction in enumerate(self._extractions):
            ahead += extraction.pages_held
            full = extraction.pages_held >= PAGES_WAITING if index == 0 else ahead >= PAGES_AHEAD
            if full or extraction.error:
                continue
            try:
                if request := self._request_for(extraction):
                    return request
            except Exception as error:  # noqa: BLE001 - it belongs to its stream and must not end the others
                extraction.error = error
        return None

    def _request_for(self, extraction: Extraction) -> PageRequest | None:
        """Return the next request of an extraction; None while all of its slices have one under way."""
        scan = extraction.scan
        if not extraction.is_begun:
            extraction.is_begun = True
            extraction.begun_at = datetime.now(UTC)
            scan.started_at = scan.started_at or self._client.server_time()
        slice_ = scan.next_slice() or scan.divide(extraction.endpoint.page_size)
        if slice_ is None:
            return None
        return PageRequest(extraction, slice_, scan.query(slice_), slice_.cursor, goes_on=scan.answered)

    def _take(self, request: PageRequest, answer: Answer) -> None:
        """Take an answer in."""
        self._under_way -= 1
        extraction, slice_, scan = request.extraction, request.slice, request.extraction.scan
        extraction.under_way -= 1
        try:
            if isinstance(answer, ApiError) and answer.response.may_mean_the_query and slice_.cursor:
                # The query has just worked, so it is the cursor that BILL does not know any more.
                extraction.error = extraction.error or (None if scan.reopen(slice_) else answer)
            elif isinstance(answer, Exception):
                extraction.error = extraction.error or answer
            elif answer is None:
                extraction.waiting.append(scan.receive_nothing(slice_))
            else:
                extraction.waiting.append(scan.receive(slice_, *answer))
        except EndlessError as error:
            extraction.error = PagingError(f"{extraction.endpoint.stream}: {error}; {RUN_AGAIN}")
        except Exception as error:  # noqa: BLE001 - NotAsAskedError, or a fault of ours, which belongs to its stream
            extraction.error = error
