"""Amounts as decimal text, for loaders that make binary floating point of JSON numbers (`use_singer_decimal`)."""

from __future__ import annotations

import typing as t
from decimal import Context, Decimal, Inexact, InvalidOperation

from singer_sdk.singerlib.json import deserialize_json, serialize_json

from tap_bill.api.errors import BillError
from tap_bill.singer.records import UNKNOWN_FIELDS, OddFields

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Mapping

PRECISION: t.Final = 38
SCALE: t.Final = 9

FORMAT: t.Final = "x-singer.decimal"
"""The name that loaders know; the SDK's own type says `singer.decimal`, which they take for any other text."""

NUMBER: t.Final[Mapping[str, t.Any]] = {"type": ["number", "null"]}
DECIMAL: t.Final[Mapping[str, t.Any]] = {
    "type": ["string", "null"],
    "format": FORMAT,
    "precision": PRECISION,
    "scale": SCALE,
}

_STEP: t.Final = Decimal(1).scaleb(-SCALE)
_EXACT: t.Final = Context(prec=PRECISION, traps=[Inexact, InvalidOperation])
"""Refuses to round."""


def kinds(spec: Mapping[str, t.Any]) -> set[str]:
    """Return the JSON types of a column, null left out."""
    types = spec.get("type") or ()
    return ({types} if isinstance(types, str) else {*types}) - {"null"}


def with_decimals(schema: Mapping[str, t.Any], besides: Collection[str] = ()) -> dict[str, t.Any]:
    """Return a schema in which the columns that hold numbers hold decimal text; nested numbers stay.

    Args:
        schema: of a table.
        besides: columns that stay numbers.
    """
    return _retyped(schema, DECIMAL, lambda name, spec: kinds(spec) == {"number"} and name not in besides)


def with_numbers(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a schema in which the columns that hold decimal text hold numbers."""
    return _retyped(schema, NUMBER, lambda _, spec: spec.get("format") == FORMAT)


def _retyped(
    schema: Mapping[str, t.Any], type_: Mapping[str, t.Any], chosen: Callable[[str, Mapping[str, t.Any]], bool]
) -> dict[str, t.Any]:
    columns = schema.get("properties", {})
    new = {
        name: {**type_, **{key: spec[key] for key in ("title", "description") if key in spec}}
        for name, spec in columns.items()
        if chosen(name, spec)
    }
    return {**schema, "properties": {**columns, **new}} if new else dict(schema)


def text_of(value: Decimal | float) -> str | None:
    """Return a number in plain digits, as many as BILL sent; None where a column cannot hold it without rounding."""
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    try:
        held = number.quantize(_STEP, context=_EXACT)
    except (Inexact, InvalidOperation):
        return None
    if not held.is_finite():
        return None
    if not held:
        number, held = number.copy_abs(), held.copy_abs()  # no -0
    places = -t.cast("int", number.as_tuple().exponent)
    return format(held if places > SCALE else number, "f")


class DecimalColumns:
    """The columns of one table that hold decimal text.

    Args:
        stream: whose records the rows are made of.
        schema: of the table, with decimals.
        logger: the stream's.
    """

    def __init__(self, stream: str, schema: Mapping[str, t.Any], logger: logging.Logger) -> None:
        columns = schema.get("properties", {})
        self.names = [name for name, spec in columns.items() if spec.get("format") == FORMAT]
        self._stream = stream
        self._odd = OddFields(stream, logger)
        self._has_unknown = UNKNOWN_FIELDS in columns
        self._is_flat = "string" in kinds(columns.get(UNKNOWN_FIELDS, {}))

    def row(self, row: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return a row with its amounts as text; one that does not fit is kept as unknown.

        Raises:
            BillError: if there is no column to keep it in.
        """
        new: dict[str, t.Any] = {}
        unfit: dict[str, t.Any] = {}
        for name in self.names:
            value = row.get(name)
            if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
                new[name] = text_of(value)
                if new[name] is None:
                    unfit[name] = value
        if unfit:
            new[UNKNOWN_FIELDS] = self._kept(row.get(UNKNOWN_FIELDS), unfit)
            self._odd.tell(unfit)
        return {**row, **new}

    def _kept(self, known: t.Any, unfit: dict[str, t.Any]) -> t.Any:
        """Return `_unknown_fields` with the amounts that do not fit."""
        try:
            if self._is_flat:  # flattening makes JSON text of it
                return serialize_json({**(deserialize_json(known) if known else {}), **unfit})
            if self._has_unknown:
                return {**(known or {}), **unfit}
        except (TypeError, ValueError):  # a stream map has made something else of it
            pass
        raise BillError(
            f"{self._stream}: {', '.join(unfit)} of a row has more digits than DECIMAL({PRECISION}, {SCALE}) holds, "
            f"and {UNKNOWN_FIELDS}, which would keep it, is not selected or is changed by a stream map; "
            f"leave {UNKNOWN_FIELDS} as it is."
        )
