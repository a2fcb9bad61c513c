"""Fixtures that every test may ask for."""

from __future__ import annotations

import copy
import json
import os

import hypothesis
import pytest
import runs

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

LONGEST_FIRST = ("test_meltano", "test_wheel")
SHARES_NOTHING = {
    "test_concurrency", "test_configuration", "test_faults", "test_incremental", "test_interruptions", "test_limits",
    "test_organizations", "test_parts", "test_passes", "test_permissions", "test_secrets", "test_sign_in",
    "test_spend", "test_summary",
}  # fmt: skip
"""Files whose tests may run on any worker, because they share nothing that takes long to make."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Spread the tests over the workers so that all end at about the same time; `--dist loadgroup` does it."""
    for item in items:
        if item.path.stem not in SHARES_NOTHING:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: (order.get(item.path.stem, len(order)), item.path.stem not in SHARES_NOTHING))


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
