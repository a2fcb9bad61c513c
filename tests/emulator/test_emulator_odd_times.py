"""Times that are missing, or that no clock ever showed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from emulator_client import Client

from bill_emulator import Company, Emulator, OddTimes

EARLY, LATE = "0002-01-01T00:00:00.000+00:00", "9999-12-31T23:59:59.999+00:00"
GONE = "no such key"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def true_rows(bills=40):
    return {row["id"]: row for row in Company(seed=7, bills=bills).rows("bills")}


def odd_ids(company, field):
    truth = true_rows()
    return {row["id"] for row in company.rows("bills") if row.get(field) != truth[row["id"]][field]}


def milliseconds(text):
    return int((datetime.fromisoformat(text) - EPOCH).total_seconds()) * 1000


@pytest.mark.parametrize("field", ["createdTime", "updatedTime"])
@pytest.mark.parametrize(
    ("how", "expected"),
    [("missing", GONE), ("null", None), ("early", EARLY), ("late", LATE), ("garbage", "soon"), ("number", ...)],
)
def test_what_comes_in_place_of_a_time(serve, field, how, expected):
    emulator, client = serve(odd_times=[OddTimes(how, field)])
    truth = true_rows()
    rows = client.ok("/bills", max=100)["results"]
    assert len(rows) == 40
    for row in rows:
        right = truth[row["id"]]
        odd = milliseconds(right[field]) if expected is ... else expected
        assert row.get(field, GONE) == odd
        assert {**row, field: None} == {**right, field: None}
    assert emulator.company.rows("bills") == rows
    assert client.ok(f"/bills/{rows[0]['id']}") == rows[0]
    vendor = emulator.company.rows("vendors")[0]
    assert vendor.get(field, GONE) != Company(seed=7, bills=40).rows("vendors")[0][field]


def test_a_share_of_the_rows_of_one_list_is_odd(serve):
    odd = OddTimes("null", share=0.25, lists=["bills"])
    emulator, client = serve(bills=400, odd_times=[odd])
    rows = [row for page in client.pages("/bills", max=100) for row in page["results"]]
    nulls = {row["id"] for row in rows if row["createdTime"] is None}
    assert (len(rows), len(nulls)) == (400, 95)
    assert {row["id"] for row in rows if row["createdTime"] is not None} == true_rows(400).keys() - nulls
    assert all(row["createdTime"] for row in emulator.company.rows("vendors"))
    other = Company(seed=7, bills=400)
    other.odd_times([OddTimes("null", share=0.25, seed=8)])
    assert {row["id"] for row in other.rows("bills") if row["createdTime"] is None} != nulls


@pytest.mark.parametrize(("untimed", "cursor"), [("first", "offset"), ("last", "keyset")])
@pytest.mark.parametrize("how", ["missing", "null", "garbage"])
@pytest.mark.parametrize("field", ["createdTime", "updatedTime"])
def test_where_rows_without_a_time_stand(serve, field, how, untimed, cursor):
    emulator, client = serve(odd_times=[OddTimes(how, field, share=0.3)], untimed=untimed, cursor=cursor)
    truth = true_rows()
    odd = odd_ids(emulator.company, field)
    read = client.ids("/bills", max=7, sort=f"{field}:asc")
    assert 5 < len(odd) < 20
    assert sorted(read) == sorted(truth)
    ends = read[: len(odd)] if untimed == "first" else read[-len(odd) :]
    assert set(ends) == odd
    times = [truth[id_][field] for id_ in read if id_ not in odd]
    assert times == sorted(times)
    assert client.ids("/bills", max=7, sort=f"{field}:desc") == read[::-1]


@pytest.mark.parametrize(("how", "end"), [("early", "first"), ("late", "last")])
@pytest.mark.parametrize("untimed", ["first", "last"])
def test_absurd_times_stand_and_are_found_where_they_belong(serve, how, end, untimed):
    emulator, client = serve(odd_times=[OddTimes(how, share=0.3)], untimed=untimed)
    odd = {row["id"] for row in emulator.company.rows("bills") if row["createdTime"] in (EARLY, LATE)}
    read = client.ids("/bills", max=7, sort="createdTime:asc")
    assert set(read[: len(odd)] if end == "first" else read[-len(odd) :]) == odd
    bound = "0100-01-01" if end == "first" else "9000-01-01"
    operator = "lt" if end == "first" else "gte"
    assert set(client.ids("/bills", filters=f'createdTime:{operator}:"{bound}"')) == odd
    inner = 'createdTime:gte:"0100-01-01",createdTime:lt:"9000-01-01"'
    assert set(client.ids("/bills", filters=inner)) == true_rows().keys() - odd


@pytest.mark.parametrize("sort", [{}, {"sort": "createdTime:asc"}, {"sort": "updatedTime:asc"}])
@pytest.mark.parametrize("untimed", ["first", "last"])
@pytest.mark.parametrize("how", ["missing", "null", "garbage"])
def test_no_filter_finds_a_row_without_a_time(serve, how, untimed, sort):
    emulator, client = serve(odd_times=[OddTimes(how, share=0.3)], untimed=untimed)
    truth = true_rows()
    odd = {
        row["id"] for row in emulator.company.rows("bills") if row.get("createdTime") != truth[row["id"]]["createdTime"]
    }
    for filters in ('createdTime:gte:"0001-01-01"', 'createdTime:lt:"9999-12-31"', 'createdTime:lte:"9999-12-31"'):
        assert set(client.ids("/bills", filters=filters, **sort)) == truth.keys() - odd
    assert set(client.ids("/bills", filters='updatedTime:gte:"0001-01-01"', **sort)) == truth.keys()


@pytest.mark.parametrize("how", ["missing", "null", "number", "early", "late", "garbage"])
def test_a_row_may_be_found_by_a_time_that_it_does_not_show(serve, how):
    plain = Company(seed=7, bills=40)
    emulator, client = serve(odd_times=[OddTimes(how, stored="kept")])
    with Emulator(company=plain) as right:
        other = Client(right).login()
        bound = sorted(row["createdTime"] for row in plain.rows("bills"))[20]
        for query in ({"sort": "createdTime:asc"}, {"filters": f'createdTime:gte:"{bound}"'}):
            assert client.ids("/bills", max=7, **query) == other.ids("/bills", max=7, **query)
        other.close()
    assert emulator.company.rows("bills") != plain.rows("bills")


def test_a_number_is_found_by_its_moment(serve):
    _, client = serve(odd_times=[OddTimes("number")])
    bound = sorted(row["createdTime"] for row in true_rows().values())[20]
    found = set(client.ids("/bills", filters=f'createdTime:gte:"{bound}"'))
    assert found == {id_ for id_, row in true_rows().items() if row["createdTime"] >= bound}


def test_an_edited_row_stays_odd_and_becomes_right_when_nothing_is_odd_any_more(serve):
    emulator, client = serve(odd_times=[OddTimes("missing"), OddTimes("null", "updatedTime")])
    company = emulator.company
    target = company.ids("bills")[0]
    assert company.edit("bills", target, {"description": "new"})["updatedTime"] is None
    row = client.ok(f"/bills/{target}")
    assert (row["description"], row.get("createdTime", GONE), row["updatedTime"]) == ("new", GONE, None)
    added = company.add("bills")
    assert ("createdTime" in added, added["updatedTime"]) == (False, None)
    company.odd_times([])
    now = "2026-07-01T12:30:15.000+00:00"
    right = true_rows()[target] | {"description": "new", "updatedTime": now}
    assert client.ok(f"/bills/{target}") == right
    assert company.row("bills", added["id"])["createdTime"] == now
    assert {id_: row for row in company.rows("bills") if (id_ := row["id"]) not in (target, added["id"])} == {
        id_: row for id_, row in true_rows().items() if id_ != target
    }


def test_odd_times_may_come_in_mid_read(serve):
    def between(_, company):
        company.odd_times([OddTimes("null", share=0.5)])

    _, client = serve(between=between)
    first = client.ok("/bills", max=5)
    assert all(row["createdTime"] for row in first["results"])
    rest = client.ok("/bills", max=100, page=first["nextPage"])["results"]
    assert 10 < sum(row["createdTime"] is None for row in rest) < 25


def test_a_row_put_in_stays_as_it_was_given(serve):
    emulator, client = serve(odd_times=[OddTimes("missing")])
    row = {"id": "00n02BYHAND000000001", "createdTime": 5, "updatedTime": "2026-01-01T00:00:00.000+00:00"}
    emulator.company.put("bills", row)
    assert client.ok("/bills/00n02BYHAND000000001") == row


@pytest.mark.parametrize(
    ("how", "stored", "found"), [("null", "shown", False), ("null", "kept", True), ("number", "shown", True)]
)
def test_spend_rows_have_odd_times_too(serve, how, stored, found):
    odd = OddTimes(how, "updatedTime", lists=("spend_transactions",), stored=stored)
    emulator, client = serve(bills=40, odd_times=[odd])
    rows = client.spend("transactions", max=50)["results"]
    right = {row["id"]: row for row in Company(seed=7, bills=40).spend.rows("transactions")}
    assert [row["updatedTime"] for row in rows] == [
        None if how == "null" else milliseconds(right[row["id"]]["updatedTime"]) for row in rows
    ]
    assert [row["id"] for row in rows] == emulator.company.spend.ids("transactions")[::-1][:50]
    bound = sorted(row["updatedTime"] for row in right.values())[30]
    later = client.spend("transactions", max=50, filters=f'updatedTime:gte:"{bound}"')["results"]
    assert {row["id"] for row in later} == {id_ for id_, row in right.items() if found and row["updatedTime"] >= bound}
    assert all("createdTime" in row for row in client.spend("cards")["results"])
    edited = emulator.company.spend.edit("transactions", rows[0]["id"], {})["updatedTime"]
    assert edited == (None if how == "null" else milliseconds("2026-07-01T12:30:15+00:00"))


@pytest.mark.parametrize("untimed", ["first", "last"])
def test_where_spend_rows_without_a_time_stand(serve, untimed):
    odd = OddTimes("missing", "occurredTime", share=0.3)
    emulator, client = serve(bills=20, odd_times=[odd], untimed=untimed)
    gone = {row["id"] for row in emulator.company.spend.rows("transactions") if "occurredTime" not in row}
    read = client.spend_ids("transactions", sort="occurredTime:asc")
    assert 3 < len(gone) < 25
    assert set(read[: len(gone)] if untimed == "first" else read[-len(gone) :]) == gone
    assert sorted(read) == sorted(emulator.company.spend.ids("transactions"))


def test_parts_have_odd_times_too(serve):
    emulator, client = serve(odd_times=[OddTimes("null", lists=["vendor_attachments"])])
    company = emulator.company
    vendor = next(id_ for id_ in company.ids("vendors") if company.parts("vendor_attachments", id_))
    rows = client.ok(f"/attachments/vendors/{vendor}")["results"]
    assert [row["createdTime"] for row in rows] == [None] * len(rows)
    assert rows == company.parts("vendor_attachments", vendor)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"how": "strange"}, "how of odd times must be one of missing, null, number, early, late, garbage"),
        ({"field": "dueDate"}, "field of odd times must be one of createdTime, updatedTime, "),
        ({"stored": "lost"}, "stored of odd times must be one of shown, kept"),
        ({"share": 2}, "share of odd times must be from 0 to 1"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        OddTimes(**{"how": "null"} | wrong)


def test_an_unknown_list_is_refused():
    with pytest.raises(ValueError, match="unknown list transactions"):
        Company(bills=0).odd_times([OddTimes("null", lists=["bills", "transactions"])])


@pytest.mark.parametrize(
    ("switches", "options"),
    [
        (["--odd-time", "null"], {"odd_times": [OddTimes("null")]}),
        (
            ["--odd-time", "number,field=updatedTime,share=0.5,list=bills,list=vendors,stored=kept"],
            {"odd_times": [OddTimes("number", "updatedTime", 0.5, ("bills", "vendors"), "kept")]},
        ),
        (
            ["--odd-time", "early,share=0.3,seed=9", "--odd-time", "late,field=updatedTime", "--untimed", "last"],
            {
                "odd_times": [OddTimes("early", share=0.3, seed=9), OddTimes("late", "updatedTime")],
                "untimed": "last",
            },
        ),
        (
            ["--odd-time", "missing,share=0.3,list=bills", "--untimed", "last"],
            {"odd_times": [OddTimes("missing", share=0.3, lists=["bills"])], "untimed": "last"},
        ),
    ],
)
def test_the_command_line_makes_times_odd(from_shell, serve, switches, options):
    emulator, client = from_shell(*switches)
    other, right = serve(**options)
    for name in ("bills", "customers"):
        assert emulator.company.rows(name) == other.company.rows(name)
    assert client.ids("/bills", sort="createdTime:asc") == right.ids("/bills", sort="createdTime:asc")
    assert emulator.company.rows("bills") != list(true_rows().values())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("strange", "how of odd times must be one of missing, null, "),
        ("null,shares=1", "'shares=1' is not one of field=..., share=..., list=..., stored=..., seed=..."),
        ("null,share=2", "'2' is not a number from 0 to 1"),
        ("null,share", "'share' is not one of field=..., "),
    ],
)
def test_a_wrong_switch_is_told_in_one_line(from_shell, capsys, value, message):
    with pytest.raises(SystemExit):
        from_shell("--odd-time", value)
    assert capsys.readouterr().err.startswith(f"bill_emulator: argument --odd-time: {message}")
