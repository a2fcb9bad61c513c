"""A run reads what changed since the last one: nothing is skipped, next to nothing is read again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from runs import settings

from bill_emulator import Clock, Company, Emulator

NOON = "2026-07-01T12:00:00.000Z"
TIMED = {
    "accounting_classes", "bank_accounts", "bills", "chart_of_accounts", "credit_memos", "customers", "departments",
    "employees", "invoices", "items", "jobs", "locations", "payments", "receivable_payments", "users",
    "vendor_credits", "vendors",
}  # fmt: skip
WHOLE = {
    "bank_account_users", "bill_approval_policies", "organization", "payment_terms", "recurring_bills",
    "recurring_invoices", "roles",
}  # fmt: skip


def noon():
    return Clock(datetime.fromisoformat(NOON), frozen=True)


def entry(state, stream, organization_id):
    (found,) = [
        part
        for part in state["bookmarks"][stream]["partitions"]
        if part["context"] == {"organizationId": organization_id}
    ]
    return found


def list_requests(emulator, path):
    return [request for request in emulator.requests if request.path == f"/connect{path}"]


def test_the_second_run_reads_again_only_what_the_lookback_covers(tap):
    company = Company(seed=7, bills=25, clock=noon())
    one, other = company.rows("vendors")[:2]
    company.put("vendors", {**one, "updatedTime": "2026-07-01T11:55:00.000+00:00"})
    company.put("vendors", {**other, "updatedTime": "2026-07-01T11:54:59.000+00:00"})
    with Emulator(company=company) as emulator:
        first = tap(settings(emulator))
        second = tap(settings(emulator), state=first.state)
    assert second.exit_code == 0
    for stream in TIMED:
        assert len(first.records[stream]) > 0, stream
        again = [one["id"]] if stream == "vendors" else []
        assert [row["id"] for row in second.records[stream]] == again, stream
        assert entry(first.state, stream, company.organization_id)["replication_key_value"] == NOON
    for stream in WHOLE:
        assert second.records[stream] == [], stream
    assert second.state == first.state


def test_a_quiet_run_asks_one_request_per_stream_and_writes_nothing(tap):
    """However much was updated together a day ago, and whatever is asked for per record."""
    company = Company(seed=7, bills=25, clock=noon())
    day_before = {"createdTime": "2026-06-30T12:00:00.000+00:00", "updatedTime": "2026-06-30T12:00:00.000+00:00"}
    for number in range(5000):
        company.put("bills", {"id": f"00n{number:017}", **day_before})
    for number in range(300):
        company.put("vendors", {"id": f"009{number:017}", **day_before})
    streams = {"bills", "vendors", "vendor_attachments"}
    with Emulator(company=company) as emulator:
        first = tap(settings(emulator), select=streams)
        assert len({row["id"] for row in first.records["bills"]}) == company.count("bills") > 5000
        before = len(emulator.requests)
        second = tap(settings(emulator), state=first.state, select=streams)
        asked = [request.path for request in emulator.requests[before:]]
    assert second.exit_code == 0
    assert sorted(asked) == ["/connect/v3/bills", "/connect/v3/login", "/connect/v3/logout", "/connect/v3/vendors"]
    assert second.of("RECORD") == []


def test_an_edit_and_a_new_row_arrive_and_a_cleared_field_goes(tap, config, company):
    first = tap(config, select={"bills", "bill_line_items"})
    bill = next(row for row in first.records["bills"] if "description" in row)
    edited = company.edit("bills", bill["id"], {"purchaseOrderNumber": "PO-77"}, remove=("description",))
    added = company.add("bills")
    second = tap(config, state=first.state, select={"bills", "bill_line_items"})
    rows = {row["id"]: row for row in second.records["bills"]}
    assert rows[bill["id"]] == {"organizationId": config["organization_id"], **edited}
    assert "description" not in rows[bill["id"]]
    assert rows[added["id"]] == {"organizationId": config["organization_id"], **added}
    lines = [line for line in second.records["bill_line_items"] if line["billId"] == bill["id"]]
    assert {line["parentUpdatedTime"] for line in lines} == {edited["updatedTime"]}
    assert len(lines) == len(edited["billLineItems"])


def test_the_bookmark_stays_below_bills_clock(tap):
    """A row stamped later than BILL's own clock at the start may have been edited after it was read."""
    now = datetime(2026, 7, 1, 12, 0, 0, 400000, tzinfo=UTC)
    company = Company(seed=7, bills=25)
    future = dict(company.rows("vendors")[0], id="00901FROMTHEFUTURE00", updatedTime="2026-07-01T12:30:00.000+00:00")
    company.put("vendors", future)
    with Emulator(company=company, clock=Clock(now, frozen=True)) as emulator:
        run = tap({**emulator.credentials, "api_url": emulator.url}, select={"vendors"})
        organization = emulator.credentials["organization_id"]
    assert "00901FROMTHEFUTURE00" in {row["id"] for row in run.records["vendors"]}
    assert entry(run.state, "vendors", organization) == {
        "context": {"organizationId": organization},
        "replication_key": "updatedTime",
        "replication_key_value": "2026-07-01T12:00:00.000Z",
        "covers": ["vendors"],
        "whole": "2026-07-01T12:00:00.000Z",
    }


def test_what_is_asked(tap):
    company = Company(seed=7, bills=25, clock=noon())
    with Emulator(company=company) as emulator:
        config = settings(emulator)
        first = tap(config, select={"bills"})
        tap({**config, "lookback_seconds": 0, "page_size": 7}, state=first.state, select={"bills"})
        tap(config, state=first.state, select={"bills"})
        asked = [request.query for request in list_requests(emulator, "/v3/bills")]
    assert asked == [
        {"max": "100", "sort": "createdTime:asc"},
        {"max": "7", "sort": "createdTime:asc", "filters": f'updatedTime:gte:"{NOON}"'},
        {"max": "100", "sort": "createdTime:asc", "filters": 'updatedTime:gte:"2026-07-01T11:55:00.000Z"'},
    ]


