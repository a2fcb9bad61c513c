"""Fixtures that every test may ask for."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import hypothesis
import pytest
import runs
from xdist.scheduler import LoadScopeScheduling

from bill_emulator import Company, Emulator

# A test is red because of the code, not because of the examples or the machine of the day.
hypothesis.settings.register_profile(
    "fixed",
    deadline=None,
    derandomize=not runs.EXAMPLES_TIMES,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("fixed")

LONGEST_FIRST = ("test_meltano", "test_quick_start", "test_wheel", "test_histories", "test_stream_maps")
SHARES_NOTHING = {
    "test_answers", "test_concurrency", "test_configuration", "test_faults", "test_incremental",
    "test_interruptions", "test_isolation", "test_limits", "test_order", "test_organizations", "test_parts",
    "test_passes", "test_permissions", "test_secrets", "test_sign_in", "test_spend", "test_stream_maps",
    "test_summary",
}  # fmt: skip
"""Files whose tests may run on any worker, because they share nothing that takes long to make."""


class Spread(LoadScopeScheduling):
    """Keeps the tests of a file on one worker, except where they share nothing.

    In place of `--dist loadgroup`, which does not work with this pytest: xdist 3.8 changes names that it does not read.
    """

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return nodeid if Path(file).stem in SHARES_NOTHING else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Spread(config, log)


def pytest_collection_modifyitems(items):
    """Begin with what takes longest, so that all workers end at about the same time."""
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: (order.get(item.path.stem, len(order)), item.path.stem in SHARES_NOTHING))


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Have more workers than processors, because a test often waits for one of its servers to end."""
    return (os.cpu_count() or 1) + 2


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
    """A catalog in which these streams, and no others, are selected."""

    def select(streams):
        chosen = copy.deepcopy(discovered)
        for entry in chosen["streams"]:
            for field in entry["metadata"]:
                if field["breadcrumb"] == []:
                    field["metadata"]["selected"] = entry["tap_stream_id"] in streams
        return chosen

    return select
