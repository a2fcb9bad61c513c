"""A run reads what changed since the last one: nothing is skipped, next to nothing is read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bill_emulator import Clock, Company, Emulator

TIMED = {
    "accounting_classes", "bank_accounts", "bills", "chart_of_accounts", "credit_memos", "customers", "departments",
    "employees", "invoices", "items", "jobs", "locations", "payments", "receivable_payments", "users",
    "vendor_credits", "vendors",
}  # fmt: skip
WHOLE = {
    "bank_account_users", "bill_approval_policies", "organization", "payment_terms", "recurring_bills",
    "recurring_invoices", "roles",
}  # fmt: skip


def entry(state, stream, organization_id):
    (found,) = [
        part
        for part in state["bookmarks"][stream]["partitions"]
        if part["context"] == {"organizationId": organization_id}
    ]
    return found


def list_requests(emulator, path):
    return [request for request in emulator.requests if request.path == f"/connect{path}"]


def test_the_second_run_reads_again_only_what_the_lookback_covers(tap, config, company):
    first = tap(config)
    second = tap(config, state=first.state)
    assert second.exit_code == 0
    for stream in TIMED:
        rows = {row["id"]: row for row in first.records[stream]}
        bookmark = max(row["updatedTime"] for row in rows.values())
        from_lookback = (datetime.fromisoformat(bookmark) - timedelta(seconds=300)).isoformat()
        recent = sorted(id_ for id_, row in rows.items() if row["updatedTime"] >= from_lookback)
        assert sorted(row["id"] for row in second.records[stream]) == recent, stream
        assert 1 <= len(recent) < len(rows), stream
    for stream in WHOLE:
        assert second.records[stream] == first.records[stream], stream
    assert second.state == first.state


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
    }


def test_what_is_asked(tap, config, emulator, company):
    first = tap(config, select={"bills"})
    tap({**config, "lookback_seconds": 0, "page_size": 7}, state=first.state, select={"bills"})
    tap(config, state=first.state, select={"bills"})
    newest = datetime.fromisoformat(max(row["updatedTime"] for row in company.rows("bills")))
    asked = [request.query for request in list_requests(emulator, "/v3/bills")]
    assert asked == [
        {"max": "100", "sort": "createdTime:asc"},
        {"max": "7", "sort": "createdTime:asc", "filters": f'updatedTime:gte:"{newest:%Y-%m-%dT%H:%M:%S}.000Z"'},
        {
            "max": "100",
            "sort": "createdTime:asc",
            "filters": f'updatedTime:gte:"{newest - timedelta(seconds=300):%Y-%m-%dT%H:%M:%S}.000Z"',
        },
    ]


def test_start_date_limits_the_first_read_and_only_that(tap, config, company):
    start = sorted(row["updatedTime"] for row in company.rows("bills"))[10]
    limited = {**config, "start_date": start}
    expected = {row["id"] for row in company.rows("bills") if row["updatedTime"] >= start}
    first = tap(limited, select={"bills"})
    assert {row["id"] for row in first.records["bills"]} == expected
    later = tap({**config, "start_date": "2030-01-01"}, state=first.state, select={"bills"})
    assert [row["updatedTime"] for row in later.records["bills"]] == [
        max(row["updatedTime"] for row in company.rows("bills"))
    ]


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


def test_a_refused_filter_is_read_whole_with_one_warning(tap, config, company):
    first = tap(config, select={"payments"})
    with Emulator(company=company, refuse_assumed=True) as strict:
        stricter = {**strict.credentials, "api_url": strict.url}
        second = tap(stricter, state=first.state, select={"payments"})
    assert second.exit_code == 0
    assert len(second.records["payments"]) == len(company.rows("payments"))
    (line,) = second.warnings
    assert line.startswith("payments: BILL refused to filter and sort it as asked for (HTTP 400")
    assert second.state["bookmarks"]["payments"] == first.state["bookmarks"]["payments"]


def test_an_order_that_bill_does_not_keep_leaves_the_bookmark(tap, company):
    with Emulator(company=company, ignore_sort=True) as careless:
        run = tap({**careless.credentials, "api_url": careless.url}, select={"bills"})
        organization = careless.credentials["organization_id"]
    assert len(run.records["bills"]) == len(company.rows("bills"))
    (line,) = run.warnings
    assert line.startswith("bills: BILL did not keep the creation order that was asked for")
    assert entry(run.state, "bills", organization) == {"context": {"organizationId": organization}}


def test_a_stream_forced_to_full_table_keeps_no_bookmark(tap, catalog, config, company):
    forced = catalog({"bills"})
    for stream in forced["streams"]:
        stream["replication_method"] = "FULL_TABLE"
    first = tap(config, catalog=forced)
    second = tap(config, catalog=forced, state=first.state)
    assert len(first.records["bills"]) == len(second.records["bills"]) == len(company.rows("bills"))
