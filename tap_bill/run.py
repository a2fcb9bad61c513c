"""A run from sign-in to summary: over one organization, or over several at once, of which one may fail alone."""

from __future__ import annotations

import logging
import threading
import typing as t
from collections import deque

from tap_bill.configuration import organizations
from tap_bill.errors import BillError, TargetGoneError
from tap_bill.fetcher import GLANCE
from tap_bill.logs import ORGANIZATION, name_organizations
from tap_bill.summary import Outcome, summary
from tap_bill.writer import OrganizationWriter, SharedOutput

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_bill.tap import TapBill

LOGGER = logging.getLogger("tap-bill")

LAST_WORDS: t.Final = 3.0
"""Seconds that a run which is to stop waits for each organization's readers."""


def run(tap: TapBill) -> None:
    """Read everything that is selected, of every organization.

    Raises:
        BillError: if an organization could not be read, after the others were.
    """
    if len(organizations(tap.config)) > 1:
        _Several(tap).run()
        return
    try:
        _read(tap)
    finally:
        LOGGER.info(summary([Outcome(tap.organization_id, tap.tallies)]))


def _read(tap: TapBill) -> None:
    """Read one organization.

    Raises:
        BillError: if it could not be read to the end, or if none of its streams could be read at all.
    """
    tap.check_selection()
    with tap.running():
        tap.sign_in()  # before anything is written, so that a refusal leaves no trace in the target
        tap.read_ahead()
        tap.sync_all()
    if all(stream.is_refused for stream in tap.needed_streams() if stream.selected):
        raise BillError(
            f"BILL does not let this user read any of the selected streams of {tap.whose}; "
            "give the user a role that may read them, or select others."
        )


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
        finally:
            self._stop(readers)
            self._outcomes.sort(key=lambda outcome: self._order.index(outcome.organization_id))
            LOGGER.info(summary(self._outcomes))
        if self._target_gone:
            raise self._target_gone
        if failed := [outcome.organization_id for outcome in self._outcomes if outcome.error]:
            raise BillError(
                f"{len(failed)} of {len(self._order)} organizations could not be read to the end: {', '.join(failed)}. "
                "Why is told for each above; what was read is kept, and the next run goes on there."
            )

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
        tap = self._tap.for_organization(settings, OrganizationWriter(self._output))
        with self._lock:
            self._active.add(tap)
        try:
            _read(tap)
            error = ""
        except TargetGoneError as gone:
            self._target_gone = gone
            return
        except BillError as problem:
            error = problem.message
        except Exception as fault:  # a fault of ours, which must not take the other organizations along
            LOGGER.exception("Could not be read.")
            error = f"{type(fault).__name__}, a fault of tap-bill: report it with the lines above."
        finally:
            with self._lock:
                self._active.discard(tap)
        if self._stopped:
            return
        if error:
            LOGGER.error(error)
        self._outcomes.append(Outcome(tap.organization_id, tap.tallies, error))
