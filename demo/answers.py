"""What dbt made of the rows that were loaded: the models of dbt_bill, and what its tests found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "analytics"
"""Where dbt_bill's models are in the demo's database."""

EXAMPLE = "select week, net_amount, cumulative_net_amount from bill__cash_forecast where currency = $$USD$$ order by 1"


def print_results(folder: Path) -> None:
    """Print how many models were built and how many tests passed, from what dbt left in its folder."""
    found = json.loads((folder / "run_results.json").read_text(encoding="utf-8"))["results"]
    kinds = [result["unique_id"].split(".")[0] for result in found]
    made = len(kinds) - kinds.count("test")
    print(f"\ndbt_bill made {made} models of them, in the schema {SCHEMA!r}; all {kinds.count('test')} tests passed.")
