"""The tap's settings: their JSON Schema, how values are tidied, and how mistakes are told."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from jsonschema import Draft202012Validator, FormatChecker

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

_INVISIBLE: t.Final = "\u200b\u200c\u200d\u2060\ufeff"


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
    "api_url": Setting(
        {
            "type": "string",
            "default": PRODUCTION,
            "anyOf": [
                {"enum": [PRODUCTION, SANDBOX, *OLDER_SPELLINGS]},
                {"pattern": LOOPBACK},
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
            "description": "Rows per request; BILL allows 1 to 100.",
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
"""Every setting of the tap, in the order in which the README shows them."""

REQUIRED: t.Final = ("username", "password", "dev_key", "organization_id")

REPEATED: t.Final = ("start_date", "page_size", "lookback_seconds", "max_concurrency", "request_timeout")
"""Settings whose wrong value is repeated to the user; any other may hold a secret pasted into the wrong place."""

JSON_SCHEMA: t.Final[dict[str, t.Any]] = {
    "type": "object",
    "properties": {name: setting.schema for name, setting in SETTINGS.items()},
    "required": list(REQUIRED),
}

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(parse_time(value))


def parse_time(text: str) -> datetime:
    """Read a date or time that a user wrote; without a zone it is UTC.

    Raises:
        ValueError: if it is neither.
    """
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def tidy(config: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the configuration as the tap uses it.

    White space around text goes, a trailing `/` or `/v3` of `api_url` goes, settings without a value go,
    and defaults come in. Values that are wrong stay as they are, for `mistakes` to find.
    """
    tidied = {name: _trim(value) for name, value in config.items() if value is not None}
    if isinstance(url := tidied.get("api_url"), str):
        tidied["api_url"] = url.rstrip("/").removesuffix("/v3").rstrip("/")
    defaults = {name: setting.schema["default"] for name, setting in SETTINGS.items() if "default" in setting.schema}
    return defaults | tidied


def _trim(value: object) -> object:
    return value.strip().strip(_INVISIBLE).strip() if isinstance(value, str) else value


def mistakes(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> list[str]:
    """Find every mistake in a tidied configuration.

    Args:
        config: the tidied configuration.
        schema: `JSON_SCHEMA`, with the SDK's own settings added.

    Returns:
        One line per mistake: setting, what is wrong, what is allowed. Secrets are not repeated.
    """
    validator = Draft202012Validator(schema, format_checker=_FORMATS)
    found = [line for error in validator.iter_errors(config) for line in _describe(error)]
    return sorted(dict.fromkeys(found), key=_position)


def _position(line: str) -> int:
    name = line.partition(" ")[0]
    return list(SETTINGS).index(name) if name in SETTINGS else len(SETTINGS)


def _describe(error: ValidationError) -> Iterator[str]:
    if error.validator == "required" and not error.path:
        for name in REQUIRED:
            if name not in t.cast("dict[str, t.Any]", error.instance):
                yield f"{name} is missing; set it to {SETTINGS[name].allowed}"
        return
    if not error.path or (name := str(error.path[0])) not in SETTINGS:
        yield f"{'.'.join(map(str, error.path)) or 'configuration'} is not valid: {error.message}"
        return
    setting = SETTINGS[name]
    if error.instance == "":
        wrong = "is empty"
    elif name in REPEATED:
        wrong = f"is {error.instance!r}"
    else:
        wrong = "is not valid"
    yield f"{name} {wrong}; allowed: {setting.allowed}"


def unknown(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> list[str]:
    """Name the settings that nothing reads, most often misspelt ones."""
    return sorted(name for name in config if name not in schema["properties"])


def current_host(api_url: str) -> str:
    """Return the URL that BILL documents today for an accepted `api_url`."""
    return OLDER_SPELLINGS.get(api_url, api_url)


def environment(api_url: str) -> str:
    """Name the environment of an accepted `api_url`, for messages: production, sandbox or the emulator."""
    return f"{_ENVIRONMENTS.get(api_url, 'emulator')} ({api_url})"
