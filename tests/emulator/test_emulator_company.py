"""The invented company: it adds up, it is always the same, and it can be changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest
from documented_fields import DOCUMENTED
from test_emulator_lists import LISTS

from bill_emulator import Clock, Company
from bill_emulator.resources import RESOURCES

SIZES = [(20, 0), (250, 0), (600, 0), (60, 300)]  # bills, pieces of work in the books since
AT = datetime(2026, 7, 2, 8, 0, 1, 999_999, tzinfo=UTC)


class Snapshot:
    """A company as it was when it was made, or after so much work in its books, rendered once; only for looking at."""

    def __init__(self, bills, work):
        company = Company(seed=7, bills=bills, clock=Clock(AT, frozen=True))
        for chance in range(work):
            company.clock.advance(3600)
            company.work(Random(chance))
        self.bills = bills
        self.end = "2026-07-15" if work else "2026-06-30T18:00:01"
        self.totals = company.totals
        self.ids = company.ids
        self.rows = {name: company.rows(name) for name in RESOURCES}.__getitem__


@pytest.fixture(scope="module", params=SIZES, ids=str)
def company(request):
    return Snapshot(*request.param)


def by_id(rows):
    return {row["id"]: row for row in rows}


def total(rows, name="amount"):
    return sum((row[name] for row in rows), Decimal(0))


def walk(value, path=""):
    """Every (path, value) in a row; arrays are marked with []."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        if not value:
            yield path + "[]", None
        for inner in value:
            yield from walk(inner, path + "[]")
    else:
        yield path, value


# Sums


def test_bills_add_up(company):
    credits_, payments = defaultdict(Decimal), defaultdict(Decimal)
    for payment in company.rows("payments"):
        for part in payment["billPayments"]:
            payments[part["billId"], payment["status"]] += part["amount"]
    for credit in company.rows("vendor_credits"):
        for use in credit["usage"]:
            credits_[use["billId"]] += use["amount"]
    seen = set()
    for bill in company.rows("bills"):
        assert bill["amount"] == total(bill["billLineItems"])
        assert bill["creditAmount"] == credits_[bill["id"]]
        assert bill["paidAmount"] == payments[bill["id"], "PAID"] + bill["creditAmount"]
        assert bill["scheduledAmount"] == payments[bill["id"], "SCHEDULED"]
        assert bill["dueAmount"] == bill["amount"] - bill["paidAmount"] >= bill["scheduledAmount"] >= 0
        assert total(bill["payments"]) == sum(payments[bill["id"], state] for state in STATES)
        assert (bill["paymentStatus"] == "PAID") == (bill["dueAmount"] == 0)
        assert (bill["paymentStatus"] == "UNPAID") == (bill["paidAmount"] == bill["scheduledAmount"] == 0)
        for line in bill["billLineItems"]:
            assert line["amount"] == line["price"] * line["quantity"]
        seen.add(bill["paymentStatus"])
    assert company.bills < 250 or seen == {"PAID", "UNPAID", "PARTIAL", "SCHEDULED"}


STATES = ("PAID", "SCHEDULED", "VOID", "FAILED", "CANCELLED")


def test_payments_add_up(company):
    credits_ = by_id(company.rows("vendor_credits"))
    bills = by_id(company.rows("bills"))
    for payment in company.rows("payments"):
        parts = payment["billPayments"]
        assert payment["amount"] == total(parts) > 0
        assert payment.get("billId") == (parts[0]["billId"] if len(parts) == 1 else None)
        assert ("voidInfo" in payment) == (payment["status"] == "VOID")
        assert payment["status"] in STATES
        for part in parts:
            assert bills[part["billId"]]["vendorId"] == payment["vendorId"]
            assert bills[part["billId"]]["recordStatus"] == "ACTIVE"
            assert bills[part["billId"]]["createdTime"] <= payment["createdTime"]
            for used in part["vendorCredits"]:
                assert {"billId": part["billId"], "paymentId": payment["id"], "amount": used["amount"]} in credits_[
                    used["id"]
                ]["usage"]


