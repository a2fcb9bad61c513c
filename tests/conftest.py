"""Fixtures that every test may ask for, what is measured, and how the tests are spread over workers.

Where a test goes:

    unit/      needs neither a server nor a process: tables, schemas, documents, arithmetic, the tap on a BILL in memory
    server/    runs the tap as a user does, against the emulator or against a server that gives canned answers
    process/   needs real programs: signals and kills, the console script, the wheel, Meltano, PostgreSQL
    emulator/  tests the emulator itself, without the tap

What several folders use is beside this file: `runs.py` runs the tap, `canned.py` gives answers, `layers.py` decides
when the emulator answers, `fixtures/` holds one file of records for every stream.
"""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path

import hypothesis
import pytest
import runs
import ways
from xdist.scheduler import LoadScopeScheduling

from bill_emulator import Company, Emulator
from tap_bill.resources import RESOURCES

# A test is red because of the code, not because of the examples or the machine of the day.
hypothesis.settings.register_profile(
    "fixed",
    deadline=None,
    derandomize=not runs.EXAMPLES_TIMES,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("fixed")

LONGEST_FIRST = (
    "test_dagster", "test_meltano", "test_dbt", "test_two_hundred_in_one_process", "test_histories", "test_sdk_suite",
    "test_interruptions",
)  # fmt: skip
"""Files and tests that begin before all others, so that all workers end at about the same time."""

STAY_TOGETHER = {"emulator", "process", "test_passes", "test_records", "test_schemas", "test_sdk_suite"}
"""Folders and files of which a file's tests share what takes long to make; all others may run on any worker."""

IS_MEASURED = pytest.StashKey()
"""Whether coverage is measured in a test."""


def names(item):
    """What the tables above may call a test: its own name, its file's or its folder's."""
    return {getattr(item, "originalname", item.name), item.path.stem, item.path.parent.name}


class Spread(LoadScopeScheduling):
    """Keeps the tests of a file on one worker, except where they share nothing.

    In place of `--dist loadgroup`, which does not work with this pytest: xdist 3.8 changes names that it does not read.
    """

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return file if {Path(file).stem, Path(file).parent.name} & STAY_TOGETHER else nodeid


def pytest_configure():
    """Collect no garbage before the tests begin: what is imported and collected stays to the end."""
    gc.disable()


def pytest_collection_finish():
    """Look for garbage in what tests make, and only now and then; all else takes an eighth of the whole time."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Spread(config, log)


def pytest_collection_modifyitems(items):
    def place(item):
        longest = [number for number, name in enumerate(LONGEST_FIRST) if name in names(item)]
        return (longest or [len(LONGEST_FIRST)])[0], not names(item) & STAY_TOGETHER

    items.sort(key=place)
    first = {}
    for item in items:
        if mark := item.get_closest_marker("measured"):
            item.stash[IS_MEASURED] = mark.kwargs.get("throughout") or first.setdefault(item.function, item) is item


@pytest.fixture(autouse=True)
def measured(request, monkeypatch):
    """Measure what the tap runs in a test that is marked so, if coverage is asked for.

    It doubles the time, so few tests are; together they run nearly all lines that any test runs. Of a test with several
    examples the first is measured, or all with `measured(throughout=True)`, because each runs lines of its own.
    """
    if "COVERAGE_FILE" in os.environ and request.node.stash.get(IS_MEASURED, False):
        monkeypatch.setenv(runs.MEASURED, str(request.config.rootpath / "pyproject.toml"))


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Have one more worker than processors, because a test often waits for one of its servers to end."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def company():
    """A small company; a test that changes it gets its own."""
    return Company(seed=7, bills=25)


@pytest.fixture
def emulator(company):
    with Emulator(company=company) as running:
        yield running


@pytest.fixture
def config(emulator):
    """Settings that read the emulator."""
    return {**emulator.credentials, "api_url": emulator.url}


@pytest.fixture(params=ways.WAYS, ids=lambda way: way.name)
def sign_in(request):
    """Each way to sign in to payables and receivables."""
    return request.param


@pytest.fixture(scope="session")
def discovered(tmp_path_factory):
    """The catalog that `--discover` writes."""
    run = runs.run_tap(None, "--discover", folder=tmp_path_factory.mktemp("discovery"))
    return json.loads(run.stdout)


@pytest.fixture
def tap(tmp_path, catalog):
    """Run the tap in an empty folder: `tap(config, *arguments, select={streams}, state=..., catalog=...)`."""

    def run(config, *arguments, select=None, **files):
        if select:
            files["catalog"] = catalog(select)
        return runs.run_tap(config, *arguments, folder=tmp_path, **files)

    return run


@pytest.fixture
def catalog(discovered):
    """A catalog in which these streams, and no others, are selected.

    It holds their relatives and two streams more; the SDK needs most of a short run to make all 75 from a catalog.
    """

    def select(streams):
        family = near(streams)
        chosen = {"streams": [entry for entry in discovered["streams"] if entry["tap_stream_id"] in family]}
        chosen = json.loads(json.dumps(chosen))  # a copy
        for entry in chosen["streams"]:
            for field in entry["metadata"]:
                if field["breadcrumb"] == []:
                    field["metadata"]["selected"] = entry["tap_stream_id"] in streams
        return chosen

    return select


def near(streams):
    """Streams, those that come in the same rows, those that they are parts of, and two that are always there."""
    families = (
        {resource.name, *(lines.name for lines in resource.lines), *([parent.stream] if parent else [])}
        for resource in RESOURCES
        for parent in [resource.parent]
    )
    return {"roles", "vendors"}.union(*(family for family in families if not family.isdisjoint(streams)))
