"""No secret and nothing that a record holds is ever written to where it does not belong, whatever goes wrong."""

from __future__ import annotations

import json

import pytest
from ways import OAUTH, SESSION

from bill_emulator import KINDS, Company, Credentials, Emulator

DEBUG = {"TAP_BILL_LOGLEVEL": "DEBUG"}
PASSWORD, DEV_KEY, CONSOLE, DEVICE = "recog-password", "01RECOGDEVKEY", "recog-console-token", "recog-device"
REMEMBER, SPEND = "recog-remember-me", "recog-spend-token"
CLIENT_SECRET = "recog-client-secret"
SECRETS = ("recog-", "01RECOG", "SESSION-", "sessionId", "TOKEN-", "Bearer", 'access_token":')
BODIES = ("Jane Roe", "98-7654321", "First Example", "Bad gateway", "All is well", "<html", '"results"')
"""What the emulator's broken answers contain and no log may repeat."""

ECHO = {"message": f"The key {DEV_KEY} with {PASSWORD} or {CONSOLE} or {REMEMBER} or {CLIENT_SECRET} is not known."}


UNHARMED = {
    (SESSION, "/v3/bills"): {"unknown_fields", "forbidden"},
    (SESSION, "/v3/login"): {"unknown_fields"},
    (SESSION, "/v3/spend/cards"): {"unknown_fields", "forbidden"},
    # It only checks the token, so a refusal that is not about that says nothing.
    (SESSION, "/v3/spend/users/current"): {"unknown_fields", "refused", "echo", "many_messages", "record_content"},
    # With OAuth the token is not checked that way, because it is that of everything else too.
    (OAUTH, "/v3/bills"): {"unknown_fields", "forbidden"},
    (OAUTH, "/authx/token"): {"unknown_fields"},
}
"""The faults that no organization fails of, by the path that they befall."""


def known(emulator, **more):
    return {**emulator.credentials, "api_url": emulator.url, "max_retries": 2, **more}


def organization(kind):
    return f"00802{kind.upper().replace('_', ''):0<15.15}"


def written(run):
    """Everything but what RECORD messages hold."""
    return run.stderr + "".join(line for line in run.stdout.splitlines() if not line.startswith('{"type":"RECORD"'))


def broken(way):
    """An organization with credentials of its own for every fault that the emulator knows, and what reads them."""
    several = {kind: Company(seed=7, organization_id=organization(kind), bills=2) for kind in (*KINDS, "echo")}
    credentials = {
        each.organization_id: Credentials(
            username=f"user-{kind}",
            password=f"{PASSWORD}-{kind}",
            dev_key=f"{DEV_KEY}{kind.upper()}",
            spend_api_token=f"{SPEND}-{kind}",
            client_id=f"app-{kind}",
            client_secret=f"{CLIENT_SECRET}-{kind}",
        )
        for kind, each in several.items()
    }
    fields = {
        SESSION: ("username", "password", "dev_key", "spend_api_token"),
        OAUTH: ("client_id", "client_secret"),
    }[way]
    own = [
        {"organization_id": id_} | {name: getattr(each, name) for name in fields} for id_, each in credentials.items()
    ]
    return several, credentials, own


def break_all(emulator, several, path):
    """Let every organization meet its fault, on this path."""
    for kind, each in several.items():
        plan, options = ("refused", ECHO) if kind == "echo" else (kind, {})
        emulator.faults.plan(plan, path=path, organization=each.organization_id, times=None, **options)


def told_nothing(run, several):
    """Whether no secret and no content of a record was written."""
    assert [line for line in run.stderr.splitlines() if any(secret in line for secret in SECRETS)] == []
    assert [line for line in run.stdout.splitlines() if any(secret in line for secret in SECRETS)] == []
    assert [line for line in written(run).splitlines() if any(part in line for part in BODIES)] == []
    names = {row.get(field) for each in several.values() for row in each.rows("vendors") for field in ("name", "email")}
    assert [name for name in names - {None} if name in written(run)] == []
    assert "Traceback" not in run.stderr
    return True


@pytest.mark.parametrize(("way", "path"), UNHARMED, ids=lambda value: getattr(value, "name", value))
def test_no_failure_tells_secrets_or_contents(tap, way, path):
    """Every fault that the emulator knows, each in an organization of its own with credentials of its own."""
    several, credentials, own = broken(way)
    with Emulator(companies=list(several.values()), organization_credentials=credentials) as emulator:
        break_all(emulator, several, path)
        # Two more tries: a good answer may take longer than a second on a busy machine.
        config = {"api_url": emulator.url, "organizations": own, "max_retries": 2, "request_timeout": 1}
        run = tap({**config, "rate_limit_max_wait": 0}, env=DEBUG, select={"bills", "spend_cards"})
        assert set(emulator.faults.counts) == set(KINDS)
    assert run.exit_code == 1
    told = "\n".join(run.errors)
    assert {kind for kind, each in several.items() if f"{each.organization_id}: " not in told} == UNHARMED[way, path]
    assert told_nothing(run, several)


