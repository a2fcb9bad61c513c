"""Spend & Expense: a token instead of a session, its own limits, and lists that do not always do as they are asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import canned
import pytest
import runs

from bill_emulator import Clock, Company, Emulator
from tap_bill.api.limits import MINUTE, PER_MINUTE, RateLimiter
from tap_bill.api.stats import StreamStats
from tap_bill.resources import RESOURCES

DEFAULT = {resource.name: resource for resource in RESOURCES if resource.is_spend and resource.is_default}
TABLES = {name: name.removeprefix("spend_").replace("_", "-") for name in DEFAULT}
"""Stream and the emulator's table."""


TRANSACTION, REIMBURSEMENT = ["organizationId", "transactionUuid"], ["organizationId", "reimbursementUuid"]
KEYS = {
    **{stream: ["organizationId", "uuid"] for stream in DEFAULT},
    "spend_transaction_custom_fields": [*TRANSACTION, "uuid"],
    "spend_transaction_custom_field_values": [*TRANSACTION, "customFieldUuid", "uuid"],
    "spend_transaction_receipts": [*TRANSACTION, "uuid"],
    "spend_transaction_reviewers": [*TRANSACTION, "position"],
    "spend_transaction_reviews": [*TRANSACTION, "position"],
    "spend_transaction_accounting_transactions": [*TRANSACTION, "position"],
    "spend_reimbursement_custom_fields": [*REIMBURSEMENT, "uuid"],
    "spend_reimbursement_custom_field_values": [*REIMBURSEMENT, "customFieldUuid", "uuid"],
    "spend_reimbursement_receipts": [*REIMBURSEMENT, "uuid"],
    "spend_reimbursement_status_history": [*REIMBURSEMENT, "position"],
}


def settings(emulator, **more):
    return {**emulator.spend_credentials, "api_url": emulator.url, **more}


def truth(company, stream):
    return {row["uuid"]: row for row in company.spend.rows(TABLES[stream])}


def read(*several, stream, organization=""):
    """The rows of a stream after one or more runs, by uuid and without the organization, which is the same in all."""
    rows = [dict(row) for run in several for row in run.records[stream]]
    assert {row.pop("organizationId") for row in rows} == {organization}
    return {row["uuid"]: row for row in rows}


def bookmark(run):
    (entry,) = run.state["bookmarks"]["spend_transactions"]["partitions"]
    return entry["replication_key_value"]


def paths(emulator):
    return [request.path.removeprefix("/connect/v3") for request in emulator.requests]


def test_a_token_is_enough(tap, company, emulator):
    run = tap(settings(emulator))
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert "Only Spend & Expense is read: username, password, dev_key, organization_id are not set." in run.log("INFO")
    for stream in DEFAULT:
        assert read(run, stream=stream) == truth(company, stream), stream
        assert len(run.records[stream]) == len(truth(company, stream))
    audit = {"sync_audit": ["organizationId", "stream", "startedAt"]}
    assert {message["stream"]: message["key_properties"] for message in run.of("SCHEMA")} == KEYS | audit
    for stream, key in KEYS.items():
        keys = [tuple(row[column] for column in key) for row in run.records[stream]]
        assert keys, stream
        assert len(set(keys)) == len(keys), stream
    assert {row["organizationId"] for rows in run.records.values() for row in rows} == {""}
    asked = paths(emulator)
    assert asked[0] == "/spend/users/current"
    assert all(path.startswith("/spend/") for path in asked)
    for request in emulator.requests:
        assert "apitoken" in request.headers
        assert not request.headers & {"sessionid", "devkey"}
    assert emulator.spend.card_numbers == 0
    assert "4111111111111111" not in run.stdout


def test_lines_are_those_of_their_records(tap, company, emulator):
    run = tap(settings(emulator))
    transactions = company.spend.rows("transactions")
    expected = [
        {
            "organizationId": "",
            "transactionUuid": row["uuid"],
            "customFieldUuid": field["uuid"],
            "position": position,
            **value,
            "parentUpdatedTime": row["updatedTime"],
        }
        for row in transactions
        for position, (field, value) in enumerate(
            ((field, value) for field in row["customFields"] for value in field.get("selectedValues", [])), 1
        )
    ]
    found = run.records["spend_transaction_custom_field_values"]
    assert sorted(found, key=json_key) == sorted(expected, key=json_key)
    assert len(run.records["spend_transaction_receipts"]) == sum(len(row["receipts"]) for row in transactions) > 0
    assert len(run.records["spend_transaction_reviewers"]) == sum(len(row["reviewers"]) for row in transactions) > 0


