"""What every list, array, single object and detail path answers."""

from __future__ import annotations

import pytest
from emulator_client import code_of

LISTS = {
    "vendors": "/vendors",
    "bills": "/bills",
    "payments": "/payments",
    "vendor_credits": "/vendor-credits",
    "recurring_bills": "/recurringbills",
    "customers": "/customers",
    "invoices": "/invoices",
    "receivable_payments": "/receivable-payments",
    "credit_memos": "/credit-memos",
    "recurring_invoices": "/recurring-invoices",
    "accounting_classes": "/classifications/accounting-classes",
    "chart_of_accounts": "/classifications/chart-of-accounts",
    "departments": "/classifications/departments",
    "employees": "/classifications/employees",
    "items": "/classifications/items",
    "jobs": "/classifications/jobs",
    "locations": "/classifications/locations",
    "bank_accounts": "/funding-accounts/banks",
    "bank_account_users": "/funding-accounts/banks/users",
    "users": "/users",
    "roles": "/roles",
    "payment_terms": "/organizations/00802DEMO0COMPANY001/payment-terms",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_holds_every_row_exactly_as_the_company_has_it(reader, usual, name):
    rows = [row for page in reader.pages(LISTS[name], max=100) for row in page["results"]]
    assert sorted(rows, key=lambda row: row["id"]) == usual.company.rows(name)
    assert len(rows) >= 2


@pytest.mark.parametrize("name", sorted(LISTS.keys() - {"bank_account_users"}))
def test_a_row_can_be_read_by_its_id(reader, usual, name):
    for row in usual.company.rows(name)[:3]:
        assert reader.ok(f"{LISTS[name]}/{row['id']}") == row
    assert code_of(reader.get(f"{LISTS[name]}/00000000000000000000")) == (404, "BDC_1205")


def test_an_envelope_has_only_the_cursors_it_needs(reader):
    first, *middle, last = reader.pages("/bills", max=60)
    assert set(first) == {"results", "nextPage"}
    assert len(middle) == 3
    assert all(set(page) == {"results", "nextPage", "prevPage"} for page in middle)
    assert set(last) == {"results", "prevPage"}
    assert [len(page["results"]) for page in (first, *middle, last)] == [60, 60, 60, 60, 10]
    assert set(reader.ok("/roles")) == {"results"}


@pytest.mark.parametrize(("asked", "got"), [(None, 20), ("1", 1), ("20", 20), ("99", 99), ("100", 100)])
def test_max(reader, asked, got):
    parameters = {} if asked is None else {"max": asked}
    assert len(reader.ok("/bills", **parameters)["results"]) == got


@pytest.mark.parametrize("asked", ["0", "101", "-1", "ten", "", "1.5", "٣", "99999999999999999999"])
def test_max_outside_1_to_100_is_refused(reader, asked):
    assert reader.refused("/bills", max=asked) == "max: must be a number from 1 to 100"


def test_approval_policies_are_a_bare_array(reader, usual):
    rows = reader.ok("/bill-approvals/policies")
    assert isinstance(rows, list)
    assert sorted(rows, key=lambda row: row["id"]) == usual.company.rows("bill_approval_policies")
    assert len(rows) == 3


def test_the_organization_is_one_object(reader, usual):
    row = reader.ok("/organizations/00802DEMO0COMPANY001")
    assert [row] == usual.company.rows("organization")
    assert row["id"] == "00802DEMO0COMPANY001"


def test_bank_account_users_can_be_limited_to_oneself(reader):
    me = reader.ok("/login/session")["userId"]
    everybody = reader.ok("/funding-accounts/banks/users")["results"]
    mine = reader.ok("/funding-accounts/banks/users", currentUser="true")["results"]
    assert mine == [row for row in everybody if row["userId"] == me]
    assert 0 < len(mine) < len(everybody)


def test_unknown_parameters_are_ignored(reader):
    assert reader.ok("/bills", max=3, start_date="2026-01-01") == reader.ok("/bills", max=3)
