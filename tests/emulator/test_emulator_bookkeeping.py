"""Work in the books: what it changes, to the cent, and whose `updatedTime` it moves."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bill_emulator import Clock, Company
from bill_emulator.resources import RESOURCES

BEGIN = datetime(2026, 7, 2, 8, 0, 1, tzinfo=UTC)
NOW = "2026-07-02T08:00:01.000+00:00"
SIDES = {
    "bills": ("vendors", "vendorId", "payments", "vendor_credits", "amount"),
    "invoices": ("customers", "customerId", "receivable_payments", "credit_memos", "totalAmount"),
}


@pytest.fixture(params=[False, True], ids=["alone", "moves related"])
def company(request):
    mine = Company(seed=7, bills=60, clock=Clock(BEGIN, frozen=True))
    mine.moves_related = request.param
    return mine


def snapshot(company):
    return {name: {row["id"]: row for row in company.rows(name)} for name in RESOURCES}


def differences(before, after):
    """By list, the ids of the rows that are new or changed."""
    changed = {
        name: [row_id for row_id, row in rows.items() if before[name].get(row_id) != row]
        for name, rows in after.items()
    }
    return {name: ids for name, ids in changed.items() if ids}


@pytest.mark.parametrize("name", SIDES)
def test_a_payment_changes_what_it_pays_and_the_balance(company, name):
    parties, party_id, payments, _, total = SIDES[name]
    debt = next(row for row in company.rows(name) if not row["archived"] and row["dueAmount"] == row[total] > 100)
    before = snapshot(company)
    done = company.pay(debt["id"], Decimal("12.34") if debt["dueAmount"] % 1 else Decimal(12))
    after = snapshot(company)
    assert done.kind == "pay"
    assert differences(before, after) == done.changed
    assert done.changed == {payments: [done.id], name: [debt["id"]], parties: [debt[party_id]]}
    assert done.moved == (done.changed if company.moves_related else {payments: [done.id]})
    amount = after[payments][done.id]["amount"]
    assert after[name][debt["id"]]["dueAmount"] == debt["dueAmount"] - amount
    balance = before[parties][debt[party_id]]["balance"]["amount"]
    assert after[parties][debt[party_id]]["balance"]["amount"] == balance - amount
