"""Lists that come in no order, lose rows, refuse their cursors or leave times out: nothing is missing in silence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from runs import settings

from bill_emulator import Clock, Company, Emulator, MidList, OddTimes

NOON = "2026-07-01T12:00:00.000Z"


def at_noon(**options):
    return Company(seed=7, clock=Clock(datetime(2026, 7, 1, 12, tzinfo=UTC), frozen=True), **options)


def partition(run, stream):
    (entry,) = run.state["bookmarks"][stream]["partitions"]
    return entry


def bookmark(run, stream="bills"):
    return partition(run, stream).get("replication_key_value")


def ids(*runs, stream="bills"):
    return {row["id"] for run in runs for row in run.records[stream]}


# Order


@pytest.mark.parametrize("quirk", ["refuse_sort", "ignore_sort"])
def test_spend_transactions_without_an_order_are_read_twice(tap, quirk):
    """A row that leaves the pages before an offset cursor moves another one past the reader."""
    company = Company(seed=7, bills=200)
    answered = 0

    def between(name, company):
        nonlocal answered
        answered += name == "spend_transactions"
        if name == "spend_transactions" and answered == 1:
            for id_ in company.spend.ids("transactions")[::10]:  # wherever they stand
                company.spend.remove("transactions", id_)

    with Emulator(company=company, spend_quirks=[quirk], between=between) as emulator:
        first = tap(
            {**emulator.spend_credentials, "api_url": emulator.url, "page_size": 20}, select={"spend_transactions"}
        )
    with Emulator(company=company, spend_quirks=[quirk]) as quiet:
        again = {**quiet.spend_credentials, "api_url": quiet.url}
        second = tap(again, state=first.state, select={"spend_transactions"})
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert ids(first, second, stream="spend_transactions") >= set(company.spend.ids("transactions"))
    assert bookmark(second, "spend_transactions") is not None


@pytest.mark.measured
@pytest.mark.parametrize("page_size", [1, 3])
@pytest.mark.parametrize("unsorted", ["id", "updated", "shuffled", "mostly"])
def test_a_sort_without_effect_loses_nothing(tap, page_size, unsorted):
    company = at_noon(bills=40)
    with Emulator(company=company, ignore_sort=True, unsorted=unsorted) as emulator:
        run = tap(settings(emulator, page_size=page_size), select={"bills"})
    assert run.exit_code == 0
    if bookmark(run):
        assert (ids(run), bookmark(run)) == (set(company.ids("bills")), NOON)
    assert bookmark(run) or (unsorted == "shuffled" and page_size < 100)


@pytest.mark.parametrize("when", ["always", "filtered", "unfiltered"])
@pytest.mark.parametrize("option", ["refuse_sort", "ignore_sort"])
def test_a_sort_that_works_only_now_and_then_loses_nothing(tap, option, when):
    company = at_noon(bills=60)
    with Emulator(company=company, unsorted="id", **{option: when}) as emulator:
        first = tap(settings(emulator, page_size=10), select={"bills"})
        company.edit("bills", company.ids("bills")[3], {"description": "edited"})
        second = tap(settings(emulator, page_size=10), state=first.state, select={"bills"})
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert ids(first) == set(company.ids("bills"))
    assert bookmark(first) == bookmark(second) == NOON
    assert company.ids("bills")[3] in ids(second)


@pytest.mark.measured
@pytest.mark.parametrize("cursor", ["offset", "keyset"])
@pytest.mark.parametrize("created", ["even", "bulk"])
def test_rows_that_vanish_between_two_pages_take_no_other_along(tap, cursor, created):
    company = Company(seed=7, bills=120, created=created)

    def between(name, company):
        if name == "bills" and company.count("bills") > 80:
            company.remove("bills", company.ids("bills")[0])

    with Emulator(company=company, cursor=cursor, between=between) as emulator:
        run = tap(settings(emulator, page_size=10), select={"bills"})
    assert run.exit_code == 0
    assert company.count("bills") < 120
    assert ids(run) >= set(company.ids("bills"))


@pytest.mark.parametrize("ignored", [False, True])
def test_a_whole_page_of_edits_before_the_reader_is_no_fault(tap, ignored):
    """Ten older rows come into the list between two pages, so that an offset cursor shows the same rows again."""
    company = at_noon(bills=60)
    with Emulator(company=company) as emulator:
        before = tap(settings(emulator), select={"bills"})
    rows = sorted(company.rows("bills"), key=lambda row: row["createdTime"])
    company.clock.advance(3600)
    for row in rows[30:55]:
        company.edit("bills", row["id"], {"description": "later"})
    answered = 0

    def between(name, company):
        nonlocal answered
        answered += 1
        if answered == 1:
            for row in rows[:10]:
                company.edit("bills", row["id"], {"description": "before the reader"})

    with Emulator(company=company, ignore_sort=ignored, unsorted="id", between=between) as emulator:
        run = tap(settings(emulator, page_size=10, max_concurrency=1), state=before.state, select={"bills"})
        after = tap(settings(emulator, page_size=10), state=run.state, select={"bills"})
    assert (run.exit_code, after.exit_code) == (0, 0)
    assert ids(run, after) >= {row["id"] for row in (*rows[:10], *rows[30:55])}


# Times


@pytest.mark.parametrize(
    ("how", "untimed"),
    [
        ("missing", "first"),
        ("missing", "last"),
        ("null", "last"),
        ("number", "first"),
        ("early", "last"),
        ("late", "first"),
        ("garbage", "last"),
    ],
)
def test_rows_without_a_readable_time_are_not_lost(tap, how, untimed):
    company = at_noon(bills=250)
    odd = OddTimes(how, "createdTime", share=0.1, lists=("bills",))
    with Emulator(company=company, odd_times=[odd], untimed=untimed) as emulator:
        run = tap(settings(emulator, page_size=20), select={"bills"})
    assert (run.exit_code, run.errors) == (0, [])
    assert ids(run) == set(company.ids("bills"))
    assert bookmark(run) == NOON


@pytest.mark.measured
@pytest.mark.parametrize("how", ["missing", "null", "number", "garbage"])
def test_rows_without_a_readable_change_keep_the_bookmark(tap, how):
    company = at_noon(bills=30)
    with Emulator(company=company, odd_times=[OddTimes(how, "updatedTime", share=0.2, lists=("bills",))]) as emulator:
        run = tap(settings(emulator), select={"bills"})
    assert (run.exit_code, bookmark(run)) == (0, None)
    assert ids(run) == set(company.ids("bills"))
    assert run.warnings[-1] == (
        "bills: BILL sent rows without an updatedTime that can be read, so their changes cannot be asked for, so the "
        "bookmark stays."
    )


@pytest.mark.measured
@pytest.mark.parametrize(
    ("field", "how"), [("updatedTime", "late"), ("updatedTime", "early"), ("createdTime", "early")]
)
def test_times_at_the_ends_of_the_calendar_are_read(tap, field, how):
    company = at_noon(bills=60)
    with Emulator(company=company, odd_times=[OddTimes(how, field, share=0.2, lists=("bills",))]) as emulator:
        far = settings(emulator, page_size=10, lookback_seconds=10**11)
        first = tap(far, select={"bills"})
        second = tap(far, state=first.state, select={"bills"})
    assert (first.exit_code, second.exit_code, first.errors, second.errors) == (0, 0, [], [])
    assert ids(first) == ids(second) == set(company.ids("bills"))


def test_a_date_that_comes_late_moves_no_bookmark(tap):
    """What was edited between the first page and the first Date was read before its edit."""
    with Emulator(company=Company(seed=7, bills=60), date="none", date_answers=2) as emulator:
        run = tap(settings(emulator, page_size=10), select={"bills"})
    assert (run.exit_code, bookmark(run)) == (0, None)
    assert run.warnings == ["bills: BILL's answers carry no Date, so the bookmark stays."]


@pytest.mark.measured
def test_a_bookmark_that_lies_ahead_of_bills_clock_is_not_believed(tap):
    """BILL's clock was ahead once: what changed since then lies before the bookmark."""
    company = at_noon(bills=30)
    company.clock.advance(7200)
    with Emulator(company=company) as emulator:
        first = tap(settings(emulator), select={"bills"})
        company.clock.advance(-3600)
        company.edit("bills", company.ids("bills")[3], {"description": "edited"})
        company.clock.advance(60)
        second = tap(settings(emulator), state=first.state, select={"bills"})
    assert bookmark(first) == "2026-07-01T14:00:00.000Z"
    assert ids(second) == set(company.ids("bills"))
    assert bookmark(second) == "2026-07-01T13:01:00.000Z"
    assert second.warnings == [
        (
            "bills: its bookmark lies after BILL's present time, so BILL's clock was ahead once; it is read from the "
            "beginning."
        )
    ]


