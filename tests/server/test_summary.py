"""The block at the end of a run: what was read, what it took, and how far the bookmarks went."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
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


@pytest.mark.measured
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


def counts(**counted):
    none = dict.fromkeys(("read", "written", "requests", "retries", "renewals"), 0)
    nothing = dict.fromkeys(("bookmark_before", "bookmark_after", "skipped", "failed"))
    return {**none, "seconds_waited": 0.0, **nothing, **counted}


def test_a_file_takes_the_same_for_programs(tap, tmp_path, company):
    streams = {"bills", "bill_line_items", "roles"}
    with Emulator(company=company, clock=Clock(NOON, frozen=True), forbid=["roles"]) as emulator:
        config = settings(emulator, summary_file="told.json")
        run = tap(config, select=streams)
        told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
        emulator.faults.plan("refused", path="/v3/bills", times=None)
        failed = tap(config, select=streams)
        told_failed = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert (run.exit_code, failed.exit_code) == (0, 1)
    noon = "2026-07-01T12:00:00.000Z"
    skipped = counts(requests=1, skipped="HTTP 403, BDC_1302: The user's role may not do this")
    ours = {"organization_id": company.organization_id}
    read = {
        "sign-in": counts(requests=2),
        "bills": counts(read=25, written=25, requests=1, bookmark_after=noon),
        "bill_line_items": counts(written=57),
        "roles": skipped,
    }
    fine = {**ours, "complete": True, "errors": [], "streams": read}
    assert told == {"complete": True, "stopped": False, "organizations": [fine]}
    why = f"bills: BILL refused GET /v3/bills for organization {company.organization_id} (HTTP 400: not accepted)."
    unread = {
        "sign-in": counts(requests=2),
        "bills": counts(requests=2, failed=why),
        "bill_line_items": counts(failed=why),
        "roles": skipped,
    }
    assert told_failed == {
        "complete": False,
        "stopped": False,
        "organizations": [{**ours, "complete": False, "errors": [why], "streams": unread}],
    }
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("told")] == ["told.json"]


def test_the_file_tells_of_every_organization(tap, tmp_path):
    several = [Company(seed=number, organization_id=f"00802ORGANIZATION{number:03}", bills=0) for number in range(3)]
    wrong = several[1].organization_id
    with Emulator(companies=several) as emulator:
        listed = [{"organization_id": each.organization_id} for each in several]
        listed[1]["password"] = "not-this-one"
        common = {name: value for name, value in settings(emulator).items() if name != "organization_id"}
        run = tap({**common, "organizations": listed, "summary_file": str(tmp_path / "told.json")}, select={"roles"})
    text = (tmp_path / "told.json").read_text(encoding="utf-8")
    told = json.loads(text)
    assert not told["complete"]
    assert {each["organization_id"]: each["complete"] for each in told["organizations"]} == {
        each.organization_id: each.organization_id != wrong for each in several
    }
    assert [f"{wrong}: {line}" for line in told["organizations"][1]["errors"]] == run.errors[:1]
    assert "not-this-one" not in text
    assert common["password"] not in text


@pytest.mark.measured(throughout=True)
@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("nowhere/told.json", "summary_file is in a folder that does not exist: nowhere/told.json; make it, or name"),
        ("folder", "summary_file cannot be replaced: folder: "),
    ],
)
def test_a_file_that_cannot_be_written_is_told_before_anything_is_sent(tap, tmp_path, emulator, file, line):
    (tmp_path / "folder").mkdir()
    run = tap(settings(emulator, summary_file=file), select={"roles"})
    assert run.exit_code == 1
    assert [error[: len(line)] for error in run.errors] == [line]
    assert emulator.requests == []


@pytest.mark.measured
def test_a_file_that_cannot_be_written_in_the_end_costs_no_row(tap, emulator, company):
    full = "import pathlib; pathlib.Path.replace = lambda *_: (_ for _ in ()).throw(OSError(28, 'No space left'))"
    run = tap(settings(emulator, summary_file="told.json"), select={"roles"}, patch=full)
    assert (run.exit_code, run.errors) == (0, ["summary_file cannot be written: told.json: No space left."])
    assert len(run.records["roles"]) == len(company.ids("roles"))


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
