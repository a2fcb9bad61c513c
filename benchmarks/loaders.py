"""What loaders make of the tap's types: each is installed, asked and fed. It writes the table of `docs/loaders.md`.

Every loader gets an environment of its own in `.tools/loaders`. All are asked which type each column of each table
becomes, with numbers and with `use_singer_decimal`. Those that need no server, or the one that comes with this project,
load a whole company, and what they stored is compared with what was sent.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Identifier

from benchmarks.harness import TAP
from bill_emulator import Company, Emulator
from demo.warehouse import warehouse
from tap_bill.singer.decimals import FORMAT, kinds, with_decimals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "loaders.md"
PLACE = re.compile(r"(?<=<!-- measured: loaders -->\n).*?(?=<!-- end of loaders -->)", re.DOTALL)
TOOLS = PROJECT / ".tools"

DIGITS = (
    "12345678901234.5678",
    "0.10",
    "-0.005",
    "12345678901234567890123456789.123456789",
    "99999999999999999999999999999.999999999",
)
"""Amounts that are sent: everyday ones that floating point cannot hold, and all 38 digits."""

ASK = """
import json, sys
asked = json.load(sys.stdin)
print(json.dumps([[type_of(spec) for spec in asked["specs"]], name_of("dueDate")]))
"""
"""The end of every probe; before it comes what finds the loader's own functions."""

POSTGRES = """
from sqlalchemy.dialects import postgresql
from target_postgres.connector import PostgresConnector
connector = PostgresConnector({"sqlalchemy_url": "postgresql+psycopg://user@host/database"})
type_of = lambda spec: str(connector.to_sql_type(spec).compile(dialect=postgresql.dialect()))
name_of = lambda column: column
"""
SNOWFLAKE = """
from snowflake.sqlalchemy.base import SnowflakeIdentifierPreparer
from snowflake.sqlalchemy.snowdialect import dialect
from target_snowflake.connector import SnowflakeConnector
SnowflakeConnector.formatter = SnowflakeIdentifierPreparer(dialect())  # its own asks the server
connector = SnowflakeConnector({"account": "a", "user": "u", "password": "p", "database": "d"})
type_of = lambda spec: str(connector.to_sql_type(spec).compile(dialect=dialect()))
name_of = lambda column: connector.format_identifier(column).upper()
"""
BIGQUERY = """
from target_bigquery.core import SchemaTranslator
def type_of(spec):
    (field,) = SchemaTranslator({"properties": {"column": spec}}, {}).translated_schema
    return ("REPEATED " if field.mode == "REPEATED" else "") + field.field_type.upper()
name_of = lambda column: column
"""
PIPELINEWISE = """
from {module}.db_sync import column_type, safe_column_name
type_of = lambda spec: column_type(spec).upper()
name_of = lambda column: safe_column_name(column).strip('"')
"""
JSON = """
type_of = lambda spec: "JSON" if {"object", "array", "number", "integer", "boolean"} & {*spec["type"]} else "text"
name_of = lambda column: column
"""
TEXT = """
type_of = lambda spec: "text"
name_of = lambda column: column
"""


class Stored(NamedTuple):
    """What a loader has stored: amounts by bill, those of the lines nested in it, and rows by table."""

    amounts: Mapping[str, str]
    nested: Mapping[str, str]
    rows: int


