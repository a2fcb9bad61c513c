"""`python -m demo`, or better `make demo`: everything that tap-bill does, on this machine alone.

A BILL emulator with an invented company, an empty PostgreSQL, and Meltano running tap-bill and target-postgres between
them, then dbt, exactly as for a real company. Nothing is left running, and your own settings and bookmarks are not
touched. The database stays in `.demo/`, for `python -m demo.query`.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from demo import answers, landed, pipeline
from demo.query import DATABASE, EXAMPLE
from demo.report.figures import ReportError
from demo.warehouse import WarehouseError, warehouse

BILLS = 500
LOG = pipeline.PROJECT / ".demo" / "demo.log"
REPORT = LOG.with_name("report.html")


def main() -> int:
    """Run the pipeline, then print what landed."""
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)  # whoever ends us, everything is put away first
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_bytes(b"")
    try:
        demonstrate()
    except (WarehouseError, pipeline.PipelineError, landed.LandedError) as error:
        print(f"\n{error}\nWhat the programs said is in {LOG.relative_to(pipeline.PROJECT)}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.", file=sys.stderr)
        return 130
    return 0


def demonstrate() -> None:
    """Load an invented company into an empty warehouse and report."""
    with (
        tempfile.TemporaryDirectory() as state,
        warehouse(keep_in=DATABASE) as postgres,
        pipeline.emulator(LOG, bills=BILLS) as bill,
    ):
        steps = ["tap-bill", "target-postgres", *(["dbt-postgres:build"] if pipeline.DBT.exists() else [])]
        print(f"meltano run {' '.join(steps)} ...", end=" ", flush=True)
        started = time.monotonic()
        variables = bill | pipeline.loader(postgres) | pipeline.dbt(postgres, Path(state), as_of=landed.AS_OF)
        with pipeline.dbt_parse(variables, LOG) if pipeline.DBT.exists() else contextlib.nullcontext():
            pipeline.meltano("run", *steps, variables=variables, state=Path(state), log=LOG)
        print(f"{time.monotonic() - started:.0f} s\n")
        with psycopg.connect(postgres.dsn) as database:
            counts, owed = landed.rows_per_table(database), landed.aging(database)
        report = make_report(postgres.dsn)
        landed.print_rows(counts)
        landed.print_aging(owed)
        if pipeline.DBT.exists():
            answers.print_results(Path(state) / "dbt")
    here = Path(sys.executable)
    python = here.relative_to(pipeline.PROJECT) if here.is_relative_to(pipeline.PROJECT) else here
    print(f"\nThe database is kept in {DATABASE.relative_to(pipeline.PROJECT)}. Ask it anything, for example:\n")
    print(f"  {python} -m demo.query '{answers.EXAMPLE if pipeline.DBT.exists() else EXAMPLE}'")
    print('\nTo load your own company, see "Quick start" in README.md.')
    print(f"\n{report}")


def make_report(dsn: str) -> str:
    """Write the report, and return what there is to say of it: where it is, or why there is none."""
    from demo.report.__main__ import write  # noqa: PLC0415 - takes a second, which others need not wait

    REPORT.unlink(missing_ok=True)
    try:
        return f"What all this says, to open in a browser: {write(dsn, REPORT).relative_to(pipeline.PROJECT)}"
    except ReportError as error:
        return f"There is no report to look at. {error}"


if __name__ == "__main__":
    sys.exit(main())
