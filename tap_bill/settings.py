"""The tap's settings: what each is, as a table."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

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
                "spend_api_token belongs into the objects, because each company has its own."
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
                "for 30 days. Reading needs none."
            ),
        },
        "the rememberMeId that BILL answered to an MFA challenge",
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
                "of username, password, dev_key and organization_id."
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
                "When the requests of the hour are used up, wait for BILL's next clock hour if it begins within so "
                "many seconds; otherwise stop, and say when to run again."
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
                "How often a request is repeated after trouble (no answer, a broken one, too many requests at once), "
                "with pauses that grow from one second to half a minute or so."
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

SIGN_IN: t.Final = (*LOGIN, "spend_api_token")
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
    if setting.schema["type"] == "integer" or setting.schema.get("format") == "date-time"
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
    "flattening_separator": "a text such as __",
}
"""Settings that the SDK reads, with what a user may write, in words; they reach it as they are."""

REFUSED: t.Final[dict[str, str]] = {
    "batch_config": (
        "cannot be used: the state would be written before the rows, and a run that is stopped in between would lose "
        "them; take it out"
    ),
    "emit_activate_version_messages": (
        "cannot be used: the target would delete what it has before all is read, and rows of other organizations too; "
        "take it out"
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


def environment(api_url: str) -> str:
    """Name the environment of an accepted `api_url`, for messages: production, sandbox or the emulator."""
    return f"{_ENVIRONMENTS.get(api_url, 'emulator')} ({api_url})"
