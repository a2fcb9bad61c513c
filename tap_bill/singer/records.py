"""From BILL's record to the row that is emitted: same names, same values, nothing dropped."""

from __future__ import annotations

import re
import typing as t
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from msgspec import ValidationError, convert

from tap_bill.resources import Key
from tap_bill.sync.times import canonical

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping

    from tap_bill.resources import Array, Lines

UNKNOWN_FIELDS: t.Final = "_unknown_fields"

CANONICAL_TIMES: t.Final = ("createdTime", "updatedTime")
"""Columns spelled in one fixed form, because Singer compares them as text."""

_INSTANT: t.Final = {"type": ["string", "null"], "format": "date-time"}
"""What they are, whatever a catalog says."""


class OddFields:
    """Tells the user, once per field, what is kept in `_unknown_fields`.

    Args:
        stream: whose fields they are.
        logger: the stream's.
    """

    def __init__(self, stream: str, logger: logging.Logger) -> None:
        self._stream = stream
        self._logger = logger
        self._named: frozenset[str] = frozenset()

    def tell(self, paths: Iterable[str]) -> None:
        """Warn about the fields that no warning has named yet."""
        if new := {re.sub(r"\[\d+\]", "[]", path) for path in paths} - self._named:
            self._named |= new
            self._logger.warning(
                "%s: BILL sends fields that this version does not know in this form: %s. "
                "Their values are kept in %s; look for a newer tap-bill.",
                self._stream,
                ", ".join(sorted(new)),
                UNKNOWN_FIELDS,
            )


