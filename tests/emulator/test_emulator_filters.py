"""Which filters and sorts are taken, which are refused, and what they do."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from test_emulator_lists import LISTS

from bill_emulator.resources import ASSUMED, RESOURCES

DAY = "2025-03-31"


def ids(rows):
    return sorted(row["id"] for row in rows)


def matching(company, resource, test):
    return sorted(row["id"] for row in company.rows(resource) if test(row))


def bill_with(company, name):
    """The id in a header classification of some bill."""
    return next(row["classifications"][name] for row in company.rows("bills") if name in row.get("classifications", {}))


# Every case: resource, filter, and the same in Python.
CASES = [
    ("vendors", "archived:eq:true", lambda row: row["archived"]),
    ("vendors", "archived:ne:true", lambda row: not row["archived"]),
    ("vendors", 'archived:eq:"false"', lambda row: not row["archived"]),
    ("vendors", 'name:sw:"Ł"', lambda row: row["name"].startswith("Ł")),
    ("vendors", "name:eq:東京紙業", lambda row: row["name"] == "東京紙業"),
    ("vendors", "name:eq:Pine & Ash Paper", lambda row: row["name"] == "Pine & Ash Paper"),
    ("vendors", "accountType:eq:PERSON", lambda row: row["accountType"] == "PERSON"),
    ("vendors", 'billCurrency:in:"EUR,JPY"', lambda row: row["billCurrency"] in ("EUR", "JPY")),
    ("vendors", 'billCurrency:nin:"USD,CAD"', lambda row: row["billCurrency"] not in ("USD", "CAD")),
    ("vendors", "address.country:ne:US", lambda row: row["address"]["country"] != "US"),
    ("customers", "address.country:eq:JP", lambda row: row["billingAddress"]["country"] == "JP"),
    ("customers", "invoiceCurrency:ne:USD", lambda row: row["invoiceCurrency"] != "USD"),
    ("bills", "paymentStatus:eq:PARTIAL", lambda row: row["paymentStatus"] == "PARTIAL"),
    ("bills", 'paymentStatus:in:"PAID,SCHEDULED"', lambda row: row["paymentStatus"] in ("PAID", "SCHEDULED")),
    ("bills", "dueDate:gt:2026-02-01", lambda row: row["dueDate"] > "2026-02-01"),
    ("bills", 'dueDate:lte:"2024-02-01"', lambda row: row["dueDate"] <= "2024-02-01"),
    (
        "bills",
        "dueDate:gte:2026-01-01,dueDate:lt:2026-03-01",
        lambda row: "2026-01-01" <= row["dueDate"] < "2026-03-01",
    ),
    (
        "bills",
        'archived:eq:true,paymentStatus:ne:PAID,createdTime:gte:"2025-01-01"',
        lambda row: row["archived"] and row["paymentStatus"] != "PAID" and row["createdTime"] >= "2025",
    ),
    ("payments", "processDate:gte:2026-06-01", lambda row: row["processDate"] >= "2026-06-01"),
    ("bank_accounts", "status:eq:PENDING", lambda row: row["status"] == "PENDING"),
    ("bank_accounts", 'status:nin:"PENDING,VERIFIED"', lambda row: row["status"] == "NOT_VERIFIED"),
    ("bank_accounts", "accessToAdmins:eq:false", lambda row: not row["accessToAdmins"]),
    ("recurring_bills", "archived:eq:true", lambda row: row["archived"]),
    ("items", 'name:sw:"Consulting"', lambda row: row["name"].startswith("Consulting")),
]


@pytest.mark.parametrize(("resource", "filters", "test"), CASES)
def test_filters_select(reader, usual, resource, filters, test):
    expected = matching(usual.company, resource, test)
    assert sorted(reader.ids(LISTS[resource], max=100, filters=filters)) == expected
    assert 0 < len(expected) < usual.company.count(resource)


@pytest.mark.parametrize("name", ["chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId"])
def test_bills_are_filtered_by_the_classifications_of_their_header(reader, usual, name):
    wanted = bill_with(usual.company, name)
    expected = matching(usual.company, "bills", lambda row: row.get("classifications", {}).get(name) == wanted)
    assert sorted(reader.ids("/bills", max=100, filters=f"classifications.{name}:eq:{wanted}")) == expected
    assert sorted(reader.ids("/bills", max=100, filters=f'classifications.{name}:in:"{wanted},x"')) == expected
    others = reader.ids("/bills", max=100, filters=f"classifications.{name}:ne:{wanted}")
    assert sorted([*others, *expected]) == ids(usual.company.rows("bills"))


def test_ids_can_be_listed(reader, usual):
    some = [row["id"] for row in usual.company.rows("payments")[3:6]]
    assert sorted(reader.ids("/payments", filters=f'id:in:"{",".join(some)}"')) == some
    assert reader.ids("/payments", filters=f"id:eq:{some[0]}") == some[:1]


@pytest.mark.parametrize("name", ["bills", "vendors", "customers", "invoices"])
def test_records_are_found_by_a_list_of_ids(reader, usual, name):
    wanted = usual.company.ids(name)[::7][:100]
    filters = f'id:in:"{",".join([*reversed(wanted), "00000NOTHING0000000X"])}"'
    assert reader.ids(f"/{name}", filters=filters, max=100) == wanted
    assert sorted(reader.ids(f"/{name}", filters=filters, max=3, sort="updatedTime:asc")) == wanted


def test_filters_by_id_can_be_refused_or_ignored(serve):
    _, refusing = serve(bills=20, refuse_filters=["id"])
    emulator, ignoring = serve(bills=20, ignore_filters=["id"])
    for name in ("bills", "vendors", "customers", "invoices"):
        some = f'id:in:"{emulator.company.ids(name)[0]}"'
        assert refusing.refused(f"/{name}", filters=some) == f"filters: {name} cannot be filtered by 'id'"
        assert ignoring.ids(f"/{name}", filters=some, max=100) == emulator.company.ids(name)


@pytest.mark.parametrize("field", ["createdTime", "updatedTime"])
@pytest.mark.parametrize(
    "spelling",
    [
        "2025-03-31T22:00:00.000Z",
        "2025-03-31T22:00:00.000+00:00",
        "2025-04-01T00:00:00.000+0200",
        "2025-03-31T20:00:00.000-02",
        "2025-03-31T22:00:00.000",
        "2025-03-31T22:00:00",
        "2025-03-31T22:00",
    ],
)
def test_times_are_taken_in_the_documented_spellings(reader, usual, field, spelling):
    expected = matching(usual.company, "bills", lambda row: row[field] >= "2025-03-31T22:00:00")
    assert sorted(reader.ids("/bills", max=100, filters=f'{field}:gte:"{spelling}"')) == expected
    below = reader.ids("/bills", max=100, filters=f'{field}:lt:"{spelling}"')
    assert sorted([*below, *expected]) == ids(usual.company.rows("bills"))
    assert below
    assert expected


def test_a_day_is_its_midnight_and_needs_no_quotes(reader, usual):
    expected = matching(usual.company, "bills", lambda row: row["createdTime"] >= DAY)
    assert sorted(reader.ids("/bills", max=100, filters=f"createdTime:gte:{DAY}")) == expected
    assert sorted(reader.ids("/bills", max=100, filters=f'createdTime:gte:"{DAY}"')) == expected


def test_filters_see_finer_times_than_the_answers_show(serve):
    emulator, client = serve(bills=20)
    emulator.clock.set(datetime.fromisoformat("2026-08-01T10:00:00.400700+00:00"))
    row = emulator.company.add("vendors")
    client.login()
    assert row["updatedTime"] == "2026-08-01T10:00:00.000+00:00"

    def found(condition):
        return client.ids("/vendors", filters=f"updatedTime:{condition}")

    assert found('gte:"2026-08-01T10:00:00.000Z"') == [row["id"]]
    assert found('gt:"2026-08-01T10:00:00.000Z"') == [row["id"]]
    assert found('gt:"2026-08-01T10:00:00.400Z"') == [row["id"]]
    assert found('gte:"2026-08-01T10:00:00.401Z"') == []
    assert row["id"] not in found('lte:"2026-08-01T10:00:00.400Z"')
    assert row["id"] in found('lt:"2026-08-01T10:00:00.401Z"')


@pytest.mark.parametrize(("op", "included"), [("gte", True), ("gt", False), ("lte", True), ("lt", False)])
@pytest.mark.parametrize("sort", [None, "updatedTime:asc", "name:asc"])
def test_a_bound_includes_its_own_moment_only_with_an_e(both, op, included, sort):
    emulator, client = both["offset"]
    row = {"id": "00902BOUNDARY0000001", "updatedTime": "2026-08-01T10:00:00.000+00:00"}
    emulator.company.put("vendors", row)
    found = client.ids("/vendors", max=100, filters=f'updatedTime:{op}:"2026-08-01T10:00:00.000Z"', sort=sort)
    emulator.company.remove("vendors", row["id"])
    assert (row["id"] in found) == included


@pytest.mark.parametrize("op", ["gt", "gte", "lt", "lte"])
def test_a_row_without_a_time_meets_no_condition_on_it(serve, op):
    emulator, client = serve(bills=20)
    emulator.company.put("vendors", {"id": "00902TIMELESS0000001"})
    others = emulator.company.count("vendors") - 1
    when = "2020-01-01" if op.startswith("g") else "2030-01-01"
    found = client.ids("/vendors", max=100, filters=f"createdTime:{op}:{when}")
    assert len(found) == others
    assert "00902TIMELESS0000001" not in found


def test_a_time_without_zone_is_utc_wherever_the_server_runs(reader, monkeypatch):
    expected = reader.ids("/bills", max=100, filters='createdTime:gte:"2025-03-31T22:00:00.000Z"')
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = reader.ids("/bills", max=100, filters='createdTime:gte:"2025-03-31T22:00"')
        early = reader.ids("/bills", max=100, filters='createdTime:gte:"2024-01-01T00:00"')
        imported = reader.ids("/bills", max=100, filters='createdTime:gte:"2024-01-01T08:01"')
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == expected
    assert len(early) == 250
    assert len(imported) < 250  # the opening import, at 08:00 UTC, is left out


REFUSED = [
    ("bills", "updatedTime:gte:2026-01-31T00:00:00.000Z", "must be quoted"),
    ("bills", "updatedTime:gte:2026-01-31T00:00", "must be quoted"),
    ("bills", 'updatedTime:gte:"2026-01-31T00:00:00Z"', "no value for updatedTime"),
    ("bills", 'updatedTime:gte:"2026-01-31T00:00:00.000000Z"', "no value for updatedTime"),
    ("bills", 'updatedTime:gte:"2026-02-30"', "no value for updatedTime"),
    ("bills", 'updatedTime:gte:"yesterday"', "no value for updatedTime"),
    ("bills", 'updatedTime:eq:"2026-01-31"', "does not take the operator 'eq'"),
    ("bills", "updatedTime:gte:", "has no value"),
    ("bills", 'updatedTime:gte:""', "has no value"),
    ("bills", "updatedTime", "not of the form"),
    ("bills", "updatedTime:gte", "not of the form"),
    ("bills", "", "not of the form"),
    ("bills", "archived:eq:true,", "not of the form"),
    ("bills", "archived:eq:true, archived:eq:true", "cannot be filtered by ' archived'"),
    ("bills", 'id:in:"a,b', "a quote is not closed"),
    ("bills", 'id:in:a"b"c', "stray quote"),
    ("bills", "id:in:00n", "must be quoted"),
    ("bills", "id:in:a,b", "must be quoted"),
    ("bills", "archived:eq:yes", "no value for archived"),
    ("bills", "archived:eq:True", "no value for archived"),
    ("bills", "dueDate:gte:2026-13-01", "no value for dueDate"),
    ("bills", 'dueDate:gte:"2026-01-01T00:00:00.000Z"', "no value for dueDate"),
    ("bills", "amount:gt:5", "cannot be filtered by 'amount'"),
    ("bills", "approvalStatus:eq:ASSIGNED", "cannot be filtered by 'approvalStatus'"),
    ("bills", "vendorId:ne:x", "does not take the operator 'ne'"),
    ("bills", "classifications.jobId:eq:x", "cannot be filtered by 'classifications.jobId'"),
    ("bills", "itemId:eq:x", "cannot be filtered by 'itemId'"),
    ("payments", "status:eq:PAID", "cannot be filtered by 'status'"),
    ("payments", "archived:eq:false", "cannot be filtered by 'archived'"),
    ("recurring_bills", 'updatedTime:gte:"2026-01-01"', "cannot be filtered by 'updatedTime'"),
    ("recurring_invoices", 'updatedTime:gte:"2026-01-01"', "cannot be filtered by 'updatedTime'"),
    ("bank_account_users", 'updatedTime:gte:"2026-01-01"', "cannot be filtered by 'updatedTime'"),
    ("roles", 'updatedTime:gte:"2026-01-01"', "cannot be filtered by 'updatedTime'"),
    ("payment_terms", "id:eq:x", "cannot be filtered by 'id'"),
]


@pytest.mark.parametrize(("resource", "filters", "message"), REFUSED)
def test_other_filters_are_refused(reader, resource, filters, message):
    text = reader.refused(LISTS[resource], filters=filters)
    assert text.startswith("filters: ")
    assert message in text


@pytest.mark.parametrize(
    ("resource", "sort"),
    [
        ("bills", "amount:asc"),
        ("bills", "createdTime"),
        ("bills", "createdTime:"),
        ("bills", "createdTime:ASC"),
        ("bills", "createdTime:asc,id:asc"),
        ("bills", ""),
        ("recurring_bills", "updatedTime:asc"),
        ("recurring_bills", "description:asc"),
        ("recurring_invoices", "createdTime:asc"),
        ("bank_account_users", "updatedTime:asc"),
        ("receivable_payments", "paymentDate:asc"),
        ("employees", "name:asc"),
        ("payment_terms", "createdTime:asc"),
    ],
)
def test_other_sorts_are_refused(reader, resource, sort):
    assert reader.refused(LISTS[resource], sort=sort).startswith("sort: ")


def sorts():
    return [(name, field) for name, resource in RESOURCES.items() for field in resource.sorts]


@pytest.mark.parametrize(("resource", "field"), sorts())
def test_every_listed_sort_sorts(reader, usual, resource, field):
    rows = [row for page in reader.pages(LISTS[resource], max=100, sort=f"{field}:asc") for row in page["results"]]
    values = [row[field] for row in rows if field in row]
    assert values == sorted(values)
    assert all(field not in row for row in rows[: len(rows) - len(values)])  # rows without it come first
    backwards = reader.ids(LISTS[resource], max=100, sort=f"{field}:desc")
    assert backwards == [row["id"] for row in reversed(rows)]
    assert len(rows) == usual.company.count(resource)


def test_equal_values_come_by_id_but_under_created_time_backwards(reader):
    def ties(sort):
        field = sort.partition(":")[0]
        groups = {}
        for page in reader.pages("/bills", max=100, sort=sort):
            for row in page["results"]:
                groups.setdefault(row[field], []).append(row["id"])
        return [group for group in groups.values() if len(group) > 3]

    assert ties("updatedTime:asc")
    assert all(group == sorted(group) for group in ties("updatedTime:asc"))
    assert all(group == sorted(group, reverse=True) for group in ties("updatedTime:desc"))
    assert ties("createdTime:asc")
    assert all(group == sorted(group, reverse=True) for group in ties("createdTime:asc"))
    assert all(group == sorted(group) for group in ties("createdTime:desc"))


def test_without_sort_the_order_is_by_id(reader, usual):
    assert reader.ids("/bills", max=100) == ids(usual.company.rows("bills"))


EXAMPLES = {"text": '"x"', "flag": "true", "time": '"2026-01-01"', "date": "2026-01-01"}


def filters():
    return [
        (name, known.field.name, op, EXAMPLES[known.field.kind], known.confidence)
        for name, resource in RESOURCES.items()
        for known in resource.filters.values()
        for op in sorted(known.operators)
    ]


@pytest.mark.parametrize("wanted", sorted({resource for resource, *_ in filters()}))
def test_every_listed_operator_is_taken(reader, wanted):
    for resource, field, op, value, _ in filters():
        if resource == wanted:
            assert reader.get(LISTS[resource], max=1, filters=f"{field}:{op}:{value}").status_code == 200, (field, op)


def test_what_is_only_assumed_can_be_refused(serve):
    _, client = serve(bills=20, refuse_assumed=True)
    first_operators = {(resource, field): rest for resource, field, *rest in reversed(filters())}
    for (resource, field), (op, value, confidence) in first_operators.items():
        answer = client.get(LISTS[resource], max=1, filters=f"{field}:{op}:{value}")
        assert answer.status_code == (400 if confidence == ASSUMED else 200), (resource, field)
    taken = {(resource, field) for resource, field, _, _, confidence in filters() if confidence != ASSUMED}
    assert {("bills", "updatedTime"), ("receivable_payments", "updatedTime"), ("payments", "id")} <= taken
    assert not {("payments", "updatedTime"), ("vendor_credits", "createdTime"), ("users", "updatedTime")} & taken
    assert client.get("/payments", sort="updatedTime:asc").status_code == 200


def test_sort_can_be_ignored(serve):
    _, client = serve(bills=60, ignore_sort=True)
    assert client.ids("/bills", max=7, sort="createdTime:desc") == client.ids("/bills", max=100)
    assert client.ids("/bills", max=7, sort="nonsense") == client.ids("/bills", max=100)


def test_ranges_of_times_cut_the_same_rows_whatever_the_sort(reader, usual):
    rows = usual.company.rows("bills")
    moment = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
    for step in range(5):
        low = (moment + timedelta(days=100 * step)).isoformat()[:19]
        high = (moment + timedelta(days=100 * step + 90)).isoformat()[:19]
        query = f'createdTime:gte:"{low}",createdTime:lt:"{high}",updatedTime:gte:"2025-06-01",archived:eq:false'
        expected = sorted(
            row["id"]
            for row in rows
            if low <= row["createdTime"] < high and row["updatedTime"] >= "2025-06-01" and not row["archived"]
        )
        for sort in ("createdTime:asc", "updatedTime:desc", "description:asc"):
            assert sorted(reader.ids("/bills", max=100, filters=query, sort=sort)) == expected
