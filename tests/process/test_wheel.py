"""What users install is complete: the wheel, in a clean environment, from another folder."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, PROJECT]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_the_package_and_every_schema(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    schemas = {f"tap_bill/schemas/{path.name}" for path in (PROJECT / "schemas").glob("*.json")}
    assert len(schemas) == 69
    assert schemas <= names
    modules = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / "tap_bill").rglob("*.py")}
    assert modules | {"tap_bill/py.typed"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tap_bill"}


def test_the_installed_wheel_discovers_from_another_folder(wheel, tmp_path):
    """Installed by pip with its own dependencies only, in the pinned versions."""
    environment = tmp_path / "clean"
    venv.create(environment, with_pip=True)
    pins = PROJECT / "requirements" / "dev.txt"
    installed = subprocess.run(
        [environment / "bin" / "pip", "install", "--quiet", "--no-compile", "--constraint", pins, wheel],
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    run = subprocess.run(
        [environment / "bin" / "tap-bill", "--discover"], cwd="/", capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert len(json.loads(run.stdout)["streams"]) == 69
