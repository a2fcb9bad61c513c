"""The README's quick start, word for word in an empty folder: real Meltano, real target-postgres, real PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import socketserver
import subprocess
import threading
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace

import psycopg
import pytest
from readme import PROJECT, README

from bill_emulator import Company, Emulator
from demo.pipeline import MELTANO
from demo.warehouse import warehouse
from tap_bill.resources import RESOURCES

DEFAULT = [resource for resource in RESOURCES if resource.is_default]


@contextlib.contextmanager
def port_of(warehouse):
    """A port of this machine that leads to a database which has only a socket, because readers have host and port."""

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    class Connection(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.socket(socket.AF_UNIX) as database:
                database.connect(str(warehouse.folder / ".s.PGSQL.5432"))
                answers = threading.Thread(target=pump, args=(database, self.request))
                answers.start()
                pump(self.request, database)
                answers.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield server.server_address[1]
        server.shutdown()
        serving.join()


def blocks():
    """The code blocks of the quick start, by language."""
    text = README.read_text(encoding="utf-8")
    section = text.partition("\n## Quick start\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert [language for language, _ in found] == ["yaml", "dotenv", "shell", "sql"]
    return dict(found)


def filled_in(dotenv, values):
    """The lines of `.env` with a user's own values."""
    text, count = re.subn(r"^(\w+)='.*'$", lambda line: f"{line[1]}='{values[line[1]]}'", dotenv, flags=re.MULTILINE)
    assert count == len(values)
    return text


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """What is there after the quick start."""
    folder = tmp_path_factory.mktemp("quick-start")
    company = Company(seed=3, bills=25)
    written = blocks()
    with Emulator(company=company, spend_limit=0) as emulator, warehouse() as postgres, port_of(postgres) as port:
        credentials = emulator.oauth_credentials
        values = {
            **{f"TAP_BILL_{name.upper()}": value for name, value in credentials.items()},
            "TAP_BILL_API_URL": emulator.url,
            "TARGET_POSTGRES_HOST": "127.0.0.1",
            "TARGET_POSTGRES_PORT": port,
            "TARGET_POSTGRES_USER": "postgres",
            "TARGET_POSTGRES_PASSWORD": "any",
            "TARGET_POSTGRES_DATABASE": "postgres",
        }
        # Spelt as in this repository's meltano.yml, so that Meltano finds the checkout installed already.
        project, count = re.subn(r"(?<=pip_url: )/path/to/tap-bill\b", "-e .", written["yaml"])
        assert count == 1
        (folder / "meltano.yml").write_text(project, encoding="utf-8")
        (folder / ".env").write_text(filled_in(written["dotenv"], values), encoding="utf-8")
        use_installed_plugins(folder)
        run = subprocess.run(
            ["bash", "-euc", written["shell"]],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        with psycopg.connect(postgres.dsn, autocommit=True) as database:
            yield SimpleNamespace(
                printed=run.stdout + run.stderr, company=company, database=database, secrets=credentials
            )


def use_installed_plugins(folder):
    """Have the tap and the loader where Meltano installs them, to save the minute that this takes."""
    for plugin in ("extractors/tap-bill", "loaders/target-postgres"):
        venv = folder / ".meltano" / plugin / "venv"
        venv.mkdir(parents=True)
        for part in (PROJECT / ".meltano" / plugin / "venv").iterdir():
            (venv / part.name).symlink_to(part)


def environment():
    """The variables of a user who has set nothing but where Meltano is."""
    own = ("TAP_BILL_", "TARGET_POSTGRES_", "MELTANO_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(own)},
        "PATH": f"{MELTANO.parent}{os.pathsep}{os.environ['PATH']}",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
    }


def test_the_check_tries_every_stream_that_is_then_loaded(started):
    assert f"{len(DEFAULT)} of {len(DEFAULT)} streams can be read." in started.printed
    tables = started.database.execute(
        "select table_name from information_schema.tables where table_schema = 'bill'"
    ).fetchall()
    read = [table for resource in DEFAULT for table in resource.tables]
    assert sorted(table for (table,) in tables) == sorted([*read, "sync_audit"])


def test_no_secret_is_printed(started):
    assert started.secrets["client_secret"] not in started.printed


def test_the_first_question_is_answered(started):
    owed, bills = Counter(), Counter()
    for bill in started.company.rows("bills"):
        if not bill["archived"] and bill["dueAmount"]:
            owed[bill["vendorName"]] += bill["dueAmount"]
            bills[bill["vendorName"]] += 1
    largest = sorted(owed.values(), reverse=True)[:10]
    rows = started.database.execute(blocks()["sql"]).fetchall()
    assert [due for _, _, due in rows] == largest
    assert {vendor: (count, due) for vendor, count, due in rows} == {
        vendor: (bills[vendor], owed[vendor]) for vendor, _, _ in rows
    }
    assert all(isinstance(due, Decimal) for _, _, due in rows)
