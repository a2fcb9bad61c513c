"""A run from sign-in to summary: over one organization, or over several at once.

An organization that fails does not stop the others.
"""

from __future__ import annotations

import logging
import threading
import typing as t
from collections import deque

from tap_bill.api.errors import BillError, TargetGoneError, fault
from tap_bill.api.stats import RunStats
from tap_bill.run.logs import CURRENT_ORGANIZATION, name_organizations
from tap_bill.run.report import UNFINISHED, Outcome, tell
from tap_bill.singer.writer import OrganizationWriter, SharedOutput
from tap_bill.sync.reader import GLANCE

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_bill.run.organization import OrganizationRun
    from tap_bill.singer.writer import PageWriter

LOGGER = logging.getLogger("tap-bill")

PATIENCE_OF_ALL: t.Final = 3.0
"""Seconds that a run which is to stop waits for each organization's readers."""


def read_one(run: OrganizationRun) -> None:
    """Read one organization, and tell what the run did.

    Raises:
        BillError: if something could not be read, after all else was.
    """
    failed: list[str] = []
    ended = UNFINISHED
    try:
        failed = run.read()
        ended = ""
    except TargetGoneError:
        raise
    except BillError as error:
        ended = error.message
        raise
    finally:
        tell([Outcome(run.organization_id, run.context.stats, ended)], run.context.settings.get("summary_file", ""))
    if failed:
        raise _incomplete(failed, f"{len(run.read_streams())} streams")


def _incomplete(failed: Sequence[str], of: str) -> BillError:
    """Return the last word on a run of which a part failed."""
    return BillError(
        f"{len(failed)} of {of} could not be read to the end: {', '.join(failed)}. "
        "The reason for each is above; what was read is kept, and the next run resumes there."
    )


class Several:
    """The organizations of a run, a few at a time, each with streams of its own and all with one output.

    Args:
        organizations: the settings of each.
        start: makes the run of one organization, which writes to a writer.
        state: the state that the run begins with.
        at_once: how many are read at the same time, at most.
        summary_file: where the summary is written besides the log; empty for nowhere.
    """

    def __init__(
        self,
        organizations: Sequence[Mapping[str, t.Any]],
        start: Callable[[Mapping[str, t.Any], PageWriter], OrganizationRun],
        state: Mapping[str, t.Any],
        *,
        at_once: int,
        summary_file: str = "",
    ) -> None:
        self._start = start
        self._at_once = min(at_once, len(organizations))
        self._summary_file = summary_file
        self._waiting = deque(organizations)
        self._output = SharedOutput(state)
        self._lock = threading.Lock()
        self._active: set[OrganizationRun] = set()
        self._outcomes: list[Outcome] = []
        self._order = [settings["organization_id"] for settings in self._waiting]
        self._target_gone: TargetGoneError | None = None
        self._stopped = False

    def read(self) -> None:
        """Read them all, and tell what the run did.

        Raises:
            BillError: names the organizations that could not be read.
        """
        name_organizations()
        readers = [
            threading.Thread(target=self._work, name="tap-bill-organization", daemon=True) for _ in range(self._at_once)
        ]
        for reader in readers:
            reader.start()
        try:
            while (alive := [reader for reader in readers if reader.is_alive()]) and not self._target_gone:
                alive[0].join(GLANCE)
            if not self._target_gone:
                for unread in {*self._order} - {outcome.organization_id for outcome in self._outcomes}:
                    LOGGER.error("%s: was not read.", unread)
        finally:
            self._stop(readers)
            outcomes = self._in_order()
            tell(outcomes, self._summary_file)
        if self._target_gone:
            raise self._target_gone
        if failed := [outcome.organization_id for outcome in outcomes if outcome.failures]:
            raise _incomplete(failed, f"{len(self._order)} organizations")

    def _in_order(self) -> list[Outcome]:
        """Return how each ended, or that it did not: it is still under way when the run is stopped, or nobody came."""
        with self._lock:
            stats = {run.organization_id: run.context.stats for run in self._active}
            told = {outcome.organization_id: outcome for outcome in self._outcomes}
        return [told.get(name) or Outcome(name, stats.get(name, RunStats()), UNFINISHED) for name in self._order]

    def _stop(self, readers: list[threading.Thread]) -> None:
        """Let nothing wait or be written any more; without effect where all is done."""
        with self._lock:
            self._stopped = True
            for run in self._active:
                run.context.stop.set()
        for reader in readers:
            reader.join(PATIENCE_OF_ALL)
        if not self._target_gone:
            self._output.write_state(now=True)
        self._output.close()

    def _work(self) -> None:
        """Read one organization after the other, as long as there are any."""
        while not self._stopped:
            with self._lock:
                if not self._waiting:
                    return
                settings = self._waiting.popleft()
            CURRENT_ORGANIZATION.set(settings["organization_id"])
            self._read_alone(settings)

    def _read_alone(self, settings: Mapping[str, t.Any]) -> None:
        """Read an organization; whatever goes wrong is reported and goes no further."""
        run, error = None, UNFINISHED
        try:
            with self._lock:  # one at a time: what they share is made by the first
                run = self._start(settings, OrganizationWriter(self._output))
                self._active.add(run)
            run.read()
            error = ""
        except TargetGoneError as gone:
            self._target_gone = gone
        except BillError as problem:
            error = problem.message
        except Exception as problem:  # noqa: BLE001 - a fault of ours, which must not take the other organizations along
            error = fault(f"organization {settings['organization_id']}", problem).message
        finally:
            with self._lock:
                self._active -= {run}
                stats = run.context.stats if run else RunStats()
                self._outcomes.append(Outcome(settings["organization_id"], stats, error))
        if not (self._stopped or self._target_gone):
            for line in error.splitlines():
                LOGGER.error(line)
