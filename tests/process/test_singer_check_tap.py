"""singer-tools, which nobody here wrote, checks two runs: the second with the first one's state."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CHECKER = Path(__file__).parents[2] / ".tools" / "singer-tools" / "bin" / "singer-check-tap"


@pytest.mark.skipif(
    not CHECKER.exists(), reason="singer-tools could not be installed here; `make test` tries each time"
)
def test_singer_check_tap(tap, config):
    """Through a pipe, because its own `--tap` does not wait for the thread that reads the tap."""
    first = tap(config)
    second = tap(config, state=first.state)
    for run in (first, second):
        checked = subprocess.run([CHECKER], input=run.stdout, capture_output=True, text=True, check=False, timeout=120)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "The output is valid" in checked.stdout + checked.stderr
