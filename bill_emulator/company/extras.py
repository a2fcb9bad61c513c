"""The lists that few programs need: pending approvals, cards, statements, the price plan, ...

Paths, fields and envelopes are documented, except the fields of `/v3/login/organizations` (assumed).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bill_emulator.company.ledger import CLOSED
from bill_emulator.times import DAY, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bill_emulator.company.company import Company
    from bill_emulator.company.stored import Row


@dataclass(frozen=True, slots=True)
class Extra:
    """A list that few programs need: `records` is the name of its list, "" a bare array, None one object."""

    path: str
    rows: Callable[[Company, str], list[Row]]
    records: str | None = "results"
    sized: bool = True
    needed: str = ""
    administrators_only: bool = False


def _numbered(count: int, make: Callable[[int], Row]) -> Callable[[Company, str], list[Row]]:
    """So many rows, whatever the company is like."""
    return lambda _company, _status: [make(number) for number in range(count)]


def _pending(company: Company, _: str) -> list[Row]:
    fields = {"id": "billId", "vendorId": "vendorId", "amount": "amount", "dueDate": "dueDate"}
    bills = [bill for bill in company.rows("bills") if bill["approvalStatus"] == "ASSIGNED"]
    return [{shown_as: bill[name] for name, shown_as in fields.items()} for bill in bills]


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
    cards = [card for status in ("VERIFIED", "NOMINATED") for card in _cards(company, status)]
    known = {"archived": False, "verificationStatus": "VERIFIED"}
    return [{"cardAccountId": card["id"], "userId": user, **known} for card in cards for user in company.ids("users")]


def _ap_card(number: int) -> Row:
    return {
        "id": f"apc02CARD00000000000{number}",
        "status": "INACTIVE",
        "createdTime": shown(CLOSED - DAY),
        "updatedTime": shown(CLOSED),
        "balance": Decimal("0.10"),
        "limit": Decimal("2500.00"),
    }


def _statement(number: int) -> Row:
    month = f"2026-{number % 6 + 1:02}"
    return {
        "id": f"bst02STATEMENT0000{number:02}",
        "amount": Decimal("49.90") + number,
        "invoiceDate": f"{month}-01",
        "billingPeriod": {"startDate": f"{month}-01", "endDate": f"{month}-28"},
        "paymentStatus": "PAID",
    }


def _organizations(company: Company, _: str) -> list[Row]:
    known = {company.organization_id: "Example, Inc.", "00802OTHER0COMPANY01": "Example Söhne GmbH"}
    return [{"organizationId": organization, "name": name} for organization, name in known.items()]


def _plan(_: int) -> Row:
    term = {"type": "USER", "tier": 1, "quantity": Decimal("2.50"), "price": Decimal("0.10")}
    return {"id": "ppl02PLAN00000000001", "name": "Team", "monthlyPrice": Decimal("55.00"), "planTerms": [term]}


_ORGANIZATION = "/organizations/{organizationId}"

EXTRAS: dict[str, Extra] = {
    "bills_pending_approval": Extra("/bill-approvals/pending-user-approvals", _pending, "bills", sized=False),
    "card_accounts": Extra("/funding-accounts/cards", _cards, "cards", sized=False, needed="cardUserStatus"),
    "card_account_users": Extra("/funding-accounts/cards/users", _card_users),
    "ap_cards": Extra("/funding-accounts/ap-cards", _numbered(2, _ap_card), "", sized=False),
    "billing_statements": Extra(f"{_ORGANIZATION}/billing-statements", _numbered(23, _statement)),
    "login_organizations": Extra("/login/organizations", _organizations, "organizations", sized=False),
    "organization_price_plan": Extra(
        f"{_ORGANIZATION}/price-plan", _numbered(1, _plan), None, sized=False, administrators_only=True
    ),
}