# Refusals in the middle of a list


@pytest.mark.measured
def test_a_refused_cursor_opens_the_list_again(tap):
    company = at_noon(bills=60)
    refuse = MidList(after=2, status=400, times=1, lists=("bills",))
    with Emulator(company=company, ignore_sort=True, unsorted="id", mid_list=[refuse]) as emulator:
        run = tap(settings(emulator, page_size=10), select={"bills"})
    assert (run.exit_code, bookmark(run)) == (0, NOON)
    assert ids(run) == set(company.ids("bills"))
    assert len(run.warnings) == 1


def test_a_cursor_that_is_always_refused_fails_the_stream(tap):
    refuse = MidList(after=2, status=400, times=None, lists=("bills",))
    company = at_noon(bills=60)
    with Emulator(company=company, ignore_sort=True, unsorted="id", mid_list=[refuse]) as emulator:
        run = tap(settings(emulator, page_size=10), select={"bills", "roles"})
    assert (run.exit_code, "replication_key_value" in partition(run, "bills")) == (1, False)
    assert run.errors[0].startswith("bills: BILL refused GET /v3/bills for organization ")
    assert len(run.records["roles"]) == company.count("roles")


def test_no_cursor_is_needed_where_the_order_is_kept(tap):
    company = at_noon(bills=60)
    with Emulator(company=company, mid_list=[MidList(after=1, status=400, times=None, lists=("vendors",))]) as emulator:
        run = tap(settings(emulator, page_size=5), select={"vendors"})
    assert (run.exit_code, run.warnings, bookmark(run, "vendors")) == (0, [], NOON)
    assert ids(run, stream="vendors") == set(company.ids("vendors"))


