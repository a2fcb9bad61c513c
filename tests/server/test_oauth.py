"""OAuth client credentials: one token for both sides of BILL, renewed once, and what ends it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import UTC, datetime

import canned
import pytest
import runs
from layers import before_request, refusing, ticking
from ways import CREDENTIALS

from bill_emulator import Clock, Company, Credentials, Emulator
from tap_bill.api.auth import SignIns
from tap_bill.api.oauth import OAuthAuthenticator, OAuthClient
from tap_bill.api.stats import StreamStats
from tap_bill.api.transport import ApiResponse
from tap_bill.resources import RESOURCES

SPEND = {
    resource.name: resource.name.removeprefix("spend_").replace("_", "-")
    for resource in RESOURCES
    if resource.is_spend and resource.is_default
}
"""Stream and the emulator's table."""

READERS = 6
"""Of both sides."""

TOKEN, AT_HOST = "/connect/authx/token", "/authx/token"


def settings(emulator, **more):
    return {**emulator.oauth_credentials, "api_url": emulator.url, **more}


def asked(emulator):
    return Counter((request.path, request.status) for request in emulator.requests)


def statuses(emulator):
    return Counter(request.status for request in emulator.requests)


def is_whole(run, company, *, spend=True):
    """Whether a run brought every row of both sides of BILL."""
    for resource in runs.ACCOUNTS:
        assert {row["id"] for row in run.records[resource.name]} == set(company.ids(resource.name)), resource.name
    for stream, table in SPEND.items() if spend else ():
        assert {row["id"] for row in run.records[stream]} == set(company.spend.ids(table)), stream
    return True


# One token


def test_one_token_reads_everything(tap, company, emulator):
    run = tap(settings(emulator))
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert is_whole(run, company)
    assert {row["organizationId"] for rows in run.records.values() for row in rows} == {company.organization_id}
    assert emulator.tokens == 1
    token, *others = emulator.requests
    assert token.headers & CREDENTIALS == set()
    assert {frozenset(request.headers & CREDENTIALS) for request in others} == {frozenset({"authorization"})}
    assert emulator.counters.peak_in_flight <= 3
    assert not any("is not read" in line or "Only Spend" in line for line in run.log("INFO"))
    (signed_in,) = [line for line in run.log("INFO") if line.startswith("Signed in")]
    assert (
        signed_in == f"Signed in to BILL emulator ({emulator.url}) with OAuth, organization {company.organization_id}."
    )


@pytest.mark.parametrize("stream", ["spend_cards", "roles"])
def test_one_side_alone(tap, emulator, stream):
    run = tap(settings(emulator), select={stream})
    assert (run.exit_code, run.errors) == (0, [])
    assert run.records[stream]
    assert [request.path for request in emulator.requests][:2] == [TOKEN, "/connect/v3/login/session"]
    assert len(emulator.requests) == 3


@pytest.mark.parametrize(
    ("place", "first"),
    [("connect", [(TOKEN, 200)]), ("host", [(TOKEN, 404), (AT_HOST, 200)])],
)
def test_the_token_is_asked_for_at_either_place(tap, company, place, first):
    with Emulator(company=company, token_place=place, token_requests=15) as emulator:
        run = tap(settings(emulator))
        found = asked(emulator)
        begun = [(request.path, request.status) for request in emulator.requests][: len(first)]
        issued = emulator.tokens
    assert (run.exit_code, run.errors) == (0, [])
    assert is_whole(run, company)
    assert begun == first
    assert issued > 1
    tokens = {key: count for key, count in found.items() if key[0] in (TOKEN, AT_HOST)}
    assert tokens == {**dict.fromkeys(first, 1), first[-1]: issued}  # the place that has none is asked once


def test_the_token_is_asked_for_nowhere_else(tap, company):
    with Emulator(company=company, token_place="nowhere") as emulator:
        run = tap(settings(emulator))
        url = emulator.url
        assert asked(emulator) == {(TOKEN, 404): 1, (AT_HOST, 404): 1}
    assert run.exit_code == 1
    host = url.removesuffix("/connect")
    assert run.errors == [
        (
            f"BILL emulator ({url}) issues no OAuth tokens, at least not at {url}/authx/token or {host}/authx/token "
            "(HTTP 404). Check api_url, or sign in with username, password and dev_key in place of client_id and "
            "client_secret."
        )
    ]
    assert run.stdout == ""


