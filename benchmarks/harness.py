"""What every measurement needs: an emulator in a process of its own, the tap in another, and a table of results."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TAP = [str(Path(sys.executable).with_name("tap-bill"))]


@dataclass(frozen=True)
class Bill:
    """A running emulator."""

    url: str
    organization_id: str

    @property
    def config(self) -> dict[str, Any]:
        """Settings of the tap."""
        return {"username": "user", "password": "value", "dev_key": "key", "organization_id": self.organization_id} | {
            "api_url": self.url
        }

    def control(self, path: str = "", **order: str) -> Any:
        """Ask the emulator's own route, or tell it to do something."""
        url = self.url.replace("/connect", "/control") + path
        answer = requests.post(url, json=order, timeout=60) if order else requests.get(url, timeout=60)
        return answer.json()


@dataclass(frozen=True)
class Run:
    """One run of a program, and what the emulator saw of it."""

    wall: float
    cpu: float
    peak_kib: int
    output: bytes
    requests: int = 0
    peak_in_flight: int = 0
    refused: int = 0
    asking: float = 0.0
    """Seconds from the first request to the last answer."""

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE."""
        states = [line for line in self.output.splitlines() if line.startswith(b'{"type":"STATE"')]
        value: dict[str, Any] = json.loads(states[-1])["value"]
        return value


@contextlib.contextmanager
def emulator(*switches: str) -> Iterator[Bill]:
    """Run `python -m bill_emulator` with these switches."""
    command = [sys.executable, "-m", "bill_emulator", "--port", "0", *switches]
    command += ["--username", "user", "--password", "value", "--dev-key", "key"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            words = process.stdout.readline().split() if process.stdout else []
            yield Bill(words[3], words[5])
        finally:
            process.terminate()


def measure(command: Sequence[str]) -> Run:
    """Run a program to its end: seconds, CPU seconds (user and system), peak memory and what it wrote.

    Raises:
        RuntimeError: if it fails.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        with subprocess.Popen(command, stdout=output, stderr=log) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        output.seek(0)
        log.seek(0)
        if process.returncode:
            raise RuntimeError(log.read().decode()[-2000:])
        return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, output.read())


def run_tap(
    bill: Bill,
    streams: Sequence[str] = (),
    *,
    program: Sequence[str] = TAP,
    state: dict[str, Any] | None = None,
    **settings: Any,
) -> Run:
    """Run a tap against the emulator; without `streams`, all of them."""
    with tempfile.TemporaryDirectory() as folder:
        command = list(program)
        files: dict[str, Any] = {"config": bill.config | settings}
        if streams:
            files["catalog"] = _catalog(program, streams)
        if state is not None:
            files["state"] = state
        for name, content in files.items():
            path = Path(folder, name)
            path.write_text(json.dumps(content))
            command += [f"--{name}", str(path)]
        bill.control(do="reset_counters")
        run = measure(command)
    seen = bill.control()
    asking = seen["last_answer"] - seen["first_request"]
    counts = (seen["requests"], seen["peak_in_flight"], seen["refused"])
    return Run(run.wall, run.cpu, run.peak_kib, run.output, *counts, asking)


def _catalog(program: Sequence[str], streams: Sequence[str]) -> Any:
    catalog = json.loads(subprocess.run([*program, "--discover"], capture_output=True, check=True).stdout)
    for entry in catalog["streams"]:
        for field in entry["metadata"]:
            if not field["breadcrumb"]:
                field["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog


def report(rows: Sequence[tuple[str, str, str, bool]]) -> int:
    """Print what was measured, the figure and what it should reach; returns the exit code."""
    width = max(len(what) for what, *_ in rows)
    for what, figure, goal, reached in rows:
        print(f"{what:{width}}  {figure:>24}  {goal:>24}  {'reached' if reached else 'MISSED'}")
    return 0 if all(reached for *_, reached in rows) else 1
