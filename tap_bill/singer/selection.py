"""What Meltano's `select` names; its catalog does not tell a stream that somebody named from one that `*.*` matched."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tap_bill.resources import RESOURCES

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.singerlib.catalog import Catalog

# Meltano passes an extractor's extras to it in variables of these names, whatever the extractor is called.
SELECT: t.Final = "MELTANO_EXTRACT__SELECT"
SELECT_FILTER: t.Final = "MELTANO_EXTRACT__SELECT_FILTER"
OWN_CATALOG: t.Final = "MELTANO_EXTRACT__CATALOG"

ON_REQUEST: t.Final = tuple(table for resource in RESOURCES if not resource.is_default for table in resource.tables)
"""Streams that are read only if somebody names them."""


class Pattern(t.NamedTuple):
    """One pattern of `select`, such as `bills.*`, `bills.amount` or `!roles.*`."""

    includes: bool
    stream: str
    columns: str

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Take a pattern apart."""
        stream, _, columns = text.removeprefix("!").partition(".")
        return cls(not text.startswith("!"), stream, columns or "*")

    def matches(self, stream: str) -> bool:
        """Whether it is about a stream."""
        return fnmatchcase(stream, self.stream)


@dataclass(frozen=True, slots=True)
class Selection:
    """What Meltano was told to select.

    Args:
        select: the extractor's `select`.
        only: what `--select` and `--exclude` of `meltano el` say besides.
    """

    select: tuple[Pattern, ...]
    only: tuple[Pattern, ...]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Selection | None:
        """Return it; None without Meltano, or where Meltano was given a whole catalog in place of `select`."""
        if environment.get(OWN_CATALOG):
            return None
        select, only = (_patterns(environment.get(name, "")) for name in (SELECT, SELECT_FILTER))
        return cls(select, only) if select else None

    def names(self, stream: str) -> bool:
        """Whether somebody named a stream; a bare `*` names none."""
        including = (pattern for pattern in (*self.select, *self.only) if pattern.includes)
        return any(pattern.matches(stream) and pattern.stream.strip("*") for pattern in including)

    def selects(self, stream: str) -> bool:
        """Whether a stream is to be read."""
        if stream in ON_REQUEST and not self.names(stream):
            return False
        about = [pattern for pattern in self.select if pattern.matches(stream)]
        selected = any(pattern.includes for pattern in about) and all(
            pattern.includes or pattern.columns != "*" for pattern in about
        )
        including = [pattern for pattern in self.only if pattern.includes]
        return (
            selected
            and (not including or any(pattern.matches(stream) for pattern in including))
            and not any(pattern.matches(stream) for pattern in self.only if not pattern.includes)
        )

    def leave_out(self, catalog: Catalog) -> list[str]:
        """Deselect the streams on request that nobody named; return which those are."""
        roots = {name: catalog[name].metadata.root for name in ON_REQUEST if name in catalog}
        unnamed = [name for name, root in roots.items() if root.selected and not self.names(name)]
        for name in unnamed:
            roots[name].selected = False
        return unnamed


def _patterns(text: str) -> tuple[Pattern, ...]:
    """Read a list of patterns; a variable that holds something else was not set by Meltano."""
    try:
        value = json.loads(text)
    except ValueError:
        return ()
    return tuple(Pattern.of(str(each)) for each in value) if isinstance(value, list) else ()
