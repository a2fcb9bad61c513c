"""examples/dagster with real Dagster, Meltano, loader and PostgreSQL: 60 organizations on four keys, and kill -9."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from itertools import accumulate
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import yaml
from runs import PATIENCE

from bill_emulator import Clock, Company, Credentials, Emulator
from demo.pipeline import MELTANO
from demo.warehouse import warehouse

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "examples" / "dagster"
DAGSTER = PROJECT / ".tools" / "dagster" / "bin" / "dagster-daemon"
AT_ONCE, AT_MOST, SIGN_INS = 2, 20, 40
STREAMS = ("roles", "vendors")
COLUMNS = ("key", "id", "status", "began", "ended")

SOONER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {example!r})
import dagster, plan
plan.PAUSE, plan.AT_MOST, plan.SIGN_INS, plan.HOUR = 1, {at_most}, {sign_ins}, 10**9
make, due, later = dagster.sensor, plan.due, Path({later!r})
dagster.sensor = lambda **options: make(**options | {{"minimum_interval_seconds": 1}})
def in_the_hour(organizations, runs, now):
    jump = float(later.read_text()) if later.exists() else 0
    back = lambda run: run._replace(began=run.began - plan.HOUR, ended=run.ended and run.ended - plan.HOUR)
    return due(organizations, [back(run) if run.began < jump else run for run in runs], now)
plan.due = in_the_hour
from definitions import defs
"""
"""The example's definitions, but for the clock: one hour lasts until the file is there, the next one from then on."""

pytestmark = pytest.mark.skipif(
    not DAGSTER.exists(), reason="Dagster could not be installed here; `make test` tries each time"
)


def organizations(key, count):
    return [f"008{key.upper()}{number:0{17 - len(key)}}" for number in range(1, count + 1)]


KEYS = {
    "north": organizations("north", 30),
    "south": organizations("south", 19),
    "gone": organizations("gone", 10),
    "app": organizations("app", 1),
}
BAD = KEYS["south"][4]
HELD = {KEYS["north"][7], KEYS["south"][7]}
KEY_OF = {organization: key for key, listed in KEYS.items() for organization in listed}
CREDENTIALS = {
    key: Credentials(f"user-of-{key}", f"password-of-{key}", f"01DEVKEY{key.upper()}", client_id=f"client-of-{key}",
                     client_secret=f"client-secret-of-{key}")
    for key in KEYS
}  # fmt: skip
VARIABLES = {
    **{f"{key.upper()}_USERNAME": known.username for key, known in CREDENTIALS.items()},
    **{f"{key.upper()}_PASSWORD": known.password for key, known in CREDENTIALS.items()},
    **{f"{key.upper()}_DEV_KEY": known.dev_key for key, known in CREDENTIALS.items()},
    "GONE_DEV_KEY": "01REVOKEDKEY",
    f"CLIENT_ID_{KEYS['app'][0]}": CREDENTIALS["app"].client_id,
    f"CLIENT_SECRET_{KEYS['app'][0]}": CREDENTIALS["app"].client_secret,
}
SECRETS = {
    value for name, value in VARIABLES.items() if any(word in name for word in ("PASSWORD", "DEV_KEY", "SECRET"))
}


def keys_file(*names):
    sessions = {
        key: {setting: f"{key.upper()}_{setting.upper()}" for setting in ("username", "password", "dev_key")}
        for key in KEYS
    }
    app = {"client_id": "CLIENT_ID_{organization}", "client_secret": "CLIENT_SECRET_{organization}"}
    return yaml.safe_dump(
        {key: {"credentials": {**sessions, "app": app}[key], "organizations": KEYS[key]} for key in names},
        sort_keys=False,
    )


