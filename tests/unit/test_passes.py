"""The arithmetic of a pass: what it costs, what it notices, and where it goes on after a kill."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta

import pytest

from tap_bill.sync.scan import NotAsAskedError, Scan, Slice
from tap_bill.sync.times import canonical, parse, spell
from tap_bill.sync.walk import EndlessError, Walk

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = 365 * 86_400
ALL = "2027-01-01T00:00:00.000Z"


def record(number, created, **more):
    time = created if isinstance(created, str) else f"{created:%Y-%m-%dT%H:%M:%S}.000+00:00"
    return {"id": number, "createdTime": time, "updatedTime": time, **more}


class Bill:
    """A well-behaved list with offset cursors."""

    def __init__(self, created):
        self.created = sorted(created)

    def answer(self, query, cursor, page_size):
        low, high = 0, len(self.created)
        for term in filter(None, query.get("filters", "").split(",")):
            _, operator, value = term.split(":", 2)
            place = bisect_left(self.created, parse(value.strip('"')))
            low, high = (max(low, place), high) if operator == "gte" else (low, min(high, place))
        rows = range(low, high)[:: -1 if query["sort"].endswith("desc") else 1]
        start = int(cursor or 0)
        end = start + page_size
        return [record(number, self.created[number]) for number in rows[start:end]], str(end) if end < len(rows) else ""


def read(created, readers, page_size=100):
    """Read a whole list, `readers` requests at a time; returns how often they asked, the requests, and the records."""
    bill = Bill(created)
    plan = Scan.plan(bookmark=None, start_date=None, lookback=0)
    rounds, requests, records = 0, 0, []
    while not plan.is_complete:
        parts = [part for _ in range(readers) if (part := plan.next_slice() or plan.divide(page_size))]
        answers = [(part, bill.answer(plan.query(part), part.cursor, page_size)) for part in parts]
        for part, answer in answers:
            page = plan.receive(part, *answer)
            records += page.records
            plan.wrote(page)
        rounds += 1
        requests += len(parts)
    assert plan.keeps_up
    return rounds, requests, [record["id"] for record in records]


def spread(count, seconds, start=0.0):
    return [START + timedelta(seconds=start + seconds * index / count) for index in range(count)]


@pytest.mark.parametrize(
    ("created", "one", "three"),
    [
        (spread(12_000, YEAR), (122, 122), (44, 124)),
        (spread(11_760, YEAR / 100) + spread(240, YEAR * 0.99, YEAR / 100), (122, 122), (45, 125)),
        (spread(240, YEAR * 0.99) + spread(11_760, YEAR / 100, YEAR * 0.99), (122, 122), (45, 125)),
        (spread(150, YEAR), (2, 2), (2, 2)),
        (spread(1000, YEAR), (11, 11), (6, 11)),
    ],
    ids=["even", "piled at the start", "piled at the end", "a page and a half", "ten pages"],
)
def test_every_row_comes_once_and_reading_side_by_side_costs_few_requests(created, one, three):
    for readers, cost in ((1, one), (3, three)):
        rounds, requests, ids = read(created, readers)
        assert sorted(ids) == list(range(len(created)))
        assert rounds <= cost[0]
        assert requests <= cost[1]


def test_rows_of_one_second_are_walked_twice_and_come_once():
    created = [*spread(500, YEAR / 2), *[START + timedelta(seconds=YEAR / 2)] * 3000, *spread(500, YEAR / 2, YEAR / 2)]
    _, requests, ids = read(created, 3)
    assert set(ids) == set(range(4000))
    assert len(ids) < 4200
    assert requests < 2 * 30 + 12 + 6


TIMES = [f"2026-01-01T00:00:0{second}.000+00:00" for second in range(10)]


def first_page(times, plan=None):
    plan = plan or Scan.plan(bookmark=None, start_date=None, lookback=0)
    part = plan.next_slice()
    plan.query(part)
    return plan, plan.receive(part, [record(number, time) for number, time in enumerate(times)], "next")


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([TIMES[2], TIMES[1]], "did not keep the creation order"),
        ([TIMES[1], None], "rows without a createdTime"),
        ([TIMES[1], 1767225600000], "rows without a createdTime"),
        ([TIMES[1], "soon"], "rows without a createdTime"),
        ([TIMES[1], "9999-12-31T23:59:59.999-12:00"], "rows without a createdTime"),
    ],
)
def test_rows_in_another_order_or_without_a_time_are_noticed(times, words):
    plan = Scan.plan(bookmark=None, start_date=None, lookback=0)
    part = plan.next_slice()
    with pytest.raises(NotAsAskedError, match=words):
        plan.receive(part, [{"id": number, "createdTime": time} for number, time in enumerate(times)], "next")
    assert plan.simpler(refused=False).queries == [{"sort": "createdTime:asc"}]


def test_the_end_of_the_list_is_looked_at_next_without_bounds():
    plan, page = first_page(TIMES[:3])
    assert [row["id"] for row in page.records] == [0, 1, 2]
    part = plan.next_slice()
    assert plan.query(part) == {"sort": "createdTime:desc"}
    plan.receive(part, [record(9 - number, time) for number, time in enumerate(TIMES[:6:-1])], "next")
    part = plan.next_slice()
    assert plan.query(part) == {
        "sort": "createdTime:asc",
        "filters": 'createdTime:gte:"2026-01-01T00:00:01.000Z",createdTime:lt:"2026-01-01T00:00:08.000Z"',
    }


def test_a_list_that_does_not_end_with_its_newest_row_has_no_order():
    plan, _ = first_page([TIMES[1], TIMES[3]])
    part = plan.next_slice()
    with pytest.raises(NotAsAskedError, match="did not begin with the newest row"):
        plan.receive(part, [record(1, TIMES[2]), record(0, TIMES[1])], "next")


def test_a_list_of_one_second_is_walked():
    plan, _ = first_page([TIMES[1], TIMES[1]])
    plan.receive(plan.next_slice(), [record(3, TIMES[1]), record(2, TIMES[1])], "next")
    assert plan.queries == [{"sort": "createdTime:asc"}]
    assert plan.notes[0].startswith("more than a page of rows were created close to 2026-01-01T00:00:01.000Z; ")


def test_a_row_that_must_come_again_and_does_not_is_noticed():
    plan, _ = first_page(TIMES[:3])
    plan.receive(plan.next_slice(), [record(9, TIMES[9]), record(8, TIMES[8])], "next")
    with pytest.raises(NotAsAskedError, match="show again the row"):
        plan.receive(plan.next_slice(), [record(5, TIMES[5]), record(6, TIMES[6])], "next")


def test_a_filter_without_effect_is_noticed():
    plan = Scan(slices=[Slice(START + timedelta(days=1), START + timedelta(days=2))])
    part = plan.next_slice()
    with pytest.raises(NotAsAskedError, match="did not keep the creation order"):
        plan.receive(part, [record(1, TIMES[0]), record(2, TIMES[1])], "next")


def test_one_answer_is_complete_in_whatever_order_it_comes():
    plan = Scan.plan(bookmark=None, start_date=None, lookback=0)
    plan.started_at = START
    page = plan.receive(
        plan.next_slice(), [record(1, TIMES[2]), record(2, TIMES[1]), {"id": 3, "updatedTime": TIMES[0]}], ""
    )
    plan.wrote(page)
    assert [row["id"] for row in page.records] == [1, 2, 3]
    assert (plan.is_complete, plan.next_bookmark()) == (True, START)


def test_rows_without_an_updated_time_leave_the_bookmark():
    plan = Scan.plan(bookmark=START - timedelta(days=1), start_date=None, lookback=0)
    plan.started_at = START
    plan.wrote(plan.receive(plan.next_slice(), [{"id": 3, "createdTime": TIMES[0], "updatedTime": 5}], ""))
    assert plan.next_bookmark() == START - timedelta(days=1)
    assert plan.why_not.startswith("BILL sent rows without an updatedTime that can be read")


def walked(rounds, *, sort="createdTime:asc"):
    """Walk a list that brings these pages of (id, time) in each round; returns whether it settled, and what is new."""
    walk = Walk({"sort": sort}, remembers=True)
    new = []
    for number, pages in enumerate(rounds):
        if number:
            walk.again()
        for place, page in enumerate(pages):
            cursor = str(place) if place + 1 < len(pages) else ""
            new.append([row["id"] for row in walk.take([record(id_, TIMES[time]) for id_, time in page], cursor)])
    return walk.is_settled, new


A, B, C, D = ("a", 1), ("b", 2), ("c", 3), ("d", 4)


@pytest.mark.parametrize(
    ("rounds", "settled"),
    [
        ([[[A, B, C]]], True),  # one answer
        ([[[A, B], [C]], [[A, B], [C]]], True),
        ([[[A, B], [D]], [[B, C], [D]]], False),  # A was deleted, which hid C
        ([[[A, B], [C]], [[A, B], [C, D]]], True),  # D is new
        ([[[B, A], [C]], [[B, A], [C]]], True),  # no order, but twice the same
        ([[[B, A], [C]], [[A, B], [C]]], False),
        ([[[B, A], [C]], [[B, A], [C, D]]], False),
        ([[[A, B], [B, C]], [[A, B], [C]]], True),  # an older row came in before, so B came twice
    ],
)
def test_a_walk_settles_where_nothing_can_have_been_missed(rounds, settled):
    assert walked(rounds)[0] is settled


@pytest.mark.parametrize("name", ["uuid", "id"])
def test_a_record_that_was_edited_between_two_rounds_is_the_same(name):
    """Told apart by `uuid`, which BILL prefers where it sends both, or by `id`."""
    walk = Walk({"sort": "createdTime:asc"}, remembers=True)
    first, second = (
        [{"id": f"{when} {n}", "createdTime": TIMES[n], "description": when, name: f"r{n}"} for n in (1, 2)]
        for when in ("before", "after")
    )
    assert [*walk.take(first[:1], "c"), *walk.take(first[1:], "")] == first
    walk.again()
    assert [*walk.take(second[:1], "c"), *walk.take(second[1:], "")] == second
    assert walk.is_settled is True


def test_the_second_round_of_a_walk_brings_only_what_is_new():
    assert walked([[[A, B], [C]], [[A, B], [D, C]]])[1] == [["a", "b"], ["c"], [], ["d"]]


def test_a_list_that_does_not_settle_leaves_the_bookmark():
    plan = Scan.plan(bookmark=None, start_date=None, lookback=0).walked({})
    plan.started_at = START
    for number in range(3):
        for ids, cursor in (([number, number + 1], "c"), ([number + 2], "")):
            part = plan.next_slice()
            plan.wrote(plan.receive(part, [record(id_, TIMES[1]) for id_ in ids], cursor))
    assert (plan.is_complete, plan.next_bookmark()) == (True, None)
    assert plan.why_not == "rows moved in BILL's list each of the 3 times that it was read"


def test_a_refused_cursor_opens_a_walk_again_at_most_three_times_in_a_row():
    plan = Scan.plan(bookmark=None, start_date=None, lookback=0).walked({})
    (part,) = plan.slices
    for _ in range(3):
        plan.receive(plan.next_slice(), [record(1, TIMES[1])], "c")
        assert part.cursor == "c"
        assert plan.reopen(part) is True
        assert part.cursor == ""
    assert plan.reopen(part) is False


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([(["a"], "1"), (["b"], "2"), (["c"], "1")], "a cursor for the second time"),
        ([(["a", "b"], "1"), (["a", "b"], "2"), (["a", "b"], "3")], "the same page 3 times in a row"),
        ([([], str(number)) for number in range(100)], "100 empty pages in a row"),
    ],
)
def test_a_cursor_that_leads_nowhere_is_noticed(answers, words):
    walk = Walk({})
    *fine, last = answers
    for ids, cursor in fine:
        walk.take([{"id": number} for number in ids], cursor)
    with pytest.raises(EndlessError, match=words):
        walk.take([{"id": number} for number in last[0]], last[1])


def test_what_is_asked_for_gets_simpler_step_by_step():
    plan = Scan.plan(bookmark=START, start_date=None, lookback=60)
    changed = {"filters": 'updatedTime:gte:"2025-12-31T23:59:00.000Z"'}
    first = plan.simpler()
    assert (first.queries, first.keeps_up) == ([changed], True)
    last = first.simpler()
    assert (last.queries, last.keeps_up) == ([{}], False)
    assert last.simpler() is None
    plan.answered = True
    assert plan.simpler().queries == [{"sort": "createdTime:asc", **changed}]


def test_an_interrupted_pass_is_taken_up_as_it_was():
    progress = {
        "started_at": "2026-01-02T00:00:00.000Z",
        "since": "2026-01-01T00:00:00.000Z",
        "keeps_up": True,
        "ranges": [[None, "2026-01-01T06:00:00.000Z"], ["2026-01-01T06:00:00.000Z", None]],
    }
    plan = Scan(since=START)
    plan.resume(progress)
    assert plan.progress() == progress
    earlier = Scan(since=START - timedelta(days=1))
    earlier.resume(progress)
    assert earlier.progress() == {
        "started_at": None,
        "since": "2025-12-31T00:00:00.000Z",
        "keeps_up": True,
        "ranges": [[None, None]],
    }


def test_a_pass_of_an_older_version_is_taken_up():
    """It had `newest`, and no `keeps_up`."""
    plan = Scan(since=START)
    ranges = [["2026-01-01T06:00:00.000Z", "2026-01-01T07:00:00.000Z"]]
    plan.resume({"started_at": ALL, "since": spell(START), "newest": "2026-01-01T12:00:00.000+00:00", "ranges": ranges})
    assert plan.progress() == {"started_at": ALL, "since": spell(START), "keeps_up": True, "ranges": ranges}


def test_a_read_that_was_uncertain_stays_so_when_it_is_resumed():
    plan = Scan()
    plan.resume({"started_at": ALL, "since": None, "keeps_up": False, "ranges": []})
    assert (plan.is_complete, plan.next_bookmark()) == (True, None)


def test_the_end_of_a_resumed_list_is_looked_at_first():
    plan = Scan()
    plan.resume({"started_at": ALL, "since": None, "ranges": [["2026-01-01T06:00:00.000Z", None]]})
    assert plan.query(plan.next_slice()) == {"sort": "createdTime:desc"}


def test_a_pass_that_knows_no_clock_is_not_resumed():
    plan = Scan()
    plan.resume({"started_at": None, "since": None, "ranges": []})
    assert not plan.is_complete


def test_a_lookback_that_reaches_before_all_time_reads_everything():
    assert Scan.plan(bookmark=START, start_date=None, lookback=10**20).since is None


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("2026-03-02T15:04:05.000+00:00", "2026-03-02T15:04:05.000+00:00"),
        ("2026-03-02T10:04:05-05:00", "2026-03-02T15:04:05.000+00:00"),
        ("2026-03-02T15:04:05.123456Z", "2026-03-02T15:04:05.123456+00:00"),
        ("0002-01-01T00:00:00Z", "0002-01-01T00:00:00.000+00:00"),
    ],
)
def test_canonical(text, spelled):
    assert canonical(text) == spelled


def test_an_instant_that_no_calendar_has_is_none():
    with pytest.raises(ValueError, match="out of range"):
        canonical("9999-12-31T23:59:59-12:00")
