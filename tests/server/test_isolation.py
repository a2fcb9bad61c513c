"""A failure stays where it happened: all else is read, the exit code is 1, and the next run brings what was missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from layers import refusing
from runs import ACCOUNTS, settings

from bill_emulator import Company, Credentials, Emulator
from tap_bill.resources import RESOURCES

SPEND = {r.name: r.name.removeprefix("spend_").replace("_", "-") for r in RESOURCES if r.is_spend and r.is_default}
"""Stream and the emulator's table."""

TOLD = (
    "{} of {} streams could not be read to the end: {}. The reason for each is above; what was read is kept, and the "
    "next run resumes there."
)


def ids(run, stream):
    return [row["id"] for row in run.records[stream]]


def is_whole(run, company, but=()):
    """Whether every row of the accounts came, but for some streams."""
    for resource in ACCOUNTS:
        if resource.name not in but:
            assert set(ids(run, resource.name)) == set(company.ids(resource.name)), resource.name
    return True


def spend_is_whole(run, company):
    for stream, table in SPEND.items():
        assert set(ids(run, stream)) == set(company.spend.ids(table)), stream
    return True


def bookmark(run, stream):
    (entry,) = run.state["bookmarks"].get(stream, {}).get("partitions", [{}])
    return entry.get("replication_key_value")


def failures(run):
    """What the summary says of failures, and which streams it marks."""
    lines = run.stderr.splitlines()
    told = [line.removeprefix("  FAILED: ") for line in lines if line.startswith("  FAILED: ")]
    return told, [line.split()[0] for line in lines if line.startswith("  ") and line.endswith(" failed")]


LISTS = {
    "bill_approval_policies": ("server_error", {}, "could not answer GET /v3/bill-approvals/policies "),
    "chart_of_accounts": ("not_json", {}, "could not answer GET /v3/classifications/chart-of-accounts "),
    "credit_memos": ("reset", {}, "to GET /v3/credit-memos: the connection failed"),
    "customers": ("refused", {"status": 409}, "refused GET /v3/customers for "),
    "items": ("unlisted", {}, "answered GET /v3/classifications/items without a list of records"),
    "payments": ("cut_connection", {}, "to GET /v3/payments: the connection failed"),
    "roles": ("without_id", {}, "BILL sent a row without id"),
    "users": ("html", {"status": 403}, "refused GET /v3/users for "),
}
"""Lists of which each always fails in a way of its own, and what is told of it."""

ODD = {
    b"/connect/v3/classifications/items": b'{"rows": []}',
    b"/connect/v3/roles": b'{"results": [{"type": "AUDITOR"}]}',
}


