"""Whatever BILL does, a run that ends well and moves the bookmark has missed nothing, or the next run brings it."""

from __future__ import annotations

import logging
import random
from collections import Counter
from datetime import timedelta

import adversary
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from runs import examples

from tap_bill.resources import Changes

PARTS = 6
HISTORIES = 8
"""How many of them, and how many histories each of them has."""

DELETIONS = 5
"""How many histories ask what was deleted."""

WAYS = {
    "sort": ["kept"] * 3 + ["ignored", "ignored", "refused"],
    "sort_when": ["always", "always", "with_filter", "without_filter", "descending"],
    "order": ["id", "added", "newest_change", "oldest_change", "shuffled"],
    "created_filter": ["kept"] * 6 + ["ignored", "refused"],
    "updated_filter": ["kept"] * 6 + ["ignored", "refused"],
    "cursors": ["offset", "offset", "keyset"],
    "cursor_refused": ["never"] * 6 + ["once", "often", "always"],
    "created_time": ["shown"] * 5 + ["missing", "null", "number", "absurd"],
    "updated_time": ["shown"] * 8 + ["missing", "number"],
    "nulls": ["first", "last"],
    "forbidden": ["never"] * 8 + ["once", "always"],
    "date": ["told"] * 9 + ["missing"],
    "deletes": [True, False],
    "mischief": [0.0, 0.3, 0.7],
}
"""How BILL may behave, the likelier ways more often than the others."""


def drawn(chance):
    """Draw a world with its rows, and how many requests are under way at once."""
    ways = adversary.Ways(**{name: chance.choice(choices) for name, choices in WAYS.items()})
    page_size = chance.randrange(3, 13)
    if ways.sort == "ignored" and (ways.sort_when != "always" or ways.order == "shuffled"):
        page_size = max(page_size, 8)  # three rows stand in the right order by chance now and then; a hundred do not
    if ways.sort == "ignored" and ways.sort_when == "descending" and ways.created_time in {"missing", "null"}:
        ways.nulls = "first"  # where they stand last in both directions, nobody can see them
    world = adversary.World(chance, ways, page_size)
    for _ in range(chance.randrange(1, 80)):
        offset = chance.choice([chance.uniform(0, 900), 450.25, chance.uniform(450, 455)])
        world.add(adversary.START + timedelta(seconds=offset))
    return world, chance.randrange(1, 4)


def outcome(seed):
    """Play one history: runs and kills in any order, a quiet run at the end, and a look at what is missing then."""
    chance = random.Random(seed)
    world, readers = drawn(chance)
    pipeline = adversary.Pipeline(world, lookback_seconds=0, max_concurrency=readers)
    for _ in range(chance.randrange(1, 5)):
        pipeline.run(kill=chance.choice([None, chance.random()]))
        assert not pipeline.deleted() & world.rows.keys(), (world.ways, pipeline.log)
    world.be_quiet()
    if pipeline.is_interrupted:  # what was edited behind an interrupted read is the next one's
        pipeline.run()
        world.be_quiet()
    before, is_next = pipeline.bookmark, not pipeline.is_interrupted
    ended_well = pipeline.run()
    has_moved = pipeline.bookmark != before
    # A list that comes in another order with every request cannot be read for sure; then the bookmark stays.
    if ended_well and is_next and (has_moved or world.ways.order != "shuffled"):
        assert pipeline.missing() == set(), (world.ways, pipeline.log)
    return "failed" if not ended_well else "moved" if has_moved else "stayed"


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_lost_in_silence(part, monkeypatch):
    """More histories, and others each time: `EXAMPLES_TIMES=10 make test`."""
    adversary.only_bills(monkeypatch)
    monkeypatch.setattr(logging.root.manager, "disable", logging.ERROR)  # nobody reads it
    outcomes = Counter()

    @settings(
        max_examples=examples(HISTORIES), phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )  # a seed cannot be made simpler
    @given(seed=st.integers(0, 2**64 - 1))
    def history(seed):
        outcomes[outcome(seed * PARTS + part)] += 1

    history()
    assert sum(outcomes.values()) >= HISTORIES
    assert outcomes["moved"] > HISTORIES / 4, outcomes


def told(seed, days):
    """Play one history, and look after every run at what the warehouse takes to be deleted."""
    chance = random.Random(seed)
    world, readers = drawn(chance)
    pipeline = adversary.Pipeline(world, max_concurrency=readers, **({"full_reread_days": days} if days else {}))
    for _ in range(chance.randrange(2, 6)):
        ended_well = pipeline.run(kill=chance.choice([None, chance.random()]))
        assert not pipeline.deleted() & world.rows.keys(), (world.ways, pipeline.log)
        if chance.random() < 0.5:
            world.disturb()
    world.be_quiet()
    for _ in range(3):  # what is left of an interrupted read, and one of which nothing is left
        world.now += timedelta(seconds=20)
        ended_well = pipeline.run()
        assert not pipeline.deleted() & world.rows.keys(), (world.ways, pipeline.log)
    gone = pipeline.table.keys() - world.rows.keys()
    return "failed" if not ended_well else "told" if gone == pipeline.deleted() else "unknown"


@pytest.mark.parametrize(("changes", "days"), [(Changes.NONE, None), (Changes.DOCUMENTED, 0.0001)])
def test_what_is_told_to_be_deleted_is(changes, days, monkeypatch):
    """No row that BILL still has is ever called deleted, and after a quiet run hardly any other is left out."""
    adversary.only_bills(monkeypatch, changes=changes)
    monkeypatch.setattr(logging.root.manager, "disable", logging.ERROR)
    outcomes = Counter()
    for seed in range(examples(DELETIONS)):
        outcomes[told(seed, days)] += 1
    assert outcomes["told"] > outcomes.total() / 2, outcomes
