"""A user's configuration: tidied, checked, and taken apart into one for each organization."""

from __future__ import annotations

import contextlib
import json
import typing as t
from collections import Counter

from jsonschema import Draft202012Validator, FormatChecker

from tap_bill.settings import (
    JSON_SCHEMA,
    LOGIN,
    REFUSED,
    REPEATED,
    SDK_SETTINGS,
    SETTINGS,
    SIGN_IN,
    Setting,
    parse_time,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError

NEEDED: t.Final = ("username", "password", "dev_key", "organization_id")
"""Settings without which accounts payable and receivable cannot be read."""

ALTERNATIVES: t.Final = {"organization_id": "organizations", "password": "console_api_token"}
"""What may stand in place of a needed setting, but not beside it."""

_INVISIBLE: t.Final = "\u200b\u200c\u200d\u2060\ufeff"

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(parse_time(value))


def tidy(config: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the configuration as the tap uses it.

    Settings without a value go, and defaults come in. Of the tap's own settings white space around text goes, and so
    does a trailing `/` or `/v3` of `api_url`; `organizations` may be written as JSON text, as in an environment
    variable. What the SDK reads stays as it is: there a null has a meaning.
    Values that are wrong stay as they are, for `mistakes` to find.
    """
    tidied = _tidied(config)
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
    replaced = _SECRETS if own.keys() & _SECRETS else frozenset()
    return {name: value for name, value in common.items() if name not in replaced} | dict(own)


_SECRETS: t.Final = frozenset({"password", "console_api_token"})
"""What proves who the user is: one of the two."""


_TOGETHER: t.Final = {"remember_me_id": "device", "device": "remember_me_id"}
"""What is of no use without what."""


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
    """Tell one violation of the schema."""
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
    """Tell what is wrong with settings that are fine one by one."""
    if {"organizations", "organization_id"} <= config.keys():
        yield "organizations is set beside organization_id; set one of the two"
        return
    if {"organizations", "spend_api_token"} <= config.keys():
        yield "spend_api_token is set beside organizations; set it in the organization that it belongs to"
    found = organizations(config)
    for settings in found:
        if reads_only_spend(settings):
            continue
        ours = f" for organization {settings['organization_id']}" if "organizations" in config else ""
        for name in NEEDED:
            if not settings.keys() & {name, ALTERNATIVES.get(name)}:
                yield f"{name} is missing{ours}; set it to {SETTINGS[name].allowed}"
        if settings.keys() >= _SECRETS:
            yield f"console_api_token is set beside password{ours}; set one of the two"
        for name, other in _TOGETHER.items():
            if name in settings and other not in settings:
                yield f"{other} is missing{ours}, which {name} needs; set it to {SETTINGS[other].allowed}"
    counts = Counter(settings.get("organization_id") for settings in found)
    yield from (f"organizations has {name} more than once" for name, count in counts.items() if count > 1)


def reads_only_spend(config: Mapping[str, t.Any]) -> bool:
    """Tell whether there is a token for Spend & Expense, and nothing to sign in with."""
    return "spend_api_token" in config and not config.keys() & (LOGIN.keys() - {"organization_id"})


def unknown(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> list[str]:
    """Name the settings that nothing reads, most often misspelt ones."""
    return sorted(config.keys() - schema["properties"].keys() - REFUSED.keys())
