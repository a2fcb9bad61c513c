"""What users install is complete: the wheel, in a clean environment, from another folder."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, PROJECT]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


def needed(requirements):
    """The distributions that these requirements bring, by name, as they are installed here."""
    found, extras = {}, set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        one = found[requirement.name] = distribution(requirement.name)
        assert requirement.specifier.contains(one.version), f"{one.name} {one.version} is not {requirement}"
        for asked in {"", *requirement.extras} - {asked for name, asked in extras if name == one.name}:
            extras.add((one.name, asked))
            waiting += [(Requirement(text), asked) for text in one.requires or ()]
    return found.values()


def test_the_wheel_holds_the_package_and_every_schema(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    schemas = {f"tap_bill/schemas/{path.name}" for path in (PROJECT / "schemas").glob("*.json")}
    assert len(schemas) == 75
    assert schemas <= names
    modules = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / "tap_bill").rglob("*.py")}
    assert modules | {"tap_bill/py.typed"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tap_bill"}


def test_the_installed_wheel_discovers_from_another_folder(wheel, tmp_path):
    """With its own dependencies only: all that an installer would bring, in the pinned versions, and nothing else."""
    venv.create(tmp_path, with_pip=False)
    (site,) = tmp_path.glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    (metadata,) = site.glob("tap_bill-*.dist-info")
    requires = [
        line.partition(": ")[2]
        for line in (metadata / "METADATA").read_text(encoding="utf-8").splitlines()
        if line.startswith("Requires-Dist: ")
    ]
    for one in needed(requires):
        for top in {path.parts[0] for path in one.files} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(one.locate_file(top))
    script = 'from importlib.metadata import entry_points as e; e(group="console_scripts")["tap-bill"].load()()'
    run = subprocess.run(
        [tmp_path / "bin" / "python", "-I", "-c", script, "--discover"],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert len(json.loads(run.stdout)["streams"]) == 75
