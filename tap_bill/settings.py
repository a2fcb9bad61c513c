"""The settings: what each is, as a table; then what a configuration must be: tidied, checked, one per organization."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import typing as t
from collections import Counter
from datetime import UTC, datetime

from jsonschema import Draft202012Validator, FormatChecker
from singer_sdk.configuration._dict_config import parse_environment_config

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError

PRODUCTION: t.Final = "https://gateway.prod.bill.com/connect"
SANDBOX: t.Final = "https://gateway.stage.bill.com/connect"

OLDER_SPELLINGS: t.Final[dict[str, str]] = {
    "https://api.bill.com": PRODUCTION,
    "https://gateway.sandbox.bill.com/connect": SANDBOX,
}
"""Hosts that older texts name, and the host that BILL documents for the same environment today."""

LOOPBACK: t.Final = r"^https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?$"

_ENVIRONMENTS: t.Final[dict[str, str]] = {PRODUCTION: "production", SANDBOX: "sandbox"}


class Setting(t.NamedTuple):
    """One setting.

    Args:
        schema: its JSON Schema, as `--about` shows it.
        allowed: what a user may write, in words.
    """

    schema: dict[str, t.Any]
    allowed: str


_SECRET: t.Final[dict[str, t.Any]] = {"type": "string", "minLength": 1, "secret": True, "writeOnly": True}


SETTINGS: t.Final[dict[str, Setting]] = {
    "client_id": Setting(
        {
            "type": "string",
            "pattern": r"^[\x21-\x7e]+$",
            "title": "OAuth client ID",
            "description": (
                "With client_secret, the way that BILL recommends: the client ID of a developer app with the scope "
                "Accounting data access. It reads everything, Spend & Expense too, so that no other credential is "
                "needed."
            ),
        },
        "the client ID of a developer app: ASCII without spaces",
    ),
    "client_secret": Setting(
        {
            **_SECRET,
            "pattern": r"^[\x21-\x7e]+$",
            "title": "OAuth client secret",
            "description": "The client secret of the developer app named in client_id.",
        },
        "the client secret of the same developer app: ASCII without spaces",
    ),
    "username": Setting(
        {
            "type": "string",
            "minLength": 1,
            "title": "User name or sync token name",
            "description": (
                "Best: the name of an AP & AR sync token, which cannot move money and needs no MFA. "
                "Else the e-mail address of a BILL user."
            ),
        },
        "the name of a sync token, or a user's e-mail address",
    ),
    "password": Setting(
        {
            **_SECRET,
            "title": "Password or sync token value",
            "description": "The value of the AP & AR sync token named in username; else that user's password.",
        },
        "the value of the sync token, or the user's password",
    ),
    "console_api_token": Setting(
        {
            **_SECRET,
            "title": "Console API token",
            "description": (
                "For accountants, in place of password: a token of the BILL Accountant Console, which signs in to the "
                "organizations of clients; username is then the e-mail address of the Console user."
            ),
        },
        "a Console API token, in place of password",
    ),
    "dev_key": Setting(
        {
            **_SECRET,
            "pattern": r"^[\x21-\x7e]+$",
            "title": "Developer key",
            "description": "A developer key of the environment in api_url; sandbox and production have separate keys.",
        },
        "a developer key as BILL shows it: ASCII without spaces",
    ),
    "organization_id": Setting(
        {
            "type": "string",
            "pattern": "^008[0-9A-Za-z]+$",
            "title": "Organization ID",
            "description": "The organization (company) to read; begins with 008. It is organizationId in every row.",
        },
        "an organization ID: letters and digits, beginning with 008",
    ),
    "organizations": Setting(
        {
            "type": "array",
            "minItems": 1,
            "secret": True,
            "items": {"type": "object"},
            "title": "Organizations",
            "description": (
                "To read several organizations in one run, in place of organization_id: a list of objects with "
                "organization_id and, where they differ, username, password, console_api_token, dev_key, "
                "remember_me_id and device; what an object leaves out is taken from the settings of the same name. "
                "client_id, client_secret and spend_api_token belong in the objects, because each company has its "
                "own. An object with client_id and client_secret takes none of the other credentials from the top."
            ),
        },
        'a list such as [{"organization_id": "008..."}, {"organization_id": "008...", "dev_key": "..."}]',
    ),
    "remember_me_id": Setting(
        {
            **_SECRET,
            "title": "MFA ID",
            "description": (
                "With device, makes a session that BILL trusts: the rememberMeId of a validated MFA challenge, good "
                "for 30 days. It is not needed for reading."
            ),
        },
        "the rememberMeId from BILL's answer to an MFA challenge",
    ),
    "device": Setting(
        {
            "type": "string",
            "minLength": 1,
            "title": "MFA device",
            "description": "The device name that belongs to remember_me_id.",
        },
        "the device name that was given with remember_me_id",
    ),
    "spend_api_token": Setting(
        {
            **_SECRET,
            "pattern": r"^[\x21-\x7e]+$",
            "title": "Spend & Expense API token",
            "description": (
                "Reads Spend & Expense, which has no sign-in. Where only Spend & Expense is wanted, it takes the place "
                "of username, password, dev_key and organization_id. Not needed with client_id and client_secret."
            ),
        },
        "an API token that an administrator of Spend & Expense made: ASCII without spaces",
    ),
    "api_url": Setting(
        {
            "type": "string",
            "default": PRODUCTION,
            "anyOf": [  # with types: the SDK looks for them where it reads TAP_BILL_API_URL
                {"type": "string", "enum": [PRODUCTION, SANDBOX, *OLDER_SPELLINGS]},
                {"type": "string", "pattern": LOOPBACK},
            ],
            "title": "API URL",
            "description": (
                f"BILL's production gateway, or {SANDBOX} for the sandbox, or a loopback URL for the bundled emulator. "
                "Credentials are never sent to another host."
            ),
        },
        f"{PRODUCTION} (production), {SANDBOX} (sandbox), or a loopback URL such as http://127.0.0.1:8787/connect",
    ),
    "start_date": Setting(
        {
            "type": "string",
            "format": "date-time",
            "title": "Start date",
            "description": (
                "The first read takes rows changed at or after this time (a time without zone is UTC). "
                "Leave it out to read everything."
            ),
        },
        "a date or time such as 2026-01-31 or 2026-01-31T00:00:00Z",
    ),
    "page_size": Setting(
        {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 100,
            "title": "Page size",
            "description": "Rows per request; BILL allows 1 to 100, and 50 for card transactions.",
        },
        "a whole number from 1 to 100",
    ),
    "lookback_seconds": Setting(
        {
            "type": "integer",
            "minimum": 0,
            "default": 300,
            "title": "Lookback",
            "description": (
                "How far before the bookmark each incremental read begins, in seconds, "
                "to catch changes that BILL stored late."
            ),
        },
        "a whole number of seconds, 0 or more",
    ),
    "full_reread_days": Setting(
        {
            "type": "number",
            "exclusiveMinimum": 0,
            "title": "Days between whole reads",
            "description": (
                "Read a stream from beginning to end again when its last such read is older than this many days. "
                "Off when left out."
            ),
        },
        "a number above 0, such as 7 or 0.5",
    ),
    "max_concurrency": Setting(
        {
            "type": "integer",
            "minimum": 1,
            "maximum": 3,
            "default": 3,
            "title": "Requests at once",
            "description": (
                "BILL allows 3 at once per developer key and organization; "
                "fewer leave room for other programs on the same key."
            ),
        },
        "a whole number from 1 to 3",
    ),
    "max_organizations_in_parallel": Setting(
        {
            "type": "integer",
            "minimum": 1,
            "default": 4,
            "title": "Organizations at once",
            "description": "How many of organizations are read at the same time, each with max_concurrency requests.",
        },
        "a whole number, 1 or more",
    ),
    "max_requests_per_hour": Setting(
        {
            "type": "integer",
            "minimum": 1,
            "title": "Requests an hour",
            "description": (
                "How many of the developer key's 20,000 requests in a clock hour one run may use; the rest is left to "
                "other programs. As many as BILL allows when left out."
            ),
        },
        "a whole number, 1 or more",
    ),
    "rate_limit_max_wait": Setting(
        {
            "type": "integer",
            "minimum": 0,
            "default": 3900,
            "title": "Longest wait for a limit",
            "description": (
                "When the requests of the hour are used up, wait for BILL's next clock hour if it begins within "
                "this many seconds; otherwise stop, and say when to run again."
            ),
        },
        "a whole number of seconds, 0 or more",
    ),
    "max_retries": Setting(
        {
            "type": "integer",
            "minimum": 0,
            "default": 5,
            "title": "Retries",
            "description": (
                "How often a failed request is retried (no answer, a broken one, too many requests at once), "
                "with pauses that grow from one second to about half a minute."
            ),
        },
        "a whole number, 0 or more",
    ),
    "request_timeout": Setting(
        {
            "type": "integer",
            "minimum": 1,
            "default": 60,
            "title": "Request timeout",
            "description": "How long to wait for BILL to connect or to send more of an answer, in seconds.",
        },
        "a whole number of seconds, 1 or more",
    ),
    "user_agent": Setting(
        {
            "type": "string",
            "pattern": r"^[\x20-\x7e]+$",
            "title": "User agent",
            "description": "User-Agent header of every request; tap-bill and its version when left out.",
        },
        "printable ASCII text on one line",
    ),
}
"""Every setting of the tap, in the order in which the docs show them."""

LOGIN: t.Final[dict[str, str]] = {
    "organization_id": "organizationId",
    "username": "username",
    "password": "password",
    "console_api_token": "consoleApiToken",
    "dev_key": "devKey",
    "remember_me_id": "rememberMeId",
    "device": "device",
}
"""Fields of `POST /v3/login` by setting (BILL: reference of the API login)."""


class Way(enum.Enum):
    """A way to sign in; the value says for people what it is."""

    OAUTH = "OAuth: client_id and client_secret"
    SESSION = "a session: username, password and dev_key"
    CONSOLE = "a session by a Console API token: username, console_api_token and dev_key"
    SPEND = "the token of Spend & Expense: spend_api_token"


OAUTH: t.Final = ("client_id", "client_secret")
"""Settings that open everything; no others go with them."""

SESSION: t.Final = tuple(name for name in LOGIN if name != "organization_id")
"""Settings that make a session, which opens everything but Spend & Expense."""

OTHERS: t.Final = (*SESSION, "spend_api_token")
"""Settings of the ways that OAuth takes the place of."""

SIGN_IN: t.Final = ("organization_id", *OAUTH, *OTHERS)
"""Settings that each of `organizations` may have."""

SETTINGS["organizations"].schema["items"] = {
    "type": "object",
    "properties": {name: SETTINGS[name].schema for name in SIGN_IN},
    "required": ["organization_id"],
    "additionalProperties": False,
}

REPEATED: t.Final = frozenset(
    name
    for name, setting in SETTINGS.items()
    if setting.schema["type"] in {"integer", "number"} or setting.schema.get("format") == "date-time"
)
"""Settings whose wrong value is repeated to the user; any other may hold a secret pasted into the wrong place."""

SDK_SETTINGS: t.Final[dict[str, str]] = {
    "stream_maps": (
        "for each stream null, or an object with an expression or null for each column; "
        "see https://sdk.meltano.com/en/latest/stream_maps.html"
    ),
    "stream_map_config": "an object; expressions find it as config",
    "faker_config": "an object with seed or locale",
    "flattening_enabled": "true or false",
    "flattening_max_depth": "a whole number, 1 or more",
    "flattening_max_key_length": "a whole number, 1 or more",
    "flattening_separator": "text such as __",
}
"""Settings that the SDK reads, with what a user may write, in words; they reach it as they are."""

REFUSED: t.Final[dict[str, str]] = {
    "batch_config": (
        "cannot be used: the state would be written before the rows, and a run that is stopped in between would lose "
        "them; remove it"
    ),
    "emit_activate_version_messages": (
        "cannot be used: the target would delete what it has before all is read, and rows of other organizations too; "
        "remove it"
    ),
}
"""Settings that the SDK reads as well, and why they are not safe."""

JSON_SCHEMA: t.Final[dict[str, t.Any]] = {
    "type": "object",
    "properties": {name: setting.schema for name, setting in SETTINGS.items()}
    | {
        # The SDK has no bounds, and no depth unless somebody sets one; it adds what it has besides.
        "flattening_max_depth": {
            "type": ["integer", "null"],
            "minimum": 1,
            "default": 10,
            "title": "Max Flattening Depth",
            "description": "How many levels of nested objects become columns; BILL nests less deep than the default.",
        },
        "flattening_max_key_length": {
            "type": ["integer", "null"],
            "minimum": 1,
            "title": "Max Key Length",
            "description": "The maximum length of a flattened key.",
        },
    },
}


def parse_time(text: str) -> datetime:
    """Read a date or time that a user wrote; without a zone it is UTC.

    Raises:
        ValueError: if it is neither.
    """
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def current_host(api_url: str) -> str:
    """Return the URL that BILL documents today for an accepted `api_url`."""
    return OLDER_SPELLINGS.get(api_url, api_url)


def root_of(api_url: str) -> str:
    """Return scheme and host of an accepted `api_url`."""
    return "/".join(api_url.split("/", 3)[:3])


def environment(api_url: str) -> str:
    """Name the environment of an accepted `api_url`, for messages: production, sandbox or the emulator."""
    return f"{_ENVIRONMENTS.get(api_url, 'emulator')} ({api_url})"


NEEDED: t.Final = ("username", "password", "dev_key", "organization_id")
"""Settings without which accounts payable and receivable cannot be read."""

ALTERNATIVES: t.Final = {"organization_id": "organizations", "password": "console_api_token"}
"""What may replace a needed setting; only one of the two may be set."""

_INVISIBLE: t.Final = "\u200b\u200c\u200d\u2060\ufeff"

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(parse_time(value))


VARIABLES: t.Final = "TAP_BILL_"
"""What the names of environment variables begin with."""


def from_environment(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the settings that environment variables hold, or a `.env` file; a blank variable counts as not set.

    Args:
        schema: `JSON_SCHEMA`, with the SDK's own settings added.

    Raises:
        ValueError: names every variable that cannot be read, one per line.
    """
    parse_environment_config({}, VARIABLES)  # takes over the variables of `.env`
    found: dict[str, t.Any] = {}
    wrong: list[str] = []
    for name, spec in schema["properties"].items():
        variable = VARIABLES + name.upper()
        if not os.environ.get(variable, "").strip():
            continue
        try:
            found |= parse_environment_config({"properties": {name: spec}}, VARIABLES)
            if spec.get("type") == "number":  # which the SDK leaves as text
                found[name] = float(found[name])
        except ValueError:
            allowed = SETTINGS[name].allowed if name in SETTINGS else SDK_SETTINGS.get(name, "JSON")
            wrong.append(f"The environment variable {variable} cannot be read; allowed: {allowed}")
    if wrong:
        raise ValueError("\n".join(wrong))
    return found


