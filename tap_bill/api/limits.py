"""BILL's limits: three requests at once, the developer key's clock hour, and Spend & Expense's minute."""

from __future__ import annotations

import logging
import random
import threading
import time
import typing as t
from collections import deque
from datetime import UTC, datetime, timedelta

from tap_bill.api.errors import QuotaError, StoppedError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_bill.api.stats import StreamStats

LOGGER = logging.getLogger("tap-bill")

HOUR: t.Final = 3600

APART: t.Final = 1.0
"""Seconds over which requests that waited for the same hour are spread, so that they do not all come at once."""

PER_MINUTE: t.Final = 60
"""Requests that BILL allows each token (BILL: API rate limits)."""

MINUTE: t.Final = 61.0
"""Seconds; a little more than a minute, because requests do not all take the same time to arrive."""

RECOVERY: t.Final = 30
"""Good answers in a row after which one more request at once is tried again."""


class ConcurrencyLimiter:
    """Lets at most `limit` requests through at once, and fewer for a while after `narrow`; a context manager.

    BILL counts 3 requests at once per developer key and organization, those of other programs included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._allowed = limit
        self._under_way = 0
        self._good = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._under_way < self._allowed)
            self._under_way += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def narrow(self) -> None:
        """Let one less through: BILL has just said that there are too many at once."""
        with self._changed:
            self._allowed = max(1, self._allowed - 1)
            self._good = 0

    def widen(self) -> None:
        """Note a good answer; enough of them in a row let one more through."""
        with self._changed:
            self._good += 1
            if self._good >= RECOVERY and self._allowed < self._limit:
                self._allowed += 1
                self._good = 0
                self._changed.notify_all()


class ServerClock:
    """BILL's clock, as the `Date` of its answers gives it; this machine's until the first answer.

    It runs on by the monotonic clock, so that a machine whose time is wrong or is set does not matter.
    """

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()

    def set(self, server_time: datetime) -> None:
        """Take over the time of an answer."""
        self._base = server_time.timestamp() - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._base + time.monotonic()


class HourlyQuota:
    """An hourly limit of one developer key, or developer app, shared by all who use it in this process.

    Args:
        what: what is limited, for messages: "requests", "sign-ins".
        clock: BILL's clock; the limit is counted by its full hours.
        whose: what it is counted by, for messages.
        max_wait: seconds that may be waited for the next hour; where it is further away, `QuotaError` is raised.
        own_limit: requests an hour that the user allows this run, or None for as many as BILL does.
    """

    def __init__(
        self,
        what: str,
        clock: ServerClock,
        *,
        max_wait: float,
        own_limit: int | None = None,
        whose: str = "developer key",
    ) -> None:
        self._what = what
        self._whose = whose
        self._clock = clock
        self._max_wait = max_wait
        self._own_limit = own_limit
        self._lock = threading.Lock()
        self._hour = 0
        self._count = 0
        self._closed_until = 0.0
        self._why = ""
        self._just_opened = False
        self._booked = False

    def admit(self, stats: StreamStats, stop: threading.Event) -> None:
        """Count a request, and wait for the next hour first where nothing is left of this one.

        Raises:
            QuotaError: if that would take too long.
            StoppedError: if `stop` is set meanwhile.
        """
        while (wait := self._take()) > 0:
            if wait > self._max_wait:
                raise QuotaError(self._explain(wait))
            if not self._booked:  # all wait for the same hour, so it counts once
                self._booked = True
                stats.add(waited=wait)
            if stop.wait(wait + random.uniform(0, APART)):  # noqa: S311 - no secret
                raise StoppedError("Stopped while waiting for BILL's next clock hour.")

    def used_up(self) -> bool:
        """Note that BILL called the limit used up.

        Returns:
            Whether to wait for the next hour. Not directly after such a wait: then BILL's hour may begin a little
            later than its clock says, and the request is repeated a few times like any other.
        """
        with self._lock:
            if self._just_opened:
                return False
            self._close(f"BILL's hourly limit of {self._what} for this {self._whose} is used up (BDC_1144)")
            return True

    def was_served(self) -> None:
        """Note that BILL answered, so that the limit is not used up."""
        self._just_opened = False

    def _take(self) -> float:
        """Count a request and return 0, or return the seconds until one may be sent."""
        with self._lock:
            now = self._clock.now()
            if self._closed_until:
                if now < self._closed_until:
                    return min(self._closed_until - now, HOUR)  # however BILL's clock may jump
                self._closed_until, self._just_opened = 0.0, True
            if now // HOUR != self._hour:
                self._hour, self._count = int(now // HOUR), 0
            if self._own_limit is not None and self._count >= self._own_limit:
                self._close(f"The {self._own_limit:,} {self._what} that max_requests_per_hour allows are used up")
                return self._closed_until - now
            self._count += 1
            return 0.0

    def _close(self, why: str) -> None:
        if self._closed_until:
            return
        now = self._clock.now()
        self._closed_until = (now // HOUR + 1) * HOUR
        self._why, self._booked = why, False
        if (wait := self._closed_until - now) <= self._max_wait:
            LOGGER.warning("%s; waiting until %s.", why, self._moment(wait))

    def _explain(self, wait: float) -> str:
        return f"{self._why}. Run again from {self._moment(wait)} on"

    def _moment(self, wait: float) -> str:
        at = datetime.fromtimestamp(self._closed_until, UTC)
        return f"{at:%H:%M} UTC ({timedelta(seconds=round(wait))} from now)"


class RateLimiter:
    """The limit of one token: no minute, wherever it begins, has more than `PER_MINUTE` requests.

    Args:
        monotonic: a clock in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._sent: deque[float] = deque(maxlen=PER_MINUTE)

    def admit(self, stats: StreamStats, stop: threading.Event) -> None:
        """Count a request, and wait first where the last minute has no room for it.

        Raises:
            StoppedError: if `stop` is set meanwhile.
        """
        while (wait := self._take()) > 0:
            stats.add(waited=wait)
            if stop.wait(wait):
                raise StoppedError("Stopped while waiting for the limit of requests a minute.")

    def used_up(self) -> bool:
        """Return False: no clock hour is counted here, so the request is repeated after a pause."""
        return False

    def was_served(self) -> None:
        """Do nothing: what was sent counts, whatever came back."""

    def _take(self) -> float:
        """Count a request and return 0, or return the seconds until one may be sent."""
        with self._lock:
            now = self._monotonic()
            if len(self._sent) == PER_MINUTE and (wait := self._sent[0] + MINUTE - now) > 0:
                return wait
            self._sent.append(now)
            return 0.0
