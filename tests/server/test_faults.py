"""What BILL or the way to it can do to an answer: survived where patience helps, told in one line where not."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime

import canned
import pytest
from layers import held_until, ticking
from requests.auth import AuthBase
from runs import ACCOUNTS, settings

from bill_emulator import Clock, Company, Emulator, Faults
from tap_bill.api.error_responses import ApiError, read_error
from tap_bill.api.limits import RECOVERY, ConcurrencyLimiter, ServerClock
from tap_bill.api.requester import Request, Requester, RetryPolicy
from tap_bill.api.stats import StreamStats
from tap_bill.api.transport import ApiResponse

STREAMS = {resource.name for resource in ACCOUNTS}
TROUBLE = "BILL has trouble with this request; run again later, and contact BILL's support if it happens again."


def read_whole(run, company, streams=STREAMS):
    """Whether a run brought every row of these streams, with its values."""
    for stream in streams:
        rows = {row["id"]: row for row in run.records[stream]}
        truth = {row["id"]: {"organizationId": company.organization_id, **row} for row in company.rows(stream)}
        assert rows == truth, stream
    return True


def retries(run):
    """Which stream was repeated, once per line of the log."""
    return sorted(line.partition(":")[0] for line in run.log("INFO") if "Trying again in" in line)


SURVIVED = {
    "/v3/bills": ("reset", {}),
    "/v3/vendors": ("cut_json", {}),
    "/v3/customers": ("cut_connection", {}),
    "/v3/invoices": ("html", {"status": 502}),
    "/v3/payments": ("html", {"status": 200}),
    "/v3/users": ("empty", {}),
    "/v3/roles": ("not_json", {}),
    "/v3/credit-memos": ("server_error", {"status": 500}),
    "/v3/vendor-credits": ("server_error", {"status": 503, "code": "BDC_9999"}),
    "/v3/recurringbills": ("server_error", {"status": 400, "code": "BDC_1001"}),
    "/v3/recurring-invoices": ("error_in_200", {}),
    "/v3/receivable-payments": ("v2_error_in_200", {}),
    "/v3/bill-approvals/policies": ("error_in_200", {"code": "BDC_9999"}),
    "/v3/classifications/items": ("single_object", {"status": 504}),
    "/v3/classifications/jobs": ("single_object", {"status": 200}),
    "/v3/classifications/locations": ("too_many_requests", {}),
    "/v3/classifications/employees": ("too_many_requests", {"retry_after": 1}),
    "/v3/classifications/departments": ("too_many_at_once", {"status": 422}),
    "/v3/classifications/accounting-classes": ("too_many_at_once", {"status": 429}),
    "/v3/classifications/chart-of-accounts": ("too_many_at_once", {"status": 400}),
    "/v3/funding-accounts/banks": ("too_many_at_once", {"status": 403}),
    "/v3/funding-accounts/banks/users": ("stall", {"seconds": 0.1}),
    "/v3/login": ("reset", {}),
}


def test_passing_trouble_costs_a_retry_and_nothing_else(tap, company, emulator):
    for path, (kind, options) in SURVIVED.items():
        emulator.faults.plan(kind, path=path, **options)
    run = tap(settings(emulator, page_size=10))
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert read_whole(run, company)
    broken = {resource.name for resource in ACCOUNTS if resource.path in SURVIVED}
    assert retries(run) == sorted([*broken, "sign-in"])
    assert sum(emulator.faults.counts.values()) == len(SURVIVED) == 23


def test_an_answer_that_does_not_come_is_asked_for_again(tap, company, emulator):
    emulator.faults.plan("hang", path="/v3/bills")
    run = tap(settings(emulator, request_timeout=1), select={"bills"})
    assert run.exit_code == 0
    assert read_whole(run, company, {"bills"})
    assert emulator.faults.counts == {"hang": 1}
    line, *_ = [line for line in run.log("INFO") if "Trying again" in line and line.startswith("bills: ")]
    assert re.fullmatch(  # the first; on a busy machine a good answer may take longer than a second, too
        r"bills: No answer from BILL emulator \(\S+\) to GET /v3/bills: nothing came within request_timeout "
        r"\(1 seconds\); run again, or raise it\. Trying again in \d\.\d s \(1 of 5\)\.",
        line,
    )


FATAL = [
    ("html", {}, f"could not answer {{}} (HTTP 502: the body is not JSON, tried 2 times): {TROUBLE}"),
    ("html", {"status": 403}, "refused {} (HTTP 403: the body is not JSON)."),
    ("server_error", {}, f"could not answer {{}} (HTTP 503: ... of order, tried 2 times): {TROUBLE}"),
    (
        "too_many_at_once",
        {"status": 403},
        (
            "refused {} (HTTP 403, BDC_1322: Too many requests at once, tried 2 times): other programs "
            "use the developer key at the same time. Lower max_concurrency, or run at another time."
        ),
    ),
    (
        "untrusted",
        {},
        (
            "refused {} (HTTP 403, BDC_1361: The session is not trusted): also right after a fresh sign-in, so BILL "
            "wants a session trusted by MFA. Use an AP & AR sync token, or set remember_me_id and device."
        ),
    ),
    (
        "session_ended",
        {},
        (
            "refused {} (HTTP 401, BDC_1109: The session has ended): also right after a fresh sign-in; "
            "check that nothing else signs this user out."
        ),
    ),
    (
        "refused",
        {"status": 404, "code": "BDC_1121", "message": "This API is not supported."},
        (
            "refused {} (HTTP 404, BDC_1121: This API is not supported): the path is unknown there. "
            "Check api_url: it ends with /connect."
        ),
    ),
    ("refused", {"status": 409, "message": "in conflict"}, "refused {} (HTTP 409: in conflict)."),
    (
        "refused",
        {"status": 500, "code": "BDC_9999"},
        f"could not answer {{}} (HTTP 500, BDC_9999: not accepted, tried 2 times): {TROUBLE}",
    ),
]


@pytest.mark.parametrize(("kind", "options", "line"), FATAL, ids=lambda value: value if isinstance(value, str) else "")
def test_lasting_trouble_stops_the_run_with_one_line(tap, emulator, kind, options, line):
    emulator.faults.plan(kind, path="/v3/bills", times=None, **options)
    run = tap(settings(emulator, max_retries=1), select={"bills"})
    assert run.exit_code == 1
    get = f"GET /v3/bills for organization {emulator.company.organization_id}"
    assert run.errors == [f"bills: BILL {line.format(get)}"]
    assert "Traceback" not in run.stderr
    assert "replication_key_value" not in run.stdout


@pytest.mark.measured
def test_a_connection_that_always_breaks_stops_the_run_with_one_line(tap, emulator):
    emulator.faults.plan("reset", path="/v3/bills", times=None)
    run = tap(settings(emulator, max_retries=1), select={"bills"})
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"bills: No answer from BILL emulator ({emulator.url}) to GET /v3/bills: the connection failed; "
            "check that the host is up and reachable from here, tried 2 times."
        )
    ]


def test_no_retry_where_none_is_wanted(tap, emulator):
    emulator.faults.plan("server_error", path="/v3/bills")
    run = tap(settings(emulator, max_retries=0), select={"bills"})
    assert run.exit_code == 1
    assert emulator.faults.counts == {"server_error": 1}
    assert retries(run) == []


def test_the_same_problem_is_told_once_and_without_what_a_record_holds(tap, emulator):
    emulator.faults.plan("many_messages", path="/v3/roles", times=None)
    emulator.faults.plan("record_content", path="/v3/bill-approvals/policies", times=None)
    told = [tap(settings(emulator), select={stream}).errors for stream in ("roles", "bill_approval_policies")]
    organization = emulator.company.organization_id
    assert told == [
        [
            (
                f"roles: BILL refused GET /v3/roles for organization {organization} "
                "(HTTP 400: The value is not accepted; The field ... is unknown)."
            )
        ],
        [
            (
                f"bill_approval_policies: BILL refused GET /v3/bill-approvals/policies for organization {organization} "
                "(HTTP 400, BDC_1143: ... id ... of ... account ... at ... is not valid): "
                "BILL does not accept what was asked for. Look for a newer tap-bill."
            )
        ],
    ]


def test_unknown_fields_are_kept(tap, company, emulator):
    emulator.faults.plan("unknown_fields", path="/v3/vendors", times=None)
    run = tap(settings(emulator), select={"vendors"})
    assert run.exit_code == 0
    kept = {"newField": "new", "newObject": {"inner": [1, "0.10"]}}
    assert [row["_unknown_fields"] for row in run.records["vendors"]] == [kept] * company.count("vendors")


@pytest.mark.measured
def test_half_an_emoji_costs_neither_the_row_nor_the_run(tap, httpserver):
    ends, whole = (
        r'{"id": "1", "description": "ends with \ud83e", "new": 0.10}',
        r'{"id": "2", "description": "\ud83e\uddfe"}',
    )
    config = canned.serve(httpserver, {"/v3/roles": f'{{"results": [{ends}, {whole}]}}'})
    run = tap(config, select={"roles"})
    assert run.exit_code == 0
    assert [row["description"] for row in run.records["roles"]] == ["ends with \ufffd", "\U0001f9fe"]
    assert '{"new":0.10}' in run.stdout


# Sessions


def expired_in_use(emulator):
    """How many sessions ended before the sign-out, which needs no other: it may be what meets the last one dead."""
    last = emulator.requests[-1]
    assert last.path == "/connect/v3/logout"
    return emulator.expired - (last.status == 401)


def test_readers_that_meet_a_dead_session_cause_one_login(tap):
    company = Company(seed=7, bills=300)
    with Emulator(company=company, session_requests=10) as emulator:
        run = tap(settings(emulator, page_size=10))
        assert run.exit_code == 0
        assert read_whole(run, company)
        assert emulator.expired > 10
        assert emulator.logins == 1 + expired_in_use(emulator)


def test_a_session_that_is_busy_for_too_long_is_replaced(tap, company):
    clock = Clock(datetime(2026, 7, 1, 12, tzinfo=UTC), frozen=True)

    with Emulator(company=company, clock=clock, session_seconds=10, layers=[ticking(clock)]) as emulator:
        run = tap(settings(emulator))
        assert run.exit_code == 0
        assert read_whole(run, company)
        assert emulator.logins == 1 + expired_in_use(emulator) > 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_credentials_stay(tap, emulator, httpserver, status):
    httpserver.expect_request("/connect/v3/bills").respond_with_json({"results": []})
    emulator.faults.plan("redirect", path="/v3/bills", status=status, location=httpserver.url_for("/connect/v3/bills"))
    run = tap(settings(emulator), select={"bills"})
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"bills: BILL emulator ({emulator.url}) answered GET /v3/bills with a redirect (HTTP {status}) to "
            "localhost, which is refused because it would carry the credentials elsewhere; check api_url and any proxy."
        )
    ]
    assert httpserver.log == []


# How many at once


def test_another_program_on_the_key_costs_nothing_but_time(tap):
    company = Company(seed=7, bills=600)
    streams = {"bills", "vendors", "customers"}
    held = held_until(lambda _: emulator.counters.refused)
    with Emulator(company=company, limit=2, layers=[held], limit_status=400) as emulator:
        run = tap(settings(emulator, page_size=10), select=streams)
        assert run.exit_code == 0
        assert read_whole(run, company, streams)
        assert emulator.counters.refused >= 1


class Answers:
    """A transport that gives the answers it is told to give."""

    api_url = "http://127.0.0.1/connect"

    def __init__(self, *answers):
        self._answers = iter(answers)

    def send(self, *_, **__):
        status, body = next(self._answers)
        return ApiResponse(body, read_error(status, body, is_json=True), server_time=None, retry_after=None)


class Signed:
    """Credentials that are always good."""

    def headers(self):
        return AuthBase()


def room(limiter):
    """How many requests a limiter lets through at once."""
    count = 0
    while limiter._under_way < limiter._allowed:
        limiter.__enter__()
        count += 1
    for _ in range(count):
        limiter.__exit__()
    return count


def test_the_number_at_once_goes_down_at_once_and_up_again_slowly(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)
    good, too_many = (200, {"results": []}), (429, [{"code": "BDC_1322", "message": "Too many"}])
    limiter = ConcurrencyLimiter(3)

    def ask(*answers):
        policy = RetryPolicy(max_retries=len(answers), max_wait=0)
        requester = Requester(
            Answers(*answers), limiter, ServerClock(), policy, stop=threading.Event(), whose="organization 00801A"
        )
        requester.send(Request("bills", "GET", "/v3/bills"), Signed(), (), StreamStats())

    assert room(limiter) == 3
    ask(too_many, good)
    assert room(limiter) == 2
    ask(*[too_many] * 5, good)
    assert room(limiter) == 1
    for _ in range(RECOVERY - 2):
        ask(good)
    assert room(limiter) == 1
    ask(good)
    assert room(limiter) == 2
    for _ in range(10 * RECOVERY):
        ask(good)
    assert room(limiter) == 3


class Renewed:
    """Credentials that are renewed as often as asked for."""

    def __init__(self):
        self.session = AuthBase()
        self.renewals = 0

    def headers(self):
        return self.session

    def renew(self, refused):
        self.session = AuthBase()
        self.renewals += 1
        return True


def test_a_new_session_that_others_have_used_up_is_replaced_too():
    """A request may wait so long for its turn that the session it was renewed with has ended as well."""
    good, dead = (200, {"results": []}), (401, [{"code": "BDC_1109", "message": "Session has ended"}])
    sessions = Renewed()
    policy = RetryPolicy(max_retries=2, max_wait=0)

    class Busy(Answers):
        def send(self, *arguments, **options):
            if sessions.renewals == 1 and not requester.others:
                requester.others = True
                requester.send(Request("vendors", "GET", "/v3/vendors"), sessions, (), StreamStats())
            return super().send(*arguments, **options)

    def ask(*answers):
        nonlocal requester
        requester = Requester(
            Busy(*answers),
            ConcurrencyLimiter(3),
            ServerClock(),
            policy,
            stop=threading.Event(),
            whose="organization 00801A",
        )
        requester.others = False
        requester.send(Request("bills", "GET", "/v3/bills"), sessions, (), StreamStats())

    requester = None
    ask(dead, good, dead, good)  # bills: dead; vendors: good with the next session; bills: dead again, good at last
    assert sessions.renewals == 2
    sessions.renewals = 5
    with pytest.raises(ApiError, match="also right after a fresh sign-in"):
        ask(dead, dead)
    assert sessions.renewals == 6


# Everything at once


class Noted(Faults):
    """Faults that know how many sign-ins they befell: BILL may have opened a session of which the tap never heard."""

    broken_sign_ins = 0

    def draw(self, scope, organization):
        drawn = super().draw(scope, organization)
        self.broken_sign_ins += drawn is not None and scope["path"].endswith("/v3/login")
        return drawn


def test_one_answer_in_eight_broken(tap):
    company = Company(seed=7, bills=300)
    faults = Noted(rate=1 / 8, seed=1)
    patient = {"page_size": 20, "max_retries": 50}  # six broken answers in a row do happen to one request
    options = {"session_requests": 40, "quirks": ["empty_pages"], "limit_status": 422}
    with Emulator(company=company, faults=faults, edit_every=4, **options) as busy:
        first = tap(settings(busy, **patient))
        assert first.exit_code == 0, first.stderr
        assert len(retries(first)) == sum(faults.counts.values()) > 8
        assert busy.logins <= 1 + busy.expired + faults.broken_sign_ins
        faults.broken_sign_ins = 0
    with Emulator(company=company, faults=faults, **options) as quiet:
        second = tap(settings(quiet, **patient), state=first.state)
        assert second.exit_code == 0, second.stderr
        assert quiet.logins <= 1 + quiet.expired + faults.broken_sign_ins
    for stream in STREAMS:
        rows = {row["id"]: row for run in (first, second) for row in run.records[stream]}
        truth = {row["id"]: {"organizationId": company.organization_id, **row} for row in company.rows(stream)}
        assert rows == truth, stream
