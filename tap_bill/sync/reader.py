"""Who may ask BILL when: a few requests at once, in the order in which their answers are needed.

While one stream is written, its ranges and then the first pages of the next streams are on their way. The reader of a
long range hands its later half to a worker that has nothing else to do. Pages wait in short queues, and one thread,
the caller's, takes them; workers touch neither state nor output.
"""

from __future__ import annotations

import threading
import typing as t
from collections import deque
from contextvars import copy_context
from dataclasses import dataclass, field

from tap_bill.api.error_responses import ApiError
from tap_bill.api.errors import PagingError
from tap_bill.api.pagination import RUN_AGAIN
from tap_bill.sync.scan import EndlessError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_bill.api.client import Client
    from tap_bill.api.pagination import Endpoint
    from tap_bill.sync.scan import Page, Record, Scan, Slice

PAGES_WAITING: t.Final = 8
"""Pages that may wait or be under way for the stream that is being written."""

PAGES_AHEAD: t.Final = 12
"""Pages that may wait or be under way for a stream and those before it, before none is asked for that stream."""

GLANCE: t.Final = 0.2
"""Seconds between two looks at whether the run is to stop, while nothing else happens."""


@dataclass(eq=False, slots=True)
class Extraction:
    """One pass over one stream, as the reader sees it.

    Args:
        endpoint: what is read.
        plan: the pass.
        is_begun: whether anything was asked yet: BILL's clock counts only if it was read before that.
    """

    endpoint: Endpoint
    plan: Scan
    is_begun: bool = False
    waiting: deque[Page] = field(default_factory=deque)
    under_way: int = 0
    error: Exception | None = None

    @property
    def pages(self) -> int:
        """Pages that take up memory, now or soon."""
        return len(self.waiting) + self.under_way


class PageRequest(t.NamedTuple):
    """A request to be sent.

    Args:
        read: the pass that it belongs to.
        part: the range that it reads in.
        query: what it asks for.
    """

    read: Extraction
    part: Slice
    query: dict[str, str]


class Reader:
    """Fetches passes with one client.

    Args:
        client: reads from BILL.
        limit: requests at once.
        check: called while waiting; raises what is to end the run.
    """

    def __init__(self, client: Client, *, limit: int, check: Callable[[], None]) -> None:
        self._client = client
        self._limit = limit
        self._check = check
        self._news = threading.Condition()
        self._reads: list[Extraction] = []
        self._workers: set[threading.Thread] = set()
        self._closed = False

    def expect(self, reads: Iterable[Extraction], *, next_: bool = False) -> None:
        """Announce passes in the order in which `pages` will be called for them; nothing is asked yet.

        Args:
            reads: the passes.
            next_: whether they come before those that were announced already.
        """
        with self._news:
            self._reads = [*reads, *self._reads] if next_ else [*self._reads, *reads]

    def forget(self, reads: Iterable[Extraction]) -> None:
        """Ask no more for passes that were announced."""
        forgotten = set(reads)
        with self._news:
            self._reads = [read for read in self._reads if read not in forgotten]

    def pages(self, read: Extraction) -> Iterator[Page]:
        """Yield the pages of a pass as they arrive; `wrote` tells when one is written.

        Raises:
            BillError: the first failure of any of its requests.
            NotAsAskedError: if BILL did not do what it was asked for.
        """
        with self._news:
            self._reads = [read, *(other for other in self._reads if other is not read)]
            self._hire()
        try:
            while (page := self._next(read)) is not None:
                yield page
        finally:
            self.forget([read])

    def wrote(self, read: Extraction, page: Page) -> dict[str, t.Any]:
        """Note that a page is written, and return how far its pass is, for the state."""
        with self._news:
            read.plan.wrote(page)
            return read.plan.progress()

    def close(self, patience: float | None = None) -> bool:
        """Ask for nothing more, and wait for each request under way, at most so many seconds.

        Returns:
            Whether all of them have ended.
        """
        with self._news:
            self._closed = True
            workers = list(self._workers)
        for worker in workers:
            worker.join(patience)
        return not any(worker.is_alive() for worker in workers)

    def _next(self, read: Extraction) -> Page | None:
        with self._news:
            self._check()
            while not read.waiting:
                if read.error:
                    raise read.error
                if read.plan.is_complete:
                    return None
                self._news.wait(GLANCE)
                self._check()
            page = read.waiting.popleft()
            self._hire()
            return page

    def _hire(self) -> None:
        """Start as many workers as there are requests to send. Called with the lock held."""
        while len(self._workers) < self._limit and (job := self._job()):
            # In a copy of the context, so that its log lines name the organization.
            worker = threading.Thread(
                target=copy_context().run, args=(self._work, job), name="tap-bill-reader", daemon=True
            )
            try:
                worker.start()
            except RuntimeError as error:  # no more threads to be had
                job.read.error = error
                return
            self._workers.add(worker)

    def _job(self) -> PageRequest | None:
        """Choose the request that is needed soonest. Called with the lock held."""
        if self._closed:
            return None
        ahead = 0
        for index, read in enumerate(self._reads):
            ahead += read.pages
            full = read.pages >= PAGES_WAITING if index == 0 else ahead >= PAGES_AHEAD
            if full or read.error:
                continue
            try:
                if part := read.plan.request() or read.plan.divide(read.endpoint.page_size):
                    read.under_way += 1
                    return PageRequest(read, part, read.plan.query(part))
            except Exception as error:  # noqa: BLE001 - a fault of ours: never a silent worker
                read.error = error
        return None

    def _work(self, job: PageRequest | None) -> None:
        """Send requests as long as there are any to send."""
        while job:
            answer: tuple[list[Record], str] | Exception
            try:
                answer = self._ask(job)
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the thread that waits for it
                answer = error
            with self._news:
                self._take(job.read, job.part, answer)
                job = self._job()
                if not job:
                    self._workers.discard(threading.current_thread())
                self._hire()
                self._news.notify_all()

    def _take(self, read: Extraction, part: Slice, answer: tuple[list[Record], str] | Exception) -> None:
        """Put an answer into the queue. Called with the lock held."""
        read.under_way -= 1
        try:
            if isinstance(answer, ApiError) and answer.response.may_mean_the_query and part.cursor:
                # The query has just worked, so it is the cursor that BILL does not know any more.
                read.error = read.error or (None if read.plan.reopen(part) else answer)
            elif isinstance(answer, Exception):
                read.error = read.error or answer
            else:
                read.waiting.append(read.plan.receive(part, *answer))
        except EndlessError as error:
            read.error = PagingError(f"{read.endpoint.stream}: {error}; {RUN_AGAIN}")
        except Exception as error:  # noqa: BLE001 - NotAsAskedError, or a fault of ours: never a silent worker
            read.error = error

    def _ask(self, job: PageRequest) -> tuple[list[Record], str]:
        plan, endpoint, cursor = job.read.plan, job.read.endpoint, job.part.cursor
        if not job.read.is_begun:
            job.read.is_begun = True
            plan.started_at = plan.started_at or self._client.server_time()
        params = endpoint.params(job.query, cursor)
        body = self._client.get(endpoint.stream, endpoint.path, params, goes_on=plan.answered)
        if body == {} and endpoint.may_be_left_out and not cursor:
            # BILL leaves out what is empty; but what it does not say proves nothing.
            plan.keeps_up = False
            return [], ""
        return endpoint.open(body, cursor)
