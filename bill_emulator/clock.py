"""The emulator's clock: one source of "now" for the `Date` header, for sessions and for edits."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the emulator what time it is.

    By default it is the machine's clock plus a settable offset. `Clock(at=...)` starts it at another moment, and
    `Clock(at=..., frozen=True)` makes a clock which only moves when it is moved.

    All moments are time-zone aware datetimes; UTC comes out.
    """

    def __init__(self, at: datetime | None = None, *, frozen: bool = False) -> None:
        """`at`: the moment to start at (default: the machine's); `frozen`: stand still until moved."""
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        self._still: datetime | None = None
        if frozen:
            self.freeze(at)
        elif at is not None:
            self.set(at)

    def now(self) -> datetime:
        """The present moment in UTC, with microseconds."""
        with self._lock:
            return self._now()

    def advance(self, seconds: float) -> datetime:
        """Move forward (or back, if negative) by so many seconds, and answer the new moment."""
        with self._lock:
            if self._still is None:
                self._offset += timedelta(seconds=seconds)
            else:
                self._still += timedelta(seconds=seconds)
            return self._now()

    def set(self, at: datetime) -> None:
        """Jump to this moment; a running clock runs on from there, a frozen one stays there."""
        with self._lock:
            self._jump(at)

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still, at this moment or at the present one."""
        with self._lock:
            moment = self._now() if at is None else at
            self._still = moment.astimezone(UTC)

    def run(self) -> None:
        """Run on from where the clock stands."""
        with self._lock:
            moment, self._still = self._now(), None
            self._jump(moment)

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._offset if self._still is None else self._still

    def _jump(self, at: datetime) -> None:
        if self._still is None:
            self._offset = at - datetime.now(UTC)
        else:
            self._still = at.astimezone(UTC)
