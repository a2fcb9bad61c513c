"""New rows for `Company.add`: small, consistent in themselves, and unpaid.

The table says which fields a new row of a list has; a value follows from the field's name, or from its type.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bill_emulator.company.ids import line_id
from bill_emulator.schemas import properties, type_of
from bill_emulator.times import calendar_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bill_emulator.company.stored import Row
    from bill_emulator.company.table import Table

_DEBT = "archived recordStatus dueDate dueAmount scheduledAmount creditAmount payments createdBy"
_CREDIT = "archived referenceNumber creditDate amount appliedAmount status usage"
_NAMED = "archived name"

_FIELDS = {
    "vendors": f"{_NAMED} accountType billCurrency balance autoPay",
    "bills": f"{_DEBT} vendorId vendorName amount fundingAmount paidAmount invoice billLineItems paymentStatus"
    " approvalStatus approvers",
    "payments": "vendorId vendorName amount fundingAmount billPayments processDate status singleStatus onlinePayment"
    " disbursementType createdBy",
    "vendor_credits": f"{_CREDIT} vendorId vendorCreditLineItems",
    "recurring_bills": "archived vendorId recurringBillLineItems schedule processingOptions",
    "bill_approval_policies": "policyName status rules approvers",
    "customers": f"{_NAMED} accountType invoiceCurrency balance",
    "invoices": f"{_DEBT} invoiceNumber invoiceDate customerId totalAmount status invoiceLineItems",
    "receivable_payments": "customerId amount invoicePayments paymentDate unappliedAmount status onlinePayment"
    " referenceNumber",
    "credit_memos": f"{_CREDIT} customerId creditMemoLineItems",
    "recurring_invoices": "archived customerId schedule recurringInvoiceLineItems sendEmail",
    "accounting_classes": _NAMED,
    "chart_of_accounts": f"{_NAMED} account",
    "departments": _NAMED,
    "employees": "archived firstName lastName",
    "items": f"{_NAMED} type",
    "jobs": _NAMED,
    "locations": _NAMED,
    "bank_accounts": "archived status nameOnAccount type ownerType bankName accessToAdmins",
    "bank_account_users": "archived bankAccountId userId verificationStatus",
    "users": "archived firstName lastName email role",
    "roles": "type description",
    "payment_terms": "name daysDue",
}

# The fields of lines, besides their id.
_LINES = {
    "billLineItems": "amount description classifications",
    "vendorCreditLineItems": "amount classifications",
    "recurringBillLineItems": "amount classifications",
    "invoiceLineItems": "price quantity classifications",
    "creditMemoLineItems": "price quantity amount taxable classifications",
    "recurringInvoiceLineItems": "amount price quantity taxable classifications",
}

_REFERENCES = {
    "vendorId": "vendors",
    "customerId": "customers",
    "createdBy": "users",
    "userId": "users",
    "bankAccountId": "bank_accounts",
}


class _New:
    """One new row in the making."""

    def __init__(self, serial: int, seed: int, now: int, tables: Mapping[str, Table]) -> None:
        self.serial = serial
        self.seed = seed
        self.now = now
        self.tables = tables
        self.amount = Decimal(10_000 + serial).scaleb(-2)

    def day(self, plus: int = 0) -> str:
        return calendar_day(self.now, plus)

    def some(self, resource: str, **wanted: Any) -> Row:
        """An existing row; one with these values, if there is any."""
        rows = self.tables[resource].rows
        ids = sorted(rows)
        start = self.serial % len(ids)
        for row_id in (*ids[start:], *ids[:start]) if wanted else ():
            row = rows[row_id].row()
            if wanted.items() <= row.items():
                return row
        return rows[ids[start]].row()

    @cached_property
    def vendor(self) -> Row:
        """In US dollars, like the amounts."""
        return self.some("vendors", billCurrency="USD")

    def reference(self, name: str) -> str:
        """The id of a row that this one names."""
        if name == "vendorId":
            return str(self.vendor["id"])
        wanted = {"invoiceCurrency": "USD"} if name == "customerId" else {}
        return str(self.some(_REFERENCES[name], **wanted)["id"])

    def classifications(self, lines: str) -> Row:
        """Bills are coded to an expense account, invoices to an item."""
        if "nvoice" in lines or "Memo" in lines:
            return {"itemId": self.some("items", type="SERVICE")["id"]}
        accounts = self.tables["chart_of_accounts"].rows.values()
        costs = (stored.id for stored in accounts if stored.row().get("account", {}).get("type") == "EXPENSE")
        return {"chartOfAccountId": found} if (found := next(costs, None)) else {}

    def lines(self, name: str) -> list[Row]:
        values = {
            "amount": self.amount,
            "price": self.amount,
            "quantity": Decimal(1),
            "taxable": False,
            "description": "New",
            "classifications": self.classifications(name),
        }
        line = {field: values[field] for field in _LINES[name].split()}
        return [{"id": line_id(name, self.seed, self.serial, 0), **line}]

    def role(self) -> Row:
        role = self.some("roles")
        return {"id": role["id"], "type": role["type"]}


_VALUES: dict[str, Callable[[_New], Any]] = {
    "accountType": lambda _: "BUSINESS",
    "account": lambda _: {"type": "EXPENSE"},
    "approvalStatus": lambda _: "UNASSIGNED",
    "autoPay": lambda _: {"enabled": False},
    "balance": lambda _: {"amount": Decimal("0.00")},
    "bank_account_users.verificationStatus": lambda _: "NOMINATED",
    "bank_accounts.status": lambda _: "PENDING",
    "bank_accounts.type": lambda _: "CHECKING",
    "bankName": lambda _: "Example Bank",
    "bill_approval_policies.approvers": lambda _: {"users": [], "groups": []},
    "bill_approval_policies.status": lambda _: "ACTIVE",
    "billCurrency": lambda _: "USD",
    "credit_memos.referenceNumber": lambda new: f"CM-NEW-{new.serial}",
    "daysDue": lambda new: new.serial % 999,
    "disbursementType": lambda _: "ACH",
    "dueDate": lambda new: new.day(30),
    "email": lambda new: f"new{new.serial}@garden.example",
    "firstName": lambda _: "New",
    "invoice": lambda new: {"invoiceDate": new.day(), "invoiceNumber": f"NEW-{new.serial}"},
    "invoiceCurrency": lambda _: "USD",
    "invoiceNumber": lambda new: f"N{new.serial}",
    "invoices.status": lambda _: "OPEN",
    "items.type": lambda _: "SERVICE",
    "lastName": lambda new: f"Person {new.serial}",
    "nameOnAccount": lambda _: "Example Garden & Café",
    "ownerType": lambda _: "BUSINESS",
    "payments.onlinePayment": lambda _: True,
    "paymentStatus": lambda _: "UNPAID",
    "payment_terms.name": lambda new: f"Net {new.serial % 999}",
    "policyName": lambda new: f"New policy {new.serial}",
    "processDate": lambda new: new.day(3),
    "processingOptions": lambda _: {"autoPayment": False},
    "receivable_payments.status": lambda _: "PAID",
    "recordStatus": lambda _: "ACTIVE",
    "referenceNumber": lambda new: f"CR-NEW-{new.serial}",
    "role": lambda new: new.role(),
    "roles.type": lambda _: "CUSTOM",
    "schedule": lambda new: {"period": "MONTHLY", "frequency": 1, "nextDueDate": new.day(30), "daysInAdvance": 5},
    "singleStatus": lambda _: "SCHEDULED",
    "payments.status": lambda _: "SCHEDULED",
    "status": lambda _: "NOT_APPLIED",
    "vendorName": lambda new: new.vendor["name"],
}
for _name in ("paidAmount", "scheduledAmount", "creditAmount", "appliedAmount"):
    _VALUES[_name] = lambda _: Decimal("0.00")

_BY_TYPE: dict[str, Callable[[_New], Any]] = {
    "boolean": lambda _: False,
    "array": lambda _: [],
    "number": lambda new: new.amount,
    "date": lambda new: new.day(),
    "string": lambda new: f"New {new.serial}",
}


def new_row(resource: str, serial: int, seed: int, now: int, tables: Mapping[str, Table]) -> Row:
    """A plausible new row without id and times."""
    if resource not in _FIELDS:
        raise ValueError(f"{resource} takes no new rows")
    new = _New(serial, seed, now, tables)
    return {name: _value(new, resource, name) for name in _FIELDS[resource].split()}


def _value(new: _New, resource: str, name: str) -> Any:
    if name in _LINES:
        return new.lines(name)
    if name in _REFERENCES:
        return new.reference(name)
    make = _VALUES.get(f"{resource}.{name}") or _VALUES.get(name) or _BY_TYPE[type_of(properties(resource)[name])]
    return make(new)
