"""When a stream is read whole again although its bookmark would do."""

from __future__ import annotations

import hashlib
import typing as t

if t.TYPE_CHECKING:
    from datetime import datetime

DAY: t.Final = 86_400.0


def is_due(last: datetime, now: datetime, days: float, whose: str) -> bool:
    """Tell whether a stream is to be read whole, so that no whole read is older than so many days.

    Time is cut into periods of so many days, which begin at another moment for each stream and organization, so that
    they do not all fall due in the same run. A stream falls due when one of its own periods has ended since.

    Args:
        last: when its last whole read began.
        now: on the same clock.
        days: more than 0.
        whose: the stream and organization.
    """
    period = days * DAY
    share = int.from_bytes(hashlib.sha256(whose.encode()).digest()[:8]) / 2**64
    return (last.timestamp() / period - share) // 1 < (now.timestamp() / period - share) // 1
