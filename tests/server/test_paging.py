"""The end of a list is found, and a list without end is not followed."""

from __future__ import annotations

import canned
import pytest

ADVICE = "nothing is lost, the bookmark has not moved: run again, and contact BILL's support if it happens again."


@pytest.fixture
def serve(httpserver):
    """Serve `/v3/roles`, which is read whole, page by page: `serve({cursor: answer})`; returns the settings for it."""

    def start(pages):
        query = {"max": "100"}
        cursors = {cursor: query | ({"page": cursor} if cursor else {}) for cursor in pages}
        answers = {("/v3/roles", Query(cursors[cursor])): pages[cursor] for cursor in pages}
        return {**canned.serve(httpserver, answers), "max_concurrency": 1}

    return start


class Query(dict):
    """A query that can be part of a key."""

    __hash__ = object.__hash__


def user(number):
    time = f"2026-01-01T00:00:{number:02}.000+00:00"
    return {"id": f"006{number}", "createdTime": time, "updatedTime": time}


def ids(run):
    return [row["id"] for row in run.records["roles"]]


@pytest.mark.parametrize("end", [{}, {"nextPage": ""}, {"nextPage": None}])
def test_a_missing_or_empty_cursor_ends_the_list(tap, serve, end):
    pages = {"": {"results": [user(1)], "nextPage": "b"}, "b": {"results": [user(2)], **end}}
    run = tap(serve(pages), select={"roles"})
    assert (run.exit_code, ids(run)) == (0, ["0061", "0062"])


def test_an_empty_page_with_a_cursor_goes_on(tap, serve):
    pages = {
        "": {"results": [], "nextPage": "b"},
        "b": {"results": [user(1)], "nextPage": "c"},
        "c": {"results": [], "nextPage": "d"},
        "d": {"results": [user(2)]},
    }
    run = tap(serve(pages), select={"roles"})
    assert (run.exit_code, ids(run)) == (0, ["0061", "0062"])


def test_an_empty_list_is_a_complete_read(tap, serve):
    run = tap(serve({"": {"results": []}}), select={"roles"})
    assert (run.exit_code, ids(run), run.errors) == (0, [], [])


@pytest.mark.parametrize(
    ("pages", "line"),
    [
        (
            {
                "": {"results": [user(1)], "nextPage": "b"},
                "b": {"results": [user(2)], "nextPage": "c"},
                "c": {"results": [user(3)], "nextPage": "b"},
            },
            "roles: BILL sent a cursor for the second time, so its list has no end; ",
        ),
        (
            {
                "": {"results": [user(1), user(2)], "nextPage": "b"},
                "b": {"results": [user(1), user(2)], "nextPage": "c"},
                "c": {"results": [user(1), user(2)], "nextPage": "d"},
            },
            "roles: BILL sent the same page 3 times in a row under different cursors; ",
        ),
        (
            {"": {"results": [], "nextPage": "0"}}
            | {str(number): {"results": [], "nextPage": str(number + 1)} for number in range(200)},
            "roles: BILL sent 100 empty pages in a row, each with a new cursor; ",
        ),
        ({"": {"rows": []}}, "roles: BILL answered GET /v3/roles without a list of records; "),
        ({"": {"results": ["0061"]}}, "roles: BILL answered GET /v3/roles without a list of records; "),
        ({"": [user(1)]}, "roles: BILL answered GET /v3/roles without a list of records; "),
    ],
)
def test_a_list_that_leads_nowhere_stops_the_run(tap, serve, pages, line):
    run = tap(serve(pages), select={"roles"})
    assert run.exit_code == 1
    assert run.errors == [line + ADVICE]
    assert "replication_key_value" not in run.stdout


@pytest.mark.parametrize("answer", ["<html></html>", "", '{"results": [{"id": '])
def test_an_answer_that_is_not_json_stops_the_run(tap, serve, answer):
    config = {**serve({"": answer}), "max_retries": 1}
    run = tap(config, select={"roles"})
    assert run.exit_code == 1
    assert run.errors == [
        (
            f"roles: BILL could not answer GET /v3/roles for organization {canned.ORGANIZATION} (HTTP 200: the body is "
            "not JSON, tried 2 times): BILL has trouble with this request; run again later, and contact BILL's support "
            "if it happens again."
        )
    ]
