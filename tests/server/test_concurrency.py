"""Three requests at once and never a fourth; edits during the read lose nothing."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime

import pytest
from layers import held_until
from runs import ACCOUNTS, settings

from bill_emulator import Clock, Company, Emulator
from tap_bill.api.errors import BillError
from tap_bill.tap import TapBill

EDITED = {"bills", "vendors", "payments", "customers", "invoices"}


@pytest.mark.parametrize("limit", [1, 3])
def test_never_more_at_once_than_allowed(tap, limit):
    held = held_until(lambda _: emulator.counters.peak_in_flight >= limit)
    with Emulator(company=Company(seed=7, bills=300), latency=0.01, limit=limit, layers=[held]) as emulator:
        run = tap(settings(emulator, max_concurrency=limit, page_size=20))
        assert (emulator.counters.refused, emulator.counters.peak_in_flight) == (0, limit)
    assert run.exit_code == 0


def test_a_run_in_which_nothing_changed_costs_one_request_a_stream(tap):
    with Emulator(company=Company(seed=7, bills=25)) as emulator:
        first = tap(settings(emulator))
        emulator.counters.reset()
        second = tap(settings(emulator), state=first.state)
        assert emulator.counters.requests == len(ACCOUNTS) + 2
    assert second.exit_code == 0


@pytest.mark.parametrize("cursor", ["offset", "keyset"])
@pytest.mark.parametrize(("skew", "created"), [(-600, "even"), (600, "bulk")])
def test_edits_during_the_read_lose_nothing(tap, cursor, skew, created):
    clock = Clock()
    clock.advance(skew)
    company = Company(seed=7, bills=150, created=created, clock=clock)
    table = {stream: {} for stream in EDITED}
    with Emulator(company=company, cursor=cursor, edit_every=1, edit_rows=2) as busy:
        first = tap(settings(busy, page_size=8), select=EDITED)
        assert busy.counters.edits > 50
        assert busy.counters.adds > 10
    with Emulator(company=company, cursor=cursor) as quiet:
        second = tap(settings(quiet), select=EDITED, state=first.state)
    for run in (first, second):
        assert run.exit_code == 0, run.stderr
        assert run.warnings == []
        for stream in EDITED:
            table[stream] |= {row["id"]: row for row in run.records[stream]}
    for stream in EDITED:
        truth = {row["id"]: {"organizationId": company.organization_id, **row} for row in company.rows(stream)}
        assert table[stream] == truth, stream


def test_the_lines_of_edited_bills_are_complete(tap):
    company = Company(seed=7, bills=200)
    streams = {"bills", "bill_line_items"}
    with Emulator(company=company, edit_every=1) as busy:
        first = tap(settings(busy, page_size=10), select=streams)
    with Emulator(company=company) as quiet:
        second = tap(settings(quiet), select=streams, state=first.state)
    lines = {(line["billId"], line["id"]): line for run in (first, second) for line in run.records["bill_line_items"]}
    present = {
        bill["id"]: [
            line["id"]
            for line in lines.values()
            if line["billId"] == bill["id"] and line["parentUpdatedTime"] == bill["updatedTime"]
        ]
        for bill in company.rows("bills")
    }
    for bill in company.rows("bills"):
        assert sorted(present[bill["id"]]) == sorted(line["id"] for line in bill["billLineItems"])


def failing(path):
    """A layer of the emulator that answers 500 for one path."""

    def layer(application):
        async def answer(scope, receive, send):
            if scope["type"] == "http" and scope["path"] == f"/connect{path}":
                await send({"type": "http.response.start", "status": 500, "headers": []})
                await send({"type": "http.response.body", "body": b'[{"code": "BDC_1001", "message": "out of order"}]'})
            else:
                await application(scope, receive, send)

        return answer

    return layer


def test_the_failure_of_a_reader_reaches_the_user_as_one_sentence(tap):
    """The stream that fails is fetched ahead by a worker while an earlier one is written."""
    with Emulator(company=Company(seed=7, bills=100), layers=[failing("/v3/vendors")]) as emulator:
        run = tap(settings(emulator, page_size=10, max_retries=1), select={"bills", "vendors"})
    assert run.exit_code == 1
    assert {row["id"] for row in run.records["bills"]} == set(emulator.company.ids("bills"))
    assert run.errors == [
        (
            f"vendors: BILL could not answer GET /v3/vendors for organization {emulator.company.organization_id} "
            "(HTTP 500, BDC_1001: out of order, tried 2 times): BILL has trouble with this request; run again later, "
            "and contact BILL's support if it happens again."
        ),
        (
            "1 of 2 streams could not be read to the end: vendors. The reason for each is above; what was read is "
            "kept, and the next run resumes there."
        ),
    ]
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("layers", [[], [failing("/v3/vendors")]])
def test_no_reader_outlives_the_run(layers, capsysbinary):
    before = {*threading.enumerate()}  # of taps that other tests made and did not close
    with Emulator(company=Company(seed=7, bills=100), layers=layers) as emulator:
        tap = TapBill(config=settings(emulator, page_size=10, max_retries=0))
        with contextlib.suppress(BillError):
            tap.run()
        assert emulator.counters.requests > 30
    after = {*threading.enumerate()} - before
    assert [thread for thread in after if thread.name == "tap-bill-reader"] == []
    assert capsysbinary.readouterr().out.count(b'"stream":"bills"') > 100


def test_a_filter_on_the_time_line_that_is_refused_leaves_one_reader(tap):
    """Where BILL sorts by `createdTime` but does not filter by it, the pass goes on without ranges."""
    company = Company(seed=7, bills=300, clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC), frozen=True))

    def layer(application):
        async def refusing(scope, receive, send):
            if b"createdTime%3Agte" in scope.get("query_string", b""):
                await send({"type": "http.response.start", "status": 400, "headers": []})
                await send({"type": "http.response.body", "body": b'[{"severity":"ERROR","message":"bad filter"}]'})
            else:
                await application(scope, receive, send)

        return refusing

    with Emulator(company=company, layers=[layer]) as emulator:
        run = tap(settings(emulator, page_size=20), select={"bills"})
    assert run.exit_code == 0
    assert {row["id"] for row in run.records["bills"]} == set(company.ids("bills"))
    (line,) = run.warnings
    assert line == (
        "bills: BILL refused to filter and sort it as asked for (HTTP 400: bad filter), so one reader follows BILL's "
        "own cursor, twice where there is more than a page."
    )
    (entry,) = run.state["bookmarks"]["bills"]["partitions"]
    assert entry["replication_key_value"] == "2026-07-01T12:00:00.000Z"