def odd(application):
    """A layer that gives answers which no fault of the emulator gives."""

    async def answering(scope, receive, send):
        body = ODD.get(scope["path"].encode()) if scope["type"] == "http" else None
        if body is None:
            await application(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return answering


def test_lists_that_always_fail_stop_no_other(tap, company):
    with Emulator(company=company, layers=[odd]) as emulator:
        for stream, (kind, options, _) in LISTS.items():
            (path,) = [resource.path for resource in ACCOUNTS if resource.name == stream]
            if kind not in {"unlisted", "without_id"}:
                emulator.faults.plan(kind, path=path, times=None, **options)
        run = tap(settings(emulator, max_retries=0))
    assert run.exit_code == 1
    assert "Traceback" not in run.stderr
    *lines, last = run.errors
    failing = [resource.name for resource in ACCOUNTS if resource.name in LISTS]
    for line, stream in zip(lines, failing, strict=True):
        assert line.startswith(f"{stream}: ")
        assert LISTS[stream][2] in line
    assert last == TOLD.format(len(LISTS), len(ACCOUNTS), ", ".join(failing))
    assert failures(run)[0] == lines
    assert {stream for stream in failures(run)[1] if stream in LISTS} == {*LISTS}
    assert is_whole(run, company, but=LISTS)
    for stream in LISTS:
        assert bookmark(run, stream) is None
    assert bookmark(run, "bills")
    with Emulator(company=company) as emulator:
        again = tap(settings(emulator), state=run.state)
    assert (again.exit_code, again.errors) == (0, [])
    for stream in LISTS:
        assert set(ids(again, stream)) == set(company.ids(stream)), stream
    assert len(again.records["vendors"]) < company.count("vendors")


def test_a_list_that_fails_in_the_middle_goes_on_there(tap):
    company = Company(seed=7, bills=100)
    with Emulator(company=company) as emulator:
        emulator.faults.plan("server_error", path="/v3/bills", after=4, times=None)
        small = settings(emulator, page_size=10, max_retries=0, max_concurrency=1)
        first = tap(small, select={"bills", "vendors"})
        emulator.faults.clear()
        second = tap(small, select={"bills", "vendors"}, state=first.state)
    assert first.exit_code == 1
    assert first.errors[-1] == TOLD.format(1, 2, "bills")
    assert 10 <= len(first.records["bills"]) <= 40
    assert bookmark(first, "bills") is None
    assert set(ids(first, "vendors")) == set(company.ids("vendors"))
    assert (second.exit_code, second.errors) == (0, [])
    assert len(second.records["bills"]) < 100
    assert {*ids(first, "bills"), *ids(second, "bills")} == set(company.ids("bills"))


@pytest.mark.measured
def test_a_part_that_fails_fails_what_it_belongs_to(tap, company, emulator):
    vendor = company.ids("vendors")[-1]
    streams = {"bills", "vendors", "vendor_attachments", "roles"}
    before = tap(settings(emulator), select=streams)
    company.edit("vendors", vendor, {"name": "Renamed"})
    company.edit("bills", company.ids("bills")[0], {"description": "edited"})
    company.edit("roles", company.ids("roles")[0], {"description": "edited"})
    emulator.faults.plan("refused", path=f"/v3/attachments/vendors/{vendor}", times=None, status=409)
    run = tap(settings(emulator), select=streams, state=before.state)
    assert run.exit_code == 1
    line, last = run.errors
    assert line.startswith(f"vendor_attachments: BILL refused GET /v3/attachments/vendors/{vendor} for ")
    assert last == TOLD.format(1, 3, "vendors")
    assert failures(run) == ([line], ["vendors", "vendor_attachments"])
    assert vendor in ids(run, "vendors")
    assert bookmark(run, "vendors") == bookmark(before, "vendors")
    assert bookmark(run, "bills") >= bookmark(before, "bills")
    assert company.ids("bills")[0] in ids(run, "bills")
    assert set(ids(run, "roles")) == set(company.ids("roles"))


# What concerns all


@pytest.mark.measured
def test_where_nothing_answers_any_more_nothing_more_is_tried(tap, emulator):
    emulator.faults.plan("reset", method="GET", times=None)
    run = tap(settings(emulator, max_retries=0, max_concurrency=1))
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"vendors: No answer from BILL emulator ({emulator.url}) to GET /v3/vendors: "
            "the connection failed; check that the host is up and reachable from here. "
            "Nothing else is answered either, so no more is read."
        )
    ]
    assert failures(run)[0] == run.errors
    assert run.records == {}


def test_a_redirect_ends_the_run(tap, emulator):
    emulator.faults.plan("redirect", path="/v3/vendors", times=None)
    run = tap(settings(emulator, max_concurrency=1), select={"bills", "vendors"})
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.startswith("vendors: BILL emulator ")
    assert "with a redirect (HTTP 302) to elsewhere.invalid, which is refused" in line
    assert run.records == {}


@pytest.mark.measured
def test_a_wait_that_bill_asks_for_in_one_list_stops_no_other(tap, company):
    def layer(application):
        async def answering(scope, receive, send):
            if scope["type"] == "http" and scope["path"].endswith("/v3/bills"):
                headers = [(b"retry-after", b"7200")]
                await send({"type": "http.response.start", "status": 503, "headers": headers})
                await send({"type": "http.response.body", "body": b"{}"})
                return
            await application(scope, receive, send)

        return answering

    with Emulator(company=company, layers=[layer]) as emulator:
        run = tap(settings(emulator), select={"bills", "vendors"})
    assert run.exit_code == 1
    line, last = run.errors
    assert line.startswith("bills: BILL could not answer GET /v3/bills for ")
    assert line.endswith(" BILL wants no request for 7200 seconds.")
    assert last == TOLD.format(1, 2, "bills")
    assert set(ids(run, "vendors")) == set(company.ids("vendors"))


