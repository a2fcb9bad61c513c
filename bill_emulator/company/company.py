"""The company that the emulator serves: generated rows, and the ways to look at them and to change them."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bill_emulator.clock import Clock
from bill_emulator.company.bookkeeping import Bookkeeper
from bill_emulator.company.books import Books
from bill_emulator.company.ids import ID_LENGTH, make_id
from bill_emulator.company.irregularities import plant
from bill_emulator.company.odd_times import Oddities, OddTimes
from bill_emulator.company.parts import PARTS
from bill_emulator.company.spend import NAMES as SPEND_NAMES
from bill_emulator.company.spend import SpendBooks
from bill_emulator.company.spread import SPREADS
from bill_emulator.company.stored import Row, Stored, copy_of
from bill_emulator.resources import RESOURCES
from bill_emulator.times import microseconds, read_stored, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bill_emulator.company.planting import Planted
    from bill_emulator.company.table import Query, View

ORGANIZATION_ID = "00802DEMO0COMPANY001"


class Company:
    """A small company, the same for the same (seed, bills) on every machine, plus whatever was edited since.

    Resources are named as in `bill_emulator.resources.RESOURCES` ("bills", "vendor_credits", ...). The history ends on
    2026-06-30. Vendors are about bills/5 (at least 12), customers bills/8 (at least 12), invoices bills/2, payments
    three quarters of either; settings stay small. From 20 bills on, every list has two rows or more; from 250 on, every
    documented field occurs.

    People also work in its books: `enter`, `change`, `approve`, `apply_credit`, `pay`, `clear`, `void`, and `work` for
    anything of that at random; see `company.bookkeeping`. With `moves_related` the `updatedTime` of the records whose
    amounts or states this changes moves too (whether BILL does so is undocumented).

    All methods may be called from any thread, also while the emulator serves.
    """

    def __init__(  # noqa: PLR0913 -- every switch is a keyword with a default
        self,
        seed: int = 7,
        bills: int = 250,
        *,
        clock: Clock | None = None,
        organization_id: str = ORGANIZATION_ID,
        created: str = "even",
        at_least: int = 0,
        irregularities: bool = False,
    ) -> None:
        """`clock` stamps edits; `organization_id` must have 20 characters and begin with 008.

        With `at_least`, every list has as many rows or more; those that are missing are added now.
        `created` is how `createdTime` lies on the time line: one of `company.spread.SPREADS`.
        With `irregularities`, the books also hold what an auditor looks for (see `company.irregularities`); the
        attribute of that name tells which records these are, by control.
        """
        if created not in SPREADS:
            raise ValueError(f"created must be one of {', '.join(SPREADS)}")
        if bills < 0:
            raise ValueError("bills must not be negative")
        if len(organization_id) != ID_LENGTH or not organization_id.startswith("008"):
            raise ValueError(f"organization_id must have {ID_LENGTH} characters and begin with 008")
        self.seed = seed
        self.bills = bills
        self.clock = clock or Clock()
        self.organization_id = organization_id
        self.lock = threading.RLock()
        self._books = Books(seed, bills, organization_id, created)
        self._tables = self._books.tables()
        self._odd = Oddities()
        self._parts: dict[tuple[str, str], list[Row]] = {}
        self.moves_related = False
        keeper = Bookkeeper(self, self._books.sides)
        self.enter, self.change, self.approve, self.apply_credit = (
            keeper.enter,
            keeper.change,
            keeper.approve,
            keeper.apply_credit,
        )
        self.pay, self.clear, self.void, self.work = keeper.pay, keeper.clear, keeper.void, keeper.work
        self.irregularities: dict[str, Planted] = plant(self, self._books.payable) if irregularities else {}
        self._serials = {name: len(table.rows) for name, table in self._tables.items()}
        for name, table in self._tables.items():
            for _ in range(at_least - len(table.rows) if RESOURCES[name].shape != "single" else 0):
                self.add(name)

    @cached_property
    def spend(self) -> SpendBooks:
        """The company's Spend & Expense books."""
        return SpendBooks(self.seed, self.organization_id, 20 + self.bills, self.clock.now, lambda: self._odd)

    def parts(self, resource: str, parent_id: str) -> list[Row]:
        """What belongs to one record: the rows of `company.parts`, and what was done to them. A copy."""
        with self.lock:
            return [self._odd.sent(resource, row) for row in self._plain_parts(resource, parent_id)]

    def add_part(self, resource: str, parent_id: str, row: Mapping[str, Any]) -> None:
        """Let one record have one more part, exactly as given."""
        with self.lock:
            self._parts[resource, parent_id] = [*self._plain_parts(resource, parent_id), copy_of(dict(row))]

    def remove_part(self, resource: str, parent_id: str, place: int) -> None:
        """Take the part of a record at this place away (as deleted attachments go away); IndexError if there is none.

        Ids and contents of the others stay.
        """
        with self.lock:
            rows = self._plain_parts(resource, parent_id)
            del rows[place]
            self._parts[resource, parent_id] = rows

    def _plain_parts(self, resource: str, parent_id: str) -> list[Row]:
        changed = self._parts.get((resource, parent_id))
        return PARTS[resource].rows(parent_id) if changed is None else copy_of(changed)

    def odd_times(self, rules: Iterable[OddTimes]) -> None:
        """From now on times are odd in this way, and in no other; without rules all are right again.

        What `rows`, `row` and `parts` answer is odd too: it is what is sent.
        """
        rules = tuple(rules)
        known = {*RESOURCES, *PARTS, *SPEND_NAMES}
        if unknown := {name for rule in rules for name in rule.lists} - known:
            raise ValueError(f"unknown list {', '.join(sorted(unknown))}")
        with self.lock:
            self._odd = Oddities(rules)
            for name, table in self._tables.items():
                for stored in list(table.rows.values()):
                    now = self._odd.stored(name, stored.plain)
                    if now is not stored:
                        table.put(now)

    def rows(self, resource: str) -> list[Row]:
        """Every row as it would be sent now, in id order; amounts are Decimals. The list and its rows are copies."""
        with self.lock:
            table = self._tables[resource]
            return [table.rows[row_id].row() for row_id in sorted(table.rows)]

    def row(self, resource: str, row_id: str) -> Row:
        """One row as it would be sent now (a copy); KeyError when there is none."""
        with self.lock:
            return self._tables[resource].rows[row_id].row()

    def ids(self, resource: str) -> list[str]:
        """All ids, sorted."""
        with self.lock:
            return sorted(self._tables[resource].rows)

    def count(self, resource: str) -> int:
        """How many rows a resource has."""
        with self.lock:
            return len(self._tables[resource].rows)

    def totals(self) -> dict[str, int]:
        """The number of rows of every resource."""
        with self.lock:
            return {name: len(table.rows) for name, table in self._tables.items()}

    def edit(
        self, resource: str, row_id: str, changes: Mapping[str, Any], remove: Iterable[str] = (), *, moves: bool = True
    ) -> Row:
        """Change top-level fields of a row, remove others, and stamp `updatedTime` with now (or leave it alone).

        Answers the new row. Only this row changes: sums elsewhere (a vendor's balance, say) are not brought in line;
        for that see `pay`, `change` and so on.
        """
        with self.lock:
            stored = self._tables[resource].rows[row_id].plain
            row = stored.row() | dict(changes)
            for name in remove:
                row.pop(name, None)
            updated = self._stamp(resource, row, "updatedTime") if moves else stored.updated
            return self._keep(resource, row, stored.created, updated)

    def add(self, resource: str, row: Mapping[str, Any] | None = None) -> Row:
        """Create a row now; without `row`, a plausible one. `id` and times are filled in. Answers the new row."""
        with self.lock:
            kind = RESOURCES[resource]
            serial = self._serials[resource]
            self._serials[resource] += 1
            now = microseconds(self.clock.now())
            new = self._books.new(resource, serial, now) if row is None else dict(row)
            new = {"id": make_id(kind.prefix, self.seed, serial)} | new
            created = self._stamp(resource, new, "createdTime")
            self._stamp(resource, new, "updatedTime", created)
            return self._keep(resource, new, created, created)

    def next_serial(self, resource: str) -> int:
        """The serial number of the row that is added next."""
        return self._serials[resource]

    def put(self, resource: str, row: Mapping[str, Any]) -> Row:
        """Insert or replace a row exactly as given: unknown fields, wrong types and old times included.

        Filters and sorts use the row's own `createdTime` and `updatedTime` where they can be read.
        """
        if not isinstance(row.get("id"), str):
            raise TypeError("a row needs an id, which is a string")
        with self.lock:
            times = read_stored(row.get("createdTime")), read_stored(row.get("updatedTime"))
            self._tables[resource].put(Stored.of(dict(row), *times))
            return self.row(resource, row["id"])

    def remove(self, resource: str, row_id: str) -> None:
        """Take a row away (as deleted approval policies go away); KeyError when there is none."""
        with self.lock:
            self._tables[resource].remove(row_id)

    def view(self, resource: str, query: Query) -> View:
        """An ordered selection; hold `lock` while using it."""
        return self._tables[resource].view(query)

    def stored(self, resource: str, row_id: str) -> Stored | None:
        """A row as it is kept, or None."""
        with self.lock:
            return self._tables[resource].rows.get(row_id)

    def all_stored(self, resource: str) -> list[Stored]:
        """All rows as they are kept, in the order in which they came in."""
        with self.lock:
            return list(self._tables[resource].rows.values())

    def _stamp(self, resource: str, row: Row, name: str, at: int | None = None) -> int | None:
        """Write a moment (default: now) into a row, and answer it; resources without times stay without."""
        if not RESOURCES[resource].timed:
            return None
        moment = microseconds(self.clock.now()) if at is None else at
        row[name] = shown(moment)
        return moment

    def _keep(self, resource: str, row: Row, created: int | None, updated: int | None) -> Row:
        self._tables[resource].put(self._odd.stored(resource, Stored.of(row, created, updated)))
        return self.row(resource, row["id"])
