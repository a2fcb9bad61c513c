"""`python -m demo.query 'select ...'`: look at what `make demo` loaded, with nothing installed but what it made."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from demo import answers, landed
from demo.warehouse import WarehouseError, warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

DATABASE = Path(__file__).resolve().parents[1] / ".demo" / "database"
"""Where `make demo` leaves its database."""

EXAMPLE = 'select "paymentStatus", count(*), sum("dueAmount") from bills where not archived group by 1 order by 2 desc'

WIDEST = 60
"""Characters of a value that are shown, at most."""


def main() -> int:
    """Run one query on a copy of the database, so that the next one finds it as it was; print the rows."""
    parser = argparse.ArgumentParser(prog="python -m demo.query", description="Look at what `make demo` loaded.")
    parser.add_argument("query", nargs="?", help=f"SQL; the tables and their rows when left out. Example: {EXAMPLE}")
    parser.add_argument("--database", type=Path, default=DATABASE, help="the folder of the database (%(default)s)")
    options = parser.parse_args()
    if not options.database.is_dir():
        print("There is no database yet: run make demo first.", file=sys.stderr)
        return 1
    try:
        with (
            warehouse(options.database) as postgres,
            psycopg.connect(postgres.dsn, options=f"-c search_path={landed.SCHEMA},{answers.SCHEMA}") as database,
        ):
            if options.query is None:
                landed.print_rows(landed.rows_per_table(database))
                return 0
            cursor = database.execute(options.query.encode())
            if cursor.description is None:
                print(f"{cursor.rowcount} rows, changed in a copy only: the database stays as it is.")
                return 0
            print_table([column.name for column in cursor.description], cursor.fetchall())
    except WarehouseError as error:
        print(f"{error} Run make demo again to make the database anew.", file=sys.stderr)
        return 1
    except (psycopg.Error, landed.LandedError) as error:
        print(str(error).strip(), file=sys.stderr)
        return 1
    return 0


def print_table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns."""
    cells = [list(names), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print(f"({len(rows):,} rows)")


def _cell(value: object) -> str:
    text = " ".join(str("" if value is None else value).split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


if __name__ == "__main__":
    sys.exit(main())
