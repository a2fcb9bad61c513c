"""Answers with odd headers and odd bodies: what can be read is read, and nothing in them ends with a traceback."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from requests.auth import AuthBase

from tap_bill.api import client
from tap_bill.api.client import SharedLimits
from tap_bill.api.error_responses import read_error
from tap_bill.api.limits import HOUR, ConcurrencyLimiter, HourlyQuota, ServerClock
from tap_bill.api.requester import LONGEST_PAUSE, Request, Requester, RetryPolicy
from tap_bill.api.stats import StreamStats
from tap_bill.api.transport import ApiResponse

ROW = '{"id": "00n1", "createdTime": "2026-01-01T00:00:00.000+00:00", "updatedTime": "2026-06-30T23:00:00.000+00:00"}'
PAGE = f'{{"results": [{ROW}]}}'.encode()


class Bill(ThreadingHTTPServer):
    """Answers what it is told to, with no header of its own (a `Date`, as any other server adds)."""

    daemon_threads = True

    class RequestHandlerClass(BaseHTTPRequestHandler):
        def do_GET(self):
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            session = self.headers.get("sessionId") or json.loads(sent)["organizationId"]
            body, status, headers = self.server.respond(session, self.path.partition("?")[0])
            self.send_response_only(status)
            for name, value in [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that the server looks for

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)


@pytest.fixture
def bill():
    with Bill() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def serve(server, cases, answer, **more):
    """Serve an organization for each of the cases, each with a session of its own, and return the settings.

    `answer(case, n)` makes the n-th answer (from 1) to the organization's list of bills: body, status, headers.
    """
    ids = {f"00802CASE{number:011}": case for number, case in enumerate(cases)}
    counts = Counter()

    def respond(session, path):
        if path.endswith("/v3/bills"):
            counts[session] += 1
            return answer(ids[session], counts[session])
        if path.endswith("/v3/login"):
            return (
                json.dumps({"sessionId": session, "organizationId": session}).encode(),
                200,
                answer(ids[session], 0)[2],
            )
        return b"", 200, []

    server.respond = respond
    url = f"http://127.0.0.1:{server.server_port}/connect"
    common = {"username": "u", "password": "p", "dev_key": "01KEY", "api_url": url}
    listed = [{"organization_id": id_} for id_ in ids]
    return ids, {**common, "organizations": listed, "max_organizations_in_parallel": 8, **more}


def by_case(ids, run):
    """The lines of the log, errors first, by the case that they are about."""
    lines = [*run.errors, *run.warnings, *run.log("INFO")]
    return {
        case: [line.partition(": ")[2] for line in lines if line.startswith(f"{id_}: ")] for id_, case in ids.items()
    }


def bookmarks(ids, run):
    return {
        ids[entry["context"]["organizationId"]]: entry.get("replication_key_value")
        for entry in run.state["bookmarks"]["bills"]["partitions"]
    }


# The clock of an answer

DATES = {
    ("Wed, 01 Jul 2026 12:00:00 GMT",): "12:00:00",
    ("Wed, 01 Jul 2026 12:00:00 GMT", "Wed, 01 Jul 2026 12:00:00 GMT"): "12:00:00",
    ("Wed, 01 Jul 2026 12:00:00 GMT,Wed, 01 Jul 2026 12:00:00 GMT",): "12:00:00",
    ("Wed, 01 Jul 2026 12:00:07 GMT", "Wed, 01 Jul 2026 12:00:05 GMT"): "12:00:05",
    ("nonsense", "Wed, 01 Jul 2026 12:00:05 GMT"): "12:00:05",
    ("Wednesday, 01-Jul-26 12:00:01 GMT",): "12:00:01",
    ("Wednesday, 01-Jul-26 12:00:01 GMT", "Wed Jul  1 12:00:02 2026"): "12:00:01",
    ("Wed Jul  1 12:00:02 2026",): "12:00:02",
    ("Wed, 01 Jul 2026 12:00:03 -0000",): "12:00:03",
    ("Wed, 01 Jul 2026 17:30:04 +0530",): "12:00:04",
    ("Wed, 01 Jul 2026 12:00:00 +9999",): None,
    ("Wed, 01 Jul 2026 12:00:00 +99999999999",): None,
    ("Fri, 31 Dec 9999 23:59:59 GMT",): None,
    ("Fri, 31 Dec 9999 23:59:59 -0100",): None,
    ("Fri, 31 Dec 99999 23:59:59 GMT",): None,
    (f"Wed, {'9' * 30} Jul 2026 12:00:00 GMT",): None,
    ("Thu, 01 Jan 1970 00:00:00 GMT",): None,
    ("Tue, 01 Jan 2199 00:00:00 GMT",): None,
    ("0",): None,
    (",",): None,
    ("",): None,
}
"""What the `Date` headers of an answer say, and the time of 1 July 2026 that is read there."""


def test_the_date_of_an_answer_is_read_like_http_does(tap, bill):
    """The row is newer than BILL's clock, so that the bookmark is that clock."""
    page = PAGE.replace(b"2026-06-30T23", b"2026-07-02T23")
    ids, config = serve(bill, DATES, lambda dates, _: (page, 200, [("Date", date) for date in dates]))
    run = tap(config, select={"bills"})
    assert "Traceback" not in run.stderr
    assert (run.exit_code, run.errors) == (0, [])
    assert bookmarks(ids, run) == {dates: time and f"2026-07-01T{time}.000Z" for dates, time in DATES.items()}