class Brake:
    """Holds the lists of two organizations, each in another run, until it is told to let go."""

    def __init__(self):
        self.held, self.let_go = set(), threading.Event()

    def layer(self, application):
        async def braked(scope, receive, send):
            organization = scope.get("bill_emulator.organization")
            if organization in HELD and scope["path"].endswith("/v3/vendors"):
                self.held.add(organization)
                await asyncio.to_thread(self.let_go.wait, PATIENCE)
            await application(scope, receive, send)

        return braked

    @contextlib.contextmanager
    def released(self):
        """Let go at the end whatever happens: else the emulator would wait for what it holds."""
        try:
            yield
        finally:
            self.let_go.set()


def until(what, met):
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, what
        threading.Event().wait(0.5)


def processes():
    """All processes of this machine: parent and command line, by number."""
    lines = subprocess.run(["ps", "-Awwo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    split = [line.split(None, 2) for line in lines.splitlines()]
    return {int(number): (int(parent), "".join(rest)) for number, parent, *rest in split}


def kill_run(key):
    """kill -9 of Dagster's run worker, Meltano, the tap and the loader."""
    found = processes()
    (meltano,) = [
        number for number, (_, line) in found.items() if f"--state-id=tap-bill-to-target-postgres:{key} " in line
    ]
    worker = found[meltano][0]
    children = [number for number, (parent, _) in found.items() if parent == meltano]
    assert len(children) >= 2
    for number in (worker, meltano, *children):
        os.kill(number, signal.SIGKILL)


def files_of_taps():
    """Where the taps that these runs started have their catalog; their state is beside it."""
    found = processes()
    ours = {number for number, (_, line) in found.items() if "meltano el --state-id=" in line}
    lines = [line.split() for parent, line in found.values() if parent in ours]
    return [line[line.index("--catalog") + 1] for line in lines if "--catalog" in line]


class Home:
    """A folder for Dagster's daemon and Meltano's database, and what is stored there."""

    def __init__(self, folder, environment):
        self.folder, self.home = folder, folder / "home"
        self.keys, self.later, self.meltano = folder / "keys.yaml", folder / "later", folder / "meltano.db"
        self.home.mkdir()
        settings = (EXAMPLE / "dagster.yaml").read_text(encoding="utf-8")
        assert "max_concurrent_runs: 4" in settings
        (self.home / "dagster.yaml").write_text(settings.replace("runs: 4", f"runs: {AT_ONCE}"), encoding="utf-8")
        sooner = SOONER.format(example=str(EXAMPLE), at_most=AT_MOST, sign_ins=SIGN_INS, later=str(self.later))
        (folder / "sooner.py").write_text(sooner, encoding="utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TAP_BILL_", "MELTANO_"))},
            **VARIABLES,
            **environment,
            "BILL_KEYS_FILE": str(self.keys),
            "DAGSTER_HOME": str(self.home),
            "MELTANO_DATABASE_URI": f"sqlite:///{self.meltano}",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
            "PATH": f"{MELTANO.parent}{os.pathsep}{os.environ['PATH']}",
        }

    @contextlib.contextmanager
    def daemon(self):
        with (self.folder / "daemon.log").open("ab") as log:
            command = [DAGSTER, "run", "-f", str(self.folder / "sooner.py")]
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
            try:
                yield process
            finally:
                process.terminate()
                process.wait(PATIENCE)

    def runs(self, key=None):
        """Dagster's runs that have begun, oldest first."""
        path = self.home / "history" / "runs.db"
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(path)) as database, contextlib.suppress(sqlite3.OperationalError):
            columns = "partition, run_id, status, start_time, end_time"
            rows = database.execute(f"select {columns} from runs where start_time is not null order by id")
            return [SimpleNamespace(**dict(zip(COLUMNS, row, strict=True))) for row in rows if key in {None, row[0]}]
        return []

    def partitions(self):
        """The keys that the sensor found when it looked last."""
        with contextlib.closing(sqlite3.connect(self.home / "history" / "runs" / "index.db")) as database:
            return {key for (key,) in database.execute("select partition from dynamic_partitions")}

    def statuses(self, key):
        return [run.status for run in self.runs(key)]

    def ended(self, key):
        return sum(run.ended is not None for run in self.runs(key))

    def events(self, run):
        path = self.home / "history" / "runs" / f"{run.id}.db"
        with contextlib.closing(sqlite3.connect(path)) as database:
            return [json.loads(event) for (event,) in database.execute("select event from event_logs order by id")]

    def five_minutes_pass_for_the_dead(self, key):
        """Meltano refuses a second run with the same state until the first has been silent for so long."""
        dead = f"state = 'RUNNING' and job_name like '%:{key}'"
        with contextlib.closing(sqlite3.connect(self.meltano)) as database, database:
            changed = database.execute(f"update runs set last_heartbeat_at = '2026-01-01 00:00:00.000000' where {dead}")
        assert changed.rowcount == 1


