"""Fixtures that every test may ask for."""

from __future__ import annotations

import copy
import json

import pytest
import runs

from bill_emulator import Company, Emulator


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
