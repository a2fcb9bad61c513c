"""What is here needs neither a server nor a process; a test that starts one belongs to ../server or ../process."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest


@pytest.fixture(autouse=True)
def nothing_is_started(monkeypatch):
    def refuse(*_, **__):
        pytest.fail("A unit test starts neither a server nor a process: see the table in tests/conftest.py.")

    for owner, name in ((socket.socket, "bind"), (subprocess.Popen, "__init__"), (os, "fork")):
        monkeypatch.setattr(owner, name, refuse)