@pytest.mark.measured
@pytest.mark.parametrize("code", ["BDC_1302", None])
def test_a_permission_refused_in_mid_list_is_trouble_like_any_other(tap, code):
    company = at_noon(bills=60)
    once = MidList(after=1, status=403, code=code, times=1, lists=("roles",), stays=False)
    with Emulator(company=company, mid_list=[once]) as emulator:
        run = tap(settings(emulator, page_size=2), select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    assert ids(run, stream="roles") == set(company.ids("roles"))
    always = MidList(after=1, status=403, code=code, times=None, lists=("roles",))
    with Emulator(company=company, mid_list=[always]) as emulator:
        run = tap(settings(emulator, page_size=2, max_retries=2), select={"roles"})
    assert run.exit_code == 1
    assert ", tried 3 times) after it had answered the beginning of the same list: " in run.errors[0]


# Getting on


def test_what_is_begun_again_in_another_way_is_not_resumed(tap):
    """The pages before may have hidden rows that only the other way shows."""
    company = at_noon(bills=60)
    with Emulator(company=company, ignore_sort="filtered", unsorted="id") as emulator:
        emulator.faults.plan("server_error", path="/v3/bills", after=5, times=None)
        small = settings(emulator, page_size=10, max_retries=0, max_concurrency=1)
        run = tap(small, select={"bills"})
    assert run.exit_code == 1
    assert len(run.warnings) == 1
    assert "pass" not in partition(run, "bills")


def test_rows_of_one_second_are_read_as_one_piece_and_that_is_said(tap):
    company = at_noon(bills=200, created="bulk")
    with Emulator(company=company) as emulator:
        run = tap(settings(emulator, page_size=10), select={"bills"})
        asked = [request for request in emulator.requests if request.path.endswith("/bills")]
    assert ids(run) == set(company.ids("bills"))
    (line,) = [line for line in run.log("INFO") if "created close to" in line]
    assert line.startswith("bills: more than a page of rows were created close to 20")
    assert len(asked) < 65  # 20 pages, those of the crowded moments twice


@pytest.mark.measured
def test_an_empty_object_in_place_of_a_list_is_an_empty_list_and_proves_nothing(tap, httpserver):
    import canned  # noqa: PLC0415

    config = canned.serve(httpserver, {"/v3/users": {}})
    run = tap(config, select={"users"})
    assert (run.exit_code, run.errors, run.of("RECORD")) == (0, [], [])
    assert "replication_key_value" not in run.stdout
