"""Planted irregularities: they are where the company says, add up, and leave everything else as it was."""

from __future__ import annotations

from collections import Counter

import pytest

from bill_emulator import Company

LISTS = {
    **dict.fromkeys(("exact_duplicate_bills", "likely_duplicate_bills", "creator_is_approver"), ("bills",)),
    **dict.fromkeys(("paid_without_approval", "below_approval_threshold"), ("bills",)),
    **dict.fromkeys(("duplicate_payments", "bank_details_changed", "creator_is_payer"), ("payments",)),
    **dict.fromkeys(("paid_before_invoice", "voided_and_stale_checks"), ("payments",)),
    **dict.fromkeys(("duplicate_vendors", "1099_without_tax_id"), ("vendors",)),
    "unapplied_credits": ("vendor_credits",),
    "spend_without_receipts": ("transactions", "reimbursements"),
}
"""In which lists the records of a control are."""


@pytest.fixture(scope="module")
def company():
    return Company(seed=3, bills=20, irregularities=True)


@pytest.fixture(scope="module")
def regular():
    return Company(seed=3, bills=20)


def test_nothing_is_planted_unless_asked_for(regular):
    assert regular.irregularities == {}


def test_everything_else_stays_as_it_was(company, regular):
    new = {}
    for name in regular.totals():
        before = regular.rows(name)
        ids = {row["id"] for row in before}
        assert [row for row in company.rows(name) if row["id"] in ids] == before, name
        new[name] = company.count(name) - len(before)
    for name in ("transactions", "reimbursements", "cards", "budgets", "users", "custom-fields"):
        before = regular.spend.rows(name)
        assert company.spend.rows(name)[: len(before)] == before, name
        new[name] = len(company.spend.rows(name)) - len(before)
    grown = {"vendors", "bills", "payments", "vendor_credits", "transactions", "reimbursements"}
    assert {name for name, count in new.items() if count} == grown


def test_every_control_has_cases_and_look_alikes_and_they_are_where_the_company_says(company):
    assert company.irregularities.keys() == LISTS.keys()
    for control, planted in company.irregularities.items():
        known = set()
        for name in LISTS[control]:
            rows = company.spend.rows(name) if name in ("transactions", "reimbursements") else company.rows(name)
            known |= {row.get("uuid", row["id"]) for row in rows}
        assert planted.cases, control
        assert planted.look_alikes, control
        assert {*planted.cases.values(), *planted.look_alikes.values()} <= known, control
        assert not {*planted.cases.values()} & {*planted.look_alikes.values()}, control


def test_the_books_add_up(company):
    bills = {row["id"]: row for row in company.rows("bills")}
    paid, owed, credited = Counter(), Counter(), Counter()
    for payment in company.rows("payments"):
        assert payment["amount"] == sum(part["amount"] for part in payment["billPayments"])
        for part in payment["billPayments"] if payment["status"] == "PAID" else ():
            paid[part["billId"]] += part["amount"]
    for credit in company.rows("vendor_credits"):
        assert credit["appliedAmount"] == sum(part["amount"] for part in credit["usage"])
        for part in credit["usage"]:
            credited[part["billId"]] += part["amount"]
    for bill in bills.values():
        assert bill["amount"] == sum(line["amount"] for line in bill["billLineItems"])
        assert bill["paidAmount"] == paid[bill["id"]] + credited[bill["id"]]
        assert bill["dueAmount"] == bill["amount"] - bill["paidAmount"]
        owed[bill["vendorId"]] += 0 if bill["archived"] else bill["dueAmount"]
    assert {row["id"]: row["balance"]["amount"] for row in company.rows("vendors")} == {
        row["id"]: owed[row["id"]] for row in company.rows("vendors")
    }


def test_the_same_is_planted_every_time_and_ids_go_on_after_it(company):
    again = Company(seed=3, bills=20, irregularities=True)
    assert again.irregularities == company.irregularities
    assert again.rows("payments") == company.rows("payments")
    ids = again.ids("bills")
    added = {again.add("bills")["id"] for _ in range(3)}
    assert len(added) == 3
    assert not added & {*ids}


def test_the_audit_trail_tells_of_changed_bank_details(company):
    vendors = {row["id"]: row["vendorId"] for row in company.rows("payments")}
    for payment in company.irregularities["bank_details_changed"].cases.values():
        fields = {row["field"]["name"] for row in company.parts("vendor_audit_trail", vendors[payment])}
        assert fields & {"bankAccount.accountNumber", "Routing number"}


def test_the_command_line_plants_them(from_shell):
    emulator, _ = from_shell("--bills", "12", "--irregularities", "--organizations", "2")
    planted = [company.irregularities for company in emulator.companies.values()]
    assert len(planted) == 2
    assert all(each.keys() == LISTS.keys() for each in planted)