@dataclass(frozen=True)
class Loader:
    """One loader.

    Args:
        package: what is installed first; its version is that of the loader.
        executable: what Meltano would run.
        probe: code that finds its type map.
        quirks: what else is worth knowing.
        load: feeds it and reads back, where that needs nobody's server.
        with_: what is installed with it.
        override: what is installed in place of what the package asks for, where that does not build.
    """

    package: str
    executable: str
    probe: str
    quirks: str
    load: Callable[[Loader, bytes, Path], Stored] | None = None
    with_: tuple[str, ...] = ()
    override: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Its environment."""
        return TOOLS / "loaders" / self.package

    def run(self, messages: bytes, config: Mapping[str, Any], folder: Path) -> None:
        """Load.

        Raises:
            RuntimeError: if it fails.
        """
        file = folder / "target.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        command = [str(self.folder / "bin" / self.executable), "--config", str(file)]
        done = subprocess.run(command, input=messages, capture_output=True, cwd=folder, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.package}: {done.stderr.decode()[-2000:]}")

    def ask(self, code: str, *arguments: str, given: Any = None) -> Any:
        """Run code by its Python, and return the JSON that it prints."""
        command = [str(self.folder / "bin" / "python"), "-W", "ignore", "-c", code, *arguments]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.package}: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])


# Loading and reading back


def _nested(lines: str) -> str:
    """Return the amount of the first line of a JSON list, with its digits."""
    return str(json.loads(lines, parse_float=str, parse_int=str)[0]["amount"])


COUNT = SQL("select count(*) from {}")


def _postgres(loader: Loader, messages: bytes, folder: Path) -> Stored:
    with warehouse() as postgres:
        config = {"sqlalchemy_url": postgres.sqlalchemy_url, "default_target_schema": "bill"}
        loader.run(messages, config | {"validate_records": False}, folder)
        with psycopg.connect(postgres.dsn, options="-c search_path=bill") as database:
            found = database.execute('select id, amount::text, to_jsonb("billLineItems")::text from bills').fetchall()
            tables = database.execute("select table_name from information_schema.tables where table_schema = 'bill'")
            counts = [database.execute(COUNT.format(Identifier(name))).fetchone() for (name,) in tables.fetchall()]
    return Stored(
        {row[0]: row[1] for row in found},
        {row[0]: _nested(row[2]) for row in found},
        sum(int(count[0]) for count in counts if count),
    )


DUCKDB = """
import duckdb, json, sys
database = duckdb.connect(sys.argv[1])
bills = database.execute("select id, amount::varchar, billlineitems::varchar from bill.bills").fetchall()
tables = database.execute("select table_name from information_schema.tables where table_schema = 'bill'").fetchall()
rows = [database.execute(f'select count(*) from bill."{name}"').fetchone()[0] for name, in tables]
print(json.dumps([bills, sum(rows)]))
"""


def _duckdb(loader: Loader, messages: bytes, folder: Path) -> Stored:
    path = str(folder / "warehouse.duckdb")
    loader.run(messages, {"path": path, "default_target_schema": "bill"}, folder)
    bills, rows = loader.ask(DUCKDB, path)
    return Stored({row[0]: row[1] for row in bills}, {row[0]: _nested(row[2]) for row in bills}, rows)


def _jsonl(loader: Loader, messages: bytes, folder: Path) -> Stored:
    loader.run(messages, {"destination_path": str(folder / "out"), "do_timestamp_file": False}, folder)
    lines = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in (folder / "out").glob("*.jsonl")}
    bills = [json.loads(line, parse_float=str, parse_int=str) for line in lines["bills"]]
    return Stored(
        {bill["id"]: str(bill["amount"]) for bill in bills},
        {bill["id"]: str(bill["billLineItems"][0]["amount"]) for bill in bills},
        sum(map(len, lines.values())),
    )


def _csv(loader: Loader, messages: bytes, folder: Path) -> Stored:
    loader.run(messages, {"output_path": str(folder / "out")}, folder)
    tables = {}
    for path in (folder / "out").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = [*csv.DictReader(file)]
    first_amount = re.compile(r"""['"]amount['"]: (?:Decimal\()?'?([-\d.eE+]+)""")
    return Stored(
        {bill["id"]: bill["amount"] for bill in tables["bills"]},
        {bill["id"]: found[1] for bill in tables["bills"] if (found := first_amount.search(bill["billLineItems"]))},
        sum(map(len, tables.values())),
    )


