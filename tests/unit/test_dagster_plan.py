"""What examples/dagster reads when: never more than an hour's sign-ins, and nobody is forgotten."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import pytest
import runs
from hypothesis import given, settings
from hypothesis import strategies as st

EXAMPLE = Path(__file__).parents[2] / "examples" / "dagster"
spec = importlib.util.spec_from_file_location("plan", EXAMPLE / "plan.py")
plan = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plan)

TEN = 1_790_000_000 // 3600 * 3600
"""A full hour."""


def names(count):
    return [f"0080{number:03}" for number in range(count)]


def done(batch, began, lasted=600.0, *, failed=False):
    return plan.Run(batch, TEN + began, TEN + began + lasted, failed)


def test_every_organization_is_read_once_an_hour():
    first = done(names(150), 60)
    assert plan.due(names(150), [], TEN) == names(150)
    assert plan.due(names(150), [first], TEN + 3599) == []
    assert plan.due(names(150), [first], TEN + 3600) == names(150)


def test_a_key_with_more_than_150_is_split_over_hours():
    first = done(names(400)[:150], 0)
    assert plan.due(names(400), [], TEN) == names(400)[:150]
    assert plan.due(names(400), [first], TEN + 1200) == []
    second = done(plan.due(names(400), [first], TEN + 3600), 3600)
    assert second.organizations == names(400)[150:300]
    third = plan.due(names(400), [first, second], TEN + 7200)
    assert third == [*names(400)[300:], *names(50)]


def test_a_run_that_lasts_into_the_next_hour_counts_in_both():
    over = done(names(400)[:100], 3000, 1200)
    assert plan.due(names(400), [over], TEN + 4300) == names(400)[100:150]


def test_nothing_is_due_while_a_run_lasts():
    assert plan.due(names(3), [plan.Run(names(1), TEN - 9000, None)], TEN) == []


def test_a_failed_run_is_repeated_after_pauses_that_grow_and_with_what_is_left_of_the_hour():
    whole = names(150)
    failed = done(whole, 0, failed=True)
    assert plan.due(whole, [failed], TEN + 600 + 59) == []
    assert plan.due(whole, [failed], TEN + 600 + 60) == whole[:50]
    again = done(whole[:50], 700, 10, failed=True)
    assert plan.due(whole, [failed, again], TEN + 3600 + 1) == whole  # the next hour
    tenth = [done(whole[:1], number, 10, failed=True) for number in range(10)]
    assert plan.due(whole, tenth, TEN + 19 + 3599) == []
    assert plan.due(whole, tenth, TEN + 19 + 3600) == whole
    assert plan.due(whole, [failed, done(whole[:9], 700, 10)], TEN + 711) == []  # 159 were used: no run is repeated


steps = st.tuples(st.floats(1, 5000), st.floats(1, 5000), st.sampled_from(["fine", "fine", "told", "failed"]))


@settings(max_examples=runs.examples(60))
@given(st.integers(1, 500), st.lists(steps, min_size=1, max_size=60))
def test_no_hour_has_more_sign_ins_than_bill_allows(count, history):
    """Whenever each organization of a run signs in while it lasts, and however runs end."""
    wanted, past, signed_in, now = names(count), [], Counter(), float(TEN)
    for pause, lasted, ended in history:
        now += pause
        if batch := plan.due(wanted, past[-100:], now):
            assert len(batch) == len({*batch}) <= plan.SIGN_INS
            for hour in {now // plan.HOUR, (now + lasted) // plan.HOUR}:  # the worst that may be
                signed_in[hour] += len(batch)
            past.append(plan.Run(batch, now, now + lasted, ended == "failed"))
            now += lasted
    assert max(signed_in.values()) <= plan.SIGN_INS


@pytest.mark.parametrize("count", [1, 150, 151, 400, 1000])
def test_everyone_has_its_turn(count):
    past = []
    for number in range(-(-count // 150)):
        past.append(done(plan.due(names(count), past, TEN + 3600 * number), 3600 * number))
    assert {name for run in past for name in run.organizations} == {*names(count)}
    assert {len(run.organizations) for run in past} == {min(count, 150)}
