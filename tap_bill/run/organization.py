"""The read of one organization: what is selected, the sign-in, one stream after the other."""

from __future__ import annotations

import contextlib
import logging
import typing as t

from tap_bill import settings
from tap_bill.api.errors import BillError, Scope, fault
from tap_bill.resources import RESOURCES
from tap_bill.singer.streams import BillStream, ResourceStream

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_bill.api.client import Client
    from tap_bill.singer.audit import AuditStream
    from tap_bill.singer.writer import PageWriter
    from tap_bill.sync.context import RunContext

LOGGER = logging.getLogger("tap-bill")

LEFT_OUT: t.Final = {
    True: "Spend & Expense is not read: spend_api_token is not set.",
    False: f"Only Spend & Expense is read: {', '.join(settings.NEEDED)} are not set.",
}
"""What is logged where the credentials of Spend & Expense, or of all else, are missing."""


class OrganizationRun:
    """Reads the selected streams of one organization.

    A failure stays where it happened: the other streams are read, and the other side of BILL.

    Args:
        context: what the streams share.
        streams: all of them, by name.
        begin: writes the state that the run begins with.
        writer: where the messages go.
        patience: returns how many seconds to wait for requests under way when the run ends; None: until they end.
    """

    def __init__(
        self,
        context: RunContext,
        streams: Mapping[str, BillStream | AuditStream],
        writer: PageWriter,
        *,
        begin: Callable[[], None],
        patience: Callable[[], float | None],
    ) -> None:
        self.context = context
        self._streams = {name: stream for name, stream in streams.items() if isinstance(stream, BillStream)}
        self._audits = [stream for stream in streams.values() if not isinstance(stream, BillStream)]
        self._writer = writer
        self._begin = begin
        self._patience = patience

    @property
    def organization_id(self) -> str:
        """The organization that is read."""
        return self.context.organization_id

    def needed_streams(self) -> list[BillStream]:
        """Return the streams that are selected, or that selected line tables come from."""
        return [stream for stream in self._streams.values() if stream.selected or stream.has_selected_descendents]

    def read_streams(self) -> list[ResourceStream]:
        """Return those of them that are read by themselves, in the order of the table: what others name comes first."""
        found = [stream for stream in self.needed_streams() if isinstance(stream, ResourceStream)]
        order = {resource.name: place for place, resource in enumerate(RESOURCES)}
        return sorted(found, key=lambda stream: order[stream.resource.name])

    def check_selection(self) -> None:
        """Log what is left out for want of credentials.

        Raises:
            BillError: if nothing is left.
        """
        left_out = [stream.resource for stream in self._streams.values() if stream.is_wanted and not stream.selected]
        lines = [LEFT_OUT[is_spend] for is_spend in {resource.is_spend: None for resource in left_out}]
        if not self.needed_streams():
            why = lines[0] if lines else "Select some in the catalog (with Meltano: `select`)."
            raise BillError(f"No stream is selected that can be read. {why}")
        for line in lines:
            LOGGER.info(line)

    def sign_in(self) -> dict[Client, BillError]:
        """Make sure that BILL accepts the credentials that will be used.

        Returns:
            Those that it does not, and why; others are accepted.

        Raises:
            BillError: if it accepts none, or cannot be reached.
        """
        clients = list(dict.fromkeys(self.context.client_of(stream.resource) for stream in self.needed_streams()))
        refused: dict[Client, BillError] = {}
        for client in clients:
            try:
                client.sign_in()
            except BillError as error:
                refused[client] = error
                if error.scope is Scope.RUN or len(clients) == 1:
                    raise
        if len(refused) == len(clients):
            raise BillError("\n".join(dict.fromkeys(error.message for error in refused.values())))
        return refused

    def read(self) -> list[str]:
        """Read all that is selected.

        Returns:
            The streams that could not be read to the end; why is logged.

        Raises:
            BillError: if nothing can be read any more, or if none of its streams could be read at all.
        """
        self.check_selection()
        audits = [stream for stream in self._audits if stream.is_wanted]
        self.context.audits = bool(audits)
        with self.closing():
            failed = self._read_streams(self.read_streams())
            for stream in audits:
                if rows := stream.write(self.organization_id):
                    self.context.stats.of(stream.name).records = rows
            self._writer.flush()
        if all(stream.is_refused for stream in self.needed_streams() if stream.selected):
            raise BillError(
                f"BILL does not let this user read any of the selected streams of {self.context.whose}; "
                "give the user a role that may read them, or select others."
            )
        return failed

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """End what is under way, and sign out, however the block ends."""
        try:
            yield
        finally:
            self.context.close(self._patience())

    def _read_streams(self, streams: list[ResourceStream]) -> list[str]:
        """Read one stream after the other, in place of the SDK's `sync_all`, which the first failure ends.

        Returns:
            Those that could not be read to the end.

        Raises:
            BillError: if there is nothing left to read with.
        """
        context = self.context
        refused = self.sign_in()  # before anything is written, so that a refusal leaves no trace in the target
        for error in refused.values():
            error.show()
        sides: dict[ResourceStream, Client] = {stream: context.client_of(stream.resource) for stream in streams}
        for stream in streams:  # first pages are read ahead while earlier streams are written
            if sides[stream] not in refused:
                context.reader_of(stream.resource).expect(stream.expected())
        self._begin()
        context.follower.begin([each for each in self._streams.values() if isinstance(each, ResourceStream)])
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
        return failed + context.follower.finish()


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