@pytest.fixture(scope="module")
def day(tmp_path_factory, discovered):
    companies = [Company(seed=place, bills=0, organization_id=name) for place, name in enumerate(KEY_OF)]
    known = {organization: CREDENTIALS[key] for organization, key in KEY_OF.items()}
    brake, clock = Brake(), Clock(frozen=True)
    limits = {"organization_credentials": known, "login_limit": SIGN_INS, "layers": [brake.layer]}
    with (
        Emulator(companies=companies, clock=clock, **limits) as emulator,
        warehouse() as postgres,
        brake.released(),
    ):
        emulator.faults.plan("refused", path="/v3/roles", organization=BAD, times=None)
        catalog = tmp_path_factory.mktemp("catalog") / "catalog.json"  # else Meltano starts the tap twice for each run
        environment = {
            "TAP_BILL_API_URL": emulator.url,
            "TAP_BILL__CATALOG": str(catalog),
            "TARGET_POSTGRES_SQLALCHEMY_URL": postgres.sqlalchemy_url,
        }
        dagster = Home(tmp_path_factory.mktemp("dagster"), environment)
        listed = [entry for entry in discovered["streams"] if entry["tap_stream_id"] in STREAMS]
        catalog.write_text(json.dumps({"streams": listed}), encoding="utf-8")
        dagster.keys.write_text(keys_file("app"), encoding="utf-8")
        with dagster.daemon() as daemon:
            until("the first key was read", lambda: dagster.statuses("app") == ["SUCCESS"])  # which makes the tables
            dagster.keys.write_text(keys_file(*KEYS), encoding="utf-8")
            until("two runs are under way", lambda: brake.held == HELD)
            files = files_of_taps()
            kill_run("south")
            daemon.kill()
        dagster.five_minutes_pass_for_the_dead("south")
        brake.let_go.set()
        with dagster.daemon():
            ends = {"north": ["SUCCESS"], "app": ["SUCCESS"], "gone": ["FAILURE"], "south": ["FAILURE"] * 2}
            until("every key was read", lambda: all(dagster.ended(key) >= len(end) for key, end in ends.items()))
            assert {key: dagster.statuses(key) for key in ends} == ends
            dagster.keys.write_text(keys_file("north"), encoding="utf-8")
            until("the sensor knows no other key", lambda: dagster.partitions() == {"north"})
            clock.advance(3600)
            dagster.later.write_text(str(time.time()), encoding="utf-8")
            until("the rest was read", lambda: dagster.statuses("north") == ["SUCCESS"] * 2)
        with psycopg.connect(postgres.dsn, autocommit=True, options="-c search_path=bill") as database:
            yield SimpleNamespace(
                dagster=dagster, emulator=emulator, companies=companies, database=database, files=files
            )


def fields(value, name):
    """Every field with this name, however deep in what Dagster stored."""
    if isinstance(value, dict):
        yield from [value[name]] if name in value else []
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from fields(each, name)


def metadata(day, run, label):
    """What a run told; the asset and the step's output have the same."""
    entries = [entry for each in fields(day.dagster.events(run), "metadata_entries") for entry in each or ()]
    told = [entry["entry_data"]["data"] for entry in entries if entry["label"] == label]
    assert all(each == told[0] for each in told)
    return told[0] if told else None


