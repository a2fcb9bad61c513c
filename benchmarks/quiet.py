"""An hourly `meltano run tap-bill target-postgres` in which nothing changed in BILL: what it costs the warehouse.

Compared with the same run from a state without digests, from which every list without a clock is written.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from benchmarks.harness import report
from bill_emulator import Company, Emulator
from demo.warehouse import warehouse

if TYPE_CHECKING:
    from demo.warehouse import Warehouse

PROJECT = Path(__file__).parents[1]
MELTANO = PROJECT / ".tools" / "meltano" / "bin" / "meltano"
BILLS = 200
PAUSE = 2.0
"""Seconds before a run, so that no row changed within its lookback."""

WRITING = re.compile(r"(?:statement|execute [^:]*): *(MERGE|INSERT|UPDATE|COPY|DELETE)\b", re.IGNORECASE)


class Cost(NamedTuple):
    """What one run cost."""

    seconds: float
    statements: int
    bytes_: int


def run(environment: dict[str, str], postgres: Warehouse) -> Cost:
    """Run Meltano to its end."""
    time.sleep(PAUSE)
    log = postgres.folder / "postgresql.log"
    with psycopg.connect(postgres.dsn, autocommit=True) as database:
        begin, told = _position(database), log.stat().st_size
        started = time.perf_counter()
        subprocess.run(
            [MELTANO, "run", "bill-to-postgres"], cwd=PROJECT, env=environment, check=True, capture_output=True
        )
        seconds = time.perf_counter() - started
        written = _position(database) - begin
    text = log.read_bytes()[told:].decode(errors="replace")
    return Cost(seconds, len(WRITING.findall(text)), written)


def _position(database: psycopg.Connection[tuple[object, ...]]) -> int:
    """Bytes that PostgreSQL has written to its log of changes."""
    row = database.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')").fetchone()
    return int(str(row[0])) if row else 0


def forget_digests(file: Path) -> None:
    """Make the state what it would be without digests."""
    with sqlite3.connect(file) as database:
        for state_id, text in database.execute("select state_id, completed_state from state").fetchall():
            state = json.loads(text)
            for stream in state["singer_state"]["bookmarks"].values():
                for entry in stream["partitions"]:
                    entry.pop("digest", None)
            database.execute("update state set completed_state = ? where state_id = ?", [json.dumps(state), state_id])


def main() -> int:
    """Load a company, then run twice more: without digests, and with them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(company=Company(seed=7, bills=BILLS), spend_limit=0) as emulator,
        warehouse() as postgres,
    ):
        settings = {**emulator.credentials, **emulator.spend_credentials, "api_url": emulator.url}
        settings["lookback_seconds"] = "0"
        meltano = Path(folder, "meltano.db")
        environment = {
            **os.environ,
            **{f"TAP_BILL_{name.upper()}": value for name, value in settings.items()},
            "TARGET_POSTGRES_SQLALCHEMY_URL": postgres.sqlalchemy_url,
            "MELTANO_DATABASE_URI": f"sqlite:///{meltano}",
        }
        with psycopg.connect(postgres.dsn, autocommit=True) as database:
            database.execute("alter system set log_statement = 'all'")
            database.execute("select pg_reload_conf()")
        first = run(environment, postgres)
        forget_digests(meltano)
        before = run(environment, postgres)
        after = run(environment, postgres)
    figures = [("first load", first), ("nothing changed, every list written", before), ("nothing changed", after)]
    rows = [
        (what, f"{cost.seconds:.1f} s, {cost.statements} statements, {cost.bytes_:,} bytes", "", True)
        for what, cost in figures
    ]
    rows.append(("statements that write, nothing changed", str(after.statements), "0", after.statements == 0))
    return report(rows)


if __name__ == "__main__":
    sys.exit(main())
