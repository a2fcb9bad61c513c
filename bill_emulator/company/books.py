"""All rows of a company: those that it begins with, and those that are added later."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bill_emulator.company.ids import make_id
from bill_emulator.company.ledger import CLOSED, OPENED, Plan, draw_up
from bill_emulator.company.payables import PayableRows
from bill_emulator.company.receivables import ReceivableRows
from bill_emulator.company.settings import Settings
from bill_emulator.company.spread import PILES, SPREADS
from bill_emulator.company.stored import Stored
from bill_emulator.company.table import Table
from bill_emulator.resources import RESOURCES
from bill_emulator.times import DAY

if TYPE_CHECKING:
    from bill_emulator.company.rows import SideRows
    from bill_emulator.company.stored import Row


class Books:
    """Follow from the arguments of the company."""

    def __init__(self, seed: int, bills: int, organization_id: str, created: str) -> None:
        self._seed = seed
        self._ledger = draw_up(seed, bills, opening_import=created not in PILES)
        self._spread = SPREADS[created](self._ledger)
        self._spread.apply(self._ledger)
        self._settings = Settings(seed, organization_id)
        self.payable = PayableRows(self._ledger, self._settings)
        self.sides: tuple[SideRows, ...] = (self.payable, ReceivableRows(self._ledger, self._settings))

    def tables(self) -> dict[str, Table]:
        """The rows to begin with, by resource; most are made when somebody asks for them."""
        made = self._settings.all()
        for rows in self.sides:
            for name, those in zip(rows.lists, (*rows.side.all(), self._recurring(rows.lists[-1])), strict=True):
                make = partial(rows.rendered, name)
                made[name] = [Stored(plan.id, plan.created, plan.updated, partial(make, plan)) for plan in those]
        return {name: Table(made[name]) for name in RESOURCES}

    def _recurring(self, name: str) -> list[Plan]:
        plans, count = [], max(4, self._ledger.bills // 25)
        for serial in range(count):
            created = OPENED + (CLOSED - OPENED - DAY) * serial // count + 250_001
            updated = created if serial % 3 == 0 else created + (CLOSED - created) // (2 + serial % 5)
            row_id = make_id(RESOURCES[name].prefix, self._seed, serial)
            plans.append(Plan(serial, row_id, *self._spread.moved(created, updated)))
        return plans

    def new(self, name: str, serial: int, now: int) -> Row:
        """A row that is added now, as plausible as the first ones; nothing begins archived."""
        if RESOURCES[name].shape == "single":
            raise ValueError(f"{name} takes no new rows")
        sides = (rows for rows in self.sides if name in rows.lists)
        side = next(sides, None)
        row = self._settings.row(name, serial) if side is None else side.new(name, serial, now)
        return row | {"archived": False} if "archived" in row else row
