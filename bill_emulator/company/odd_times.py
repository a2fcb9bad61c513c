"""Times that are missing, or that no clock ever showed, in some rows of a list.

BILL documents `createdTime` and `updatedTime` as date-times and shows them in its examples; that a row may lack one, or
have another kind of value there, is undocumented. Whether such a row is found by its true time (which BILL may know
without showing it) is undocumented too, so it can be chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bill_emulator.chance import drawn
from bill_emulator.company.stored import Stored
from bill_emulator.times import read_stored, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from bill_emulator.company.stored import Row

_GONE = object()
_EARLY = "0002-01-01T00:00:00.000+00:00"
_LATE = "9999-12-31T23:59:59.999+00:00"

SHOWN, KEPT = "shown", "kept"
STORED = (SHOWN, KEPT)
"""A row is found by what it shows (by no time, if that is none), or by its true time."""

FIELDS = ("createdTime", "updatedTime", "occurredTime", "authorizedTime", "submittedTime")


@dataclass(frozen=True, slots=True)
class Oddity:
    """What comes in place of a time, and which moment that is."""

    text: str
    show: Callable[[int], Any]
    means: Callable[[int], int | None]


ODDITIES: Mapping[str, Oddity] = {
    "missing": Oddity("left out", lambda _: _GONE, lambda _: None),
    "null": Oddity("null", lambda _: None, lambda _: None),
    "number": Oddity("a number, the milliseconds since 1970", lambda at: at // 1000, lambda at: at),
    "early": Oddity(_EARLY, lambda _: _EARLY, lambda _: read_stored(_EARLY)),
    "late": Oddity(_LATE, lambda _: _LATE, lambda _: read_stored(_LATE)),
    "garbage": Oddity("text that is no date", lambda _: "soon", lambda _: None),
}


@dataclass(frozen=True, slots=True)
class OddTimes:
    """Odd times in this `share` of the rows of these lists (none named: of all); a row that is edited stays odd.

    `stored` is how filters and sorts see such a row: by what it shows, or by its true time ("kept").
    """

    how: str
    field: str = "createdTime"
    share: float = 1.0
    lists: Collection[str] = ()
    stored: str = SHOWN
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        choices = {"how": (self.how, ODDITIES), "field": (self.field, FIELDS), "stored": (self.stored, STORED)}
        for name, (value, known) in choices.items():
            if value not in known:
                raise ValueError(f"{name} of odd times must be one of {', '.join(known)}")
        if not 0 <= self.share <= 1:
            raise ValueError("share of odd times must be from 0 to 1")

    def concerns(self, name: str, row_id: str) -> bool:
        """Whether this row of this list has an odd time."""
        return (not self.lists or name in self.lists) and drawn(self.seed, self.field, name, row_id) < self.share

    def show(self, row: Row) -> None:
        """Write the odd value into a row that has a time."""
        at = read_stored(row.get(self.field))
        if at is None:
            return
        value = ODDITIES[self.how].show(at)
        if value is _GONE:
            del row[self.field]
        else:
            row[self.field] = value

    def means(self, at: int) -> int | None:
        """By which moment a row is found whose true time is this."""
        return at if self.stored == KEPT else ODDITIES[self.how].means(at)


class Oddities:
    """Every odd time of a company."""

    def __init__(self, rules: Iterable[OddTimes] = ()) -> None:
        self.rules = tuple(rules)

    def stored(self, name: str, plain: Stored) -> Stored:
        """A row of AP or AR as it is served; itself if nothing about it is odd."""
        rules = [rule for rule in self.rules if rule.concerns(name, plain.id)]
        if not rules:
            return plain
        moments = {"createdTime": plain.created, "updatedTime": plain.updated}
        for rule in rules:
            at = moments.get(rule.field)
            if at is not None:
                moments[rule.field] = rule.means(at)

        def make() -> Row:
            row = plain.row()
            for rule in rules:
                rule.show(row)
            return row

        return Stored(plain.id, moments["createdTime"], moments["updatedTime"], make, plain)

    def sent(self, name: str, row: Row) -> Row:
        """Any other row as it is sent; it is changed."""
        for rule in self._rules(name, row):
            rule.show(row)
        return row

    def meant(self, name: str, row: Row) -> Row:
        """The same row as filters and sorts see it: only with times that they can read; it is changed."""
        for rule in self._rules(name, row):
            at = read_stored(row.pop(rule.field, None))
            means = None if at is None else rule.means(at)
            if means is not None:
                row[rule.field] = shown(means)
        return row

    def _rules(self, name: str, row: Row) -> list[OddTimes]:
        mark = str(row.get("id", row.get("userId", sorted(map(str, row.items())))))
        return [rule for rule in self.rules if rule.concerns(name, mark)]
