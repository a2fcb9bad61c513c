"""The pipeline as a user runs it, `meltano run tap-bill target-postgres dbt-postgres:build`, against an emulator."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from demo.warehouse import Warehouse

PROJECT = Path(__file__).resolve().parents[1]
MELTANO = PROJECT / ".tools" / "meltano" / "bin" / "meltano"
DBT = PROJECT / ".meltano" / "utilities" / "dbt-postgres" / "installed"
"""Is there if dbt runs here; dbt 1.11 does not on Python 3.14."""

USERNAME, PASSWORD, DEVELOPER_KEY = "demo-sync-token", "demo-sync-token-value", "demo-developer-key"
SPEND_TOKEN = "demo-spend-token"  # noqa: S105 - invented

PATIENCE = 15.0
"""Seconds that a program may take to stop once it is asked to."""


class PipelineError(Exception):
    """A program of the pipeline failed; the message says which."""


@contextlib.contextmanager
def emulator(log: Path, *, bills: int, seed: int = 7) -> Iterator[dict[str, str]]:
    """Run the BILL emulator as a process; give the variables with which the tap reads it.

    Irregularities are planted in its company, for the controls of dbt_bill to find.

    Args:
        log: the file to which the emulator's messages go.
        bills: the size of its company.
        seed: which company it invents.

    Raises:
        PipelineError: if it does not start.
    """
    command = [sys.executable, "-m", "bill_emulator", "--port", "0", "--bills", str(bills), "--seed", str(seed)]
    command += ["--username", USERNAME, "--password", PASSWORD, "--dev-key", DEVELOPER_KEY]
    command += ["--spend-token", SPEND_TOKEN, "--irregularities"]
    with log.open("ab") as messages, running(command, stdout=subprocess.PIPE, stderr=messages) as process:
        words = process.stdout.readline().decode().split() if process.stdout else []
        if words[:3] != ["BILL", "emulator", "ready:"]:
            raise PipelineError("The BILL emulator did not start.")
        yield {
            "TAP_BILL_API_URL": words[3],
            "TAP_BILL_ORGANIZATION_ID": words[5],
            "TAP_BILL_USERNAME": USERNAME,
            "TAP_BILL_PASSWORD": PASSWORD,
            "TAP_BILL_DEV_KEY": DEVELOPER_KEY,
            "TAP_BILL_SPEND_API_TOKEN": SPEND_TOKEN,
        }


def loader(postgres: Warehouse) -> dict[str, str]:
    """Give the variables with which target-postgres finds a warehouse."""
    return {"TARGET_POSTGRES_SQLALCHEMY_URL": postgres.sqlalchemy_url}


def dbt(postgres: Warehouse, folder: Path, *, as_of: date) -> dict[str, str]:
    """Give the variables with which dbt finds a warehouse, and leaves its results in `folder/dbt`.

    Args:
        postgres: the warehouse.
        folder: where there is place for what dbt writes.
        as_of: the day that agings and forecasts are reckoned on.
    """
    return {
        "DBT_POSTGRES_HOST": str(postgres.folder),
        "DBT_POSTGRES_SCHEMA": "analytics",
        "DBT_POSTGRES_VARS": json.dumps({"bill_as_of": as_of.isoformat()}),
        "DBT_TARGET_PATH": str(folder / "dbt"),
        "DBT_LOG_PATH": str(folder / "dbt"),
        "DBT_LOG_LEVEL_FILE": "none",  # what it prints is in Meltano's log
    }


def meltano(*arguments: str, variables: Mapping[str, str], state: Path, log: Path) -> None:
    """Run Meltano in this project, apart from the settings and bookmarks that its user may have here.

    Args:
        arguments: what stands after `meltano`.
        variables: settings of the tap, the loader and dbt.
        state: the folder that keeps Meltano's database with the bookmarks.
        log: the file to which Meltano's messages go.

    Raises:
        PipelineError: if Meltano fails.
    """
    own = ("TAP_BILL_", "TARGET_POSTGRES_", "MELTANO_", "DBT_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    environment |= {
        **variables,
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
        "MELTANO_DATABASE_URI": f"sqlite:///{state / 'meltano.db'}",
        "NO_COLOR": "1",
    }
    no_secrets = state / "empty.env"
    no_secrets.touch()
    command = [str(MELTANO), "--env-file", str(no_secrets), *arguments]
    with log.open("ab") as messages, running(command, env=environment, stdout=messages, stderr=messages) as process:
        if process.wait() != 0:
            raise PipelineError(f"`meltano {' '.join(arguments)}` failed.")


@contextlib.contextmanager
def dbt_parse(variables: Mapping[str, str], log: Path) -> Iterator[None]:
    """Let dbt read its models while the tap reads BILL; `dbt build` with the same variables need not do it again.

    Args:
        variables: those of `dbt()`. One that Meltano sets otherwise costs the time that this saves, and nothing else.
        log: the file to which dbt's messages go.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")} | {**variables}
    environment |= {"DBT_PROJECT_DIR": str(PROJECT / "dbt_bill"), "DBT_PROFILES_DIR": str(PROJECT / "dbt_bill")}
    command = [str(DBT.parent / "venv" / "bin" / "dbt"), "--quiet", "parse", "--vars", variables["DBT_POSTGRES_VARS"]]
    with log.open("ab") as messages, running(command, env=environment, stdout=messages, stderr=messages):
        yield


@contextlib.contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in the project's folder; at the end, however it comes, nothing of it runs any more."""
    # A session of its own: Ctrl-C reaches us alone, and we end the program and its children in good order.
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the program and its children to stop; insist after a while."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