def json_key(row):
    return json.dumps(row, sort_keys=True, default=str)


def test_the_second_run_brings_what_changed(tap, company):
    with Emulator(company=company) as emulator:
        begun = f"{company.clock.now():%Y-%m-%dT%H:%M:%S}.000Z"
        first = tap(settings(emulator, lookback_seconds=60))
        assert begun <= bookmark(first) <= f"{company.clock.now():%Y-%m-%dT%H:%M:%S}.000Z"
        old = company.spend.ids("transactions")[3]
        company.spend.edit("transactions", old, {"merchantName": "Changed"})
        added = company.spend.add_transaction()["id"]
        second = tap(settings(emulator, lookback_seconds=60), state=first.state)
        filters = [
            r.query["filters"] for r in emulator.requests if r.path.endswith("transactions") and "filters" in r.query
        ]
    assert filters == [f'updatedTime:gte:"{shifted(bookmark(first), -60)}"']
    rows = read(second, stream="spend_transactions")
    assert {old, added} <= {row["id"] for row in rows.values()}
    assert len(rows) < len(truth(company, "spend_transactions"))
    assert read(first, second, stream="spend_transactions") == truth(company, "spend_transactions")


def shifted(time, seconds):
    from datetime import datetime, timedelta  # noqa: PLC0415

    return f"{datetime.fromisoformat(time) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.000Z"


def test_rows_that_are_edited_while_a_list_is_read_come_along(tap):
    company = Company(seed=7, bills=200)

    def layer(application):
        async def editing(scope, receive, send):
            await application(scope, receive, send)
            if scope["path"].endswith("/transactions"):
                company.spend.edit("transactions", company.spend.ids("transactions")[1], {"merchantName": "Edited"})
                company.spend.add_transaction()

        return editing

    with Emulator(company=company, layers=[layer]) as emulator:
        first = tap(settings(emulator, page_size=20), select={"spend_transactions"})
    with Emulator(company=company) as emulator:
        second = tap(settings(emulator), state=first.state, select={"spend_transactions"})
    assert read(first, second, stream="spend_transactions") == truth(company, "spend_transactions")


def test_pages_are_as_large_as_each_list_allows(tap, emulator):
    assert tap(settings(emulator)).exit_code == 0
    sizes = {request.path.rpartition("/")[2]: request.query.get("max") for request in emulator.requests}
    assert sizes == {"current": None, "transactions": "50", **{TABLES[n]: "100" for n in DEFAULT if "trans" not in n}}


def test_retired_rows_are_asked_for_by_name(tap, company, emulator):
    run = tap(settings(emulator), select={"spend_budgets"})
    _, *asked = [request.query.get("filters") for request in emulator.requests]
    assert sorted(asked) == ["retired:eq:false", "retired:eq:true"]  # at the same time
    assert {row["retired"] for row in run.records["spend_budgets"]} == {True, False}
    assert read(run, stream="spend_budgets") == truth(company, "spend_budgets")


@pytest.mark.measured
@pytest.mark.parametrize(
    ("quirk", "why", "in_between", "shows"),
    [
        # A value has no field that tells whether it is retired, so nothing shows; asking twice does no harm.
        ("ignore_filters", "BILL did not keep to the filter that was asked for", [], []),
        (
            "refuse_filters",
            "BILL refused to filter and sort it as asked for (HTTP 400: filters: not accepted)",
            [],
            ["spend_custom_field_values"],
        ),
    ],
)
def test_a_filter_without_effect_is_noticed(tap, company, quirk, why, in_between, shows):
    with Emulator(company=company) as emulator:
        before = tap(settings(emulator))
    old = company.spend.ids("transactions")[3]
    company.spend.edit("transactions", old, {"merchantName": "Changed"})
    streams = {"spend_transactions", "spend_users", "spend_custom_field_values"}
    with Emulator(company=company, spend_quirks=[quirk]) as emulator:
        kept = {"spend_transactions": before.state["bookmarks"]["spend_transactions"]}
        run = tap(settings(emulator), state={"bookmarks": kept}, select=streams)
    assert run.exit_code == 0
    instead = [*in_between, "read whole, and its bookmark stays"]
    assert sorted(run.warnings) == [f"spend_transactions: {why}, so it is {how}." for how in instead]
    assert sorted(line for line in run.log("INFO") if line.endswith("so it is read whole.")) == [
        *(f"{stream}: {why}, so it is read whole." for stream in (*shows, "spend_custom_fields", "spend_users")),
    ]
    for stream in ("spend_transactions", "spend_users"):
        assert read(run, stream=stream) == truth(company, stream)
    values = {row["id"] for id_ in company.spend.ids("custom-fields") for row in company.spend.values(id_)}
    assert {row["id"] for row in run.records["spend_custom_field_values"]} == values
    assert bookmark(run) == bookmark(before)


