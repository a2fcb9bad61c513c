"""Enters records of one's choice in a company's books, which add up like all others.

They stand alone as rows of `Company.put` do: nobody works on them. Vendors, bills, payments and credits are made from
plans of their own, card transactions and reimbursements are like another one but for some fields. Assumed:

* a bill that was paid twice owes less than nothing, and is PAID;
* who has not decided yet is WAITING, and a bill that nobody is to approve is UNASSIGNED.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from bill_emulator.company.ids import make_id
from bill_emulator.company.ledger import Credit, Debt, Line, Party, Payment, Share, Sheet, money
from bill_emulator.company.payables import RAILS
from bill_emulator.resources import RESOURCES
from bill_emulator.times import DAY, SECOND, read_stored, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bill_emulator.company.payables import PayableRows
    from bill_emulator.company.spend import SpendBooks
    from bill_emulator.company.stored import Row

CLERK, OTHER_CLERK, PAYER, APPROVER, DIRECTOR = 1, 4, 3, 2, 7
"""People by their place: who enters bills, who pays, and who approves."""

_FIRST = 9_009_000
"""Serial numbers from here on, so that the other records keep theirs; divisible by the number of `RAILS`."""

Step = tuple[int, str, int]
"""One step of an approval: who, what they did, and how many days after the bill was entered."""

APPROVED: tuple[Step, ...] = ((APPROVER, "APPROVED", 1),)


@dataclass(frozen=True, slots=True)
class Planted:
    """What was planted for one control: ids by name. What only looks irregular is not to be reported."""

    cases: dict[str, str] = field(default_factory=dict)
    look_alikes: dict[str, str] = field(default_factory=dict)


class Tables(Protocol):
    """What planting needs of a company."""

    @property
    def spend(self) -> SpendBooks:
        """The Spend & Expense books."""

    def put(self, resource: str, row: Mapping[str, Any]) -> Row:
        """Insert a row exactly as given."""

    def add_part(self, resource: str, parent_id: str, row: Mapping[str, Any]) -> None:
        """Let one record have one more part."""


class Planter:
    """Enters plans, and makes rows of them when all is known."""

    def __init__(self, company: Tables, rows: PayableRows) -> None:
        self.company = company
        self.planted: dict[str, Planted] = {}
        self.present = Planted()
        self._rows = rows
        self._user = rows.settings.ids["users"]
        self._entered: list[tuple[str, Any, Row]] = []
        self._turn = 0

    def case(self, name: str, plan: Any) -> None:
        """To be reported."""
        self.present.cases[name] = plan if isinstance(plan, str) else plan.id

    def look_alike(self, name: str, plan: Any) -> None:
        """Not to be reported."""
        self.present.look_alikes[name] = plan if isinstance(plan, str) else plan.id

    def _begin(self, resource: str, day: str, offset: int = 0) -> tuple[int, str, int, int]:
        """What every plan begins with; serial numbers go up in steps of the number of rails."""
        self._turn += 1
        serial = _FIRST + self._turn * len(RAILS) + offset
        at = _at(day) + self._turn * SECOND  # so that it is certain which came first
        return serial, make_id(RESOURCES[resource].prefix, self._rows.seed, serial), at, at

    def _enter(self, resource: str, plan: Any, differs: Row) -> None:
        self._entered.append((resource, plan, differs))

    def vendor(  # noqa: PLR0913 -- every particular is a keyword with a default
        self,
        name: str,
        currency: str = "USD",
        *,
        archived: bool = False,
        tax_id: str | None = None,
        track_1099: bool = False,
        account: tuple[str, str] | None = None,
    ) -> Party:
        """A vendor; `account` is the routing number and the account number of its bank."""
        party = Party(*self._begin("vendors", "2023-11-06"), currency)
        self._rows.names[party.serial] = name
        info: Row = {"track1099": track_1099}
        differs: Row = {"archived": archived, "additionalInfo": info}
        if tax_id is not None:
            info |= {"taxId": tax_id, "taxIdType": "EIN"}
        if account is not None:
            differs["account"] = dict(zip(("routingNumber", "accountNumber"), account, strict=True))
        self._enter("vendors", party, differs)
        return party

    def bill(  # noqa: PLR0913 -- every particular is a keyword with a default
        self,
        vendor: Party,
        number: str,
        amount: str,
        day: str,
        *,
        dated: str | None = None,
        by: int = CLERK,
        steps: tuple[Step, ...] = APPROVED,
        record_status: str = "ACTIVE",
    ) -> Debt:
        """A bill that was entered on this day, and dated then too unless something else is said."""
        units = int(Decimal(amount) / money(1, vendor.currency))
        debt = Debt(*self._begin("bills", day), vendor, Sheet((Line(2, units, 0),), 0), record_status)
        approvers = [
            {
                "userId": self._user[who],
                "status": status,
                "approverOrder": place,
                **({} if status == "WAITING" else {"statusChangedTime": shown(debt.created + days * DAY)}),
            }
            for place, (who, status, days) in enumerate(steps, 1)
        ]
        self._enter(
            "bills",
            debt,
            {
                "invoice": {"invoiceNumber": number, "invoiceDate": dated or day},
                "createdBy": self._user[by],
                "approvalStatus": _approval({status for _, status, _ in steps}),
                "approvers": approvers,
            },
        )
        return debt

    def pay(  # noqa: PLR0913 -- every particular is a keyword with a default
        self,
        bills: Debt | list[Debt],
        day: str,
        *,
        by: int = PAYER,
        state: str = "PAID",
        rail: str = "ACH",
        part: str | None = None,
        **differs: Any,
    ) -> Payment:
        """A payment that is processed on this day: of all these bills, or of a part of one of them."""
        debts = bills if isinstance(bills, list) else [bills]
        party = debts[0].party
        serial, row_id, at, _ = self._begin("payments", day, RAILS.index(rail))
        payment = Payment(serial, row_id, at - 2 * DAY, at - 2 * DAY, party, state)
        for debt in debts:
            units = debt.total if part is None else int(Decimal(part) / money(1, party.currency))
            payment.shares.append(Share(debt, units))
            debt.settled_by.append(payment)
        if state == "PAID":
            party.last_paid = max(party.last_paid or 0, payment.sent)
        self._enter("payments", payment, {"createdBy": self._user[by], **differs})
        return payment

    def credit(self, vendor: Party, amount: str, day: str, *, archived: bool = False) -> Credit:
        """A credit of a vendor's, not used yet."""
        sheet = Sheet((Line(2, int(Decimal(amount) / money(1, vendor.currency)), 0),), 0)
        credit = Credit(*self._begin("vendor_credits", day), vendor, sheet, archived)
        self._enter("vendor_credits", credit, {})
        return credit

    def apply(self, credit: Credit, debt: Debt) -> None:
        """Use a credit on a bill, as far as it goes."""
        units = min(credit.total - credit.applied, debt.due)
        debt.credit += units
        credit.usage.append((debt, None, units))

    def change(self, vendor: Party, name: str, day: str) -> None:
        """Somebody changes a field of a vendor, which its audit trail tells."""
        user = {"id": self._user[CLERK], "name": "Ada Moss"}
        value = {"previous": "*****1111", "current": "*****2222"}
        told = {"source": "WEB", "type": "UPDATE", "createdTime": shown(_at(day)), "user": user}
        self.company.add_part("vendor_audit_trail", vendor.id, {**told, "field": {"name": name, "value": value}})

    def spent(self, table: str, amount: str, **differs: Any) -> str:
        """A card transaction or reimbursement of May 2026, like another one but for some fields. Answers its uuid."""
        self._turn += 1
        like = next(row for row in self.company.spend.rows(table) if _is_plain(row))
        uuid = f"{like['uuid'][:4]}{_FIRST + self._turn:024}"
        row_id = base64.b64encode(f"{table}:{_FIRST + self._turn:012}".encode()).decode()
        row = like | {"id": row_id, "uuid": uuid, "amount": Decimal(amount)}
        if table == "transactions":
            cents = str(int(Decimal(amount) * 100))
            currency = like["currencyData"] | {"originalCurrencyAmount": cents}
            row |= {"transactedAmount": row["amount"], "currencyData": currency}
            row |= dict.fromkeys(("occurredTime", "authorizedTime", "updatedTime"), shown(_at("2026-05-12")))
            row |= {name: [] for name in ("reviewers", "reviews", "accountingIntegrationTransactions")}
            row |= {f"originalAuthTransaction{name}": None for name in ("Id", "Uuid")}
        else:
            row |= {"submittedTime": shown(_at("2026-05-12")), "occurredDate": "2026-05-10", "retired": False}
        left = {name: value for name, value in (row | differs).items() if value is not None}
        self.company.spend.put(table, left)
        return uuid

    def finish(self) -> None:
        """Add up what the vendors are owed, and make the rows."""
        for _, plan, _ in self._entered:
            if isinstance(plan, Debt):
                plan.party.balance += plan.owed
        for resource, plan, differs in self._entered:
            row = self._rows.rendered(resource, plan)
            if account := differs.pop("account", None):
                account = {"nameOnAccount": row["name"], "type": "CHECKING", "ownerType": "BUSINESS", **account}
                account["paymentCurrency"] = row["billCurrency"]
                row["paymentInformation"] |= {"bankAccount": account}
                row["bankAccountStatus"] = "NET_LINKED_ACCOUNT"
            if isinstance(plan, Debt) and plan.due < 0:
                row["paymentStatus"] = "PAID"
            self.company.put(resource, row | differs)


def _at(day: str) -> int:
    moment = read_stored(f"{day}T10:00:00+00:00")
    if moment is None:
        raise ValueError(f"{day} is no day")
    return moment


def _approval(states: set[str]) -> str:
    """What a bill is called whose approvers have done this."""
    if not states:
        return "UNASSIGNED"
    if "DENIED" in states:
        return "DENIED"
    if "WAITING" in states:
        return "APPROVING" if "APPROVED" in states else "ASSIGNED"
    return "APPROVED"


def _is_plain(row: Row) -> bool:
    """Whether it is a purchase in US dollars, and cleared if it was made with a card."""
    currency = row.get("currencyData", {}).get("originalCurrencyCode", "USD")
    return (row.get("transactionType", "CLEAR"), row.get("type", "PURCHASE"), currency) == ("CLEAR", "PURCHASE", "USD")
