"""The README's quick start, followed word for word in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import socketserver
import subprocess
import threading

from readme import PROJECT, README

from demo.pipeline import MELTANO


def follow(folder, values):
    """Do what the quick start says, with a user's own values for its variables; return what is printed."""
    written = blocks()
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
    return run.stdout + run.stderr


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
