"""In which order a list comes when BILL ignores `sort`, and when that is so.

BILL documents which fields can be sorted by, and nothing else: neither the default order nor whether a sort is ever
refused or without effect. So everything here is undocumented, and for the user of the emulator to choose.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bill_emulator.chance import drawn
from bill_emulator.company.stored import TEXT, TIME, Field
from bill_emulator.times import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bill_emulator.company.stored import Stored

_ONE_IN = 20
_DAYS_OFF = 200
_FINE = 2**48


@dataclass(frozen=True, slots=True)
class _Shuffled(Field):
    """A field that no row has, by which rows come in no order."""

    seed: int = 0

    def value_of(self, stored: Stored) -> int:
        return int(drawn(self.seed, stored.id) * _FINE)


@dataclass(frozen=True, slots=True)
class _Displaced(Field):
    """A time that is wrong in one row in 20."""

    seed: int = 0

    def value_of(self, stored: Stored) -> int | None:
        at: int | None = Field.value_of(self, stored)
        chance = drawn(self.seed, stored.id)
        if at is None or chance * _ONE_IN >= 1:
            return at
        return at + int((2 * chance * _ONE_IN - 1) * _DAYS_OFF) * DAY


WHENS: Mapping[str, Callable[[bool, int], bool]] = {
    "never": lambda _filtered, _size: False,
    "always": lambda _filtered, _size: True,
    "filtered": lambda filtered, _size: filtered,
    "unfiltered": lambda filtered, _size: not filtered,
    "single": lambda _filtered, size: size == 1,
}
"""Never, always, only along with a filter, only without one, only under `max=1`."""

Asked = tuple[Field | None, bool]
"""What to sort by, and whether descending."""


def _mostly(asked: Asked, seed: int) -> Asked:
    field, descending = asked
    if field is None or field.kind != TIME:
        return asked
    return _Displaced(field.name, TIME, field.path, seed=seed), descending


ORDERS: Mapping[str, Callable[[Asked, int], Asked]] = {
    "id": lambda _asked, _seed: (None, False),
    "updated": lambda _asked, _seed: (Field("updatedTime", TIME, ("updatedTime",)), True),
    "shuffled": lambda _asked, seed: (_Shuffled("id", TEXT, (), seed=seed), False),
    "mostly": _mostly,
}
"""By id; the last updated first; shuffled; as asked for, but for one row in 20 up to 200 days off (times only)."""

ENDS = ("first", "last")
"""Where rows without a time stand in an ascending list."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """When a sort is refused or ignored, and what comes instead.

    With a `share` below 1 only so many of the pages are out of order: they hold the right rows in another order.
    `unsorted` is also the order of lists for which nobody asked for one.
    """

    refuse: str = "never"
    ignore: str = "never"
    unsorted: str = "id"
    share: float = 1.0
    seed: int = 7
    untimed: str = "first"

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        choices = {
            "refuse_sort": (self.refuse, WHENS),
            "ignore_sort": (self.ignore, WHENS),
            "unsorted": (self.unsorted, ORDERS),
            "untimed": (self.untimed, ENDS),
        }
        for name, (value, known) in choices.items():
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}")
        if not 0 <= self.share <= 1:
            raise ValueError("unsorted_share must be from 0 to 1")

    def looks(self, *, ignored: bool) -> bool:
        """Whether what a sort says matters at all."""
        return not ignored or self.share < 1 or self.unsorted == "mostly"

    def list_order(self, asked: Asked, *, ignored: bool) -> Asked:
        """In which order the whole list comes."""
        if asked[0] is None or (ignored and self.share >= 1):
            asked = self._instead(asked)
        field, descending = asked
        if field is not None and self.untimed == "last":
            field = replace(field, missing_last=True)
        return field, descending

    def page_order(self, asked: Asked, position: str) -> Asked | None:
        """In which order the rows of a page come, whose list is in order otherwise; None for the right one."""
        return self._instead(asked) if drawn(self.seed, "page", position) < self.share else None

    def _instead(self, asked: Asked) -> Asked:
        return ORDERS[self.unsorted](asked, self.seed)
