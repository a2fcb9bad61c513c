"""Runs the tap as a user does, and reads what it wrote.

It is started by `tap_server.py`. The console script itself is run by `test_runs.py`, which compares the two, by the
tests of signals and of targets that go away, of the wheel, and of Meltano.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path

from tap_bill.resources import RESOURCES

ACCOUNTS = [resource for resource in RESOURCES if resource.is_default and not resource.is_spend]
"""What a session reads unless somebody selects more."""

TAP = Path(sys.executable).with_name("tap-bill")
PRINTED_PREFIX = " | "

PATIENCE = 600
"""Seconds after which a run is ended by force: only one that hangs takes so long, on the busiest machine."""

EXAMPLES_TIMES = int(os.environ.get("EXAMPLES_TIMES", "0"))
"""How many times as many examples property tests try, drawn anew each time; 0: the same ones in every run."""

MEASURED = "COVERAGE_PROCESS_START"
"""In whose environment this is, that process writes down which lines of the tap it runs."""

SHORT_PAUSE = 0.01
"""Seconds between two tries, at most."""


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


def examples(count):
    """How many examples a property test tries."""
    return count * max(1, EXAMPLES_TIMES)


def settings(emulator, **more):
    """Settings that read an emulator."""
    return {**emulator.credentials, "api_url": emulator.url, **more}


class TapServer:
    """`tap_server.py`, which starts the tap without the second that Python needs to import it."""

    def __init__(self):
        self._control, theirs = socket.socketpair()
        program = Path(__file__).with_name("tap_server.py")
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, program, str(number)],
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        atexit.register(self.close)

    def close(self):
        self._control.close()
        self._process.wait()

    def run(self, order, stdout, stderr):
        """Run the tap to its end, and return its exit code."""
        ours, theirs = socket.socketpair()
        with ours, theirs, tempfile.TemporaryFile("w+") as file:
            json.dump(order, file)
            file.seek(0)
            socket.send_fds(self._control, [b"."], [each.fileno() for each in (file, stdout, stderr, theirs)])
            theirs.close()
            with ours.makefile("rb", buffering=0) as told:  # so that no line is read before it is waited for
                process = int(told.readline())
                hangs = not select.select([ours], [], [], PATIENCE)[0]
                if hangs:
                    os.kill(process, signal.SIGKILL)
                exit_code = int(told.readline())
        if hangs:
            stderr.seek(0)
            raise subprocess.TimeoutExpired(order["command"], PATIENCE, stderr=stderr.read())
        return exit_code


@cache
def tap_server(measured):
    """The one of this process whose taps are measured, or the other one, started when it is needed first."""
    return TapServer()


def run_tap(config, *arguments, folder, state=None, catalog=None, env=None, real_pauses=False, patch="", stdout=None):
    """Run `tap-bill` to its end in a folder of its own; a dict becomes the file that an option names.

    The code in `patch` runs before it, to break something in it; what it writes goes to the file `stdout`.

    The pauses before a request is repeated are cut to a hundredth of a second, unless the test is about them. What
    BILL tells the tap to wait is waited.
    """
    options = []
    for option, value in {"--config": config, "--state": state, "--catalog": catalog}.items():
        if value is not None:
            path = folder / f"{option.strip('-')}.json"
            path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
            options += [option, str(path)]
    order = {
        "command": [str(TAP), *options, *arguments],
        "folder": str(folder),
        "environment": {name: value for name, value in os.environ.items() if not name.startswith("TAP_BILL_")}
        | (env or {}),
        "longest_pause": None if real_pauses else SHORT_PAUSE,
        "patch": patch,
    }
    with (
        Path(stdout).open("wb") if stdout else tempfile.TemporaryFile() as written,
        tempfile.TemporaryFile("w+", encoding="utf-8") as stderr,
    ):
        exit_code = tap_server(MEASURED in os.environ).run(order, written, stderr)
        stderr.seek(0)
        if stdout:
            return Run(exit_code, "", stderr.read())
        written.seek(0)
        return Run(exit_code, written.read().decode(), stderr.read())
