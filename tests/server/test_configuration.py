"""Every mistake in the settings is reported in one line, before anything is sent."""

from __future__ import annotations

import json

import pytest
from runs import settings

from bill_emulator import Credentials, Emulator
from tap_bill.settings import SETTINGS
from tap_bill.tap import TapBill

CREDENTIALS = {
    "username": "sync-token",
    "password": "s3cret-value",
    "dev_key": "01SECRETKEY",
    "organization_id": "00801ABCDEFGHIJKLMNO",
}
NOWHERE = {**CREDENTIALS, "api_url": "http://127.0.0.1:9/connect", "max_retries": 0}
API_URLS = (
    "https://gateway.prod.bill.com/connect (production), https://gateway.stage.bill.com/connect (sandbox), "
    "or a loopback URL such as http://127.0.0.1:8787/connect"
)
MISSING = {
    "username": "username is missing; set it to the name of a sync token, or a user's e-mail address",
    "password": "password is missing; set it to the value of the sync token, or the user's password",
    "dev_key": "dev_key is missing; set it to a developer key as BILL shows it: ASCII without spaces",
    "organization_id": (
        "organization_id is missing; set it to an organization ID: letters and digits, beginning with 008"
    ),
}


def refused(run):
    """The error lines of a run that sent and wrote nothing."""
    assert run.exit_code == 1
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    return run.errors


def test_no_configuration_names_every_missing_setting(tap):
    assert refused(tap(None)) == list(MISSING.values())


