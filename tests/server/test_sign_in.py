"""One sign-in per run, told plainly when it fails."""

from __future__ import annotations

import canned
import pytest
from layers import before_request

from bill_emulator import Emulator


def paths(emulator):
    return [request.path.removeprefix("/connect") for request in emulator.requests]


def test_one_login_first_and_one_logout_last(tap, config, emulator):
    assert tap(config).exit_code == 0
    asked = paths(emulator)
    assert asked[0] == "/v3/login"
    assert asked[-1] == "/v3/logout"
    assert asked.count("/v3/login") == asked.count("/v3/logout") == 1
    assert {request.status for request in emulator.requests} == {200}


def test_a_dead_session_is_renewed_once_and_the_request_repeated(tap, company):
    layers = [before_request(4, lambda: emulator.expire_sessions())]  # noqa: PLW0108 - not there yet
    with Emulator(company=company, layers=layers) as emulator:
        run = tap({**emulator.credentials, "api_url": emulator.url, "page_size": 10}, select={"bills"})
        asked = [(path, request.status) for path, request in zip(paths(emulator), emulator.requests, strict=True)]
    assert run.exit_code == 0
    assert asked == [
        ("/v3/login", 200),
        ("/v3/bills", 200),
        ("/v3/bills", 200),
        ("/v3/bills", 401),
        ("/v3/login", 200),
        ("/v3/bills", 200),
        ("/v3/logout", 200),
    ]
    assert len(run.records["bills"]) == len(company.rows("bills")) == 25


def test_a_session_that_dies_again_at_once_stops_the_run(tap, company):
    layers = [before_request(n, lambda: emulator.expire_sessions()) for n in (2, 4)]  # noqa: PLW0108 - not there yet
    with Emulator(company=company, layers=layers) as emulator:
        run = tap({**emulator.credentials, "api_url": emulator.url}, select={"bills"})
        organization = emulator.credentials["organization_id"]
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.startswith(f"bills: BILL refused GET /v3/bills for organization {organization} (HTTP 401, BDC_1109")
    assert line.endswith("also right after a fresh sign-in; check that nothing else signs this user out.")


@pytest.mark.parametrize(
    ("setting", "code", "advice"),
    [
        ("username", "BDC_1101", "the user name or password is wrong. Check username and password"),
        ("password", "BDC_1101", "the user name or password is wrong. Check username and password"),
        ("dev_key", "BDC_1102", "the developer key is not valid here. Check dev_key: most often it belongs to"),
    ],
)
def test_wrong_credentials_stop_at_once_with_one_sentence(tap, config, emulator, setting, code, advice):
    run = tap({**config, setting: "01WRONGVALUE"})
    assert run.exit_code == 1
    (line,) = run.errors
    assert line.startswith(
        f"BILL emulator ({emulator.url}) refused the sign-in to organization {config['organization_id']} "
        f"with {code}: {advice}"
    )
    assert paths(emulator) == ["/v3/login"]
    assert run.records == {}
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"password": "value"}, {"password": "value"}),
        ({"console_api_token": "console"}, {"consoleApiToken": "console"}),
        (
            {"password": "value", "remember_me_id": "remembered", "device": "server"},
            {"password": "value", "rememberMeId": "remembered", "device": "server"},
        ),
    ],
)
def test_what_a_sign_in_sends(tap, httpserver, settings, fields):
    config = canned.serve(httpserver, {"/v3/roles": {"results": []}})
    del config["password"]
    assert tap(config | settings, select={"roles"}).exit_code == 0
    login, _ = httpserver.log[0]
    common = {"username": "token", "devKey": "01KEY", "organizationId": canned.ORGANIZATION}
    assert login.get_json() == common | fields


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ({"userId": "006"}, "answered the sign-in without a sessionId; check api_url and any proxy."),
        (
            {"sessionId": "s", "organizationId": "00802OTHER"},
            (
                "opened organization 00802OTHER instead of 00801TAPBILLFIXTURE1; "
                "set organization_id to the organization that these credentials belong to."
            ),
        ),
    ],
)
def test_a_strange_answer_to_the_sign_in(tap, httpserver, answer, line):
    config = canned.serve(httpserver, {}, login=answer)
    run = tap(config)
    assert run.exit_code == 1
    assert run.errors == [f"BILL emulator ({config['api_url']}) {line}"]


def test_a_redirect_is_refused(tap, httpserver):
    config = canned.serve(httpserver, {})
    httpserver.clear()
    elsewhere = httpserver.url_for("/elsewhere")
    httpserver.expect_request("/connect/v3/login").respond_with_data(status=307, headers={"Location": elsewhere})
    run = tap(config)
    assert run.exit_code == 1
    (line,) = run.errors
    assert "answered POST /v3/login with a redirect (HTTP 307) to localhost, which is refused" in line
    assert canned.asked(httpserver) == ["/v3/login"]