@pytest.mark.measured(throughout=True)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("several", [False, True])
def test_an_output_that_takes_no_more_ends_the_run_with_one_line(tap, emulator, several):
    config = settings(emulator)
    if several:
        config["organizations"] = [
            {"organization_id": config.pop("organization_id")},
            {"organization_id": "00802OTHER"},
        ]
    done = tap(config, stdout="/dev/full")
    assert done.exit_code == 1
    assert done.errors[-1] == "Cannot write the output: No space left on device. Fix that, then run again."
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("option", ["--discover", "--about", "--test", "--verify-api", "--verify-api=json"])
def test_a_report_that_cannot_be_written_ends_with_one_line(tap, emulator, option):
    done = tap(settings(emulator), option, stdout="/dev/full")
    assert done.exit_code == 1
    assert done.errors[-1] == "Cannot write the output: No space left on device. Fix that, then run again."
    assert "Traceback" not in done.stderr


# Two sides


def both(emulator, **more):
    return {**settings(emulator), **emulator.spend_credentials, **more}


def test_a_wrong_token_leaves_the_accounts_alone(tap, company, emulator):
    run = tap(both(emulator, spend_api_token="wrong-token"))
    assert run.exit_code == 1
    line, last = run.errors
    assert line == (
        f"BILL emulator ({emulator.url}) refused spend_api_token (HTTP 401, BDC_1109): it is wrong, revoked, or of "
        "the other environment. Set it to a token that an administrator of Spend & Expense made there."
    )
    assert last == TOLD.format(len(SPEND), len(SPEND) + len(ACCOUNTS), ", ".join(SPEND))
    assert is_whole(run, company)
    assert not any(stream.startswith("spend_") for stream in run.records)
    told, marked = failures(run)
    assert told == [line]
    assert {*SPEND} <= {*marked}
    assert all(stream.startswith("spend_") for stream in marked)
    assert [request.path for request in emulator.requests if "/spend/" in request.path] == [
        "/connect/v3/spend/users/current"
    ]
    again = tap(both(emulator), state=run.state)
    assert (again.exit_code, again.errors) == (0, [])
    assert spend_is_whole(again, company)


@pytest.mark.parametrize(("setting", "code"), [("password", "BDC_1101"), ("dev_key", "BDC_1102")])
def test_wrong_credentials_of_the_accounts_leave_spend_and_expense_alone(tap, company, emulator, setting, code):
    run = tap(both(emulator, **{setting: "01WRONGVALUE"}))
    assert run.exit_code == 1
    line, last = run.errors
    organization = company.organization_id
    assert line.startswith(
        f"BILL emulator ({emulator.url}) refused the sign-in to organization {organization} with {code}"
    )
    names = [resource.name for resource in ACCOUNTS]
    assert last == TOLD.format(len(ACCOUNTS), len(SPEND) + len(ACCOUNTS), ", ".join(names))
    assert spend_is_whole(run, company)
    assert not any(run.records[resource.name] for resource in ACCOUNTS)
    assert failures(run)[0] == [line]
    assert [request.path for request in emulator.requests].count("/connect/v3/login") == 1


@pytest.mark.measured
def test_where_both_are_wrong_nothing_is_written(tap, emulator):
    run = tap(both(emulator, password="wrong", spend_api_token="wrong-token"))
    assert run.exit_code == 1
    session, token = run.errors
    assert "refused the sign-in to organization" in session
    assert "refused spend_api_token" in token
    assert run.stdout == ""
    assert failures(run)[0] == run.errors


