"""A run in which nothing changed in BILL writes no row, and one in which something did writes all that is needed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from runs import settings as accounts

from bill_emulator import Clock, Company, Emulator
from tap_bill.resources import RESOURCES

WHOLE = {"spend_users", "spend_budgets", "roles", "recurring_bills", "recurring_bill_line_items"}


@pytest.fixture
def company():
    return Company(seed=7, bills=25, clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC), frozen=True))


@pytest.fixture
def read(tap, company):
    """Read everything an hour after the last time: the run, and the paths that were asked for."""

    def run(state=None, *, select=None, catalog=None, forbid=(), quirks=(), **settings):
        company.clock.advance(3600)
        with Emulator(company=company, forbid=list(forbid), spend_quirks=list(quirks)) as emulator:
            given = {**accounts(emulator), **emulator.spend_credentials, **settings}
            done = tap(given, state=state, select=select, **({"catalog": catalog} if catalog else {}))
            return done, [request.path.removeprefix("/connect/v3/") for request in emulator.requests]

    return run


def count(run):
    return {stream: len(rows) for stream, rows in run.records.items()}


def test_a_quiet_run_writes_no_row(read, company):
    first, _ = read()
    second, _ = read(first.state)
    assert (second.exit_code, second.errors, second.warnings) == (0, [], [])
    assert second.of("RECORD") == []
    tables = {table for resource in RESOURCES if resource.is_default for table in resource.tables} | {"sync_audit"}
    assert set(count(first)) == tables
    assert {message["stream"] for message in second.of("SCHEMA")} == tables
    assert len(json.dumps(second.state)) < 8_500
    user = company.spend.ids("users")[1]
    company.spend.edit("users", user, {"firstName": "Zoe"})
    third, _ = read(second.state)
    assert count(third) == {"spend_users": 6, "sync_audit": 1}
    fourth, _ = read(third.state)
    assert fourth.of("RECORD") == []
    anew, _ = read()
    assert {name: rows for name, rows in count(anew).items() if name != "sync_audit"} == {
        name: rows for name, rows in count(first).items() if name != "sync_audit"
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"stream_maps": {"recurring_bills": {"currency": "'x'"}}},
        {"stream_maps": {"recurring_bill_line_items": {"__alias__": "lines"}}},
        {"flattening_enabled": True},
    ],
)
def test_what_makes_other_rows_of_the_same_list_writes_them(read, changed):
    first, _ = read(select=WHOLE)
    second, _ = read(first.state, select=WHOLE, **changed)
    third, _ = read(second.state, select=WHOLE, **changed)
    written = {"lines": 6} if "lines" in str(changed) else {"recurring_bill_line_items": 6}
    others = {"roles": 8, "spend_users": 6, "spend_budgets": 5, "recurring_bills": 4}
    assert count(second) == others | written
    assert third.of("RECORD") == []


def test_a_table_or_column_that_is_selected_later_is_written(read, catalog):
    first, _ = read(select={"recurring_bills"})
    second, _ = read(first.state, select={"recurring_bills", "recurring_bill_line_items"})
    assert count(second) == {"recurring_bills": 4, "recurring_bill_line_items": 6}
    narrow = catalog({"recurring_bills", "recurring_bill_line_items"})
    for entry in narrow["streams"]:
        for field in entry["metadata"]:
            if entry["tap_stream_id"] == "recurring_bills" and field["breadcrumb"] == ["properties", "vendorId"]:
                field["metadata"]["selected"] = False
    third, _ = read(second.state, catalog=narrow)
    assert count(third) == {"recurring_bills": 4, "recurring_bill_line_items": 6}


def test_parts_of_a_list_that_is_unchanged_are_not_asked_for(read, company):
    streams = {"spend_budgets", "spend_budget_members"}
    first, asked = read(select=streams)
    assert len([path for path in asked if path.endswith("/members")]) >= 5
    second, asked = read(first.state, select=streams)
    assert (second.of("RECORD"), [path for path in asked if path.endswith("/members")]) == ([], [])
    # What is asked for by record is asked for again at the latest when the whole read is too old.
    later, asked = read(second.state, select=streams, full_reread_days=0.01)
    assert count(later) == count(first)
    refused, _ = read(select=streams, forbid=["members"])
    again, _ = read(refused.state, select=streams)
    assert count(again) == count(first)


def test_a_list_that_may_not_be_read_for_a_while_is_still_known(read):
    first, _ = read(select={"roles", "payment_terms"})
    second, _ = read(first.state, select={"roles", "payment_terms"}, forbid=["roles"])
    third, _ = read(second.state, select={"roles", "payment_terms"})
    assert count(first) == {"roles": 8, "payment_terms": 5}
    assert (second.of("RECORD"), third.of("RECORD")) == ([], [])


def test_the_order_of_a_list_does_not_matter_and_a_row_that_comes_twice_neither(read, company):
    first, _ = read(select={"spend_users"})
    rows = company.spend._tables["users"]
    turned = dict(reversed(rows.items()))
    rows.clear()
    rows.update(turned)
    second, _ = read(first.state, select={"spend_users"})
    assert second.of("RECORD") == []


def test_a_filter_that_is_refused_leaves_a_quiet_list_quiet(read):
    """It is read whole in every run then, and its bookmark stays."""
    streams = {"spend_transactions", "spend_transaction_receipts"}
    first, _ = read(select=streams, quirks=["refuse_filters"])
    second, _ = read(
        first.state, select=streams, quirks=["refuse_filters"]
    )  # the bookmark of the first makes it filter
    third, _ = read(second.state, select=streams, quirks=["refuse_filters"])
    assert count(second) == count(first)
    assert third.of("RECORD") == []
    fourth, _ = read(third.state, select=streams)
    assert fourth.of("RECORD") == []


@pytest.mark.measured
def test_a_catalog_that_wants_a_list_whole(read, catalog):
    whole = catalog({"vendors", "roles"})
    for entry in whole["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    first, _ = read(catalog=whole)
    second, _ = read(first.state, catalog=whole)
    assert count(first) == {"vendors": 12, "roles": 8}
    assert second.of("RECORD") == []


@pytest.mark.measured
def test_a_list_that_is_too_long_to_hold_is_written_as_it_comes(read, tap, company):
    short = "import tap_bill.singer.streams as s; s.MOST_HELD = 3"
    with Emulator(company=company) as emulator:
        first = tap(accounts(emulator), select={"roles", "payment_terms"}, patch=short)
        second = tap(accounts(emulator), select={"roles", "payment_terms"}, state=first.state, patch=short)
        third = tap(accounts(emulator), select={"roles", "payment_terms"}, state=second.state)
        fourth = tap(accounts(emulator), select={"roles", "payment_terms"}, state=third.state)
        fifth = tap(accounts(emulator), select={"roles", "payment_terms"}, state=fourth.state, patch=short)
        sixth = tap(accounts(emulator), select={"roles", "payment_terms"}, state=fifth.state)
    for run in (first, second, third, fifth, sixth):
        assert count(run) == {"roles": 8, "payment_terms": 5}
    assert fourth.of("RECORD") == []
    line = "roles: has more than 3 rows, so they are written in every run, changed or not."
    assert (line in first.log("INFO"), line in third.log("INFO")) == (True, False)


def test_several_organizations_are_quiet_each_for_itself(tap):
    """And the state forgets a digest before the first row of a changed list, though it is not due otherwise."""
    several = [Company(seed=number, organization_id=f"00802ORGANIZATION{number:03}", bills=10) for number in range(3)]
    streams = {"roles", "payment_terms", "recurring_bills"}
    with Emulator(companies=several) as emulator:
        common = {name: value for name, value in accounts(emulator).items() if name != "organization_id"}
        common["organizations"] = [{"organization_id": each.organization_id} for each in several]
        first = tap(common, select=streams)
        second = tap(common, select=streams, state=first.state)
        bill = several[1].ids("recurring_bills")[0]
        several[1].edit("recurring_bills", bill, {"description": "edited"})
        third = tap(common, select=streams, state=second.state)
    assert second.of("RECORD") == []
    assert {row["organizationId"] for row in third.records["recurring_bills"]} == {several[1].organization_id}
    assert set(third.records) == {"recurring_bills"}
    place = next(place for place, each in enumerate(third.messages) if each["type"] == "RECORD")
    before = next(each["value"] for each in reversed(third.messages[:place]) if each["type"] == "STATE")
    entries = before["bookmarks"]["recurring_bills"]["partitions"]
    forgotten = [each["context"]["organizationId"] for each in entries if "digest" not in each]
    assert forgotten == [several[1].organization_id]


def test_a_kill_at_any_point_loses_nothing(read, company):
    """The target gets a part of the output; whatever it is, the next run brings what is missing, once."""
    streams = {"roles", "spend_users", "recurring_bills", "recurring_bill_line_items"}
    first, _ = read(select=streams)
    user = company.spend.ids("users")[1]
    before = company.spend.rows("users")[1]["firstName"]
    company.spend.edit("users", user, {"firstName": "Zoe"})
    second, _ = read(first.state, select=streams)
    company.spend.edit("users", user, {"firstName": before})  # as it was before the run that was killed
    messages = second.messages
    states = [place for place, message in enumerate(messages) if message["type"] == "STATE"]
    for kill in sorted({*states, *(place + 1 for place in states)}):
        state = next((each["value"] for each in reversed(messages[:kill]) if each["type"] == "STATE"), first.state)
        written = [each for each in messages[:kill] if each["type"] == "RECORD" and each["stream"] == "spend_users"]
        third, _ = read(state, select=streams)
        names = {row["uuid"]: row["firstName"] for row in third.records["spend_users"]}
        assert bool(names) == bool(written or "digest" not in json.dumps(state["bookmarks"]["spend_users"])), kill
