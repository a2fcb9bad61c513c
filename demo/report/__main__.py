"""`python -m demo.report --dsn ...`: makes the report of a warehouse in which dbt_bill was built."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import conninfo

from demo.report import figures, page

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = "analytics"
OUTPUT = Path("bill-report.html")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report and print its path; one line says what is amiss."""
    options = parse(arguments)
    try:
        print(write(options.dsn, options.output, options.schema, options.organization, options.as_of))
    except figures.ReportError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.report",
        description="Write what the marts of dbt_bill say as one HTML file, and print its path.",
    )
    parser.add_argument(
        "--dsn",
        default="",
        help="the warehouse, such as postgresql://user@host:5432/database; what it leaves out is taken from PGHOST,"
        " PGUSER, PGPASSWORD and so on",
    )
    parser.add_argument("--schema", default=SCHEMA, help="where dbt built the marts (%(default)s)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the file to write (%(default)s)")
    parser.add_argument(
        "--organization",
        action="append",
        default=[],
        metavar="ID",
        help="report on this organization only; may be repeated (all of them)",
    )
    parser.add_argument(
        "--as-of",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="stop unless the marts are reckoned on this day, which dbt's variable bill_as_of sets",
    )
    return parser.parse_args(arguments)


def write(
    dsn: str, output: Path, schema: str = SCHEMA, organizations: Sequence[str] = (), as_of: date | None = None
) -> Path:
    """Make the report and return its path.

    Args:
        dsn: the address of the warehouse.
        output: the file to write.
        schema: where the marts are.
        organizations: whom to report on; nobody: all.
        as_of: the day that the marts have to be reckoned on, if any.

    Raises:
        ReportError: if the warehouse cannot be read, the marts are not as they should be, or no file can be written.
    """
    try:
        conninfo.conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:  # its message would repeat the password
        raise figures.ReportError(
            "--dsn is not an address of PostgreSQL. Write it as postgresql://user@host:5432/database."
        ) from None
    try:
        with psycopg.connect(dsn) as database:
            database.read_only = True
            database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # all figures of one moment
            found = figures.ask(database, schema, organizations, as_of)
    except psycopg.Error as error:
        raise figures.ReportError(f"The warehouse cannot be read: {' '.join(str(error).split())}") from error
    try:
        output.write_text(page.html(found), encoding="utf-8")
    except OSError as error:
        raise figures.ReportError(f"The report could not be written to {output}: {error.strerror}.") from error
    return output


if __name__ == "__main__":
    sys.exit(main())
