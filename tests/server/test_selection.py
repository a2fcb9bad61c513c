"""Streams that cost more are read only if somebody names them, also where Meltano selects everything."""

from __future__ import annotations

import copy
import json

import pytest
from runs import ACCOUNTS, settings

from bill_emulator import Company, Emulator
from tap_bill.resources import RESOURCES

ON_REQUEST = {name for resource in RESOURCES if not resource.is_default for name in resource.tables}
BY_DEFAULT = {"sync_audit", *(name for resource in ACCOUNTS for name in resource.tables)}


@pytest.fixture
def everything(discovered):
    """The catalog that Meltano makes of `*.*`, and of any other patterns that match every stream."""
    catalog = copy.deepcopy(discovered)
    for stream in catalog["streams"]:
        for field in stream["metadata"]:
            field["metadata"]["selected"] = True
    return catalog


def meltano(*select, only=(), catalog=None):
    """The variables that Meltano sets for an extractor."""
    extras = {"SELECT": json.dumps(select), "SELECT_FILTER": json.dumps(only), "CATALOG": catalog}
    return {f"MELTANO_EXTRACT__{name}": value for name, value in extras.items() if value is not None}


def announced(run):
    return {message["stream"] for message in run.of("SCHEMA")}


def not_read(run):
    return [line for line in run.log("INFO") if line.startswith("Not read, because")]


def test_a_star_names_no_stream(tap, config, emulator, everything):
    run = tap(config, catalog=everything, env=meltano("*.*"))
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert announced(run) == BY_DEFAULT
    assert len(emulator.requests) == len(ACCOUNTS) + 2
    (line,) = not_read(run)
    names, _, advice = line.removeprefix("Not read, because Meltano's `select` does not name them: ").partition(". ")
    assert set(names.split(", ")) == ON_REQUEST
    assert advice == (
        "Most of them take a request for each record of another stream. To read one, name it in `select`, for example "
        "vendor_attachments.*"
    )


@pytest.mark.parametrize(
    ("environment", "read"),
    [
        (meltano("*.*", "vendor_attachments.*", "!roles.*"), {"vendor_attachments"}),
        (meltano("*.*", "vendor_a*.id"), {"vendor_attachments", "vendor_audit_trail"}),
        (meltano("*.*", "!vendor_attachments.*"), set()),
        (meltano("*.*", only=["vendor_attachments"]), {"vendor_attachments"}),
        (meltano("**"), set()),
        (meltano("*.*", catalog="own.json"), ON_REQUEST),
        ({"MELTANO_EXTRACT__SELECT": "not JSON"}, ON_REQUEST),
        ({}, ON_REQUEST),
    ],
)
def test_what_is_named_is_read(tap, config, everything, environment, read):
    """Without Meltano, and where the user gives it a whole catalog, the catalog names them."""
    chosen = {"vendors", "vendor_attachments", "vendor_audit_trail", "organization_price_plan"}
    for stream in everything["streams"]:
        for field in stream["metadata"]:
            field["metadata"]["selected"] = stream["tap_stream_id"] in chosen
    run = tap(config, catalog=everything, env=environment)
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert announced(run) == chosen & (read | {"vendors"})
    assert len(not_read(run)) == (0 if chosen & ON_REQUEST <= read else 1)


def test_a_stream_that_is_named_again_has_missed_nothing(tap, config, company, everything):
    named = meltano("*.*", "vendor_attachments.*")
    first = tap(config, catalog=everything, env=named)
    unnamed = tap(config, catalog=everything, env=meltano("*.*"), state=first.state)
    company.add("vendors")
    company.edit("vendors", company.ids("vendors")[0], {"name": "Edited"})
    between = tap(config, catalog=everything, env=meltano("*.*"), state=unnamed.state)
    assert not unnamed.records["vendor_attachments"]
    assert len(between.records["vendors"]) < len(company.ids("vendors"))
    last = tap(config, catalog=everything, env=named, state=between.state)
    there = {row["id"] for id_ in company.ids("vendors") for row in company.parts("vendor_attachments", id_)}
    assert {row["id"] for row in last.records["vendor_attachments"]} == there


def test_it_is_said_once_for_all_organizations(tap, everything):
    several = [Company(seed=number, organization_id=f"00802ORGANIZATION{number:03}", bills=5) for number in range(2)]
    with Emulator(companies=several) as emulator:
        config = settings(emulator, organizations=[{"organization_id": each.organization_id} for each in several])
        del config["organization_id"]
        run = tap(config, catalog=everything, env=meltano("*.*"))
    assert (run.exit_code, announced(run), len(not_read(run))) == (0, BY_DEFAULT, 1)


def tried(run):
    return {line.split()[0] for line in run.stdout.splitlines() if line.startswith("  ")}


def test_the_connection_test_says_what_it_goes_by(tap, config, everything):
    run = tap(config, "--test")
    assert run.stdout.splitlines()[0] == "No catalog was given: trying every stream that is read by default."
    assert tried(run) == {resource.name for resource in ACCOUNTS}
    run = tap(config, "--test", select={"roles", "vendor_attachments"})
    assert run.stdout.splitlines()[0] == "Trying the streams that the catalog selects."
    assert tried(run) == {"roles", "vendors", "vendor_attachments"}


@pytest.mark.measured
@pytest.mark.parametrize("given", [True, False])
def test_under_meltano_the_connection_test_goes_by_select_as_it_is_now(tap, config, everything, given):
    """Meltano passes `--test` the catalog of the last run, or none."""
    env = meltano("v*.*", "users.*", "items.id", "!items.*", "!vendors.name", "ap_cards", only=["*", "!users"])
    run = tap(config, "--test", env=env, catalog=everything if given else None)
    assert run.stdout.splitlines()[0] == "Trying the streams that Meltano's `select` selects."
    named = {name for name in ON_REQUEST if name.startswith("v")}
    assert tried(run) == {"vendors", "vendor_credits", "ap_cards", *named}
