"""Sign-in sessions.

Documented: a session ends after 35 minutes without activity, works only with the developer key it was made with, and
can be signed out. Assumed: a refused request (wrong key) does not count as activity.
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
    """Who is signed in, with which developer key, and when that was last used."""

    user_id: str
    dev_key: str
    last_used: datetime


class SessionBook:
    """All sessions. May be used from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def open(self, user_id: str, dev_key: str) -> str:
        """Begin a session; answers its id."""
        session_id = "SESSION-" + secrets.token_hex(16)
        with self._lock:
            self._sessions[session_id] = Session(user_id, dev_key, self._clock.now())
        return session_id

    def find(self, session_id: str | None) -> Session | None:
        """The session, unless it is unknown or has ended."""
        if session_id is None:
            return None
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None and self._clock.now() - session.last_used >= IDLE_LIMIT:
                del self._sessions[session_id]
                return None
            return session

    def touch(self, session: Session) -> None:
        """The session was used."""
        with self._lock:
            session.last_used = self._clock.now()

    def close(self, session_id: str) -> None:
        """Sign out."""
        with self._lock:
            self._sessions.pop(session_id, None)

    def count(self) -> int:
        """How many sessions would be let in now."""
        with self._lock:
            now = self._clock.now()
            return sum(now - session.last_used < IDLE_LIMIT for session in self._sessions.values())

    def close_all(self) -> None:
        """End every session, as if all had been idle for too long."""
        with self._lock:
            self._sessions.clear()
