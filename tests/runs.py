"""Runs the tap as a user does, and reads what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from tap_bill.resources import RESOURCES

ACCOUNTS = [resource for resource in RESOURCES if resource.is_default and not resource.is_spend]
"""What a session reads unless somebody selects more."""

TAP = Path(sys.executable).with_name("tap-bill")
PRINTED_PREFIX = " | "


@dataclass(frozen=True)
class Run:
    """One run of the tap: exit code, Singer messages (numbers with a fraction as Decimal) and the log."""

    exit_code: int
    stdout: str
    stderr: str

    @cached_property
    def messages(self):
        return [json.loads(line, parse_float=Decimal) for line in self.stdout.splitlines()]

    def of(self, kind):
        return [message for message in self.messages if message["type"] == kind]

    @cached_property
    def records(self):
        """Records by stream, in the order in which they were written."""
        by_stream = defaultdict(list)
        for message in self.of("RECORD"):
            by_stream[message["stream"]].append(message["record"])
        return by_stream

    @property
    def state(self):
        """What an orchestrator keeps: the last STATE."""
        return self.of("STATE")[-1]["value"]

    def log(self, level):
        """The texts of the log lines of one level."""
        lines = [line.split(PRINTED_PREFIX, 3) for line in self.stderr.splitlines() if PRINTED_PREFIX in line]
        return [line[3] for line in lines if line[1].strip() == level]

    @property
    def errors(self):
        return self.log("ERROR")

    @property
    def warnings(self):
        return self.log("WARNING")


def settings(emulator, **more):
    """Settings that read an emulator."""
    return {**emulator.credentials, "api_url": emulator.url, **more}


def run_tap(config, *arguments, folder, state=None, catalog=None, env=None):
    """Run `tap-bill` to its end in a folder of its own; a dict becomes the file that an option names."""
    options = []
    for option, value in {"--config": config, "--state": state, "--catalog": catalog}.items():
        if value is not None:
            path = folder / f"{option.strip('-')}.json"
            path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
            options += [option, str(path)]
    done = subprocess.run(
        [TAP, *options, *arguments],
        cwd=folder,
        env={**{name: value for name, value in os.environ.items() if not name.startswith("TAP_BILL_")}, **(env or {})},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )
    return Run(done.returncode, done.stdout, done.stderr)