def test_start_date_limits_the_first_read_and_only_that(tap, config, company):
    start = sorted(row["updatedTime"] for row in company.rows("bills"))[10]
    limited = {**config, "start_date": start}
    expected = {row["id"] for row in company.rows("bills") if row["updatedTime"] >= start}
    first = tap(limited, select={"bills"})
    assert {row["id"] for row in first.records["bills"]} == expected
    later = tap({**config, "start_date": "2030-01-01"}, state=first.state, select={"bills"})
    assert (later.exit_code, later.records["bills"]) == (0, [])


def test_another_organization_with_an_old_state_reads_everything(tap, config, company):
    first = tap(config, select={"bills"})
    with Emulator(company=Company(seed=7, bills=25, organization_id="00802OTHERCOMPANY000")) as other:
        changed = {**other.credentials, "api_url": other.url}
        second = tap(changed, state=first.state, select={"bills"})
    assert len(second.records["bills"]) == len(company.rows("bills"))
    assert {row["organizationId"] for row in second.records["bills"]} == {"00802OTHERCOMPANY000"}
    kept = config["organization_id"]
    assert entry(second.state, "bills", kept) == entry(first.state, "bills", kept)


def test_a_line_table_selected_later_gets_its_history(tap, config, company):
    first = tap(config, select={"bills"})
    both = {"bills", "bill_line_items"}
    second = tap(config, state=first.state, select=both)
    assert len(second.records["bill_line_items"]) == sum(len(row["billLineItems"]) for row in company.rows("bills"))
    third = tap(config, state=second.state, select=both)
    assert len(third.records["bills"]) < 3


def test_a_parent_left_out_for_a_while_misses_nothing(tap, config, company):
    first = tap(config, select={"bills", "bill_line_items"})
    company.edit("bills", first.records["bills"][0]["id"], {"purchaseOrderNumber": "PO-1"})
    second = tap(config, state=first.state, select={"bill_line_items"})
    assert second.records.keys() == {"bill_line_items"}
    third = tap(config, state=second.state, select={"bills", "bill_line_items"})
    assert len(third.records["bills"]) == len(company.rows("bills"))


def test_a_list_whose_filter_is_refused_is_read_whole_without_a_warning(tap, config, company):
    first = tap(config, select={"payments"})
    company.clock.advance(60)
    with Emulator(company=company, refuse_assumed=True) as strict:
        stricter = {**strict.credentials, "api_url": strict.url}
        second = tap(stricter, state=first.state, select={"payments"})
    assert second.exit_code == 0
    assert len(second.records["payments"]) == len(company.rows("payments"))
    assert second.warnings == []
    (line,) = [line for line in second.log("INFO") if "it is read whole, and its bookmark stays." in line]
    assert line.startswith("payments: BILL refused to filter and sort it as asked for (HTTP 400")
    before, after = (entry(run.state, "payments", company.organization_id) for run in (first, second))
    assert len(after.pop("digest")) == 32
    assert after.pop("whole") == after.pop("followed") > before.pop("whole")
    assert after == before


@pytest.mark.measured
def test_an_order_that_bill_does_not_keep_leaves_the_bookmark(tap, company):
    before = set(company.ids("bills"))
    with Emulator(company=company, ignore_sort=True, edit_every=1) as careless:
        run = tap(settings(careless, page_size=10), select={"bills"})
    assert {row["id"] for row in run.records["bills"]} >= before
    first, second = run.warnings
    assert first == (
        "bills: BILL did not keep the creation order that was asked for, so one reader follows BILL's own cursor, "
        "twice where there is more than a page."
    )
    assert second == "bills: rows moved in BILL's list each of the 3 times that it was read, so the bookmark stays."
    assert "replication_key_value" not in entry(run.state, "bills", company.organization_id)


def test_an_order_that_bill_does_not_keep_is_read_twice(tap):
    company = Company(seed=7, bills=25, clock=noon())
    with Emulator(company=company, ignore_sort=True) as careless:
        run = tap(settings(careless, page_size=10), select={"bills"})
        asked = [request.query.get("page") for request in list_requests(careless, "/v3/bills")]
    assert {row["id"] for row in run.records["bills"]} == set(company.ids("bills"))
    assert asked[-3:] == asked[-6:-3]
    assert entry(run.state, "bills", company.organization_id)["replication_key_value"] == NOON


def test_what_comes_in_one_answer_needs_no_order(tap, company):
    with Emulator(company=company, ignore_sort=True) as careless:
        run = tap(settings(careless), select={"bills"})
    assert (run.warnings, len(run.records["bills"])) == ([], len(company.rows("bills")))
    assert "replication_key_value" in entry(run.state, "bills", company.organization_id)


def test_a_stream_forced_to_full_table_keeps_no_bookmark(tap, catalog, config, company):
    forced = catalog({"bills"})
    for stream in forced["streams"]:
        stream["replication_method"] = "FULL_TABLE"
    first = tap(config, catalog=forced)
    second = tap(config, catalog=forced, state=first.state)
    company.edit("bills", company.ids("bills")[0], {"description": "edited"})
    third = tap(config, catalog=forced, state=second.state)
    written = [len(run.records["bills"]) for run in (first, second, third)]
    assert written == [len(company.rows("bills")), 0, len(company.rows("bills"))]
