"""How long `tap-bill --version` takes, against importing the SDK alone."""

from __future__ import annotations

import statistics
import sys

from benchmarks.harness import TAP, measure, report

RUNS = 15
MOST = 1.2


def main() -> int:
    """Run both in turn, and compare the medians."""
    commands = {"sdk": [sys.executable, "-c", "import singer_sdk"], "tap": [*TAP, "--version"]}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            seconds[name].append(measure(command).wall)
    sdk, tap = (statistics.median(values) for values in seconds.values())
    return report([("start-up", f"{sdk:.2f} s -> {tap:.2f} s ({tap / sdk:.2f})", f"at most {MOST}", tap / sdk <= MOST)])


if __name__ == "__main__":
    sys.exit(main())