class RowMaker:
    """Makes the rows of one stream.

    What the schema does not name, or names with another type, is kept under `_unknown_fields` unchanged, so that
    neither a new field nor a changed type loses data or breaks the target. Of an object or an array only the odd
    values go there, each under its path: `address.city`, `lines[0].amount`.

    Args:
        schema: JSON Schema of the stream.
        own_columns: columns that the tap adds; a field of BILL's with the same name is kept as unknown.
        levels: where every column has to be there, null if BILL left it out: how many levels of nested objects count
            as columns too. None where rows hold what BILL sent.
    """

    def __init__(self, schema: Mapping[str, t.Any], own_columns: tuple[str, ...], levels: int | None = None) -> None:
        added = {*own_columns, UNKNOWN_FIELDS}
        self._columns: Mapping[str, t.Any] = schema.get("properties", {})
        self._levels = levels
        self._is_open = "properties" not in schema
        fields = {name: spec for name, spec in self._columns.items() if name not in added}
        fields |= {name: _INSTANT for name in CANONICAL_TIMES if name in fields}
        self._record = _Shape({"type": "object", "properties": fields})
        self._is_quick = self._record.is_exact and not levels

    def row(self, record: Mapping[str, t.Any], own: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Make one row.

        Args:
            record: a record or line as BILL sent it; it is not changed.
            own: the values of the columns that the tap adds; what BILL sent under their names is kept as unknown.
        """
        row = {**own, **record}
        unknown: dict[str, t.Any] = {}
        fields = self._record.fields
        is_quick = self._is_quick and len(row) == len(own) + len(record)
        if not (is_quick and record.keys() <= fields.keys() and _fits(record, self._record.fitting)):
            row = {**own, **self._known(record, own, unknown)}
        for name in CANONICAL_TIMES:
            if (time := row.get(name)) is not None:
                try:
                    row[name] = canonical(time)
                except (OverflowError, ValueError):  # a year that no calendar has once it is in UTC
                    unknown[name] = row.pop(name)
        if unknown:
            row[UNKNOWN_FIELDS] = unknown
        return row if self._levels is None else _completed(row, self._columns, self._levels)

    def _known(
        self, record: Mapping[str, t.Any], own: Mapping[str, t.Any], unknown: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """Return what fits of a record; `unknown` takes the rest."""
        known = {}
        fields = self._record.fields
        for name, value in record.items():
            if name in own:
                if value is not None:
                    unknown[name] = value
            elif name in fields:
                kept = fields[name].keep(value, name, unknown, self._levels or 0)
                if kept is not _NOTHING:
                    known[name] = kept
            elif self._is_open:
                known[name] = value
            else:
                unknown[name] = value
        return known


def _completed(row: Mapping[str, t.Any], columns: Mapping[str, t.Any], levels: int) -> dict[str, t.Any]:
    """Return a row in which every column is there."""
    whole = {**dict.fromkeys(columns), **row}
    for name, spec in columns.items() if levels else ():
        if "object" in spec.get("type", ()) and "properties" in spec:
            inner = {} if whole[name] is None else whole[name]
            if isinstance(inner, dict):
                whole[name] = _completed(inner, spec["properties"], levels - 1)
    return whole


def line_rows(lines: Lines, record: Mapping[str, t.Any]) -> Iterator[tuple[dict[str, t.Any], dict[str, t.Any]]]:
    """Find the lines inside a record.

    Yields:
        Each line as BILL sent it, with the columns that the tap adds: `position` from 1, what tells the entry around it
        from its neighbours, and an id if the line has none that tells it from the lines before it.
    """
    name, has_ids = lines.key.value, lines.key is not Key.POSITION
    position = 0
    for array in lines.arrays:
        for entries, around in _groups(array, record):
            known: set[str] = set()
            for line in entries:
                position += 1
                added = {**around, "position": position}
                if has_ids and (id_ := _identity(line, name, position, known)) is not line.get(name):
                    added[name] = id_
                yield line, added


def _groups(array: Array, record: Mapping[str, t.Any]) -> Iterator[tuple[list[dict[str, t.Any]], dict[str, t.Any]]]:
    """Yield the lines of an array, those of one entry together, with what tells that entry from its neighbours."""
    holder: t.Any = record
    for step in array.name.split("."):
        holder = holder.get(step) if isinstance(holder, dict) else None
    if not array.inner:
        yield _objects(holder), {}
        return
    known: set[str] = set()
    for position, entry in enumerate(_objects(holder), 1):
        around: dict[str, t.Any] = {}
        if array.enclosing:
            column, key = array.enclosing
            around[column] = position if key is Key.POSITION else _identity(entry, key.value, position, known)
        shared = {name: entry[name] for name in array.shared if name in entry}
        childless: list[dict[str, t.Any]] = [{}] if array.shared else []
        lines = _objects(entry.get(array.inner)) or childless
        yield [{**shared, **_renamed(line, array.renamed)} for line in lines], around


def _renamed(line: Mapping[str, t.Any], names: Mapping[str, str]) -> dict[str, t.Any]:
    """Return a line with other names for some of its fields, unless it has a field of that name already."""
    return {name if (other := names.get(name, name)) in line else other: value for name, value in line.items()}


def _identity(entry: Mapping[str, t.Any], name: str, position: int, known: set[str]) -> str:
    """Return the id of an entry. One that has none, or that of an earlier entry, is not lost: it is `position-3`.

    Args:
        entry: an object in an array.
        name: of the field with its id.
        position: what stands for the id.
        known: the ids of the entries before it; takes this one.
    """
    id_ = entry.get(name)
    if not isinstance(id_, str) or not id_ or id_ in known:
        return f"position-{position}"
    known.add(id_)
    return id_


def _objects(value: object) -> list[dict[str, t.Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


_typed_dict: t.Final[t.Any] = TypedDict
"""By this name a type checker does not ask for the names of fields beforehand."""

_NOTHING: t.Final = object()
"""What is kept where nothing of a value fits."""

_SCALARS: t.Final[Mapping[str, t.Any]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": int | Decimal,
    "null": None,
}
"""The values that fit, by JSON type."""

_FORMATS: t.Final[Mapping[str, t.Any]] = {"date": date, "date-time": datetime}
"""The texts that fit, by format; any other format is not looked at."""


class _Shape:
    """What values fit a schema.

    Types, `anyOf`, `oneOf` and the formats of dates are looked at; whatever else a schema asks for is let through.

    Args:
        spec: any JSON Schema.
    """

    def __init__(self, spec: t.Any) -> None:
        schema: Mapping[str, t.Any] = spec if isinstance(spec, dict) else {}
        types = schema.get("type") or ()
        kinds = [types] if isinstance(types, str) else list(types)
        choices = [{**schema, "type": kind} for kind in kinds]
        if not kinds:
            choices = schema.get("anyOf") or schema.get("oneOf") or []
        self.fields: dict[str, _Shape] = {}
        self.items: _Shape | None = None
        self.choices: list[_Shape] = []
        self.is_nullable = not kinds or "null" in kinds
        self.fitting: t.Any = t.Any
        """The type of the values that fit; of more than those, unless `is_exact`."""
        self.is_exact = True
        kinds = [kind for kind in kinds if kind != "null"] or kinds
        if len(kinds) == 1:
            self._fit(kinds[0], schema)
        elif choices:
            self.choices = [_Shape(choice) for choice in choices]
            self.is_nullable = any(choice.is_nullable for choice in self.choices)
            self.is_exact = False

    def _fit(self, kind: str, schema: Mapping[str, t.Any]) -> None:
        """Take values of one type, and perhaps null."""
        match kind:
            case "object":
                self.fields = {name: _Shape(spec) for name, spec in schema.get("properties", {}).items()}
                self.is_exact = all(shape.is_exact for shape in self.fields.values())
                # Fields that are not named do not matter.
                named = {name: shape.fitting for name, shape in self.fields.items()}
                self.fitting = _typed_dict("_Record", named, total=False)
            case "array":
                self.items = _Shape(schema.get("items"))
                self.is_exact = self.items.is_exact
                self.fitting = list[self.items.fitting]  # type: ignore[name-defined]
            case "string":
                self.fitting = _FORMATS.get(schema.get("format", ""), str)
            case _:
                self.fitting = _SCALARS.get(kind, t.Any)
        if self.is_nullable and self.fitting is not None:
            self.fitting |= None

    def keep(self, value: t.Any, path: str, unknown: dict[str, t.Any], levels: int = 0) -> t.Any:
        """Return what fits of a value, or `_NOTHING`.

        Args:
            value: as BILL sent it; it is not changed.
            path: of the value in its row.
            unknown: takes what does not fit, by path.
            levels: in how many levels of objects a field that the schema does not name does not fit.
        """
        odd: dict[str, t.Any] = {}
        kept = self._kept(value, path, odd, levels)
        unknown |= {path: value} if kept is _NOTHING else odd
        return kept

    def _kept(self, value: t.Any, path: str, odd: dict[str, t.Any], levels: int) -> t.Any:
        if value is None and self.is_nullable:
            return None
        if self.is_exact and not (levels and self.fields) and _fits(value, self.fitting):
            return value
        if any(choice.fits(value) for choice in self.choices):
            return value
        if isinstance(value, dict) and self.fields:
            kept = {}
            for name, item in value.items():
                place = f"{path}.{name}"
                if name in self.fields:
                    kept[name] = self.fields[name].keep(item, place, odd, max(levels - 1, 0))
                elif levels:
                    odd[place] = item
                else:
                    kept[name] = item
            return {name: item for name, item in kept.items() if item is not _NOTHING}
        if isinstance(value, list) and self.items:
            items = [self.items.keep(item, f"{path}[{place}]", odd) for place, item in enumerate(value)]
            if self.items.is_nullable or _NOTHING not in items:
                return [None if item is _NOTHING else item for item in items]
        return _NOTHING

    def fits(self, value: t.Any) -> bool:
        """Tell whether all of a value fits."""
        odd: dict[str, t.Any] = {}
        return self._kept(value, "", odd, 0) is not _NOTHING and not odd


def _fits(value: object, fitting: t.Any) -> bool:
    try:
        convert(value, fitting, builtin_types=(Decimal,))
    except ValidationError:
        return False
    return True
