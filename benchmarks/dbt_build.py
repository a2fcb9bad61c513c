"""`dbt build` on 100,000 bills: how long it takes, what of that are the marts, and what a second run takes.

The rows are those of one company of 1,000 bills, loaded by Meltano and then copied by SQL to 99 more organizations.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import sql

from benchmarks.harness import report
from demo import landed, pipeline
from demo.warehouse import warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping

BILLS, ORGANIZATIONS = 1000, 100
DBT = pipeline.DBT.parent / "venv" / "bin" / "dbt"
SLOWEST = 5


class Cost(NamedTuple):
    """What one build cost: seconds in all, of all tests, and of each model."""

    seconds: float
    tests: float
    models: dict[str, float]


def copy_organizations(database: psycopg.Connection[tuple[object, ...]]) -> None:
    """Give every row of every table to 99 more organizations."""
    tables = "select table_name from information_schema.columns where table_schema = 'bill' and column_name = %s"
    for (table,) in database.execute(tables, ["organizationId"]).fetchall():
        columns = "select column_name from information_schema.columns where table_schema = 'bill' and table_name = %s"
        names = [sql.Identifier(str(name)) for (name,) in database.execute(columns, [table]).fetchall()]
        values = [
            sql.SQL("{} || '-' || number").format(name) if name == sql.Identifier("organizationId") else name
            for name in names
        ]
        database.execute(
            sql.SQL("insert into {} ({}) select {} from {}, generate_series(2, {}) as number").format(
                sql.Identifier("bill", str(table)),
                sql.SQL(", ").join(names),
                sql.SQL(", ").join(values),
                sql.Identifier("bill", str(table)),
                ORGANIZATIONS,
            )
        )
    database.execute("vacuum analyze")


def build(variables: Mapping[str, str], folder: Path) -> Cost:
    """Run `dbt build` to its end."""
    started = time.perf_counter()
    command = [str(DBT), "build", "--vars", variables["DBT_POSTGRES_VARS"]]
    subprocess.run(
        command, cwd=pipeline.PROJECT / "dbt_bill", env=os.environ | variables, check=True, capture_output=True
    )
    seconds = time.perf_counter() - started
    results = json.loads((folder / "dbt" / "run_results.json").read_text(encoding="utf-8"))["results"]
    spent = {result["unique_id"]: float(result["execution_time"]) for result in results}
    return Cost(
        seconds,
        sum(time_ for name, time_ in spent.items() if name.startswith("test.")),
        {name.split(".")[2]: time_ for name, time_ in spent.items() if not name.startswith("test.")},
    )


def main() -> int:
    """Load, copy, and build twice."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        warehouse() as postgres,
        pipeline.emulator(Path(temporary, "log"), bills=BILLS) as bill,
    ):
        folder = Path(temporary)
        pipeline.meltano(
            "run", "tap-bill", "target-postgres",
            variables=bill | pipeline.loader(postgres), state=folder, log=folder / "log",
        )  # fmt: skip
        with psycopg.connect(postgres.dsn, autocommit=True) as database:
            copy_organizations(database)
            row = database.execute("select count(*) from bill.bills").fetchone()
            bills = int(str(row[0])) if row else 0
        variables = pipeline.dbt(postgres, folder, as_of=landed.AS_OF)
        costs = {"first": build(variables, folder), "second": build(variables, folder)}
    rows = [("bills", f"{bills:,}", f"{BILLS * ORGANIZATIONS:,}", bills == BILLS * ORGANIZATIONS)]
    for which, cost in costs.items():
        rows.append((f"{which} dbt build", f"{cost.seconds:.0f} s", "", True))
        rows.append((f"{which}: all models, one after the other", f"{sum(cost.models.values()):.0f} s", "", True))
        rows.append((f"{which}: all tests, one after the other", f"{cost.tests:.0f} s", "", True))
        slowest = sorted(cost.models, key=lambda name: -cost.models[name])[:SLOWEST]
        rows += [(f"{which}: {name}", f"{cost.models[name]:.1f} s", "", True) for name in slowest]
    return report(rows)


if __name__ == "__main__":
    sys.exit(main())
