"""What the README says of streams and settings is what the code has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import readme

from tap_bill.api.errors import CODES
from tap_bill.resources import RESOURCES
from tap_bill.tap import TapBill

PROJECT = Path(__file__).parents[2]


def test_the_tables_are_those_of_the_code():
    text = readme.README.read_text(encoding="utf-8")
    assert text == readme.with_tables(text), "run: python tests/readme.py"


def test_the_streams_are_counted():
    lines = sum(len(resource.lines) for resource in RESOURCES)
    text = readme.README.read_text(encoding="utf-8")
    assert f"{len(RESOURCES)} BILL resources as tables, and {lines} more tables" in text
    assert f"{len(RESOURCES)} BILL resources and {lines} line tables" in (PROJECT / "CHANGELOG.md").read_text("utf-8")


def test_every_code_that_the_tap_knows_is_explained():
    rows = re.findall(r"^\| `BDC.*?\|", readme.README.read_text(encoding="utf-8"), re.MULTILINE)
    explained = {code for row in rows for code in re.findall(r"BDC_\d+", row)}
    assert {*CODES} - {"BDC_1120"} == explained


def test_meltano_declares_every_setting():
    import yaml  # noqa: PLC0415

    project = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    (extractor,) = project["plugins"]["extractors"]
    declared = {setting["name"]: setting for setting in extractor["settings"]}
    assert list(declared) == list(readme.SETTINGS)
    for name, setting in readme.SETTINGS.items():
        assert bool(declared[name].get("sensitive")) == bool(setting.schema.get("secret")), name


def test_meltano_is_told_what_the_tap_can_do():
    import yaml  # noqa: PLC0415

    project = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    (extractor,) = project["plugins"]["extractors"]
    capabilities = sorted(capability.value for capability in TapBill.capabilities)
    assert sorted(extractor["capabilities"]) == capabilities
    assert f"capabilities: [{', '.join(capabilities)}]" in readme.README.read_text(encoding="utf-8")


def test_every_file_that_the_readme_links_to_is_there():
    for target in re.findall(r"\]\((?!http|#)([^)]+)\)", readme.README.read_text(encoding="utf-8")):
        assert (PROJECT / target).exists(), target


def test_nothing_names_this_machine():
    assert json.dumps(str(PROJECT))[1:-1] not in readme.README.read_text(encoding="utf-8")
