"""Latency, the limit of requests at once, people who edit meanwhile, and the counters that tell of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest
import requests

from bill_emulator import Company, Emulator
from bill_emulator.traffic import Counters, Gate


def sign_in(emulator):
    body = {
        "username": emulator.credentials["username"],
        "password": emulator.credentials["password"],
        "organizationId": emulator.credentials["organization_id"],
        "devKey": emulator.credentials["dev_key"],
    }
    answer = requests.post(f"{emulator.url}/v3/login", json=body, timeout=10)
    return {"sessionId": answer.json()["sessionId"], "devKey": body["devKey"]}


def control(emulator, **order):
    url = emulator.url.replace("/connect", "/control")
    answer = requests.post(url, json=order, timeout=10) if order else requests.get(url, timeout=10)
    return answer.json()


@pytest.mark.parametrize("status", [429, 422, 400])
def test_a_fourth_request_at_once_is_refused(status):
    async def four_at_once():
        release, sent = asyncio.Event(), []

        async def application(_scope, _receive, send):
            await release.wait()
            await send({"type": "http.response.start", "status": 200})

        async def send(message):
            sent.append(message)
            release.set()  # the first answer is the refusal; it lets the others go on

        counters = Counters()
        gate = Gate(application, counters, Company(bills=0), latency=0, limit=3, status=status)
        await asyncio.gather(*(gate({"path": "/connect/v3/bills"}, None, send) for _ in range(4)))
        return sent, counters

    sent, counters = asyncio.run(four_at_once())
    assert [message["status"] for message in sent if "status" in message] == [status, 200, 200, 200]
    (body,) = [message["body"] for message in sent if "body" in message]
    assert [error["code"] for error in json.loads(body)] == ["BDC_1322"]
    assert (counters.requests, counters.peak_in_flight, counters.refused, counters.in_flight) == (4, 4, 1, 0)


def test_one_request_after_the_other_is_never_too_many():
    with Emulator(company=Company(seed=5, bills=20), limit=1) as emulator:
        headers = sign_in(emulator)
        for _ in range(5):
            assert requests.get(f"{emulator.url}/v3/bills", headers=headers, timeout=10).status_code == 200
        state = control(emulator)
    assert (state["requests"], state["peak_in_flight"], state["refused"], state["logins"]) == (6, 1, 0, 1)


def test_edits_and_additions_happen_between_answers_and_are_the_truth():
    with Emulator(company=Company(seed=5, bills=40), edit_every=2, edit_rows=3) as emulator:
        headers = sign_in(emulator)
        before = {row["id"]: row for row in emulator.company.rows("bills")}
        for _ in range(4):
            requests.get(f"{emulator.url}/v3/bills", headers=headers, timeout=10)
        state = control(emulator)
        truth = requests.get(emulator.url.replace("/connect", "/control/truth/bills"), timeout=10).json()
    assert (state["edits"], state["adds"]) == (6, 1)
    assert len(truth) == 41
    changed = [row for row in truth if row["id"] in before and row["updatedTime"] != before[row["id"]]["updatedTime"]]
    assert 3 <= len(changed) <= 6
    assert [row["id"] for row in truth] == sorted(row["id"] for row in truth)


def test_counters_can_be_set_back():
    with Emulator(company=Company(seed=5, bills=20)) as emulator:
        sign_in(emulator)
        assert control(emulator)["requests"] == 1
        assert control(emulator, do="reset_counters")["requests"] == 0


@pytest.mark.parametrize("created", ["even", "bulk", "start", "end"])
def test_created_times_are_spread_as_asked(created):
    rows = Company(seed=5, bills=400, created=created).rows("bills")
    times = sorted(row["createdTime"] for row in rows)
    assert all(row["createdTime"] <= row["updatedTime"] for row in rows)
    most = max(Counter(times).values())
    assert {
        "even": most <= 40 and times[40] < "2024-06" and times[-40] > "2026-02",
        "bulk": most == 200,
        "start": times[-1] < "2023-09",
        "end": times[0] > "2026-06",
    }[created]


def test_an_unknown_spread_is_refused():
    with pytest.raises(ValueError, match="created must be one of even, bulk, start, end"):
        Company(created="odd")
