"""One sign-in per run, told plainly when it fails."""

from __future__ import annotations

import canned
import pytest
from layers import before_request
from ways import CREDENTIALS

from bill_emulator import Emulator


def paths(emulator):
    return [request.path.removeprefix("/connect") for request in emulator.requests]


def settings(sign_in, emulator, **more):
    return {**sign_in.credentials(emulator), "api_url": emulator.url, **more}


def test_one_login_first_and_one_logout_last(tap, emulator, sign_in):
    assert tap(settings(sign_in, emulator, max_requests_per_hour=1000)).exit_code == 0
    asked = paths(emulator)
    assert asked[: len(sign_in.first)] == sign_in.first
    assert asked[len(asked) - len(sign_in.last) :] == sign_in.last
    assert {path: asked.count(path) for path in ("/v3/login", "/v3/logout", "/authx/token", "/v3/login/session")} == {
        **dict.fromkeys(("/v3/login", "/v3/logout", "/authx/token", "/v3/login/session"), 0),
        **dict.fromkeys([*sign_in.first, *sign_in.last], 1),
    }
    assert {request.status for request in emulator.requests} == {200}
    for request in emulator.requests[1:]:
        assert request.headers & CREDENTIALS == sign_in.headers


def test_a_dead_session_is_renewed_once_and_the_request_repeated(tap, company, sign_in):
    layers = [before_request(3, lambda: sign_in.expire(emulator), "/v3/bills")]
    with Emulator(company=company, layers=layers) as emulator:
        run = tap(settings(sign_in, emulator, page_size=10), select={"bills"})
        asked = [(path, request.status) for path, request in zip(paths(emulator), emulator.requests, strict=True)]
    assert run.exit_code == 0
    assert asked == [
        *((path, 200) for path in sign_in.first),
        ("/v3/bills", 200),
        ("/v3/bills", 200),
        ("/v3/bills", 401),
        (sign_in.path, 200),
        ("/v3/bills", 200),
        *((path, 200) for path in sign_in.last),
    ]
    assert len(run.records["bills"]) == len(company.rows("bills")) == 25


AGAIN = {
    "session": (
        "bills: BILL refused GET /v3/bills for organization {organization} (HTTP 401, BDC_1109",
        "also right after a fresh sign-in; check that nothing else signs this user out.",
    ),
    "oauth": (
        (
            "BILL emulator ({url}) refused the OAuth token of organization {organization} right after it had issued it "
            "(HTTP 401, BDC_1109)."
        ),
        (
            "Check in BILL's web app that the developer app of client_id is active and that the user who made it still "
            "has access, then run again."
        ),
    ),
}


def test_a_session_that_dies_again_at_once_stops_the_run(tap, company, sign_in):
    layers = [before_request(n, lambda: sign_in.expire(emulator), "/v3/bills") for n in (1, 2)]
    with Emulator(company=company, layers=layers) as emulator:
        run = tap(settings(sign_in, emulator), select={"bills"})
        places = {"organization": emulator.credentials["organization_id"], "url": emulator.url}
    assert run.exit_code == 1
    (line,) = run.errors
    start, end = AGAIN[sign_in.name]
    assert line.startswith(start.format(**places))
    assert line.endswith(end)


WRONG = {
    "session": {
        "username": "BDC_1101: the user name or password is wrong. Check username and password",
        "password": "BDC_1101: the user name or password is wrong. Check username and password",
        "dev_key": "BDC_1102: the developer key is not valid here. Check dev_key: most often it belongs to",
    },
    "oauth": dict.fromkeys(
        ("client_id", "client_secret"),
        (
            "(HTTP 401, invalid_client): they are wrong, expired or revoked, or of the other environment (sandbox and "
            "production have separate ones). Check them at the developer app in BILL's web app, and check api_url."
        ),
    ),
}
REFUSED = {
    "session": "refused the sign-in to organization {} with",
    "oauth": "refused client_id and client_secret of organization {}",
}


