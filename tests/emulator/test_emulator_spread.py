"""How `createdTime` can be crowded on the time line, and that everything stays in order all the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import pytest

from bill_emulator import Company
from bill_emulator.company.ledger import CLOSED, FOUNDED, OPENED
from bill_emulator.resources import RESOURCES

PARTIES = ("vendors", "customers")
BIG = (
    *PARTIES,
    "bills",
    "payments",
    "vendor_credits",
    "recurring_bills",
    "invoices",
    "receivable_payments",
    "credit_memos",
    "recurring_invoices",
)
WAYS = {"even": {}, "bulk": {"created": "bulk"}, "start": {"created": "start"}, "end": {"created": "end"}}


@pytest.fixture(scope="module", params=WAYS)
def company(request):
    made = Company(seed=5, bills=400, **WAYS[request.param])
    made.way = request.param
    return made


@cache
def crowded(where):
    """A big company whose rows were nearly all created within a hundredth of the time line; no test changes it."""
    return Company(seed=5, bills=1500, created=where)


def span(name):
    return (FOUNDED, OPENED) if name in PARTIES else (OPENED, CLOSED)


def created(company, name):
    return [stored.created for stored in company.all_stored(name)]


def test_half_of_every_big_resource_can_come_in_one_moment():
    company = Company(seed=5, bills=400, created="bulk")
    ((moment, most),) = Counter(created(company, "bills")).most_common(1)
    counts = {name: created(company, name).count(moment) for name in BIG}
    assert counts == {
        "vendors": 40,
        "customers": 25,
        "bills": 214,
        "payments": 175,
        "vendor_credits": 23,
        "recurring_bills": 9,
        "invoices": 107,
        "receivable_payments": 81,
        "credit_memos": 14,
        "recurring_invoices": 9,
    }
    for name, count in counts.items():
        assert company.count(name) // 2 <= count <= company.count(name) * 0.6, name
        others = [at for at in created(company, name) if at != moment]
        assert all((at < moment) == (name in PARTIES) for at in others), name
    assert most == 214


@pytest.mark.parametrize("where", ["start", "end"])
@pytest.mark.parametrize("name", BIG)
def test_nearly_all_rows_can_be_created_within_one_percent_of_the_time_line(name, where):
    begin, end = span(name)
    low, high = (begin, begin + (end - begin) // 100) if where == "start" else (end - (end - begin) // 100, end)
    times = created(crowded(where), name)
    inside = sum(low <= at <= high for at in times)
    assert inside >= len(times) * 0.95
    assert min(times) >= begin
    assert max(times) <= end


@pytest.mark.parametrize(("where", "outliers"), [("start", 28), ("end", 30)])
def test_a_few_rows_lie_all_over_the_rest_of_the_time_line(where, outliers):
    times = sorted(created(crowded(where), "bills"))
    crowd = (CLOSED - OPENED) // 100
    outside = [at for at in times if (at > OPENED + crowd if where == "start" else at < CLOSED - crowd)]
    assert len(outside) == outliers
    assert max(outside) - min(outside) > (CLOSED - OPENED) * 0.8


def test_a_pile_has_no_moment_that_many_rows_share():
    times = Counter(created(crowded("end"), "bills"))
    assert times.most_common(1)[0][1] == 2


def test_times_lie_in_the_window_and_in_order(company):
    for name, kind in RESOURCES.items():
        for stored in company.all_stored(name):
            if kind.timed:
                assert FOUNDED <= stored.created <= stored.updated <= CLOSED
                row = stored.row()
                assert row["createdTime"] <= row["updatedTime"]


def test_what_was_never_touched_stays_so(company):
    even = {stored.id: stored for stored in Company(seed=5, bills=400).all_stored("bills")}
    untouched = {row_id for row_id, stored in even.items() if stored.created == stored.updated}
    assert len(untouched) >= 50
    for stored in company.all_stored("bills"):
        assert stored.created == stored.updated or stored.id not in untouched


@pytest.mark.parametrize(
    ("party", "key", "debts", "payments", "parts", "debt"),
    [
        ("vendors", "vendorId", "bills", "payments", "billPayments", "billId"),
        ("customers", "customerId", "invoices", "receivable_payments", "invoicePayments", "invoiceId"),
    ],
)
def test_nothing_is_older_than_what_it_refers_to(company, party, key, debts, payments, parts, debt):
    since = {stored.id: stored.created for name in (party, debts) for stored in company.all_stored(name)}
    last_paid = defaultdict(str)
    for name in (debts, payments):
        for stored in company.all_stored(name):
            row = stored.row()
            assert since[row[key]] <= stored.created
            for part in row.get(parts, ()):
                assert since[part[debt]] <= stored.created
            if name == "payments" and row["status"] == "PAID":
                last_paid[row[key]] = max(last_paid[row[key]], row["processDate"])
    if party == "vendors":
        assert len(last_paid) > 20
        for row in company.rows("vendors"):
            assert row["paymentInformation"].get("lastPaymentDate", "") == last_paid[row["id"]]


def test_amounts_and_ids_are_those_of_the_even_company_after_a_bulk_import():
    even, bulk = Company(seed=5, bills=60), Company(seed=5, bills=60, created="bulk")
    for name in ("bills", "payments", "invoices"):
        assert even.ids(name) == bulk.ids(name)
    assert [row["amount"] for row in even.rows("bills")] == [row["amount"] for row in bulk.rows("bills")]


def test_settings_stay_where_they_are(company):
    even = Company(seed=5, bills=400)
    for name in ("users", "departments", "payment_terms", "organization"):
        assert company.rows(name) == even.rows(name)


def test_every_way_is_always_the_same_and_has_two_spellings(company):
    for again in (Company(5, 400, **WAYS[company.way]), Company(5, 400, created=company.way)):
        for name in RESOURCES:
            assert [stored.json() for stored in again.all_stored(name)] == [
                stored.json() for stored in company.all_stored(name)
            ]


@pytest.mark.parametrize("bills", [0, 1, 2, 19])
def test_tiny_companies_can_be_crowded_too(bills):
    for way in WAYS.values():
        assert Company(bills=bills, **way).count("bills") == bills


def test_impossible_spreads_are_refused():
    with pytest.raises(ValueError, match=r"^created must be one of even, bulk, start, end$"):
        Company(bills=0, created="odd")
