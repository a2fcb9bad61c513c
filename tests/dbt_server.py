"""Runs dbt, and asks DuckDB, for a test that is told the answers: each dbt of its own needs three seconds to start.

It is run by dbt's own Python. It reads orders, one JSON object a line, and answers each with one line. What dbt prints
is part of the answer.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from datetime import date, datetime
from decimal import Decimal

import duckdb
from dbt.cli.main import dbtRunner


def run(arguments):
    """Run a command of dbt's; tell whether it went well, and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        result = dbtRunner().invoke(arguments)
    return {"success": result.success, "printed": printed.getvalue() + str(result.exception or "")}


def ask(database, statements):
    """Run statements of SQL; give the columns and rows of the last one."""
    with duckdb.connect(database) as connection:
        for statement in statements:
            found = connection.execute(statement)
        return {"columns": [name for name, *_ in found.description or ()], "rows": found.fetchall()}


def text(value):
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, (date, datetime)):
        return {type(value).__name__: value.isoformat()}
    raise TypeError(f"not expected in a warehouse: {value!r}")


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        order = json.loads(line)
        answer = run(order["dbt"]) if "dbt" in order else ask(order["duckdb"], order["sql"])
        print(json.dumps(answer, default=text), file=answers, flush=True)
