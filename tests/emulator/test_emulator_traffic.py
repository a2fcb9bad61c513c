"""Latency, the limit of requests at once, people who edit meanwhile, and the counters that tell of it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import pytest
import requests
from emulator_client import Client, code_of

from bill_emulator import Clock, Company, Emulator
from bill_emulator.protocol import limits
from bill_emulator.resources import RESOURCES


class Brake:
    """A layer which holds every list request that was let in, until it is told to let go."""

    def __init__(self):
        self.go = threading.Event()
        self.held = threading.Semaphore(0)

    def layer(self, application):
        async def braking(scope, receive, send):
            if "/v3/bills" in scope["path"]:
                self.held.release()
                await asyncio.to_thread(self.go.wait, 20)
            await application(scope, receive, send)

        return braking

    def wait_for(self, number):
        for _ in range(number):
            assert self.held.acquire(timeout=120)


@pytest.fixture
def crowd():
    """Starts requests in threads of their own."""
    with ThreadPoolExecutor(8) as executor:
        yield executor


def control(emulator, path="", **order):
    url = emulator.url.removesuffix("/connect") + "/control" + path
    answer = requests.post(url, json=order, timeout=120) if order else requests.get(url, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def get(client, path="/bills"):
    headers = {name: client.http.headers[name] for name in ("sessionId", "devKey")}
    return requests.get(f"{client.emulator.url}/v3{path}", headers=headers, timeout=120)


# The limit


@pytest.mark.parametrize(
    ("options", "limit", "status"), [({}, 3, 429), ({"limit": 1, "limit_status": 422}, 1, 422), ({"limit": 2}, 2, 429)]
)
def test_one_request_more_than_allowed_is_refused_at_once_until_one_is_over(serve, crowd, options, limit, status):
    brake = Brake()
    emulator, client = serve(layers=[brake.layer], **options)
    held = [crowd.submit(get, client) for _ in range(limit)]
    brake.wait_for(limit)
    assert (emulator.counters.in_flight, emulator.counters.peak_in_flight) == (limit, limit)
    for path in ("/bills", "/vendors", "/nonsense"):
        assert code_of(client.get(path)) == (status, "BDC_1322")
    assert client.get("/bills").json()[0]["timestamp"] == "2026-07-01T12:30:15.000+00:00"
    assert emulator.counters.in_flight == limit
    brake.go.set()
    assert [answer.result().status_code for answer in held] == [200] * limit
    assert client.get("/bills").status_code == 200
    counters = emulator.counters
    assert (counters.refused, counters.in_flight, counters.peak_in_flight) == (4, 0, limit + 1)
    assert counters.by_status == {200: limit + 2, status: 4}
    assert counters.requests == limit + 6 == len(emulator.requests)


def test_sign_in_and_sign_out_count_and_are_not_processed_when_refused(serve, crowd):
    brake = Brake()
    emulator, client = serve(layers=[brake.layer], limit=1)
    held = crowd.submit(get, client)
    brake.wait_for(1)
    assert code_of(client.post("/login", json=client.credentials())) == (429, "BDC_1322")
    assert code_of(client.post("/logout")) == (429, "BDC_1322")
    brake.go.set()
    assert held.result().status_code == 200
    assert client.get("/bills").status_code == 200  # not signed out
    assert (emulator.logins, emulator.counters.logins, control(emulator)["sessions"]) == (1, 1, 1)


def test_a_sign_in_on_its_way_counts(serve, crowd):
    brake = Brake()

    def layer(application):
        async def braking(scope, receive, send):
            if scope["path"].endswith("/login"):
                brake.held.release()
                await asyncio.to_thread(brake.go.wait, 20)
            await application(scope, receive, send)

        return braking

    company = Company(bills=20)
    with Emulator(company=company, limit=1, layers=[layer]) as emulator:
        client, second = Client(emulator), Client(emulator)
        signing_in = crowd.submit(client.login)
        brake.wait_for(1)
        assert code_of(second.get("/bills")) == (429, "BDC_1322")
        brake.go.set()
        signing_in.result()
        assert client.get("/bills").status_code == 200
        client.close()
        second.close()


def test_without_a_limit_any_number_is_let_in(serve, crowd):
    brake = Brake()
    emulator, client = serve(layers=[brake.layer], limit=0)
    held = [crowd.submit(get, client) for _ in range(6)]
    brake.wait_for(6)
    assert emulator.counters.peak_in_flight == 6
    brake.go.set()
    assert [answer.result().status_code for answer in held] == [200] * 6
    assert emulator.counters.refused == 0


def test_one_request_after_the_other_is_never_too_many(serve):
    emulator, client = serve(bills=20, limit=1)
    for _ in range(50):
        assert client.get("/roles").status_code == 200
    counters = emulator.counters
    assert (counters.requests, counters.peak_in_flight, counters.refused, counters.in_flight) == (51, 1, 0, 0)


def test_a_request_that_fails_is_no_longer_in_flight(serve):
    def layer(application):
        async def failing(scope, receive, send):
            if "/v3/bills" in scope["path"]:
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
                await send({"type": "http.response.body", "body": b"cut", "more_body": True})
                return
            await application(scope, receive, send)

        return failing

    emulator, client = serve(limit=1, layers=[layer])
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(client)
    assert client.get("/vendors").status_code == 200
    assert (emulator.counters.in_flight, emulator.counters.requests, emulator.counters.refused) == (0, 3, 0)


@pytest.mark.parametrize(
    "option",
    [
        {"limit": -1},
        {"limit_status": 200},
        {"limit_status": 600},
        {"latency": -1},
        {"edit_every": -1},
        {"edit_rows": -1},
        {"delete_every": -1},
        {"delete_rows": -1},
    ],
)
def test_impossible_settings_are_refused(option):
    with pytest.raises(ValueError, match=f"{next(iter(option))} .*must"):
        Emulator(company=Company(bills=0), **option)


# Latency


def test_every_bill_request_waits_and_is_in_flight_meanwhile(monkeypatch):
    waits = []
    emulator = Emulator(company=Company(bills=20), latency=12.5)

    async def sleep(seconds):
        waits.append((seconds, emulator.counters.in_flight))

    monkeypatch.setattr(limits, "asyncio", SimpleNamespace(get_running_loop=asyncio.get_running_loop, sleep=sleep))
    with emulator:
        client = Client(emulator).login()
        assert client.get("/bills").status_code == 200
        assert client.get("/nonsense").status_code == 404
        assert client.post("/logout").status_code == 200
        assert control(emulator)["requests"] == 4
        client.close()
    assert waits == [(12.5, 1)] * 4


def test_an_answer_takes_at_least_as_long_as_told(serve):
    emulator, client = serve(latency=0.05)
    emulator.reset_counters()
    assert client.get("/bills").elapsed >= timedelta(seconds=0.05)
    counters = emulator.counters
    assert counters.last_answer - counters.first_request >= 0.05


# Edits


def test_rows_are_edited_between_answers_and_every_other_time_one_is_added(serve):
    emulator, client = serve(bills=40, edit_every=2, edit_rows=4)
    before = {row["id"]: row for row in emulator.company.rows("bills")}
    emulator.clock.advance(600)
    tally = []
    for _ in range(5):
        assert client.get("/bills", max=5).status_code == 200
        tally.append((emulator.counters.edits, emulator.counters.adds, emulator.company.count("bills")))
    assert tally == [(0, 0, 40), (4, 0, 40), (4, 0, 40), (8, 1, 41), (8, 1, 41)]
    now = "2026-07-01T12:40:15.000+00:00"
    truth = {row["id"]: row for row in emulator.company.rows("bills")}
    touched = {row_id for row_id, row in truth.items() if row["updatedTime"] == now}
    assert {row["updatedTime"] for row in before.values()}.isdisjoint({now})
    assert {row_id for row_id in before if truth[row_id] != before[row_id]} == touched & before.keys()
    (new,) = truth.keys() - before.keys()
    assert truth[new]["createdTime"] == now
    edited = touched - {new}
    assert 4 <= len(edited) <= 8
    for row_id in edited:
        changed = {name for name, value in truth[row_id].items() if value != before[row_id].get(name)}
        assert changed in ({"updatedTime"}, {"updatedTime", "description"})
    assert sorted(client.ids("/bills", max=100)) == sorted(truth)
    assert emulator.company.rows("vendors") == Company(seed=7, bills=40).rows("vendors")


def history(emulator, client):
    for path in ("/bills", "/vendors", "/bills", "/users", "/payments", "/bills"):
        client.ok(path, max=3)
    return {name: emulator.company.rows(name) for name in ("bills", "vendors", "users", "payments", "items")}


def test_edits_follow_from_the_seed(serve):
    first = history(*serve(edit_every=1, edit_rows=1))
    assert history(*serve(edit_every=1, edit_rows=1)) == first
    untouched = Company(seed=7, bills=40)
    more = {name: len(rows) - untouched.count(name) for name, rows in first.items()}
    assert more == {"bills": 1, "vendors": 1, "users": 1, "payments": 0, "items": 0}
    assert first["items"] == untouched.rows("items")


def test_edits_reach_the_whole_list(serve):
    emulator, client = serve(bills=40, edit_every=1, edit_rows=10)
    now = "2026-07-01T12:30:15.000+00:00"
    for _ in range(30):
        client.ok("/bills", max=1)
    old = Company(seed=7, bills=40).ids("bills")
    assert all(emulator.company.row("bills", row_id)["updatedTime"] == now for row_id in old)


def test_the_page_just_sent_is_as_it_was_before_the_edit(serve):
    emulator, client = serve(bills=20, edit_every=1, edit_rows=20)
    before = emulator.company.rows("bills")
    assert sorted(client.ok("/bills", max=100)["results"], key=lambda row: row["id"]) == before
    after = emulator.company.rows("bills")
    assert all(one != two for one, two in zip(before, after, strict=True))
    assert sorted(client.ok("/bills", max=100)["results"], key=lambda row: row["id"]) == after


def test_offset_cursors_lose_rows_while_people_work(serve):
    """What makes reading hard: an edited row leaves the part already read, and a later row moves up into it."""
    emulator, client = serve(bills=200, edit_every=1, edit_rows=5)
    read = client.ids("/bills", max=10, sort="updatedTime:asc", filters='updatedTime:lt:"2026-07-01T12:00"')
    untouched = {row["id"] for row in emulator.company.rows("bills") if row["updatedTime"] < "2026-07-01T12:00"}
    assert untouched - set(read) != set()


@pytest.mark.parametrize("answer", ["refused", "unknown", "one row", "one object", "a bare array"])
def test_only_a_list_answer_makes_people_work(serve, answer):
    emulator, client = serve(edit_every=1)
    path, parameters, status = {
        "refused": ("/bills", {"max": 0}, 400),
        "unknown": ("/bills/x", {}, 404),
        "one row": (f"/bills/{emulator.company.ids('bills')[0]}", {}, 200),
        "one object": ("/organizations/00802DEMO0COMPANY001", {}, 200),
        "a bare array": ("/bill-approvals/policies", {}, 200),
    }[answer]
    assert client.get(path, **parameters).status_code == status
    assert (emulator.counters.edits, emulator.counters.adds) == (0, 0)


def test_every_list_can_be_edited_and_added_to(serve):
    emulator, client = serve(edit_every=1, edit_rows=1)
    lists = [kind for kind in RESOURCES.values() if kind.shape == "list"]
    for kind in lists:
        path = kind.path.replace("{organizationId}", emulator.company.organization_id)
        count = emulator.company.count(kind.name)
        client.ok(path)
        client.ok(path)
        assert emulator.company.count(kind.name) == count + 1
    assert (emulator.counters.edits, emulator.counters.adds) == (2 * len(lists), len(lists))


# Counters and truth


def test_the_counters_say_what_happened(serve):
    emulator, client = serve(bills=20)
    client.get("/bills")
    client.get("/bills", max=0)
    client.get("/nonsense")
    requests.get(emulator.url + "/elsewhere", timeout=120)
    requests.post(emulator.url + "/v3/login", json={}, timeout=120)
    expected = {
        "requests": 6,
        "by_status": {"200": 2, "400": 2, "404": 2},
        "in_flight": 0,
        "peak_in_flight": 1,
        "refused": 0,
        "logins": 1,
        "sessions": 1,
        "edits": 0,
        "adds": 0,
        "deletes": 0,
    }
    for path in ("", "/state"):
        state = control(emulator, path)
        assert {name: state[name] for name in expected} == expected
    assert emulator.counters.by_status == {200: 2, 400: 2, 404: 2}
    assert len(emulator.requests) == 6


@pytest.mark.parametrize("way", ["over the wire", "in Python"])
def test_the_counters_can_be_set_back(serve, way):
    emulator, client = serve(bills=20, edit_every=1, limit=1)
    client.ok("/bills")
    client.ok("/bills")
    if way == "in Python":
        emulator.reset_counters()
    else:
        control(emulator, do="reset_counters")
    zero = dict.fromkeys(
        ("requests", "in_flight", "peak_in_flight", "refused", "logins", "edits", "adds", "deletes"), 0
    )
    zero |= {"first_request": 0.0, "last_answer": 0.0, "by_status": {}}
    assert emulator.counters.as_dict() == zero
    client.ok("/vendors")
    assert control(emulator)["requests"] == 1
    assert (control(emulator)["sessions"], emulator.logins) == (1, 1)


def test_what_is_in_flight_stays_so_when_counters_are_set_back(serve, crowd):
    brake = Brake()
    emulator, client = serve(layers=[brake.layer], limit=1)
    held = crowd.submit(get, client)
    brake.wait_for(1)
    emulator.reset_counters()
    assert (emulator.counters.in_flight, emulator.counters.peak_in_flight) == (1, 1)
    assert code_of(client.get("/vendors")) == (429, "BDC_1322")
    brake.go.set()
    held.result()
    assert (emulator.counters.in_flight, emulator.counters.requests) == (0, 2)


def test_open_sessions_are_counted(serve):
    emulator, client = serve(bills=20)
    assert client.get("/bills").status_code == 200
    second = Client(emulator).login()
    assert (control(emulator)["sessions"], control(emulator)["logins"]) == (2, 2)
    second.post("/logout")
    assert (control(emulator)["sessions"], control(emulator)["logins"]) == (1, 2)
    emulator.clock.advance(35 * 60)
    assert control(emulator)["sessions"] == 0
    second.close()


def test_the_truth_is_every_row_digit_for_digit_in_id_order(serve):
    emulator, client = serve(bills=20)
    target = emulator.company.ids("bills")[5]
    control(emulator, do="edit", resource="bills", id=target, changes={"description": "as it is now"})
    url = emulator.url.removesuffix("/connect") + "/control/truth/"
    results = client.get("/bills", max=100).content.removeprefix(b'{"results":').removesuffix(b"}")
    assert requests.get(url + "bills", timeout=120).content == results
    assert b"0.10," in results
    assert b"as it is now" in results
    rows = requests.get(url + "bills", timeout=120).json()
    assert [row["id"] for row in rows] == emulator.company.ids("bills")
    assert requests.get(url + "bill_approval_policies", timeout=120).json() == emulator.company.rows(
        "bill_approval_policies"
    )
    unknown = requests.get(url + "pencils", timeout=120)
    assert (unknown.status_code, unknown.json()) == (404, {"message": "missing or unknown: pencils"})
    assert [record.path for record in emulator.requests] == ["/connect/v3/login", "/connect/v3/bills"]


# The clock


@pytest.mark.parametrize("seconds", [-86_400, 3_600])
def test_a_clock_may_be_ahead_or_behind(seconds):
    clock = Clock()
    clock.advance(seconds)
    with Emulator(company=Company(bills=20, clock=clock)) as emulator:
        client = Client(emulator).login()
        before = datetime.now(UTC).replace(microsecond=0)
        shown = parsedate_to_datetime(client.get("/bills").headers["Date"])
        edited = emulator.company.edit("bills", emulator.company.ids("bills")[0], {})["updatedTime"]
        after = datetime.now(UTC)
        client.close()
    for moment in (shown, datetime.fromisoformat(edited)):
        assert before <= moment - timedelta(seconds=seconds) <= after
