"""One pass plus one more afterwards hold exactly BILL's rows, whatever is edited, added, cut or killed in between."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import examples

from tap_bill.passes import EndlessError, NotAsAskedError, Pass, Range, canonical, parse

START = datetime(2026, 1, 1, tzinfo=UTC)


class Bill:
    """BILL in memory: one list, a clock that moves when told to, and cursors of either kind."""

    def __init__(self, created, *, cursors, tie):
        self.now = START + timedelta(seconds=1000)
        self.cursors = cursors
        self.rows = {}
        self.tie = 1 if tie == "up" else -1
        for offset in created:
            self.add(START + timedelta(seconds=offset))

    def add(self, created=None):
        number = len(self.rows)
        self.rows[number] = {"created": created or self.now, "updated": created or self.now, "version": 0}

    def edit(self, number):
        row = self.rows[number % len(self.rows)]
        row["version"] += 1
        row["updated"] = self.now

    def tick(self, seconds):
        self.now += timedelta(seconds=seconds)

    def answer(self, params, page_size):
        """The records and the cursor that BILL answers."""
        bounds = dict(part.split(":gte:") for part in params.get("filters", "").split(",") if part)
        bounds = {name: parse(value.strip('"')) for name, value in bounds.items()}
        names = {"createdTime": "created", "updatedTime": "updated"}
        rows = [
            (row["created"], self.tie * number, number)
            for number, row in self.rows.items()
            if all(row[names[name]] >= bound for name, bound in bounds.items())
        ]
        rows.sort()
        start = 0
        if page := params.get("page"):
            position = json.loads(page)
            if self.cursors == "offset":
                start = position
            else:
                last = (datetime.fromisoformat(position[0]), position[1])
                start = sum(row[:2] <= last for row in rows)
        chosen = rows[start : start + page_size]
        cursor = ""
        if start + page_size < len(rows):
            last = chosen[-1]
            cursor = json.dumps(
                start + page_size if self.cursors == "offset" else [last[0].isoformat(), last[1], len(self.rows)]
            )
        return [self.record(number) for *_, number in chosen], cursor

    def record(self, number):
        """A row as BILL shows it: in whole seconds."""
        row = self.rows[number]
        shown = {name: f"{row[name]:%Y-%m-%dT%H:%M:%S}.000+00:00" for name in ("created", "updated")}
        return {
            "id": number,
            "createdTime": shown["created"],
            "updatedTime": shown["updated"],
            "version": row["version"],
        }


class Reader:
    """A reader as the fetcher is one: up to three requests under way, pages written in the order they came."""

    def __init__(self, bill, page_size):
        self.bill = bill
        self.page_size = page_size
        self.table = {}
        self.bookmark = None
        self.progress = None
        self.asked = 0

    def run(self, chance, *, mischief=False, kills=False):
        """Read one pass to its end, in an order that chance decides; returns False where it was killed."""
        plan = Pass.plan(bookmark=self.bookmark, start_date=None, lookback=timedelta(0))
        if self.progress:
            plan.resume(self.progress)
        if plan.started_at is None:
            plan.started_at = self.bill.now.replace(microsecond=0)
        under_way, waiting = [], []
        while not plan.is_complete:
            if mischief:
                chance.choice(MISCHIEF)(self.bill, chance)
            if kills and chance.random() < 0.1:
                return False
            choice = chance.randrange(3)
            if waiting and choice == 0:
                self.write(plan, waiting.pop(0))
            elif choice == 1 and len(under_way) < 3 and (part := plan.request() or plan.divide(self.page_size)):
                self.asked += 1
                under_way.append((part, self.bill.answer({**plan.query(part), "page": part.cursor}, self.page_size)))
            elif under_way:
                part, answer = under_way.pop(chance.randrange(len(under_way)))
                try:
                    waiting.append(plan.receive(part, *answer))
                except EndlessError:
                    # As many edited rows as a (tiny) page holds came in before it: the run stops and is repeated.
                    return False
        self.progress = None
        self.bookmark = plan.next_bookmark()
        return True

    def write(self, plan, page):
        for record in page.records:
            self.table[record["id"]] = record
            plan.see(record["updatedTime"])
        plan.wrote(page)
        self.progress = json.loads(json.dumps(plan.progress()))

    def differences(self):
        truth = {number: self.bill.record(number) for number in self.bill.rows}
        return {number for number in truth if self.table.get(number) != truth[number]}


MISCHIEF = [
    lambda bill, _: bill.tick(1),
    lambda bill, chance: bill.edit(chance.randrange(1000)),
    lambda bill, chance: bill.edit(chance.randrange(1000)),
    lambda bill, _: bill.add(),
    lambda bill, chance: bill.tick(3 * chance.random()),
]
CREATED = st.lists(st.one_of(st.floats(0, 900), st.just(450.25)), min_size=1, max_size=80)


@settings(max_examples=examples(300))
@given(
    seed=st.integers(0, 2**32),
    created=CREATED,
    page_size=st.integers(3, 12),
    cursors=st.sampled_from(["offset", "keyset"]),
    tie=st.sampled_from(["up", "down"]),
    kills=st.booleans(),
)
def test_nothing_is_lost(seed, created, page_size, cursors, tie, kills):
    chance = random.Random(seed)
    bill = Bill(created, cursors=cursors, tie=tie)
    reader = Reader(bill, page_size)
    for _ in range(6):
        reader.run(chance, mischief=True, kills=kills)
    bill.tick(2)
    if reader.progress:
        reader.run(chance)
    reader.run(chance)
    assert reader.differences() == set()


@settings(max_examples=examples(100))
@given(seed=st.integers(0, 2**32), created=CREATED, page_size=st.integers(3, 12))
def test_a_second_pass_asks_for_what_changed_only(seed, created, page_size):
    chance = random.Random(seed)
    bill = Bill(created, cursors="offset", tie="up")
    reader = Reader(bill, page_size)
    reader.run(chance)
    reader.table.clear()
    reader.run(chance)
    newest = max(row["updated"] for row in bill.rows.values()).replace(microsecond=0)
    assert set(reader.table) == {number for number, row in bill.rows.items() if row["updated"] >= newest}


def spread(count, seconds):
    return [seconds * index / count for index in range(count)]


@pytest.mark.parametrize("piled", [False, True])
def test_dividing_costs_few_requests(piled):
    """Three readers, page by page in turn, over 120 pages."""
    created = spread(6000, 100) + spread(6000, 100) if piled else spread(12_000, 86_400)
    bill = Bill(created, cursors="keyset", tie="up")
    bill.now = START + timedelta(days=1)
    plan = Pass.plan(bookmark=None, start_date=None, lookback=timedelta(0))
    plan.started_at = bill.now
    rounds = requests = 0
    while not plan.is_complete:
        parts = [part for _ in range(3) if (part := plan.request() or plan.divide(100))]
        answers = [(part, bill.answer({**plan.query(part), "page": part.cursor}, 100)) for part in parts]
        for part, answer in answers:
            plan.wrote(plan.receive(part, *answer))
        rounds += 1
        requests += len(parts)
    assert requests <= (150 if piled else 125)
    assert rounds <= (60 if piled else 44)


def record(number, created):
    return {"id": number, "createdTime": created}


def test_rows_in_another_order_are_noticed():
    plan = Pass()
    part = plan.request()
    times = ["2026-01-01T00:00:02.000+00:00", "2026-01-01T00:00:01.000+00:00"]
    with pytest.raises(NotAsAskedError):
        plan.receive(part, [record(number, time) for number, time in enumerate(times)], "next")


def test_a_part_that_bill_does_not_keep_to_is_noticed():
    """Where BILL ignores a filter on `createdTime`, ranges would each read the whole list."""
    plan = Pass(ranges=[Range(low=START)])
    part = plan.request()
    plan.query(part)
    with pytest.raises(NotAsAskedError):
        plan.receive(part, [record(1, "2025-12-31T23:59:59.000+00:00")], "next")
    assert (plan.simpler().ordered, plan.simpler().divisible) == (True, False)
    assert plan.simpler().simpler().ordered is False
    assert plan.simpler().simpler().simpler() is None


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([(["a"], "1"), (["b"], "2"), (["c"], "1")], "a cursor for the second time"),
        ([(["a", "b"], "1"), (["a", "b"], "2")], "the same page twice in a row"),
        ([([], str(number)) for number in range(100)], "100 empty pages in a row"),
    ],
)
def test_a_cursor_that_leads_nowhere_is_noticed(answers, words):
    part = Range()
    *fine, last = answers
    for ids, cursor in fine:
        part.follow([{"id": number} for number in ids], cursor)
    with pytest.raises(EndlessError, match=words):
        part.follow([{"id": number} for number in last[0]], last[1])


def test_an_interrupted_pass_is_taken_up_as_it_was():
    progress = {
        "started_at": "2026-01-02T00:00:00.000Z",
        "since": "2026-01-01T00:00:00.000Z",
        "newest": "2026-01-01T12:00:00.000+00:00",
        "ranges": [[None, "2026-01-01T06:00:00.000Z"], ["2026-01-01T06:00:00.000Z", None]],
    }
    plan = Pass(since=START)
    plan.resume(progress)
    assert plan.progress() == progress
    earlier = Pass(since=START - timedelta(days=1))
    earlier.resume(progress)
    assert earlier.progress() == {
        "started_at": None,
        "since": "2025-12-31T00:00:00.000Z",
        "newest": "",
        "ranges": [[None, None]],
    }


def test_a_pass_that_knows_no_clock_is_not_resumed():
    plan = Pass()
    plan.resume({"started_at": None, "since": None, "newest": "", "ranges": []})
    assert not plan.is_complete


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("2026-03-02T15:04:05.000+00:00", "2026-03-02T15:04:05.000+00:00"),
        ("2026-03-02T10:04:05-05:00", "2026-03-02T15:04:05.000+00:00"),
        ("2026-03-02T15:04:05.123456Z", "2026-03-02T15:04:05.123456+00:00"),
    ],
)
def test_canonical(text, spelled):
    assert canonical(text) == spelled
