"""JSON answers: amounts keep their digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from bill_emulator.company.stored import ENCODER
from bill_emulator.times import microseconds, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bill_emulator.clock import Clock
    from bill_emulator.protocol.errors import AnswerError


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with this body; bytes are JSON already."""
    content = body if isinstance(body, bytes) else ENCODER.encode(body)
    return Response(content, status, headers, media_type="application/json")


def error_answer(error: AnswerError, clock: Clock, status: int | None = None) -> Response:
    """The answer that says this, with its own status or another one."""
    return json_answer(error.body(shown(microseconds(clock.now()))), status or error.status, error.headers)
