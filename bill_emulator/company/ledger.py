# ruff: noqa: PLR2004 -- which row carries what follows from its serial number
"""Who owes what to whom: the numbers behind the company, before they are dressed as BILL rows.

Everything here follows from (seed, number of bills). Amounts are whole numbers of the currency's smallest unit
(cents; yen), moments are microseconds since 1970. Rows are rendered from these plans when somebody asks for them.

Assumed, because BILL does not document it:

* only ACTIVE bills and invoices are paid, nearly all within weeks; archived ones and drafts are not;
* a payment that was void or failed is followed by another one;
* `billPayments.amount` is money, without the vendor credits used along with it;
* `paidAmount` = cleared payments + applied credit; what is scheduled still counts as due;
* a vendor's balance = what its ACTIVE bills still owe (unused credits do not lower it); customers alike;
* what is paid was approved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from bill_emulator.company.catalog import ITEMS, SOLD, trade_of
from bill_emulator.company.ids import make_id
from bill_emulator.company.names import CURRENCIES
from bill_emulator.resources import RESOURCES
from bill_emulator.times import DAY, SECOND, calendar_day, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FOUNDED = moment(2023, 7, 1)  # settings, users, vendors and customers begin here
OPENED = moment(2024, 1, 1, 8)  # the first bill
CLOSED = moment(2026, 6, 30, 18)  # nothing happens later than this

# Bulk edits: many rows share one `updatedTime`, to the microsecond.
_BULK_EDITS = (moment(2025, 3, 31, 22) + 500_500, moment(2025, 12, 31, 23) + 999_999, moment(2026, 5, 4, 9) + 1)

_MINOR_DIGITS = {"JPY": 0}
# US dollars for one unit of the currency.
_RATES = {"CAD": "0.7312", "EUR": "1.0845", "JPY": "0.006412", "GBP": "1.2710", "PLN": "0.2519"}

# What becomes of the i-th bill (taken round and round): of old ones nearly all is settled, of recent ones little.
_RECENT = 75 * DAY
_OLD_BILLS = (
    *("together", "paid", "credit", "together", "together", "void", "failed"),
    *("paid", "together", "partial", "together", "together", "paid", "together", "open"),
)
_RECENT_BILLS = ("open", "scheduled", "open", "partial", "open", "partial_scheduled", "paid", "open", "credit")
_OLD_INVOICES = (
    *("paid", "together", "credit", "paid", "overpaid", "together", "void"),
    *("paid", "together", "together", "partial", "together", "open"),
)
_RECENT_INVOICES = ("open", "scheduled", "open", "partial", "open", "paid")
_TOGETHER_WITHIN = 60 * DAY

HUGE = 9_999_999_999_999  # 99999999999.99
TINY = 10  # 0.10
_TYPING_ERROR = 3  # the bill of the largest amount was archived at once
_PART_TIME = 0.3  # so many services end with half an hour


def money(units: int, currency: str) -> Decimal:
    """Smallest units as the decimal that goes over the wire: 10 cents are 0.10, 500 yen are 500."""
    return Decimal(units).scaleb(-_MINOR_DIGITS.get(currency, 2))


def exchange_rate(currency: str, serial: int) -> Decimal | None:
    """US dollars per unit, slightly different from record to record; None for US dollars."""
    base = _RATES.get(currency)
    return None if base is None else Decimal(base) + Decimal(serial % 50).scaleb(-6)


def in_dollars(amount: Decimal, rate: Decimal | None) -> Decimal:
    """The funding amount: US dollars, rounded half up to the cent."""
    return amount if rate is None else (amount * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(slots=True, eq=False)
class Plan:
    """What becomes a row of its own."""

    serial: int
    id: str
    created: int
    updated: int


@dataclass(slots=True, eq=False)
class Party(Plan):
    """A vendor or a customer; `balance` is what is still owed on its active bills or invoices.

    `balanced` is when that changed, if that was later than the ledger was drawn up.
    """

    currency: str
    balance: int = 0
    balanced: int | None = None
    last_paid: int | None = None


@dataclass(slots=True)
class Line:
    """A line: `halves` is twice the quantity (so 5 is 2.5 pieces), `price` the price of one piece.

    `what` is the place among the vendor's goods, or of the item that is sold.
    """

    halves: int
    price: int
    what: int

    @property
    def amount(self) -> int:
        """Quantity times price, always whole."""
        return self.halves * self.price // 2


@dataclass(slots=True)
class Sheet:
    """Lines and what they add up to; `tax_rate` is in hundredths of a percent, 0 for none."""

    lines: tuple[Line, ...]
    tax_rate: int
    tax: int = field(init=False)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        """Add up; sales tax is on all lines, rounded half up."""
        net = sum(line.amount for line in self.lines)
        self.tax = (net * self.tax_rate + 5_000) // 10_000
        self.total = net + self.tax


@dataclass(slots=True, eq=False)
class Share:
    """The part of a payment, or of a credit's use, that goes to one bill or invoice."""

    target: Debt
    amount: int
    credit: Credit | None = None
    credit_amount: int = 0


