"""Build the project's Python environments from the pinned lists beside this file.

`make` runs it with nothing but the standard library: `python requirements/install.py dev meltano plugins`. What is
there already and still fits is left alone, so a second run takes a moment. What stands after `--try` may fail.

uv fills the environments in seconds. It does not read pip's settings, so wherever pip has an index of its own, and
whenever uv fails for any reason, pip does the same work.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "requirements"
TOOLS = ROOT / ".tools"

VARIABLES = os.environ | {
    "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
    "PIP_USER": "0",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_SYSTEM_CERTS": "true",
}
NOTHING_ARRIVES = ("No matching distribution", "connection broken", "Connection refused", "Failed to fetch")
NO_CONNECTION = "Retrying (Retry("


class InstallError(Exception):
    """An environment could not be built; the message says which and why, in plain words."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment of this project."""

    name: str
    folder: Path
    program: str
    """What it is for; when this is there, so is the rest."""
    editable: bool = False
    """Whether it also holds the project itself."""

    @property
    def pins(self) -> Path:
        """The exact version of every package."""
        return PINS / f"{self.name}.txt"

    def depends_on(self) -> str:
        """Return everything that, when it changes, asks for a new environment."""
        return self.pins.read_text() + (project_metadata() if self.editable else "")

    def with_pip(self) -> list[list[str]]:
        """Return the commands that build it with pip. The lists are complete, so nothing needs to be resolved."""
        pip = [str(self.folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        return [
            [sys.executable, "-m", "venv", "--clear", str(self.folder)],
            [*pip, "install", "--no-deps", "--no-compile", "--retries", "2", "--requirement", str(self.pins)],
            *([[*pip, "install", "--no-deps", "--no-build-isolation", "--editable", "."]] if self.editable else []),
            [*pip, "check"],
        ]

    def with_uv(self, uv: str) -> list[list[str]]:
        """Return the commands that build it with uv."""
        here = ["--python", str(self.folder / "bin" / "python")]
        install = [uv, "pip", "install", "--no-deps", *here]
        return [
            [uv, "venv", "--clear", "--no-project", "--python", sys.executable, str(self.folder)],
            [*install, "--requirement", str(self.pins)],
            *([[*install, "--no-build-isolation", "--editable", "."]] if self.editable else []),
            [uv, "pip", "check", *here],
        ]


@dataclass(frozen=True)
class Plugins(Environment):
    """Meltano's environments for the tap and the loader: Meltano builds them, with pip or uv, from our versions."""

    name: str = "plugins"
    folder: Path = ROOT / ".meltano"
    program: str = "extractors/tap-bill/venv/bin/tap-bill"
    command: tuple[str, ...] = field(default=(str(TOOLS / "meltano" / "bin" / "meltano"), "install", "--clean"))

    def depends_on(self) -> str:
        """Return everything that, when it changes, asks for a new installation."""
        lines = (ROOT / "meltano.yml").read_text().splitlines()
        wanted = [line for line in lines if "pip_url:" in line or "backend:" in line]
        return "\n".join([self.pins.read_text(), project_metadata(), *wanted])

    def _meltano(self, backend: str, constraint: str) -> list[list[str]]:
        pins = self.pins.relative_to(ROOT)  # pip and uv split these variables at spaces, which ROOT may have
        state = f"MELTANO_DATABASE_URI=sqlite:///{TOOLS}/install.db"
        return [["env", f"MELTANO_VENV_BACKEND={backend}", f"{constraint}={pins}", state, *self.command]]

    def with_pip(self) -> list[list[str]]:
        """Return the command that has Meltano use pip."""
        return self._meltano("virtualenv", "PIP_CONSTRAINT")

    def with_uv(self, uv: str) -> list[list[str]]:
        """Return the command that has Meltano use uv; it brings its own."""
        del uv
        return self._meltano("uv", "UV_CONSTRAINT")


UV = Environment("uv", TOOLS / "uv", "bin/uv")
ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment("dev", ROOT / ".venv", "bin/pytest", editable=True),
        Environment("meltano", TOOLS / "meltano", "bin/meltano"),
        Plugins(),
        Environment("singer-tools", TOOLS / "singer-tools", "bin/singer-check-tap"),
    )
}


