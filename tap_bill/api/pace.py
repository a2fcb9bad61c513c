"""At most so many requests a minute, for Spend & Expense."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import deque

from tap_bill.api.errors import StoppedError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from tap_bill.api.stats import Tally

PER_MINUTE: t.Final = 60
"""Requests that BILL allows each token (BILL: API rate limits)."""

MINUTE: t.Final = 61.0
"""Seconds; a little more than a minute, because requests do not all take the same time to arrive."""


class Pace:
    """The limit of one token: no minute, wherever it begins, has more than `PER_MINUTE` requests.

    Args:
        monotonic: a clock in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._sent: deque[float] = deque(maxlen=PER_MINUTE)

    def admit(self, tally: Tally, stop: threading.Event) -> None:
        """Count a request, and wait first where the last minute has no room for it.

        Raises:
            StoppedError: if `stop` is set meanwhile.
        """
        while (wait := self._take()) > 0:
            tally.add(waited=wait)
            if stop.wait(wait):
                raise StoppedError("Stopped while waiting for the limit of requests a minute.")

    def used_up(self) -> bool:
        """Return that there is no hour to wait for: a refusal is met like any other that says to slow down."""
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