@dataclass(slots=True, eq=False)
class Debt(Plan):
    """A bill or an invoice; `approved` is when a bill was approved, if that was later than the ledger was drawn up."""

    party: Party
    sheet: Sheet
    record_status: str
    credit: int = 0
    settled_by: list[Payment] = field(default_factory=list)
    approved: int | None = None

    @property
    def total(self) -> int:
        """Lines and tax."""
        return self.sheet.total

    @property
    def paid(self) -> int:
        """Money received, without `credit`."""
        return sum(payment.share_of(self) for payment in self.settled_by if payment.state == "PAID")

    @property
    def scheduled(self) -> int:
        """Money on its way."""
        return sum(payment.share_of(self) for payment in self.settled_by if payment.state == "SCHEDULED")

    @property
    def due(self) -> int:
        """What is still owed; scheduled payments have not arrived yet."""
        return self.total - self.paid - self.credit

    @property
    def owed(self) -> int:
        """What counts for the balance: what is due, if the record is active."""
        return self.due if self.record_status == "ACTIVE" else 0


@dataclass(slots=True, eq=False)
class Payment(Plan):
    """Money to a vendor or from a customer. `state`: PAID, SCHEDULED, VOID, FAILED or CANCELLED.

    `cleared` is when it arrived, if it was scheduled before.
    """

    party: Party
    state: str
    shares: list[Share] = field(default_factory=list)
    unapplied: int = 0
    cleared: int | None = None

    @property
    def amount(self) -> int:
        """What is split over bills or invoices, and what is left over."""
        return sum(share.amount for share in self.shares) + self.unapplied

    @property
    def sent(self) -> int:
        """When it was paid."""
        return self.cleared or self.created

    def share_of(self, debt: Debt) -> int:
        """What of it goes to one bill or invoice."""
        return sum(share.amount for share in self.shares if share.target is debt)

    def day(self, delay: int) -> str:
        """When the money moves, so many days after it was arranged; what is scheduled moves in the days to come."""
        if self.state == "SCHEDULED":
            return calendar_day(max(self.created, CLOSED), 1 + self.serial % 14)
        return calendar_day(min(self.sent + delay * DAY, max(self.sent, CLOSED)))


@dataclass(slots=True, eq=False)
class Credit(Plan):
    """A vendor credit or a credit memo; a share in `usage` may name the payment it was used with."""

    party: Party
    sheet: Sheet
    archived: bool
    usage: list[tuple[Debt, Payment | None, int]] = field(default_factory=list)  # debt, payment, amount

    @property
    def total(self) -> int:
        """Lines and tax."""
        return self.sheet.total

    @property
    def applied(self) -> int:
        """What has been used."""
        return sum(amount for _, _, amount in self.usage)


@dataclass(slots=True)
class Side:
    """One side of the business: vendors with bills (payable), or customers with invoices (receivable)."""

    parties: list[Party]
    debts: list[Debt] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)

    def all(self) -> tuple[list[Any], ...]:
        """What it consists of, list by list."""
        return self.parties, self.debts, self.payments, self.credits


@dataclass(slots=True)
class Ledger:
    """All plans of a company of a certain size."""

    seed: int
    bills: int
    payable: Side
    receivable: Side


