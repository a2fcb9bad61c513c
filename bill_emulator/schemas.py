"""The fields of every list, as the schema files at the top of the checkout describe them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

_FOLDER = Path(__file__).parents[1] / "schemas"


@cache
def properties(name: str) -> dict[str, Any]:
    """The properties of a list, by name."""
    found: dict[str, Any] = msgspec.json.decode((_FOLDER / f"{name}.json").read_bytes())["properties"]
    return found


def type_at(name: str, path: str) -> str | None:
    """The type (or format) at a dotted path of a list's rows, such as "date-time"; None where the schema has none."""
    inner: dict[str, Any] = {"properties": properties(name)}
    for step in path.split("."):
        inner = inner.get("properties", {}).get(step, {})
    return type_of(inner) if inner else None


def type_of(schema: dict[str, Any]) -> str:
    """The format of a property, or its type other than null."""
    types: str | list[str] = schema.get("type", "object")
    known = [types] if isinstance(types, str) else [each for each in types if each != "null"]
    return str(schema.get("format") or known[0])