def test_the_hour_of_the_accounts_is_not_that_of_spend_and_expense(tap, company, emulator):
    emulator.faults.plan("hour_used_up", path="/v3/bills", times=None)
    run = tap(both(emulator, rate_limit_max_wait=0, max_concurrency=1))
    assert run.exit_code == 1
    line, last = run.errors
    assert line.startswith(
        "BILL's hourly limit of requests for this developer key is used up (BDC_1144). Run again from"
    )
    names = [resource.name for resource in ACCOUNTS]
    unread = names[names.index("bills") :]
    assert last == TOLD.format(len(unread), len(SPEND) + len(ACCOUNTS), ", ".join(unread))
    assert spend_is_whole(run, company)
    assert set(ids(run, "vendors")) == set(company.ids("vendors"))
    assert bookmark(run, "bills") is None


REFUSAL = b'[{"code": "BDC_1109", "message": "no"}]'


def test_a_token_that_is_revoked_in_mid_run_ends_its_side(tap, company):
    with Emulator(company=company, layers=[refusing("/v3/spend/", body=REFUSAL, after=2)]) as emulator:
        run = tap(both(emulator, max_concurrency=1))
    assert run.exit_code == 1
    line, last = run.errors
    assert "refused spend_api_token (HTTP 401, BDC_1109)" in line
    assert "streams could not be read to the end: spend_" in last
    assert is_whole(run, company)


def test_one_list_that_refuses_the_token_stops_no_other(tap, company):
    with Emulator(company=company, layers=[refusing("/v3/spend/cards", body=REFUSAL)]) as emulator:
        run = tap(both(emulator))
    assert run.exit_code == 1
    line, last = run.errors
    assert line.startswith("spend_cards: BILL refused GET /v3/spend/cards for Spend & Expense (HTTP 401, BDC_1109: no)")
    assert last == TOLD.format(1, len(SPEND) + len(ACCOUNTS), "spend_cards")
    assert is_whole(run, company)
    for stream, table in SPEND.items():
        assert set(ids(run, stream)) == (set() if stream == "spend_cards" else set(company.spend.ids(table)))


# Faults of the tap itself


BROKEN_ROW = """
from tap_bill.singer.streams import BillStream
make_row = BillStream.make_row
def broken(self, *arguments):
    return {}["oops"] if self.name == "roles" else make_row(self, *arguments)
BillStream.make_row = broken
"""


@pytest.mark.measured
def test_a_fault_of_the_tap_stays_in_its_stream(tap, company, emulator):
    run = tap(settings(emulator), patch=BROKEN_ROW)
    assert run.exit_code == 1
    assert run.stderr.count("Traceback") == 1
    assert run.errors[-2:] == [
        "roles: KeyError, a fault of tap-bill: report it with the lines above.",
        TOLD.format(1, len(ACCOUNTS), "roles"),
    ]
    assert is_whole(run, company, but={"roles"})


# Several organizations


@pytest.fixture
def several():
    return [Company(seed=number, organization_id=f"00802ORGANIZATION{number:03}", bills=5) for number in range(3)]


def organizations(emulator, own=None, **more):
    common = {name: value for name, value in emulator.credentials.items() if name != "organization_id"}
    listed = [{"organization_id": id_, **(own or {}).get(id_, {})} for id_ in emulator.companies]
    return {**common, "api_url": emulator.url, "organizations": listed, **more}


UNMADE = """
for_organization = TapBill.for_organization
def broken(self, own, writer, shared):
    return {}["oops"] if own["organization_id"].endswith("001") else for_organization(self, own, writer, shared)
TapBill.for_organization = broken
"""

DYING = """
from tap_bill.run.organization import OrganizationRun
read = OrganizationRun.read
def broken(self):
    if self.organization_id.endswith("001"):
        raise SystemExit(0)
    return read(self)
OrganizationRun.read = broken
"""


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        (UNMADE, "organization 00802ORGANIZATION001: KeyError, a fault of tap-bill: report it with the lines above."),
        (DYING, "It was not read to the end."),
    ],
)
def test_every_organization_has_an_outcome(tap, several, patch, told):
    with Emulator(companies=several) as emulator:
        run = tap(organizations(emulator, max_organizations_in_parallel=3), patch=patch)
    assert run.exit_code == 1
    assert run.errors[-1].startswith("1 of 3 organizations could not be read to the end: 00802ORGANIZATION001. ")
    assert failures(run)[0] == [told]
    read = {row["organizationId"] for row in run.records["bills"]}
    assert read == {"00802ORGANIZATION000", "00802ORGANIZATION002"}


