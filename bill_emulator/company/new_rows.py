"""Plausible new rows for `Company.add`: small, consistent in themselves, and unpaid."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bill_emulator.company.ids import make_id
from bill_emulator.times import calendar_day, microseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from bill_emulator.company.company import Company

Row = dict[str, Any]


class _New:
    """What a maker may use: the company, the serial number, today."""

    def __init__(self, company: Company, serial: int) -> None:
        self.company = company
        self.serial = serial
        self.amount = Decimal(10_000 + serial).scaleb(-2)
        self.now = microseconds(company.clock.now())

    def day(self, plus: int = 0) -> str:
        return calendar_day(self.now, plus)

    def some(self, resource: str) -> str:
        """The id of an existing row."""
        ids = self.company.ids(resource)
        return ids[self.serial % len(ids)]

    def line(self, prefix: str, **fields: Any) -> list[Row]:
        return [{"id": make_id(prefix, self.company.seed, self.serial * 16), **fields}]


def _bill(new: _New) -> Row:
    vendor = new.company.row("vendors", new.some("vendors"))
    zero = Decimal("0.00")
    return {
        "archived": False,
        "recordStatus": "ACTIVE",
        "vendorId": vendor["id"],
        "vendorName": vendor["name"],
        "fundingAmount": new.amount,
        "amount": new.amount,
        "paidAmount": zero,
        "dueAmount": new.amount,
        "scheduledAmount": zero,
        "creditAmount": zero,
        "dueDate": new.day(30),
        "invoice": {"invoiceDate": new.day(), "invoiceNumber": f"NEW-{new.serial}"},
        "billLineItems": new.line("bli", amount=new.amount, description="New"),
        "paymentStatus": "UNPAID",
        "approvalStatus": "UNASSIGNED",
        "approvers": [],
        "payments": [],
        "createdBy": new.some("users"),
    }


def _payment(new: _New) -> Row:
    vendor = new.company.row("vendors", new.some("vendors"))
    return {
        "amount": new.amount,
        "fundingAmount": new.amount,
        "vendorId": vendor["id"],
        "vendorName": vendor["name"],
        "billPayments": [],
        "processDate": new.day(3),
        "status": "SCHEDULED",
        "singleStatus": "SCHEDULED",
        "onlinePayment": True,
        "disbursementType": "ACH",
        "createdBy": new.some("users"),
    }


def _vendor_credit(new: _New) -> Row:
    return {
        "vendorId": new.some("vendors"),
        "referenceNumber": f"CR-NEW-{new.serial}",
        "creditDate": new.day(),
        "archived": False,
        "amount": new.amount,
        "appliedAmount": Decimal("0.00"),
        "status": "NOT_APPLIED",
        "vendorCreditLineItems": new.line("vcl", amount=new.amount),
        "usage": [],
    }


def _recurring_bill(new: _New) -> Row:
    return {
        "archived": False,
        "vendorId": new.some("vendors"),
        "recurringBillLineItems": new.line("rbl", amount=new.amount),
        "schedule": {"period": "MONTHLY", "frequency": 1, "nextDueDate": new.day(30), "daysInAdvance": 5},
        "processingOptions": {"autoPayment": False},
    }


def _policy(new: _New) -> Row:
    return {
        "policyName": f"New policy {new.serial}",
        "status": "ACTIVE",
        "rules": [],
        "approvers": {"users": [], "groups": []},
    }


def _invoice(new: _New) -> Row:
    zero = Decimal("0.00")
    return {
        "archived": False,
        "recordStatus": "ACTIVE",
        "invoiceNumber": f"N{new.serial}",
        "invoiceDate": new.day(),
        "dueDate": new.day(30),
        "customerId": new.some("customers"),
        "totalAmount": new.amount,
        "dueAmount": new.amount,
        "scheduledAmount": zero,
        "creditAmount": zero,
        "status": "OPEN",
        "invoiceLineItems": new.line("00f", price=new.amount, quantity=Decimal(1)),
        "payments": [],
        "createdBy": new.some("users"),
    }


def _receivable_payment(new: _New) -> Row:
    return {
        "amount": new.amount,
        "customerId": new.some("customers"),
        "invoicePayments": [],
        "paymentDate": new.day(),
        "unappliedAmount": new.amount,
        "status": "PAID",
        "onlinePayment": False,
        "referenceNumber": f"CHK NEW {new.serial}",
    }


def _credit_memo(new: _New) -> Row:
    line = new.line("cml", price=new.amount, quantity=Decimal(1), amount=new.amount, taxable=False)
    return {
        "customerId": new.some("customers"),
        "referenceNumber": f"CM-NEW-{new.serial}",
        "creditDate": new.day(),
        "archived": False,
        "amount": new.amount,
        "appliedAmount": Decimal("0.00"),
        "status": "NOT_APPLIED",
        "creditMemoLineItems": line,
        "usage": [],
    }


def _recurring_invoice(new: _New) -> Row:
    line = new.line("ril", amount=new.amount, price=new.amount, quantity=Decimal(1), taxable=False)
    return {
        "archived": False,
        "customerId": new.some("customers"),
        "schedule": {"period": "MONTHLY", "frequency": 1, "nextDueDate": new.day(30), "daysInAdvance": 0},
        "recurringInvoiceLineItems": line,
        "sendEmail": False,
    }


def _vendor(new: _New) -> Row:
    return {
        "archived": False,
        "name": f"New vendor {new.serial}",
        "accountType": "BUSINESS",
        "billCurrency": "USD",
        "balance": {"amount": Decimal("0.00")},
        "autoPay": {"enabled": False},
    }


def _customer(new: _New) -> Row:
    return {
        "archived": False,
        "name": f"New customer {new.serial}",
        "accountType": "BUSINESS",
        "invoiceCurrency": "USD",
        "balance": {"amount": Decimal("0.00")},
    }


def _named(new: _New) -> Row:
    return {"archived": False, "name": f"New {new.serial}"}


def _person(new: _New) -> Row:
    return {"archived": False, "firstName": "New", "lastName": f"Person {new.serial}"}


def _user(new: _New) -> Row:
    role = new.company.row("roles", new.some("roles"))
    return _person(new) | {
        "email": f"new{new.serial}@garden.example",
        "role": {"id": role["id"], "type": role["type"]},
    }


def _bank_account(_new: _New) -> Row:
    return {
        "archived": False,
        "status": "PENDING",
        "nameOnAccount": "Example Garden & Café",
        "type": "CHECKING",
        "ownerType": "BUSINESS",
        "bankName": "Example Bank",
        "accessToAdmins": False,
    }


def _bank_account_user(new: _New) -> Row:
    return {
        "archived": False,
        "bankAccountId": new.some("bank_accounts"),
        "userId": new.some("users"),
        "verificationStatus": "NOMINATED",
    }


def _role(new: _New) -> Row:
    return {"type": "CUSTOM", "description": f"New role {new.serial}"}


def _term(new: _New) -> Row:
    return {"name": f"Net {new.serial % 999}", "daysDue": new.serial % 999}


_MAKERS: dict[str, Callable[[_New], Row]] = {
    "vendors": _vendor,
    "bills": _bill,
    "payments": _payment,
    "vendor_credits": _vendor_credit,
    "recurring_bills": _recurring_bill,
    "bill_approval_policies": _policy,
    "customers": _customer,
    "invoices": _invoice,
    "receivable_payments": _receivable_payment,
    "credit_memos": _credit_memo,
    "recurring_invoices": _recurring_invoice,
    "accounting_classes": _named,
    "chart_of_accounts": _named,
    "departments": _named,
    "employees": _person,
    "items": _named,
    "jobs": _named,
    "locations": _named,
    "bank_accounts": _bank_account,
    "bank_account_users": _bank_account_user,
    "users": _user,
    "roles": _role,
    "payment_terms": _term,
}


def blank_row(company: Company, resource: str, serial: int) -> Row:
    """A plausible new row without id and times."""
    maker = _MAKERS.get(resource)
    if maker is None:
        raise ValueError(f"{resource} takes no new rows")
    return maker(_New(company, serial))
