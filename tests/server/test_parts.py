"""Streams that cost one request for each record of another one, and lists that few need: only where selected."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import canned
import pytest
from layers import held_until
from runs import ACCOUNTS, settings

from bill_emulator import EXTRAS, PARTS, Clock, Company, Credentials, Emulator
from tap_bill.resources import RESOURCES
from tap_bill.singer.writer import PageWriter
from tap_bill.tap import TapBill

OF_ACCOUNTS = {resource.name: resource for resource in RESOURCES if resource.parent and not resource.is_spend}
OF_SPEND = {resource.name: resource for resource in RESOURCES if resource.parent and resource.is_spend}
RARE = {resource.name: resource for resource in RESOURCES if not resource.is_default and not resource.parent}


def expected(company, stream, parents=None):
    """The rows of a stream, for all parents or some."""
    parent = OF_ACCOUNTS[stream].parent
    own = {"organizationId": company.organization_id}
    placed = "position" in OF_ACCOUNTS[stream].key
    return [
        {**own, parent.column: id_, **({"position": number} if placed else {}), **row}
        for id_ in parents or company.ids(parent.stream)
        for number, row in enumerate(company.parts(stream, id_), 1)
    ]


def comparable(rows):
    return sorted(json.dumps(row, sort_keys=True, default=digits) for row in rows)


def digits(number):
    return str(number) if "." in str(number) else int(number)


def asked_of(emulator, stream):
    """Ids of the parents that were asked for, in order."""
    before, after = PARTS[stream].path.split("{id}")
    paths = [request.path.removeprefix("/connect/v3") for request in emulator.requests]
    return [
        path.removeprefix(before).removesuffix(after)
        for path in paths
        if path.startswith(before) and path.endswith(after) and path != before + after
    ]


def parts_held(met):
    """A layer that holds the requests for parts, and not those for the list of their parents."""
    return held_until(
        lambda scope: scope["path"].rpartition("/")[2] in {"bills", "customers", "invoices", "vendors"} or met()
    )


def test_nothing_of_it_is_read_unless_selected(tap, company, discovered):
    with Emulator(company=company) as emulator:
        run = tap(settings(emulator))
        assert len(emulator.requests) == len(ACCOUNTS) + 2
    assert not run.records.keys() & {*OF_ACCOUNTS, *RARE}
    selected = {entry["tap_stream_id"]: entry["metadata"] for entry in discovered["streams"]}
    for stream in (*OF_ACCOUNTS, *OF_SPEND, *RARE):
        (root,) = [field["metadata"] for field in selected[stream] if field["breadcrumb"] == []]
        assert root["selected"] is False
        assert root["selected-by-default"] is False


@pytest.mark.parametrize("stream", OF_ACCOUNTS)
def test_every_part_of_every_record(tap, company, stream):
    parent = OF_ACCOUNTS[stream].parent.stream
    with Emulator(company=company, layers=[parts_held(lambda: emulator.counters.peak_in_flight >= 3)]) as emulator:
        run = tap(settings(emulator), select={stream})
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert comparable(run.records[stream]) == comparable(expected(company, stream))
    assert run.records[stream]
    assert set(run.records) == {stream}
    assert set(asked_of(emulator, stream)) == set(company.ids(parent))
    assert [message["stream"] for message in run.of("SCHEMA")] == [stream]
    keys = [tuple(row[name] for name in run.of("SCHEMA")[0]["key_properties"]) for row in run.records[stream]]
    assert len(set(keys)) == len(keys)
    assert emulator.counters.peak_in_flight == 3
    assert emulator.counters.refused == 0


def test_only_what_changed_is_asked_for_the_next_time(tap, company, emulator):
    streams = {"vendors", "vendor_attachments", "vendor_bank_accounts"}
    first = tap(settings(emulator, lookback_seconds=0), select=streams)
    begun = len(emulator.requests)
    changed = company.ids("vendors")[2]
    company.edit("vendors", changed, {"email": "new@example.com"})
    second = tap(settings(emulator, lookback_seconds=0), select=streams, state=first.state)
    assert second.exit_code == 0
    again = {row["id"] for row in second.records["vendors"]}
    assert changed in again
    assert len(again) <= 2  # the one at the bookmark comes again
    asked = [request.path for request in emulator.requests][begun:]
    assert sorted(path for path in asked if "attachments" in path or "bank-account" in path) == sorted(
        path
        for id_ in again
        for path in (f"/connect/v3/attachments/vendors/{id_}", f"/connect/v3/vendors/{id_}/bank-account")
    )
    assert comparable(second.records["vendor_attachments"]) == comparable(
        expected(company, "vendor_attachments", sorted(again))
    )


def test_a_stream_that_is_selected_later_is_read_for_all(tap, company, emulator):
    first = tap(settings(emulator), select={"vendors"})
    second = tap(settings(emulator), select={"vendors", "vendor_attachments"}, state=first.state)
    assert comparable(second.records["vendor_attachments"]) == comparable(expected(company, "vendor_attachments"))


def test_state_has_no_entry_for_a_parent(tap):
    company = Company(seed=7, bills=500)
    streams = {"vendors", "vendor_attachments", "vendor_audit_trail", "vendor_bank_accounts"}
    with Emulator(company=company, layers=[parts_held(lambda: emulator.counters.peak_in_flight >= 3)]) as emulator:
        run = tap(settings(emulator, page_size=50), select=streams)
        assert emulator.counters.peak_in_flight == 3
    assert run.exit_code == 0
    assert company.count("vendors") == 100
    assert set(run.state["bookmarks"]) == {"vendors"}
    assert max(len(json.dumps(message["value"])) for message in run.of("STATE")) < 1000
    assert sorted(message["stream"] for message in run.of("SCHEMA")) == sorted(streams)
    for stream in streams - {"vendors"}:
        assert comparable(run.records[stream]) == comparable(expected(company, stream))


def test_what_is_read_ahead_does_not_keep_the_parts_waiting(tap):
    company = Company(seed=7, bills=1000)
    asked, under_way, most = 0, 0, 0

    def layer(application):
        async def counting(scope, receive, send):
            nonlocal asked, under_way, most
            part = "attachments" in scope["path"]
            asked += part
            under_way += part
            if 40 < asked <= 70:  # when as many vendors are read ahead as may be
                most = max(most, under_way)
            await application(scope, receive, send)
            under_way -= part

        return counting

    held = parts_held(lambda: not 40 < asked <= 70 or most == 3)
    with Emulator(company=company, layers=[layer, held]) as emulator:
        run = tap(settings(emulator, page_size=10), select={"vendors", "vendor_attachments"})
    assert run.exit_code == 0
    assert most == 3


def test_a_run_that_stops_between_parents_loses_none(tap, company, emulator):
    vendor = company.ids("vendors")[-1]
    emulator.faults.plan("server_error", path=f"/v3/attachments/vendors/{vendor}", times=None)
    streams = {"vendors", "vendor_attachments"}
    first = tap(settings(emulator, page_size=10, max_retries=0), select=streams)
    assert first.exit_code == 1
    (line,) = first.errors
    assert line.startswith(f"vendor_attachments: BILL could not answer GET /v3/attachments/vendors/{vendor} for ")
    emulator.faults.clear()
    second = tap(settings(emulator, page_size=10), select=streams, state=first.state)
    assert second.exit_code == 0
    found = {tuple(sorted(row.items())) for run in (first, second) for row in run.records["vendor_attachments"]}
    assert found == {tuple(sorted(row.items())) for row in expected(company, "vendor_attachments")}


@pytest.mark.parametrize("code", ["BDC_1205", ""])
def test_a_parent_that_went_away_is_left_out(tap, company, emulator, code):
    gone = company.ids("vendors")[1]
    emulator.faults.plan("refused", path=f"/v3/attachments/vendors/{gone}", times=None, status=404, code=code)
    run = tap(settings(emulator), select={"vendor_attachments"})
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    left = [id_ for id_ in company.ids("vendors") if id_ != gone]
    assert comparable(run.records["vendor_attachments"]) == comparable(expected(company, "vendor_attachments", left))


def test_a_path_that_is_not_there_is_no_parent_that_went_away(tap, company, emulator):
    emulator.faults.plan("html", path=f"/v3/attachments/vendors/{company.ids('vendors')[1]}", times=None, status=404)
    run = tap(settings(emulator), select={"vendor_attachments"})
    assert run.exit_code == 1
    assert "HTTP 404: the body is not JSON" in run.errors[0]


def test_what_may_not_be_read_is_skipped_and_made_up_for_later(tap):
    company = Company(seed=7, bills=500)
    streams = {"vendors", "vendor_attachments", "vendor_audit_trail"}
    with Emulator(company=company, forbid=["vendor_attachments"]) as emulator:
        first = tap(settings(emulator), select=streams)
        assert len(asked_of(emulator, "vendor_attachments")) < 20  # of 100, what was under way and read ahead
    assert first.exit_code == 0
    (line,) = first.warnings
    assert line.startswith(
        "vendor_attachments: skipped, because BILL does not let this user read it (HTTP 403, BDC_1302"
    )
    assert len(first.records["vendors"]) == company.count("vendors")
    assert comparable(first.records["vendor_audit_trail"]) == comparable(expected(company, "vendor_audit_trail"))
    with Emulator(company=company) as emulator:
        second = tap(settings(emulator), select=streams, state=first.state)
    assert comparable(second.records["vendor_attachments"]) == comparable(expected(company, "vendor_attachments"))


@pytest.mark.measured
def test_what_may_not_be_read_holds_nothing_else_up(tap):
    """The parent's bookmark moves; one request a run tries whether the part may be read by now."""
    company = Company(seed=7, bills=25, clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC), frozen=True))
    streams = {"vendors", "vendor_attachments"}

    def run(state=None, **options):
        company.clock.advance(3600)
        with Emulator(company=company, **options) as emulator:
            done = tap(settings(emulator), select=streams, state=state)
            paths = [request.path.removeprefix("/connect/v3/").partition("/")[0] for request in emulator.requests]
        return done, paths[1:-1]

    (first, _), forbidden = run(), {"forbid": ["vendor_attachments"]}
    first_id, *_, last_id = company.ids("vendors")
    company.edit("vendors", last_id, {"email": "one@example.com"})
    second, asked = run(first.state, **forbidden)
    assert (second.exit_code, asked[0], {*asked[1:]}) == (0, "vendors", {"attachments"})
    assert [row["id"] for row in second.records["vendors"]] == [last_id]
    company.edit("vendors", first_id, {"email": "two@example.com"})
    third, asked = run(second.state, **forbidden)
    assert [row["id"] for row in third.records["vendors"]] == [first_id]
    assert asked == ["attachments", "vendors"]
    (entry,) = third.state["bookmarks"]["vendors"]["partitions"]
    assert entry == {
        "context": {"organizationId": company.organization_id},
        "replication_key": "updatedTime",
        "replication_key_value": "2026-07-01T15:00:00.000Z",
        "covers": ["vendors"],
        "whole": "2026-07-01T13:00:00.000Z",
        "behind": {"vendor_attachments": {"since": "2026-07-01T13:00:00.000Z", "parent": last_id}},
    }
    fourth, _ = run(third.state)
    missed = {first_id, last_id}
    assert {row["id"] for row in fourth.records["vendors"]} == missed
    assert {row["vendorId"] for row in fourth.records["vendor_attachments"]} == {
        row["vendorId"] for row in expected(company, "vendor_attachments", sorted(missed))
    }
    (entry,) = fourth.state["bookmarks"]["vendors"]["partitions"]
    assert (entry["covers"], "behind" in entry) == (["vendor_attachments", "vendors"], False)
    fifth, asked = run(fourth.state)
    assert (asked, fifth.of("RECORD")) == (["vendors"], [])


