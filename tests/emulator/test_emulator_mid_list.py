"""Refusals in the middle of a list."""

from __future__ import annotations

import pytest
from emulator_client import code_of

from bill_emulator import Company, Emulator, MidList

TOKEN = {"apiToken": "demo-spend-token"}


def follow(client, path, cursor=None, **query):
    """The statuses of a whole reading up to the first refusal, and the cursor that was refused."""
    statuses = []
    while True:
        answer = client.get(path, **({} if cursor is None else {"page": cursor}), **query)
        statuses.append(answer.status_code)
        body = answer.json()
        if answer.status_code != 200 or "nextPage" not in body:
            return statuses, cursor
        cursor = body["nextPage"]


@pytest.mark.parametrize("cursor", ["offset", "keyset"])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_cursor_is_refused_once_after_so_many_pages(serve, cursor, after):
    emulator, client = serve(bills=40, mid_list=[MidList(after=after)], cursor=cursor)
    statuses, refused = follow(client, "/bills", max=10)
    assert statuses == [200] * after + [400]
    assert client.refused("/bills", page=refused) == "page: this cursor is not valid any more"
    assert client.ids("/bills", max=10) == emulator.company.ids("bills")
    assert client.get("/bills", page=refused).status_code == 400


def test_each_list_is_refused_for_itself(serve):
    _, client = serve(bills=40, mid_list=[MidList()])
    assert [follow(client, path, max=1)[0] for path in ("/bills", "/vendors", "/users")] == [[200, 400]] * 3


def test_only_the_lists_that_were_named(serve):
    _, client = serve(bills=40, mid_list=[MidList(lists=["vendors"])])
    assert follow(client, "/bills", max=10)[0] == [200] * 4
    assert follow(client, "/vendors", max=5)[0] == [200, 400]


def test_a_refused_cursor_may_be_taken_later(serve):
    _, client = serve(bills=40, mid_list=[MidList(after=2, stays=False)])
    statuses, refused = follow(client, "/bills", max=10)
    assert statuses == [200, 200, 400]
    assert follow(client, "/bills", refused, max=10)[0] == [200, 200]


def test_for_ever(serve):
    _, client = serve(bills=40, mid_list=[MidList(after=2, times=None)])
    assert [follow(client, "/bills", max=10)[0] for _ in range(5)] == [[200, 200, 400]] * 5


def test_so_many_times(serve):
    _, client = serve(bills=40, mid_list=[MidList(after=3, times=2)])
    assert [follow(client, "/bills", max=10)[0] for _ in range(3)] == [[200, 200, 200, 400]] * 2 + [[200] * 4]


def test_every_so_often(serve):
    _, client = serve(bills=40, mid_list=[MidList(times=None, every=5)])
    lengths = [follow(client, "/bills", max=10)[0] for _ in range(4)]
    # Requests with a cursor: 3, then 2 (the fifth is refused), 3, 2.
    assert lengths == [[200] * 4, [200, 200, 400], [200] * 4, [200, 200, 400]]


@pytest.mark.parametrize("times", [1, None])
def test_a_permission_may_end_in_mid_list(serve, times):
    _, client = serve(bills=40, mid_list=[MidList(after=2, status=403, code="BDC_1302", times=times)])
    statuses, refused = follow(client, "/bills", max=10)
    assert statuses == [200, 200, 403]
    assert code_of(client.get("/bills", page=refused)) == (403, "BDC_1302")
    assert follow(client, "/bills", max=10)[0] == ([200] * 4 if times else [200, 200, 403])


def test_a_status_may_have_no_code(serve):
    _, client = serve(bills=40, mid_list=[MidList(status=403)])
    _, refused = follow(client, "/bills", max=10)
    answer = client.get("/bills", page=refused)
    assert answer.status_code == 403
    (problem,) = answer.json()
    assert set(problem) == {"timestamp", "severity", "message"}


def test_rules_are_tried_in_turn(serve):
    _, client = serve(bills=40, mid_list=[MidList(after=1), MidList(after=2, status=403)])
    assert [follow(client, "/bills", max=10)[0] for _ in range(3)] == [[200, 400], [200, 200, 403], [200] * 4]


def test_going_back_is_a_cursor_too(serve):
    _, client = serve(bills=40, mid_list=[MidList(after=2)])
    second = client.ok("/bills", max=10, page=client.ok("/bills", max=10)["nextPage"])
    assert client.get("/bills", page=second["prevPage"]).status_code == 400


def test_a_cursor_expires(serve):
    _, client = serve(bills=40, cursor_life=2)
    assert follow(client, "/bills", max=10)[0] == [200] * 4
    first = client.ok("/bills", max=10)["nextPage"]
    client.ok("/vendors")
    assert client.get("/bills", page=first).status_code == 200
    assert client.refused("/bills", page=first) == "page: this cursor has expired"


