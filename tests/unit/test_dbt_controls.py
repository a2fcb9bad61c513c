"""The documentation of the controls of dbt_bill names every control, its variables and their defaults, and streams."""

from __future__ import annotations

import re
from pathlib import Path

import dbt_staging
import yaml

PACKAGE = Path(__file__).parents[2] / "dbt_bill"
CONTROLS = {path.stem: path for path in (PACKAGE / "models" / "controls").glob("bill__control_*.sql")}
ALL = CONTROLS.pop("bill__control_exceptions")
VARIABLE = re.compile(r"var\('(\w+)'\)")
REFERENCE = re.compile(r"ref\('(int_\w+)'\)")


def documented():
    """The cells of each row of the table, by the control that its first cell names."""
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `bill__control_")]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in rows if len(cells) > 3}


def used(path):
    """The variables of a model and of the intermediate models that it is made from."""
    text = path.read_text(encoding="utf-8")
    below = [PACKAGE / "models" / "intermediate" / f"{name}.sql" for name in REFERENCE.findall(text)]
    return {*VARIABLE.findall(text)}.union(*map(used, below))


def test_every_control_is_documented_with_its_variables_and_their_defaults():
    project = yaml.safe_load((PACKAGE / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    rows = documented()
    assert rows.keys() == CONTROLS.keys()
    for name, (what, variables, _, false_positives) in rows.items():
        assert what, name
        assert false_positives, name
        defaults = {variable: project[variable] for variable in used(CONTROLS[name])}
        said = {
            variable: ", ".join(default) or "none" if isinstance(default, list) else str(default)
            for variable, default in defaults.items()
        }
        assert dict(re.findall(r"`(\w+)` \(([^)]*)\)", variables)) == said, name


def test_every_stream_that_a_control_needs_is_one():
    for name, (_, _, streams, _) in documented().items():
        assert {*re.findall(r"`(\w+)`", streams)} <= dbt_staging.schemas().keys(), name
        assert streams, name


def test_the_report_holds_every_control():
    assert {f"bill__control_{name}" for name in re.findall(r"^    \('(\w+)'", ALL.read_text(), re.MULTILINE)} == {
        *CONTROLS
    }
