"""JSON as BILL sends it, without changing a digit."""

from __future__ import annotations

import json
import typing as t
from decimal import Decimal

import msgspec

_DECODER: t.Final = msgspec.json.Decoder(float_hook=Decimal)
"""Every number with a fraction keeps its digits as a Decimal."""


def parse(content: bytes) -> tuple[t.Any, bool]:
    """Return the parsed JSON, and whether it is any.

    Half an emoji, as a text cut off by length ends with, is no valid JSON to a strict parser and cannot be written as
    UTF-8 by anybody: it becomes the replacement character.
    """
    try:
        return _DECODER.decode(content), True
    except msgspec.DecodeError:
        pass
    try:
        lenient = json.loads(content.decode(), parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None, False
    return _whole(lenient), True


def _whole(value: t.Any) -> t.Any:
    """Replace every half of a surrogate pair in a JSON value."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(item) for name, item in value.items()}
    return value


def _refuse(name: str) -> t.NoReturn:
    raise ValueError(name)  # NaN and Infinity are no JSON
