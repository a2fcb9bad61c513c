"""Sign-in sessions.

Documented: a session ends after 35 minutes without activity, is one organization's, works only with the developer key
it was made with, and can be signed out. Assumed: a refused request (wrong key) does not count as activity.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bill_emulator.clock import Clock

IDLE_LIMIT = timedelta(minutes=35)


@dataclass(slots=True)
class Session:
    """Who is signed in to which organization, with which developer key, and when that was last used."""

    user_id: str
    dev_key: str
    organization_id: str
    began: datetime
    last_used: datetime
    requests: int = 0


class SessionBook:
    """All sessions. May be used from any thread.

    `most_requests` and `most_seconds` end a session however busy it is; 0: no such limit. That is not BILL's to say.
    """

    def __init__(self, clock: Clock, *, most_requests: int = 0, most_seconds: float = 0) -> None:
        self._clock = clock
        self._most_requests = most_requests
        self._most_age = timedelta(seconds=most_seconds) if most_seconds else None
        self.expired = 0
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def open(self, user_id: str, dev_key: str, organization_id: str) -> str:
        """Begin a session; answers its id."""
        session_id = "SESSION-" + secrets.token_hex(16)
        now = self._clock.now()
        with self._lock:
            self._sessions[session_id] = Session(user_id, dev_key, organization_id, now, now)
        return session_id

    def find(self, session_id: str | None) -> Session | None:
        """The session, unless it is unknown or has ended."""
        if session_id is None:
            return None
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None and not self._lives(session):
                del self._sessions[session_id]
                self.expired += 1
                return None
            return session

    def organization_of(self, session_id: str | None) -> str | None:
        """The organization of a session, which may have ended."""
        with self._lock:
            session = self._sessions.get(session_id or "")
            return session.organization_id if session else None

    def _lives(self, session: Session) -> bool:
        now = self._clock.now()
        return not (
            now - session.last_used >= IDLE_LIMIT
            or (self._most_requests and session.requests >= self._most_requests)
            or (self._most_age and now - session.began >= self._most_age)
        )

    def touch(self, session: Session) -> None:
        """The session was used."""
        with self._lock:
            session.last_used = self._clock.now()
            session.requests += 1

    def close(self, session_id: str) -> None:
        """Sign out."""
        with self._lock:
            self._sessions.pop(session_id, None)

    def count(self) -> int:
        """How many sessions would be let in now."""
        with self._lock:
            return sum(self._lives(session) for session in self._sessions.values())

    def close_all(self) -> None:
        """End every session, as if all had been idle for too long."""
        with self._lock:
            self._sessions.clear()
