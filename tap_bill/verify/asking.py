"""What the trials ask BILL with: the tap's own clients, a limit of requests, and a watch on every answer."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tap_bill.api.errors import BillError
from tap_bill.api.oauth import TOKEN
from tap_bill.api.pagination import Endpoint
from tap_bill.verify.findings import Note

if t.TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from tap_bill.api.client import Client
    from tap_bill.api.pagination import Record
    from tap_bill.api.stats import RunStats, StreamStats
    from tap_bill.api.transport import ApiResponse
    from tap_bill.resources import Resource
    from tap_bill.singer.streams import BillStream
    from tap_bill.sync.context import RunContext

MOST_REQUESTS: t.Final = 150
"""Requests for one organization, unless the command line says otherwise."""

SPARE: t.Final = 3
"""Requests that are kept for signing in again and for signing out."""


class BudgetError(BillError):
    """The requests are used up."""


class UntriableError(Exception):
    """Something cannot be tried; the note says why."""

    def __init__(self, note: Note) -> None:
        super().__init__(note.value)
        self.note = note


class Budget:
    """A limit that every request of a trial counts for, sign-ins and repeated requests included."""

    def __init__(self, run_stats: RunStats, most: int) -> None:
        self._run_stats = run_stats
        self.most = most

    @property
    def used(self) -> int:
        """How many requests were sent."""
        return sum(stats.requests for _, stats in self._run_stats)

    def admit(self, stats: StreamStats, stop: threading.Event) -> None:
        """Let a request pass.

        Raises:
            BudgetError: if none is left.
        """
        del stats, stop
        if self.used >= self.most - SPARE:
            raise BudgetError(f"The {self.most} requests are used up.")

    def used_up(self) -> bool:
        """Return False: BILL's own limits are counted elsewhere."""
        return False

    def was_served(self) -> None:
        """Do nothing: what was sent counts, whatever came back."""


@dataclass(slots=True)
class Watch:
    """What all answers show, whatever they were asked for.

    Args:
        answers: how many there were.
        undated: how many had no `Date` that can be read.
        ahead: seconds that BILL's clock was ahead of this machine's, at its furthest; less than 0 where it was behind.
        trusted: what the login said of trust; None before that, or where it said nothing.
        life: seconds that a token lives, as it was said; None before that, or where it was not.
        token_answers: whether each answer to a request for a token was an error.
        session: the organization that BILL last told a session belongs to.
        error: the body of the newest error.
    """

    answers: int = 0
    undated: int = 0
    ahead: float = 0.0
    trusted: bool | None = None
    life: float | None = None
    token_answers: list[bool] = field(default_factory=list)
    session: t.Any = None
    error: t.Any = None

    def __call__(self, path: str, answer: ApiResponse) -> None:
        """Take an answer in, and keep nothing secret of it."""
        self.answers += 1
        if answer.server_time is None:
            self.undated += 1
        else:
            ahead = (answer.server_time - datetime.now(UTC)).total_seconds()
            self.ahead = max(self.ahead, ahead, key=abs)
        body = answer.body if isinstance(answer.body, dict) else {}
        if answer.error:
            self.error = answer.body
        elif path == "/v3/login":
            self.trusted = body["trusted"] if isinstance(body.get("trusted"), bool) else None
        elif path == "/v3/login/session":
            self.session = body.get("organizationId")
        if path == TOKEN:
            self.token_answers.append(bool(answer.error))
            life = body.get("expires_in")
            self.life = float(life) if isinstance(life, int) and not isinstance(life, bool) and life > 0 else None


@dataclass(frozen=True, slots=True)
class Answer:
    """A page.

    Args:
        rows: its records.
        cursor: of the next page; empty at the end.
        ids: what tells its records apart, in order; None for one that has no such text.
        has_empty_cursor: whether `nextPage` is there without leading anywhere.
    """

    rows: Sequence[Record]
    cursor: str
    ids: tuple[str | None, ...]
    has_empty_cursor: bool


class Listing:
    """A list of BILL that trials are made on.

    Args:
        stream: the tap's.
        context: of the organization.
        watch: on every answer.
        shown: the assumptions that are known to hold, or not to, from any list.
    """

    def __init__(self, stream: BillStream, context: RunContext, watch: Watch, shown: set[str]) -> None:
        self.stream = stream
        self.watch = watch
        self.shown = shown
        self.failed: set[str] = set()
        """The assumptions that do not hold on it."""
        self.as_asked = False
        """Whether BILL answered what the tap asks for first."""
        self.refuses_sort = False
        """Whether BILL refuses to sort it."""
        self.resource: Resource = stream.resource
        self.name = self.resource.name
        self.context = context
        self.client: Client = context.client_of(self.resource)
        self.first: Answer | None = None
        """The beginning of the list, as the tap asks for it, once that has come."""

    @property
    def most(self) -> int:
        """The largest page; 0 where its size is fixed."""
        return self.resource.paging.most if self.resource.paging else 0

    def ask(self, query: Mapping[str, str], size: int = 0, cursor: str = "") -> Answer:
        """Ask for a page.

        Args:
            query: `sort`, `filters` and the like.
            size: `max`; 0 for the largest page.
            cursor: of an answer before; empty for the first page.

        Raises:
            BillError: what `Client.get` raises, or if the answer has another shape.
        """
        endpoint = Endpoint.of(
            self.resource, organization_id=self.context.organization_id, page_size=size or self.most, parent_id=""
        )
        params = endpoint.params(query, cursor)
        if size and self.most:
            params["max"] = str(size)  # also one that is too large
        body = self.client.get(self.name, endpoint.path, params)
        if body == {} and endpoint.may_be_left_out:
            return Answer((), "", (), has_empty_cursor=False)
        rows, next_ = endpoint.open(body, cursor)
        empty = isinstance(body, dict) and "nextPage" in body and not next_
        keys = (row.get(self.resource.identifier) for row in rows)
        ids = tuple(key if isinstance(key, str) else None for key in keys)
        return Answer(rows, next_, ids, has_empty_cursor=empty)

    @property
    def begun(self) -> Answer:
        """The beginning of the list.

        Raises:
            UntriableError: if it is not known, or empty.
        """
        if self.first is None:
            raise UntriableError(Note.NO_ANSWER)
        if not self.first.rows:
            raise UntriableError(Note.NO_ROWS)
        return self.first
