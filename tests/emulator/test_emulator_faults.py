"""Answers broken on purpose, hourly limits, short sessions, and several organizations on one server."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import emulator_client
import pytest
import requests
from emulator_client import Client

from bill_emulator import KINDS, Clock, Company, Credentials, Emulator, Faults

NOW = datetime(2026, 7, 1, 12, 59, 50, tzinfo=UTC)


def code_of(answer):
    return emulator_client.code_of(answer)[1]


def whole(company, resource="bills"):
    return {row["id"] for row in company.rows(resource)}


# Kinds of faults

ANSWERS = {
    "server_error": (503, None),
    "html": (502, None),
    "redirect": (302, None),
    "error_in_200": (200, "BDC_1001"),
    "too_many_at_once": (429, "BDC_1322"),
    "hour_used_up": (429, "BDC_1144"),
    "too_many_requests": (429, None),
    "session_ended": (401, "BDC_1109"),
    "untrusted": (403, "BDC_1361"),
    "forbidden": (403, "BDC_1302"),
    "refused": (400, None),
    "single_object": (500, None),
    "many_messages": (400, None),
    "record_content": (400, "BDC_1143"),
    "latin1": (503, None),
    "deep": (503, None),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_refusal_has_its_status_and_code_once(serve, kind):
    emulator, client = serve()
    emulator.faults.plan(kind, path="/v3/bills")
    answer = client.get("/bills", allow_redirects=False) if kind == "redirect" else client.get("/bills")
    status, code = ANSWERS[kind]
    assert answer.status_code == status
    assert (code_of(answer) if code else None) == code
    client.login()
    assert client.get("/bills").status_code == 200
    assert emulator.faults.counts == {kind: 1}


@pytest.mark.parametrize("status", [400, 403, 422, 429])
def test_a_limit_may_have_any_status(serve, status):
    emulator, client = serve()
    emulator.faults.plan("too_many_at_once", status=status)
    assert client.get("/bills").status_code == status


def test_bodies_that_are_no_answer(serve):
    emulator, client = serve()
    right = client.get("/bills", max=2).content
    bodies = {}
    for kind in ("html", "empty", "not_json", "cut_json"):
        emulator.faults.plan(kind, **({"status": 200} if kind == "html" else {}))
        answer = client.get("/bills", max=2)
        assert answer.status_code == 200
        bodies[kind] = answer.content
    assert bodies["empty"] == b""
    assert bodies["html"].startswith(b"<html>")
    assert bodies["not_json"] == b"All is well."
    assert bodies["cut_json"] == right[: len(right) // 2]


@pytest.mark.parametrize("status", [503, 200, 400])
def test_a_body_may_hold_a_latin1_byte(serve, status):
    emulator, client = serve()
    right = client.get("/bills", max=2).content
    emulator.faults.plan("latin1", path="/v3/bills", status=status)
    answer = client.get("/bills", max=2)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    assert answer.content.count(b"\xe9") == 1
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()
    body = json.loads(answer.content.decode("latin-1"))
    if status == 200:
        assert answer.content.replace(b'"note":"Caf\xe9",', b"") == right
    else:
        assert body == [{"severity": "ERROR", "category": "SERVER", "message": "Café is closed."}]


@pytest.mark.parametrize(("options", "levels"), [({}, 20_000), ({"levels": 3}, 3)])
@pytest.mark.parametrize("status", [503, 200])
def test_a_body_may_be_deeply_nested(serve, status, options, levels):
    emulator, client = serve()
    emulator.faults.plan("deep", path="/v3/bills", status=status, **options)
    answer = client.get("/bills")
    nested = b"[" * levels + b"]" * levels
    expected = b'{"results":' + nested + b"}" if status == 200 else nested
    assert (answer.status_code, answer.content) == (status, expected)


def test_chance_draws_these_too(serve):
    _, client = serve(faults=Faults(rate=0.5, kinds=["latin1", "deep"]))
    seen = {client.get("/bills").content[:3] for _ in range(40)}
    assert seen == {b"[[[", b'[{"', b'{"r'}


def test_the_error_envelope_of_v2(serve):
    emulator, client = serve()
    emulator.faults.plan("v2_error_in_200", code="BDC_1109")
    body = client.get("/bills").json()
    assert (body["response_status"], body["response_data"]["error_code"]) == (1, "BDC_1109")


@pytest.mark.parametrize("kind", ["reset", "cut_connection"])
def test_a_connection_may_break(serve, kind):
    emulator, client = serve()
    emulator.faults.plan(kind)
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get("/bills")
    assert client.get("/bills").status_code == 200
    emulator.stop()  # a broken request is noted a moment after the client knows of it
    statuses = [request.status for request in emulator.requests if request.path.endswith("/bills")]
    assert sorted(statuses) == [0 if kind == "reset" else 200, 200]
    assert emulator.counters.in_flight == 0


@pytest.mark.parametrize("kind", ["hang", "stall"])
def test_an_answer_may_not_come(serve, kind):
    emulator, client = serve()
    emulator.faults.plan(kind)
    with pytest.raises((requests.exceptions.Timeout, requests.exceptions.ConnectionError)):
        client.http.get(f"{emulator.url}/v3/bills", timeout=0.2)
    assert client.get("/bills").status_code == 200


def test_a_session_that_is_ended_stays_so(serve):
    emulator, client = serve()
    emulator.faults.plan("session_ended")
    assert [code_of(client.get("/bills")) for _ in range(2)] == ["BDC_1109", "BDC_1109"]


def test_unknown_fields_leave_the_rest_as_it_was(serve):
    emulator, client = serve()
    right = client.get("/vendors").json()["results"]
    emulator.faults.plan("unknown_fields")
    more = client.get("/vendors").json()["results"]
    new = {"newField": "new", "newObject": {"inner": [1, "0.10"]}}
    assert more == [row | new for row in right]


# Which requests


def test_a_plan_waits_for_its_request(serve):
    emulator, client = serve()
    emulator.faults.plan("server_error", path="/v3/vendors", after=1, times=2)
    assert client.get("/bills").status_code == 200
    assert [client.get("/vendors").status_code for _ in range(4)] == [200, 503, 503, 200]


def test_a_plan_may_last_until_it_is_cleared(serve):
    emulator, client = serve()
    emulator.faults.plan("server_error", method="GET", times=None)
    assert [client.get("/bills").status_code for _ in range(3)] == [503] * 3
    emulator.faults.clear()
    assert client.get("/bills").status_code == 200


def test_one_path_may_fail_for_ever_and_no_other(serve):
    emulator, client = serve()
    emulator.faults.plan("server_error", path="/v3/bills", times=None, status=500)
    bill = emulator.company.ids("bills")[0]
    for _ in range(50):
        assert client.get("/bills").status_code == 500
        assert client.get("/vendors").status_code == 200
    assert client.get(f"/bills/{bill}").status_code == 200
    assert emulator.faults.counts == {"server_error": 50}


def test_a_path_may_stand_for_many(serve):
    emulator, client = serve()
    emulator.faults.plan("server_error", path="/v3/attachments/vendors/*", times=None)
    vendor, customer = emulator.company.ids("vendors")[0], emulator.company.ids("customers")[0]
    assert client.get(f"/attachments/vendors/{vendor}").status_code == 503
    assert client.get(f"/attachments/customers/{customer}").status_code == 200


@pytest.mark.parametrize(
    ("switches", "statuses"),
    [
        (["/v3/bills=server_error,status=500"], [500, 500, 500, 200]),
        (["/v3/bills=server_error", "/v3/vendors=latin1,status=502"], [503, 503, 503, 502]),
        (["/v3/bills=deep,after=1,times=1"], [200, 503, 200, 200]),
        (["/v3/bills=refused,status=422,times=forever"], [422, 422, 422, 200]),
        (["/v3/*s=forbidden"], [403, 403, 403, 403]),
    ],
)
def test_the_command_line_breaks_a_path(from_shell, switches, statuses):
    _, client = from_shell(*(word for value in switches for word in ("--break", value)))
    assert [client.get(path).status_code for path in ("/bills", "/bills", "/bills", "/vendors")] == statuses


def test_the_command_line_draws_a_kind_by_chance(from_shell):
    emulator, client = from_shell("--fault-rate", "1", "--fault", "latin1", "--fault", "deep", sign_in=False)
    assert {client.get("/bills").content[:3] for _ in range(40)} == {b"[[[", b'[{"'}
    assert emulator.faults.counts.keys() == {"latin1", "deep"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("bills=deep", "'bills' is not a path like /v3/bills"),
        ("/v3/bills=thunder", "unknown fault 'thunder'; known are server_error, "),
        ("/v3/bills", "unknown fault ''; known are server_error, "),
        ("/v3/bills=deep,stats=1", "'stats=1' is not one of status=..., "),
        ("/v3/bills=deep,status=bad", "'bad' is not a whole number"),
    ],
)
def test_a_wrong_switch_is_told_in_one_line(from_shell, capsys, value, message):
    with pytest.raises(SystemExit):
        from_shell("--break", value)
    assert capsys.readouterr().err.startswith(f"bill_emulator: argument --break: {message}")


def test_chance_follows_the_seed(serve):
    drawn = []
    for seed in (1, 1, 2):
        _, client = serve(faults=Faults(rate=0.3, kinds=["server_error"], seed=seed))
        drawn.append([client.get("/bills").status_code for _ in range(40)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert 3 < drawn[0].count(503) < 25


def test_chance_spares_the_sign_out_and_what_a_sign_in_cannot_survive(later):
    kinds = ["empty", "not_json"]
    with Emulator(company=Company(bills=5), faults=Faults(rate=1, kinds=kinds)) as emulator:
        client = Client(emulator).login()
        assert client.get("/bills").content in {b"", b"All is well."}
        assert client.post("/logout").status_code == 200


@pytest.mark.parametrize("options", [{"kinds": ["thunder"]}, {"rate": 2}])
def test_a_wrong_fault_is_named(options):
    with pytest.raises(ValueError, match=r"unknown fault thunder; known are|rate of faults"):
        Faults(**options)


def test_every_kind_says_what_it_is():
    assert all(kind.text for kind in KINDS.values())
    assert set(ANSWERS) <= set(KINDS)


def test_a_fault_may_be_ordered_from_outside(serve):
    emulator, client = serve()
    control = emulator.url.removesuffix("/connect") + "/control"
    order = {"do": "fault", "kind": "server_error", "path": "/v3/bills", "times": 2, "status": 500}
    assert requests.post(control, json=order, timeout=120).json()["faults"] == {}
    assert client.get("/bills").status_code == 500
    assert requests.post(control, json={"do": "clear_faults"}, timeout=120).json()["faults"] == {"server_error": 1}
    assert client.get("/bills").status_code == 200
    assert requests.post(control, json={"do": "fault", "kind": "thunder"}, timeout=120).status_code == 400


# Hours and sessions


def test_the_hour_of_a_key_is_used_up_until_the_clock_strikes():
    clock = Clock(NOW, frozen=True)
    with Emulator(company=Company(bills=5), clock=clock, hourly_limit=3, quota_status=422) as emulator:
        client = Client(emulator).login()
        answers = [client.get("/bills") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 422, 422]
        assert code_of(answers[-1]) == "BDC_1144"
        assert emulator.over_quota == 2
        clock.advance(9)
        assert client.get("/bills").status_code == 422
        clock.advance(1)
        assert client.get("/bills").status_code == 200


def test_sign_ins_have_a_limit_of_their_own():
    with Emulator(company=Company(bills=5), clock=Clock(NOW, frozen=True), login_limit=1) as emulator:
        client = Client(emulator).login()
        body = {**emulator.credentials}
        login = {"organizationId": body["organization_id"], "devKey": body["dev_key"], "username": "x", "password": "y"}
        assert code_of(requests.post(f"{emulator.url}/v3/login", json=login, timeout=120)) == "BDC_1144"
        assert client.get("/bills").status_code == 200


def test_a_session_may_end_after_so_many_requests():
    with Emulator(company=Company(bills=5), session_requests=2) as emulator:
        client = Client(emulator).login()
        assert [client.get("/bills").status_code for _ in range(3)] == [200, 200, 401]
        assert emulator.expired == 1


def test_a_session_may_end_after_so_many_seconds_however_busy():
    clock = Clock(NOW, frozen=True)
    with Emulator(company=Company(bills=5), clock=clock, session_seconds=60) as emulator:
        client = Client(emulator).login()
        clock.advance(59)
        assert client.get("/bills").status_code == 200
        clock.advance(1)
        assert client.get("/bills").status_code == 401


# Several organizations


def companies(count):
    return [Company(seed=n, bills=5, organization_id=f"00802ORGANIZATION{n:03}") for n in range(count)]


def sign_in(emulator, company, **credentials):
    known = {"username": "sync-token-demo", "password": "demo-token-value", "devKey": "01DEMODEVKEY0000EMULATOR"}
    body = {**known, "organizationId": company.organization_id, **credentials}
    body = {name: value for name, value in body.items() if value is not None}
    answer = requests.post(f"{emulator.url}/v3/login", json=body, timeout=120)
    return answer, {"sessionId": answer.json()["sessionId"], "devKey": body["devKey"]} if answer.ok else {}


def test_a_session_reads_its_own_organization():
    several = companies(3)
    with Emulator(companies=several, forbid_in={several[2].organization_id: ["vendors"]}) as emulator:
        for company in several:
            answer, headers = sign_in(emulator, company)
            assert answer.json()["organizationId"] == company.organization_id
            rows = requests.get(f"{emulator.url}/v3/bills", headers=headers, timeout=120).json()["results"]
            assert {row["id"] for row in rows} == whole(company)
            vendors = requests.get(f"{emulator.url}/v3/vendors", headers=headers, timeout=120)
            assert vendors.status_code == (403 if company is several[2] else 200)
            assert emulator.counters_of(company.organization_id).requests == 3
        assert {record.organization for record in emulator.requests} == {each.organization_id for each in several}


def test_an_organization_may_have_its_own_credentials():
    several = companies(2)
    own = {several[1].organization_id: Credentials("console", "", "01OTHERKEY", console_api_token="token")}
    with Emulator(companies=several, organization_credentials=own) as emulator:
        assert sign_in(emulator, several[0])[0].status_code == 200
        assert code_of(sign_in(emulator, several[1])[0]) == "BDC_1102"
        other = {"username": "console", "password": None, "devKey": "01OTHERKEY"}
        assert sign_in(emulator, several[1], consoleApiToken="token", **other)[0].status_code == 200
        assert code_of(sign_in(emulator, several[1], consoleApiToken="wrong", **other)[0]) == "BDC_1101"
        assert code_of(sign_in(emulator, several[0], password=None, consoleApiToken="")[0]) == "BDC_1101"


def test_a_fault_may_be_one_organizations():
    several = companies(2)
    with Emulator(companies=several) as emulator:
        emulator.faults.plan("server_error", organization=several[1].organization_id, times=None)
        assert [sign_in(emulator, company)[0].status_code for company in several] == [200, 503]


def test_an_organization_that_is_not_there_has_no_access():
    several = companies(2)
    with Emulator(companies=several) as emulator:
        other = Company(bills=0, organization_id="00802ORGANIZATION999")
        assert code_of(sign_in(emulator, other)[0]) == "BDC_1105"


def test_every_list_has_at_least_so_many_rows():
    company = Company(bills=5, at_least=20)
    totals = company.totals()
    assert totals.pop("organization") == 1
    assert min(totals.values()) == 20


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"companies": companies(1) * 2}, "organization_id of its own"),
        ({"companies": companies(1), "company": Company(bills=0)}, "not both"),
        ({"hourly_limit": -1}, "must not be negative"),
    ],
)
def test_a_wrong_option_is_told(options, words):
    with pytest.raises(ValueError, match=words):
        Emulator(**options)
