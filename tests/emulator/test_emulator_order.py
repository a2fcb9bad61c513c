"""Filters and sorts that are refused or have no effect, and the order that comes instead."""

from __future__ import annotations

from itertools import pairwise

import pytest
from emulator_client import Client

from bill_emulator import Company, Emulator

CREATED = 'createdTime:gte:"2000-01-01"'
UPDATED = 'updatedTime:gte:"2000-01-01"'


def in_order(company, field, *, descending=False):
    """The ids of all bills by a time; of equal ones, the smaller id comes last under createdTime."""
    moments = {
        stored.id: stored.created if field == "createdTime" else stored.updated
        for stored in company.all_stored("bills")
    }
    ids = sorted(moments, reverse=field == "createdTime")
    ids.sort(key=moments.__getitem__)
    return ids[::-1] if descending else ids


def displaced(read, right):
    """How many rows stand elsewhere than in the right order."""
    return sum(one != two for one, two in zip(read, right, strict=True))


def steps_back(values):
    return sum(one > two for one, two in pairwise(values))


# When


WHENS = [
    ("never", {}, False),
    ("never", {"filters": UPDATED}, False),
    ("always", {}, True),
    ("always", {"filters": UPDATED}, True),
    ("filtered", {}, False),
    ("filtered", {"filters": UPDATED}, True),
    ("unfiltered", {}, True),
    ("unfiltered", {"filters": UPDATED}, False),
    ("single", {"max": 1}, True),
    ("single", {"max": 2}, False),
]


@pytest.mark.parametrize(("when", "query", "hit"), WHENS)
def test_when_a_sort_is_refused(serve, when, query, hit):
    emulator, client = serve(bills=20, refuse_sort=when)
    assert client.get("/bills", **query).status_code == 200
    if hit:
        assert client.refused("/bills", sort="createdTime:asc", **query) == "sort: bills cannot be sorted now"
    else:
        read = client.ids("/bills", sort="createdTime:asc", **query)
        assert read == in_order(emulator.company, "createdTime")


@pytest.mark.parametrize(("when", "query", "hit"), WHENS)
@pytest.mark.parametrize("cursor", ["offset", "keyset"])
def test_when_a_sort_is_ignored(serve, cursor, when, query, hit):
    emulator, client = serve(bills=20, ignore_sort=when, cursor=cursor)
    read = client.ids("/bills", sort="createdTime:desc", **query)
    right = in_order(emulator.company, "createdTime", descending=True)
    assert read == (emulator.company.ids("bills") if hit else right)
    assert emulator.company.ids("bills") != right


@pytest.mark.parametrize("when", [True, False])
def test_true_and_false_are_always_and_never(serve, when):
    _, client = serve(bills=20, ignore_sort=when)
    assert client.get("/bills", sort="nonsense").status_code == (200 if when else 400)


# What comes instead


@pytest.mark.parametrize("cursor", ["offset", "keyset"])
@pytest.mark.parametrize("asked", [{"sort": "createdTime:asc"}, {}])
def test_the_last_updated_come_first(serve, cursor, asked):
    emulator, client = serve(bills=40, ignore_sort=True, unsorted="updated", cursor=cursor)
    assert client.ids("/bills", max=7, **asked) == in_order(emulator.company, "updatedTime", descending=True)


@pytest.mark.parametrize("cursor", ["offset", "keyset"])
def test_a_shuffled_list_is_the_same_whenever_it_is_read_and_follows_from_the_seed(serve, cursor):
    lists = []
    for seed in (1, 1, 2):
        emulator, client = serve(bills=40, ignore_sort=True, unsorted="shuffled", order_seed=seed, cursor=cursor)
        lists.append(client.ids("/bills", max=7, sort="createdTime:asc"))
        assert client.ids("/bills", max=100) == lists[-1]
        assert sorted(lists[-1]) == emulator.company.ids("bills")
        assert displaced(lists[-1], emulator.company.ids("bills")) > 30
    assert lists[0] == lists[1] != lists[2]


