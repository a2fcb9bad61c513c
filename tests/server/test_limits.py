"""BILL's hourly limits: waited for if the next hour is near, told with a time if it is not, and never run against."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from layers import before_request
from runs import ACCOUNTS, settings

from bill_emulator import Clock, Emulator
from tap_bill.api.auth import IDLE, BillSessionAuthenticator, Login, SignIns
from tap_bill.api.errors import QuotaError
from tap_bill.api.limits import HourlyQuota, ServerClock
from tap_bill.api.stats import StreamStats

REQUESTS = len(ACCOUNTS) + 1  # and one to sign in


class Halted(Clock):
    """BILL's clock shortly before one, standing still until it is wanted: no machine is too slow for what comes before.

    Args:
        seconds: how long before.
        until: tells whether to run.
    """

    def __init__(self, seconds, until=lambda: False):
        super().__init__(datetime(2026, 7, 1, 13, tzinfo=UTC) - timedelta(seconds=seconds), frozen=True)
        self._until = until

    def now(self):
        if self._until():
            self._until = lambda: False
            self.run()
        return super().now()


def whole(runs, company):
    for resource in ACCOUNTS:
        read = {row["id"] for run in runs for row in run.records[resource.name]}
        assert read == set(company.ids(resource.name)), resource.name
    return True


@pytest.mark.parametrize("status", [403, 422, 429])
def test_the_next_hour_is_waited_for_by_bills_clock(tap, company, status):
    clock = Halted(2, until=lambda: emulator.over_quota)
    with Emulator(company=company, clock=clock, hourly_limit=20, quota_status=status) as emulator:
        run = tap(settings(emulator))
        assert run.exit_code == 0
        assert whole([run], company)
        assert 1 <= emulator.over_quota <= 3  # what was under way when the first refusal came
    (line,) = run.warnings
    assert line.startswith(
        "BILL's hourly limit of requests for this developer key is used up (BDC_1144); waiting until 13:00 UTC (0:00:0"
    )


def test_where_the_next_hour_is_too_far_the_run_says_when_to_go_on(tap, company):
    with Emulator(company=company, clock=Halted(1800), hourly_limit=20) as emulator:
        first = tap(settings(emulator, rate_limit_max_wait=5))
        assert first.exit_code == 1
        (line,) = first.errors
        assert re.fullmatch(
            r"BILL's hourly limit of requests for this developer key is used up \(BDC_1144\)\. Run again from "
            r"13:00 UTC \(0:(29:5\d|30:00) from now\) on: what was read is kept, and the next run resumes there\. "
            r"Or let it wait: raise rate_limit_max_wait\.",
            line,
        )
        assert emulator.over_quota <= 4  # the same, and the sign-out
        done = [name for name, entry in first.state["bookmarks"].items() if entry.get("partitions")]
        assert len(done) > 5
    with Emulator(company=company) as emulator:
        second = tap(settings(emulator), state=first.state)
        assert second.exit_code == 0
    assert whole([first, second], company)


def test_an_hour_that_begins_later_than_the_clock_says_is_waited_for_a_little_longer(tap, company):
    clock = Halted(2)
    with Emulator(company=company, clock=clock, layers=[before_request(1, clock.run, "/v3/bills")]) as emulator:
        emulator.faults.plan("hour_used_up", path="/v3/bills", times=2)
        run = tap(settings(emulator), select={"bills"})
    assert run.exit_code == 0
    assert len(run.warnings) == 1
    assert len([line for line in run.log("INFO") if "BDC_1144" in line and "Trying again" in line]) == 1


@pytest.mark.measured
def test_a_limit_that_stays_used_up_stops_the_run(tap, company):
    clock = Halted(2)
    with Emulator(company=company, clock=clock, layers=[before_request(1, clock.run, "/v3/bills")]) as emulator:
        emulator.faults.plan("hour_used_up", path="/v3/bills", times=None)
        run = tap(settings(emulator, max_retries=1), select={"bills"})
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.endswith(
        "the developer key's limit is still used up right after the full hour. Run again later, "
        "and see which other programs use the key."
    )


@pytest.mark.measured
def test_a_share_of_the_hour_may_be_left_to_others(tap, company):
    clock = Halted(2)
    last = REQUESTS - 5 + 1  # the sign-in, from which BILL's hour is known, is not counted for it
    with Emulator(company=company, clock=clock, layers=[before_request(last, clock.run)]) as emulator:
        run = tap(settings(emulator, max_requests_per_hour=REQUESTS - 5))
        assert run.exit_code == 0
        assert whole([run], company)
        assert emulator.over_quota == 0
    (line,) = run.warnings
    assert line.startswith(
        f"The {REQUESTS - 5} requests that max_requests_per_hour allows are used up; waiting until 13:00"
    )


def test_a_share_that_is_used_up_stops_the_run_where_it_may_not_wait(tap, company):
    with Emulator(company=company, clock=Halted(1800)) as emulator:
        run = tap(settings(emulator, max_requests_per_hour=10, rate_limit_max_wait=0))
        assert (
            emulator.counters.requests == 1 + 10 + 1
        )  # the sign-in, from which BILL's hour is known, and the sign-out
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.startswith("The 10 requests that max_requests_per_hour allows are used up. Run again from 13:00 UTC")


def test_the_limit_of_sign_ins_is_told_as_such(tap, company):
    with Emulator(company=company, clock=Halted(1800), login_limit=1) as emulator:
        tap(settings(emulator), select={"roles"})
        run = tap(settings(emulator, rate_limit_max_wait=5), select={"roles"})
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.startswith(
        "BILL's hourly limit of sign-ins for this developer key is used up (BDC_1144). Run again from"
    )


@pytest.mark.measured
def test_a_retry_that_bill_wants_too_late_is_not_waited_for(tap, emulator):
    emulator.faults.plan("too_many_requests", path="/v3/roles", retry_after=4000)
    run = tap(settings(emulator), select={"roles"})
    assert run.exit_code == 1
    assert run.errors == [
        (
            "roles: BILL wants no request for 4000 seconds. Run again after that: what was read is kept, and the next "
            "run resumes there. Or let it wait: raise rate_limit_max_wait."
        )
    ]


# Clocks that a test cannot wait for


class Hand(ServerClock):
    """A clock that is moved by hand."""

    def __init__(self):
        super().__init__()
        self.time = 0.0

    def now(self):
        return self.time


def test_every_hour_has_its_own_share():
    clock = Hand()
    quota = HourlyQuota("requests", clock, max_wait=0, own_limit=2)
    never = threading.Event()
    for hour in range(3):
        clock.time = hour * 3600.0 + 3599
        for _ in range(2):
            quota.admit(StreamStats(), never)
        with pytest.raises(QuotaError):
            quota.admit(StreamStats(), never)


class Bill:
    """What an authenticator needs of an requester."""

    api_url = "http://127.0.0.1/connect"

    def __init__(self):
        self.logins = 0

    def send(self, *_):
        self.logins += 1
        session = {"sessionId": f"s{self.logins}", "organizationId": "00801A"}
        return type("Answer", (), {"body": session, "server_time": None})


def test_a_session_is_renewed_before_it_was_idle_for_half_an_hour():
    time = 0.0
    bill = Bill()
    login = Login({"username": "u", "password": "p", "dev_key": "k", "organization_id": "00801A"})
    stats = StreamStats()
    session = BillSessionAuthenticator(bill, login, quotas=(), sign_ins=SignIns(), stats=stats, monotonic=lambda: time)
    first = session.headers()
    for _ in range(10):  # in use all the time, it is never renewed
        time += IDLE - 1
        assert session.headers() is first
    time += IDLE
    assert session.headers() is not first
    assert (bill.logins, stats.renewals) == (2, 1)
    assert IDLE < 30 * 60