def test_half_a_configuration_names_the_missing_half(tap):
    half = {"username": "sync-token", "dev_key": "01SECRETKEY"}
    assert refused(tap(half)) == [MISSING["password"], MISSING["organization_id"]]


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("page_size", 0, "page_size is 0; allowed: a whole number from 1 to 100"),
        ("page_size", 101, "page_size is 101; allowed: a whole number from 1 to 100"),
        ("page_size", "many", "page_size is 'many'; allowed: a whole number from 1 to 100"),
        ("page_size", True, "page_size is True; allowed: a whole number from 1 to 100"),
        ("max_concurrency", 0, "max_concurrency is 0; allowed: a whole number from 1 to 3"),
        ("max_concurrency", 4, "max_concurrency is 4; allowed: a whole number from 1 to 3"),
        ("lookback_seconds", -1, "lookback_seconds is -1; allowed: a whole number of seconds, 0 or more"),
        ("max_retries", -1, "max_retries is -1; allowed: a whole number, 0 or more"),
        ("rate_limit_max_wait", -1, "rate_limit_max_wait is -1; allowed: a whole number of seconds, 0 or more"),
        ("max_requests_per_hour", 0, "max_requests_per_hour is 0; allowed: a whole number, 1 or more"),
        ("max_organizations_in_parallel", 0, "max_organizations_in_parallel is 0; allowed: a whole number, 1 or more"),
        ("console_api_token", "01TOKEN", "console_api_token is set as well as password; set only one of them"),
        (
            "organizations",
            [{"organization_id": "00801A"}],
            "organizations is set as well as organization_id; set only one of them",
        ),
        (
            "remember_me_id",
            "x",
            (
                "device is missing: remember_me_id needs it; "
                "set it to the device name that was given with remember_me_id"
            ),
        ),
        (
            "device",
            "x",
            (
                "remember_me_id is missing: device needs it; "
                "set it to the rememberMeId from BILL's answer to an MFA challenge"
            ),
        ),
        ("request_timeout", 0, "request_timeout is 0; allowed: a whole number of seconds, 1 or more"),
        (
            "start_date",
            "yesterday",
            "start_date is 'yesterday'; allowed: a date or time such as 2026-01-31 or 2026-01-31T00:00:00Z",
        ),
        ("username", "  ", MISSING["username"]),
        ("password", 5, "password is not valid; allowed: the value of the sync token, or the user's password"),
        (
            "dev_key",
            "01 \u00e9",
            "dev_key is not valid; allowed: a developer key as BILL shows it: ASCII without spaces",
        ),
        (
            "organization_id",
            "01SECRETKEY",
            "organization_id is not valid; allowed: an organization ID: letters and digits, beginning with 008",
        ),
        ("user_agent", "a\nb", "user_agent is not valid; allowed: printable ASCII text on one line"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(tap, setting, value, line):
    assert refused(tap({**NOWHERE, setting: value})) == [line]


@pytest.mark.parametrize(
    "url",
    [
        "https://bill.example.com/connect",
        "https://gateway.prod.bill.com",
        "http://gateway.prod.bill.com/connect",
        "http://192.168.1.5:8787/connect",
        "http://127.0.0.1.example.com/connect",
        "http://localhost@example.com/connect",
        "http://127.0.0.1:80@example.com/connect",
        "http://127.0.0.1:80\\@example.com/connect",
        "http://localhost#@example.com/",
        "ftp://127.0.0.1/connect",
        "not a url",
    ],
)
def test_credentials_go_to_no_other_host(tap, url):
    assert refused(tap({**CREDENTIALS, "api_url": url})) == [f"api_url is not valid; allowed: {API_URLS}"]


LIST = 'a list such as [{"organization_id": "008..."}, {"organization_id": "008...", "dev_key": "..."}]'
OWN = (
    "organization_id, client_id, client_secret, username, password, console_api_token, dev_key, remember_me_id, "
    "device, spend_api_token"
)


@pytest.mark.measured(throughout=True)
@pytest.mark.parametrize(
    ("organizations", "lines"),
    [
        ([], [f"organizations is not valid; allowed: {LIST}"]),
        ("00801A", [f"organizations is not valid; allowed: {LIST}"]),
        ([{"dev_key": "k"}], [f"organizations[0] has no organization_id; allowed: {LIST}"]),
        (
            [{"organization_id": "s3cret"}],
            [
                (
                    "organizations[0].organization_id is not valid; "
                    "allowed: an organization ID: letters and digits, beginning with 008"
                )
            ],
        ),
        (
            [{"organization_id": "00801A", "s3cret": 1}],
            [f"organizations[0] has a setting that organizations cannot have; allowed: {OWN}"],
        ),
        ([{"organization_id": "00801A"}] * 2, ["organizations has 00801A more than once"]),
        (
            [{"organization_id": "00801A"}, {"organization_id": "00801B", "device": "x", "console_api_token": "t"}],
            [
                (
                    "remember_me_id is missing for organization 00801B: device needs it; "
                    "set it to the rememberMeId from BILL's answer to an MFA challenge"
                )
            ],
        ),
    ],
)
def test_mistakes_in_a_list_of_organizations(tap, organizations, lines):
    common = {name: value for name, value in NOWHERE.items() if name != "organization_id"}
    assert refused(tap({**common, "organizations": organizations})) == lines


def test_organizations_need_what_the_top_level_lacks(tap):
    run = tap({"username": "me", "organizations": [{"organization_id": "00801A", "password": "p"}]})
    assert refused(run) == [MISSING["dev_key"].replace(" is missing", " is missing for organization 00801A")]


APP = {"client_id": "client", "client_secret": "s3cret-value"}
ONE_WAY = "OAuth needs no other credentials: set one way only"
BOTH = "client_id and client_secret are set as well as {}; " + ONE_WAY


@pytest.mark.measured
@pytest.mark.parametrize(
    ("oauth", "others", "line"),
    [
        (APP, ["username", "password", "dev_key"], BOTH.format("username, password, dev_key")),
        (APP, ["password"], BOTH.format("password")),
        (APP, ["dev_key"], BOTH.format("dev_key")),
        (APP, ["console_api_token"], BOTH.format("console_api_token")),
        (APP, ["password", "console_api_token"], BOTH.format("password, console_api_token")),
        (APP, ["spend_api_token"], BOTH.format("spend_api_token")),
        (APP, ["remember_me_id", "device"], BOTH.format("remember_me_id, device")),
        (APP, ["device"], BOTH.format("device")),
        ({"client_secret": "s3cret-value"}, ["password"], f"client_secret is set as well as password; {ONE_WAY}"),
        (
            {"client_id": "client"},
            ["username", "password", "dev_key"],
            f"client_id is set as well as username, password, dev_key; {ONE_WAY}",
        ),
        (
            {"client_id": "client"},
            [],
            (
                "client_secret is missing: client_id needs it; set it to the client secret of the same developer app: "
                "ASCII without spaces"
            ),
        ),
        (
            {"client_secret": "s3cret-value"},
            [],
            (
                "client_id is missing: client_secret needs it; set it to the client ID of a developer app: ASCII "
                "without spaces"
            ),
        ),
        (
            {**APP, "client_secret": "s3cret value"},
            [],
            ("client_secret is not valid; allowed: the client secret of the same developer app: ASCII without spaces"),
        ),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_one_way_to_sign_in_at_a_time(tap, oauth, others, line, several):
    own = {"organization_id": "00801A", **oauth, **dict.fromkeys(others, "s3cret-value")}
    config = {"api_url": NOWHERE["api_url"], **({"organizations": [own]} if several else own)}
    if several and "is not valid" in line:
        line = f"organizations[0].{line}"
    elif several:
        place = line.find(": ") if " is missing: " in line else line.find(";")
        line = f"{line[:place]} for organization 00801A{line[place:]}"
    run = tap(config)
    assert refused(run) == [line]
    assert "s3cret" not in run.stderr


def test_oauth_needs_an_organization(tap):
    assert refused(tap({**APP, "api_url": NOWHERE["api_url"]})) == [MISSING["organization_id"]]


@pytest.mark.measured
@pytest.mark.parametrize(
    ("top", "organizations", "line"),
    [
        (
            APP,
            [{"organization_id": "00801A", "username": "u", "password": "p", "dev_key": "k"}],
            (
                "client_id and client_secret are set as well as organizations; set both in the organization that they "
                "belong to"
            ),
        ),
        (
            {"client_secret": "s3cret-value"},
            [{"organization_id": "00801A", "client_id": "client"}],
            "client_secret is set as well as organizations; set both in the organization that they belong to",
        ),
        (
            {},
            [{"organization_id": name, **APP} for name in ("00801A", "00801B")],
            "organizations has the same client_id more than once; a developer app belongs to one organization",
        ),
        (
            {name: CREDENTIALS[name] for name in ("username", "password", "dev_key")},
            [{"organization_id": "00801A"}, {"organization_id": "00801B", **APP, "spend_api_token": "t"}],
            (
                "client_id and client_secret are set as well as spend_api_token for organization 00801B; OAuth needs "
                "no other credentials: set one way only"
            ),
        ),
    ],
)
def test_oauth_belongs_to_one_organization(tap, top, organizations, line):
    run = tap({**top, "api_url": NOWHERE["api_url"], "organizations": organizations})
    assert refused(run) == [line]
    assert "s3cret" not in run.stderr


@pytest.mark.measured
def test_several_mistakes_take_a_line_each_in_the_order_of_the_readme(tap):
    wrong = {**NOWHERE, "page_size": 0, "start_date": "yesterday", "password": ""}
    assert [line.split()[0] for line in refused(tap(wrong))] == ["password", "start_date", "page_size"]


@pytest.mark.measured
def test_a_config_file_that_is_not_json(tap, tmp_path):
    (line,) = refused(tap("username: me"))
    assert line == f"The config file {tmp_path}/config.json is not JSON: Expecting value: line 1 column 1 (char 0)."


@pytest.mark.measured
def test_a_config_file_that_is_not_an_object(tap, tmp_path):
    assert refused(tap([1])) == [f"The config file {tmp_path}/config.json must hold a JSON object with the settings."]


@pytest.mark.measured
def test_a_config_file_that_is_not_there(tap):
    assert refused(tap(None, "--config", "nowhere.json")) == [
        "Cannot read the config file nowhere.json: No such file or directory."
    ]


@pytest.mark.measured
def test_every_setting_may_come_from_the_environment(tap, config, tmp_path):
    settings = {name: setting.schema["default"] for name, setting in SETTINGS.items() if "default" in setting.schema}
    settings |= {"start_date": "2026-01-01", "max_requests_per_hour": 1000, "user_agent": "someone/1.0"}
    settings |= {"full_reread_days": 0.5, "summary_file": str(tmp_path / "summary.json")}
    settings |= {"remember_me_id": "remembered", "device": "server", "spend_api_token": "token", **config}
    assert SETTINGS.keys() - settings.keys() == {
        *("organizations", "console_api_token", "client_id", "client_secret")  # instead of others
    }
    variables = {f"TAP_BILL_{name.upper()}": str(value) for name, value in settings.items()}
    run = tap(None, "--config", "ENV", env=variables, select={"roles"})
    assert (run.exit_code, run.errors) == (0, [])
    assert run.records["roles"]


@pytest.mark.measured
def test_an_environment_variable_that_is_not_a_number(tap):
    run = tap(NOWHERE, "--config", "ENV", env={"TAP_BILL_PAGE_SIZE": "many"})
    assert refused(run) == [
        "The environment variable TAP_BILL_PAGE_SIZE cannot be read; allowed: a whole number from 1 to 100"
    ]


def test_every_environment_variable_that_cannot_be_read_is_named_without_its_value(tap):
    wrong = {"TAP_BILL_MAX_RETRIES": "1.5", "TAP_BILL_ORGANIZATIONS": "s3cret", "TAP_BILL_STREAM_MAPS": "s3cret"}
    run = tap(NOWHERE, "--config", "ENV", env=wrong)
    assert sorted(line.partition(" cannot be read; allowed: ")[0] for line in refused(run)) == [
        f"The environment variable {name}" for name in wrong
    ]
    assert "s3cret" not in run.stderr


@pytest.mark.parametrize("way", ["environment", "file"])
def test_what_is_blank_counts_as_not_set(tap, config, way):
    blank = dict.fromkeys(SETTINGS.keys() - config.keys() - {"console_api_token", "remember_me_id"}, " ")
    blank |= {"console_api_token": "", "remember_me_id": "\n"}
    if way == "environment":
        variables = {f"TAP_BILL_{name.upper()}": value for name, value in blank.items()}
        variables |= {"TAP_BILL_STREAM_MAPS": "", "TAP_BILL_FLATTENING_MAX_DEPTH": ""}
        run = tap(config, "--config", "ENV", env=variables, select={"roles"})
    else:
        run = tap(config | blank, select={"roles"})
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert run.records["roles"]


@pytest.mark.measured
def test_a_blank_password_of_an_organization_is_not_another_ones(tap):
    common = {name: value for name, value in NOWHERE.items() if name != "organization_id"}
    run = tap({**common, "organizations": [{"organization_id": "00801A", "password": ""}]})
    assert refused(run) == [
        "organizations[0].password is empty; allowed: the value of the sync token, or the user's password"
    ]


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ({"bookmarks": {"repositories": {"since": "2026-01-01"}}}, "bookmark of 'repositories' was not written"),
        ({"bookmarks": {"invoices": {"replication_key_value": "x"}}}, "bookmark of 'invoices' was not written"),
        ({"bookmarks": {"bills": {"partitions": [{"context": {"repo": "x"}}]}}}, "bookmark of 'bills' was not written"),
        (
            {
                "bookmarks": {
                    "bills": {
                        "partitions": [{"context": {"organizationId": "008"}, "replication_key_value": "yesterday"}]
                    }
                }
            },
            "bookmark of 'bills' was not written",
        ),
        ({"last_run": "2026-01-01"}, "has no bookmarks of tap-bill"),
    ],
)
def test_a_state_of_another_tap(tap, state, line):
    (told,) = refused(tap(NOWHERE, state=state))
    assert line in told
    assert told.endswith("Pass the last state that tap-bill wrote for this pipeline, or none to read everything again.")


@pytest.mark.measured
@pytest.mark.parametrize("option", ["state", "catalog"])
def test_a_file_that_is_not_a_json_object(tap, option):
    (line,) = refused(tap(NOWHERE, **{option: "{"}))
    assert line.startswith(f"The file given with --{option} is not JSON: ")
    assert refused(tap(NOWHERE, **{option: "[]"})) == [f"The file given with --{option} must hold a JSON object."]


def test_a_server_that_is_not_running(tap):
    (line,) = refused(tap(NOWHERE))
    assert line == (
        "sign-in: No answer from BILL emulator (http://127.0.0.1:9/connect) to POST /v3/login: "
        "the connection failed; check that the host is up and reachable from here."
    )


def test_a_catalog_without_our_streams(tap):
    (line,) = refused(tap(NOWHERE, catalog={"streams": []}))
    assert line == ("No stream is selected that can be read. Select some in the catalog (with Meltano: `select`).")


@pytest.mark.measured
def test_a_stream_map_that_cannot_be_read(tap):
    wrong = {**NOWHERE, "stream_maps": {"bills": {"x": "nonsense("}}}
    assert refused(tap(wrong)) == ["stream_maps is not valid: Failed to parse expression nonsense(."]


@pytest.mark.measured
def test_an_unknown_setting_is_named_and_goes_no_further(tap):
    wrong = {**NOWHERE, "pagesize": 5, "batch_size_rows": 1, "add_record_metadata": True}
    assert tap(wrong).warnings == [
        "Unknown setting add_record_metadata has no effect.",
        "Unknown setting batch_size_rows has no effect.",
        "Unknown setting pagesize; did you mean page_size?",
    ]
    assert not TapBill(config=dict(wrong)).config.keys() & {"pagesize", "batch_size_rows", "add_record_metadata"}


def test_a_misspelt_setting_is_named_together_with_the_one_that_is_missing(tap):
    wrong = {**NOWHERE, "devkey": "01SECRETKEY"}
    del wrong["dev_key"]
    run = tap(wrong)
    assert refused(run) == [MISSING["dev_key"]]
    assert run.warnings == ["Unknown setting devkey; did you mean dev_key?"]


@pytest.mark.parametrize("several", [False, True])
def test_what_the_sdk_cannot_do_safely_is_refused(tap, several):
    batch = {"encoding": {"format": "jsonl"}, "storage": {"root": "file:///tmp"}}
    wrong = {**NOWHERE, "batch_config": batch, "emit_activate_version_messages": True, "page_size": 0}
    if several:
        wrong["organizations"] = [{"organization_id": wrong.pop("organization_id")}]
    assert refused(tap(wrong)) == [
        "page_size is 0; allowed: a whole number from 1 to 100",
        (
            "batch_config cannot be used: the state would be written before the rows, and a run that is stopped in "
            "between would lose them; remove it"
        ),
        (
            "emit_activate_version_messages cannot be used: the target would delete what it has before all is read, "
            "and rows of other organizations too; remove it"
        ),
    ]


def test_what_is_switched_off_is_not_refused(tap, config):
    run = tap({**config, "batch_config": None, "emit_activate_version_messages": False}, select={"roles"})
    assert (run.exit_code, run.errors, run.warnings) == (0, [], [])
    assert {message["type"] for message in run.messages} == {"SCHEMA", "RECORD", "STATE"}


@pytest.mark.measured
def test_a_wrong_setting_of_the_sdk_is_told_without_its_value(tap):
    wrong = {
        "stream_maps": ["s3cret"],
        "stream_map_config": "s3cret",
        "faker_config": {"locale": 5},
        "flattening_enabled": "yes",
        "flattening_max_depth": 0,
        "flattening_max_key_length": "long",
        "flattening_separator": 5,
    }
    run = tap({**NOWHERE, **wrong})
    assert sorted(refused(run)) == [
        "faker_config.locale is not valid; allowed: an object with seed or locale",
        "flattening_enabled is not valid; allowed: true or false",
        "flattening_max_depth is not valid; allowed: a whole number, 1 or more",
        "flattening_max_key_length is not valid; allowed: a whole number, 1 or more",
        "flattening_separator is not valid; allowed: text such as __",
        "stream_map_config is not valid; allowed: an object; expressions find it as config",
        (
            "stream_maps is not valid; allowed: for each stream null, or an object with an expression or null for each "
            "column; see https://sdk.meltano.com/en/latest/stream_maps.html"
        ),
    ]
    assert "s3cret" not in run.stderr


@pytest.mark.parametrize("way", ["file", "organizations", "environment"])
def test_a_password_reaches_bill_as_it_is(tap, company, way):
    """Spaces may belong to it; the end of a line comes from a file that it was kept in."""
    secret = " \u200b pass word\t "
    with Emulator(company=company, credentials=Credentials(password=secret)) as emulator:
        assert tap(settings(emulator, password=secret.strip()), select={"roles"}).exit_code == 1
        for ending in ("", "\n", "\r\n"):
            config, more = settings(emulator, password=secret + ending), {}
            if way == "organizations":
                own = {name: config.pop(name) for name in ("organization_id", "password")}
                config["organizations"] = [{**own, "dev_key": None, "device": None}]
            if way == "environment":
                more = {"env": {"TAP_BILL_PASSWORD": config.pop("password")}}
            run = tap(config, *(["--config", "ENV"] if more else []), select={"roles"}, **more)
            assert (run.exit_code, run.errors) == (0, []), repr(ending)
            if way != "file":
                break


@pytest.mark.parametrize("ending", ["/", "/v3", "/v3/", "//"])
def test_endings_of_the_url_and_space_around_credentials_do_not_matter(tap, emulator, ending):
    padded = {name: f" {value}\n" for name, value in emulator.credentials.items()}
    padded["password"] = padded["password"][1:]  # what stands before it may belong to it
    run = tap({**padded, "api_url": f" {emulator.url}{ending}"}, select={"roles"})
    assert run.exit_code == 0
    assert len(run.records["roles"]) == len(emulator.company.rows("roles"))


@pytest.mark.measured
def test_discover_and_about_need_no_configuration(tap):
    discovered = tap(None, "--discover")
    assert (discovered.exit_code, len(json.loads(discovered.stdout)["streams"])) == (0, 75)
    about = tap(None, "--about", "--format=json")
    assert about.exit_code == 0
    assert "Spend & Expense" in json.loads(about.stdout)["description"]
    settings = json.loads(about.stdout)["settings"]["properties"]
    for name in [*CREDENTIALS, "api_url", "start_date", "page_size", "lookback_seconds", "request_timeout"]:
        assert settings[name]["title"]
        assert settings[name]["description"]
    assert [name for name, spec in settings.items() if spec.get("secret")] == [
        *("client_secret", "password", "console_api_token", "dev_key", "organizations", "remember_me_id"),
        "spend_api_token",
    ]


@pytest.mark.measured
@pytest.mark.parametrize(
    ("older", "today"),
    [
        ("https://api.bill.com", "https://gateway.prod.bill.com/connect"),
        ("https://gateway.sandbox.bill.com/connect/", "https://gateway.stage.bill.com/connect"),
    ],
)
def test_an_older_spelling_of_a_host_leads_to_todays(tap, older, today):
    # The proxy keeps the attempt on this machine.
    run = tap({**NOWHERE, "api_url": older}, env={"HTTPS_PROXY": "http://127.0.0.1:9"})
    assert run.exit_code == 1
    assert run.warnings == [
        f"api_url {older.rstrip('/')} is an older spelling; reading from {today}, BILL's host today."
    ]
    (line,) = run.errors
    assert today in line
    assert "proxy" in line