LOADERS = (
    Loader(
        "meltanolabs-target-postgres",
        "target-postgres",
        POSTGRES,
        "A missing object is the JSON value `null`, not an SQL null. Times have no zone and are in UTC. "
        "More [below](#target-postgres).",
        load=_postgres,
    ),
    Loader(
        "meltanolabs-target-snowflake",
        "target-snowflake",
        SNOWFLAKE,
        "Column names need no quotes. Times have no zone.",
    ),
    Loader(
        "pipelinewise-target-snowflake",
        "target-snowflake",
        PIPELINEWISE.format(module="target_snowflake"),
        "Times have no zone. "
        "It does not know decimals: `amount::number(38, 9)` in a view makes numbers of the text. "
        "It starts only if `numpy<2` is installed with it.",
        with_=("numpy<2",),
    ),
    Loader(
        "z3-target-bigquery",
        "target-bigquery",
        BIGQUERY,
        "These are the types with `denormalized: true`; without it a table has one `JSON` column for whole rows. "
        "It does not know decimals: `cast(amount as bignumeric)` in a view makes numbers of the text. "
        "It starts only if `setuptools<81` is installed with it.",
        with_=("setuptools<81",),
    ),
    Loader(
        "pipelinewise-target-redshift",
        "target-redshift",
        PIPELINEWISE.format(module="target_redshift"),
        "It wants psycopg2-binary 2.8.5, which does not build for Python 3.11; asked with a newer one. Dates are text. "
        "It does not know decimals: `amount::decimal(38, 9)` in a view makes numbers of the text.",
        override=("psycopg2-binary>=2.9",),
    ),
    Loader(
        "target-duckdb",
        "target-duckdb",
        PIPELINEWISE.format(module="target_duckdb"),
        "Dates are text, times have no zone and are in UTC, a missing object is an SQL null. "
        "It does not know decimals: `amount::decimal(38, 9)` in a view makes numbers of the text. "
        "More [below](#target-duckdb).",
        load=_duckdb,
        with_=("duckdb<1.3",),
    ),
    Loader(
        "target-jsonl",
        "target-jsonl",
        JSON,
        "One file per table, as the tap writes it: what BILL left out is not there. "
        "It appends, so a row that comes again is there twice.",
        load=_jsonl,
    ),
    Loader(
        "meltanolabs-target-csv",
        "target-csv",
        TEXT,
        "Objects and arrays are Python's text, which is no JSON; with `flattening_enabled` the tap makes columns and "
        "JSON text of them. A null is an empty field. "
        "Every run replaces the files unless `overwrite_behavior` is `append_records`.",
        load=_csv,
    ),
    Loader("target-parquet", "target-parquet", "", "It wants pandas 0.24.2, which Python 3.11 cannot install."),
)


# What is asked and sent


def kind_of(spec: Mapping[str, Any]) -> str:
    """Return what kind of column it is: its format or its JSON type."""
    (type_,) = kinds(spec)
    format_ = str(spec.get("format", type_))
    return format_ if format_ in {"date", "date-time", FORMAT} else type_


def columns() -> list[Mapping[str, Any]]:
    """Return every column of every table, with numbers and with decimal text."""
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((PROJECT / "schemas").glob("*.json"))]
    both = [form for schema in schemas for form in (schema, with_decimals(schema))]
    return [spec for schema in both for spec in schema["properties"].values()]


def sent(company: Company) -> dict[str, str]:
    """Give bills of a company, and their lines, the amounts that are hard to store; return them by bill."""
    bills = company.rows("bills")
    amounts = {}
    for bill, text in zip(bills, DIGITS, strict=False):
        line = {**bill["billLineItems"][0], "amount": Decimal(text)}
        company.put("bills", {**bill, "amount": Decimal(text), "billLineItems": [line]})
        amounts[bill["id"]] = text
    return amounts


def messages(emulator: Emulator, folder: Path, *, decimal: bool) -> bytes:
    """Return what the tap writes."""
    config = {**emulator.credentials, **emulator.spend_credentials, "api_url": emulator.url}
    file = folder / "tap.json"
    file.write_text(json.dumps({**config, "use_singer_decimal": decimal}), encoding="utf-8")
    return subprocess.run([*TAP, "--config", file], capture_output=True, check=True).stdout


# The table


