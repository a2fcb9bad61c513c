"""JSON answers: amounts keep their digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

ENCODER = msgspec.json.Encoder(decimal_format="number")


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with this body; bytes are JSON already."""
    content = body if isinstance(body, bytes) else ENCODER.encode(body)
    return Response(content, status, headers, media_type="application/json")
