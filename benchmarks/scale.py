"""What one organization more costs in a run over many: the figures that docs/scale.md reckons with."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.harness import emulator, report, run_tap
from tap_bill.resources import RESOURCES

MANY = 21
BILLS = 25


def main() -> int:
    """Read one organization and many, twice each; the second time nothing has changed."""
    with emulator("--organizations", str(MANY), "--bills", str(BILLS)) as bill:
        first = bill.organization_id
        listed = [{"organization_id": first}]
        listed += [{"organization_id": f"{first[:-4]}{number:04}"} for number in range(2, MANY + 1)]

        def read(count: int, state: dict[str, Any] | None = None) -> Any:
            return run_tap(bill, organization_id=None, organizations=listed[:count], state=state)

        whole, whole_many = read(1), read(MANY)
        quiet, quiet_many = read(1, whole.state), read(MANY, whole_many.state)
    asked = sum(resource.is_default and not resource.is_spend for resource in RESOURCES) + 2
    whole_cpu, quiet_cpu = (
        (many.cpu - one.cpu) / (MANY - 1) for one, many in ((whole, whole_many), (quiet, quiet_many))
    )
    rows = whole.output.count(b'{"type":"RECORD"')
    return report(
        [
            (
                "nothing changed: requests for each organization",
                str(quiet.requests),
                str(asked),
                quiet.requests == asked,
            ),
            ("nothing changed: CPU seconds for each more", f"{quiet_cpu:.2f}", "", True),
            ("nothing changed: organizations an hour and core, tap alone", f"{3600 / quiet_cpu:,.0f}", "", True),
            (f"everything, {rows} rows: CPU seconds for each more", f"{whole_cpu:.2f}", "", True),
            ("CPU seconds of a run over one organization", f"{quiet.cpu:.2f}", "", True),
            (f"peak memory: one, {MANY}", f"{quiet.peak_kib >> 10}, {quiet_many.peak_kib >> 10} MiB", "", True),
            (f"bytes of state for {MANY}", f"{len(str(quiet_many.state)):,}", "", True),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
