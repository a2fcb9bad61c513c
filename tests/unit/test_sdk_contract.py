"""The SDK's private names that the tap uses: a release that changes one fails here, by name."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.configuration import _dict_config
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.plugin_base import _ConfigInput

from tap_bill.settings import REFUSED, SDK_SETTINGS

CALLED_OR_REPLACED = [
    (Stream, "_write_schema_message", ["self"]),
    (Stream, "_write_record_message", ["self", "record"]),
    (Stream, "_generate_record_messages", ["self", "record"]),
    (Stream, "_increment_stream_state", ["self", "latest_record", "context"]),
    (Stream, "_write_starting_replication_value", ["self", "context"]),
    (Tap, "_validate_config", ["self", "raise_errors"]),
    (Tap, "_reset_state_progress_markers", ["self"]),
    (Tap, "_handle_termination", ["self", "signum", "frame"]),
]
OF_OTHERS = [
    (CustomStreamMap, "_eval", ["self", "expr", "expr_parsed", "record", "property_name"]),
    (_dict_config, "parse_environment_config", ["config_schema", "prefix", "dotenv_path"]),
]


@pytest.mark.parametrize(("owner", "name", "parameters"), CALLED_OR_REPLACED + OF_OTHERS, ids=str)
def test_a_private_method_is_still_there_and_called_the_same(owner, name, parameters):
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_what_the_command_line_hands_over():
    assert (_ConfigInput().config, _ConfigInput().parse_env) == ({}, False)


def test_every_setting_that_the_sdk_reads_is_decided_upon():
    """A new one must be kept, with what it allows, or refused, with the reason."""
    folder = Path(inspect.getfile(Stream)).parents[1]
    names = ("streams/core.py", "streams/_state.py", "tap_base.py", "plugin_base.py", "mapper.py")
    files = [*(folder / name for name in names), folder / "helpers" / "_flattening.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    read = set(re.findall(r"""(?<!faker_)(?:config|data)(?:\.get\(|\[)\s*["'](\w+)""", text))
    assert read == {*SDK_SETTINGS, *REFUSED, "start_date"}


def test_nothing_else_private_is_used():
    import ast  # noqa: PLC0415

    import tap_bill  # noqa: PLC0415

    private = {name for owner in (Stream, Tap) for name in dir(owner) if name.startswith("_") and name[1] != "_"}
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.name
        for path in Path(tap_bill.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.FunctionDef)
    }
    assert used & private - {"_config"} == {name for _, name, _ in CALLED_OR_REPLACED}
