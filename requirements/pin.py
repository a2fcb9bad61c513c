"""Turn every requirements/*.in into a *.txt with the exact version of every package: `make pins`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def pin(source: Path) -> None:
    """Install what a list asks for into an empty environment and write down what arrived."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(Path(folder, "bin", "python")), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        empty = installed(pip)
        subprocess.run([*pip, "install", "--no-compile", "--requirement", str(source)], check=True)
        versions = [line for line in installed(pip) if line not in empty]
    reasons = [line.strip() for line in source.read_text().splitlines() if not line.startswith("#")]
    header = [
        f"# Renewed by `make pins` from {source.name}, with Python 3.11. What was asked for, and why:",
        *(f"#   {line}" for line in reasons),
    ]
    target = source.with_suffix(".txt")
    target.write_text("\n".join([*header, "", *versions, ""]))
    print(f"{target.name}: {len(versions)} packages", flush=True)


def installed(pip: list[str]) -> list[str]:
    """Ask pip for `name==version` of all it has, itself included: Meltano needs a newer pip than venv brings."""
    listing = subprocess.run([*pip, "freeze", "--all"], check=True, capture_output=True, text=True)
    return listing.stdout.splitlines()


def main() -> None:
    """Pin the lists named on the command line, or all of them."""
    if sys.version_info[:2] != (3, 11):
        sys.exit("Pin with the oldest supported Python, 3.11: its list also serves the newer ones.")
    os.environ.pop("PIP_CONSTRAINT", None)
    names = sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.in"))
    for name in names:
        pin(HERE / f"{name}.in")


if __name__ == "__main__":
    main()
