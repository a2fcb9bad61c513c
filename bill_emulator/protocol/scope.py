"""What the layers of the server leave for each other in the ASGI scope, and which paths are whose."""

from __future__ import annotations

ROOT = "/connect/v3"
"""Everything of BILL's lives below this."""

TOKEN_PATH = "/authx/token"
"""Where access tokens are issued, below the host or below `/connect`."""

TOKEN_PLACES = {"connect": "/connect" + TOKEN_PATH, "host": TOKEN_PATH, "nowhere": ""}
"""The places that it may have."""

CONTROL = "/control"
"""The emulator's own route."""

ORGANIZATION = "bill_emulator.organization"
"""Whose request it is; empty where nobody knows."""

TOKEN = "bill_emulator.token"
"""The access token of a request, which may have ended; None where it has none that is known."""

APP = "bill_emulator.app"
"""The client id of the app that sends a request, or asks for a token; empty where there is none."""

TRANSPORT = "bill_emulator.transport"
"""The connection, so that a fault can break it."""

OVER = "bill_emulator.over"
"""What to call when a request is over without the end of an answer."""


def is_control(path: str) -> bool:
    """Whether a path is the emulator's own, so that BILL has nothing to do with it."""
    return path == CONTROL or path.startswith(CONTROL + "/")
