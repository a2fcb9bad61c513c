"""Writes Singer messages to stdout: the RECORD messages of a page together, every other message at once."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
import sys
import threading
import typing as t

from msgspec.json import Encoder
from singer_sdk.contrib.msgspec import MsgSpecWriter, enc_hook
from singer_sdk.helpers._state import StateWriter
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage

from tap_bill.api.errors import StoppedError, TargetGoneError
from tap_bill.sync.state import ORGANIZATION

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import TapState
    from singer_sdk.singerlib import Message

MOST_WAITING: t.Final = 1 << 20
"""Bytes of RECORD messages that wait for the end of their page, at most: a page may bring any number of parts."""

_ENCODER: t.Final = Encoder(enc_hook=enc_hook, decimal_format="number")


def line_of(message: Message) -> bytes:
    """Return a message as a line of output."""
    if isinstance(message, RecordMessage):
        return _ENCODER.encode(message.to_dict()) + b"\n"
    # As their `to_dict`, which would copy a whole state or schema first.
    found = {field.name: getattr(message, field.name) for field in dataclasses.fields(message)}
    return _ENCODER.encode({name: value for name, value in found.items() if value is not None}) + b"\n"


@contextlib.contextmanager
def output() -> Iterator[None]:
    """Write to stdout, and see to it that what was written has left.

    Raises:
        TargetGoneError: if that is not possible any more.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        # Python flushes stdout once more when it exits; there must be somewhere to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise TargetGoneError("The target stopped reading; see its own messages, then run again.") from None
        raise TargetGoneError(f"Cannot write the output: {error.strerror}. Fix that, then run again.") from None


def say(line: str) -> None:
    """Print a line of a report."""
    with output():
        print(line)  # noqa: T201 - a report is for stdout


def _send(lines: bytes | bytearray) -> None:
    """Write whole lines to stdout."""
    with output():
        sys.stdout.buffer.write(lines)


class PageWriter(MsgSpecWriter):
    """Encodes as the SDK's msgspec writer does (a Decimal keeps its digits), and saves a system call per record."""

    def __init__(self) -> None:
        """Make the writer."""
        super().__init__()
        self._buffer = bytearray()

    def write_message(self, message: Message) -> None:
        """Write a message; a RECORD waits for the next `flush` or the next message of another kind."""
        self._buffer += line_of(message)
        if not isinstance(message, RecordMessage) or len(self._buffer) >= MOST_WAITING:
            self.flush()

    def write_state_now(self, state: Mapping[str, t.Any]) -> None:
        """Write a state that must come before the rows that follow."""
        self.write_message(StateMessage(value=dict(state)))

    def flush(self) -> None:
        """Write what waits."""
        _send(self._buffer)
        self._buffer.clear()


class StateLines(StateWriter):
    """Writes a state that differs from the last one, of which it keeps the line: to make a copy would take longer."""

    _last = b""

    def write_state(self, state: TapState) -> None:
        """Write a state if it is new."""
        message = StateMessage(value=state)
        line = line_of(message)
        if line != self._last:
            self._message_writer.write_message(message)
            self._last = line


class SharedOutput:
    """The one output of a run over several organizations.

    A SCHEMA is written once, whoever comes first. The states of the organizations are put together into one, and
    because it grows with their number it is written only when at least as much was written since the last time: so
    states never make up more than half of the output.

    Args:
        state: the state that the run began with.
    """

    def __init__(self, state: Mapping[str, t.Any]) -> None:
        self._lock = threading.RLock()
        self._state: dict[str, t.Any] = {"bookmarks": {}}
        self._places: dict[tuple[str, str], int] = {}
        self._announced: set[str] = set()
        self._since = 0
        self._size = 0
        self._is_new = False
        self._is_closed = False
        self.take(state)

    def announce(self, message: SchemaMessage) -> None:
        """Write a SCHEMA, unless the stream has one already."""
        with self._lock:
            if message.stream not in self._announced:
                self._announced.add(message.stream)
                self.write(line_of(message))

    def write(self, lines: bytes) -> None:
        """Write whole lines.

        Raises:
            StoppedError: if the output is closed.
        """
        with self._lock:
            if self._is_closed:
                raise StoppedError("The run has ended.")
            _send(lines)
            self._since += len(lines)

    def take(self, state: Mapping[str, t.Any]) -> None:
        """Take over the bookmarks of an organization; they stay as they are now."""
        with self._lock:
            for stream, bookmark in state.get("bookmarks", {}).items():
                partitions = self._state["bookmarks"].setdefault(stream, {"partitions": []})["partitions"]
                for entry in copy.deepcopy(bookmark.get("partitions", [])):
                    place = self._places.setdefault((stream, entry["context"][ORGANIZATION]), len(partitions))
                    partitions[place : place + 1] = [entry]
            self._is_new = True

    def write_state(self, *, now: bool = False) -> None:
        """Write the state if it is worth it, or `now` if there is anything new."""
        with self._lock:
            if self._is_new and (now or self._since >= self._size):
                line = line_of(StateMessage(value=self._state))
                self.write(line)
                self._since, self._size, self._is_new = 0, len(line), False

    def close(self) -> None:
        """Write nothing more: a line that is begun while the process ends would be torn."""
        with self._lock:
            self._is_closed = True


class OrganizationWriter(PageWriter):
    """Writes the messages of one of several organizations."""

    def __init__(self, output: SharedOutput) -> None:
        """Make the writer."""
        super().__init__()
        self._output = output

    def write_message(self, message: Message) -> None:
        """Write a message; a RECORD waits for the next `flush` or the next message of another kind."""
        match message:
            case SchemaMessage():
                self._output.announce(message)
            case StateMessage():
                self.flush()
                self._output.take(message.value)
                self._output.write_state()
            case _:
                super().write_message(message)

    def write_state_now(self, state: Mapping[str, t.Any]) -> None:
        """Write a state that must come before the rows that follow."""
        self.flush()
        self._output.take(state)
        self._output.write_state(now=True)

    def flush(self) -> None:
        """Write what waits."""
        self._output.write(bytes(self._buffer))
        self._buffer.clear()