def test_vendor_credits_add_up(company):
    payments = by_id(company.rows("payments"))
    for credit in company.rows("vendor_credits"):
        assert credit["amount"] == total(credit["vendorCreditLineItems"])
        assert credit["appliedAmount"] == total(credit["usage"]) <= credit["amount"]
        assert credit["status"] == (
            "NOT_APPLIED"
            if credit["appliedAmount"] == 0
            else "FULLY_APPLIED"
            if credit["appliedAmount"] == credit["amount"]
            else "PARTIALLY_APPLIED"
        )
        for use in credit["usage"]:
            if "paymentId" in use:
                parts = payments[use["paymentId"]]["billPayments"]
                assert {"id": credit["id"], "amount": use["amount"]} in [
                    used for part in parts for used in part["vendorCredits"]
                ]


def test_vendor_and_customer_balances_add_up(company):
    for resource, debts, party in (("vendors", "bills", "vendorId"), ("customers", "invoices", "customerId")):
        owed = defaultdict(Decimal)
        for debt in company.rows(debts):
            if debt["recordStatus"] == "ACTIVE":
                owed[debt[party]] += debt["dueAmount"]
        for row in company.rows(resource):
            assert row["balance"]["amount"] == owed[row["id"]]


def test_invoices_add_up(company):
    credits_, payments = defaultdict(Decimal), defaultdict(Decimal)
    for payment in company.rows("receivable_payments"):
        for part in payment["invoicePayments"]:
            payments[part["invoiceId"], payment["status"]] += part["amount"]
    for memo in company.rows("credit_memos"):
        for use in memo["usage"]:
            credits_[use["invoiceId"]] += use["amount"]
    for invoice in company.rows("invoices"):
        lines = sum((line["price"] * line["quantity"] for line in invoice["invoiceLineItems"]), Decimal(0))
        tax = invoice.get("salesTaxTotal", Decimal(0))
        assert invoice["totalAmount"] == lines + tax
        assert abs(lines * invoice.get("salesTaxPercentage", 0) / 100 - tax) <= Decimal("0.5")
        assert invoice["creditAmount"] == credits_[invoice["id"]]
        assert invoice["scheduledAmount"] == payments[invoice["id"], "SCHEDULED"]
        paid = payments[invoice["id"], "PAID"]
        assert invoice["dueAmount"] == invoice["totalAmount"] - paid - invoice["creditAmount"] >= 0
        assert total([part for part in invoice["payments"] if part["status"] == "PAID"]) == paid
        assert (invoice["status"] == "PAID_IN_FULL") == (invoice["dueAmount"] == 0)
        if invoice["recordStatus"] != "ACTIVE":
            assert invoice["status"] == "OPEN"


def test_received_payments_add_up(company):
    invoices = by_id(company.rows("invoices"))
    for payment in company.rows("receivable_payments"):
        assert payment["amount"] == total(payment["invoicePayments"]) + payment["unappliedAmount"]
        for part in payment["invoicePayments"]:
            assert invoices[part["invoiceId"]]["customerId"] == payment["customerId"]


def test_credit_memos_add_up(company):
    for memo in company.rows("credit_memos"):
        assert memo["amount"] == total(memo["creditMemoLineItems"]) + memo.get("salesTaxTotal", 0)
        assert memo["appliedAmount"] == total(memo["usage"]) <= memo["amount"]
        for line in memo["creditMemoLineItems"]:
            assert line["amount"] == line["price"] * line["quantity"]


def test_foreign_amounts_are_converted(company):
    vendors = by_id(company.rows("vendors"))
    currencies = set()
    for resource in ("bills", "payments"):
        for row in company.rows(resource):
            currency = vendors[row["vendorId"]]["billCurrency"]
            currencies.add(currency)
            assert ("exchangeRate" in row) == (currency != "USD")
            assert abs(row["amount"] * row.get("exchangeRate", 1) - row["fundingAmount"]) <= Decimal("0.005")
            assert row["vendorName"] == vendors[row["vendorId"]]["name"]
            if currency == "JPY":
                assert row["amount"] == row["amount"].to_integral_value()
    assert company.bills < 250 or {"USD", "CAD", "EUR", "JPY"} <= currencies


# Shape


def test_every_documented_field_occurs_and_nothing_else(usual):
    for resource, fields in DOCUMENTED.items():
        rows = usual.company.rows(resource)
        occurring = {path for row in rows for path, value in walk(row) if value is not None}
        # The items of bills.payments are of unknown shape; the emulator invents one.
        invented = {path for path in occurring if resource == "bills" and path.startswith("payments[]")}
        assert occurring - invented == fields.keys() - {"payments[]"}, resource