def test_what_may_not_be_read_of_a_whole_list_leaves_no_mark(tap, company):
    streams = {"spend_budgets", "spend_budget_members"}
    with Emulator(company=company, forbid=["members"]) as emulator:
        config = {**emulator.spend_credentials, "api_url": emulator.url}
        first = tap(config, select=streams)
        before = len(emulator.requests)
        second = tap(config, select=streams, state=first.state)
        paths = [request.path for request in emulator.requests[before:]]
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "behind" not in json.dumps(second.state)
    lists = [path for path in paths if not path.endswith("/members")]  # these come while the list is still read
    assert lists[:3] == ["/connect/v3/spend/users/current", "/connect/v3/spend/budgets", "/connect/v3/spend/budgets"]


def test_many_parts_are_written_as_they_come(tap, company):
    """They do not wait in memory until the last one of their parent's page is there."""
    vendor = company.ids("vendors")[0]
    for number in range(30):
        company.add_part("vendor_attachments", vendor, {"id": f"0at{number:017}", "name": "x" * 50_000})
    waiting = []

    class Writer(PageWriter):
        def write_message(self, message):
            super().write_message(message)
            waiting.append(len(self._buffer))

        def flush(self):
            self._buffer.clear()

    with Emulator(company=company) as emulator:
        reader = TapBill(config=settings(emulator), message_writer=Writer())
        for stream in reader.streams.values():
            stream.selected = stream.name in {"vendors", "vendor_attachments"}
        reader.run()
    assert max(waiting) < 1 << 20
    assert sum(size > 50_000 for size in waiting) > 20


