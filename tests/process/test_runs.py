"""What starts the tap in these tests does what the console script does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import runs

ENVIRONMENT = {"TAP_BILL_PAGE_SIZE": "many", "TAP_BILL_LOGLEVEL": "WARNING"}


@pytest.mark.parametrize(
    "arguments",
    [["--discover"], ["--about", "--format=json"], ["--nonsense"], []],
    ids=" ".join,
)
def test_the_console_script_writes_the_same(arguments, tmp_path):
    known = {name: value for name, value in os.environ.items() if not name.startswith("TAP_BILL_")}
    script = subprocess.run(
        [runs.TAP, *arguments],
        cwd=tmp_path,
        env=known | ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    run = runs.run_tap(None, *arguments, folder=tmp_path, env=ENVIRONMENT)
    assert (run.exit_code, run.stdout) == (script.returncode, script.stdout)
    assert without_times(run.stderr) == without_times(script.stderr)


def test_the_module_runs_like_the_console_script(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tap_bill", "--about", "--format=json"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    run = runs.run_tap(None, "--about", "--format=json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, run.stdout)


def without_times(log):
    return [line.partition(runs.PRINTED_PREFIX)[2] or line for line in log.splitlines()]


def test_a_run_sees_its_own_environment_and_folder_and_leaves_nothing_behind(tmp_path, monkeypatch):
    """The tap reads a name that is relative to its folder, and what one child sets is not there for the next."""
    monkeypatch.setenv("TAP_BILL_PAGE_SIZE", "nonsense")
    (tmp_path / "own.json").write_text('{"page_size": 0}', encoding="utf-8")
    first = runs.run_tap(None, "--config", "own.json", folder=tmp_path, env={"TAP_BILL_LOGLEVEL": "ERROR"})
    second = runs.run_tap(None, "--config", "own.json", folder=tmp_path)
    assert "page_size is 0; allowed: a whole number from 1 to 100" in first.errors
    assert first.errors == second.errors
    assert (first.log("INFO"), len(second.log("INFO")) > 0) == ([], True)


def test_a_fault_shows_its_traceback(tmp_path):
    (tmp_path / "log.yaml").write_text("nonsense", encoding="utf-8")
    run = runs.run_tap(None, "--discover", folder=tmp_path, env={"SINGER_SDK_LOG_CONFIG": "log.yaml"})
    assert run.exit_code == 1
    assert run.stderr.startswith("Traceback (most recent call last):")


def test_a_run_that_hangs_is_ended_and_told(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "never.json")
    with monkeypatch.context() as hurry:
        hurry.setattr(runs, "PATIENCE", 0.5)
        with pytest.raises(subprocess.TimeoutExpired):
            runs.run_tap(None, "--config", "never.json", folder=tmp_path)
    assert runs.run_tap(None, "--version", folder=tmp_path).exit_code == 0
