"""`filters` and `sort`: parsing, refusing, and testing rows.

Documented: `field:op:value`, joined by commas, all must hold; only the listed fields and operators; `in`/`nin` take one
quoted, comma-separated string; times hold colons and therefore need quotes; the same field may come twice; `sort` is
`field:asc` or `field:desc`. Assumed: what is refused answers 400 in the validation shape; comparisons of text are exact
(case matters); a list of sorts is refused; quotes cannot be escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bill_emulator.company.stored import DATE, FLAG, TIME, Field
from bill_emulator.company.table import Condition, Query
from bill_emulator.protocol.errors import ValidationError
from bill_emulator.resources import ASSUMED, RESOURCES, Resource
from bill_emulator.times import is_calendar_day, read_filter_time

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*\Z)')  # one with an even number of quotes after it
_LISTS = ("in", "nin")


@dataclass(frozen=True, slots=True)
class Refusals:
    """What is not taken although the resource lists it, or has no effect: names of fields to filter by.

    `assumed`: whatever is neither official nor observed is refused; all sorts are official.
    """

    assumed: bool = False
    filters: frozenset[str] = frozenset()
    ignored_filters: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse names that no list has."""
        known = {name for resource in RESOURCES.values() for name in resource.filters}
        if unknown := (self.filters | self.ignored_filters) - known:
            raise ValueError(f"no list can be filtered by {', '.join(sorted(unknown))}")


def parse_query(resource: Resource, filters: str | None, sort: str | None, refusals: Refusals) -> Query:
    """Read the two parameters; raises `ValidationError` (400) for whatever is not listed, or refused."""
    conditions = () if filters is None else _conditions(resource, filters, refusals)
    return Query(conditions, *((None, False) if sort is None else _sort(resource, sort)))


def _sort(resource: Resource, text: str) -> tuple[Field, bool]:
    name, _, direction = text.partition(":")
    if name not in resource.sorts:
        raise ValidationError(f"sort: {resource.name} cannot be sorted by {name!r}")
    if direction not in ("asc", "desc"):
        raise ValidationError(f"sort: {text!r} must end in :asc or :desc")
    return resource.sorts[name], direction == "desc"


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


_READ: dict[str, Callable[[str], Any]] = {
    TIME: read_filter_time,
    FLAG: {"true": 1, "false": 0}.get,
    DATE: lambda text: text if is_calendar_day(text) else None,
}


def _typed(field: Field, text: str) -> Any:
    value = _READ.get(field.kind, str)(text)
    if value is None:
        raise ValidationError(f"filters: {text!r} is no value for {field.name}")
    return value
