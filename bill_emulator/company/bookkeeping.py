"""Work in the books while somebody reads: what is entered, changed, approved, credited, paid and voided.

The ledger changes, and every row that shows it follows: amounts, states and balances stay coherent to the cent. What
`Company.edit` wrote into a row stays there, unless the work changes the same field. Assumed:

* a bill that waits for approval is approved before it is paid or credited;
* the row that somebody works on gets a new `updatedTime`: a payment, bill, invoice or credit that is new, a payment
  that arrives or is void, a credit that is applied, a bill or invoice whose amount is changed;
* the rows that change along with it get one only if the company says so (`moves_related`): what is paid or credited,
  the vendor or customer whose balance changes, a bill that is approved;
* credit that was used along with a payment stays used when the payment is void.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bill_emulator.company.ledger import Credit, Debt, Line, Party, Payment, Plan, Share, Sheet, money
from bill_emulator.times import microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal
    from random import Random
    from threading import RLock

    from bill_emulator.clock import Clock
    from bill_emulator.company.rows import SideRows
    from bill_emulator.company.stored import Row, Stored

_P = TypeVar("_P", bound=Plan)

_NO_LINE = Line(2, 0, 0)
_MOST_SHARES = 4
_LARGEST = 500_000  # of what is drawn: 5,000.00
_LOOKED_AT = 200
_SOON = 0.2


class Tables(Protocol):
    """What the bookkeeper needs of a company."""

    clock: Clock
    lock: RLock
    moves_related: bool

    def add(self, resource: str, row: Mapping[str, Any]) -> Row:
        """Create a row."""

    def edit(
        self, resource: str, row_id: str, changes: Mapping[str, Any], remove: Iterable[str], *, moves: bool
    ) -> Row:
        """Change some fields of a row, and remove others."""

    def next_serial(self, resource: str) -> int:
        """The serial number of the row that is added next."""

    def row(self, resource: str, row_id: str) -> Row:
        """One row as it would be sent now; KeyError when there is none."""

    def stored(self, resource: str, row_id: str) -> Stored | None:
        """The row as it is kept; None when there is none."""


@dataclass(frozen=True, slots=True)
class Done:
    """A piece of work: its kind, the id of the row that somebody worked on, and the ids of all that changed, by list.

    `changed` are the rows that are new or show something else than before; `moved` are those of them whose
    `updatedTime` is now the moment of the work.
    """

    kind: str
    id: str
    changed: dict[str, list[str]] = field(default_factory=dict)
    moved: dict[str, list[str]] = field(default_factory=dict)


class Bookkeeper:
    """Keeps the books of a company. ValueError for work that cannot be done, KeyError for what is not in the books.

    In the books is what the company began with and what was entered since, unless it was removed. Rows made by
    `Company.add` and `Company.put` stand alone. Amounts are in the currency of the vendor or customer.
    """

    def __init__(self, company: Tables, sides: Sequence[SideRows]) -> None:
        self._company = company
        self._sides = sides

    def enter(self, name: str, party_id: str, amount: Decimal | None = None) -> Done:
        """A new row of "bills" or "vendor_credits" of this vendor, of "invoices" or "credit_memos" of this customer."""
        with self._company.lock:
            party = self._find(party_id, Party)
            rows = self._rows(party)
            if name not in (rows.lists[1], rows.lists[3]):
                raise ValueError(f"{name} cannot be entered for {party_id}")
            line = rows.new_line(self._company.next_serial(name), [party])[1]
            if amount is not None:
                line = replace(line, halves=2, price=_units(amount, party))
            plan = self._begin(rows, name, party, line)
            with self._work("enter", plan, party) as done:
                if isinstance(plan, Debt):
                    self._balance(party, plan.owed)
            return done

    def change(self, debt_id: str, amount: Decimal) -> Done:
        """Let a bill or invoice have one line of this amount (sales tax comes on top) instead of those that it has."""
        with self._company.lock:
            debt = self._find(debt_id, Debt)
            sheet = Sheet((Line(2, _units(amount, debt.party), debt.sheet.lines[0].what),), debt.sheet.tax_rate)
            if sheet.total < debt.total - debt.due + debt.scheduled:
                raise ValueError(f"more than {amount} of {debt_id} is paid, scheduled or credited")
            with self._work("change", debt, debt.party) as done:
                self._balance(debt.party, -debt.owed)
                debt.sheet = sheet
                self._balance(debt.party, debt.owed)
            return done

    def approve(self, bill_id: str) -> Done:
        """Let everybody approve a bill who has not yet."""
        with self._company.lock:
            bill = self._find(bill_id, Debt)
            if not self._rows(bill).waits(bill):
                raise ValueError(f"{bill_id} does not wait for approval")
            with self._work("approve", bill, moves=self._company.moves_related) as done:
                bill.approved = self._now()
            return done

    def apply_credit(self, credit_id: str, debt_id: str, amount: Decimal | None = None) -> Done:
        """Settle a bill with a vendor credit, or an invoice with a credit memo: so much of it, or all that is left."""
        with self._company.lock:
            credit = self._find(credit_id, Credit)
            debt = self._find(debt_id, Debt)
            if credit.archived or credit.party is not debt.party:
                raise ValueError(f"{credit_id} cannot be applied to {debt_id}")
            most = min(credit.total - credit.applied, _open(debt))
            units = _units(amount, debt.party, most)
            with self._work("apply_credit", credit, debt, debt.party) as done:
                self._settled(debt)
                debt.credit += units
                credit.usage.append((debt, None, units))
                self._balance(debt.party, -units)
            return done

    def pay(self, ids: str | Sequence[str], amount: Decimal | None = None, *, scheduled: bool = False) -> Done:
        """One payment for bills of one vendor, or for invoices from one customer: so much, or all that is due.

        The first ones are paid first. What is scheduled counts as due until it is cleared.
        """
        with self._company.lock:
            debts = [self._find(one, Debt) for one in ([ids] if isinstance(ids, str) else ids)]
            party = debts[0].party
            if len({*debts}) < len(debts) or len(debts) > _MOST_SHARES or {debt.party for debt in debts} != {party}:
                raise ValueError(f"one payment is for up to {_MOST_SHARES} different records of one vendor or customer")
            left = _units(amount, party, sum(map(_open, debts)))
            rows = self._rows(party)
            payment: Payment = self._begin(rows, rows.lists[2], party, _NO_LINE)
            payment.state = "SCHEDULED" if scheduled else "PAID"
            with self._work("schedule" if scheduled else "pay", payment, *debts, party) as done:
                for debt in debts:
                    if part := min(left, _open(debt)):
                        left -= part
                        self._settled(debt)
                        payment.shares.append(Share(debt, part))
                        debt.settled_by.append(payment)
                if not scheduled:
                    self._arrived(payment)
            return done

    def clear(self, payment_id: str) -> Done:
        """Let a scheduled payment arrive."""
        return self._restate("clear", payment_id, "SCHEDULED", "PAID")

    def void(self, payment_id: str) -> Done:
        """Take a payment back; what it paid is due again."""
        return self._restate("void", payment_id, "PAID", "VOID")

    def work(self, chance: Random, how_many: int = 1) -> list[Done]:
        """So many pieces of work, drawn at random: the same for the same company and the same chance."""
        with self._company.lock:
            return [self._drawn(chance) for _ in range(how_many)]

    # How it is done

    @cached_property
    def _known(self) -> dict[str, tuple[SideRows, str, Plan]]:
        """Everything in the books by id, with the name of its list."""
        known: dict[str, tuple[SideRows, str, Plan]] = {}
        for rows in self._sides:
            for name, plans in zip(rows.lists, rows.side.all(), strict=False):
                known |= {plan.id: (rows, name, plan) for plan in plans}
        return known

    def _find(self, row_id: str, kind: type[_P]) -> _P:
        _, name, plan = self._known[row_id]
        if not isinstance(plan, kind):
            raise ValueError(f"{row_id} is one of {name}")  # noqa: TRY004 -- the id is of the wrong kind, not its type
        self._company.row(name, row_id)
        return plan

    def _rows(self, plan: Plan) -> SideRows:
        return self._known[plan.id][0]

    def _now(self) -> int:
        return microseconds(self._company.clock.now())

    def _begin(self, rows: SideRows, name: str, party: Party, line: Line) -> Any:
        """The plan of a new row."""
        plan = rows.plan(name, self._company.next_serial(name), self._now(), party, line)
        rows.side.all()[rows.lists.index(name)].append(plan)
        self._known[plan.id] = rows, name, plan
        return plan

    @contextmanager
    def _work(self, kind: str, own: Plan, *related: Plan, moves: bool = True) -> Iterator[Done]:
        """What changes about these plans within shows in their rows afterwards; `moves` is about their own row.

        Related rows that were removed stay away.
        """
        company, done = self._company, Done(kind, own.id)
        before = {}
        for plan in (own, *related):
            rows, name, _ = self._known[plan.id]
            stored = company.stored(name, plan.id)
            if stored is not None:
                stored.plain.freeze()
                before[plan.id] = rows.rendered(name, plan)
        yield done
        for plan in (own, *related):
            rows, name, _ = self._known[plan.id]
            row, old = rows.rendered(name, plan), before.get(plan.id)
            moved = moves if plan is own else company.moves_related
            if old is not None:
                changes = {key: value for key, value in row.items() if key not in old or old[key] != value}
                gone = old.keys() - row.keys()
                if not (changes or gone):
                    continue
                company.edit(name, plan.id, changes, gone, moves=moved)
            elif plan is own:
                company.add(name, row)
            else:
                continue
            for kept in (done.changed, done.moved) if moved else (done.changed,):
                kept.setdefault(name, []).append(plan.id)

    def _balance(self, party: Party, more: int) -> None:
        if more:
            party.balance += more
            party.balanced = self._now()

    def _settled(self, debt: Debt) -> None:
        if self._rows(debt).waits(debt):
            debt.approved = self._now()

    def _arrived(self, payment: Payment) -> None:
        payment.party.last_paid = max(payment.party.last_paid or 0, payment.sent)
        self._balance(payment.party, -sum(share.amount for share in payment.shares))

    def _restate(self, kind: str, payment_id: str, old: str, new: str) -> Done:
        with self._company.lock:
            payment = self._find(payment_id, Payment)
            party = payment.party
            if payment.state != old:
                raise ValueError(f"{payment_id} is {payment.state}, not {old}")
            with self._work(kind, payment, *(share.target for share in payment.shares), party) as done:
                payment.state, payment.updated = new, self._now()
                if new == "PAID":
                    payment.cleared = payment.updated
                    self._arrived(payment)
                else:
                    self._balance(party, sum(share.amount for share in payment.shares))
                    paid = [each for each in self._rows(payment).side.payments if each.state == "PAID"]
                    party.last_paid = max((each.sent for each in paid if each.party is party), default=None)
            return done

    # What is drawn

    def _drawn(self, chance: Random) -> Done:
        draws = (
            *(self._draw_payment, self._draw_restatement, self._draw_credit),
            *(self._draw_approval, self._draw_entry, self._draw_change),
        )
        for draw in chance.sample(draws, len(draws)):
            for rows in chance.sample(self._sides, len(self._sides)):
                done = draw(chance, rows)
                if done is not None:
                    return done
        raise ValueError("there is nothing left to do in the books")

    def _some(self, chance: Random, plans: Sequence[_P], fits: Callable[[_P], object] = bool) -> list[_P]:
        """Plans that fit and whose rows are there still, in random order; of a long list some."""
        looked_at = chance.sample(plans, min(len(plans), _LOOKED_AT))
        return [plan for plan in looked_at if fits(plan) and self._company.stored(self._known[plan.id][1], plan.id)]

    def _draw_payment(self, chance: Random, rows: SideRows) -> Done | None:
        due = self._some(chance, rows.side.debts, _open)
        debts = [debt for debt in due if debt.party is due[0].party][: chance.choice((1, 1, 3))]
        if not debts:
            return None
        amount = money(chance.randint(1, sum(map(_open, debts))), debts[0].party.currency)
        return self.pay([debt.id for debt in debts], chance.choice((None, amount)), scheduled=chance.random() < _SOON)

    def _draw_restatement(self, chance: Random, rows: SideRows) -> Done | None:
        restate = {"SCHEDULED": self.clear, "PAID": self.void}
        for payment in self._some(chance, rows.side.payments, lambda payment: payment.state in restate):
            return restate[payment.state](payment.id)
        return None

    def _draw_credit(self, chance: Random, rows: SideRows) -> Done | None:
        unused = self._some(chance, rows.side.credits, lambda one: one.total > one.applied and not one.archived)
        for debt in self._some(chance, rows.side.debts, _open):
            for credit in unused:
                if credit.party is debt.party:
                    return self.apply_credit(credit.id, debt.id)
        return None

    def _draw_approval(self, chance: Random, rows: SideRows) -> Done | None:
        for bill in self._some(chance, rows.side.debts, rows.waits):
            return self.approve(bill.id)
        return None

    def _draw_entry(self, chance: Random, rows: SideRows) -> Done | None:
        for party in self._some(chance, rows.side.parties):
            amount = money(chance.randint(100, _LARGEST), party.currency)
            return self.enter(chance.choice((rows.lists[1], rows.lists[3])), party.id, amount)
        return None

    def _draw_change(self, chance: Random, rows: SideRows) -> Done | None:
        for debt in self._some(chance, rows.side.debts, lambda debt: debt.record_status == "ACTIVE"):
            least = debt.total - debt.due + debt.scheduled
            return self.change(debt.id, money(chance.randint(least + 1, least + _LARGEST), debt.party.currency))
        return None


def _open(debt: Debt) -> int:
    """What may still be paid."""
    return debt.owed - debt.scheduled


def _units(amount: Decimal | None, party: Party, most: int | None = None) -> int:
    """An amount in the smallest units of a currency; None is the most that it may be."""
    if amount is None:
        amount = money(most or 0, party.currency)
    units = amount / money(1, party.currency)
    if units != int(units) or units < 1 or (most is not None and units > most):
        limit = "" if most is None else f" of at most {money(most, party.currency)}"
        raise ValueError(f"{amount} is no amount{limit} in {party.currency}")
    return int(units)
