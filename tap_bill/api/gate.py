"""How many requests of one organization may be under way."""

from __future__ import annotations

import threading
import typing as t

RECOVERY: t.Final = 30
"""Good answers in a row after which one more request at once is tried again."""


class Gate:
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
