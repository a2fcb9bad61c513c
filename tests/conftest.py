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

import copy
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

MEASURED = {
    "test_configuration",
    "test_decimals",
    "test_limits",
    "test_lines",
    "test_paging",
    "test_permissions",
    "test_records",
    "test_selection",
    "test_sign_in",
    "test_state",
    "test_stream_maps",
    "test_summary",
    "test_verify",
    "test_a_body_that_can_never_be_read_is_told_in_one_line",
    "test_a_bookmark_of_another_key_is_read_again_once",
    "test_a_bookmark_that_lies_ahead_of_bills_clock_is_not_believed",
    "test_a_clock_that_is_far_ahead_is_told",
    "test_a_connection_that_always_breaks_stops_the_run_with_one_line",
    "test_a_date_that_comes_late_moves_no_bookmark",
    "test_a_fault_of_the_tap_stays_in_its_stream",
    "test_a_filter_without_effect_is_noticed",
    "test_a_list_that_is_too_long_to_hold_is_written_as_it_comes",
    "test_a_list_that_leads_nowhere_stops_the_run",
    "test_a_list_that_moves_while_it_is_read_is_not_called_whole",
    "test_a_member_without_a_uuid_stops_its_stream_alone",
    "test_a_path_that_is_not_there_is_no_parent_that_went_away",
    "test_a_record_without_a_uuid_stops_its_stream_alone",
    "test_a_refused_cursor_opens_the_list_again",
    "test_a_run_that_may_read_no_selected_part_fails",
    "test_a_sort_that_is_refused_costs_nothing_but_the_order",
    "test_a_sort_without_effect_loses_nothing",
    "test_a_token_that_is_refused_right_after_it_was_issued_ends_the_run",
    "test_a_wait_that_bill_asks_for_in_one_list_stops_no_other",
    "test_a_whole_read_that_is_interrupted_goes_on_and_keeps_the_bookmark",
    "test_an_app_that_is_deleted_in_mid_run_ends_it_with_one_line",
    "test_an_empty_object_in_place_of_a_list_is_an_empty_list_and_proves_nothing",
    "test_an_order_that_bill_does_not_keep_leaves_the_bookmark",
    "test_an_output_that_takes_no_more_ends_the_run_with_one_line",
    "test_an_answer_that_does_not_come_is_asked_for_again",
    "test_another_program_on_the_key_costs_nothing_but_time",
    "test_half_an_emoji_costs_neither_the_row_nor_the_run",
    "test_one_side_of_one_organization",
    "test_rows_without_a_readable_change_keep_the_bookmark",
    "test_the_connection_test_cannot_try_parts_of_nothing",
    "test_the_connection_test_goes_on_with_the_other_organizations",
    "test_the_token_is_asked_for_nowhere_else",
    "test_what_may_not_be_read_holds_nothing_else_up",
    "test_where_both_are_wrong_nothing_is_written",
    "test_where_bill_does_not_select_by_id_the_run_says_so",
    "test_where_nothing_answers_any_more_nothing_more_is_tried",
}
"""Files and tests in which coverage of the tap is measured, which doubles the time that it takes.

Together they run nearly all lines that any test runs. Of a test with several examples the first is measured.
"""

MEASURED_THROUGHOUT = {"test_what_does_not_hold_is_told"}
"""Tests of which every example is measured, because each runs lines of its own."""


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
    first = {item.function: item for item in reversed(items) if names(item) & MEASURED}
    for item in (*first.values(), *(item for item in items if names(item) & MEASURED_THROUGHOUT)):
        item.add_marker("measured")


@pytest.fixture(autouse=True)
def measured(request, monkeypatch):
    """Measure what the tap runs in this test, if coverage is asked for."""
    if "COVERAGE_FILE" in os.environ and request.node.get_closest_marker("measured"):
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
        chosen = {"streams": [entry for entry in discovered["streams"] if entry["tap_stream_id"] in near(streams)]}
        chosen = copy.deepcopy(chosen)
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