@pytest.mark.measured
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, "<html>no such page</html>"),
        (404, ""),
        (400, '[{"code": "BDC_1121", "message": "This API is not supported."}]'),
        (404, '{"message": "no Route matched with those values"}'),
    ],
)
def test_a_place_without_tokens_may_say_so_in_many_ways(tap, httpserver, status, body):
    config = canned.serve_oauth(httpserver, {"/v3/roles": {"results": []}})
    httpserver.clear()
    token = {"access_token": "t", "token_type": "bearer"}
    httpserver.expect_request("/connect/authx/token").respond_with_data(body, status)
    httpserver.expect_request("/authx/token").respond_with_json(token)
    httpserver.expect_request("/connect/v3/roles").respond_with_json({"results": []})
    run = tap(config, select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    assert canned.asked(httpserver)[:2] == ["/authx/token", "/authx/token"]
    assert [request.path for request, _ in httpserver.log][:2] == ["/connect/authx/token", "/authx/token"]


@pytest.mark.measured
def test_the_organization_of_the_token_has_to_be_the_one_that_names_the_rows(tap, httpserver):
    config = canned.serve_oauth(httpserver, {"/v3/login/session": {"organizationId": "00802OTHER"}})
    run = tap(config)
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"BILL emulator ({config['api_url']}) opened organization 00802OTHER instead of {canned.ORGANIZATION}; set "
            "organization_id to the organization that these credentials belong to."
        )
    ]
    assert run.stdout == ""