@pytest.mark.parametrize("rule", [{"mid_list": [MidList()]}, {"cursor_life": 1}])
def test_what_is_never_refused(serve, rule):
    emulator, client = serve(bills=40, **rule)
    for _ in range(3):
        assert client.get("/bills", max=10, sort="createdTime:asc").status_code == 200
    assert client.get(f"/bills/{emulator.company.ids('bills')[0]}").status_code == 200
    assert client.get("/bill-approvals/policies").status_code == 200


def test_spend_lists_and_parts_are_refused_too(serve):
    emulator, client = serve(bills=40, mid_list=[MidList(status=403, times=None)])
    company = emulator.company
    cursor = client.spend("transactions", max=5)["nextPage"]
    assert client.get("/spend/transactions", headers=TOKEN, nextPage=cursor).status_code == 403
    vendor = next(id_ for id_ in company.ids("vendors") if len(company.parts("vendor_attachments", id_)) == 3)
    assert follow(client, f"/attachments/vendors/{vendor}", max=1)[0] == [200, 403]
    assert follow(client, f"/organizations/{company.organization_id}/billing-statements", max=5)[0] == [200, 403]
    trail = f"/reports/audit-trail/vendor/{vendor}"
    assert [client.get(trail, max=20, start=start).status_code for start in (0, 20)] == [200, 403]


def test_only_spend_and_only_after_so_many_pages(serve):
    _, client = serve(bills=40, mid_list=[MidList(after=3, lists=["spend_transactions"])])
    assert follow(client, "/bills", max=5)[0] == [200] * 8
    statuses, cursor = [], {}
    for _ in range(4):
        answer = client.get("/spend/transactions", headers=TOKEN, max=5, **cursor)
        statuses.append(answer.status_code)
        cursor = {"nextPage": answer.json()["nextPage"]} if answer.status_code == 200 else cursor
    assert statuses == [200, 200, 200, 400]


def test_spend_cursors_expire(serve):
    _, client = serve(bills=40, cursor_life=1)
    first = client.spend("transactions", max=5)["nextPage"]
    client.spend("cards")
    assert client.get("/spend/transactions", headers=TOKEN, nextPage=first).status_code == 400


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"after": 0}, "after of a refusal in mid-list must be 1 or more"),
        ({"times": 0}, "times of a refusal in mid-list must be 1 or more"),
        ({"every": 0}, "every of a refusal in mid-list must be 1 or more"),
        ({"status": 200}, "status of a refusal in mid-list must be from 400 to 599"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        MidList(**wrong)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"mid_list": [MidList(lists=["transactions"])]}, "unknown list transactions"),
        ({"cursor_life": -1}, "cursor_life must not be negative"),
    ],
)
def test_impossible_settings_are_refused_by_the_server(option, message):
    with pytest.raises(ValueError, match=message):
        Emulator(company=Company(bills=20), **option)


@pytest.mark.parametrize(
    ("switches", "readings"),
    [
        (["--mid-list", "400"], [[200, 400], [200] * 4]),
        (["--mid-list", "400,after=2,times=2"], [[200, 200, 400], [200, 200, 400], [200] * 4]),
        (["--mid-list", "403,code=BDC_1302,after=3,times=forever"], [[200] * 3 + [403]] * 3),
        (["--mid-list", "400,times=forever,every=2"], [[200, 200, 400], [200, 200, 400]]),
        (["--mid-list", "400,list=vendors,list=users"], [[200] * 4]),
        (["--mid-list", "400", "--mid-list", "403,list=bills,after=2"], [[200, 400], [200, 200, 403], [200] * 4]),
        (["--cursor-life", "1"], [[200] * 4]),
    ],
)
def test_the_command_line_refuses_in_mid_list(from_shell, switches, readings):
    _, client = from_shell(*switches)
    assert [follow(client, "/bills", max=10)[0] for _ in readings] == readings


def test_the_command_line_lets_cursors_expire_and_come_back(from_shell):
    _, client = from_shell("--cursor-life", "1", "--mid-list", "400,after=2,stays=no")
    first = client.ok("/bills", max=10)["nextPage"]
    client.ok("/vendors")
    assert client.refused("/bills", page=first) == "page: this cursor has expired"
    statuses, refused = follow(client, "/bills", max=10)
    assert statuses == [200, 200, 400]
    assert client.refused("/bills", page=refused) == "page: this cursor has expired"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("later", "'later' is not a whole number"),
        ("200", "status of a refusal in mid-list must be from 400 to 599"),
        ("400,stays=maybe", "'maybe' is neither yes nor no"),
        ("400,times=often", "'often' is not a whole number"),
        ("400,until=2", "'until=2' is not one of code=..., after=..., times=..., every=..., list=..., stays=..."),
    ],
)
def test_a_wrong_switch_is_told_in_one_line(from_shell, capsys, value, message):
    with pytest.raises(SystemExit):
        from_shell("--mid-list", value)
    assert capsys.readouterr().err == f"bill_emulator: argument --mid-list: {message}\n"