def install(loader: Loader) -> str:
    """Install a loader in an environment of its own; return its version, or an empty text if it does not install."""
    programs = TOOLS / "uv" / "bin"
    uv = [str(programs / "python"), str(PROJECT / "requirements" / "index.py"), str(programs / "uv")]
    python = ["--python", str(loader.folder)]
    with tempfile.TemporaryDirectory() as folder:
        override = Path(folder, "override.txt")
        override.write_text("\n".join(loader.override), encoding="utf-8")
        wanted = [*python, "--override", str(override), loader.package, *loader.with_]
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--no-project", str(loader.folder)], check=True)
        if subprocess.run([*uv, "pip", "install", "--quiet", *wanted], check=False, capture_output=True).returncode:
            return ""
    shown = subprocess.run([*uv, "pip", "show", *python, loader.package], capture_output=True, text=True, check=True)
    version: str = re.findall(r"^Version: (\S+)$", shown.stdout, re.MULTILINE)[0]
    return version


def types(loader: Loader) -> tuple[dict[str, str], str]:
    """Ask for the type of every column; return those of each kind, and what `dueDate` is called."""
    asked = columns()
    answers, name = loader.ask(loader.probe + ASK, given={"specs": asked})
    found: dict[str, set[str]] = defaultdict(set)
    for spec, answer in zip(asked, answers, strict=True):
        found[kind_of(spec)].add(f"`{answer}`")
    return {kind: " or ".join(sorted(names)) for kind, names in found.items()}, name


def judged(type_: str, stored: Mapping[str, str] | None, amounts: Mapping[str, str]) -> str:
    """Say whether amounts are exact: by what is stored, or else by the type."""
    if stored is not None:
        for bill, text in amounts.items():
            if Decimal(stored[bill]) != Decimal(text):
                return f"{type_}: **not exact**, `{text}` is stored as `{stored[bill]}`"
        return f"{type_}: exact"
    if re.search("FLOAT|DOUBLE", type_):
        return f"{type_}: **not exact**, a binary number of about 15 digits"
    return f"{type_}: exact{'' if 'DECIMAL' in type_ else ', as text'}"


def row_of(loader: Loader, input_: Mapping[bool, bytes], amounts: Mapping[str, str]) -> tuple[str, ...]:
    """Try one loader; return its row of the table.

    Raises:
        RuntimeError: if it does not load, or loses a row.
    """
    version = install(loader)
    if not version:
        return (loader.package, *[""] * 5, loader.quirks, "does not install")
    found, name = types(loader)
    stored: dict[bool, Stored] = {}
    how = "type map only"
    if loader.load:
        for decimal, lines in input_.items():
            with tempfile.TemporaryDirectory() as folder:
                stored[decimal] = loader.load(loader, lines, Path(folder))
            if stored[decimal].rows != (rows := lines.count(b'"type":"RECORD"')):
                raise RuntimeError(f"{loader.package}: {rows} rows were sent and {stored[decimal].rows} are stored.")
        how = f"loaded, {stored[False].rows} rows"
    number, text = (
        judged(found[kind], stored[decimal].amounts if stored else None, amounts)
        for kind, decimal in (("number", False), (FORMAT, True))
    )
    nested = found["array"] + (f"; {judged('amounts inside', stored[True].nested, amounts)}" if stored else "")
    objects = f"{found['object']}; arrays {nested}" if found["object"] != found["array"] else nested
    times = f"{found['date']}, {found['date-time']}"
    return (f"{loader.package} {version}", number, text, times, objects, f"`{name}`", loader.quirks, how)


HEAD = (
    "Loader",
    "Amounts",
    "Amounts with `use_singer_decimal`",
    "Dates, times",
    "Objects and arrays",
    "`dueDate` is called",
    "What else",
    "How it was tried",
)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return what the page shows."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEAD, ["---"] * len(HEAD), *rows)]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    tried = f"Tried on {datetime.now(UTC).date()} with Python {python}; every column of every table was asked for."
    return "\n".join([tried, "", *lines, ""])


def main() -> int:
    """Try every loader, and write the table."""
    company = Company(seed=7, bills=25)
    amounts = sent(company)
    with tempfile.TemporaryDirectory() as folder, Emulator(company=company, spend_limit=0) as emulator:
        input_ = {decimal: messages(emulator, Path(folder), decimal=decimal) for decimal in (False, True)}
    rows = []
    for loader in LOADERS:
        rows.append(row_of(loader, input_, amounts))
        print(" | ".join(rows[-1]), flush=True)
    PAGE.write_text(PLACE.sub(lambda _: table(rows), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