def tidy(config: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the configuration as the tap uses it.

    Settings without a value go, and defaults come in. Of the tap's own settings white space around text goes, and so
    does a trailing `/` or `/v3` of `api_url`; a blank text counts as no value, but not in `organizations`, where the
    value of another setting would take its place. `organizations` may be written as JSON text, as in an environment
    variable. What the SDK reads stays as it is: there a null has a meaning.
    Values that are wrong stay as they are, for `mistakes` to find.
    """
    blank = {name for name in config.keys() & SETTINGS if isinstance(config[name], str) and not config[name].strip()}
    tidied = _tidied({name: value for name, value in config.items() if name not in blank})
    if isinstance(url := tidied.get("api_url"), str):
        tidied["api_url"] = url.rstrip("/").removesuffix("/v3").rstrip("/")
    if isinstance(text := tidied.get("organizations"), str):
        with contextlib.suppress(ValueError):
            tidied["organizations"] = json.loads(text)
    if isinstance(listed := tidied.get("organizations"), list):
        tidied["organizations"] = [_tidied(own) if isinstance(own, dict) else own for own in listed]
    defaults = {name: spec["default"] for name, spec in JSON_SCHEMA["properties"].items() if "default" in spec}
    return defaults | tidied


def _tidied(config: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: _trim(name, value) for name, value in config.items() if value is not None}


def _trim(name: str, value: t.Any) -> t.Any:
    """Take away what is not part of a value; of a secret that may hold spaces, only the end of a line."""
    if name not in SETTINGS or not isinstance(value, str):
        return value
    schema = SETTINGS[name].schema
    if schema.get("secret") and "pattern" not in schema:
        return value.removesuffix("\n").removesuffix("\r")
    return value.strip().strip(_INVISIBLE).strip()


def organizations(config: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the configuration of each organization; what one leaves out comes from the top level."""
    if "organizations" not in config:
        return [dict(config)]
    common = {name: value for name, value in config.items() if name != "organizations"}
    return [_combined(common, own) for own in config["organizations"]]


def _combined(common: Mapping[str, t.Any], own: Mapping[str, t.Any]) -> dict[str, t.Any]:
    replaced = {name for ours, theirs in _REPLACED for name in theirs if own.keys() & ours}
    return {name: value for name, value in common.items() if name not in replaced} | dict(own)


_SECRETS: t.Final = frozenset({"password", "console_api_token"})
"""What proves who the user is: one of the two."""

_REPLACED: t.Final = ((_SECRETS, _SECRETS), (frozenset(OAUTH), frozenset(OTHERS)))
"""Where an organization has one of the first settings, it takes none of the second from the top level."""


LIKENESS: t.Final = 0.7
"""How much of an unknown setting has to be that of a known one to be taken for a slip, from 0 to 1."""

_TOGETHER: t.Final = {
    "client_id": "client_secret",
    "client_secret": "client_id",
    "remember_me_id": "device",
    "device": "remember_me_id",
}
"""Settings that are of no use without each other."""


def mistakes(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> list[str]:
    """Find every mistake in a tidied configuration.

    Args:
        config: the tidied configuration.
        schema: `JSON_SCHEMA`, with the SDK's own settings added.

    Returns:
        One line per mistake: setting, what is wrong, what is allowed. Secrets are not repeated.
    """
    validator = Draft202012Validator(schema, format_checker=_FORMATS)
    found = [_describe(error) for error in validator.iter_errors(config)]
    found += [f"{name} {why}" for name, why in REFUSED.items() if config.get(name)]
    if not any(line.startswith("organizations") for line in found):
        found += _wrong_together(config)
    return sorted(dict.fromkeys(found), key=_position)


def _position(line: str) -> int:
    name = line.partition(" ")[0].partition("[")[0]
    return list(SETTINGS).index(name) if name in SETTINGS else len(SETTINGS)


def _describe(error: ValidationError) -> str:
    """Describe one violation of the schema."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path).removeprefix(".")
    setting = _setting(error)
    if setting is None:
        return f"{where} is not valid; allowed: {SDK_SETTINGS[str(error.path[0])]}"
    if error.validator == "required":
        return f"{where} has no organization_id; allowed: {setting.allowed}"
    if error.validator == "additionalProperties":
        return f"{where} has a setting that organizations cannot have; allowed: {', '.join(SIGN_IN)}"
    if error.instance == "":
        wrong = "is empty"
    elif error.path[0] in REPEATED:
        wrong = f"is {error.instance!r}"
    else:
        wrong = "is not valid"
    return f"{where} {wrong}; allowed: {setting.allowed}"


def _setting(error: ValidationError) -> Setting | None:
    """Return the innermost setting on the way to what is wrong."""
    names = [part for part in error.path if isinstance(part, str)]
    return SETTINGS.get(names[-1]) if names and names[0] in SETTINGS else None


def _wrong_together(config: Mapping[str, t.Any]) -> Iterator[str]:
    """Describe what is wrong with settings that are fine one by one."""
    if {"organizations", "organization_id"} <= config.keys():
        yield "organizations is set as well as organization_id; set only one of them"
        return
    if "organizations" in config and (own := [name for name in OAUTH if name in config]):
        yield f"{_set(own)} as well as organizations; set both in the organization that they belong to"
        return
    if {"organizations", "spend_api_token"} <= config.keys():
        yield "spend_api_token is set as well as organizations; set it in the organization that it belongs to"
    found = organizations(config)
    for settings in found:
        if reads_only_spend(settings):
            continue
        ours = f" for organization {settings['organization_id']}" if "organizations" in config else ""
        yield from _wrong_way(settings, ours)
    counts = Counter(settings.get("organization_id") for settings in found)
    yield from (f"organizations has {name} more than once" for name, count in counts.items() if count > 1)
    shared = Counter(settings["client_id"] for settings in found if "client_id" in settings)
    if any(count > 1 for count in shared.values()):
        yield "organizations has the same client_id more than once; a developer app belongs to one organization"


def _wrong_way(settings: Mapping[str, t.Any], ours: str) -> Iterator[str]:
    """Describe what is wrong with how one organization signs in; `ours` names it where there are several."""
    oauth, others = ([name for name in names if name in settings] for names in (OAUTH, OTHERS))
    if oauth and others:
        yield f"{_set(oauth)} as well as {', '.join(others)}{ours}; OAuth needs no other credentials: set one way only"
    for name in NEEDED:
        if not settings.keys() & {name, ALTERNATIVES.get(name)} and not (oauth and name in SESSION):
            yield f"{name} is missing{ours}; set it to {SETTINGS[name].allowed}"
    if settings.keys() >= _SECRETS and not oauth:
        yield f"console_api_token is set as well as password{ours}; set only one of them"
    for name, other in _TOGETHER.items():
        if name in settings and other not in settings and not (oauth and others):
            yield f"{other} is missing{ours}: {name} needs it; set it to {SETTINGS[other].allowed}"


def _set(names: list[str]) -> str:
    """Say that one or two settings are set."""
    return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} set"


def reads_only_spend(config: Mapping[str, t.Any]) -> bool:
    """Whether there is a token for Spend & Expense, and nothing to sign in with."""
    return "spend_api_token" in config and not config.keys() & {*OAUTH, *SESSION}


def way_into(config: Mapping[str, t.Any], *, spend: bool) -> Way | None:
    """Return how Spend & Expense, or everything else, is signed in to; None where there are no credentials for it."""
    if config.keys() & {*OAUTH}:
        return Way.OAUTH
    if spend:
        return Way.SPEND if "spend_api_token" in config else None
    if reads_only_spend(config):
        return None
    return Way.CONSOLE if "console_api_token" in config else Way.SESSION


def unknown(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> dict[str, str]:
    """Return the settings that nothing reads, each with the one that was probably meant, or with an empty text."""
    names = sorted(config.keys() - schema["properties"].keys() - REFUSED.keys())
    if not names:
        return {}
    from difflib import get_close_matches  # noqa: PLC0415 - takes 35 ms to import, and is seldom needed

    known = [*SETTINGS, *SDK_SETTINGS]
    return {name: next(iter(get_close_matches(name.lower(), known, n=1, cutoff=LIKENESS)), "") for name in names}
