"""From BILL's record to the row that is emitted: same names, same values, nothing dropped."""

from __future__ import annotations

import typing as t
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from msgspec import ValidationError, convert

from tap_bill.passes import canonical

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_bill.resources import Lines

UNKNOWN_FIELDS: t.Final = "_unknown_fields"

CANONICAL_TIMES: t.Final = ("createdTime", "updatedTime")
"""Columns spelled in one fixed form, because Singer compares them as text."""


class RowMaker:
    """Makes the rows of one stream.

    What the schema does not name, or names with another type, is kept under `_unknown_fields` unchanged, so that
    neither a new field nor a changed type loses data or breaks the target.

    Args:
        schema: JSON Schema of the stream.
        own_columns: columns that the tap adds; a field of BILL's with the same name is kept as unknown.
    """

    def __init__(self, schema: Mapping[str, t.Any], own_columns: tuple[str, ...]) -> None:
        added = {*own_columns, UNKNOWN_FIELDS}
        properties = {name: spec for name, spec in schema["properties"].items() if name not in added}
        self._fields = {name: _type(spec) for name, spec in properties.items()}
        self._record = _record_type(properties)

    def row(self, record: Mapping[str, t.Any], own: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Make one row.

        Args:
            record: a record or line as BILL sent it; it is not changed.
            own: the values of the columns that the tap adds.
        """
        row = {**own, **record}
        if not (record.keys() <= self._fields.keys() and _fits(record, self._record)):
            unknown = {
                name: value
                for name, value in record.items()
                if name not in self._fields or not _fits(value, self._fields[name])
            }
            row = {**own, **{name: value for name, value in record.items() if name not in unknown}}
            row[UNKNOWN_FIELDS] = unknown
        for name in CANONICAL_TIMES:
            if (time := row.get(name)) is not None:
                row[name] = canonical(time)
        return row


def _fits(value: object, fitting: t.Any) -> bool:
    try:
        convert(value, fitting, builtin_types=(Decimal,))
    except ValidationError:
        return False
    return True


def line_rows(lines: Lines, record: Mapping[str, t.Any]) -> Iterator[tuple[dict[str, t.Any], dict[str, t.Any]]]:
    """Find the lines inside a record.

    Yields:
        Each line as BILL sent it, with the columns that tell its place: `position` from 1 and, for a nested array,
        the id of the entry that encloses it.
    """
    outer, *inner = lines.array
    position = 0
    for entry in _objects(record.get(outer)):
        for line in _objects(entry.get(inner[0])) if inner else (entry,):
            position += 1
            place: dict[str, t.Any] = {"position": position}
            if lines.enclosing:
                place[lines.enclosing] = entry.get("id")
            yield line, place


def _objects(value: object) -> Iterator[dict[str, t.Any]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def _type(spec: Mapping[str, t.Any]) -> t.Any:
    """Turn a property's schema into the type of the values that fit it."""
    types = spec["type"] if isinstance(spec["type"], list) else [spec["type"]]
    (kind,) = (name for name in types if name != "null")
    match kind:
        case "object":
            fitting: t.Any = _record_type(spec.get("properties", {}))
        case "array":
            fitting = list[_type(spec["items"])]  # type: ignore[misc]
        case _:
            fitting = _SCALARS[spec.get("format", kind)]
    return fitting | None if "null" in types else fitting


def _record_type(properties: Mapping[str, t.Any]) -> t.Any:
    """Return a type that objects fit whose named fields fit; fields that are not named do not matter."""
    return TypedDict("_Record", {name: _type(spec) for name, spec in properties.items()}, total=False)  # type: ignore[operator]


_SCALARS: t.Final[Mapping[str, t.Any]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": int | Decimal,
    "date": date,
    "date-time": datetime,
}