CHECKS = {
    "string": lambda value: isinstance(value, str) and value != "",
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | Decimal) and not isinstance(value, bool),
    "date": lambda value: re.fullmatch(r"20\d\d-\d\d-\d\d|1980-02-29", value),
    "date-time": lambda value: re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+00:00", value),
}


def test_fields_have_their_documented_types_and_the_only_null_is_the_reported_one(usual):
    nulls = []
    for resource, fields in DOCUMENTED.items():
        for row in usual.company.rows(resource):
            for path, value in walk(row):
                if value is None:
                    nulls += [] if path.endswith("[]") else [(resource, path)]
                elif path in fields:
                    assert CHECKS[fields[path]](value), (resource, path, value)
    assert nulls == [("vendors", "paymentInformation.payBySubType")]


def test_ids_are_unique_and_carry_their_prefix(company):
    seen = set()
    for resource, kind in RESOURCES.items():
        for row in company.rows(resource):
            assert row["id"].startswith(kind.prefix)
            assert re.fullmatch(r"[0-9A-Za-z]{20}", row["id"])
            seen.add(row["id"])
    lines = {"bills": "billLineItems", "invoices": "invoiceLineItems", "vendor_credits": "vendorCreditLineItems"}
    for resource, name in lines.items():
        seen |= {line["id"] for row in company.rows(resource) for line in row[name]}
    count = sum(company.totals().values())
    count += sum(len(row[name]) for resource, name in lines.items() for row in company.rows(resource))
    assert len(seen) == count


REFERENCES = {
    "vendorId": "vendors",
    "customerId": "customers",
    "billId": "bills",
    "invoiceId": "invoices",
    "paymentId": "payments",
    "createdBy": "users",
    "requestedBy": "users",
    "userId": "users",
    "chartOfAccountId": "chart_of_accounts",
    "expenseChartOfAccountId": "chart_of_accounts",
    "payFromChartOfAccountId": "chart_of_accounts",
    "payToChartOfAccountId": "chart_of_accounts",
    "applyToChartOfAccountId": "chart_of_accounts",
    "accountingClassId": "accounting_classes",
    "departmentId": "departments",
    "employeeId": "employees",
    "jobId": "jobs",
    "locationId": "locations",
    "itemId": "items",
    "salesTaxItemId": "items",
    "paymentTermId": "payment_terms",
    "bankAccountId": "bank_accounts",
    "applyToBankAccountId": "bank_accounts",
    "payToBankAccountId": "bank_accounts",
}


def test_references_lead_somewhere(company):
    ids = {resource: set(company.ids(resource)) for resource in RESOURCES}
    followed = set()
    for resource in RESOURCES:
        for row in company.rows(resource):
            for path, value in walk(row):
                name = path.rpartition(".")[2]
                if name == "parentId":
                    assert value in ids[resource]
                elif name in REFERENCES:
                    assert value in ids[REFERENCES[name]], (resource, path)
                    followed.add(name)
            role = row.get("role")
            assert role is None or role["id"] in ids["roles"]
    assert followed == REFERENCES.keys()


def test_archived_rows_and_drafts_exist_wherever_there_is_a_flag(company):
    flagged = [name for name, fields in DOCUMENTED.items() if "archived" in fields and name != "organization"]
    assert len(flagged) == 18
    for resource in flagged:
        assert {row["archived"] for row in company.rows(resource)} == {True, False}, resource
    for resource in ("bills", "invoices"):
        rows = company.rows(resource)
        assert all(row["archived"] == (row["recordStatus"] != "ACTIVE") for row in rows)
        assert {"ACTIVE", "INACTIVE", "DRAFT"} <= {row["recordStatus"] for row in rows}


def test_every_list_has_two_rows_or_more(company):
    assert {name: count for name, count in company.totals().items() if count < 2} == {"organization": 1}


def test_other_rows_scale_with_the_bills():
    counts = Company(bills=1000).totals()
    assert (counts["bills"], counts["vendors"], counts["invoices"]) == (1000, 200, 500)
    assert 650 <= counts["payments"] <= 850
    assert counts["departments"] == Company(bills=0).count("departments")