@pytest.mark.measured
def test_a_clock_that_is_far_ahead_is_told(tap, bill):
    date = format_datetime(datetime.now(UTC) + timedelta(days=3), usegmt=True)
    _, config = serve(bill, ["ahead"], lambda *_: (PAGE, 200, [("Date", date)]))
    run = tap(config, select={"bills"})
    assert run.exit_code == 0
    first, second = run.warnings
    assert re.search(r"is ahead of this machine's clock by more than a day, so it is not gone by; check this", first)
    assert "the bookmark stays" in second


# Retry-After

HOURS = {"ahead": 3, "behind": -3}


def test_a_retry_after_date_goes_by_bills_clock(tap, bill):
    """BILL's clock and this machine's are three hours apart; BILL wants a pause of five seconds."""

    def answer(case, number):
        now = datetime.now(UTC) + timedelta(hours=HOURS[case])
        date = ("Date", format_datetime(now, usegmt=True))
        if number == 1:
            until = format_datetime(now + timedelta(seconds=5), usegmt=True)
            return b'[{"message": "Slow down"}]', 429, [date, ("Retry-After", until)]
        return PAGE, 200, [date]

    ids, config = serve(bill, HOURS, answer, rate_limit_max_wait=60)
    run = tap(config, select={"bills"})
    assert (run.exit_code, run.errors) == (0, [])
    for case, lines in by_case(ids, run).items():
        (line,) = [line for line in lines if "Trying again" in line]
        assert "Trying again in 5.0 s (1 of 5)." in line, case


FAR = {
    "9" * 400: 10**9,
    "99999999999999": 10**9,
    "Fri, 31 Dec 9999 23:59:59 GMT": 10**9,
    "4000": 4000,
}
"""What `Retry-After` says, and how many seconds are told."""

UNREADABLE = ("Wed, 01 Jul 2026 12:00:00 +9999", "soon", "-5", "", "Thu, 01 Jan 1970 00:00:00 GMT", "1.5")


def test_no_retry_after_ends_a_run_with_a_traceback(tap, bill):
    def answer(case, number):
        return (PAGE, 200, []) if number > 1 else (b'{"message": "Slow down"}', 429, [("Retry-After", case)])

    ids, config = serve(bill, [*FAR, *UNREADABLE], answer)
    run = tap(config, select={"bills"})
    assert "Traceback" not in run.stderr
    lines = by_case(ids, run)
    for case, seconds in FAR.items():
        assert lines[case][0].startswith(f"bills: BILL wants no request for {seconds} seconds. Run again after that"), (
            case
        )
    assert len(run.errors) == len(FAR) + 1
    assert len(run.records["bills"]) == len(UNREADABLE)


# Bodies

