"""Writes Singer messages to stdout: the RECORD messages of a page together, every other message at once."""

from __future__ import annotations

import sys
import typing as t

from msgspec.json import Encoder
from singer_sdk.contrib.msgspec import MsgSpecWriter, enc_hook
from singer_sdk.singerlib import RecordMessage

if t.TYPE_CHECKING:
    from singer_sdk.singerlib import Message

_ENCODER: t.Final = Encoder(enc_hook=enc_hook, decimal_format="number")


class PageWriter(MsgSpecWriter):
    """Encodes as the SDK's msgspec writer does (a Decimal keeps its digits), and saves a system call per record."""

    def __init__(self) -> None:
        """Make the writer."""
        super().__init__()
        self._buffer = bytearray()

    def write_message(self, message: Message) -> None:
        """Write a message; a RECORD waits for the next `flush` or the next message of another kind."""
        self._buffer += _ENCODER.encode(message.to_dict())
        self._buffer += b"\n"
        if not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        sys.stdout.buffer.write(self._buffer)
        sys.stdout.flush()
        self._buffer.clear()
