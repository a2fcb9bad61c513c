"""`tap-bill --verify-api`: every assumption about BILL is shown both ways, and nothing of a record is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from layers import answered_as, asked_as
from runs import settings

from bill_emulator import Company, Credentials, Emulator, OddTimes
from tap_bill.verify.assumptions import ASSUMPTIONS, BY_NAME
from tap_bill.verify.findings import Note

HOLDS, FAILS, UNTRIED = "holds", "does not hold", "could not be tried"


def small():
    return Company(seed=7, bills=12)


def verdicts(run):
    """What the reports say of each assumption; those of several organizations in turn."""
    reports = json.loads(run.stdout)["reports"]
    return [{found["assumption"]: found["verdict"] for found in report["assumptions"]} for report in reports]


def named(verdict, found):
    return {name for name, each in found.items() if each == verdict}


def notes(run, name):
    """What is said of one assumption in the first report."""
    (report, *_) = json.loads(run.stdout)["reports"]
    (result,) = (result for result in report["assumptions"] if result["assumption"] == name)
    return {finding["note"] for finding in result["findings"]}


# Every assumption is true


@pytest.mark.measured
def test_all_hold_on_a_bill_that_is_as_assumed(tap):
    company = small()
    for bill in company.ids("bills"):
        company.edit("bills", bill, {})  # so that none changed before it was paid
    with Emulator(company=company) as emulator:
        run = tap(settings(emulator, **emulator.spend_credentials), "--verify-api=json")
        sent = emulator.requests
        peak = emulator.counters.peak_in_flight
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    (found,) = verdicts(run)
    assert list(found) == [assumption.name for assumption in ASSUMPTIONS]
    assert named(FAILS, found) == set()
    untried = {name: notes(run, name) for name in named(UNTRIED, found)}
    assert untried == {
        "token_place": {"only for another way to sign in"},
        "token_life": {"only for another way to sign in"},
        "untimed_at_one_end": {"every row has its time"},
    }
    (report,) = json.loads(run.stdout)["reports"]
    assert (report["requests"], report["streams"], report["signed_in_by"]) == (len(sent), 30, ["session", "spend"])
    assert len(sent) <= report["most_requests"] == 150
    assert peak == 1
    assert {request.method for request in sent if "/v3/log" not in request.path} == {"GET"}
    assert tells_nothing(run, company)


@pytest.mark.measured
def test_all_hold_with_oauth(tap):
    company = small()
    with Emulator(company=company) as emulator:
        config = {**emulator.oauth_credentials, "api_url": emulator.url}
        run = tap(config, "--verify-api=json", select={"vendors", "spend_cards"})
        sent = emulator.requests
    assert (run.exit_code, run.errors) == (0, [])
    (found,) = verdicts(run)
    assert named(FAILS, found) == set()
    assert {"sign_in", "token_place", "token_life", "session_told", "cursor_moves_on"} <= named(HOLDS, found)
    assert notes(run, "trusted_told") == {"only for another way to sign in"}
    (report,) = json.loads(run.stdout)["reports"]
    assert (report["requests"], report["streams"], report["signed_in_by"]) == (len(sent), 2, ["oauth"])
    assert tells_nothing(run, company)


def texts(value):
    """Every text in a record."""
    if isinstance(value, dict | list):
        return {text for each in (value.values() if isinstance(value, dict) else value) for text in texts(each)}
    return {value} if isinstance(value, str) else set()


def tells_nothing(run, company):
    """Whether no value of a record that says something, and no secret, is in a report."""
    records = [row for name in company.totals() for row in company.rows(name)]
    records += [
        row for name in ("transactions", "reimbursements", "cards", "users") for row in company.spend.rows(name)
    ]
    ours = " ".join([*(text for each in ASSUMPTIONS for text in each if isinstance(text, str)), *map(str, Note)])
    known = {text for text in texts(records) if len(text) > 3 and text.lower() not in ours.lower()}
    known |= {company.organization_id, *vars(Credentials()).values()} - {"", True}
    assert len(known) > 1000
    assert [text for text in known if text in run.stdout] == []
    return True


# Every assumption is false


def case(
    title, *streams, options=None, prepare=None, asked=None, answered=None, path="", also=(), bad=False, oauth=False
):
    """An assumption (with how it is false), and what makes it so: `also` are others that cannot be true then.

    `bad` is exit code 1.
    """
    name = title.partition(" ")[0]
    layers = [asked_as(asked, path)] if asked else [answered_as(answered, path)] if answered else []
    return pytest.param(
        SimpleNamespace(
            name=name,
            streams={*(streams or ("vendors",))},
            options={**(options or {}), "layers": layers},
            prepare=prepare,
            fails={name, *also},
            exit_code=1 if bad else 0,
            oauth=oauth,
        ),
        id=title,
    )


def only(test, change):
    """Change a query, or a body with its query, where a test holds."""
    return lambda *what: change(*what) if test(*what) else None


def is_list(body, _):
    """Whether it is a list with a few rows."""
    return isinstance(body, dict) and len(body.get("results", ())) > 2


def rows(filtered, change):
    """Change the rows of the answers whose filters begin so."""

    def changed(body, query):
        return {**body, "results": change(body["results"], query.get("filters", ""))}

    return only(lambda body, query: is_list(body, query) and query.get("filters", "").startswith(filtered), changed)


def first_row(change):
    """Change the first row of a list, as far as it has others."""
    return rows("", lambda found, _: [change(found), *found[1:]])


def without(field):
    """Leave a field out of an answer."""
    return lambda body, _: {name: value for name, value in body.items() if name != field}


def without_bound(field):
    """Leave out the rows of the very moment that a filter begins with."""
    return rows(
        f"{field}:gte",
        lambda found, filters: [row for row in found if row[field][:19] not in filters.partition(",")[0]],
    )


def without_last(filtered):
    """Leave out the last row of the answers that are filtered so."""
    return rows(filtered, lambda found, _: found[:-1])


def when(name, value, **other):
    """Change a query where it has this value."""
    return only(lambda query: query.get(name) == value, lambda query: query.update(other))


def repeats():
    """Let a cursor lead to another page each time that it is sent again."""
    seen = []

    def change(query):
        seen.append(query["page"])
        query["max"] = str(seen.count(query["page"]))

    return only(lambda query: "page" in query, change)


def quoted(query):
    if query.get("filters", '"').count('"') == 0:
        query["filters"] = query["filters"].replace("gte:", 'gte:"') + '"'


def with_live_rows_only(query):
    if "archived" not in query.get("filters", ""):
        query["filters"] = ",".join(filter(None, [query.get("filters"), "archived:eq:false"]))


def tomorrow(company):
    (row, *_) = company.rows("vendors")
    later = datetime.now(UTC) + timedelta(days=1)
    company.put("vendors", {**row, "updatedTime": later.isoformat(timespec="milliseconds")})


def new_fields(company):
    (row, *_) = company.rows("vendors")
    company.edit("vendors", row["id"], {"colour": "recognizable red", "Jane Roe 98": 1, "name": 5})


def spelled_with_z(found, _):
    return [row | {"updatedTime": row["updatedTime"].replace("+00:00", "Z")} for row in found]


CASES = [
    case("sign_in", options={"token_place": "nowhere"}, oauth=True, bad=True),
    case("sign_in refused", answered=lambda *_: {"message": "no"}, path="/v3/login", bad=True),
    case("token_place", "roles", options={"token_place": "host"}, oauth=True),
    case("token_life", "roles", options={"token_expires_in": "missing"}, oauth=True),
    case("trusted_told", "roles", answered=without("trusted"), path="/v3/login"),
    case("session_told", "roles", answered=without("organizationId"), path="/v3/login/session"),
    case("date_header", "roles", options={"date": "none"}),
    case("date_is_now", "roles", prepare=lambda company: company.clock.advance(600)),
    case("rows_by_same_clock", prepare=tomorrow),
    case("list_envelope", "roles", answered=only(is_list, lambda body, _: {"roles": body["results"]}), bad=True),
    case("records_have_ids", "roles", answered=first_row(lambda found: found[0] | {"id": found[1]["id"]}), bad=True),
    case("max_1", "roles", asked=when("max", "1", max="2")),
    case("max_100", "roles", asked=when("max", "100", max="5")),
    case("list_end", "roles", answered=only(is_list, lambda body, _: {"nextPage": None, **body})),
    case("cursor_moves_on", "roles", asked=lambda query: query.pop("page", ""), bad=True),
    case("cursor_moves_on in Spend & Expense", "spend_cards", options={"spend_quirks": ["same_page"]}, bad=True),
    case("cursor_twice", "roles", options={"cursor_life": 1}),
    case("cursor_repeats", "roles", asked=repeats(), bad=True),
    case(
        "query_beside_cursor",
        asked=only(lambda query: {"page", "sort"} <= query.keys(), lambda query: query.update(sort="name:asc")),
        bad=True,
    ),
    case(
        "cursor_carries_query",
        asked=only(lambda query: "page" in query and "sort" not in query, lambda query: query.update(sort="name:asc")),
    ),
    case("updated_filter", options={"ignore_filters": ["updatedTime"]}),
    case("updated_filter refused", options={"refuse_filters": ["updatedTime"]}),
    case("updated_filter of transactions", "spend_transactions", options={"spend_quirks": ["ignore_filters"]}),
    case("updated_filter_inclusive", answered=without_bound("updatedTime")),
    case("updated_filter_complete", answered=without_last("updatedTime:gte"), bad=True),
    case("created_filter", options={"ignore_filters": ["createdTime"]}),
    case("created_filter refused", options={"refuse_filters": ["createdTime"]}),
    case("created_filter_inclusive", answered=without_bound("createdTime")),
    case("created_filter_complete", answered=rows("createdTime:gte", lambda found, _: found[1:]), bad=True),
    case("times_need_quotes", asked=quoted),
    case("id_in", options={"refuse_filters": ["id"]}, bad=True),
    case("sort_created", options={"ignore_sort": True}),
    case("sort_created refused", options={"refuse_sort": "always"}),
    case("sort_over_pages", options={"ignore_sort": "single", "unsorted": "updated"}),
    case(
        "untimed_at_one_end",
        options={"odd_times": [OddTimes("missing", share=0.3)], "untimed": "last"},
        asked=only(
            lambda query: query.get("sort") == "createdTime:desc" and "filters" not in query,
            lambda query: query.update(filters='createdTime:gte:"2000-01-01"'),
        ),
        also={"times_present"},
        bad=True,
    ),
    case("archived_listed", asked=with_live_rows_only, path="/v3/vendors", bad=True),
    case("times_present", options={"odd_times": [OddTimes("missing", share=0.3)]}),
    case(
        "times_present as text",
        options={"odd_times": [OddTimes("garbage", share=0.3)], "untimed": "last"},
        also={"known_fields"},
    ),
    case("time_spelling", answered=rows("", spelled_with_z)),
    case("known_fields", prepare=new_fields),
    case("payment_moves_bill", "payments", "bills"),
    case("spend_uuids", "spend_cards", answered=first_row(lambda found: found[1]), bad=True),
    case("spend_order", "spend_transactions", options={"spend_quirks": ["ignore_sort"]}),
    case("spend_order refused", "spend_transactions", options={"spend_quirks": ["refuse_sort"]}),
    case("retired_filter", "spend_users", options={"spend_quirks": ["ignore_filters"]}),
    case("retired_filter refused", "spend_users", options={"spend_quirks": ["refuse_filters"]}),
    case("retired_complete", "spend_users", answered=without_last("retired:eq:false"), bad=True),
    case("bad_max", "roles", asked=when("max", "101", max="9")),
    case("error_array", "roles", answered=only(lambda body, _: isinstance(body, list), lambda body, _: body[0])),
]


@pytest.mark.measured(throughout=True)
@pytest.mark.parametrize("case", CASES)
def test_what_does_not_hold_is_told(tap, case):
    company = small()
    if case.prepare:
        case.prepare(company)
    with Emulator(company=company, **case.options) as emulator:
        ways = emulator.oauth_credentials if case.oauth else {**emulator.credentials, **emulator.spend_credentials}
        run = tap({**ways, "api_url": emulator.url}, "--verify-api=json", select=case.streams)
    (found,) = verdicts(run)
    assert named(FAILS, found) == case.fails
    assert run.exit_code == case.exit_code
    (report,) = json.loads(run.stdout)["reports"]
    bad = [name for name in report["does_not_cope_with"] if name in case.fails]
    assert (report["copes"], bad) == ((False, [case.name]) if case.exit_code else (True, []))
    if case.exit_code and case.name != "sign_in":
        assert run.errors == [f"BILL does not behave as tap-bill needs it: {case.name}; see docs/assumptions.md."]


def test_every_assumption_is_shown_to_be_false():
    assert {param.values[0].name for param in CASES} == {*BY_NAME}


# The report, and what keeps trials from being made


@pytest.mark.measured
def test_the_table_says_what_the_json_says(tap):
    with Emulator(company=small(), ignore_filters=["updatedTime"], forbid=["roles"]) as emulator:
        config = settings(emulator)
        table, other = (
            tap(config, option, select={"vendors", "roles"}) for option in ("--verify-api", "--verify-api=json")
        )
        count, url = len(emulator.requests) // 2, emulator.url
    assert (table.exit_code, table.errors) == (other.exit_code, other.errors) == (0, [])
    first, second, *lines, last, attach = table.stdout.splitlines()
    assert first == "Trying the streams that the catalog selects."
    assert second == f"BILL emulator ({url}), session, 2 streams: {count} of 150 requests used."
    (found,) = verdicts(other)
    told = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if not line.startswith("   ")}
    assert {name: text.partition(":")[0] for name, text in told.items()} == found
    assert told["sort_created"] == "holds: on vendors"
    assert told["list_envelope"] == "holds: on 1 of 2 streams"
    assert told["updated_filter"] == "does not hold: it has no effect (vendors)"
    assert told["untimed_at_one_end"] == "could not be tried: every row has its time (vendors)"
    assert [line.strip() for line in lines if line.startswith("   ")] == [
        f"assumed: {BY_NAME['updated_filter'].assumed}",
        "tap-bill reads the list whole in every run; nothing is lost.",
    ]
    counts = [len(named(verdict, found)) for verdict in (HOLDS, FAILS, UNTRIED)]
    assert last == (
        f"Of {len(ASSUMPTIONS)} assumptions: {counts[0]} hold, 1 do not, {counts[2]} not tried. "
        "tap-bill copes with all of it."
    )
    assert 'an issue of the form "BILL behaves otherwise"' in attach
    assert attach in other.log("INFO")


@pytest.mark.measured
def test_no_more_is_asked_than_is_allowed(tap):
    with Emulator(company=small()) as emulator:
        streams = {"vendors", "bills", "customers"}
        run = tap(settings(emulator), "--verify-api=json", "--verify-requests=12", select=streams)
        sent = emulator.requests
    (report,) = json.loads(run.stdout)["reports"]
    assert report["requests"] == len(sent) <= report["most_requests"] == 12
    assert sent[-1].path.endswith("/v3/logout")
    assert (run.exit_code, named(FAILS, *verdicts(run))) == (0, set())
    assert notes(run, "cursor_moves_on") == {"the requests are used up"}


@pytest.mark.measured
def test_every_organization_has_a_report_of_its_own(tap):
    several = [Company(seed=7, bills=12, organization_id=f"00802ORGANIZATION00{number}") for number in (1, 2)]
    first, second = (company.organization_id for company in several)
    with Emulator(companies=several, forbid_in={second: ["vendors"]}) as emulator:
        own = {"organizations": [{"organization_id": first}, {"organization_id": second}]}
        config = {name: value for name, value in settings(emulator).items() if name != "organization_id"} | own
        run = tap(config, "--verify-api=json", select={"vendors"})
    assert (run.exit_code, run.errors) == (0, [])
    ours, theirs = verdicts(run)
    assert ours["list_envelope"] == HOLDS
    assert (theirs["sign_in"], theirs["list_envelope"], theirs["updated_filter"]) == (HOLDS, UNTRIED, UNTRIED)
    assert "00802" not in run.stdout


def test_wrong_credentials_are_reported_like_in_a_run(tap):
    with Emulator(company=small()) as emulator:
        run = tap(settings(emulator, password="wrong"), "--verify-api=json", select={"vendors"})
        half = settings(emulator, spend_api_token="wrong-token")
        other = tap(half, "--verify-api=json", select={"roles", "spend_cards"})
    (error,) = run.errors
    assert "BDC_1101: the user name or password is wrong." in error
    (found,) = verdicts(run)
    assert (run.exit_code, named(FAILS, found), named(HOLDS, found)) == (1, {"sign_in"}, set())
    assert notes(run, "list_envelope") == {"not signed in"}
    (error,) = other.errors
    assert "refused spend_api_token" in error
    (found,) = verdicts(other)
    assert (other.exit_code, named(FAILS, found)) == (1, set())
    assert (found["list_envelope"], found["spend_uuids"]) == (HOLDS, UNTRIED)