def project_metadata() -> str:
    """Return the parts of pyproject.toml that an installation depends on."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return json.dumps([document["build-system"], document["project"]])


def fingerprint(environment: Environment) -> str:
    """Return what changes whenever the environment has to be built anew, also when this folder has moved."""
    parts = [sys.version, str(ROOT), repr(environment.with_pip()), environment.depends_on()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def stamp(environment: Environment) -> Path:
    """Return the file that remembers from what the environment was built."""
    return TOOLS / f"{environment.name}.stamp"


def log_of(environment: Environment) -> Path:
    """Return the file with everything that pip, uv and Meltano said."""
    return TOOLS / f"{environment.name}.log"


def is_ready(environment: Environment) -> bool:
    """Tell whether nothing needs to be done."""
    remembered = stamp(environment)
    program = environment.folder / environment.program
    return program.exists() and remembered.exists() and remembered.read_text() == fingerprint(environment)


def succeed(commands: list[list[str]], log: IO[str]) -> bool:
    """Run commands quietly until one fails."""
    for command in commands:
        print("$", *command, file=log, flush=True)
        run = subprocess.run(
            command, cwd=ROOT, env=VARIABLES, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
        )
        if run.returncode != 0:
            return False
    return True


def build(environment: Environment, uv: str | None) -> bool:
    """Build one environment; tell whether uv did it.

    Raises:
        InstallError: if neither uv nor pip could.
    """
    stamp(environment).unlink(missing_ok=True)
    with log_of(environment).open("w") as log:
        by_uv = bool(uv) and succeed(environment.with_uv(uv or ""), log)
        if not by_uv and not succeed(environment.with_pip(), log):
            raise InstallError(explain(environment))
    stamp(environment).write_text(fingerprint(environment))
    return by_uv


def explain(environment: Environment) -> str:
    """Say in one or two lines what went wrong, judged by the log."""
    text = log_of(environment).read_text(errors="replace")
    if any(sign in text for sign in NOTHING_ARRIVES):
        why = "pip could not fetch a package. Is the package index reachable from here (network, proxy, pip.conf)?"
    else:
        errors = [line.strip() for line in text.splitlines() if "error" in line.lower()]
        why = errors[-1] if errors else "the installation stopped."
    folder, where = (path.relative_to(ROOT) for path in (environment.folder, log_of(environment)))
    return f"{folder} could not be filled: {why}\nEverything that pip said is in {where}."


def find_uv() -> str | None:
    """Get uv, unless pip has an index of its own, which uv would not know.

    Raises:
        InstallError: if there is no connection at all, so that there is no need to try anything else.
    """
    if not is_ready(UV):
        try:
            build(UV, None)
        except InstallError:
            if NO_CONNECTION in log_of(UV).read_text(errors="replace"):
                raise
            return None
    python = UV.folder / "bin" / "python"
    settings = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    own_index = any(name in settings.stdout for name in (".index-url", ".no-index", ".index_url", ".no_index"))
    return None if own_index else str(UV.folder / UV.program)


def build_missing(names: list[str], optional: list[str]) -> None:
    """Build the environments that are not there yet, one after the other.

    Raises:
        InstallError: if one that is not optional cannot be built.
    """
    wanted = [environment for name in names if not is_ready(environment := ENVIRONMENTS[name])]
    uv = find_uv() if wanted else None
    for environment in wanted:
        print(f"Setting up {environment.folder.relative_to(ROOT)} ...", end=" ", flush=True)
        started = time.monotonic()
        try:
            if not build(environment, uv):
                uv = None  # what failed once would fail again, perhaps after a long wait
        except InstallError as error:
            print("failed.", flush=True)
            if environment.name not in optional:
                raise
            print(f"{error}\nWhat needs it will be skipped.", file=sys.stderr)
        else:
            print(f"{time.monotonic() - started:.0f} s", flush=True)


def main(arguments: list[str]) -> int:
    """Build what is asked for and missing."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        print(
            f"{sys.executable} lacks the venv module, which keeps tap-bill's packages apart from yours.\n"
            "Install it (Debian and Ubuntu: apt install python3-venv), or: make PYTHON=/path/to/another/python3",
            file=sys.stderr,
        )
        return 1
    cut = arguments.index("--try") if "--try" in arguments else len(arguments)
    optional = arguments[cut + 1 :]
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two makes at once the second waits, then finds everything in place
        try:
            build_missing(arguments[:cut] + optional, optional)
        except InstallError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
