"""What `make demo` leaves can be looked at, and stays as it is. `test_meltano.py` runs the pipeline itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from demo.query import main
from demo.warehouse import warehouse

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The folder that a demo left, which ran twice."""
    folder = tmp_path_factory.mktemp("demo") / "database"
    for amount in ("1.00", "99999999999.99"):
        with warehouse(keep_in=folder) as postgres, psycopg.connect(postgres.dsn) as connection:
            connection.execute("create schema bill")
            connection.execute('create table bill.bills (id text, "dueAmount" numeric, memo text)')
            connection.execute(
                "insert into bill.bills values ('a', %s, 'two\nlines'), ('b', null, %s)", [amount, "m" * 80]
            )
    return folder


@pytest.fixture
def query(database, monkeypatch, capsys):
    """Ask as `python -m demo.query` does, without the second that Python takes to start; code, output and errors."""

    def ask(text, folder=database):
        monkeypatch.setattr(sys, "argv", ["demo.query", "--database", str(folder), text])
        return main(), *capsys.readouterr()

    return ask


def test_what_the_last_demo_loaded_is_shown_in_columns(database):
    command = [sys.executable, "-m", "demo.query", "--database", database, "select * from bills order by id"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "id  dueAmount       memo",
        f"--  --------------  {'-' * 60}",
        "a   99999999999.99  two lines",
        f"b                   {'m' * 57}...",
        "(2 rows)",
    ]


def test_nothing_that_is_asked_changes_it(query):
    assert query("delete from bills") == (0, "2 rows, changed in a copy only: the database stays as it is.\n", "")
    code, printed, _ = query("select count(*) from bills")
    assert (code, printed.splitlines()[2:]) == (0, ["2", "(1 rows)"])


def test_a_wrong_query_is_answered_in_postgresqls_words(query):
    code, printed, error = query("select nothing from bills")
    assert (code, printed) == (1, "")
    assert error.startswith('column "nothing" does not exist')


def test_there_is_nothing_before_the_first_demo(query, tmp_path):
    assert query("select 1", tmp_path / "database") == (1, "", "There is no database yet: run make demo first.\n")
