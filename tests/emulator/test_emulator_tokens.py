"""OAuth client credentials: asking for an access token, and reading with it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from emulator_client import code_of

from bill_emulator import Company, Credentials, Emulator, Faults

CONNECT, HOST = "/connect/authx/token", "/authx/token"
NOT_ISSUED = "The client id or the client secret is wrong."
ENDED = [{"error": "invalid_token", "error_description": "The access token has expired or is not valid."}]


def ask(emulator, path=CONNECT, headers=None, **changes):
    """Ask for a token with the right form, but for these changes."""
    known = emulator.oauth_credentials
    form = {"grant_type": "client_credentials", **{name: known[name] for name in ("client_id", "client_secret")}}
    form = {name: value for name, value in (form | changes).items() if value is not None}
    return requests.post(emulator.url.removesuffix("/connect") + path, data=form, headers=headers, timeout=10)


def token(emulator, **changes):
    answer = ask(emulator, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def get(emulator, path, access_token, **headers):
    headers = {"Authorization": f"Bearer {access_token}", **headers}
    return requests.get(f"{emulator.url}/v3{path}", headers=headers, timeout=10)


def statuses(emulator, access_token, paths):
    return [get(emulator, path, access_token).status_code for path in paths]


@pytest.mark.parametrize("scope", ["accounting", "full"])
def test_a_form_with_the_apps_credentials_gets_a_token(serve, scope):
    emulator, _ = serve(bills=0, token_scope=scope)
    assert emulator.oauth_credentials == {
        "client_id": "demo-client-id",
        "client_secret": "demo-client-secret",
        "organization_id": "00802DEMO0COMPANY001",
    }
    first, second = ask(emulator), ask(emulator)
    body = first.json()
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-store")
    assert body.pop("access_token") != second.json()["access_token"]
    assert body == {"token_type": "Bearer", "expires_in": 3600, "scope": scope}
    assert (emulator.tokens, emulator.logins) == (2, 1)


@pytest.mark.parametrize(
    ("expires_in", "shown"),
    [
        ("right", {"expires_in": 90}),
        ("missing", {}),
        ("text", {"expires_in": "soon"}),
        ("digits", {"expires_in": "90"}),
        ("zero", {"expires_in": 0}),
        ("negative", {"expires_in": -90}),
    ],
)
def test_what_the_answer_says_about_the_life_of_a_token(serve, expires_in, shown):
    emulator, _ = serve(bills=0, token_seconds=90, token_expires_in=expires_in)
    body = ask(emulator).json()
    access_token = body.pop("access_token")
    assert body == {"token_type": "Bearer", "scope": "accounting", **shown}
    emulator.clock.advance(89)
    assert statuses(emulator, access_token, ["/bills", "/spend/cards"]) == [200, 200]
    emulator.clock.advance(1)
    assert statuses(emulator, access_token, ["/bills", "/spend/cards"]) == [401, 401]


def test_a_token_reads_what_a_session_and_an_api_token_read(serve):
    emulator, client = serve(bills=30)
    access_token = token(emulator)
    organization = emulator.oauth_credentials["organization_id"]
    bill = emulator.company.ids("bills")[0]
    for path in ("/bills?max=7", f"/bills/{bill}", "/invoices", f"/organizations/{organization}", "/login/session"):
        answer = get(emulator, path, access_token)
        assert (answer.status_code, answer.text) == (200, client.get(path).text)
    cards = requests.get(f"{emulator.url}/v3/spend/cards", headers={"apiToken": "demo-spend-token"}, timeout=10)
    assert (cards.status_code, cards.text) == (200, get(emulator, "/spend/cards", access_token).text)
    assert get(emulator, "/login/session", access_token).json()["organizationId"] == organization
    assert get(emulator, "/bills", access_token, Authorization=f"bearer {access_token}").status_code == 200


def test_a_token_has_the_role_of_a_user_and_what_is_that_users_own(serve):
    emulator, client = serve(bills=0, role="AUDITOR", forbid={"payments", "cards"})
    access_token = token(emulator)
    organization = emulator.oauth_credentials["organization_id"]
    for path in ("/payments", "/spend/cards", f"/organizations/{organization}"):
        assert code_of(get(emulator, path, access_token)) == (403, "BDC_1302")
    assert code_of(client.get("/bill-approvals/pending-user-approvals")) == (403, "BDC_1302")
    assert get(emulator, "/bill-approvals/pending-user-approvals", access_token).status_code == 200
    assert code_of(get(emulator, "/nothing", access_token)) == (404, "BDC_1121")


@pytest.mark.parametrize(
    ("place", "connect", "host"), [("connect", 200, 404), ("host", 404, 200), ("nowhere", 404, 404)]
)
def test_tokens_are_issued_at_one_place_or_nowhere(serve, place, connect, host):
    emulator, _ = serve(bills=0, token_place=place)
    answers = {CONNECT: ask(emulator), HOST: ask(emulator, HOST)}
    assert [answer.status_code for answer in answers.values()] == [connect, host]
    if connect == 404:
        assert code_of(answers[CONNECT]) == (404, "BDC_1121")
    if host == 404:
        assert set(answers[HOST].json()) == {"message"}
    organization = emulator.oauth_credentials["organization_id"]
    assert [record.organization for record in emulator.requests[1:]] == [organization] * 2


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_only_a_post_gets_a_token(usual, method):
    answer = requests.request(method, usual.url + "/authx/token", data={"grant_type": "client_credentials"}, timeout=10)
    assert code_of(answer) == (404, "BDC_1121")


JSON = {"Content-Type": "application/json"}
REFUSED = [
    ({"client_secret": "wrong"}, 401, "invalid_client", NOT_ISSUED),
    ({"client_id": "wrong"}, 401, "invalid_client", NOT_ISSUED),
    ({"client_secret": None}, 401, "invalid_client", NOT_ISSUED),
    ({"grant_type": "password"}, 400, "unsupported_grant_type", "grant_type: must be client_credentials"),
    ({"grant_type": None}, 400, "invalid_request", "grant_type: must not be missing"),
    ({"client_id": ["demo-client-id"] * 2}, 400, "invalid_request", "client_id: must come once"),
    ({"headers": JSON}, 400, "invalid_request", "the body must be application/x-www-form-urlencoded"),
]


@pytest.mark.parametrize(("changes", "status", "error", "text"), REFUSED)
def test_no_token_in_the_shape_of_rfc_6749(usual, changes, status, error, text):
    before = usual.tokens
    answer = ask(usual, **changes)
    assert (answer.status_code, answer.json()) == (status, {"error": error, "error_description": text})
    assert usual.tokens == before


def test_no_token_in_bills_shape(serve):
    emulator, _ = serve(bills=0, token_errors="bill")
    for changes, status, error, text in REFUSED:
        answer = ask(emulator, **changes)
        if error == "invalid_client":
            assert code_of(answer) == (status, "BDC_1101")
        else:
            assert answer.status_code == status
            time = "2026-07-01T12:30:15.000+00:00"
            assert answer.json() == [{"timestamp": time, "severity": "ERROR", "message": text}]


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-Urlencoded"]
)
def test_a_form_is_a_form(usual, content_type):
    assert ask(usual, headers={"Content-Type": content_type}).status_code == 200


def test_without_an_app_there_is_no_token():
    with Emulator(company=Company(bills=0), credentials=Credentials(client_id="", client_secret="")) as emulator:
        answer = ask(emulator)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("path", ["/bills", "/bills/x", "/login/session", "/spend/cards", "/spend/users/current"])
@pytest.mark.parametrize("name", ["sessionId", "devKey", "apiToken"])
def test_no_other_credential_goes_with_a_token(usual, reader, path, name):
    right = {**reader.http.headers, "apiToken": "demo-spend-token"}
    answer = get(usual, path, token(usual), **{name: right[name]})
    assert answer.status_code == 400
    (problem,) = answer.json()
    assert problem["message"] == f"{name}: must not be sent along with Authorization"


@pytest.mark.parametrize("path", ["/bills", "/spend/cards", "/login/session"])
def test_an_unknown_token_is_refused(usual, path):
    assert code_of(get(usual, path, "TOKEN-nonsense")) == (401, "BDC_1109")
    assert code_of(get(usual, path, "")) == (401, "BDC_1109")


def test_a_token_ends_when_its_time_is_up_however_busy(serve):
    emulator, _ = serve(bills=0)
    access_token = token(emulator)
    for _ in range(2):
        emulator.clock.advance(1799)
        assert get(emulator, "/bills", access_token).status_code == 200
    emulator.clock.advance(2)
    assert code_of(get(emulator, "/bills", access_token)) == (401, "BDC_1109")
    assert get(emulator, "/bills", token(emulator)).status_code == 200


def test_a_token_ends_after_so_many_requests_of_any_kind(serve):
    emulator, _ = serve(bills=0, token_requests=2)
    access_token = token(emulator)
    assert statuses(emulator, access_token, ["/bills", "/spend/cards", "/bills"]) == [200, 200, 401]
    assert statuses(emulator, token(emulator), ["/bills"]) == [200]


def test_a_token_that_ended_may_be_refused_as_in_rfc_6750(serve):
    emulator, _ = serve(bills=0, token_refusal="rfc6750")
    access_token = token(emulator)
    emulator.revoke_tokens()
    for path in ("/bills", "/spend/cards", "/login/session"):
        answer = get(emulator, path, access_token)
        assert (answer.status_code, [answer.json()]) == (401, ENDED)
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_tokens_and_sessions_do_not_end_each_other(serve):
    emulator, client = serve(bills=0)
    one, two = token(emulator), token(emulator)
    signed_out = requests.post(emulator.url + "/v3/logout", headers={"Authorization": f"Bearer {one}"}, timeout=10)
    assert (signed_out.status_code, signed_out.content) == (200, b"")
    assert code_of(get(emulator, "/bills", one)) == (401, "BDC_1109")
    assert (client.get("/bills").status_code, get(emulator, "/bills", two).status_code) == (200, 200)
    emulator.revoke_tokens()
    assert (client.get("/bills").status_code, get(emulator, "/bills", two).status_code) == (200, 401)
    three = token(emulator)
    emulator.expire_sessions()
    assert (client.get("/bills").status_code, get(emulator, "/bills", three).status_code) == (401, 200)


def test_a_deleted_app_gets_no_token_any_more(serve):
    emulator, _ = serve(bills=0)
    access_token = token(emulator)
    emulator.refuse_clients()
    answer = ask(emulator)
    assert (answer.status_code, answer.json()["error"], emulator.tokens) == (401, "invalid_client", 1)
    assert get(emulator, "/bills", access_token).status_code == 200


@pytest.mark.parametrize(("secret", "status"), [("consoleApiToken", 403), ("password", 400)])
def test_a_token_cannot_sign_in(serve, secret, status):
    emulator, client = serve(bills=0)
    body = client.credentials(**{"password": None, secret: "demo-token-value"})
    headers = {"Authorization": f"Bearer {token(emulator)}"}
    answer = requests.post(emulator.url + "/v3/login", json=body, headers=headers, timeout=10)
    assert (answer.status_code, emulator.logins) == (status, 1)


def test_control_tells_of_tokens_and_ends_them(serve):
    emulator, _ = serve(bills=0)
    url = emulator.url.removesuffix("/connect") + "/control"
    access_token = token(emulator)
    assert requests.get(url, timeout=10).json()["tokens"] == 1
    assert requests.post(url, json={"do": "revoke_tokens"}, timeout=10).json()["tokens"] == 1
    assert code_of(get(emulator, "/bills", access_token)) == (401, "BDC_1109")


def test_requests_with_a_token_are_noted_without_secrets(serve):
    emulator, _ = serve(bills=0)
    access_token = token(emulator)
    get(emulator, "/bills", access_token)
    get(emulator, "/spend/cards", access_token)
    asked, bills, cards = emulator.requests[1:]
    assert (asked.method, asked.path, asked.status, asked.query) == ("POST", CONNECT, 200, {})
    assert (bills.path, cards.path) == ("/connect/v3/bills", "/connect/v3/spend/cards")
    assert "authorization" in bills.headers & cards.headers
    assert {record.organization for record in emulator.requests} == {"00802DEMO0COMPANY001"}
    secret = emulator.oauth_credentials["client_secret"]
    assert not [text for text in (secret, access_token) if text in repr(emulator.requests)]
    assert secret not in repr(Credentials())


# Several organizations


def test_a_token_opens_its_own_organization():
    several = [Company(seed=n, bills=5, organization_id=f"00802ORGANIZATION{n:03}") for n in range(3)]
    ids = [company.organization_id for company in several]
    own = {ids[n]: Credentials(client_id=f"client-{n}", client_secret=f"secret-{n}") for n in range(3)}
    with Emulator(companies=several, organization_credentials=own) as emulator:
        assert emulator.oauth_credentials == {
            "client_id": "client-0",
            "client_secret": "secret-0",
            "organization_id": ids[0],
        }
        for n, company in enumerate(several):
            access_token = token(emulator, client_id=f"client-{n}", client_secret=f"secret-{n}")
            rows = get(emulator, "/bills?max=100", access_token).json()["results"]
            assert {row["id"] for row in rows} == set(company.ids("bills"))
            assert get(emulator, "/login/session", access_token).json()["organizationId"] == ids[n]
            cards = get(emulator, "/spend/cards", access_token).json()["results"]
            assert [row["id"] for row in cards] == company.spend.ids("cards")[::-1]
            other = get(emulator, f"/organizations/{ids[n - 1]}", access_token)
            assert code_of(other) == (404, "BDC_1205")
            assert emulator.counters_of(ids[n]).requests == 5
        assert [record.organization for record in emulator.requests] == [each for each in ids for _ in range(5)]
        mixed = ask(emulator, client_id="client-1", client_secret="secret-0")
        assert (mixed.status_code, emulator.requests[-1].organization) == (401, ids[1])
        assert emulator.tokens == 3
        emulator.revoke_tokens()
        assert get(emulator, "/bills", access_token).status_code == 401
        assert emulator.requests[-1].organization == ids[2]


def test_of_organizations_with_the_same_client_id_the_first_is_meant():
    several = [Company(seed=n, bills=0, organization_id=f"00802ORGANIZATION{n:03}") for n in range(2)]
    with Emulator(companies=several) as emulator:
        organization = get(emulator, "/login/session", token(emulator)).json()["organizationId"]
        assert organization == emulator.oauth_credentials["organization_id"] == several[0].organization_id


# Limits


def test_three_requests_at_once_per_app_and_three_per_developer_key(serve):
    go, held = threading.Event(), threading.Semaphore(0)

    def brake(application):
        async def braking(scope, receive, send):
            if scope["path"] == "/connect/v3/bills":
                held.release()
                await asyncio.to_thread(go.wait, 20)
            await application(scope, receive, send)

        return braking

    emulator, client = serve(bills=0, layers=[brake])
    access_token = token(emulator)
    headers = {name: client.http.headers[name] for name in ("sessionId", "devKey")}
    try:
        with ThreadPoolExecutor(4) as crowd:
            slow = [crowd.submit(get, emulator, "/bills", access_token) for _ in range(3)]
            for _ in slow:
                assert held.acquire(timeout=20)
            assert code_of(get(emulator, "/vendors", access_token)) == (429, "BDC_1322")
            assert code_of(get(emulator, "/spend/cards", access_token)) == (429, "BDC_1322")
            assert code_of(ask(emulator)) == (429, "BDC_1322")
            vendors = requests.get(f"{emulator.url}/v3/vendors", headers=headers, timeout=10)
            assert vendors.status_code == 200
            go.set()
            assert [future.result().status_code for future in slow] == [200] * 3
    finally:
        go.set()
    assert get(emulator, "/vendors", access_token).status_code == 200


def test_an_hour_of_an_app_is_its_own(serve):
    emulator, client = serve(bills=0, hourly_limit=4)
    one, two = token(emulator), token(emulator)
    assert statuses(emulator, one, ["/bills", "/spend/cards"]) == [200, 200]
    for access_token in (one, two):
        assert code_of(get(emulator, "/bills", access_token)) == (429, "BDC_1144")
    assert client.get("/bills").status_code == 200
    assert emulator.over_quota == 2
    emulator.clock.advance(1800)
    assert get(emulator, "/bills", one).status_code == 200


def test_asking_for_a_token_is_a_sign_in_of_the_hour(serve):
    emulator, client = serve(bills=0, login_limit=2)
    access_token = token(emulator)
    ask(emulator, HOST)
    assert ask(emulator, client_secret="wrong").status_code == 401
    assert code_of(ask(emulator)) == (429, "BDC_1144")
    assert get(emulator, "/bills", access_token).status_code == 200
    client.login()


def test_sixty_a_minute_of_spend_and_expense_per_app(serve):
    emulator, _ = serve(bills=0, spend_limit=3)
    one, two = token(emulator), token(emulator)
    assert statuses(emulator, one, ["/spend/cards"] * 2) == [200] * 2
    assert statuses(emulator, two, ["/spend/cards"] * 2) == [200, 429]
    assert (emulator.spend.refused, get(emulator, "/bills", one).status_code) == (1, 200)
    cards = requests.get(f"{emulator.url}/v3/spend/cards", headers={"apiToken": "demo-spend-token"}, timeout=10)
    assert cards.status_code == 200
    emulator.clock.advance(60)
    assert statuses(emulator, one, ["/spend/cards"]) == [200]


# Faults


def test_broken_answers_to_the_request_for_a_token(serve):
    emulator, _ = serve(bills=0)
    emulator.faults.plan("html", path="/authx/token", status=502)
    emulator.faults.plan("server_error", path="/authx/token", status=503)
    assert [ask(emulator).status_code for _ in range(3)] == [502, 503, 200]
    assert emulator.tokens == 1


@pytest.mark.parametrize(("kind", "status"), [("not_json", 200), ("server_error", 503)])
def test_by_chance_a_sign_in_is_only_broken_as_it_can_be_survived(kind, status):
    with Emulator(company=Company(bills=0), faults=Faults(rate=1, kinds=[kind])) as emulator:
        answer = ask(emulator)
        assert answer.status_code == status
        assert ("access_token" in answer.text) is (status == 200)


def test_a_fault_may_end_a_token(serve):
    emulator, _ = serve(bills=0)
    one, two = token(emulator), token(emulator)
    emulator.faults.plan("session_ended", path="/v3/bills")
    assert [get(emulator, "/bills", each).status_code for each in (one, one, two)] == [401, 401, 200]


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token_place": "moon"}, "token_place must be one of connect, host, nowhere"),
        ({"token_expires_in": "x"}, "token_expires_in must be one of right, missing, text, digits, zero, negative"),
        ({"token_errors": "x"}, "token_errors must be one of rfc6749, bill"),
        ({"token_scope": "x"}, "token_scope must be one of accounting, full"),
        ({"token_refusal": "x"}, "token_refusal must be one of bill, rfc6750"),
        ({"token_seconds": 0}, "token_seconds must be more than 0"),
        ({"token_requests": -1}, "token_requests must not be negative"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Emulator(**options)


def test_the_command_line_sets_all_of_it(from_shell):
    credentials = ["--client-id", "me", "--client-secret", "mine"]
    shapes = ["--token-expires-in", "digits", "--token-errors", "bill", "--token-refusal", "rfc6750"]
    rest = ["--token-place", "host", "--token-seconds", "60", "--token-requests", "1", "--token-scope", "full"]
    broken = ["--break", "/authx/token=server_error,times=1,after=2"]
    emulator, _ = from_shell(*credentials, *shapes, *rest, *broken, sign_in=False)
    assert emulator.oauth_credentials["client_id"] == "me"
    answer = ask(emulator, HOST, client_id="me", client_secret="mine").json()
    access_token = answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": "60", "scope": "full"}
    assert code_of(ask(emulator, HOST, client_secret="wrong")) == (401, "BDC_1101")
    assert ask(emulator, HOST).status_code == 503
    assert get(emulator, "/bills", access_token).status_code == 200
    assert [get(emulator, "/bills", access_token).json()] == ENDED