@pytest.mark.measured
def test_no_report_on_a_broken_list_tells_secrets_or_contents(tap):
    several, credentials, own = broken(SESSION)
    with Emulator(companies=list(several.values()), organization_credentials=credentials) as emulator:
        break_all(emulator, several, "/v3/vendors")
        config = {"api_url": emulator.url, "organizations": own, "max_retries": 0, "request_timeout": 1}
        run = tap({**config, "rate_limit_max_wait": 0}, "--verify-api=json", env=DEBUG, select={"vendors"})
        assert set(emulator.faults.counts) == set(KINDS)
    assert run.exit_code == 1
    assert len(json.loads(run.stdout)["reports"]) == len(several)
    assert told_nothing(run, several)


@pytest.mark.parametrize("settings", [{"password": PASSWORD}, {"console_api_token": CONSOLE}])
@pytest.mark.parametrize("accepted", [True, False])
def test_no_way_to_sign_in_tells_secrets(tap, company, settings, accepted):
    settings = {"dev_key": DEV_KEY, **settings}
    credentials = Credentials(**(settings if accepted else {}))
    with Emulator(company=company, credentials=credentials) as emulator:
        config = known(emulator, remember_me_id=REMEMBER, device=DEVICE) | settings
        if "password" not in settings:
            del config["password"]
        runs = [
            tap(config, env=DEBUG),
            tap(config, "--test", env=DEBUG, select={"bills"}),
            tap(config, "--verify-api", env=DEBUG, select={"roles"}),
            tap(config, "--about", "--format=json", env=DEBUG),
            tap({**config, "page_size": 0}, env=DEBUG),
            tap({**config, "api_url": f"https://{PASSWORD}@elsewhere.example/{CONSOLE}"}, env=DEBUG),
            tap(None, "--config=ENV", env=DEBUG | {f"TAP_BILL_{name.upper()}": str(config[name]) for name in config}),
        ]
    worked = 0 if accepted else 1
    assert [run.exit_code for run in runs] == [worked, worked, worked, 0, 1, 1, worked]
    for run in runs:
        lines = [*run.stdout.splitlines(), *run.stderr.splitlines()]
        assert [line for line in lines if any(secret in line for secret in SECRETS)] == []


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("shape", ["rfc6749", "bill"])
def test_no_oauth_tells_secrets(tap, company, accepted, shape):
    credentials = Credentials(client_secret=CLIENT_SECRET if accepted else "another")
    with Emulator(
        company=company, credentials=credentials, token_errors=shape, token_requests=7, token_refusal="rfc6750"
    ) as emulator:
        own = {**emulator.oauth_credentials, "client_secret": CLIENT_SECRET}
        config = {**own, "api_url": emulator.url, "max_retries": 2}
        several = [own, {**own, "organization_id": "00802OTHER"}]
        runs = [
            tap(config, env=DEBUG),
            tap(config, "--test", env=DEBUG, select={"bills"}),
            tap(config, "--verify-api", env=DEBUG, select={"roles"}),
            tap(config, "--about", "--format=json", env=DEBUG),
            tap({**config, "page_size": 0}, env=DEBUG),
            tap({**config, "password": PASSWORD}, env=DEBUG),
            tap({"api_url": emulator.url, "organizations": several}, env=DEBUG),
            tap({**config, "client_secret": f"{CLIENT_SECRET} "[::-1] + " x"}, env=DEBUG),
            tap({**config, "api_url": f"https://{CLIENT_SECRET}@elsewhere.example/"}, env=DEBUG),
            tap(None, "--config=ENV", env=DEBUG | {f"TAP_BILL_{name.upper()}": str(config[name]) for name in config}),
        ]
        assert not accepted or emulator.tokens > 3
        sent = [f"{request.path}?{request.query}" for request in emulator.requests]
    worked = 0 if accepted else 1
    assert [run.exit_code for run in runs] == [worked, worked, worked, 0, 1, 1, 1, 1, 1, worked]
    for run in runs:
        lines = [*run.stdout.splitlines(), *run.stderr.splitlines()]
        assert [line for line in lines if any(secret in line for secret in (*SECRETS, CLIENT_SECRET[::-1]))] == []
    assert [line for line in sent if any(secret in line for secret in SECRETS)] == []
