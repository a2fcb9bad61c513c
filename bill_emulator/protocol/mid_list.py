"""Refusals in the middle of a list: cursors that are refused or expire, and permissions that end between two pages.

How long a cursor lives is undocumented; so is everything else here. That 403 `BDC_1302` means a missing permission is
observed, that it may come after a good page is not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bill_emulator.protocol.errors import CodedError, Problem, ValidationError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_STATUSES = range(400, 600)
_EXPIRED = "page: this cursor has expired"
_REFUSED = "page: this cursor is not valid any more"


class Mark(NamedTuple):
    """What a cursor remembers: how many pages were sent before, and the serial number of the request that got it."""

    number: int = 0
    made: int = 0


@dataclass(frozen=True, slots=True)
class MidList:
    """Refuse a request with a cursor once `after` pages of that reading were sent.

    Of all such requests only each `every`-th, and for each list so many `times` (None: forever). What is refused stays
    so for that very cursor, unless `stays` is False. Without `lists` it concerns all lists, those with `start` too.
    """

    after: int = 1
    status: int = 400
    code: str | None = None
    times: int | None = 1
    every: int = 1
    lists: Collection[str] = ()
    stays: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        numbers = {"after": self.after, "every": self.every, "times": 1 if self.times is None else self.times}
        for name, number in numbers.items():
            if number < 1:
                raise ValueError(f"{name} of a refusal in mid-list must be 1 or more")
        if self.status not in _STATUSES:
            raise ValueError(f"status of a refusal in mid-list must be from {_STATUSES[0]} to {_STATUSES[-1]}")

    def error(self) -> CodedError | ValidationError:
        """The answer."""
        if self.code:
            return CodedError(Problem(self.status, self.code, "REQUEST", "This is not allowed."))
        return ValidationError(_REFUSED if self.status == _STATUSES[0] else "This is not allowed.", status=self.status)


class Watch:
    """Watches the lists of one organization."""

    def __init__(self, rules: Iterable[MidList] = (), cursor_life: int = 0, known: Collection[str] = ()) -> None:
        """A cursor is good for the next `cursor_life` list requests (0: forever)."""
        self._rules = tuple(rules)
        if cursor_life < 0:
            raise ValueError("cursor_life must not be negative")
        if unknown := {name for rule in self._rules for name in rule.lists} - set(known):
            raise ValueError(f"unknown list {', '.join(sorted(unknown))}")
        self._life = cursor_life
        self._serial = 0
        self._met: Counter[tuple[int, str]] = Counter()
        self._used: Counter[tuple[int, str]] = Counter()
        self._dead: dict[tuple[str, Mark], MidList] = {}

    def admit(self, name: str, mark: Mark, *, in_mid_list: bool) -> Mark:
        """Count a list request; answers what the cursors that it hands out must remember. Raises what refuses it."""
        if not (self._rules or self._life):
            return Mark()
        self._serial += 1
        if in_mid_list:
            if mark.made and 0 < self._life < self._serial - mark.made:
                raise ValidationError(_EXPIRED)
            if rule := self._dead.get((name, mark)) or self._hit(name, mark):
                raise rule.error()
        return Mark(mark.number + 1 if in_mid_list else 1, self._serial)

    def _hit(self, name: str, mark: Mark) -> MidList | None:
        for place, rule in enumerate(self._rules):
            if mark.number < rule.after or (rule.lists and name not in rule.lists):
                continue
            self._met[place, name] += 1
            if self._met[place, name] % rule.every or (
                rule.times is not None and self._used[place, name] >= rule.times
            ):
                continue
            self._used[place, name] += 1
            if rule.stays and mark.made:
                self._dead[name, mark] = rule
            return rule
        return None