@pytest.mark.measured
def test_a_sort_that_is_refused_costs_nothing_but_the_order(tap, company):
    def layer(application):
        async def refusing(scope, receive, send):
            if b"sort=" in scope["query_string"]:
                scope["query_string"] = scope["query_string"].replace(b"sort=occurredTime", b"sort=nothing")
            await application(scope, receive, send)

        return refusing

    with Emulator(company=company, layers=[layer]) as emulator:
        run = tap(settings(emulator), select={"spend_transactions"})
    assert run.exit_code == 0
    (line,) = run.warnings
    assert line.endswith(
        "sort: nothing cannot be sorted by), so one reader follows BILL's own cursor, twice where there is more than a "
        "page."
    )
    assert read(run, stream="spend_transactions") == truth(company, "spend_transactions")
    assert bookmark(run)


@pytest.mark.measured
@pytest.mark.parametrize(
    ("quirk", "how"),
    [
        ("same_page", "BILL sent a cursor for the second time, so its list has no end"),
        ("fresh_cursors", "BILL sent the same page 3 times in a row under different cursors"),
    ],
)
def test_a_list_that_goes_round_in_circles_stops_the_run(tap, quirk, how):
    with Emulator(company=Company(seed=7, bills=200), spend_quirks=[quirk]) as emulator:
        run = tap(settings(emulator), select={"spend_transactions"})
        assert len(emulator.requests) < 6
    assert run.exit_code == 1
    (line,) = run.errors
    assert line == (
        f"spend_transactions: {how}; nothing is lost, the bookmark has not moved: run again, "
        "and contact BILL's support if it happens again."
    )
    assert "replication_key_value" not in run.stdout


# A uuid for every record


def test_id_is_not_needed(tap):
    """Lists of several pages are read, and written by their keys, also once BILL leaves the deprecated id out."""
    company = Company(seed=7, bills=200)
    for table in TABLES.values():
        for id_ in company.spend.ids(table):
            company.spend.edit(table, id_, {}, remove=("id",))
    with Emulator(company=company, spend_limit=0) as emulator:
        run = tap(settings(emulator, page_size=20))
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    for stream in DEFAULT:
        assert read(run, stream=stream) == truth(company, stream), stream
    assert bookmark(run)


@pytest.mark.parametrize("uuid", [None, 5])
@pytest.mark.parametrize(("stream", "table"), [("spend_cards", "cards"), ("spend_transactions", "transactions")])
def test_a_record_without_a_uuid_stops_its_stream_alone(tap, company, emulator, stream, table, uuid):
    changes, remove = ({"uuid": uuid}, ()) if uuid else ({}, ("uuid",))
    company.spend.edit(table, company.spend.ids(table)[2], changes, remove=remove)
    run = tap(settings(emulator))
    assert run.exit_code == 1
    assert run.errors == [
        f"{stream}: BILL sent a row without uuid, so it has no key; contact BILL's support.",
        (
            f"1 of 6 streams could not be read to the end: {stream}. The reason for each is above; what was read is "
            "kept, and the next run resumes there."
        ),
    ]
    assert "Traceback" not in run.stderr
    for other in DEFAULT.keys() - {stream}:
        assert read(run, stream=other) == truth(company, other), other
    assert "replication_key_value" not in json.dumps(run.state["bookmarks"].get(stream, {}))


@pytest.mark.measured
def test_a_member_without_a_uuid_stops_its_stream_alone(tap, httpserver):
    answers = {
        "/v3/spend/users/current": {},
        "/v3/spend/budgets": {"results": [{"uuid": "bgt_1"}]},
        "/v3/spend/budgets/bgt_1/members": {"results": [{"userId": "VXNlcjox"}]},
        "/v3/spend/cards": {"results": [{"uuid": "crd_1"}]},
    }
    config = canned.serve(httpserver, answers) | {"spend_api_token": "token"}
    run = tap(config, select={"spend_budgets", "spend_budget_members", "spend_cards"})
    assert run.exit_code == 1
    assert run.errors[0] == (
        "spend_budget_members: BILL sent a row without userUuid, so it has no key; contact BILL's support."
    )
    assert run.records["spend_cards"] == [{"organizationId": canned.ORGANIZATION, "uuid": "crd_1"}]