def test_a_list_that_fails_in_one_organization_stops_nothing_else(tap, several):
    failing = several[1].organization_id
    with Emulator(companies=several) as emulator:
        emulator.faults.plan("refused", path="/v3/bills", organization=failing, times=None)
        run = tap(organizations(emulator), select={"bills", "vendors"})
        emulator.faults.clear()
        again = tap(organizations(emulator), select={"bills", "vendors"}, state=run.state)
    assert run.exit_code == 1
    line, last = run.errors
    told = f"bills: BILL refused GET /v3/bills for organization {failing} (HTTP 400: not accepted)."
    assert line == f"{failing}: {told}"
    assert last.startswith(f"1 of 3 organizations could not be read to the end: {failing}. ")
    assert failures(run) == ([told], ["bills"])
    for stream in ("bills", "vendors"):
        truth = {(each.organization_id, id_) for each in several for id_ in each.ids(stream)}
        missing = {(failing, id_) for id_ in several[1].ids(stream)} if stream == "bills" else set()
        assert {(row["organizationId"], row["id"]) for row in run.records[stream]} == truth - missing
    assert again.exit_code == 0
    assert {(failing, id_) for id_ in several[1].ids("bills")} <= {
        (row["organizationId"], row["id"]) for row in again.records["bills"]
    }


@pytest.mark.measured
def test_one_side_of_one_organization(tap, several):
    known = {each.organization_id: Credentials(spend_api_token=f"token-{each.seed}") for each in several}
    own = {each.organization_id: {"spend_api_token": f"token-{each.seed}"} for each in several}
    wrong = several[2].organization_id
    own[wrong] = {"spend_api_token": "wrong-token"}
    with Emulator(companies=several, organization_credentials=known) as emulator:
        run = tap(organizations(emulator, own), select={"spend_cards", "bills"})
        url = emulator.url
    assert run.exit_code == 1
    line, last = run.errors
    assert line.startswith(f"{wrong}: BILL emulator ({url}) refused spend_api_token")
    assert last.startswith(f"1 of 3 organizations could not be read to the end: {wrong}. ")
    assert {row["organizationId"] for row in run.records["bills"]} == {each.organization_id for each in several}
    assert {row["organizationId"] for row in run.records["spend_cards"]} == {*own} - {wrong}


# tap-bill --test


@pytest.mark.measured
def test_the_connection_test_goes_on_with_the_other_organizations(tap, several):
    wrong, broken, fine = (each.organization_id for each in several)
    with Emulator(companies=several) as emulator:
        emulator.faults.plan("refused", path="/v3/bills", organization=broken, times=None)
        config = organizations(emulator, {wrong: {"password": "wrong"}})
        run = tap(config, "--test", select={"bills", "roles"})
        url = emulator.url
    assert run.exit_code == 1
    first, second = run.errors
    assert first.startswith(f"{wrong}: BILL emulator ({url}) refused the sign-in to organization {wrong} with ")
    assert second == f"{broken}: bills: BILL refused GET /v3/bills for organization {broken} (HTTP 400: not accepted)."
    assert run.stdout.splitlines() == [
        "Trying the streams that the catalog selects.",
        f"Signed in to BILL emulator ({url}), organization {broken}.",
        "  bills  cannot be read: see below",
        "  roles  can be read",
        "1 of 2 streams can be read.",
        f"Signed in to BILL emulator ({url}), organization {fine}.",
        "  bills  can be read",
        "  roles  can be read",
        "2 of 2 streams can be read.",
    ]


def test_the_connection_test_goes_on_with_the_other_side(tap, emulator):
    run = tap(both(emulator, spend_api_token="wrong-token"), "--test", select={"spend_cards", "roles"})
    assert run.exit_code == 1
    (line,) = run.errors
    assert "refused spend_api_token" in line
    assert run.stdout.splitlines()[2:] == [
        "  roles        can be read",
        "  spend_cards  cannot be tried: not signed in",
        "1 of 2 streams can be read.",
    ]
