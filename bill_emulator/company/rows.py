# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""What the rows of both sides of the business have in common: of vendors and bills, of customers and invoices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bill_emulator.company.ids import make_id
from bill_emulator.company.ledger import CLOSED, Credit, Debt, Line, Party, Payment, Plan, Sheet, exchange_rate, money
from bill_emulator.company.names import CURRENCIES
from bill_emulator.company.settings import Settings, lean
from bill_emulator.resources import RESOURCES
from bill_emulator.times import calendar_day, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bill_emulator.company.ledger import Ledger, Side
    from bill_emulator.company.stored import Row

_CREDIT_STATES = ("NOT_APPLIED", "PARTIALLY_APPLIED", "FULLY_APPLIED")
_PERIODS = ("MONTHLY", "WEEKLY", "YEARLY")


def stamped(plan: Plan) -> Row:
    """The fields that every row has."""
    return {"id": plan.id, "createdTime": shown(plan.created), "updatedTime": shown(plan.updated)}


def quantity(line: Line) -> Decimal:
    """The quantity of a line, such as 3 or 2.5."""
    return Decimal(line.halves) / 2


class SideRows(ABC):
    """Makes the rows of one side from its plans, and rows that are added later."""

    lists: tuple[str, str, str, str, str]
    """The names of the lists: parties, debts, payments, credits, and what recurs."""
    party_id: str
    debt_states: tuple[str, str, str, str]
    """What a debt is called that is settled, will be, is in part, or is not."""
    days_to_arrive: int
    term_turn: int
    """Every third bill or invoice names its payment term, from this one on."""
    days_in_advance: int
    new_payment: str
    """The state of a payment of today."""

    def __init__(self, ledger: Ledger, side: Side, settings: Settings) -> None:
        self.seed = ledger.seed
        self.side = side
        self.settings = settings

    @abstractmethod
    def party(self, party: Party) -> Row:
        """One vendor or customer."""

    @abstractmethod
    def debt(self, debt: Debt) -> Row:
        """One bill or invoice with its lines."""

    @abstractmethod
    def payment(self, payment: Payment) -> Row:
        """One payment and how it is split over bills or invoices."""

    @abstractmethod
    def credit(self, credit: Credit) -> Row:
        """One vendor credit or credit memo, its lines and where it was used."""

    @abstractmethod
    def recurring(self, plan: Plan) -> Row:
        """One recurring bill or invoice (it stands alone: nothing refers to it)."""

    @abstractmethod
    def new_line(self, serial: int, parties: list[Party]) -> tuple[Party, Line]:
        """The one line of a new row, and whose it is."""

    def waits(self, _debt: Debt) -> bool:
        """Whether it is still to be approved."""
        return False

    def new(self, name: str, serial: int, now: int) -> Row:
        """A row of today: in US dollars, with one line, and nothing paid or used."""
        line = self.new_line(serial, [party for party in self.side.parties if party.currency == "USD"])
        return self.rendered(name, self.plan(name, serial, now, *line))

    def plan(self, name: str, serial: int, now: int, party: Party, line: Line) -> Any:
        """The plan of a row of today."""
        row_id = make_id(RESOURCES[name].prefix, self.seed, serial)
        plan, sheet = (serial, row_id, now, now), Sheet((line,), 0)
        makers: tuple[Callable[[], Plan], ...] = (
            lambda: Party(*plan, CURRENCIES[serial % len(CURRENCIES)]),
            lambda: Debt(*plan, party, sheet, "ACTIVE"),
            lambda: Payment(*plan, party, self.new_payment, unapplied=sheet.total),
            lambda: Credit(*plan, party, sheet, archived=False),
            lambda: Plan(*plan),
        )
        return makers[self.lists.index(name)]()

    def rendered(self, name: str, plan: Any) -> Row:
        """The row of a plan."""
        makers: tuple[Callable[[Any], Row], ...] = self.party, self.debt, self.payment, self.credit, self.recurring
        return makers[self.lists.index(name)](plan)

    def debt_status(self, debt: Debt) -> str:
        """Whether it is settled."""
        settled, soon, partly, unsettled = self.debt_states
        if debt.due == 0:
            return settled
        return soon if debt.scheduled else partly if debt.paid or debt.credit else unsettled

    def debt_fields(self, debt: Debt) -> Row:
        """What bills and invoices have in common."""
        i, party = debt.serial, debt.party
        term = i if i % 3 == self.term_turn else None
        return lean(
            dueAmount=money(debt.due, party.currency),
            scheduledAmount=money(debt.scheduled, party.currency),
            creditAmount=money(debt.credit, party.currency),
            exchangeRate=exchange_rate(party.currency, i),
            **stamped(debt),
            **{self.party_id: party.id},
            archived=debt.record_status != "ACTIVE",
            dueDate=self.settings.due_day(debt.created, term),
            recordStatus=debt.record_status,
            createdBy=self.settings.person("enter", i),
            paymentTermId=None if term is None else self.settings.ref("payment_terms", term),
            payments=[self._share_of(payment, debt, party.currency) for payment in debt.settled_by],
        )

    def _share_of(self, payment: Payment, debt: Debt, currency: str) -> Row:
        """What of a payment went to one bill or invoice, as its row shows it."""
        amount, day = money(payment.share_of(debt), currency), payment.day(self.days_to_arrive)
        return {"id": payment.id, "amount": amount, "status": payment.state, "date": day}

    def credit_fields(self, credit: Credit) -> Row:
        """What vendor credits and credit memos have in common."""
        party = credit.party
        return stamped(credit) | {
            self.party_id: party.id,
            "creditDate": calendar_day(credit.created),
            "archived": credit.archived,
            "amount": money(credit.total, party.currency),
            "appliedAmount": money(credit.applied, party.currency),
            "status": _CREDIT_STATES[(credit.applied > 0) + (credit.applied >= credit.total)],
        }

    def recurring_fields(self, plan: Plan, party: Party) -> Row:
        """What recurring bills and invoices have in common."""
        serial, begin = plan.serial, max(plan.created, CLOSED)
        schedule = lean(
            period=_PERIODS[serial % 3],
            frequency=1 + serial % 2,
            nextDueDate=calendar_day(begin, 1 + serial % 28),
            endDate=calendar_day(begin, 366) if serial % 2 else None,
            daysInAdvance=self.days_in_advance,
        )
        return stamped(plan) | {self.party_id: party.id, "archived": serial % 4 == 2, "schedule": schedule}
