"""Bills per CPU second: tap-bill against the plain SDK way, on the same pages, without latency."""

from __future__ import annotations

import statistics
import sys

from benchmarks.harness import TAP, emulator, report, run_tap

PLAIN = [sys.executable, "-m", "benchmarks.plain_sdk_tap"]
BILLS = 20_000
PAIRS = 3
GOAL = 2.5


def main() -> int:
    """Run pairs in turn; what an empty company costs is taken off, so that starting up does not count."""
    with emulator("--bills", "0") as empty, emulator("--bills", str(BILLS)) as bill:
        start = {
            name: statistics.median(run_tap(empty, ["bills"], program=program).cpu for _ in range(PAIRS))
            for name, program in (("tap", TAP), ("plain", PLAIN))
        }
        spent: dict[str, list[float]] = {"tap": [], "plain": []}
        for _ in range(PAIRS):
            for name, program in (("tap", TAP), ("plain", PLAIN)):
                run = run_tap(bill, ["bills"], program=program)
                written = run.output.count(b'"type":"RECORD"') + run.output.count(b'"type": "RECORD"')
                if written < BILLS:
                    raise RuntimeError(f"{name} wrote {written} of {BILLS} bills")
                spent[name].append(run.cpu - start[name])
    speed = {name: BILLS / statistics.median(seconds) for name, seconds in spent.items()}
    ratio = speed["tap"] / speed["plain"]
    return report(
        [
            ("plain SDK stream", f"{speed['plain']:,.0f} bills/CPU s", "", True),
            ("tap-bill", f"{speed['tap']:,.0f} bills/CPU s", "", True),
            ("ratio", f"{ratio:.2f}", f"at least {GOAL}", ratio >= GOAL),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
