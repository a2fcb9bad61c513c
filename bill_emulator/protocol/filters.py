"""`filters` and `sort`: parsing, refusing, and testing rows.

Documented: `field:op:value`, joined by commas, all must hold; only the listed fields and operators; `in`/`nin` take one
quoted, comma-separated string; times hold colons and therefore need quotes; the same field may come twice; `sort` is
`field:asc` or `field:desc`. Assumed: what is refused answers 400 in the validation shape; comparisons of text are exact
(case matters); a row without the field meets only `ne` and `nin`; a list of sorts is refused; quotes cannot be escaped.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bill_emulator.protocol.errors import ValidationError
from bill_emulator.protocol.sorting import DISPLACED, SHUFFLED, invented_value
from bill_emulator.resources import ASSUMED, DATE, FLAG, NUMBER, RESOURCES, TIME, Field, Resource
from bill_emulator.times import is_calendar_day, read_filter_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from bill_emulator.company.table import Stored

_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*\Z)')  # one with an even number of quotes after it
_FLAGS = {"true": 1, "false": 0}
_LISTS = ("in", "nin")
_MET_BY_NOTHING = ("ne", "nin")

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda actual, wanted: actual in wanted,
    "nin": lambda actual, wanted: actual not in wanted,
    "sw": str.startswith,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One term of a filter. `value` is comparable with `value_of`; a frozenset of such for lists."""

    field: Field
    op: str
    value: Any

    def holds(self, stored: Stored) -> bool:
        """Whether a row meets this term."""
        actual = value_of(stored, self.field)
        if actual is None:
            return self.op in _MET_BY_NOTHING
        return _TESTS[self.op](actual, self.value)


@dataclass(frozen=True, slots=True)
class Query:
    """What a list request asks for: conditions that must all hold, and the field to sort by (None: default order)."""

    conditions: tuple[Condition, ...] = ()
    field: Field | None = None
    descending: bool = False


def value_of(stored: Stored, field: Field) -> Any:
    """A row's value for filtering and sorting, or None when it has none of the right type.

    Times are the stored microseconds (finer than what is shown), flags are 0 or 1.
    """
    if field.kind == TIME:
        return stored.created if field.name == "createdTime" else stored.updated
    if field.kind in (DISPLACED, SHUFFLED):
        return invented_value(stored, field)
    value: Any = stored.row()
    for name in field.path:
        value = value.get(name) if isinstance(value, dict) else None
    if field.kind == FLAG:
        return int(value) if isinstance(value, bool) else None
    if field.kind == NUMBER:
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return Decimal(str(value)) if number else None
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Refusals:
    """What is not taken although the resource lists it, or has no effect: names of fields to filter by.

    `assumed`: whatever is neither official nor observed is refused, of filters and sorts.
    """

    assumed: bool = False
    filters: frozenset[str] = frozenset()
    ignored_filters: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse names that no list has."""
        known = {name for resource in RESOURCES.values() for name in resource.filters}
        if unknown := (self.filters | self.ignored_filters) - known:
            raise ValueError(f"no list can be filtered by {', '.join(sorted(unknown))}")


NO_REFUSALS = Refusals()


def parse_query(resource: Resource, filters: str | None, sort: str | None, refusals: Refusals = NO_REFUSALS) -> Query:
    """Read the two parameters; raises `ValidationError` (400) for whatever is not listed, or refused."""
    conditions = () if filters is None else _conditions(resource, filters, refusals)
    field, descending = (None, False) if sort is None else _sort(resource, sort, refuse_assumed=refusals.assumed)
    return Query(conditions, field, descending)


def _sort(resource: Resource, text: str, *, refuse_assumed: bool) -> tuple[Field, bool]:
    name, _, direction = text.partition(":")
    known = resource.sorts.get(name)
    if known is None or (refuse_assumed and known.confidence == ASSUMED):
        raise ValidationError(f"sort: {resource.name} cannot be sorted by {name!r}")
    if direction not in ("asc", "desc"):
        raise ValidationError(f"sort: {text!r} must end in :asc or :desc")
    return known.field, direction == "desc"


def _conditions(resource: Resource, text: str, refusals: Refusals) -> tuple[Condition, ...]:
    terms = [term for term in _split(text) if term.partition(":")[0] not in refusals.ignored_filters]
    return tuple(_condition(resource, term, refusals) for term in terms)


def _split(text: str) -> list[str]:
    """Cut at the commas that are not inside quotes."""
    if text.count('"') % 2:
        raise ValidationError("filters: a quote is not closed")
    return _COMMA.split(text)


def _condition(resource: Resource, term: str, refusals: Refusals) -> Condition:
    name, _, rest = term.partition(":")
    op, colon, raw = rest.partition(":")
    if not colon:
        raise ValidationError(f"filters: {term!r} is not of the form field:op:value")
    known = resource.filters.get(name)
    if known is None or name in refusals.filters or (refusals.assumed and known.confidence == ASSUMED):
        raise ValidationError(f"filters: {resource.name} cannot be filtered by {name!r}")
    if op not in known.operators:
        raise ValidationError(f"filters: {name} does not take the operator {op!r}")
    value, quoted = _unquoted(name, raw)
    if op in _LISTS:
        if not quoted:
            raise ValidationError(f"filters: the list of {name} must be quoted")
        return Condition(known.field, op, frozenset(_typed(known.field, one) for one in value.split(",")))
    return Condition(known.field, op, _typed(known.field, value))


def _unquoted(name: str, raw: str) -> tuple[str, bool]:
    quoted = raw.startswith('"') and raw.endswith('"') and raw != '"'
    value = raw[1:-1] if quoted else raw
    if not value:
        raise ValidationError(f"filters: {name} has no value")
    if '"' in value:
        raise ValidationError(f"filters: the value of {name} has a stray quote")
    if not quoted and ":" in value:
        raise ValidationError(f"filters: the value of {name} holds a colon and must be quoted")
    return value, quoted


def _typed(field: Field, text: str) -> Any:
    value: Any = text
    if field.kind == TIME:
        value = read_filter_time(text)
    elif field.kind == FLAG:
        value = _FLAGS.get(text)
    elif field.kind == DATE:
        value = text if is_calendar_day(text) else None
    if value is None:
        raise ValidationError(f"filters: {text!r} is no value for {field.name}")
    return value
