"""The block at the end of a run: what was read, what it took, and how far the bookmarks went."""

from __future__ import annotations

from datetime import UTC, datetime

from runs import settings

from bill_emulator import Clock, Company, Emulator

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


HEAD = "  stream             read  written  requests  retries  renewals  waited  "


def total(read, written, requests):
    return f"{read} records read, {written} rows written, {requests} requests"


def block(run):
    """The lines of the summary, from its headline on; a line of the log ends it."""
    lines = iter(run.stderr.splitlines())
    assert any(line.endswith("| Summary of the run") for line in lines)
    told = []
    for line in lines:
        if " | " in line:
            break
        told.append(line)
    return told


def test_one_organization(tap, company):
    streams = {"bills", "bill_line_items", "roles", "payment_terms"}
    with Emulator(company=company, clock=Clock(NOON, frozen=True), forbid=["roles"]) as emulator:
        first = tap(settings(emulator), select=streams)
        terms = f"/v3/organizations/{company.organization_id}/payment-terms"
        one_line = next(bill["id"] for bill in company.rows("bills") if len(bill["billLineItems"]) == 1)
        company.edit("bills", one_line, {"description": "edited"})
        emulator.faults.plan("server_error", path="/v3/bills")
        emulator.faults.plan("session_ended", path="/v3/bills")
        emulator.faults.plan("too_many_requests", path=terms, retry_after=3)  # longer than the first pause ever is
        # One at a time, or a request that is under way when the session ends would have to be sent again as well.
        second = tap(settings(emulator, max_concurrency=1), select=streams, state=first.state)
        counted = emulator.counters.requests
    noon = "2026-07-01T12:00:00.000Z"
    skipped = "skipped: HTTP 403, BDC_1302: The user's role may not do this"
    assert block(first) == [
        f"Organization {company.organization_id}: {total(30, 87, 5)}, 0 retries, 0 renewals, 0 s waited for limits",
        "  stream             read  written  requests  retries  renewals  waited  bookmark before  bookmark after",
        "  sign-in               -        -         2        -         -       -  -                -",
        f"  bills                25       25         1        -         -       -  -                {noon}",
        "    bill_line_items     -       57         -        -         -       -  -                -",
        f"  roles                 -        -         1        -         -       -  -                -{'':25}{skipped}",
        "  payment_terms         5        5         1        -         -       -  -                -",
    ]
    assert block(second) == [
        f"Organization {company.organization_id}: {total(6, 2, 9)}, 2 retries, 1 renewals, 3 s waited for limits",
        f"{HEAD}bookmark before{'':11}bookmark after",
        "  sign-in               -        -         3        -         1       -  -                         -",
        f"  bills                 1        1         3        1         -       -  {noon}  {noon}",
        "    bill_line_items     -        1         -        -         -       -  -                         -",
        f"  roles                 -        -         1        -         -       -  -{'':25}-{'':25}{skipped}",
        f"  payment_terms         5        -         2        1         -     3 s  -{'':25}-{'':25}nothing new",
    ]
    assert counted == 5 + 9


def test_several_organizations_are_told_in_brief(tap):
    several = [Company(seed=number, organization_id=f"00802ORGANIZATION{number:03}", bills=10) for number in range(3)]
    streams = {"bills", "vendors", "customers"}
    with Emulator(companies=several, clock=Clock(NOON, frozen=True)) as emulator:
        listed = [{"organization_id": each.organization_id} for each in several]
        common = {name: value for name, value in settings(emulator).items() if name != "organization_id"}
        first = tap({**common, "organizations": listed}, select=streams)
        several[0].clock.advance(3600)
        several[0].edit("bills", several[0].ids("bills")[0], {"description": "edited"})
        emulator.faults.plan("refused", path="/v3/vendors", organization=several[1].organization_id, times=None)
        second = tap({**common, "organizations": listed}, select=streams, state=first.state)
    told = block(second)
    noon, one = "2026-07-01T12:00:00.000Z", "2026-07-01T13:00:00.000Z"
    assert told[:4] == [
        f"Organization 00802ORGANIZATION000: {total(2, 2, 6)}, 0 retries, 0 renewals, 0 s waited for limits",
        "  stream     read  written  requests  retries  renewals  waited  bookmark before           bookmark after",
        f"  vendors       1        1         2        -         -       -  {noon}  {one}  1 read again",
        f"  bills         1        1         1        -         -       -  {noon}  {one}",
    ]
    failed = told.index("  and 1 without anything new") + 2
    assert told[failed - 1].startswith("Organization 00802ORGANIZATION001: ")
    organization = "organization 00802ORGANIZATION001"
    assert (
        told[failed] == f"  FAILED: vendors: BILL refused GET /v3/vendors for {organization} (HTTP 400: not accepted)."
    )
    assert len([line for line in told if line.startswith("Organization")]) == 3


def test_the_log_says_once_what_happens(tap, company):
    """And nothing of what the SDK does inside."""
    with Emulator(company=company, clock=Clock(NOON, frozen=True)) as emulator:
        url = emulator.url
        first = tap(settings(emulator), select={"bills", "bill_line_items", "roles"})
        second = tap(settings(emulator), select={"bills", "bill_line_items", "roles"}, state=first.state)
    signed_in = f"Signed in to BILL emulator ({url}), organization {company.organization_id}."
    since = "2026-07-01T11:55:00.000Z"
    for run, what in ((first, "everything"), (second, f"what changed since {since}")):
        version, *lines = [line for line in run.log("INFO") if not line.startswith("METRIC")]
        assert version.startswith("tap-bill v")
        assert lines == [signed_in, f"bills: reading {what}.", "roles: reading everything.", "Summary of the run"]
        assert (run.warnings, run.errors) == ([], [])