@pytest.mark.parametrize("cursor", ["offset", "keyset"])
@pytest.mark.parametrize("field", ["createdTime", "updatedTime"])
def test_a_list_can_be_in_order_but_for_a_few_rows(serve, cursor, field):
    emulator, client = serve(bills=300, ignore_sort=True, unsorted="mostly", cursor=cursor)
    read = client.ids("/bills", max=50, sort=f"{field}:asc")
    assert sorted(read) == emulator.company.ids("bills")
    times = [emulator.company.row("bills", id_)[field] for id_ in read]
    assert 5 <= steps_back(times) <= 30
    assert client.refused("/bills", sort="nonsense") == "sort: bills cannot be sorted by 'nonsense'"
    assert client.ids("/bills", max=100) == emulator.company.ids("bills")
    assert client.ids("/bills", max=100, sort=f"{field}:desc") == read[::-1]


@pytest.mark.parametrize("cursor", ["offset", "keyset"])
def test_a_share_of_the_pages_holds_the_right_rows_in_another_order(serve, cursor):
    emulator, client = serve(bills=300, ignore_sort=True, unsorted="updated", unsorted_share=0.25, cursor=cursor)
    right = in_order(emulator.company, "createdTime")
    query = {"max": 10, "sort": "createdTime:asc"}
    pages = [[row["id"] for row in page["results"]] for page in client.pages("/bills", **query)]
    rights = [right[start : start + 10] for start in range(0, 300, 10)]
    assert [sorted(page) for page in pages] == [sorted(page) for page in rights]
    odd = [page for page, expected in zip(pages, rights, strict=True) if page != expected]
    assert len(odd) == {"offset": 7, "keyset": 6}[cursor]
    for page in odd:
        times = [emulator.company.row("bills", id_)["updatedTime"] for id_ in page]
        assert times == sorted(times, reverse=True)
    assert [[row["id"] for row in page["results"]] for page in client.pages("/bills", **query)] == pages


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"refuse_sort": "now"}, "refuse_sort must be one of never, always, filtered, unfiltered, single"),
        ({"ignore_sort": "now"}, "ignore_sort must be one of never, always, filtered, unfiltered, single"),
        ({"unsorted": "upside down"}, "unsorted must be one of id, updated, shuffled, mostly"),
        ({"untimed": "nowhere"}, "untimed must be one of first, last"),
        ({"unsorted_share": 1.5}, "unsorted_share must be from 0 to 1"),
        ({"refuse_filters": ["createTime"]}, "no list can be filtered by createTime"),
        ({"ignore_filters": ["createTime"]}, "no list can be filtered by createTime"),
    ],
)
def test_impossible_settings_are_refused(option, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Emulator(company=Company(bills=0), **option)


# Filters


@pytest.mark.parametrize(
    ("fields", "statuses"),
    [
        (["createdTime"], [400, 200, 400]),
        (["updatedTime"], [200, 400, 400]),
        (["createdTime", "updatedTime"], [400, 400, 400]),
        ([], [200, 200, 200]),
    ],
)
def test_filters_on_some_fields_are_refused(serve, fields, statuses):
    _, client = serve(bills=20, refuse_filters=fields)
    asked = [CREATED, UPDATED, f"{CREATED},{UPDATED}"]
    assert [client.get("/bills", filters=filters).status_code for filters in asked] == statuses
    assert client.get("/bills", filters="archived:eq:false").status_code == 200
    if fields == ["createdTime"]:
        assert client.refused("/bills", filters=CREATED) == "filters: bills cannot be filtered by 'createdTime'"


@pytest.mark.parametrize("fields", [["createdTime"], ["updatedTime"], ["createdTime", "updatedTime"]])
def test_filters_on_some_fields_have_no_effect(serve, fields):
    emulator, client = serve(bills=60, ignore_filters=fields)
    rows = emulator.company.rows("bills")
    for asked in (["createdTime"], ["updatedTime"], ["createdTime", "updatedTime"]):
        bounds = {name: sorted(row[name] for row in rows)[30] for name in asked}
        filters = ",".join(f'{name}:gte:"{bound}"' for name, bound in bounds.items())
        heeded = {name: bound for name, bound in bounds.items() if name not in fields}
        expected = [row["id"] for row in rows if all(row[name] >= bound for name, bound in heeded.items())]
        assert client.ids("/bills", max=7, filters=filters) == expected
        assert (len(expected) < len(rows)) == bool(heeded)


def test_an_ignored_filter_is_not_even_looked_at(serve):
    _, client = serve(bills=20, ignore_filters=["createdTime"])
    assert client.get("/bills", filters="createdTime:nonsense").status_code == 200
    assert client.get("/bills", filters="updatedTime:nonsense").status_code == 400


# Spend & Expense


def test_spend_sorts_can_be_refused_ignored_or_taken_for_every_field(serve):
    def read(quirk, sort):
        emulator, client = serve(bills=40, spend_quirks=[quirk], spend_limit=0)
        answer = client.get("/spend/transactions", headers={"apiToken": "demo-spend-token"}, sort=sort)
        if answer.status_code == 400:
            return "refused"
        rows = {row["id"]: row for row in emulator.company.spend.rows("transactions")}
        ids = client.spend_ids("transactions", max=7, sort=sort)
        assert sorted(ids) == sorted(rows)
        if ids == list(rows)[::-1]:
            return "newest first"
        times = [rows[id_]["updatedTime"] for id_ in ids]
        return "by updatedTime" if times == sorted(times) else "otherwise"

    assert read("refuse_sort", "occurredTime:asc") == "refused"
    assert read("ignore_sort", "updatedTime:asc") == "newest first"
    assert read("any_sort", "updatedTime:asc") == "by updatedTime"
    assert read("any_sort", "updatedTime") == "refused"


# The command line


@pytest.mark.parametrize(
    ("switches", "query", "outcome"),
    [
        (["--refuse-sort", "always"], {"sort": "createdTime:asc"}, 400),
        (["--refuse-sort", "filtered"], {"sort": "createdTime:asc"}, 200),
        (["--refuse-sort", "filtered"], {"sort": "createdTime:asc", "filters": UPDATED}, 400),
        (["--ignore-sort"], {"sort": "nonsense"}, 200),
        (["--ignore-sort", "unfiltered"], {"sort": "nonsense"}, 200),
        (["--ignore-sort", "unfiltered"], {"sort": "nonsense", "filters": UPDATED}, 400),
        (["--refuse-filter", "createdTime"], {"filters": CREATED}, 400),
        (["--refuse-filter", "createdTime"], {"filters": UPDATED}, 200),
        (["--refuse-filter", "createdTime", "--refuse-filter", "updatedTime"], {"filters": UPDATED}, 400),
        (["--ignore-filter", "createdTime"], {"filters": "createdTime:nonsense"}, 200),
    ],
)
def test_the_command_line_refuses_and_ignores(from_shell, switches, query, outcome):
    _, client = from_shell(*switches)
    assert client.get("/bills", **query).status_code == outcome


@pytest.mark.parametrize(
    ("switches", "options"),
    [
        (["--unsorted", "updated"], {"unsorted": "updated"}),
        (["--unsorted", "shuffled", "--order-seed", "9"], {"unsorted": "shuffled", "order_seed": 9}),
        (["--unsorted", "updated", "--unsorted-share", "0.5"], {"unsorted": "updated", "unsorted_share": 0.5}),
    ],
)
def test_the_command_line_chooses_the_order(from_shell, switches, options):
    _, client = from_shell("--ignore-sort", *switches)
    with Emulator(company=Company(bills=40), ignore_sort=True, **options) as emulator:
        other = Client(emulator).login()
        query = {"max": 5, "sort": "createdTime:asc"}
        read = client.ids("/bills", **query)
        assert read == other.ids("/bills", **query) != emulator.company.ids("bills")
        other.close()
