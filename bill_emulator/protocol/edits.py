"""People at work: between two answers of a list, rows of it change, are added, or are deleted for good.

BILL says nothing about what a reader sees of this (undocumented). Which rows are concerned follows from the company's
seed and from the order in which lists are read. A callable of one's own may do anything else between two answers.

Spend & Expense lists and parts count their answers for themselves, so that reading them leaves the others' edits alone.
Lists of `EXTRAS` are made afresh for each answer, so nobody edits them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from bill_emulator.company.parts import PARTS
from bill_emulator.company.spend import NAMES as SPEND_NAMES
from bill_emulator.company.spend import PARTS as SPEND_PARTS
from bill_emulator.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bill_emulator.company.company import Company
    from bill_emulator.protocol.limits import Counters

Between = Callable[[str, "Company"], object]
"""Called with the list's name and the company after each page, before any other request is looked at."""


@dataclass(frozen=True, slots=True)
class Work:
    """How much people do: every so many list answers (0: never), and on how many rows."""

    edit_every: int = 0
    edit_rows: int = 3
    delete_every: int = 0
    delete_rows: int = 1
    between: Between | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        for name in ("edit_every", "edit_rows", "delete_every", "delete_rows"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")


class People:
    """Those who work in one company while somebody reads its lists."""

    def __init__(self, counters: Counters, company: Company, work: Work) -> None:
        self._counters = counters
        self._company = company
        self._work = work
        self._edits = {"lists": Random(f"{company.seed}/edits"), "spend": Random(f"{company.seed}/spend edits")}
        self._deletions = {name: Random(f"{company.seed}/deletions/{name}") for name in ("lists", "spend", "parts")}
        self._answers: Counter[str] = Counter()
        self._turns: Counter[str] = Counter()

    def after_list(self, name: str, parent: str = "") -> None:
        """A page of this list (of one parent's, for parts) has been made up, and is about to be sent."""
        family = "lists" if name in RESOURCES else "spend" if name in SPEND_NAMES else "parts"
        self._answers[family] += 1
        count, work = self._answers[family], self._work
        if work.edit_every and count % work.edit_every == 0:
            self._edit(family, name)
        if work.delete_every and count % work.delete_every == 0:
            self._delete(family, name, parent)
        if work.between is not None:
            work.between(name, self._company)

    def _edit(self, family: str, name: str) -> None:
        """Edit rows of a list and, every other time, add one; parts are never edited."""
        if family == "parts" or SPEND_NAMES.get(name) in SPEND_PARTS:
            return
        present = self._company.spend.ids(SPEND_NAMES[name]) if family == "spend" else self._listed(name)
        for row_id in self._edits[family].sample(present, min(self._work.edit_rows, len(present))):
            self._counters.edits += 1
            if family == "spend":
                self._company.spend.edit(SPEND_NAMES[name], row_id, {})
            else:
                described = "description" in self._company.row(name, row_id)
                changes = {"description": f"Edited {self._counters.edits}"} if described else {}
                self._company.edit(name, row_id, changes)
        self._turns[family] += 1
        if self._turns[family] % 2 == 0:
            self._add(name)

    def _listed(self, name: str) -> list[str]:
        return [stored.id for stored in self._company.all_stored(name)]

    def _add(self, name: str) -> None:
        if name in RESOURCES:
            self._company.add(name)
        elif SPEND_NAMES[name] == "transactions":
            self._company.spend.add_transaction()
        else:
            return
        self._counters.adds += 1

    def _delete(self, family: str, name: str, parent: str) -> None:
        for _ in range(self._work.delete_rows):
            present, remove = self._shelf(name, parent)
            if present:
                remove(self._deletions[family].choice(present))
                self._counters.deletes += 1

    def _shelf(self, name: str, parent: str) -> tuple[Sequence[Any], Callable[[Any], None]]:
        """What there is in a list, and what takes it away."""
        company = self._company
        if name in RESOURCES:
            return company.ids(name), partial(company.remove, name)
        if name in PARTS:
            return range(len(company.parts(name, parent))), partial(company.remove_part, name, parent)
        table = SPEND_NAMES.get(name)
        if table in SPEND_PARTS:
            return range(len(company.spend.below(table, parent))), partial(company.spend.remove_below, table, parent)
        if table is not None:
            return company.spend.ids(table), partial(company.spend.remove, table)
        return (), lambda _: None
