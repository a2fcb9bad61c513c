"""A run from sign-in to summary: over one organization, or over several at once.

A failure stays where it happened: the other streams are read, the other side of BILL, the other organizations.
"""

from __future__ import annotations

import logging
import threading
import typing as t
from collections import deque

from tap_bill.api.errors import BillError, Scope, TargetGoneError, fault
from tap_bill.api.stats import Tallies
from tap_bill.run.logs import ORGANIZATION, name_organizations
from tap_bill.run.report import Outcome, summary
from tap_bill.settings import organizations
from tap_bill.singer.writer import OrganizationWriter, SharedOutput
from tap_bill.sync.reader import GLANCE

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_bill.api.client import Client
    from tap_bill.singer.streams import ResourceStream
    from tap_bill.tap import TapBill

LOGGER = logging.getLogger("tap-bill")

LAST_WORDS: t.Final = 3.0
"""Seconds that a run which is to stop waits for each organization's readers."""


def run(tap: TapBill) -> None:
    """Read everything that is selected, of every organization.

    Raises:
        BillError: if something could not be read, after all else was.
    """
    if len(organizations(tap.config)) > 1:
        _Several(tap).run()
        return
    failed: list[str] = []
    ended = ""
    try:
        failed = _read(tap)
    except BillError as error:
        ended = error.message
        raise
    finally:
        LOGGER.info(summary([Outcome(tap.organization_id, tap.tallies, ended)]))
    if failed:
        raise BillError(
            f"{len(failed)} of {len(tap.read_streams())} streams could not be read to the end: {', '.join(failed)}. "
            "The reason for each is above; what was read is kept, and the next run resumes there."
        )


def _read(tap: TapBill) -> list[str]:
    """Read one organization.

    Returns:
        The streams that could not be read to the end; why is logged.

    Raises:
        BillError: if nothing can be read any more, or if none of its streams could be read at all.
    """
    tap.check_selection()
    with tap.running():
        failed = _read_streams(tap, tap.read_streams())
    if all(stream.is_refused for stream in tap.needed_streams() if stream.selected):
        raise BillError(
            f"BILL does not let this user read any of the selected streams of {tap.whose}; "
            "give the user a role that may read them, or select others."
        )
    return failed


def _read_streams(tap: TapBill, streams: list[ResourceStream]) -> list[str]:
    """Read one stream after the other, in place of the SDK's `sync_all`, which the first failure ends.

    Returns:
        Those that could not be read to the end.

    Raises:
        BillError: if there is nothing left to go on with.
    """
    refused = tap.sign_in()  # before anything is written, so that a refusal leaves no trace in the target
    for error in refused.values():
        error.show()
    sides: dict[ResourceStream, Client] = {stream: tap.client_of(stream.resource) for stream in streams}
    tap.begin(stream for stream in streams if sides[stream] not in refused)
    failed: list[str] = []
    for place, stream in enumerate(streams):
        side = sides[stream]
        problem = refused.get(side) or _read_stream(stream)
        if problem is None:
            continue
        failed.append(stream.name)
        stream.fail(problem)
        if side in refused:
            continue
        if problem.scope is Scope.SIDE:
            refused[side] = problem
        if problem.scope is Scope.RUN or {*sides.values()} <= {*refused} or len(streams) == 1:
            for unread in streams[place:]:
                unread.fail(problem)
            raise problem
        problem.show()
    return failed


def _read_stream(stream: ResourceStream) -> BillError | None:
    """Read a stream with all that is read along with it; return why that was not possible."""
    try:
        stream.sync()
        stream.finalize_state_progress_markers()
    except BillError as problem:
        return problem
    except Exception as error:  # noqa: BLE001 - a fault of ours, which must not take the other streams along
        return fault(stream.name, error)
    return None


class _Several:
    """The organizations of a run, a few at a time, each with a tap of its own and all with one output.

    Args:
        tap: what was configured; it reads nothing itself.
    """

    def __init__(self, tap: TapBill) -> None:
        self._tap = tap
        self._waiting = deque(organizations(tap.config))
        self._output = SharedOutput(t.cast("Mapping[str, t.Any]", tap.state))
        self._lock = threading.Lock()
        self._active: set[TapBill] = set()
        self._outcomes: list[Outcome] = []
        self._order = [settings["organization_id"] for settings in self._waiting]
        self._target_gone: TargetGoneError | None = None
        self._stopped = False

    def run(self) -> None:
        """Read them all.

        Raises:
            BillError: names the organizations that could not be read.
        """
        name_organizations()
        readers = [
            threading.Thread(target=self._work, name="tap-bill-organization", daemon=True)
            for _ in range(min(self._tap.config["max_organizations_in_parallel"], len(self._waiting)))
        ]
        for reader in readers:
            reader.start()
        try:
            while (alive := [reader for reader in readers if reader.is_alive()]) and not self._target_gone:
                alive[0].join(GLANCE)
            if not self._target_gone:
                self._add_unread()
        finally:
            self._stop(readers)
            self._outcomes.sort(key=lambda outcome: self._order.index(outcome.organization_id))
            LOGGER.info(summary(self._outcomes))
        if self._target_gone:
            raise self._target_gone
        if failed := [outcome.organization_id for outcome in self._outcomes if outcome.failures]:
            raise BillError(
                f"{len(failed)} of {len(self._order)} organizations could not be read to the end: {', '.join(failed)}. "
                "The reason for each is above; what was read is kept, and the next run resumes there."
            )

    def _add_unread(self) -> None:
        """Tell of those that no reader came to: one may have died."""
        told = {outcome.organization_id for outcome in self._outcomes}
        for unread in [name for name in self._order if name not in told]:
            LOGGER.error("%s: was not read.", unread)
            self._outcomes.append(Outcome(unread, Tallies(), "It was not read."))

    def _stop(self, readers: list[threading.Thread]) -> None:
        """Let nothing wait or be written any more; without effect where all is done."""
        with self._lock:
            self._stopped = True
            for tap in self._active:
                tap.stop.set()
        for reader in readers:
            reader.join(LAST_WORDS)
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
            ORGANIZATION.set(settings["organization_id"])
            self._read_alone(settings)

    def _read_alone(self, settings: Mapping[str, t.Any]) -> None:
        """Read an organization; whatever goes wrong is told and goes no further."""
        tap, error = None, ""
        try:
            with self._lock:  # one at a time: what they share is made by the first
                tap = self._tap.for_organization(settings, OrganizationWriter(self._output))
                self._active.add(tap)
            _read(tap)
        except TargetGoneError as gone:
            self._target_gone = gone
            return
        except BillError as problem:
            error = problem.message
        except Exception as problem:  # noqa: BLE001 - a fault of ours, which must not take the other organizations along
            error = fault(f"organization {settings['organization_id']}", problem).message
        finally:
            with self._lock:
                self._active -= {tap}
        if self._stopped:
            return
        for line in error.splitlines():
            LOGGER.error(line)
        self._outcomes.append(Outcome(settings["organization_id"], tap.tallies if tap else Tallies(), error))
