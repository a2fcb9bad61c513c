"""Cursors of both kinds, what edits do to them, and pages that misbehave on purpose."""

from __future__ import annotations

import base64

import pytest

BOTH = pytest.mark.parametrize("cursor", ["offset", "keyset"])


@BOTH
@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/bills", "bills", {}),
        ("/bills", "bills", {"sort": "createdTime:asc"}),
        ("/bills", "bills", {"sort": "createdTime:desc"}),
        ("/bills", "bills", {"sort": "updatedTime:asc"}),
        ("/bills", "bills", {"sort": "updatedTime:desc"}),
        ("/bills", "bills", {"sort": "archived:asc"}),
        ("/bills", "bills", {"sort": "description:desc"}),
        ("/bills", "bills", {"sort": "fundingAmount:asc"}),
        ("/bills", "bills", {"sort": "exchangeRate:desc"}),
        ("/bills", "bills", {"sort": "createdTime:asc", "filters": 'updatedTime:gte:"2024-01-01"'}),
        ("/payments", "payments", {"sort": "onlinePayment:asc"}),
        ("/vendors", "vendors", {"sort": "shortName:asc"}),
    ],
)
def test_every_row_comes_exactly_once(both, cursor, path, resource, parameters):
    emulator, client = both[cursor]
    whole = [row["id"] for page in client.pages(path, max=100, **parameters) for row in page["results"]]
    assert client.ids(path, max=1 if resource == "vendors" else 7, **parameters) == whole
    assert sorted(whole) == emulator.company.ids(resource)


@BOTH
@pytest.mark.parametrize("sort", ["createdTime:asc", "createdTime:desc", "fundingAmount:desc", "exchangeRate:asc"])
def test_previous_pages_lead_back(both, cursor, sort):
    _, client = both[cursor]
    forth = list(client.pages("/bills", max=13, sort=sort))
    back = [forth[-1]]
    while "prevPage" in back[-1]:
        back.append(client.ok("/bills", page=back[-1]["prevPage"], max=13))
    assert len(forth) == 5
    there = [[row["id"] for row in page["results"]] for page in forth]
    home = [[row["id"] for row in page["results"]] for page in back]
    assert home[::-1] == there


def read_with_edits(emulator, client, sort):
    """Read all bills, 10 at a time; after every page somebody edits a bill that was on it."""
    seen = []
    for page in client.pages("/bills", max=10, sort=sort):
        seen += [row["id"] for row in page["results"]]
        emulator.clock.advance(1)
        emulator.company.edit("bills", seen[-1], {"description": "edited"})
    return seen


def test_offset_cursors_lose_rows_when_rows_move(serve):
    emulator, client = serve(bills=60, cursor="offset")
    everything = set(emulator.company.ids("bills"))
    seen = read_with_edits(emulator, client, "updatedTime:asc")
    missed = everything - set(seen)
    assert len(missed) == 5  # one after each page but the last
    assert len(seen) == 60  # the edited ones came again at the end


def test_offset_cursors_lose_nothing_in_an_order_that_edits_do_not_change(serve):
    emulator, client = serve(bills=60, cursor="offset")
    seen = read_with_edits(emulator, client, "createdTime:asc")
    assert sorted(seen) == emulator.company.ids("bills")


@pytest.mark.parametrize("sort", ["updatedTime:asc", "createdTime:asc", "updatedTime:desc"])
def test_keyset_cursors_lose_only_what_moves_behind_the_reader(serve, sort):
    emulator, client = serve(bills=60, cursor="keyset")
    seen = read_with_edits(emulator, client, sort)
    assert set(seen) == set(emulator.company.ids("bills"))


@BOTH
def test_selections_follow_edits_additions_and_removals(serve, cursor):
    emulator, client = serve(bills=60, cursor=cursor)
    company = emulator.company
    query = {"filters": 'archived:eq:false,updatedTime:gte:"2026-01-01"', "sort": "updatedTime:desc"}

    def expected():
        rows = [row for row in company.rows("bills") if not row["archived"] and row["updatedTime"] >= "2026"]
        return sorted(row["id"] for row in rows)

    before = client.ids("/bills", max=100, **query)
    assert sorted(before) == expected()
    archived = company.edit("bills", before[0], {"archived": True})["id"]
    emulator.clock.advance(2)
    touched = company.edit("bills", before[-1], {"description": "on top now"})["id"]
    emulator.clock.advance(2)
    added = company.add("bills")["id"]
    company.remove("bills", before[1])
    after = client.ids("/bills", max=100, **query)
    assert after[:2] == [added, touched]
    assert archived not in after
    assert before[1] not in after
    assert sorted(after) == expected()


