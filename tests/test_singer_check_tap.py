"""singer-tools, which nobody here wrote, checks two runs: the second with the first one's state."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import runs

CHECKER = Path(__file__).parents[1] / ".tools" / "singer-tools" / "bin" / "singer-check-tap"


@pytest.mark.skipif(
    not CHECKER.exists(), reason="singer-tools could not be installed here; `make test` tries each time"
)
def test_singer_check_tap(config, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(config))
    checked = subprocess.run(
        [CHECKER, "--tap", runs.TAP, "--config", tmp_path / "config.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "The output is valid" in checked.stdout + checked.stderr
