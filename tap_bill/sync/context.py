"""What the streams of one organization share while they are read."""

from __future__ import annotations

import threading
import typing as t
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version

from tap_bill.api.client import BillClient, Client, SharedLimits, SpendClient
from tap_bill.api.stats import RunStats
from tap_bill.settings import Way, way_into
from tap_bill.sync.follow import Follower
from tap_bill.sync.reader import Reader
from tap_bill.sync.state import ORGANIZATION

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_bill.resources import Resource

VERSION: t.Final = version("tap-bill")


class RunContext:
    """The clients, readers and statistics of one organization. Nothing is sent before a client is used.

    Args:
        settings: of this organization, checked.
        shared: the limits that it shares with the other organizations of the run.
        check: called while a reader waits; raises what is to end the run.
    """

    def __init__(self, settings: Mapping[str, t.Any], shared: SharedLimits, check: Callable[[], None]) -> None:
        self.settings = settings
        self.stats = RunStats()
        self.stop = threading.Event()
        self.audits = False
        """Whether `sync_audit` is written."""
        self.not_before: datetime | None = None
        """The time before which no row may seem to be written: that at which `sync_audit` says its read began."""
        self._shared = shared
        self._check = check

    def now(self) -> datetime:
        """This machine's clock, in case it was put back not before rows that must seem to be older."""
        now = datetime.now(UTC)
        return max(now, self.not_before) if self.not_before else now

    @property
    def organization_id(self) -> str:
        """The organization that is read; empty where only Spend & Expense is, and its organization is not set."""
        return str(self.settings.get("organization_id", ""))

    @property
    def whose(self) -> str:
        """Whose data is read, for messages."""
        return f"organization {self.organization_id}" if self.organization_id else "Spend & Expense"

    @cached_property
    def owner(self) -> dict[str, str]:
        """The column that keeps rows of several organizations apart; empty where the organization is not set."""
        return {ORGANIZATION: self.organization_id}

    @cached_property
    def client(self) -> BillClient:
        """The client of accounts payable and receivable."""
        return BillClient(self.settings, self._shared, self.stats, user_agent=self._user_agent, stop=self.stop)

    @cached_property
    def spend_client(self) -> SpendClient:
        """The client of Spend & Expense."""
        common = self.client if way_into(self.settings, spend=True) is Way.OAUTH else None
        return SpendClient(self.settings, self._shared, self.stats, common, user_agent=self._user_agent, stop=self.stop)

    @cached_property
    def reader(self) -> Reader:
        """What reads the pages of accounts payable and receivable."""
        return Reader(self.client, limit=self.settings["max_concurrency"], check=self._check)

    @cached_property
    def spend_reader(self) -> Reader:
        """What reads the pages of Spend & Expense."""
        return Reader(self.spend_client, limit=self.settings["max_concurrency"], check=self._check)

    @cached_property
    def follower(self) -> Follower:
        """What reads again the records that changed ones name."""
        return Follower(self.reader_of, self.settings["lookback_seconds"])

    def client_of(self, resource: Resource) -> Client:
        """Return the client of a resource."""
        return self.spend_client if resource.is_spend else self.client

    def reader_of(self, resource: Resource) -> Reader:
        """Return what reads the pages of a resource."""
        return self.spend_reader if resource.is_spend else self.reader

    def may_read(self, resource: Resource) -> bool:
        """Tell whether there are credentials for a resource; each side of BILL may be read without the other."""
        return way_into(self.settings, spend=resource.is_spend) is not None

    @property
    def is_reading(self) -> bool:
        """Whether a reader was started, so that `check` is called again and again."""
        return bool(vars(self).keys() & {"reader", "spend_reader"})

    def close(self, patience: float | None = None) -> None:
        """End what is under way and sign out.

        Args:
            patience: seconds to wait for each request under way; None waits for its end.
        """
        self.stop.set()
        used = vars(self)
        for client, reader in (("client", "reader"), ("spend_client", "spend_reader")):
            ended = used[reader].close(patience) if reader in used else True
            if client in used:
                used[client].close(sign_out=ended)

    @property
    def _user_agent(self) -> str:
        return self.settings.get("user_agent") or f"tap-bill/{VERSION}"