def test_a_new_time_range_sees_earlier_edits(serve):
    emulator, client = serve(bills=60)
    old = client.ids("/bills", max=100, filters='updatedTime:lt:"2025-01-01"')
    edited = emulator.company.edit("bills", old[0], {"description": "now"})["id"]
    assert client.ids("/bills", filters='updatedTime:gte:"2026-07-01"') == [edited]
    assert sorted(client.ids("/bills", max=100, filters='updatedTime:lt:"2025-01-02"')) == sorted(
        row["id"] for row in emulator.company.rows("bills") if row["updatedTime"] < "2025-01-02"
    )


@BOTH
def test_a_cursor_carries_its_query(both, cursor):
    _, client = both[cursor]
    query = {"sort": "createdTime:desc", "filters": "archived:eq:false"}
    first = client.ok("/bills", max=10, **query)
    alone = client.ok("/bills", page=first["nextPage"])
    assert alone == client.ok("/bills", page=first["nextPage"], max=10, **query)
    assert len(alone["results"]) == 10
    assert len(client.ok("/bills", page=first["nextPage"], max=3)["results"]) == 3
    whole = client.ids("/bills", max=100, **query)
    assert [row["id"] for row in alone["results"]] == whole[10:20]


@BOTH
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sort": "createdTime:asc"}, "page: this cursor was made with another sort"),
        ({"sort": ""}, "page: this cursor was made with another sort"),
        ({"filters": "archived:eq:true"}, "page: this cursor was made with other filters"),
        ({"max": "0"}, "max: must be a number from 1 to 100"),
    ],
)
def test_a_cursor_refuses_another_query(both, cursor, parameters, message):
    _, client = both[cursor]
    page = client.ok("/bills", max=10, sort="createdTime:desc", filters="archived:eq:false")["nextPage"]
    assert client.refused("/bills", page=page, **parameters) == message


def test_a_cursor_belongs_to_its_list(reader):
    page = reader.ok("/bills", max=1)["nextPage"]
    assert reader.refused("/vendors", page=page) == "page: this cursor belongs to another list"


@pytest.mark.parametrize("page", ["", "2", "nonsense!", "AAAA", "🦆", "WzFd" * 9])
def test_other_text_is_no_cursor(reader, page):
    assert reader.refused("/bills", page=page) == "page: this is no cursor"


def test_a_changed_cursor_is_no_cursor(reader):
    page = reader.ok("/bills", max=1)["nextPage"]
    middle = len(page) // 2
    changed = page[:middle] + ("A" if page[middle] != "A" else "B") + page[middle + 1 :]
    assert reader.refused("/bills", page=changed) == "page: this is no cursor"


def test_a_well_formed_but_forged_cursor_is_no_cursor(reader):
    page = reader.ok("/bills", max=1)["nextPage"]
    data = base64.urlsafe_b64decode(page + "=" * (-len(page) % 4))
    forged = data.replace(b'"bills",null,null,1,1,', b'"bills",null,null,1,9,')
    assert forged != data
    assert reader.refused("/bills", page=base64.urlsafe_b64encode(forged).decode()) == "page: this is no cursor"


@BOTH
def test_empty_pages_can_come_in_between(serve, cursor):
    emulator, client = serve(bills=60, cursor=cursor, quirks={"empty_pages"})
    pages = list(client.pages("/bills", max=25, sort="createdTime:asc"))
    assert [len(page["results"]) for page in pages] == [25, 0, 25, 0, 10]
    assert sorted(row["id"] for page in pages for row in page["results"]) == emulator.company.ids("bills")


@BOTH
def test_a_cursor_can_repeat_itself(serve, cursor):
    _, client = serve(bills=60, cursor=cursor, quirks={"repeat_cursor"})
    first = client.ok("/bills", max=20)
    second = client.ok("/bills", max=20, page=first["nextPage"])
    assert second["nextPage"] == first["nextPage"]
    assert second["results"] != first["results"]


@BOTH
def test_a_page_can_come_again_under_new_cursors(serve, cursor):
    _, client = serve(bills=60, cursor=cursor, quirks={"repeat_page"})
    pages, cursors = [], []
    page = client.ok("/bills", max=20)["nextPage"]
    for _ in range(4):
        cursors.append(page)
        body = client.ok("/bills", max=20, page=page)
        pages.append([row["id"] for row in body["results"]])
        page = body["nextPage"]
    assert len(set(cursors)) == 4
    assert pages == [pages[0]] * 4


@BOTH
def test_short_lists_have_no_quirks(serve, cursor):
    quirks = {"empty_pages", "repeat_cursor", "repeat_page"}
    _, client = serve(bills=20, cursor=cursor, quirks=quirks)
    assert set(client.ok("/bills", max=100)) == {"results"}