@pytest.mark.parametrize("answer", [401, 403, 404, {"userId": "006"}, [], "nonsense"])
def test_a_token_whose_organization_bill_does_not_tell_is_taken(tap, httpserver, answer):
    config = canned.serve_oauth(httpserver, {"/v3/roles": {"results": []}, "/v3/login/session": answer})
    run = tap(config | {"max_retries": 1}, select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    assert canned.asked(httpserver).count("/authx/token") == 1


# Renewed


@pytest.mark.parametrize("refusal", ["bill", "rfc6750"])
@pytest.mark.parametrize("expires_in", ["right", "missing"])
def test_a_token_that_lives_15_requests(tap, company, refusal, expires_in):
    kept = {"token_refusal": refusal, "token_expires_in": expires_in}
    with Emulator(company=company, token_requests=15, **kept) as emulator:
        run = tap(settings(emulator, page_size=10))
        found, issued = statuses(emulator), emulator.tokens
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert is_whole(run, company)
    assert issued == -(-(found[200] - issued) // 15)  # as many as are needed, however many readers notice an end
    assert set(found) == {200, 401}


def test_a_token_that_lives_2_seconds(tap, company):
    clock = Clock(datetime(2026, 7, 1, 12, tzinfo=UTC), frozen=True)

    with Emulator(company=company, clock=clock, token_seconds=2, layers=[ticking(clock)]) as emulator:
        accounts = {resource.name for resource in runs.ACCOUNTS}
        run = tap(settings(emulator, max_concurrency=1), select=accounts)
        found, issued = statuses(emulator), emulator.tokens
    assert (run.exit_code, run.errors) == (0, [])
    assert is_whole(run, company, spend=False)
    assert found == {200: found[200], 401: issued - 1}
    assert issued > len(accounts) / 2


@pytest.mark.parametrize("expires_in", ["right", "missing", "text", "digits", "zero", "negative"])
def test_whatever_is_said_of_its_life_a_token_is_used_until_bill_refuses_it(tap, company, expires_in):
    layers = [before_request(3, lambda: emulator.revoke_tokens(), "/v3/bills")]  # noqa: PLW0108 - not there yet
    with Emulator(company=company, layers=layers, token_expires_in=expires_in) as emulator:
        run = tap(settings(emulator, page_size=10, max_concurrency=1), select={"bills"})
        assert emulator.tokens == 2
        assert statuses(emulator)[401] == 1
    assert (run.exit_code, run.errors) == (0, [])
    assert len(run.records["bills"]) == company.count("bills")


def test_readers_that_notice_at_once_renew_once(tap):
    """The first three requests are held until all are under way; then their token ends."""
    company = Company(seed=7, bills=25)
    arrived = 0

    def layer(application):
        async def holding(scope, receive, send):
            nonlocal arrived
            if scope["method"] == "GET" and not scope["path"].endswith("/login/session"):
                arrived += 1
                if arrived <= 3:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(60):
                            while arrived < 3:  # noqa: ASYNC110 - what is counted sets no event
                                await asyncio.sleep(0.005)
                    emulator.revoke_tokens() if arrived == 3 and emulator.tokens == 1 else None
            await application(scope, receive, send)

        return holding

    with Emulator(company=company, layers=[layer]) as emulator:
        run = tap(settings(emulator), select={"bills", "roles", "vendors"})
        assert emulator.tokens == 2
        assert statuses(emulator)[401] == 3
    assert (run.exit_code, run.errors) == (0, [])
    assert len(run.records["bills"]) == 25


class Bill:
    """What an authenticator needs of a requester; it issues a token with this life."""

    api_url = "http://127.0.0.1/connect"

    def __init__(self, life):
        self.life = life
        self.issued = 0

    def send(self, request, *_):
        if request.method == "GET":
            return ApiResponse({"organizationId": "00801A"}, None, None, None)
        self.issued += 1
        body = {"access_token": f"t{self.issued}", "token_type": "Bearer", "expires_in": self.life}
        return ApiResponse(body, None, None, None)


@pytest.mark.parametrize(
    ("life", "good_for"),
    [(3600, 3540), ("1800", 1740), (100, 90), (2, 1.8), (None, None), (0, None), (-5, None), ("soon", None)],
)
def test_a_token_is_renewed_a_little_before_it_expires(life, good_for):
    time = 1000.0
    bill, stats = Bill(life), StreamStats()
    client = OAuthClient({"client_id": "c", "client_secret": "s", "organization_id": "00801A"})
    token = OAuthAuthenticator(bill, client, quotas=(), sign_ins=SignIns(), stats=stats, monotonic=lambda: time)
    first = token.headers()
    time += good_for * 0.99 if good_for else 10**9
    assert token.headers() is first
    if good_for:
        time += good_for * 0.02
        second = token.headers()
        assert second is not first
        assert token.headers() is second
    assert (bill.issued, stats.renewals) == ((2, 1) if good_for else (1, 0))


# Refused


@pytest.mark.measured
def test_a_token_that_is_refused_right_after_it_was_issued_ends_the_run(tap, company):
    def layer(application):
        async def revoking(scope, receive, send):
            if scope["method"] == "GET":
                emulator.revoke_tokens()
            await application(scope, receive, send)

        return revoking

    with Emulator(company=company, layers=[layer]) as emulator:
        run = tap(settings(emulator))
        url = emulator.url
        assert emulator.tokens <= 1 + READERS  # at most one more for each that found its first token refused
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"BILL emulator ({url}) refused the OAuth token of organization {company.organization_id} right after it "
            "had issued it (HTTP 401, BDC_1109). Check in BILL's web app that the developer app of client_id is active "
            "and that the user who made it still has access, then run again."
        )
    ]
    assert run.records == {}


@pytest.mark.measured
@pytest.mark.parametrize(("shape", "code"), [("rfc6749", "invalid_client"), ("bill", "BDC_1101")])
def test_an_app_that_is_deleted_in_mid_run_ends_it_with_one_line(tap, company, shape, code):
    def end():
        emulator.refuse_clients()
        emulator.revoke_tokens()

    with Emulator(company=company, layers=[before_request(2, end, "/v3/bills")], token_errors=shape) as emulator:
        run = tap(settings(emulator, page_size=10))
        assert asked(emulator)[TOKEN, 401] == 1
        url = emulator.url
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.startswith(
        f"BILL emulator ({url}) refused client_id and client_secret of organization {company.organization_id} "
        f"(HTTP 401, {code}): they are wrong, expired or revoked, or of the other environment"
    )