def test_nothing_is_lost_though_a_run_and_the_daemon_were_killed(day):
    for stream in STREAMS:
        unread = {*KEYS["gone"], *([BAD] if stream == "roles" else [])}
        truth = {(each.organization_id, id_) for each in day.companies for id_ in each.ids(stream)}
        rows = day.database.execute(f'select "organizationId", id from {stream}').fetchall()
        assert len(rows) == len({*rows})
        assert {*rows} == {(organization, id_) for organization, id_ in truth if organization not in unread}


def test_never_two_runs_of_a_key_and_so_many_at_once(day):
    moments = []
    for key in KEYS:
        times = [moment for run in day.dagster.runs(key) for moment in (run.began, run.ended)]
        assert times == sorted(times), key
        moments += [(moment, 1 if place % 2 == 0 else -1) for place, moment in enumerate(times)]
    under_way = list(accumulate(change for _, change in sorted(moments)))
    assert max(under_way) == AT_ONCE
    for organization in {*KEY_OF} - {*KEYS["south"], *KEYS["gone"]}:  # each session ends before the next one begins
        ours = [request.path for request in day.emulator.requests if request.organization == organization]
        opened = [path.rpartition("/")[2] for path in ours if path.endswith(("/login", "/logout"))]
        assert opened == ["login", "logout"] * (len(opened) // 2), organization


def test_runs_at_once_share_no_file(day):
    """Else Meltano deletes the state of one run when another one ends."""
    assert len({*day.files}) == AT_ONCE


def test_bills_limits_are_kept(day):
    assert {day.emulator.counters_of(organization).refused for organization in KEY_OF} == {0}
    assert day.emulator.over_quota == 0
    tried = Counter(
        KEY_OF.get(request.organization)
        for request in day.emulator.requests
        if request.path.endswith(("/login", "/token"))
    )
    assert tried["north"] == 2 * AT_MOST
    assert tried["gone"] == 2  # a key that BILL refuses is not tried for every organization
    assert tried["south"] <= SIGN_INS


def test_more_organizations_than_an_hour_allows_are_split(day):
    first, second = ({*metadata(day, run, "rows")} for run in day.dagster.runs("north"))
    assert first == {*KEYS["north"][:AT_MOST]}
    assert second >= {*KEYS["north"][AT_MOST:]}
    assert len(second) == AT_MOST


def test_a_run_tells_rows_by_organization_and_stream(day):
    (run,) = day.dagster.runs("app")
    (company,) = [each for each in day.companies if each.organization_id == KEYS["app"][0]]
    counts = {stream: len(company.ids(stream)) for stream in STREAMS}
    rows = metadata(day, run, "rows")
    assert {name: rows[company.organization_id][name] for name in STREAMS} == counts
    (log,) = (day.dagster.home / "storage" / run.id / "compute_logs").glob("*.out")
    assert "Signed in to BILL emulator" in log.read_text(encoding="utf-8")


def test_a_failed_run_says_why_in_the_taps_line(day):
    killed, south = day.dagster.runs("south")
    (gone,) = day.dagster.runs("gone")
    why = f"roles: BILL refused GET /v3/roles for organization {BAD} (HTTP 400: not accepted)."
    assert metadata(day, south, "errors") == [why]
    errors = metadata(day, gone, "errors")
    assert len(errors) == len(KEYS["gone"])
    assert "BDC_1102" in errors[0]
    for run, line in ((south, why), (gone, errors[0])):
        assert line in fields(day.dagster.events(run), "description")
    assert metadata(day, killed, "rows") is None


def test_dagster_keeps_no_secret(day):
    kept = [path for path in day.dagster.folder.rglob("*") if path.is_file()]
    assert len(kept) > 10
    for path in kept:
        with contextlib.suppress(FileNotFoundError):  # a journal of SQLite's goes with its transaction
            content = path.read_bytes()
            assert [secret for secret in SECRETS if secret.encode() in content] == [], path
