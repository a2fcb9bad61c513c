"""Runs dbt for tests, in a process that stays (`dbt_server.py`), and puts what was loaded into DuckDB as well."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from demo import pipeline

PACKAGE = pipeline.PROJECT / "dbt_bill"
PYTHON = pipeline.DBT.parent / "venv" / "bin" / "python"

DUCKDB_TYPES = {
    "text": "varchar", "numeric": "decimal(38, 9)", "bigint": "bigint", "boolean": "boolean", "jsonb": "json",
    "date": "date", "timestamp without time zone": "timestamp", "ARRAY": "json",
}  # fmt: skip
"""What becomes of a column of PostgreSQL's."""

SPELLINGS = (str, str.upper, str.lower, lambda name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name))
"""How loaders spell names of columns; tables take turns."""


class Dbt:
    """A dbt that is ready; `close` it at the end."""

    def __init__(self, folder, variables):
        self.folder = folder
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")} | variables
        # -P: beside the program there are modules whose names begin with `dbt_`, which dbt would take for plugins.
        self._process = subprocess.Popen(
            [PYTHON, "-P", Path(__file__).with_name("dbt_server.py")],
            cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def order(self, **order):
        print(json.dumps(order, default=str), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline(), object_hook=value)

    def run(self, command, *arguments, project=PACKAGE):
        """Run a command in a project; give its results by the name of the model or test, and what it printed."""
        made = self.folder / ("dbt" if project == PACKAGE else "duckdb")
        options = ["--project-dir", project, "--profiles-dir", project, "--no-use-colors", "--log-level-file", "none"]
        options += ["--target-path", made] if command != "deps" else []
        answer = self.order(dbt=[command, *options, *arguments])
        assert "deprecat" not in answer["printed"].lower(), answer["printed"]
        return answer["success"], {} if command == "deps" else results(made), answer["printed"]

    def ask(self, *statements):
        """The columns and rows that DuckDB answers."""
        answer = self.order(duckdb=str(self.folder / "warehouse.duckdb"), sql=statements)
        return answer["columns"], [tuple(row) for row in answer["rows"]]

    def copy(self, database):
        """Put every table of PostgreSQL's schema `bill` into DuckDB's `loaded`: as text, cast to its type."""
        statements = ["create schema if not exists loaded"]
        tables = sorted(name for (name,) in database.execute("select tablename from pg_tables where schemaname='bill'"))
        for number, table in enumerate(tables):
            spelled = SPELLINGS[number % len(SPELLINGS)]
            columns = database.execute(
                "select column_name, data_type from information_schema.columns"
                " where table_schema = 'bill' and table_name = %s order by ordinal_position",
                [table],
            ).fetchall()
            listed = ", ".join(f'to_json("{name}")' if kind == "ARRAY" else f'"{name}"' for name, kind in columns)
            file = self.folder / f"{table}.csv"
            with (
                file.open("wb") as written,
                database.cursor().copy(f'copy (select {listed} from bill."{table}") to stdout (format csv)') as rows,
            ):
                written.writelines(rows)
            types = {spelled(name): DUCKDB_TYPES[kind] for name, kind in columns}
            made = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
            statements.append(f'create or replace table loaded."{table}" ({made})')
            options = "format csv, header false, delimiter ',', quote '\"', escape '\"', auto_detect false"
            statements.append(f"copy loaded.\"{table}\" from '{file}' ({options}, allow_quoted_nulls false)")
        self.ask(*statements)


def results(folder):
    """What dbt says of each model and test, by its name."""
    found = json.loads((folder / "run_results.json").read_text(encoding="utf-8"))["results"]
    return {result["unique_id"].split(".", 2)[2]: result for result in found}


def value(found):
    """What a value was before it became JSON."""
    kinds = {"decimal": Decimal, "date": date.fromisoformat, "datetime": datetime.fromisoformat}
    known = kinds.keys() & found.keys()
    return kinds[known.pop()](*found.values()) if known else found
