# ruff: noqa: PLR2004 -- which row carries what follows from the parent's id
"""What is asked for once for each record of another resource, and the lists that few programs need.

The rows follow from the parent's id, so that any program can tell what they must be. Paths, fields and envelopes are
documented, except: fields of customers' bank accounts and of `/v3/login/organizations` (assumed); 404 for a vendor
without bank account (inferred); what `includeArchived` does to an audit trail (nothing, here).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bill_emulator.company.ledger import CLOSED
from bill_emulator.times import DAY, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bill_emulator.company.company import Company

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of part: `shape` is "list", "array" (with `start` and `max`) or "single" (404 where there is none)."""

    path: str
    parent: str
    make: Callable[[str, int], Row]
    shape: str = "list"
    most: int = 3

    def rows(self, parent_id: str) -> list[Row]:
        """The rows of a parent, from none to `most`."""
        count = zlib.crc32(f"{self.path}{parent_id}".encode()) % (self.most + 1)
        return [self.make(parent_id, number) for number in range(count)]


def _id(prefix: str, parent_id: str, number: int) -> str:
    return f"{prefix}02{zlib.crc32(f'{parent_id}/{number}'.encode()):012X}{number:03}"


def _file(prefix: str) -> Callable[[str, int], Row]:
    def make(parent_id: str, number: int) -> Row:
        return {
            "id": _id(prefix, parent_id, number),
            "name": f"Größe {number}.pdf",
            "createdTime": shown(CLOSED - number * DAY),
            "downloadLink": f"https://files.example/{parent_id}/{number}",
        }

    return make


def _document(parent_id: str, number: int) -> Row:
    """A document; while the upload runs, only the id is known (documented)."""
    if number == 2:
        return {"id": _id("0du", parent_id, number)}
    return {**_file("00h")(parent_id, number), "scanStatus": "CLEAN", "numOfPages": number + 1}


def _trail(parent_id: str, number: int) -> Row:
    return {
        "source": "WEB",
        "type": "UPDATE",
        "createdTime": shown(CLOSED - number * DAY),
        "user": {"id": "00602USER0000000001X", "name": "Noor Blake"},
        "field": {
            "name": "email",
            "value": {"previous": f"{number}@example.com", "current": f"{parent_id}@example.com"},
        },
    }


def _contact(parent_id: str, number: int) -> Row:
    return {
        "id": _id("cpu", parent_id, number),
        "archived": number == 2,
        "firstName": "Zoë",
        "lastName": f"Moss {number}",
        "createdTime": shown(CLOSED - 2 * DAY),
        "updatedTime": shown(CLOSED - DAY),
    }


def _account(parent_id: str, number: int) -> Row:
    return {"id": _id("cba", parent_id, number), "archived": False}


def _bank_account(parent_id: str, _: int) -> Row:
    return {
        "nameOnAccount": f"Payee {parent_id[-4:]}",
        "accountNumber": "*****6789",
        "routingNumber": "322271627",
        "type": "CHECKING",
        "ownerType": "BUSINESS",
        "paymentCurrency": "USD",
    }


PARTS: dict[str, Part] = {
    "vendor_attachments": Part("/attachments/vendors/{id}", "vendors", _file("att")),
    "customer_attachments": Part("/attachments/customers/{id}", "customers", _file("att")),
    "invoice_attachments": Part("/attachments/invoices/{id}", "invoices", _file("att")),
    "bill_documents": Part("/documents/bills/{id}", "bills", _document),
    "vendor_audit_trail": Part("/reports/audit-trail/vendor/{id}", "vendors", _trail, shape="array", most=45),
    "customer_contacts": Part("/customers/{id}/contacts", "customers", _contact),
    "customer_bank_accounts": Part("/customers/{id}/bank-accounts", "customers", _account, most=1),
    "vendor_bank_accounts": Part("/vendors/{id}/bank-account", "vendors", _bank_account, shape="single", most=1),
}


@dataclass(frozen=True, slots=True)
class Extra:
    """A list that few programs need: `records` is the name of its list, "" a bare array, None one object."""

    path: str
    rows: Callable[[Company, str], list[Row]]
    records: str | None = "results"
    sized: bool = True
    needed: str = ""
    administrators_only: bool = False


def _pending(company: Company, _: str) -> list[Row]:
    return [
        {"billId": bill["id"], "vendorId": bill["vendorId"], "amount": bill["amount"], "dueDate": bill["dueDate"]}
        for bill in company.rows("bills")
        if bill["approvalStatus"] == "ASSIGNED"
    ]


def _cards(_: Company, status: str) -> list[Row]:
    return [
        {
            "id": f"cac02CARD{status[:4]}00000{number}",
            "archived": False,
            "brand": "VISA",
            "last4": f"424{number}",
            "createdTime": shown(CLOSED - DAY),
            "expiration": {"year": "2029", "month": "01"},
        }
        for number in range(2 if status == "VERIFIED" else 1)
    ]


def _card_users(company: Company, _: str) -> list[Row]:
    cards = [*_cards(company, "VERIFIED"), *_cards(company, "NOMINATED")]
    return [
        {"cardAccountId": card["id"], "userId": user["id"], "archived": False, "verificationStatus": "VERIFIED"}
        for card in cards
        for user in company.rows("users")
    ]


def _ap_cards(_: Company, __: str) -> list[Row]:
    return [
        {
            "id": f"apc02CARD00000000000{number}",
            "status": "INACTIVE",
            "createdTime": shown(CLOSED - DAY),
            "updatedTime": shown(CLOSED),
            "balance": Decimal("0.10"),
            "limit": Decimal("2500.00"),
        }
        for number in range(2)
    ]


def _statements(_: Company, __: str) -> list[Row]:
    return [
        {
            "id": f"bst02STATEMENT0000{number:02}",
            "amount": Decimal("49.90") + number,
            "invoiceDate": f"2026-{number % 6 + 1:02}-01",
            "billingPeriod": {"startDate": f"2026-{number % 6 + 1:02}-01", "endDate": f"2026-{number % 6 + 1:02}-28"},
            "paymentStatus": "PAID",
        }
        for number in range(23)
    ]


def _organizations(company: Company, _: str) -> list[Row]:
    return [
        {"organizationId": company.organization_id, "name": "Example, Inc."},
        {"organizationId": "00802OTHER0COMPANY01", "name": "Example Söhne GmbH"},
    ]


def _plan(_: Company, __: str) -> list[Row]:
    return [
        {
            "id": "ppl02PLAN00000000001",
            "name": "Team",
            "monthlyPrice": Decimal("55.00"),
            "planTerms": [{"type": "USER", "tier": 1, "quantity": Decimal("2.50"), "price": Decimal("0.10")}],
        }
    ]


EXTRAS: dict[str, Extra] = {
    "bills_pending_approval": Extra("/bill-approvals/pending-user-approvals", _pending, "bills", sized=False),
    "card_accounts": Extra("/funding-accounts/cards", _cards, "cards", sized=False, needed="cardUserStatus"),
    "card_account_users": Extra("/funding-accounts/cards/users", _card_users),
    "ap_cards": Extra("/funding-accounts/ap-cards", _ap_cards, "", sized=False),
    "billing_statements": Extra("/organizations/{organizationId}/billing-statements", _statements),
    "login_organizations": Extra("/login/organizations", _organizations, "organizations", sized=False),
    "organization_price_plan": Extra(
        "/organizations/{organizationId}/price-plan", _plan, None, sized=False, administrators_only=True
    ),
}