@pytest.mark.measured
@pytest.mark.parametrize("forbidden", ["vendor_attachments", "vendors"])
def test_a_run_that_may_read_no_selected_part_fails(tap, company, forbidden):
    with Emulator(company=company, forbid=[forbidden]) as emulator:
        run = tap(settings(emulator), select={"vendor_attachments"})
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"BILL does not let this user read any of the selected streams of organization {company.organization_id}; "
            "give the user a role that may read them, or select others."
        )
    ]


def test_offsets_are_followed_to_the_end(tap, company, emulator):
    run = tap(settings(emulator, page_size=10), select={"vendor_audit_trail"})
    assert comparable(run.records["vendor_audit_trail"]) == comparable(expected(company, "vendor_audit_trail"))
    counts = [len(company.parts("vendor_audit_trail", id_)) for id_ in company.ids("vendors")]
    assert max(counts) > 20
    assert len(asked_of(emulator, "vendor_audit_trail")) == sum(count // 10 + 1 for count in counts)
    assert {request.query.get("includeArchived") for request in emulator.requests if "audit" in request.path} == {
        "true"
    }


def test_parts_of_spend(tap, company, emulator):
    run = tap({**emulator.spend_credentials, "api_url": emulator.url}, select={*OF_SPEND})
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    budgets, fields = (company.spend.rows(table) for table in ("budgets", "custom-fields"))
    rows = {
        "spend_budget_members": [
            {"organizationId": "", "budgetUuid": budget["uuid"], **row}
            for budget in budgets
            for row in company.spend.members(budget["uuid"])
        ],
        "spend_custom_field_values": [
            {"organizationId": "", "customFieldUuid": field["uuid"], **row}
            for field in fields
            for row in company.spend.values(field["uuid"])
        ],
    }
    keys = {message["stream"]: message["key_properties"] for message in run.of("SCHEMA")}
    assert keys == {
        "spend_budget_members": ["organizationId", "budgetUuid", "userUuid"],
        "spend_custom_field_values": ["organizationId", "customFieldUuid", "uuid"],
    }
    for stream, key in keys.items():
        keyed = {tuple(row[name] for name in key): row for row in run.records[stream]}
        assert comparable(keyed.values()) == comparable(rows[stream]), stream
    paths = {request.path.removeprefix("/connect/v3/spend/") for request in emulator.requests}
    assert {path for path in paths if path.endswith(("/members", "/values"))} == {
        *(f"budgets/{budget['uuid']}/members" for budget in budgets),
        *(f"custom-fields/{field['uuid']}/values" for field in fields),
    }


# Lists that few need


@pytest.mark.measured(throughout=True)
@pytest.mark.parametrize("stream", RARE)
def test_rare_lists(tap, company, stream):
    with Emulator(company=company, credentials=Credentials(is_sync_token=False)) as emulator:
        run = tap(settings(emulator, page_size=10), select={stream})
    assert (run.exit_code, run.errors) == (0, [])
    statuses = ("VERIFIED", "NOMINATED") if stream == "card_accounts" else ("",)
    own = {"organizationId": company.organization_id}
    rows = [{**own, **row} for status in statuses for row in EXTRAS[stream].rows(company, status)]
    if stream == "login_organizations":
        assert [(row["id"], row["_unknown_fields"]) for row in run.records[stream]] == [
            (row["organizationId"], row) for row in EXTRAS[stream].rows(company, "")
        ]
        return
    assert comparable(run.records[stream]) == comparable(rows)
    assert run.warnings == []


def test_pending_approvals_are_skipped_for_a_sync_token(tap, emulator):
    run = tap(settings(emulator), select={"bills_pending_approval", "roles"})
    assert run.exit_code == 0
    (line,) = run.warnings
    assert line.startswith("bills_pending_approval: skipped")
    assert "it needs a user of BILL's own as username" in line


def test_statements_are_paged_without_dates(tap, emulator):
    run = tap(settings(emulator, page_size=10), select={"billing_statements"})
    asked = [request.query for request in emulator.requests if request.path.endswith("billing-statements")]
    assert [sorted(query) for query in asked] == [["max"], ["max", "page"], ["max", "page"]]
    assert len(run.records["billing_statements"]) == 23


def test_the_connection_test_tries_parts_with_one_record(tap, company, emulator):
    run = tap(settings(emulator), "--test", select={"vendor_attachments", "vendor_bank_accounts"})
    assert run.exit_code == 0
    assert [line.split("  ")[1] for line in run.stdout.splitlines()[2:-1]] == [
        "vendors",
        "vendor_attachments",
        "vendor_bank_accounts",
    ]
    assert len(emulator.requests) == 5


@pytest.mark.measured
def test_the_connection_test_cannot_try_parts_of_nothing(tap, httpserver):
    config = canned.serve(httpserver, {"/v3/vendors": {"results": []}})
    run = tap(config, "--test", select={"vendor_attachments"})
    assert run.exit_code == 0
    assert run.stdout.splitlines()[2:] == [
        "  vendors             can be read, has no rows",
        "  vendor_attachments  cannot be tried: vendors has no rows",
        "1 of 2 streams can be read.",
    ]
