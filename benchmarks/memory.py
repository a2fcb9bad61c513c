"""Peak memory of reading 100,000 bills against 10,000: it must not grow with the stream."""

from __future__ import annotations

import sys

from benchmarks.harness import emulator, report, run_tap

MOST = 1.2


def main() -> int:
    """Measure both sizes."""
    peaks = []
    for bills in ("10000", "100000"):
        with emulator("--bills", bills) as bill:
            peaks.append(run_tap(bill, ["bills", "bill_line_items"]).peak_kib / 1024)
    ratio = peaks[1] / peaks[0]
    figure = f"{peaks[0]:.0f} -> {peaks[1]:.0f} MiB ({100 * (ratio - 1):+.0f} %)"
    return report([("peak memory", figure, "at most +20 %", ratio <= MOST)])


if __name__ == "__main__":
    sys.exit(main())