@pytest.mark.measured(throughout=True)
@pytest.mark.parametrize(
    ("kind", "options", "end"),
    [
        (
            "refused",
            {"status": 403, "code": "BDC_1105", "message": "no"},
            (
                "(HTTP 403, BDC_1105): the organization has no API access. Ask BILL or the organization's "
                "administrator to enable it."
            ),
        ),
        (
            "server_error",
            {},
            "BILL has trouble with this request; run again later, and contact BILL's support if it happens again.",
        ),
    ],
)
def test_other_trouble_with_the_token(tap, emulator, kind, options, end):
    emulator.faults.plan(kind, path="/authx/token", times=None, **options)
    run = tap(settings(emulator, max_retries=1), select={"roles", "spend_cards"})
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.endswith(end)


def test_trouble_that_passes_costs_nothing_but_time(tap, emulator):
    emulator.faults.plan("reset", path="/authx/token")
    emulator.faults.plan("server_error", path="/authx/token")
    run = tap(settings(emulator), select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    assert emulator.tokens == 1


REFUSAL = b'{"error": "invalid_token"}'


def test_spend_and_expense_that_refuses_the_token_leaves_the_rest_alone(tap, company):
    with Emulator(company=company, layers=[refusing("/v3/spend/", body=REFUSAL)]) as emulator:
        run = tap(settings(emulator))
        url = emulator.url
    assert run.exit_code == 1
    line, last = run.errors
    assert line == (
        f"BILL emulator ({url}) refused the OAuth token for Spend & Expense (HTTP 401, invalid_token), though not for "
        "the rest. Give the user who made the developer app access to Spend & Expense, or deselect its streams."
    )
    assert last.startswith(f"{len(SPEND)} of {len(SPEND) + len(runs.ACCOUNTS)} streams could not be read to the end: ")
    assert is_whole(run, company, spend=False)


@pytest.mark.parametrize("silent", [(), ("/v3/login/session",)], ids=["", "BILL tells nothing of tokens"])
def test_one_list_that_refuses_the_token_stops_no_other(tap, company, silent):
    with Emulator(company=company, layers=[refusing("/v3/users", *silent, body=REFUSAL)]) as emulator:
        run = tap(settings(emulator, max_concurrency=1))
    assert run.exit_code == 1
    line, last = run.errors
    assert line == (
        f"users: BILL refused GET /v3/users for organization {company.organization_id} (HTTP 401, invalid_token): "
        "also with a fresh token, which BILL accepts elsewhere. Check that the user who made the developer app may "
        "read this, or deselect it."
    )
    assert last.startswith(f"1 of {len(SPEND) + len(runs.ACCOUNTS)} streams could not be read to the end: users. ")
    assert len(run.records["bills"]) == company.count("bills")
    assert run.records["spend_users"]


@pytest.mark.measured
def test_a_scope_that_does_not_cover_a_list_is_a_missing_permission(tap, httpserver):
    config = canned.serve_oauth(httpserver, {"/v3/users": {"results": []}})
    refusal = {"error": "insufficient_scope", "error_description": "The token has not the scope for this"}
    httpserver.expect_request("/connect/v3/roles").respond_with_json(refusal, 403)
    run = tap(config, select={"roles", "users"})
    assert (run.exit_code, run.errors) == (0, [])
    (line,) = run.warnings
    assert line.startswith(
        "roles: skipped, because BILL does not let this user read it (HTTP 403, insufficient_scope: The token has not "
        "the scope for this): it needs "
    )


@pytest.mark.measured
def test_the_hour_of_the_app_is_named(tap, emulator):
    emulator.faults.plan("hour_used_up", path="/v3/bills", times=None)
    run = tap(settings(emulator, rate_limit_max_wait=0), select={"bills"})
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.startswith("BILL's hourly limit of requests for this developer app is used up (BDC_1144). Run again")


# Several organizations


def organization(number):
    return f"00802ORGANIZATION{number:03}"


@pytest.fixture
def ten():
    return [Company(seed=number, organization_id=organization(number), bills=10) for number in range(10)]


def app(number):
    return {"client_id": f"client-{number}", "client_secret": f"secret-{number}"}


def test_ten_organizations_with_ten_apps(tap, ten):
    known = {each.organization_id: Credentials(**app(number)) for number, each in enumerate(ten)}
    listed = [{"organization_id": each.organization_id, **app(number)} for number, each in enumerate(ten)]
    listed[3]["client_secret"] = "wrong"
    with Emulator(companies=ten, organization_credentials=known) as emulator:
        run = tap({"api_url": emulator.url, "organizations": listed}, select={"bills", "spend_cards"})
        assert emulator.tokens == 9
        assert asked(emulator)[TOKEN, 401] == 1
    assert run.exit_code == 1
    line, last = run.errors
    assert line.startswith(f"{organization(3)}: BILL emulator ")
    assert f"refused client_id and client_secret of organization {organization(3)} (HTTP 401, invalid_client)" in line
    assert last.startswith(f"1 of 10 organizations could not be read to the end: {organization(3)}. ")
    fine = [each for each in ten if each.organization_id != organization(3)]
    assert {(row["organizationId"], row["id"]) for row in run.records["bills"]} == {
        (each.organization_id, id_) for each in fine for id_ in each.ids("bills")
    }
    assert {(row["organizationId"], row["id"]) for row in run.records["spend_cards"]} == {
        (each.organization_id, id_) for each in fine for id_ in each.spend.ids("cards")
    }


def test_an_organization_with_oauth_takes_nothing_else_from_the_top(tap, ten):
    two = ten[:2]
    common = {"username": "user", "password": "password", "dev_key": "01KEY"}
    known = {
        organization(0): Credentials(**common, client_id="", client_secret=""),
        organization(1): Credentials("other", "other", "01OTHER", **app(1)),
    }
    listed = [{"organization_id": organization(0)}, {"organization_id": organization(1), **app(1)}]
    with Emulator(companies=two, organization_credentials=known) as emulator:
        run = tap({**common, "api_url": emulator.url, "organizations": listed}, select={"roles", "spend_cards"})
        assert (emulator.tokens, emulator.logins) == (1, 1)
    assert (run.exit_code, run.errors) == (0, [])
    assert {row["organizationId"] for row in run.records["roles"]} == {organization(0), organization(1)}
    assert {row["organizationId"] for row in run.records["spend_cards"]} == {organization(1)}


# tap-bill --test


@pytest.mark.measured
def test_the_connection_test_names_the_way_and_what_to_mend(tap, company):
    with Emulator(company=company, forbid=["vendors"]) as emulator:
        run = tap(settings(emulator), "--test", select={"bills", "vendors", "spend_cards"})
        url = emulator.url
    assert (run.exit_code, run.errors) == (0, [])
    assert run.stdout.splitlines()[1:] == [
        f"Signed in to BILL emulator ({url}) with OAuth, organization {company.organization_id}.",
        (
            "  vendors      may not be read (HTTP 403, BDC_1302: The user's role may not do this): it needs a role "
            "with permission to read Vendor records"
        ),
        "  bills        can be read",
        "  spend_cards  can be read",
        "2 of 3 streams can be read.",
        (
            "Give the user who made the developer app a role with these permissions in BILL, or deselect the streams. "
            "If the role has them, the app's scope lacks them: make another app, because BILL does not let a scope be "
            "changed."
        ),
    ]
    assert run.log("INFO")[-1] == "Signed in with OAuth: client_id and client_secret."


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({}, ["Signed in with a session: username, password and dev_key."]),
        (
            {"console_api_token": "console"},
            ["Signed in with a session by a Console API token: username, console_api_token and dev_key."],
        ),
        (
            {"spend_api_token": "spend"},
            [
                "Signed in with a session: username, password and dev_key.",
                "Signed in with the token of Spend & Expense: spend_api_token.",
            ],
        ),
    ],
)
def test_the_connection_test_names_the_other_ways(tap, company, settings, lines):
    known = Credentials(console_api_token="console", spend_api_token="spend")
    with Emulator(company=company, credentials=known) as emulator:
        config = {**emulator.credentials, "api_url": emulator.url, **settings}
        if "console_api_token" in settings:
            del config["password"]
        run = tap(config, "--test", select={"roles", "spend_cards"})
    assert (run.exit_code, run.errors) == (0, [])
    assert [line for line in run.log("INFO") if line.startswith("Signed in with")] == lines
