"""Which organizations of a key may be read now: BILL allows each developer key 200 sign-ins in a clock hour."""

from itertools import takewhile
from typing import NamedTuple

HOUR, PAUSE = 3600, 60  # seconds; a failed run is repeated after the pause, which doubles with each further failure
SIGN_INS, AT_MOST = 200, 150  # an hour of a key; beyond the second only runs are repeated, and sessions renewed


class Run(NamedTuple):
    """A run of the key; `ended` is None while it lasts, and `failed` says that it is to be repeated soon."""

    organizations: list[str]
    began: float
    ended: float | None
    failed: bool = False


def due(organizations: list[str], runs: list[Run], now: float) -> list[str]:
    """Return what to read now, first what was read longest ago; `runs` are the newest, oldest first.

    A run counts with all its organizations in each hour that it touches: nobody knows when it signed in to which.
    """
    if any(run.ended is None for run in runs):
        return []
    failures = len(list(takewhile(lambda run: run.failed, reversed(runs))))
    if failures and now < runs[-1].ended + min(PAUSE * 2 ** (failures - 1), HOUR):
        return []
    hour = now // HOUR * HOUR
    read = {name: run.began for run in runs if not run.failed for name in run.organizations}
    waiting = sorted((name for name in organizations if read.get(name, 0) < hour), key=lambda name: read.get(name, 0))
    used = sum(len(run.organizations) for run in runs if run.ended >= hour)
    return waiting[: max(0, (SIGN_INS if failures else AT_MOST) - used)]
