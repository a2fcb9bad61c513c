"""The command line, the control route and the clock."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from threading import Barrier

import pytest
import requests

from bill_emulator import Clock
from bill_emulator.__main__ import main

COMMAND = [sys.executable, "-W", "error", "-m", "bill_emulator"]


def run(*arguments):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def started(*arguments):
    with subprocess.Popen(
        [*COMMAND, "--port", "0", "--bills", "20", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    ) as process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_one_line_tells_that_it_is_ready_and_a_signal_ends_it_cleanly(ending):
    with started("--username", "me", "--organization-id", "00802ANOTHER00000001") as (process, line):
        words = line.split()
        assert words[:3] == ["BILL", "emulator", "ready:"]
        assert words[4:] == ["organization", "00802ANOTHER00000001", "user", "me"]
        body = {
            "username": "me",
            "password": "demo-token-value",
            "organizationId": "00802ANOTHER00000001",
            "devKey": "01DEMODEVKEY0000EMULATOR",
        }
        assert requests.post(words[3] + "/v3/login", json=body, timeout=10).status_code == 200
        process.send_signal(ending)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")


def test_switches_reach_the_server():
    switches = ["--refuse-assumed", "--ignore-sort", "--cursor", "keyset", "--role", "CLERK", "--forbid", "users"]
    with started(*switches, "--quirk", "empty_pages", "--password", "p", "--dev-key", "k") as (_, line):
        url = line.split()[3] + "/v3"
        body = {
            "username": "sync-token-demo",
            "password": "p",
            "organizationId": "00802DEMO0COMPANY001",
            "devKey": "k",
        }
        with requests.Session() as http:
            session = http.post(url + "/login", json=body, timeout=10).json()["sessionId"]
            http.headers.update(sessionId=session, devKey="k")

            def get(path, **parameters):
                return http.get(url + path, params=parameters, timeout=10)

            assert get("/payments", filters='updatedTime:gte:"2026-01-01"').status_code == 400
            assert get("/bills", sort="nonsense").status_code == 200
            assert get("/organizations/00802DEMO0COMPANY001").status_code == 403
            assert get("/users").status_code == 403
            page = get("/bills", max=5).json()["nextPage"]
            assert get("/bills", page=page).json()["results"] == []


def test_switches_about_time_and_traffic_reach_the_server():
    switches = ["--latency", "0.05", "--limit", "1", "--limit-status", "422", "--edit-every", "2", "--edit-rows", "4"]
    body = {
        "username": "sync-token-demo",
        "password": "demo-token-value",
        "organizationId": "00802DEMO0COMPANY001",
        "devKey": "01DEMODEVKEY0000EMULATOR",
    }
    with started(*switches, "--clock-skew", "-86400", "--bulk-import") as (_, line):
        url = line.split()[3]
        control = url.removesuffix("/connect") + "/control"

        with requests.Session() as http:
            answer = http.post(url + "/v3/login", json=body, timeout=10)
            http.headers.update(sessionId=answer.json()["sessionId"], devKey=body["devKey"])
            moment = parsedate_to_datetime(answer.headers["Date"])
            assert abs(datetime.now(UTC) - timedelta(days=1) - moment) < timedelta(minutes=1)
            for _ in range(2):
                http.get(url + "/v3/bills", timeout=10)
            state = http.get(control, timeout=10).json()
            assert (state["requests"], state["edits"], state["adds"], state["peak_in_flight"]) == (3, 4, 0, 1)
            assert state["last_answer"] - state["first_request"] >= 0.15
            together = Barrier(2)

            def ask(_):
                together.wait(10)
                return requests.get(url + "/v3/bills", timeout=10).status_code

            with ThreadPoolExecutor(2) as executor:  # as often as it takes for the two to meet
                assert any(422 in executor.map(ask, range(2)) for _ in range(200))
            truth = http.get(control + "/truth/bills", timeout=10).json()
    assert max(Counter(row["createdTime"] for row in truth).values()) == 11


def test_switches_about_faults_limits_and_organizations_reach_the_server():
    limits = ["--session-requests", "1", "--login-limit", "3", "--hourly-limit", "6", "--quota-status", "422"]
    faults = ["--fault-rate", "1", "--fault", "too_many_requests", "--fault-seed", "3"]
    with started("--organizations", "2", *limits) as (_, line), started(*faults) as (_, broken):
        words = line.split()
        assert words[4:8] == ["organization", "00802DEMO0COMPANY001", "and", "1"]
        body = {"username": "sync-token-demo", "password": "demo-token-value", "devKey": "01DEMODEVKEY0000EMULATOR"}
        seen = []
        for organization in ("00802DEMO0COMPANY001", "00802DEMO0COMPAN0002"):
            answer = requests.post(
                words[3] + "/v3/login", json={**body, "organizationId": organization}, timeout=10
            ).json()
            headers = {"sessionId": answer["sessionId"], "devKey": body["devKey"]}
            seen += [requests.get(words[3] + "/v3/roles", headers=headers, timeout=10).status_code for _ in range(2)]
        again = requests.post(words[3] + "/v3/login", json={**body, "organizationId": organization}, timeout=10)
        assert [*seen, again.status_code] == [200, 401, 200, 401, 422]
        refused = requests.post(broken.split()[3] + "/v3/login", json=body, timeout=10)
        assert (refused.status_code, refused.json()) == (429, {"message": "Slow down"})


def spread_of(monkeypatch, *arguments):
    made = []

    def company(*positional, **options):
        made.append(options["created"])
        raise ValueError("enough")

    monkeypatch.setattr("bill_emulator.__main__.Company", company)
    assert main(arguments) == 1
    return made


@pytest.mark.parametrize(
    ("arguments", "created"),
    [
        ([], "even"),
        (["--bulk-import"], "bulk"),
        (["--pile", "start"], "start"),
        (["--pile", "end"], "end"),
        (["--created", "end"], "end"),
    ],
)
def test_the_spread_can_be_chosen(monkeypatch, capsys, arguments, created):
    assert spread_of(monkeypatch, *arguments) == [created]
    assert capsys.readouterr().err == "bill_emulator: enough\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bills", "many"], "argument --bills: 'many' is not a whole number"),
        (["--latency", "long"], "argument --latency: 'long' is not a number of seconds"),
        (["--clock-skew", "nan"], "argument --clock-skew: 'nan' is not a number of seconds"),
        (["--clock-skew", "inf"], "argument --clock-skew: 'inf' is not a number of seconds"),
        (["--limit", "-1"], "argument --limit: '-1' is not a whole number"),
        (["--pile", "middle"], "argument --pile: invalid choice: 'middle'"),
        (["--bulk-import", "--pile", "end"], "argument --pile: not allowed with argument --bulk-import"),
        (["--bills", "-1"], "argument --bills: '-1' is not a whole number"),
        (["--seed", "1.5"], "argument --seed: '1.5' is not a whole number"),
        (["--port", "70000"], "argument --port: 70000 is not a port (0 to 65535)"),
        (["--cursor", "random"], "argument --cursor: invalid choice: 'random'"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"bill_emulator: {message}")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--bills", "many"], 2, "argument --bills: 'many' is not a whole number"),
        (["--organization-id", "7"], 1, "organization_id must have 20 characters and begin with 008"),
        (["--latency", "-1"], 1, "latency must not be negative"),
        (["--limit-status", "200"], 1, "limit_status must be from 400 to 599"),
        (["--clock-skew", "1e15"], 1, "the clock cannot be set so far"),
        (["--host", "256.0.0.1"], 1, "cannot listen on 256.0.0.1:8787"),
    ],
)
def test_mistakes_end_the_program_with_one_line(arguments, code, message):
    result = run(*arguments)
    assert result.returncode == code
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith(f"bill_emulator: {message}")


def test_a_taken_port_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("--port", str(port))
    assert result.returncode == 1
    assert result.stderr == f"bill_emulator: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_help_names_every_switch():
    text = run("--help").stdout
    usual = ("--host", "--port", "--seed", "--bills", "--cursor", "--refuse-assumed", "--ignore-sort", "--quirk")
    traffic = ("--latency", "--limit", "--limit-status", "--edit-every", "--edit-rows")
    refusals = ("--refuse-filter", "--ignore-filter", "--refuse-sort", "--unsorted", "--unsorted-share", "--order-seed")
    odd = ("--untimed", "--odd-time", "--mid-list", "--cursor-life", "--date", "--date-answers", "--break")
    deletions = ("--delete-every", "--delete-rows")
    tokens = ("place", "seconds", "requests", "expires-in", "errors", "scope", "refusal")
    for switch in (
        *usual,
        *traffic,
        *refusals,
        *odd,
        *deletions,
        *(f"--token-{name}" for name in tokens),
        "--client-id",
        "--client-secret",
        "--clock-skew",
        "--created",
        "--bulk-import",
        "--pile",
    ):
        assert f"  {switch} " in text


def test_the_control_route_changes_the_company(serve):
    emulator, client = serve(bills=20)
    url = emulator.url.removesuffix("/connect") + "/control"

    def order(status=200, **body):
        answer = requests.post(url, json=body, timeout=10)
        assert answer.status_code == status
        return answer.json()

    state = requests.get(url, timeout=10).json()
    assert state["now"] == "2026-07-01T12:30:15.000+00:00"
    assert state["logins"] == 1
    assert state["rows"]["bills"] == 20
    target = emulator.company.ids("bills")[0]
    assert order(do="edit", resource="bills", id=target, changes={"amount": 0.30})["amount"] == 0.30
    assert '"amount":0.3,' in client.get(f"/bills/{target}").text
    body = f'{{"do": "edit", "resource": "bills", "id": "{target}", "changes": {{"amount": 0.10}}}}'
    assert '"amount":0.10,' in requests.post(url, data=body.encode(), timeout=10).text
    assert '"amount":0.10,' in client.get(f"/bills/{target}").text
    assert order(do="add", resource="vendors", row={"name": "By hand"})["name"] == "By hand"
    assert order(do="advance", seconds=60)["now"] == "2026-07-01T12:31:15.000+00:00"
    order(do="expire_sessions")
    assert client.get("/bills").status_code == 401
    assert order(400, do="sing") == {"message": "missing or unknown: sing"}
    assert order(400, do="edit", resource="bills") == {"message": "missing or unknown: id"}
    assert requests.post(url, data=b"{", timeout=10).status_code == 400
    assert [record.path for record in emulator.requests if record.path == "/control"] == []


def test_a_running_clock_runs_and_can_be_moved():
    clock = Clock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    before = clock.now()
    assert clock.advance(3600) - before >= timedelta(hours=1)
    clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    assert timedelta(0) <= clock.now() - datetime(2026, 1, 1, tzinfo=UTC) < timedelta(minutes=1)


def test_a_frozen_clock_moves_only_when_told():
    at = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    clock = Clock(at, frozen=True)
    assert clock.now() == clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.advance(0.5) == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    clock.set(datetime(2027, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2027, 1, 1, tzinfo=UTC)
    clock.run()
    later = clock.now()
    assert datetime(2027, 1, 1, tzinfo=UTC) <= later < datetime(2027, 1, 1, 0, 1, tzinfo=UTC)
    clock.freeze()
    assert clock.now() == clock.now() >= later


def test_a_clock_can_start_elsewhere():
    assert timedelta(0) <= Clock(datetime(2020, 1, 1, tzinfo=UTC)).now() - datetime(2020, 1, 1, tzinfo=UTC)