OLD = {"replication_key": "updatedTime", "replication_key_value": "2026-06-20T12:00:00.000Z"}


@pytest.mark.parametrize("old", [{}, {"key": "id"}, {"key": "somethingElse"}])
@pytest.mark.parametrize("tables", [["spend_transactions"], DEFAULT["spend_transactions"].tables])
def test_a_bookmark_of_another_key_is_read_again_once(tap, old, tables):
    company = Company(seed=7, bills=25, clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC), frozen=True))
    tables = sorted(tables)
    entry = {"context": {"organizationId": ""}, **OLD, "covers": tables, **old}
    state = {"bookmarks": {"spend_transactions": {"partitions": [entry]}}}

    def run(state):
        company.clock.advance(3600)
        with Emulator(company=company) as emulator:
            done = tap(settings(emulator), state=state, select={*tables})
            asked = [request.query.get("filters") for request in emulator.requests if "transactions" in request.path]
        assert (done.exit_code, done.errors) == (0, [])
        return done, asked

    first, asked = run(state)
    assert asked == [None]
    assert read(first, stream="spend_transactions") == truth(company, "spend_transactions")
    assert first.warnings == [
        (
            f"spend_transactions: its bookmark is of rows with the key {old.get('key', 'id')}, and the key is uuid "
            "now, so it is read from the beginning. Tables with the old key have to be dropped first; see the "
            "changelog."
        )
    ]
    begun = "2026-07-01T13:00:00.000Z"
    new = {**OLD, "replication_key_value": begun, "covers": tables, "key": "uuid", "whole": begun}
    assert first.state["bookmarks"]["spend_transactions"]["partitions"] == [entry | new]
    second, asked = run(first.state)
    assert asked == ['updatedTime:gte:"2026-07-01T12:55:00.000Z"']
    assert (second.warnings, second.of("RECORD")) == ([], [])


@pytest.mark.measured
def test_a_bookmark_of_another_key_is_not_used_after_a_run_that_failed(tap, company, emulator):
    entry = {"context": {"organizationId": ""}, **OLD, "covers": ["spend_transactions"]}
    emulator.faults.plan("server_error", path="/v3/spend/transactions", times=None)
    streams = {"spend_cards", "spend_transactions"}
    state = {"bookmarks": {"spend_transactions": {"partitions": [entry]}}}
    first = tap(settings(emulator, max_retries=0), state=state, select=streams)
    assert (first.exit_code, len(first.warnings)) == (1, 1)
    emulator.faults.clear()
    second = tap(settings(emulator), state=first.state, select=streams)
    assert (second.exit_code, second.warnings) == (0, [])
    assert read(second, stream="spend_transactions") == truth(company, "spend_transactions")
    assert bookmark(second)


# With and without the other side


def test_both_sides_in_one_run(tap, company, emulator):
    run = tap({**emulator.credentials, **settings(emulator)})
    assert (run.exit_code, run.errors) == (0, [])
    for stream in DEFAULT:
        assert read(run, stream=stream, organization=company.organization_id) == truth(company, stream)
    for resource in runs.ACCOUNTS:
        assert {row["id"] for row in run.records[resource.name]} == set(company.ids(resource.name))
    for request in emulator.requests:
        if "/v3/spend/" in request.path:
            assert not request.headers & {"sessionid", "devkey"}
        else:
            assert "apitoken" not in request.headers


def test_without_a_token_only_the_accounts_are_read(tap, emulator):
    run = tap({**emulator.credentials, "api_url": emulator.url})
    assert run.exit_code == 0
    lines = [line for line in run.log("INFO") if line.startswith("Spend & Expense is not read")]
    assert lines == ["Spend & Expense is not read: spend_api_token is not set."]
    assert not any(stream.startswith("spend_") for stream in run.records)
    assert not any("/spend/" in path for path in paths(emulator))


def test_no_login_for_spend_streams_alone(tap, emulator):
    run = tap({**emulator.credentials, **settings(emulator)}, select={"spend_cards"})
    assert run.exit_code == 0
    assert paths(emulator) == ["/spend/users/current", "/spend/cards"]


