"""How `createdTime` lies on the time line: evenly, or in one of the uneven ways that make reading it hard.

A ledger is drawn up evenly; then its moments are moved. Every way keeps the order of things: a payment is never older
than the bill it pays, a vendor never younger than its bills, and `updatedTime` never lies before `createdTime`.
Settings (users, departments, ...) stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bill_emulator.company.ledger import CLOSED, FOUNDED, OPENED

if TYPE_CHECKING:
    from bill_emulator.company.ledger import Ledger, Plan

Move = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Spread:
    """Where moments move to: `party(serial, moment)` for vendors and customers, `other(moment)` for all else."""

    party: Callable[[int, int], int]
    other: Move

    def apply(self, ledger: Ledger) -> None:
        """Move everything in a ledger."""
        for side in (ledger.payable, ledger.receivable):
            for party in side.parties:
                _move(party, self.party(party.serial, party.created))
                party.last_paid = None if party.last_paid is None else self.other(party.last_paid)
            plans: list[Plan] = [*side.debts, *side.payments, *side.credits]
            for plan in plans:
                _move(plan, self.other(plan.created))

    def moved(self, created: int, updated: int) -> tuple[int, int]:
        """The two moments of any other row, moved."""
        at = self.other(created)
        return at, _still_later(created, updated, at)


def _move(plan: Plan, created: int) -> None:
    plan.created, plan.updated = created, _still_later(plan.created, plan.updated, created)


def _still_later(created: int, updated: int, moved: int) -> int:
    """A row that was never touched stays so; the others keep their `updated` unless it would lie too early."""
    return moved if updated == created else max(updated, moved)


def _even(_ledger: Ledger) -> Spread:
    return Spread(lambda _serial, at: at, lambda at: at)


def _bulk(ledger: Ledger) -> Spread:
    """One import, late enough that half of every resource (or a little more) came with it.

    Every second vendor and customer came with it too; the others had been there before.
    """
    moment = OPENED
    for side in (ledger.payable, ledger.receivable):
        for plans in (side.debts, side.payments, side.credits):
            moment = max(moment, _median(plan.created for plan in plans))
    return Spread(lambda serial, at: moment if serial % 2 else at, lambda at: max(at, moment))


def _median(moments: Iterable[int]) -> int:
    ordered = sorted(moments)
    return ordered[(len(ordered) - 1) // 2] if ordered else OPENED


def _start(_ledger: Ledger) -> Spread:
    early, later = _crowded(FOUNDED, OPENED), _crowded(OPENED, CLOSED)
    return Spread(lambda _serial, at: early(at), later)


def _end(_ledger: Ledger) -> Spread:
    early, later = _crowded(FOUNDED, OPENED), _crowded(OPENED, CLOSED)
    return Spread(
        lambda _serial, at: FOUNDED + OPENED - early(FOUNDED + OPENED - at),
        lambda at: OPENED + CLOSED - later(OPENED + CLOSED - at),
    )


def _crowded(begin: int, end: int) -> Move:
    """The first 98 % of the time line shrink to 1 % of it, the last 2 % stretch over the rest."""
    length = end - begin
    cut, crowd = begin + length * 98 // 100, begin + length // 100

    def move(at: int) -> int:
        return begin + (at - begin) // 98 if at <= cut else crowd + (at - cut) * 99 // 2

    return move


SPREADS: dict[str, Callable[[Ledger], Spread]] = {"even": _even, "bulk": _bulk, "start": _start, "end": _end}
"""Evenly; half of it in one moment, as after an import; nearly all within 1 % of the time line at its start or end."""

PILES = ("start", "end")
