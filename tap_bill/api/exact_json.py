"""JSON as BILL sends it, without changing a digit."""

from __future__ import annotations

import json
import typing as t
from decimal import Decimal

import msgspec

DEEPEST: t.Final = 64
"""Levels of nesting that are read; BILL's records have less than ten, and what walks a value calls itself."""

_DECODER: t.Final = msgspec.json.Decoder(float_hook=Decimal)
"""Every number with a fraction keeps its digits as a Decimal."""

_UNREADABLE: t.Final = (ValueError, RecursionError, ArithmeticError)
"""No JSON, no UTF-8, too many digits or levels, an exponent that no Decimal has."""


def parse(content: bytes) -> tuple[t.Any, bool]:
    """Return the parsed JSON, and whether it could be read."""
    try:
        value = _decoded(content)
    except _UNREADABLE:
        return None, False
    return (None, False) if _is_deep(content, value) else (value, True)


def _decoded(content: bytes) -> t.Any:
    """Read JSON.

    A text that was cut to a length may end with half an emoji. A strict parser refuses that, and it cannot be written
    as UTF-8, so it becomes the replacement character.
    """
    try:
        return _DECODER.decode(content)
    except msgspec.DecodeError:
        return _whole(json.loads(content.decode(), parse_float=Decimal, parse_constant=_refuse))


def _is_deep(content: bytes, value: t.Any) -> bool:
    """Tell whether a value is nested deeper than is read."""
    brackets = content.translate(None, _NO_BRACKETS)
    for _ in range(DEEPEST):  # each turn takes the innermost level away; few turns, for nearly every page
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    level = [value]  # some texts hold brackets, so it must be counted
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer if isinstance(outer, list) else outer.values())
        ]
    return bool(level)


def _whole(value: t.Any) -> t.Any:
    """Replace every half of a surrogate pair in a JSON value."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(item) for name, item in value.items()}
    return value


_NO_BRACKETS: t.Final = bytes({*range(256)} - {*b"[]{}"})


def _refuse(name: str) -> t.NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON
