"""A stream that the role may not read is skipped; the others are read."""

from __future__ import annotations

import pytest
from runs import ACCOUNTS, settings

from bill_emulator import Emulator


def partition(state, stream):
    return state["bookmarks"].get(stream, {}).get("partitions", [])


def warning(stream, needs, reason="HTTP 403, BDC_1302: The user's role may not do this"):
    return (
        f"{stream}: skipped, because BILL does not let this user read it ({reason}): it needs {needs}. "
        "Its bookmark stays. Give the user a role with this permission in BILL, or deselect the stream."
    )


def test_forbidden_streams_are_skipped_with_one_warning_each(tap, company):
    with Emulator(company=company) as emulator:
        before = tap(settings(emulator))
    with Emulator(company=company, forbid=["bills", "vendors"], role="CLERK") as emulator:
        run = tap(settings(emulator), state=before.state)
    assert run.exit_code == 0
    assert run.errors == []
    assert sorted(run.warnings) == [
        warning("bills", "a role with permission to read Bill records"),
        warning("organization", "the role of an administrator"),
        warning("vendors", "a role with permission to read Vendor records"),
    ]
    assert not run.records.keys() & {"bills", "bill_line_items", "vendors", "organization"}
    assert "payment_terms: reading everything." in run.log("INFO")
    for stream in ("bills", "vendors"):
        assert partition(run.state, stream) == partition(before.state, stream)
    company.edit("bills", company.ids("bills")[3], {"description": "edited meanwhile"})
    with Emulator(company=company) as emulator:
        after = tap(settings(emulator), state=run.state, select={"bills", "bill_line_items", "bill_approvers"})
    assert company.ids("bills")[3] in {row["id"] for row in after.records["bills"]}


def test_a_permission_that_goes_in_mid_read_leaves_the_bookmark(tap, company, emulator):
    emulator.faults.plan("forbidden", path="/v3/bills", after=1, times=None)
    run = tap(settings(emulator, page_size=10, max_concurrency=1, max_retries=1), select={"bills", "vendors"})
    assert run.exit_code == 1
    assert run.errors[0] == (
        f"bills: BILL refused GET /v3/bills for organization {company.organization_id} (HTTP 403, BDC_1302: The user's "
        "role may not do this, tried 2 times) after it had answered the beginning of the same list: run again, and see "
        "whether a role has changed."
    )
    assert len(run.records["bills"]) == 10
    (entry,) = partition(run.state, "bills")
    assert "replication_key_value" not in entry
    assert len(entry["pass"]["ranges"]) == 1
    again = tap(settings(emulator, page_size=10), state=run.state, select={"vendors"})
    assert partition(again.state, "bills") == [entry]


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("refused", {"status": 403, "message": "not allowed"}, "HTTP 403: not allowed"),
        ("refused", {"status": 403, "code": "BDC_9999", "message": "no"}, "HTTP 403, BDC_9999: no"),
        ("single_object", {"status": 403, "message": "Access denied"}, "HTTP 403: Access denied"),
        ("refused", {"status": 400, "code": "BDC_1302", "message": "no"}, "HTTP 400, BDC_1302: no"),
        ("error_in_200", {"code": "BDC_1302"}, "HTTP 200, BDC_1302: ... of order"),
    ],
)
def test_a_refusal_of_permission_has_several_shapes(tap, emulator, kind, options, reason):
    emulator.faults.plan(kind, path="/v3/roles", times=None, **options)
    run = tap(settings(emulator), select={"roles", "users"})
    assert (run.exit_code, run.errors) == (0, [])
    assert run.warnings == [warning("roles", "a role with permission to read Role records", reason)]
    assert len(run.records["users"]) == emulator.company.count("users")


def test_a_run_that_may_read_nothing_fails(tap, company):
    with Emulator(company=company, forbid=["roles", "users"]) as emulator:
        run = tap(settings(emulator), select={"roles", "users"})
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"BILL does not let this user read any of the selected streams of organization {company.organization_id}; "
            "give the user a role that may read them, or select others."
        )
    ]


# tap-bill --test


def test_the_connection_test_lists_what_may_be_read(tap, company):
    with Emulator(company=company, forbid=["vendors"], role="CLERK") as emulator:
        run = tap(settings(emulator), "--test")
        paths = [request.path for request in emulator.requests]
        rows = [request.query.get("max") for request in emulator.requests if "/v3/log" not in request.path]
        url = emulator.url
    assert run.exit_code == 0
    _, first, *lines, count, advice = run.stdout.splitlines()
    assert first == f"Signed in to BILL emulator ({url}), organization {company.organization_id}."
    assert dict(
        zip((line.split()[0] for line in lines), (line.split(maxsplit=1)[1] for line in lines), strict=True)
    ) == {
        **{resource.name: "can be read" for resource in ACCOUNTS},
        "vendors": (
            "may not be read (HTTP 403, BDC_1302: The user's role may not do this): "
            "it needs a role with permission to read Vendor records"
        ),
        "organization": (
            "may not be read (HTTP 403, BDC_1302: The user's role may not do this): "
            "it needs the role of an administrator"
        ),
    }
    assert count == f"{len(ACCOUNTS) - 2} of {len(ACCOUNTS)} streams can be read."
    assert advice == "Give the user a role with these permissions in BILL, or deselect the streams."
    assert paths.count("/connect/v3/login") == paths.count("/connect/v3/logout") == 1
    assert len(paths) == len(ACCOUNTS) + 2
    assert set(rows) == {"1", None}


def test_the_connection_test_asks_for_selected_streams_only(tap, emulator):
    run = tap(settings(emulator), "--test", select={"roles", "bill_line_items"})
    assert [request.path for request in emulator.requests] == [
        "/connect/v3/login",
        "/connect/v3/bills",
        "/connect/v3/roles",
        "/connect/v3/logout",
    ]
    assert run.stdout.splitlines()[2:] == [
        "  bills  can be read",
        "  roles  can be read",
        "2 of 2 streams can be read.",
    ]


@pytest.mark.measured
def test_the_connection_test_fails_like_a_run(tap, emulator):
    run = tap(settings(emulator, password="wrong"), "--test")
    assert run.exit_code == 1
    assert "BDC_1101: the user name or password is wrong." in run.errors[0]
    emulator.faults.plan("forbidden", times=None, method="GET")
    run = tap(settings(emulator), "--test", select={"roles"})
    assert run.exit_code == 1
    assert run.errors == [
        f"None of the selected streams of organization {emulator.company.organization_id} can be read."
    ]
