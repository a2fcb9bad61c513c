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
