"""A stream that takes a request for each record of another one: 2,000 vendors, 50 ms for every answer."""

from __future__ import annotations

import json
import sys

from benchmarks.harness import emulator, report, run_tap

LATENCY = 0.05
MOST = 0.4
MOST_STATE = 1024


def main() -> int:
    """Read the attachments of all vendors, one by one and three at a time."""
    with emulator("--bills", "10000", "--latency", str(LATENCY), "--hourly-limit", "0") as bill:
        one, three = (run_tap(bill, ["vendors", "vendor_attachments"], max_concurrency=limit) for limit in (1, 3))
    share, state = three.asking / one.asking, len(json.dumps(three.state))
    limits = (three.peak_in_flight, three.refused) == (3, 0)
    what = f"{one.asking:.1f} s -> {three.asking:.1f} s"
    return report(
        [
            (what, f"{100 * share:.0f} % of one by one", f"at most {100 * MOST:.0f} %", share <= MOST),
            ("requests", f"{one.requests} -> {three.requests}", "", True),
            ("in flight, refused", f"{three.peak_in_flight}, {three.refused}", "3, 0", limits),
            ("bytes of state", str(state), f"at most {MOST_STATE}", state <= MOST_STATE),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
