"""From BILL's record to the row that is emitted: same names, same values, nothing dropped."""

from __future__ import annotations

import typing as t
from datetime import date, datetime
from decimal import Decimal

from tap_bill.passes import canonical

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_bill.resources import Lines

    Fits = Callable[[t.Any], bool]

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
        self._fits = {
            name: _compile(spec)
            for name, spec in schema["properties"].items()
            if name not in {*own_columns, UNKNOWN_FIELDS}
        }

    def row(self, record: Mapping[str, t.Any], own: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Make one row.

        Args:
            record: a record or line as BILL sent it; it is not changed.
            own: the values of the columns that the tap adds.
        """
        row = dict(own)
        unknown: dict[str, t.Any] = {}
        for name, value in record.items():
            fits = self._fits.get(name)
            if fits is not None and fits(value):
                row[name] = value
            else:
                unknown[name] = value
        for name in CANONICAL_TIMES:
            if row.get(name) is not None and name in self._fits:
                row[name] = canonical(row[name])
        if unknown:
            row[UNKNOWN_FIELDS] = unknown
        return row


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


def _compile(spec: Mapping[str, t.Any]) -> Fits:
    """Turn a property's schema into a quick test of whether a value fits it."""
    types = spec["type"] if isinstance(spec["type"], list) else [spec["type"]]
    nullable = "null" in types
    (kind,) = (name for name in types if name != "null")
    fits = _KINDS[spec["format"] if kind == "string" and "format" in spec else kind](spec)
    return lambda value: nullable if value is None else fits(value)


def _object(spec: Mapping[str, t.Any]) -> Fits:
    known = {name: _compile(child) for name, child in spec.get("properties", {}).items()}

    def fits(value: object) -> bool:
        return type(value) is dict and all(known[name](item) for name, item in value.items() if name in known)

    return fits


def _array(spec: Mapping[str, t.Any]) -> Fits:
    item = _compile(spec["items"])
    return lambda value: type(value) is list and all(map(item, value))


def _reads_as(read: Callable[[str], object]) -> Callable[[Mapping[str, t.Any]], Fits]:
    def fits(value: object) -> bool:
        try:
            return type(value) is str and bool(read(value))
        except ValueError:
            return False

    return lambda _: fits


def _calendar_date(text: str) -> date:
    if not text[4:5] == text[7:8] == "-":
        raise ValueError(text)
    return date.fromisoformat(text)


def _is(*types: type) -> Callable[[Mapping[str, t.Any]], Fits]:
    return lambda _: lambda value: type(value) in types


_KINDS: t.Final[Mapping[str, Callable[[Mapping[str, t.Any]], Fits]]] = {
    "string": _is(str),
    "boolean": _is(bool),
    "integer": _is(int),
    "number": _is(int, Decimal),
    "date": _reads_as(_calendar_date),
    "date-time": _reads_as(datetime.fromisoformat),
    "object": _object,
    "array": _array,
}
