"""What a run did, counted for its summary."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Iterator

SIGN_IN: t.Final = "sign-in"
SPEND_CHECK: t.Final = "spend check"
"""Where the requests are counted that no stream asks for."""

SYNC_AUDIT: t.Final = "sync_audit"
"""The stream that no request is made for."""


@dataclass(slots=True)
class StreamStats:
    """What one stream of one organization did.

    Args:
        read: records that BILL sent; the lines inside them are not counted.
        records: rows written.
        followed: rows of them that were read again because a changed record names them.
        requests: requests sent, repeated ones included.
        retries: requests repeated because of trouble.
        renewals: new sessions that its requests needed, because BILL had ended the one before.
        waited: seconds its requests waited for BILL's limits, all requests added up.
        before: the bookmark before the run; None without one.
        after: the bookmark after it.
        skipped: why it was not read; empty if it was.
        failed: why it could not be read to the end, as one sentence; empty if it was.
        is_read: whether it was read to the end.
    """

    read: int = 0
    records: int = 0
    followed: int = 0
    requests: int = 0
    retries: int = 0
    renewals: int = 0
    waited: float = 0.0
    before: str | None = None
    after: str | None = None
    skipped: str = ""
    failed: str = ""
    is_read: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to report: nothing new, no trouble."""
        trouble = self.retries or self.renewals or self.waited or self.skipped or self.failed
        return not (self.records or trouble) and self.before == self.after

    def add(self, *, requests: int = 0, retries: int = 0, renewals: int = 0, waited: float = 0.0) -> None:
        """Count; may be called by any thread."""
        with self._lock:
            self.requests += requests
            self.retries += retries
            self.renewals += renewals
            self.waited += waited


class RunStats:
    """The statistics of one organization, by stream, in the order in which the streams were first met."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_stream: dict[str, StreamStats] = {}

    def of(self, stream: str) -> StreamStats:
        """Return the statistics of a stream, new ones where there are none yet."""
        with self._lock:
            return self._by_stream.setdefault(stream, StreamStats())

    def __iter__(self) -> Iterator[tuple[str, StreamStats]]:
        with self._lock:
            return iter(list(self._by_stream.items()))
