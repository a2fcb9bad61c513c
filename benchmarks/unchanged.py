"""The hourly run in which nothing changed: all default streams, 100 ms for every answer."""

from __future__ import annotations

import sys

from benchmarks.harness import emulator, report, run_tap
from tap_bill.resources import RESOURCES

LATENCY = 0.1
MOST = 0.45


def main() -> int:
    """Run twice, and measure the second run."""
    with emulator("--bills", "25", "--latency", str(LATENCY)) as bill:
        state = run_tap(bill).state
        run = run_tap(bill, state=state)
    asked = sum(resource.is_default and not resource.is_spend for resource in RESOURCES) + 2
    share = run.asking / (run.requests * LATENCY)
    what = f"first request to last answer: {run.asking:.2f} s"
    return report(
        [
            ("requests", str(run.requests), f"{asked}: one a stream, login, logout", run.requests == asked),
            (what, f"{100 * share:.0f} % of one by one", f"at most {100 * MOST:.0f} %", share <= MOST),
            ("whole process", f"{run.wall:.2f} s", "", True),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
