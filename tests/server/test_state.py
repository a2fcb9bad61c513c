"""State that an older version wrote is understood; one that nobody can have written is refused in one line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from runs import settings

from bill_emulator import Clock, Company, Emulator

ORGANIZATION = "00802DEMO0COMPANY001"
CONTEXT = {"context": {"organizationId": ORGANIZATION}}
COVERS = {"covers": ["bill_approvers", "bill_line_items", "bills"]}
BOOKMARK = {"replication_key": "updatedTime", "replication_key_value": "2026-06-20T12:00:00.000Z"}
SINCE = 'updatedTime:gte:"2026-06-20T11:55:00.000Z"'
ADVICE = "Pass the last state that tap-bill wrote for this pipeline, or none to read everything again."
RANGES = [["2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"], ["2026-05-01T00:00:00.000Z", None]]
PASS = {"started_at": "2026-06-30T12:00:00.000Z", "since": None, "newest": "2026-03-01T00:00:00.000+00:00"}


def state(*entries):
    return {"bookmarks": {"bills": {"partitions": list(entries)}}}


@pytest.fixture
def read(tap):
    """Read bills with a state: the run, and the filters that it asked with."""

    def run(given):
        company = Company(seed=7, bills=60, clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC), frozen=True))
        with Emulator(company=company) as emulator:
            assert company.organization_id == ORGANIZATION
            streams = {"bills", "bill_line_items", "bill_approvers"}
            done = tap(settings(emulator), state=given, select=streams)
            asked = [r.query.get("filters") for r in emulator.requests if r.path.endswith("/bills")]
        return done, asked

    return run


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, [None]),
        ({"bookmarks": {}}, [None]),
        ({"bookmarks": {"bills": {}}}, [None]),
        (state(), [None]),
        (state(CONTEXT), [None]),  # its bookmark never moved
        (state(CONTEXT | BOOKMARK | COVERS), [SINCE]),
        (state(CONTEXT | BOOKMARK | {"covers": ["bills"]}), [None]),  # line tables were selected later
        (state({"context": {"organizationId": "00802OTHERCOMPANY000"}} | BOOKMARK | COVERS), [None]),
        (
            state(CONTEXT | {"pass": {**PASS, "ranges": RANGES, **COVERS}}),
            [
                'createdTime:gte:"2026-03-01T00:00:00.000Z",createdTime:lt:"2026-04-01T00:00:00.000Z"',
                None,  # the end of the list
            ],
        ),
        (
            state(CONTEXT | BOOKMARK | COVERS | {"pass": {**PASS, "ranges": RANGES, "covers": ["bills"]}}),
            [SINCE],  # other tables than now were read
        ),
    ],
)
def test_a_state_of_version_0_1_is_understood(read, given, asked):
    run, filters = read(given)
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert sorted(filters, key=str) == sorted(asked, key=str)
    (entry,) = [each for each in run.state["bookmarks"]["bills"]["partitions"] if CONTEXT.items() <= each.items()]
    interrupted = asked[0] is not None and asked[0].startswith("createdTime")
    begun = PASS["started_at"] if interrupted else "2026-07-01T12:00:00.000Z"
    whole = {} if asked == [SINCE] else {"whole": begun}
    assert entry == CONTEXT | BOOKMARK | COVERS | {"replication_key_value": begun} | whole


@pytest.mark.measured
@pytest.mark.parametrize(
    "entry",
    [
        CONTEXT | {"replication_key_value": 5},
        CONTEXT | {"replication_key_value": "soon"},
        CONTEXT | {"replication_key_value": "9999-12-31T23:59:59-12:00"},
        CONTEXT | BOOKMARK | {"key": 5},
        CONTEXT | BOOKMARK | {"covers": 5},
        CONTEXT | BOOKMARK | {"covers": [["bills"]]},
        CONTEXT | {"pass": 5},
        CONTEXT | {"pass": {}},
        CONTEXT | {"pass": {**PASS, "ranges": [5]}},
        CONTEXT | {"pass": {**PASS, "ranges": [[5, None]]}},
        CONTEXT | {"digest": 5},
        CONTEXT | {"whole": "soon"},
        CONTEXT | {"audited": 5},
        CONTEXT | {"audits": 5},
        CONTEXT | {"audits": [{"started": PASS["started_at"]}]},
        CONTEXT | {"audits": [{"started": "soon", "rows": {}}]},
        CONTEXT | {"audits": [{"started": PASS["started_at"], "rows": {"bills": "many"}}]},
        CONTEXT | {"pass": {**PASS, "ranges": RANGES, "audit": {"started": PASS["started_at"], "rows": 5}}},
        CONTEXT | {"follow": "00n"},
        CONTEXT | {"follow": {"00n": None}},
        CONTEXT | {"follow": ["00n", 5]},
        CONTEXT | {"follow": None},
        CONTEXT | {"whole": 5},
        CONTEXT | {"followed": "soon"},
        CONTEXT | {"behind": []},
        CONTEXT | {"behind": {"bill_documents": {"since": None}}},
        CONTEXT | {"behind": {"bill_documents": {"since": 5, "parent": "00n"}}},
        {"context": {"organizationId": ["008"]}},
        {"context": {"organization": "008"}},
        5,
    ],
)
def test_a_state_of_another_shape_is_refused(read, entry):
    run, asked = read(state(entry))
    assert (run.exit_code, asked, run.stdout) == (1, [], "")
    assert run.errors == [f"The state file's bookmark of 'bills' was not written by tap-bill. {ADVICE}"]
    assert "Traceback" not in run.stderr


def test_two_entries_for_one_organization_are_refused(read):
    run, _ = read(state(CONTEXT, CONTEXT | BOOKMARK))
    assert run.errors == [f"The state file's bookmark of 'bills' was not written by tap-bill. {ADVICE}"]
