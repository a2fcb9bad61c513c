"""What the layers of the server leave for each other in the ASGI scope, and which paths are whose."""

from __future__ import annotations

ROOT = "/connect/v3"
"""Everything of BILL's lives below this."""

CONTROL = "/control"
"""The emulator's own route."""

ORGANIZATION = "bill_emulator.organization"
"""Whose request it is; empty where nobody knows."""

TRANSPORT = "bill_emulator.transport"
"""The connection, so that a fault can break it."""

OVER = "bill_emulator.over"
"""What to call when a request is over without the end of an answer."""


def is_control(path: str) -> bool:
    """Whether a path is the emulator's own, so that BILL has nothing to do with it."""
    return path == CONTROL or path.startswith(CONTROL + "/")