def test_times_lie_in_the_window_and_in_order(company):
    for resource in RESOURCES:
        if resource == "bill_approval_policies":
            continue
        for row in company.rows(resource):
            assert "2023-07-01" <= row["createdTime"] <= row["updatedTime"] < company.end


def test_many_rows_share_one_time(usual):
    bills = usual.company.rows("bills")
    for name in ("createdTime", "updatedTime"):
        times = [row[name] for row in bills]
        assert max(times.count(time) for time in set(times)) > 15


def test_names_reach_beyond_ascii(reader):
    text = reader.get("/vendors", max=100).content.decode()
    assert "Łódź" in text
    assert "東京" in text
    assert "🥟" in reader.get("/bills", max=100).content.decode()


# Sizes and determinism


@pytest.mark.parametrize("bills", [0, 1, 2, 7, 19])
def test_tiny_companies_work(bills):
    company = Company(bills=bills)
    assert company.count("bills") == bills
    assert company.count("invoices") == bills // 2
    for resource in RESOURCES:
        assert len(company.rows(resource)) == company.count(resource)


@pytest.mark.parametrize(
    "arguments", [{"bills": -1}, {"organization_id": "008"}, {"organization_id": "00902DEMO0COMPANY001"}]
)
def test_impossible_companies_are_refused(arguments):
    with pytest.raises(ValueError, match="must"):
        Company(**arguments)


DIGEST = """
import hashlib
from bill_emulator import Company
from bill_emulator.resources import RESOURCES
digest = hashlib.sha256()
company = Company(seed=7, bills=60)
for name in RESOURCES:
    for row_id in company.ids(name):
        digest.update(company.stored(name, row_id).json())
print(digest.hexdigest())
"""


def test_the_same_seed_gives_the_same_bytes_in_any_process():
    printed = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    ]
    digest = hashlib.sha256()
    company = Company(seed=7, bills=60)
    for name in RESOURCES:
        for row_id in company.ids(name):
            digest.update(company.stored(name, row_id).json())
    assert [text.strip() for text in printed] == [digest.hexdigest()] * 2


def test_another_seed_gives_another_company():
    one, two = Company(seed=7, bills=30), Company(seed=8, bills=30)
    assert not set(one.ids("bills")) & set(two.ids("bills"))
    assert {row["amount"] for row in one.rows("bills")} != {row["amount"] for row in two.rows("bills")}


def test_money_goes_over_the_wire_digit_for_digit(reader):
    answers = [reader.get("/bills", max=100)]
    while page := answers[-1].json().get("nextPage"):
        answers.append(reader.get("/bills", page=page))
    text = "".join(answer.text for answer in answers)
    assert len(answers) == 3
    assert '"amount":0.10,"paidAmount":0.00,"dueAmount":0.10,' in text
    assert '"amount":99999999999.99,"paidAmount":0.00,"dueAmount":99999999999.99,' in text
    assert re.search(r'"fundingAmount":[0-9]+\.[0-9][0-9],"amount":[0-9]+,', text)  # yen
    amounts = re.findall(r'"(?:amount|paidAmount|dueAmount|price)":([^,}\]]+)', text)
    assert all(re.fullmatch(r"\d+(\.\d\d)?", amount) for amount in amounts)
    assert not re.search(r'":[0-9.]+[eE]', text)


# Changes


@pytest.fixture
def mine():
    return Company(seed=7, bills=30, clock=Clock(AT, frozen=True))


def test_an_edit_changes_one_row_and_its_updated_time(mine):
    before = mine.rows("bills")
    target = next(row for row in before if "purchaseOrderNumber" in row)
    after = mine.edit("bills", target["id"], {"description": "new"}, remove=("purchaseOrderNumber", "absent"))
    expected = target | {"description": "new", "updatedTime": "2026-07-02T08:00:01.000+00:00"}
    del expected["purchaseOrderNumber"]
    assert after == expected == mine.row("bills", target["id"])
    untouched = [row for row in mine.rows("bills") if row["id"] != target["id"]]
    assert untouched == [row for row in before if row["id"] != target["id"]]


def test_an_edit_of_nothing_is_an_error(mine):
    with pytest.raises(KeyError):
        mine.edit("bills", "00n02NOTHING", {})