def draw_up(seed: int, bills: int, *, opening_import: bool = True) -> Ledger:
    """Plan a company with so many bills. The same arguments give the same ledger, on any machine.

    With `opening_import`, the first tenth of the bills and invoices came at one instant.
    """
    payable = _Payable(Random(f"{seed}/payable"), seed, max(12, bills // 5), opening_import=opening_import)
    receivable = _Receivable(Random(f"{seed}/receivable"), seed, max(12, bills // 8), opening_import=opening_import)
    return Ledger(seed, bills, payable.write(bills), receivable.write(bills // 2))


class _Books(ABC):
    """Writes one side of the ledger, debt after debt: bills, or invoices."""

    lists: tuple[str, str, str, str]
    old: Sequence[str]
    recent: Sequence[str]

    def __init__(self, rng: Random, seed: int, parties: int, *, opening_import: bool) -> None:
        self.opening_import = opening_import
        self.rng = rng
        self.seed = seed
        self.side = Side([self._party(serial, parties) for serial in range(parties)])
        self.joint: dict[int, Payment] = {}

    def _plan(self, place: int, serial: int, created: int) -> tuple[int, str, int, int]:
        """What every plan begins with: serial, id, created, updated."""
        row_id = make_id(RESOURCES[self.lists[place]].prefix, self.seed, serial)
        return serial, row_id, created, self._updated(serial, created)

    def _party(self, serial: int, count: int) -> Party:
        span = OPENED - DAY - FOUNDED
        created = FOUNDED + int(span * (serial + self.rng.random()) / count)
        return Party(*self._plan(0, serial, created), CURRENCIES[serial % len(CURRENCIES)])

    def _updated(self, serial: int, created: int) -> int:
        """Some rows were never touched, some changed in a bulk edit, most on their own."""
        kind = serial % 8
        if kind == 0:
            return created
        if kind in (3, 6):
            bulk = _BULK_EDITS[serial // 8 % len(_BULK_EDITS)]
            if bulk > created:
                return bulk
        return created + int(self.rng.random() * (CLOSED - created))

    def _created(self, serial: int, count: int) -> int:
        """The first tenth may come in one import, at one instant; later ones come one by one, or two at once."""
        if self.opening_import and serial < count // 10:
            return OPENED + 123_456
        if serial % 10 == 9:
            serial -= 1
            return self.side.debts[serial].created if serial < len(self.side.debts) else OPENED
        step = (CLOSED - OPENED - DAY) / count
        return OPENED + int(step * (serial + self.rng.random()))

    @abstractmethod
    def line(self, party: Party) -> Line:
        """One line of a bill, an invoice or a credit."""

    def lines(self, party: Party, count: int) -> tuple[Line, ...]:
        """So many lines."""
        return tuple(self.line(party) for _ in range(count))

    def tax_rate(self, _party: Party, _serial: int) -> int:
        """Sales tax, in hundredths of a percent."""
        return 0

    def record_status(self, serial: int) -> str:
        """ACTIVE, archived or a draft."""
        if serial % 20 == 7:
            return "INACTIVE"
        return "DRAFT" if serial % 20 == 9 else "ACTIVE"

    def extreme(self, serial: int) -> Line | None:
        """The one line of the largest and the smallest amount, which are in US dollars."""
        return Line(2, TINY, 0) if serial in (3, 4) else None

    def write(self, count: int) -> Side:
        """Write all bills or invoices, and add up the balances."""
        for serial in range(count):
            self._enter(serial, count)
        for debt in self.side.debts:
            debt.party.balance += debt.owed
        return self.side

    def _enter(self, serial: int, count: int) -> None:
        """Write the next bill or invoice, and what becomes of it; some parties have far more of them than others."""
        extreme = self.extreme(serial)
        party = self.side.parties[0 if extreme else int(len(self.side.parties) * self.rng.random() ** 3)]
        lines = (extreme,) if extreme else self.lines(party, 12 if serial % 40 == 17 else 1 + serial % 3)
        sheet = Sheet(lines, 0 if extreme else self.tax_rate(party, serial))
        plan = self._plan(1, serial, self._created(serial, count))
        debt = Debt(*plan, party, sheet, self.record_status(serial))
        self.side.debts.append(debt)
        if debt.record_status == "ACTIVE":
            fates = self.recent if self.is_recent(debt) else self.old
            _FATES["open" if extreme else fates[serial % len(fates)]](self, debt)

    def is_recent(self, debt: Debt) -> bool:
        """Whether it is natural that it is not settled yet."""
        return debt.created >= CLOSED - _RECENT

    def pay(self, debt: Debt, amount: int, state: str = "PAID", *, not_before: int = 0) -> Payment:
        """One payment for one bill or invoice."""
        serial = len(self.side.payments)
        created = debt.created + int(self.rng.random() * 20 * DAY) + 60 * SECOND
        created = min(CLOSED, max(created, not_before))
        payment = Payment(*self._plan(2, serial, created), debt.party, state)
        self.side.payments.append(payment)
        self.add_share(payment, debt, amount)
        return payment

    def add_share(self, payment: Payment, debt: Debt, amount: int) -> None:
        """Let a payment pay (also) this bill or invoice."""
        payment.shares.append(Share(debt, amount))
        debt.settled_by.append(payment)
        payment.created = min(CLOSED, max(payment.created, debt.created + SECOND))
        payment.updated = max(payment.updated, payment.created)
        if payment.state == "PAID":
            debt.party.last_paid = max(debt.party.last_paid or 0, payment.created)

    def grant(self, debt: Debt, *, archived: bool = False) -> Credit:
        """A credit of the vendor's (for the customer), not used yet."""
        serial = len(self.side.credits)
        created = min(CLOSED, debt.created + int(self.rng.random() * 5 * DAY) + SECOND)
        sheet = Sheet(self.lines(debt.party, 1 + serial % 2), debt.sheet.tax_rate)
        credit = Credit(*self._plan(3, serial, created), debt.party, sheet, archived)
        self.side.credits.append(credit)
        return credit


class _Payable(_Books):
    """Vendors and their bills."""

    lists = ("vendors", "bills", "payments", "vendor_credits")
    old, recent = _OLD_BILLS, _RECENT_BILLS

    def line(self, party: Party) -> Line:
        trade = trade_of(party.serial)
        price = 2 * self.rng.randrange(trade.low // 2, trade.high // 2)
        return Line((2, 4, 5, 6, 3)[self.rng.randrange(5)], price, self.rng.randrange(len(trade.goods)))

    def extreme(self, serial: int) -> Line | None:
        return Line(2, HUGE, 0) if serial == _TYPING_ERROR else super().extreme(serial)

    def record_status(self, serial: int) -> str:
        if serial % 60 == 38:
            return "DRAFT_DELETED"
        return "INACTIVE" if serial == _TYPING_ERROR else super().record_status(serial)


class _Receivable(_Books):
    """Customers and their invoices."""

    lists = ("customers", "invoices", "receivable_payments", "credit_memos")
    old, recent = _OLD_INVOICES, _RECENT_INVOICES

    def line(self, party: Party) -> Line:
        what = SOLD[self.rng.randrange(len(SOLD))]
        item = ITEMS[what]
        halves = 2 * self.rng.randrange(1, item.most + 1)
        return Line(halves - (item.type == "SERVICE" and self.rng.random() < _PART_TIME), _price(what, party), what)

    def tax_rate(self, party: Party, serial: int) -> int:
        """Sales abroad are not taxed."""
        return (0, 825, 600)[serial % 3] if party.currency == "USD" else 0


def _price(item: int, party: Party) -> int:
    """What an item costs in the currency of a customer: an even number, so that halves of it are whole."""
    price = ITEMS[item].price or Decimal(0)
    abroad = price / Decimal(_RATES.get(party.currency, "1"))
    return 2 * int(abroad.scaleb(_MINOR_DIGITS.get(party.currency, 2)) / 2)


def _pay_in_two(books: _Books, debt: Debt) -> None:
    books.pay(debt, debt.total // 3)
    books.pay(debt, debt.due, "SCHEDULED")


def _pay_again(books: _Books, debt: Debt, state: str) -> None:
    """The first payment did not arrive."""
    first = books.pay(debt, debt.total, state)
    books.pay(debt, debt.total, not_before=first.created + DAY)


def _overpay(books: _Books, debt: Debt) -> None:
    books.pay(debt, debt.total).unapplied = 2_500


def _together(books: _Books, debt: Debt) -> None:
    """One payment for up to three bills of one vendor (invoices of one customer)."""
    payment = books.joint.get(debt.party.serial)
    if payment is None or debt.created - payment.created > _TOGETHER_WITHIN:
        books.joint[debt.party.serial] = books.pay(debt, debt.total)
        return
    books.add_share(payment, debt, debt.total)
    if len(payment.shares) == 3:
        del books.joint[debt.party.serial]


def _credit(books: _Books, debt: Debt) -> None:
    """Use a credit, with or without a payment next to it; and grant another one that stays unused."""
    credit = books.grant(debt)
    variant = credit.serial // 2 % 3
    used = min(credit.total, debt.total if variant == 2 else debt.total // 2)
    debt.credit += used
    payment: Payment | None = None
    if variant == 0:
        payment = books.pay(debt, debt.due, not_before=credit.created)
        share = payment.shares[0]
        share.credit, share.credit_amount = credit, used
    elif debt.due and not books.is_recent(debt):
        books.pay(debt, debt.due, not_before=credit.created)
    credit.usage.append((debt, payment, used))
    books.grant(debt, archived=credit.serial // 2 % 2 == 0)


_FATES: dict[str, Callable[[_Books, Debt], object]] = {
    "open": lambda _books, _debt: None,
    "paid": lambda books, debt: books.pay(debt, debt.total),
    "partial": lambda books, debt: books.pay(debt, debt.total * 2 // 5),
    "scheduled": lambda books, debt: books.pay(debt, debt.total, "SCHEDULED"),
    "partial_scheduled": _pay_in_two,
    "void": lambda books, debt: _pay_again(books, debt, "VOID"),
    "failed": lambda books, debt: _pay_again(books, debt, "CANCELLED" if debt.serial % 4 == 1 else "FAILED"),
    "overpaid": _overpay,
    "together": _together,
    "credit": _credit,
}
