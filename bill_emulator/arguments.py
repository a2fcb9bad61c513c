"""Values on the command line: what they may be, and one line about what is wrong with them."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LARGEST_PORT = 65_535


def whole(text: str) -> int:
    """A number without sign or fraction."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def seconds(text: str) -> float:
    """A number of seconds."""
    if not math.isfinite(number := _number(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return number


def share(text: str) -> float:
    """A number from 0 to 1."""
    if not 0 <= (number := _number(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return number


def port(text: str) -> int:
    """A port to listen on."""
    number = whole(text)
    if number > _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port (0 to {_LARGEST_PORT})")
    return number


def yes(text: str) -> bool:
    """Yes or no."""
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text == "yes"


def compound(text: str, kinds: Mapping[str, Callable[[str], Any]]) -> tuple[str, dict[str, Any]]:
    """`HEAD,name=value,...`: the head, and the values by name; of a name that comes again, a tuple of all values."""
    head, *terms = text.split(",")
    found: dict[str, Any] = {}
    for term in terms:
        name, equals, value = term.partition("=")
        if not equals or name not in kinds:
            raise argparse.ArgumentTypeError(f"{term!r} is not one of {', '.join(f'{kind}=...' for kind in kinds)}")
        found.setdefault(name, []).append(kinds[name](value))
    return head, {name: values[0] if len(values) == 1 else tuple(values) for name, values in found.items()}
