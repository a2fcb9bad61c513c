"""Several organizations in one run: read side by side, kept apart, and one that fails fails alone."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import threading
from collections import Counter

import pytest
import runs
from layers import held_until

from bill_emulator import Clock, Company, Credentials, Emulator

COUNT = 5


def organization(number):
    return f"00802ORGANIZATION{number:03}"


def companies(count, **options):
    return [
        Company(seed=number, organization_id=organization(number), **{"bills": 25, **options})
        for number in range(count)
    ]


def settings(emulator, own=None, **more):
    common = {name: value for name, value in emulator.credentials.items() if name != "organization_id"}
    listed = [{"organization_id": each, **(own or {}).get(each, {})} for each in emulator.companies]
    return {**common, "api_url": emulator.url, "organizations": listed, **more}


def read_whole(run, several, streams=tuple(resource.name for resource in runs.ACCOUNTS)):
    """Whether a run brought every row of every organization, each under its own."""
    for stream in streams:
        read = {(row["organizationId"], row["id"]) for row in run.records[stream]}
        assert read == {(c.organization_id, id_) for c in several for id_ in c.ids(stream)}, stream
    return True


def bookmarks(state, organization_id):
    return {
        stream: entry
        for stream, bookmark in state["bookmarks"].items()
        for entry in bookmark.get("partitions", [])
        if entry["context"] == {"organizationId": organization_id}
    }


@pytest.fixture
def several():
    return companies(COUNT)


def test_each_is_read_with_a_session_a_gate_and_a_state_of_its_own(tap, several):
    def three_at_once(scope):
        return emulator.counters_of(scope["bill_emulator.organization"]).peak_in_flight >= 3

    with Emulator(companies=several, layers=[held_until(three_at_once)]) as emulator:
        began = several[0].clock.now()
        run = tap(settings(emulator, page_size=10))
        assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
        assert read_whole(run, several)
        for company in several:
            counters = emulator.counters_of(company.organization_id)
            assert (counters.logins, counters.refused, counters.peak_in_flight) == (1, 0, 3)
            ours = bookmarks(run.state, company.organization_id)
            begun, ended = began.isoformat()[:19], company.clock.now().isoformat()[:19]
            assert begun <= ours["bills"]["replication_key_value"][:19] <= ended
    assert max(Counter(message["stream"] for message in run.of("SCHEMA")).values()) == 1
    with Emulator(companies=several) as emulator:
        again = tap(settings(emulator), state=run.state)
        assert again.exit_code == 0
        assert len(emulator.requests) == COUNT * (len(runs.ACCOUNTS) + 2)


@pytest.mark.parametrize("parallel", [1, 2])
def test_as_many_at_once_as_asked_for(tap, several, parallel):
    lock, active, most = threading.Lock(), set(), 0

    def layer(application):
        async def noting(scope, receive, send):
            nonlocal most
            await application(scope, receive, send)
            ours = scope.get("bill_emulator.organization")
            with lock:
                if scope["path"].endswith("/login"):
                    active.add(ours)
                    most = max(most, len(active))
                elif scope["path"].endswith("/logout"):
                    active.discard(ours)

        return noting

    with Emulator(companies=several, layers=[layer, held_until(lambda _: most >= parallel)]) as emulator:
        run = tap(settings(emulator, max_organizations_in_parallel=parallel))
    assert run.exit_code == 0
    assert read_whole(run, several)
    assert most == parallel


def test_one_that_fails_fails_alone(tap, several):
    wrong, forbidden, out_of_order, late = (organization(number) for number in (1, 2, 3, 4))
    own = {wrong: {"password": "not-this-one"}}
    streams = ["bills", "vendors", "roles"]
    clock = Clock()
    with Emulator(companies=several, clock=clock) as emulator:
        before = tap(settings(emulator), select=set(streams))
    clock.advance(60)  # bookmarks are whole seconds
    for company in several:
        company.edit("bills", company.ids("bills")[0], {"description": "edited"})
    with Emulator(companies=several, clock=clock, forbid_in={forbidden: streams}) as emulator:
        emulator.faults.plan("server_error", organization=out_of_order, method="GET", times=None)
        emulator.faults.plan("hour_used_up", organization=late, path="/v3/roles", times=None)
        one_by_one = settings(emulator, own, max_organizations_in_parallel=1, max_retries=0, rate_limit_max_wait=0)
        run = tap(one_by_one, state=before.state, select=set(streams))
    assert run.exit_code == 1
    *told, last = run.errors
    starts = ((wrong, "BI"), (forbidden, "BI"), *((out_of_order, start) for start in ("bi", "ro", "ve")), (late, "BI"))
    assert sorted(line[:24] for line in told) == [f"{name}: {start}" for name, start in starts]
    (told_wrong,) = [line for line in told if line.startswith(wrong)]
    assert f"refused the sign-in to organization {wrong} with BDC_1101" in told_wrong
    assert last == (
        f"4 of 5 organizations could not be read to the end: {wrong}, {forbidden}, {out_of_order}, {late}. "
        "The reason for each is above; what was read is kept, and the next run resumes there."
    )
    for failed in (wrong, forbidden, out_of_order):
        assert bookmarks(run.state, failed) == bookmarks(before.state, failed)
    fine = bookmarks(run.state, organization(0))["bills"]["replication_key_value"]
    assert fine > bookmarks(before.state, organization(0))["bills"]["replication_key_value"]
    assert organization(0) in {row["organizationId"] for row in run.records["bills"]}


def test_credentials_may_differ_and_are_taken_from_the_top_where_they_do_not(tap, several):
    other, console = organization(1), organization(2)
    known = {
        other: Credentials("other-user", "other-password", "01OTHERKEY"),
        console: Credentials("accountant", "", "01CONSOLEKEY", console_api_token="console-token"),
    }
    own = {
        other: {"username": "other-user", "password": "other-password", "dev_key": "01OTHERKEY"},
        console: {"username": "accountant", "console_api_token": "console-token", "dev_key": "01CONSOLEKEY"},
    }
    with Emulator(companies=several, organization_credentials=known) as emulator:
        run = tap(settings(emulator, own), select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    assert {row["organizationId"] for row in run.records["roles"]} == {each.organization_id for each in several}


def test_the_list_may_come_from_the_environment(tap, several):
    with Emulator(companies=several[:2]) as emulator:
        known = settings(emulator)
        listed = json.dumps(known.pop("organizations"))
        run = tap(known, "--config", "ENV", env={"TAP_BILL_ORGANIZATIONS": listed}, select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    assert {row["organizationId"] for row in run.records["roles"]} == {each.organization_id for each in several[:2]}


@pytest.mark.measured
def test_a_wrong_password_is_not_tried_for_every_organization(tap):
    several = companies(12, bills=0)
    with Emulator(companies=several) as emulator:
        run = tap(settings(emulator, password="wrong"))
        assert [request.path for request in emulator.requests] == ["/connect/v3/login"] * 2
    assert run.exit_code == 1
    assert len(run.errors) == 12 + 1
    assert run.stdout == '{"type":"STATE","value":{"bookmarks":{}}}\n'


def test_organizations_without_access_do_not_use_up_the_tries_of_the_others(tap):
    several = companies(4, bills=0)
    with Emulator(companies=several[2:]) as emulator:
        known = settings(emulator)
        known["organizations"] = [{"organization_id": each.organization_id} for each in several]
        run = tap(known, select={"roles"})
    assert run.exit_code == 1
    assert "BDC_1105: the organization has no API access." in run.errors[0]
    assert {row["organizationId"] for row in run.records["roles"]} == {each.organization_id for each in several[2:]}


def test_a_signal_stops_all_and_the_next_run_goes_on(tmp_path, catalog):
    several = companies(3, bills=300)
    reached, released = threading.Event(), threading.Event()
    lists = 0

    def layer(application):
        async def braked(scope, receive, send):
            nonlocal lists
            lists += scope["path"].endswith("/v3/bills")
            if lists > 30:
                reached.set()
                await asyncio.to_thread(released.wait, runs.PATIENCE)
            await application(scope, receive, send)

        return braked

    streams = {"bills"}
    with Emulator(companies=several, layers=[layer]) as emulator:
        config = settings(emulator, page_size=10, summary_file="told.json")
        for name, content in (("config", config), ("catalog", catalog(streams))):
            (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        command = [runs.TAP, "--config", tmp_path / "config.json", "--catalog", tmp_path / "catalog.json"]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        killer = threading.Thread(target=lambda: (reached.wait(runs.PATIENCE), process.send_signal(signal.SIGTERM)))
        killer.start()
        out, log = process.communicate(timeout=runs.PATIENCE)
        killer.join()
        released.set()
        first = runs.Run(process.returncode, out, log)
        assert first.exit_code == 128 + signal.SIGTERM
        assert "Traceback" not in log
        assert first.errors == []
        assert 0 < len(first.records["bills"]) < 900
        summary = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
        told = summary["organizations"]
        assert summary["stopped"]
        assert [each["complete"] for each in told] == [False] * 3
        assert {error for each in told for error in each["errors"]} == {"It was not read to the end."}
        assert sum(each["streams"]["bills"]["written"] for each in told) >= len(first.records["bills"])
        second = runs.run_tap(config, folder=tmp_path, state=first.state, catalog=catalog(streams))
        assert second.exit_code == 0, second.stderr
    read = {(row["organizationId"], row["id"]) for run in (first, second) for row in run.records["bills"]}
    assert read == {(each.organization_id, id_) for each in several for id_ in each.ids("bills")}
    assert len(first.records["bills"]) + len(second.records["bills"]) < 900 * 1.5


def test_a_target_that_goes_away_ends_them_all_with_one_line(tmp_path):
    several = companies(8, bills=100)
    with Emulator(companies=several) as emulator:
        config, summary = tmp_path / "config.json", tmp_path / "told.json"
        config.write_text(json.dumps(settings(emulator, summary_file=str(summary))), encoding="utf-8")
        command = [runs.TAP, "--config", config]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            process.stdout.close()
            log = process.stderr.read()
        assert process.returncode == 1
    assert runs.Run(1, "", log).errors == ["The target stopped reading; see its own messages, then run again."]
    assert json.loads(summary.read_text(encoding="utf-8"))["stopped"]
    assert "Traceback" not in log


def test_two_hundred_in_one_process(tap, catalog):
    several = companies(200, bills=5)
    streams = {"bills", "bill_line_items"}
    # The SDK needs most of a short run to make the streams for each organization, so the catalog has no others.
    only = {"streams": [entry for entry in catalog(streams)["streams"] if entry["tap_stream_id"] in streams]}
    clock = Clock()
    with Emulator(companies=several, clock=clock) as emulator:
        first = tap(settings(emulator), catalog=only)
        assert (first.exit_code, first.errors) == (0, [])
        assert read_whole(first, several, streams - {"bill_line_items"})
        assert len(first.records["bills"]) == 200 * 5
        assert emulator.logins == 200
        assert emulator.over_quota == 0
        states = [line for line in first.stdout.splitlines() if line.startswith('{"type":"STATE"')]
        assert sum(map(len, states)) < len(first.stdout) * 0.6
        clock.advance(3600)
        some = settings(emulator)["organizations"][::10]
        second = tap(settings(emulator, organizations=some), catalog=only, state=first.state)
        assert (second.exit_code, second.records) == (0, {})
        assert emulator.logins == 220
    for each in several:
        assert bookmarks(second.state, each.organization_id).keys() == streams - {"bill_line_items"}


def test_the_connection_test_looks_at_each(tap, several):
    with Emulator(companies=several[:2]) as emulator:
        run = tap(settings(emulator), "--test", select={"roles"})
    assert run.exit_code == 0
    assert [line.rpartition(" ")[2] for line in run.stdout.splitlines() if line.startswith("Signed in")] == [
        f"{each.organization_id}." for each in several[:2]
    ]