def test_what_is_handed_out_is_a_copy(mine):
    given = {"id": "x", "address": {"city": "A"}}
    mine.put("vendors", given)
    given["address"]["city"] = "C"
    mine.row("vendors", "x")["address"]["city"] = "B"
    mine.rows("bills")[0]["billLineItems"].clear()
    assert mine.row("vendors", "x") == {"id": "x", "address": {"city": "A"}}
    assert all(row["billLineItems"] for row in mine.rows("bills"))


@pytest.mark.parametrize("name", sorted(RESOURCES.keys() - {"organization"}))
def test_a_row_can_be_added_to_every_resource(mine, name):
    count = mine.count(name)
    first, second = mine.add(name), mine.add(name)
    assert first["id"] != second["id"]
    assert first["id"].startswith(RESOURCES[name].prefix)
    assert mine.count(name) == count + 2
    if name != "bill_approval_policies":
        assert first["createdTime"] == first["updatedTime"] == "2026-07-02T08:00:01.000+00:00"
    paths = {path for path, value in walk(first) if value is not None}
    assert paths <= DOCUMENTED[name].keys()


def test_a_row_can_be_added_to_an_empty_company():
    company = Company(bills=0)
    row = company.add("bills")
    assert row["amount"] == row["dueAmount"] == total(row["billLineItems"])
    assert company.count("bills") == 1


def test_a_given_row_is_added_with_id_and_times(mine):
    row = mine.add("vendors", {"name": "Given"})
    assert set(row) == {"id", "name", "createdTime", "updatedTime"}
    with pytest.raises(ValueError, match="organization takes no new rows"):
        mine.add("organization")


def test_a_raw_row_is_served_exactly_as_given(serve):
    emulator, client = serve(bills=20)
    raw = {
        "id": "00902RAWROW000000001",
        "name": 5,
        "archived": "perhaps",
        "invented": {"deep": [None, 1.5]},
        "updatedTime": "2026-06-30T23:59:59.123456+00:00",
    }
    emulator.company.put("vendors", raw)
    assert json.loads(client.get("/vendors/00902RAWROW000000001").text) == raw
    assert raw["id"] in client.ids("/vendors", filters='updatedTime:gt:"2026-06-30T23:59:59.123Z"')
    assert raw["id"] not in client.ids("/vendors", filters='updatedTime:gt:"2026-06-30T23:59:59.124Z"')
    assert raw["id"] not in client.ids("/vendors", max=100, filters="archived:eq:false")
    for sort in ("name:asc", "archived:desc", "createdTime:asc"):
        assert sorted(client.ids("/vendors", max=3, sort=sort)) == emulator.company.ids("vendors")
    emulator.company.put("vendors", {"id": raw["id"]})
    assert client.get("/vendors/00902RAWROW000000001").text == '{"id":"00902RAWROW000000001"}'


def test_a_raw_row_needs_an_id(mine):
    with pytest.raises(TypeError, match="needs an id"):
        mine.put("vendors", {"id": 5})


def test_a_removed_policy_disappears(serve):
    emulator, client = serve(bills=0)
    gone = emulator.company.ids("bill_approval_policies")[0]
    emulator.company.remove("bill_approval_policies", gone)
    assert gone not in [row["id"] for row in client.ok("/bill-approvals/policies")]
    with pytest.raises(KeyError):
        emulator.company.remove("bill_approval_policies", gone)


def test_many_threads_may_edit_while_others_read(serve):
    emulator, client = serve(bills=60, cursor="keyset")
    ids = emulator.company.ids("bills")
    client.ids("/bills", sort="updatedTime:asc")

    def edit(mine):
        for row_id in mine:
            emulator.clock.advance(0.001)
            emulator.company.edit("bills", row_id, {"description": "by a thread"})

    threads = [threading.Thread(target=edit, args=(ids[part::4],)) for part in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert sorted(client.ids("/bills", max=10, sort="createdTime:asc")) == ids
    for thread in threads:
        thread.join()
    assert sorted(client.ids("/bills", max=10, sort="updatedTime:asc")) == ids
    assert all(row["description"] == "by a thread" for row in emulator.company.rows("bills"))


def test_the_lists_of_the_tests_are_those_of_the_emulator():
    served = {name for name, kind in RESOURCES.items() if kind.shape == "list"}
    assert served == LISTS.keys()
