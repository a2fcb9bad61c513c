"""Tells what landed in the warehouse: the rows of every table, and what the company owes, by age and to the cent."""

from __future__ import annotations

from datetime import date
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from tap_bill.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    import psycopg

SCHEMA = "bill"
AS_OF = date(2026, 6, 30)
"""The day on which the history of the emulator's company ends."""

AGES = ("not due", "1-30 days", "31-60 days", "61-90 days", "over 90 days", "total")
COLUMNS = 2


class LandedError(Exception):
    """The warehouse does not hold what it should; the message says what is amiss."""


def rows_per_table(database: psycopg.Connection) -> dict[str, int]:
    """Count the rows of every table that the tap reads by default.

    Raises:
        LandedError: if a table is missing.
    """
    found = database.execute("select table_name from information_schema.tables where table_schema = %s", [SCHEMA])
    landed = {name for (name,) in found}
    promised = sorted(name for resource in RESOURCES if resource.is_default for name in resource.tables)
    if missing := [name for name in promised if name not in landed]:
        raise LandedError(f"These tables are missing in the warehouse: {', '.join(missing)}.")
    return {name: _count(database, name) for name in promised}


def _count(database: psycopg.Connection, table: str) -> int:
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(SCHEMA, table))
    (rows,) = database.execute(query).fetchone() or (0,)
    return int(rows)


def aging(database: psycopg.Connection) -> list[tuple[str, list[Decimal]]]:
    """Ask what is owed: per currency the amount of each age, and the total.

    Raises:
        LandedError: if the bills do not add up to the balances that BILL itself keeps per vendor.
    """
    query = (Path(__file__).with_name("aging.sql")).read_text(encoding="utf-8")
    table = []
    for currency, *amounts, balances in database.execute(query.encode(), {"as_of": AS_OF}):
        if amounts[-1] != balances:
            raise LandedError(f"Bills in {currency} add up to {amounts[-1]:,}, the vendors' balances to {balances:,}.")
        table.append((currency, amounts))
    return table


def print_rows(counts: dict[str, int]) -> None:
    """Print the tables and their rows, in columns."""
    print(f"{len(counts)} tables, {sum(counts.values()):,} rows, in the schema {SCHEMA!r}:\n")
    cells = [f"{name:<36}{rows:>7,}" for name, rows in counts.items()]
    height = -(-len(cells) // COLUMNS)
    for line in zip_longest(*(cells[start : start + height] for start in range(0, len(cells), height)), fillvalue=""):
        print(f"  {'    '.join(line)}".rstrip())


def print_aging(table: Sequence[tuple[str, Sequence[Decimal]]]) -> None:
    """Print what is owed, a line per currency."""
    print(f"\nAccounts payable on {AS_OF}, by days past due (bills that are not archived):\n")
    lines = [[f"{amount:,.2f}" for amount in amounts] for _, amounts in table]
    widths = [max(map(len, column)) for column in zip(AGES, *lines, strict=True)]
    for name, line in [("", AGES), *zip((currency for currency, _ in table), lines, strict=True)]:
        cells = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        print(f"  {name or '':<3}  {'  '.join(cells)}")
    print("\nEvery total agrees, to the cent, with the balances that BILL keeps per vendor.")
