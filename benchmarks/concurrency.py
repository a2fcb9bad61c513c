"""Three requests at once against one: 12,000 bills, 150 ms for every answer, rows spread evenly or piled up."""

from __future__ import annotations

import sys

from benchmarks.harness import emulator, report, run_tap

GOALS = {"even": 2.7, "start": 2.2, "end": 2.2}
MOST_MORE_REQUESTS = 1.04


def main() -> int:
    """Measure each spread of `createdTime`."""
    rows = []
    for spread, goal in GOALS.items():
        with emulator("--bills", "12000", "--latency", "0.15", "--created", spread) as bill:
            one, three = (run_tap(bill, ["bills"], max_concurrency=limit) for limit in (1, 3))
        ratio, more = one.asking / three.asking, three.requests / one.requests
        what = f"{spread}: {one.asking:.1f} s -> {three.asking:.1f} s"
        rows.append((what, f"{ratio:.2f} times faster", f"at least {goal}", ratio >= goal))
        if spread == "even":
            figure = f"{one.requests} -> {three.requests} ({100 * (more - 1):+.1f} %)"
            rows.append((f"{spread}: requests", figure, "at most +4 %", more <= MOST_MORE_REQUESTS))
        else:
            rows.append((f"{spread}: requests", f"{one.requests} -> {three.requests}", "", True))
        limits = (three.peak_in_flight, three.refused) == (3, 0)
        rows.append((f"{spread}: in flight, refused", f"{three.peak_in_flight}, {three.refused}", "3, 0", limits))
    return report(rows)


if __name__ == "__main__":
    sys.exit(main())