LATIN = '[{"code": "BDC_1001", "message": "Café"}]'.encode("latin-1")
BODIES = {
    "Latin-1": LATIN,
    "Latin-1 in a row": PAGE.replace(b"00n1", b"caf\xe9"),
    "half a character": PAGE.replace(b"00n1", b"caf\xc3"),
    "an encoded surrogate": PAGE.replace(b"00n1", b"\xed\xa0\x80"),
    "UTF-16": PAGE.decode().encode("utf-16"),
    "UTF-16 cut in a character": PAGE.decode().encode("utf-16")[:-1],
    "20,000 lists": b"[" * 20_000 + b"]" * 20_000,
    "20,000 lists without end": b"[" * 20_000,
    "20,000 objects": b'{"results":' * 20_000 + b"[]" + b"}" * 20_000,
    "900 levels in a row": PAGE.replace(b'"00n1"', b'"00n1", "new": ' + b'{"a": [' * 450 + b"]}" * 450),
    "300 levels beside others": PAGE.replace(b'"00n1"', b'"1", "a": ' + b'{"b": {}, "a": ' * 300 + b"1" + b"}" * 300),
    "900 levels and half an emoji": b"[" * 900 + rb'"\ud83e"' + b"]" * 900,
    "5,000 digits": PAGE.replace(b'"00n1"', b'"00n1", "amount": ' + b"9" * 5_000),
    "an exponent without end": PAGE.replace(b'"00n1"', b'"00n1", "amount": 1e99999999999999999999'),
    "a small one": PAGE.replace(b'"00n1"', b'"00n1", "amount": 1E-99999999999999999999'),
    "one with half an emoji": PAGE.replace(b'"00n1"', rb'"\ud83e", "amount": 1e99999999999999999999'),
    "no number": PAGE.replace(b'"00n1"', b'"00n1", "amount": NaN'),
}
"""Bodies that no answer can be read from."""


@pytest.mark.parametrize("status", [200, 503])
def test_a_body_that_cannot_be_read_costs_a_retry(tap, bill, status):
    ids, config = serve(
        bill, BODIES, lambda case, number: (PAGE, 200, []) if number > 1 else (BODIES[case], status, [])
    )
    run = tap(config, select={"bills"})
    assert "Traceback" not in run.stderr
    assert (run.exit_code, run.errors) == (0, [])
    told = f"bills: GET /v3/bills was answered HTTP {status}: the body is not JSON. Trying again in"
    for case, lines in by_case(ids, run).items():
        assert len([line for line in lines if line.startswith(told)]) == 1, case
    assert [row["id"] for row in run.records["bills"]] == ["00n1"] * len(BODIES)


@pytest.mark.measured
def test_a_body_that_can_never_be_read_is_told_in_one_line(tap, bill):
    ids, config = serve(bill, BODIES, lambda case, _: (BODIES[case], 200, []), max_retries=0)
    run = tap(config, select={"bills"})
    assert run.exit_code == 1
    assert "Traceback" not in run.stderr
    assert len(run.errors) == len(BODIES) + 1
    for case, lines in by_case(ids, run).items():
        assert lines[0].startswith("bills: BILL could not answer GET /v3/bills for "), case
        assert "(HTTP 200: the body is not JSON)" in lines[0], case


ODD = {
    "1E+400": "1E+400",
    "-1E-400": "-1E-400",
    "1e999999": "1E+999999",
    "123456789012345678901234567890.10": "123456789012345678901234567890.10",
    "9" * 4_000: "9" * 4_000,
    "-0.00": "-0.00",
}
"""Numbers as BILL might send them, and as they are written."""


def test_odd_numbers_keep_their_digits(tap, bill):
    def answer(case, _):
        return PAGE.replace(b'"00n1"', f'"00n1", "newAmount": {case}'.encode()), 200, []

    _, config = serve(bill, ODD, answer)
    run = tap(config, select={"bills"})
    assert (run.exit_code, run.errors) == (0, [])
    lines = [line for line in run.stdout.splitlines() if line.startswith('{"type":"RECORD"')]
    found = [re.search(r'"_unknown_fields":\{"newAmount":([^}]+)\}', line).group(1) for line in lines]
    assert sorted(found) == sorted(ODD.values())