def test_nothing_that_is_selected_can_be_read(tap, emulator):
    run = tap({**emulator.credentials, "api_url": emulator.url}, select={"spend_cards"})
    assert run.exit_code == 1
    assert run.errors == [
        "No stream is selected that can be read. Spend & Expense is not read: spend_api_token is not set."
    ]


def test_half_a_sign_in_beside_a_token_is_a_mistake(tap, emulator):
    run = tap(settings(emulator, username="someone"))
    assert run.exit_code == 1
    assert [line.partition(";")[0] for line in run.errors] == [
        "password is missing",
        "dev_key is missing",
        "organization_id is missing",
    ]


def test_a_wrong_token_is_told_in_one_sentence_before_anything_is_written(tap, emulator):
    config = {**emulator.credentials, **settings(emulator, spend_api_token="wrong-token")}
    run = tap(config, select={"spend_cards", "spend_users"})
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"BILL emulator ({emulator.url}) refused spend_api_token (HTTP 401, BDC_1109): it is wrong, revoked, or of "
            "the other environment. Set it to a token that an administrator of Spend & Expense made there."
        )
    ]
    assert run.stdout == ""
    assert "wrong-token" not in run.stdout + run.stderr


def test_a_token_that_may_not_read_a_list_skips_it(tap, company):
    with Emulator(company=company, forbid=["cards"]) as emulator:
        run = tap(settings(emulator))
    assert run.exit_code == 0
    (line,) = run.warnings
    assert line.startswith("spend_cards: skipped, because BILL does not let this user read it (HTTP 403, BDC_1302: ")
    assert read(run, stream="spend_users") == truth(company, "spend_users")


@pytest.mark.measured
def test_each_organization_has_a_token_of_its_own(tap):
    from bill_emulator import Credentials  # noqa: PLC0415

    several = [Company(seed=number, organization_id=f"00802ORGANIZATION{number:03}", bills=5) for number in range(3)]
    known = {each.organization_id: Credentials(spend_api_token=f"token-{each.seed}") for each in several}
    with Emulator(companies=several, organization_credentials=known) as emulator:
        listed = [
            {"organization_id": each.organization_id, "spend_api_token": f"token-{each.seed}"} for each in several[:2]
        ]
        config = {**emulator.credentials, "api_url": emulator.url, "organizations": listed}
        del config["organization_id"]
        run = tap(config, select={"spend_cards", "roles"})
        mixed = tap({**config, "spend_api_token": "token-2"})
    assert run.exit_code == 0
    assert {(row["organizationId"], row["id"]) for row in run.records["spend_cards"]} == {
        (each.organization_id, id_) for each in several[:2] for id_ in each.spend.ids("cards")
    }
    assert mixed.errors == [
        ("spend_api_token is set as well as organizations; set it in the organization that it belongs to")
    ]


def test_the_connection_test_covers_spend(tap, emulator):
    run = tap(settings(emulator), "--test", select={"spend_cards", "spend_budget_members"})
    assert run.exit_code == 0
    assert run.stdout.splitlines() == [
        "Trying the streams that the catalog selects.",
        f"Signed in to BILL emulator ({emulator.url}), Spend & Expense.",
        "  spend_cards           can be read",
        "  spend_budgets         can be read",
        "  spend_budget_members  can be read",
        "3 of 3 streams can be read.",
    ]


# Sixty requests a minute


@pytest.mark.measured
def test_a_refusal_with_retry_after_is_waited_for(tap, company, emulator):
    emulator.faults.plan("too_many_requests", path="/v3/spend/cards", retry_after=1)
    run = tap(settings(emulator), select={"spend_cards"})
    assert run.exit_code == 0
    assert read(run, stream="spend_cards") == truth(company, "spend_cards")
    assert "1 s waited for limits" in run.stderr


class Stop:
    """An event that moves a clock instead of waiting."""

    def __init__(self, clock):
        self.clock = clock

    def wait(self, seconds):
        self.clock[0] += seconds
        return False


def test_no_minute_has_more_than_sixty_requests():
    clock = [0.0]
    limiter = RateLimiter(lambda: clock[0])
    sent = []
    for _ in range(250):
        limiter.admit(StreamStats(), Stop(clock))
        sent.append(clock[0])
        clock[0] += 0.2
    assert max(sum(start <= time < start + 60 for time in sent) for start in sent) == PER_MINUTE
    assert sent[-1] < 5 * MINUTE
