"""Signing in, sessions, headers, paths and error bodies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests
from emulator_client import Client, code_of

from bill_emulator import Emulator


@pytest.fixture
def stranger(usual):
    client = Client(usual)
    yield client
    client.close()


def test_sign_in_answers_the_four_documented_fields(stranger, usual):
    answer = stranger.post("/login", json=stranger.credentials())
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"sessionId", "organizationId", "userId", "trusted"}
    assert body["organizationId"] == usual.credentials["organization_id"] == "00802DEMO0COMPANY001"
    assert body["userId"].startswith("006")
    assert len(body["userId"]) == 20
    assert body["trusted"] is False


def test_remember_me_and_device_make_a_trusted_session(stranger):
    body = stranger.post("/login", json=stranger.credentials(rememberMeId="r", device="d")).json()
    assert body["trusted"] is True


@pytest.mark.parametrize("name", ["username", "password", "organizationId", "devKey"])
def test_a_missing_field_is_named(stranger, name):
    answer = stranger.post("/login", json=stranger.credentials(**{name: None}))
    assert answer.status_code == 400
    assert answer.json() == [
        {"timestamp": "2026-07-01T12:30:15.000+00:00", "severity": "ERROR", "message": f"{name}: must not be null"}
    ]


def test_a_developer_key_in_the_header_counts_as_missing(stranger, usual):
    answer = stranger.post(
        "/login", json=stranger.credentials(devKey=None), headers={"devKey": usual.credentials["dev_key"]}
    )
    assert answer.status_code == 400
    assert answer.json()[0]["message"] == "devKey: must not be null"


def test_every_missing_field_is_named(stranger):
    answer = stranger.post("/login", json={})
    assert [problem["message"].partition(":")[0] for problem in answer.json()] == [
        "username",
        "password",
        "organizationId",
        "devKey",
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"username=a&password=b", "the body is not JSON"),
        (b"", "the body is not JSON"),
        (b"[1]", "the body is not a JSON object"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(stranger, body, message):
    answer = stranger.post("/login", data=body)
    assert (answer.status_code, answer.json()[0]["message"]) == (400, message)


def test_a_number_is_no_password(stranger):
    answer = stranger.post("/login", json=stranger.credentials(password=5))
    assert (answer.status_code, answer.json()[0]["message"]) == (400, "password: must be text")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"username": "somebody"}, (401, "BDC_1101")),
        ({"password": "wrong"}, (401, "BDC_1101")),
        ({"devKey": "wrong"}, (401, "BDC_1102")),
        ({"devKey": "wrong", "password": "wrong"}, (401, "BDC_1102")),
        ({"organizationId": "00802OTHER0000000001"}, (403, "BDC_1105")),
    ],
)
def test_wrong_credentials(stranger, usual, changes, expected):
    before = usual.logins
    assert code_of(stranger.post("/login", json=stranger.credentials(**changes))) == expected
    assert usual.logins == before


def test_sign_ins_are_counted(serve):
    emulator, client = serve(bills=0)
    client.login()
    client.post("/login", json=client.credentials(password="wrong"))
    assert emulator.logins == 2


def test_the_session_can_be_looked_at(reader, usual):
    assert reader.ok("/login/session") == {
        "organizationId": usual.credentials["organization_id"],
        "userId": reader.post("/login", json=reader.credentials()).json()["userId"],
        "mfaStatus": "DISABLED",
        "mfaBypass": True,
    }


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"sessionId": None}, (401, "BDC_1109")),
        ({"sessionId": "nonsense"}, (401, "BDC_1109")),
        ({"devKey": None}, (401, "BDC_1102")),
        ({"devKey": "nonsense"}, (401, "BDC_1102")),
        ({"sessionId": None, "devKey": None}, (401, "BDC_1109")),
    ],
)
@pytest.mark.parametrize("path", ["/bills", "/bill-approvals/policies", "/bills/x", "/login/session"])
def test_every_call_needs_session_and_key(reader, path, headers, expected):
    assert code_of(reader.get(path, headers=headers)) == expected


def test_signing_out_ends_the_session(serve):
    _, client = serve(bills=0)
    answer = client.post("/logout")
    assert (answer.status_code, answer.content) == (200, b"")
    assert code_of(client.get("/bills")) == (401, "BDC_1109")
    assert code_of(client.post("/logout")) == (401, "BDC_1109")


def test_a_session_ends_after_35_idle_minutes_and_every_use_prolongs_it(serve):
    emulator, client = serve(bills=0)
    for _ in range(3):
        emulator.clock.advance(35 * 60 - 1)
        assert client.get("/bills").status_code == 200
    emulator.clock.advance(35 * 60 - 1)
    assert code_of(client.get("/bills", headers={"devKey": "wrong"})) == (401, "BDC_1102")  # no use
    emulator.clock.advance(1)
    assert code_of(client.get("/bills")) == (401, "BDC_1109")
    client.login()
    assert client.get("/bills").status_code == 200


def test_all_sessions_can_be_ended_at_once(serve):
    emulator, client = serve(bills=0)
    emulator.expire_sessions()
    assert code_of(client.get("/bills")) == (401, "BDC_1109")


@pytest.mark.parametrize("path", ["/vendor", "/session", "/v3/bills", "/bills/", "/bills/a/b", "/spend/cards/a/b"])
def test_an_unknown_path_is_no_api(stranger, path):
    assert code_of(stranger.get(path)) == (404, "BDC_1121")


@pytest.mark.parametrize("path", ["/bills", "/users"])
def test_reading_is_all_there_is(reader, path):
    assert code_of(reader.post(path, json={})) == (404, "BDC_1121")


def test_login_is_no_page_to_get(stranger):
    assert code_of(stranger.get("/login")) == (404, "BDC_1121")


@pytest.mark.parametrize("path", ["/", "/v3/bills", "/connect", "/connect/v2/bills"])
def test_outside_the_api_the_gateway_answers_one_object(usual, path):
    answer = requests.get(usual.url.removesuffix("/connect") + path, timeout=120)
    assert answer.status_code == 404
    assert set(answer.json()) == {"message"}


def test_the_date_header_is_the_emulators_clock(serve):
    emulator, client = serve(bills=0)
    for path, status in (("/bills", 200), ("/nothing", 404), ("/bills?max=0", 400)):
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.raw.headers.getlist("Date") == ["Wed, 01 Jul 2026 12:30:15 GMT"]
        assert answer.headers["Content-Type"] == "application/json"
    emulator.clock.set(datetime(2030, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC))
    client.login()
    assert client.get("/bills").headers["Date"] == "Thu, 31 Jan 2030 23:59:59 GMT"


def test_an_error_carries_the_emulators_time(reader):
    (problem,) = reader.get("/bills/00n02NOTHING").json()
    assert problem == {
        "timestamp": "2026-07-01T12:30:15.000+00:00",
        "code": "BDC_1205",
        "severity": "ERROR",
        "category": "APPLICATION",
        "message": "The record does not exist.",
    }


def test_only_an_administrator_reads_the_organization(serve):
    emulator, client = serve(bills=0, role="AUDITOR")
    path = f"/organizations/{emulator.credentials['organization_id']}"
    assert code_of(client.get(path)) == (403, "BDC_1302")
    assert client.get(path + "/payment-terms").status_code == 200
    user = client.ok("/login/session")["userId"]
    assert client.ok(f"/users/{user}")["role"]["type"] == "AUDITOR"


def test_resources_can_be_forbidden(serve):
    _, client = serve(bills=0, forbid={"payments", "users"})
    assert code_of(client.get("/payments")) == (403, "BDC_1302")
    assert code_of(client.get("/users/x")) == (403, "BDC_1302")
    assert client.get("/bills").status_code == 200


def test_another_organization_does_not_exist(reader):
    assert code_of(reader.get("/organizations/00802OTHER0000000001")) == (404, "BDC_1205")
    assert code_of(reader.get("/organizations/00802OTHER0000000001/payment-terms")) == (404, "BDC_1205")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"role": "KING"}, "unknown role KING"),
        ({"forbid": ["castles"]}, "unknown resource castles"),
        ({"cursor": "random"}, "cursor must be one of offset, keyset"),
        ({"quirks": ["sings"]}, "unknown quirk sings"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        Emulator(**options)


def test_requests_are_noted_without_secrets(serve):
    emulator, client = serve(bills=0)
    client.get("/bills", max=5, filters='id:in:"a,b"', empty="")
    client.get("/nothing")
    login, bills, nothing = emulator.requests
    assert (login.method, login.path, login.status, login.query) == ("POST", "/connect/v3/login", 200, {})
    assert (bills.method, bills.path, bills.status) == ("GET", "/connect/v3/bills", 200)
    assert bills.query == {"max": "5", "filters": 'id:in:"a,b"', "empty": ""}
    assert {"sessionid", "devkey", "accept"} <= bills.headers
    assert nothing.status == 404
    credentials = emulator.credentials
    assert {login.organization, bills.organization} == {credentials.pop("organization_id")}
    secrets = [*credentials.values(), client.http.headers["sessionId"]]
    assert not [secret for secret in secrets if secret in repr(emulator.requests)]


def test_starting_and_stopping_twice_does_no_harm():
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url
    with emulator, emulator.start():
        assert requests.get(emulator.url + "/v3/bills", timeout=120).status_code == 401
    emulator.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url


def test_a_layer_sees_requests_first_and_its_answer_is_dated(serve):
    def closed(inner):
        async def layer(scope, receive, send):
            if not scope["path"].endswith("/bills"):
                return await inner(scope, receive, send)
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b"<html>later</html>"})
            return None

        return layer

    emulator, client = serve(bills=0, layers=[closed])
    answer = client.get("/bills")
    assert (answer.status_code, answer.text) == (503, "<html>later</html>")
    assert answer.headers["Date"] == "Wed, 01 Jul 2026 12:30:15 GMT"
    assert emulator.requests[-1].status == 503
    assert client.get("/vendors").status_code == 200