REFUSALS = {
    "a message without end": json.dumps([{"message": "<" * 3_000_000}]),
    "quotations without end": json.dumps([{"message": "'a" * 100_000}]),
    "a hundred thousand messages": json.dumps([{"message": f"no {'<' * 500}"}] * 100_000),
    "no texts": '[{"code": {"a": 1}, "message": ["b"]}]',
    "nothing": "{}",
    "null": "null",
    "a number": "1E+400",
    "nested": '[{"message": {"a": ' + '{"a":' * 20 + "1" + "}" * 20 + "}}]",
}


def test_a_refusal_of_any_shape_is_told_in_one_line_soon(tap, bill):
    """A message that is long on purpose must not keep the tap busy: this takes seconds, or else for ever."""
    ids, config = serve(bill, REFUSALS, lambda case, _: (REFUSALS[case].encode(), 400, []), max_retries=0)
    run = tap(config, select={"bills"})
    assert run.exit_code == 1
    assert "Traceback" not in run.stderr
    for case, lines in by_case(ids, run).items():
        assert lines[0].startswith("bills: BILL refused GET /v3/bills for "), case
        assert len(lines[0]) < 600, case


# What a server, or a setting, can make too large


class Answers:
    """A transport that gives the same answer for ever, and then a good one."""

    api_url = "http://127.0.0.1/connect"

    def __init__(self, times, retry_after):
        self._left = times
        self._retry_after = retry_after

    def send(self, *_, **__):
        self._left -= 1
        status = 429 if self._left >= 0 else 200
        return ApiResponse(
            {},
            read_error(status, {"message": "Slow down"} if status == 429 else {}, is_json=True),
            None,
            self._retry_after,
        )


class Signed:
    """Credentials that are always good."""

    def headers(self):
        return AuthBase()


class Patience(threading.Event):
    """An event that notes for how long it was to be waited for."""

    def __init__(self):
        super().__init__()
        self.waited = []

    def wait(self, timeout=None):
        assert timeout <= threading.TIMEOUT_MAX, "an event cannot be waited for so long"
        self.waited.append(timeout)
        return False


@pytest.mark.parametrize(("times", "retry_after"), [(3_000, None), (2, 1e9)])
def test_no_patience_is_too_great(times, retry_after):
    stop = Patience()
    policy = RetryPolicy(max_retries=10**6, max_wait=10**12)
    requester = Requester(
        Answers(times, retry_after), ConcurrencyLimiter(3), ServerClock(), policy, stop=stop, whose="organization 1"
    )
    requester.send(Request("bills", "GET", "/v3/bills"), Signed(), (), StreamStats())
    assert len(stop.waited) == times
    assert max(stop.waited) <= (retry_after or LONGEST_PAUSE)


def test_no_timeout_is_too_long(tap, bill):
    _, config = serve(bill, ["only"], lambda *_: (PAGE, 200, []), request_timeout=10**12)
    run = tap(config, select={"bills"})
    assert (run.exit_code, run.errors) == (0, [])
    assert len(run.records["bills"]) == 1


def test_the_next_hour_is_never_further_away_than_an_hour():
    """BILL's clock jumps back by years while its next hour is waited for."""
    clock = ServerClock()
    clock.set(datetime(2026, 7, 1, 12, 59, 50, tzinfo=UTC))
    quota = HourlyQuota("requests", clock, max_wait=HOUR)
    stop = Patience()
    quota.admit(StreamStats(), stop)
    assert quota.used_up()
    clock.set(datetime(2001, 1, 1, tzinfo=UTC))
    waits = []

    def wait(seconds):
        waits.append(seconds)
        clock.set(datetime(2026, 7, 1, 13, 0, 1, tzinfo=UTC))
        return False

    stop.wait = wait
    quota.admit(StreamStats(), stop)
    (waited,) = waits
    assert waited <= HOUR + 1


def test_readers_that_ask_at_once_share_the_limits_of_a_key(monkeypatch):
    shared = SharedLimits({"rate_limit_max_wait": 0})
    found = []
    second = threading.Thread(target=lambda: found.append(shared.quotas("01KEY")))

    class Slow(HourlyQuota):
        """Lets another reader ask for the limits while they are made for the first."""

        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            if threading.current_thread() is not second and second.ident is None:
                second.start()
                second.join(0.5)

    monkeypatch.setattr(client, "HourlyQuota", Slow)
    first = shared.quotas("01KEY")
    second.join()
    assert found == [first]
