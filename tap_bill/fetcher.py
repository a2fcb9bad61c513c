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

from tap_bill.errors import PagingError
from tap_bill.passes import EndlessError
from tap_bill.resources import Envelope

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_bill.client import BillClient
    from tap_bill.passes import Page, Pass, Range, Record

PAGES_WAITING: t.Final = 8
"""Pages that may wait or be under way for the stream that is being written."""

PAGES_AHEAD: t.Final = 12
"""Pages that may wait or be under way for all streams together before none is asked for a later stream."""

GLANCE: t.Final = 0.2
"""Seconds between two looks at whether the run is to stop, while nothing arrives."""


@dataclass(eq=False, slots=True)
class Read:
    """One pass over one stream, as the fetcher sees it.

    Args:
        stream: name, for messages.
        path: begins with `/v3/`.
        envelope: shape of the answers.
        page_size: rows per page.
        plan: the pass.
    """

    stream: str
    path: str
    envelope: Envelope
    page_size: int
    plan: Pass
    waiting: deque[Page] = field(default_factory=deque)
    under_way: int = 0
    error: Exception | None = None

    @property
    def pages(self) -> int:
        """Pages that take up memory, now or soon."""
        return len(self.waiting) + self.under_way


class Fetcher:
    """Fetches the passes of one organization.

    Args:
        client: reads the organization.
        limit: requests at once.
        check: called while waiting; raises what is to end the run.
    """

    def __init__(self, client: BillClient, *, limit: int, check: Callable[[], None]) -> None:
        self._client = client
        self._limit = limit
        self._check = check
        self._news = threading.Condition()
        self._reads: list[Read] = []
        self._workers: set[threading.Thread] = set()
        self._closed = False

    def expect(self, reads: Iterable[Read]) -> None:
        """Announce passes in the order in which `pages` will be called for them; nothing is asked yet."""
        with self._news:
            self._reads.extend(reads)

    def pages(self, read: Read) -> Iterator[Page]:
        """Yield the pages of a pass as they arrive; `wrote` tells when one is written.

        Raises:
            BillError: the first failure of any of its requests.
            OutOfOrderError: if the rows are not in the order that was asked for.
        """
        with self._news:
            self._reads = [read, *(other for other in self._reads if other is not read)]
            self._hire()
        try:
            while (page := self._next(read)) is not None:
                yield page
        finally:
            with self._news:
                self._reads.remove(read)

    def wrote(self, read: Read, page: Page) -> dict[str, t.Any]:
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

    def _next(self, read: Read) -> Page | None:
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
                target=copy_context().run, args=(self._work, *job), name="tap-bill-reader", daemon=True
            )
            self._workers.add(worker)
            worker.start()

    def _job(self) -> tuple[Read, Range] | None:
        """Choose the request that is needed soonest. Called with the lock held."""
        if self._closed:
            return None
        ahead = sum(read.pages for read in self._reads)
        for index, read in enumerate(self._reads):
            full = read.pages >= PAGES_WAITING if index == 0 else ahead >= PAGES_AHEAD
            if full or read.error:
                continue
            if part := read.plan.request() or read.plan.divide(read.page_size):
                read.under_way += 1
                return read, part
        return None

    def _work(self, read: Read, part: Range) -> None:
        """Send requests as long as there are any to send."""
        job: tuple[Read, Range] | None = read, part
        while job:
            read, part = job
            answer: tuple[list[Record], str] | Exception
            try:
                answer = self._ask(read, part)
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the thread that waits for it
                answer = error
            with self._news:
                self._take(read, part, answer)
                job = self._job()
                if not job:
                    self._workers.discard(threading.current_thread())
                self._hire()
                self._news.notify_all()

    def _take(self, read: Read, part: Range, answer: tuple[list[Record], str] | Exception) -> None:
        """Put an answer into the queue. Called with the lock held."""
        read.under_way -= 1
        try:
            if isinstance(answer, Exception):
                read.error = read.error or answer
            else:
                read.waiting.append(read.plan.receive(part, *answer))
        except EndlessError as error:
            read.error = PagingError(f"{read.stream}: {error}; {_ADVICE}")
        except Exception as error:  # noqa: BLE001 - OutOfOrderError, or a fault of ours: never a silent worker
            read.error = error

    def _ask(self, read: Read, part: Range) -> tuple[list[Record], str]:
        if read.plan.started_at is None:
            read.plan.started_at = self._client.server_time()
        params = {"max": str(read.page_size), **read.plan.params(part)} if read.envelope is Envelope.PAGED else {}
        return records_of(read.stream, read.path, read.envelope, self._client.get(read.stream, read.path, params))


def records_of(stream: str, path: str, envelope: Envelope, body: t.Any) -> tuple[list[Record], str]:
    """Take the records and the cursor, empty at the end of the list, out of an answer.

    Raises:
        PagingError: if there are none to be found.
    """
    records, cursor = _OPEN[envelope](body)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise PagingError(f"{stream}: BILL answered GET {path} without a list of records; {_ADVICE}")
    return records, str(cursor or "")


def _open_page(body: t.Any) -> tuple[t.Any, t.Any]:
    return (body.get("results"), body.get("nextPage")) if isinstance(body, dict) else (None, None)


_OPEN: t.Final[dict[Envelope, t.Callable[[t.Any], tuple[t.Any, t.Any]]]] = {
    Envelope.PAGED: _open_page,
    Envelope.ARRAY: lambda body: (body, None),
    Envelope.OBJECT: lambda body: ([body], None),
}
"""How records and cursor are taken out of each shape of answer."""

_ADVICE: t.Final = "nothing is lost, the bookmark has not moved: run again, and tell BILL's support if it stays so."