@pytest.mark.parametrize("test", [(), ("--test",)], ids=["run", "test"])
def test_wrong_credentials_stop_at_once_with_one_sentence(tap, company, sign_in, test):
    for setting, advice in WRONG[sign_in.name].items():
        with Emulator(company=company) as emulator:
            run = tap(settings(sign_in, emulator) | {setting: "01WRONGVALUE"}, *test)
            assert paths(emulator) == [sign_in.path]
            url = emulator.url
        assert run.exit_code == 1
        (line,) = run.errors
        refused = REFUSED[sign_in.name].format(company.organization_id)
        assert line.startswith(f"BILL emulator ({url}) {refused} {advice}")
        assert "Traceback" not in run.stderr
        assert test or run.records == {}


SENT = {
    "session": [
        ({"password": "value"}, {"password": "value"}),
        ({"console_api_token": "console"}, {"consoleApiToken": "console"}),
        (
            {"password": "value", "remember_me_id": "remembered", "device": "server"},
            {"password": "value", "rememberMeId": "remembered", "device": "server"},
        ),
    ],
    "oauth": [({}, {"grant_type": "client_credentials", "client_id": "client", "client_secret": "secret"})],
}
COMMON = {
    "session": {"username": "token", "devKey": "01KEY", "organizationId": canned.ORGANIZATION},
    "oauth": {},
}
"""What every sign-in of one way sends."""


def test_what_a_sign_in_sends(tap, httpserver, sign_in):
    for more, fields in SENT[sign_in.name]:
        config = sign_in.serve(httpserver, {"/v3/roles": {"results": []}})
        config.pop("password", None)
        assert tap(config | more, select={"roles"}).exit_code == 0
        request, _ = httpserver.log[0]
        sent = request.get_json() if request.is_json else request.form.to_dict()
        assert sent == COMMON[sign_in.name] | fields
        assert request.query_string == b""
        assert not {name.lower() for name, _ in request.headers} & CREDENTIALS
        httpserver.clear_log()


STRANGE = {
    "session": [
        ({"userId": "006"}, "answered the sign-in without a sessionId; check api_url and any proxy."),
        (
            {"sessionId": "s", "organizationId": "00802OTHER"},
            (
                "opened organization 00802OTHER instead of 00801TAPBILLFIXTURE1; "
                "set organization_id to the organization that these credentials belong to."
            ),
        ),
    ],
    "oauth": [
        *(
            (
                answer,
                (
                    "answered the request for an OAuth token without an access_token that can be used; check api_url "
                    "and any proxy."
                ),
            )
            for answer in (
                {"token_type": "Bearer", "expires_in": 3600},
                {"access_token": "", "token_type": "Bearer"},
                {"access_token": 5, "token_type": "Bearer"},
                {"access_token": "a\nb", "token_type": "Bearer"},
                {"access_token": "Łódź", "token_type": "Bearer"},
                ["a"],
                "null",
            )
        ),
        *(
            (
                {"access_token": "t", "token_type": kind, "expires_in": 3600},
                (
                    "issued an OAuth token whose token_type is not bearer, and tap-bill knows no other; look for a "
                    "newer tap-bill."
                ),
            )
            for kind in ("mac", 5, ["Bearer"])
        ),
    ],
}


@pytest.mark.measured
def test_a_strange_answer_to_the_sign_in(tap, httpserver, sign_in):
    for answer, line in STRANGE[sign_in.name]:
        config = sign_in.serve(httpserver, {}, answer)
        run = tap(config | {"max_retries": 0})
        assert run.exit_code == 1
        assert run.errors == [f"BILL emulator ({config['api_url']}) {line}"], answer


@pytest.mark.measured
def test_a_redirect_is_refused(tap, httpserver, sign_in):
    config = sign_in.serve(httpserver, {})
    httpserver.clear()
    elsewhere = httpserver.url_for("/elsewhere")
    httpserver.expect_request(f"/connect{sign_in.path}").respond_with_data(status=307, headers={"Location": elsewhere})
    run = tap(config)
    assert run.exit_code == 1
    (line,) = run.errors
    assert f"answered POST {sign_in.path} with a redirect (HTTP 307) to localhost, which is refused" in line
    assert canned.asked(httpserver) == [sign_in.path]
