"""Running emulators for the emulator's own tests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from emulator_client import Client

from bill_emulator import Clock, Company, Emulator
from bill_emulator.__main__ import main

NOW = datetime(2026, 7, 1, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.fixture(scope="session")
def usual():
    """The usual company behind one shared server: look, do not touch."""
    with Emulator(company=Company(seed=7, bills=250), clock=Clock(NOW, frozen=True)) as running:
        yield running


@pytest.fixture(scope="session")
def reader(usual):
    """A client signed in to the usual company."""
    client = Client(usual).login()
    yield client
    client.close()


@pytest.fixture(scope="session")
def both():
    """The two kinds of cursors over one smaller company: {kind: (emulator, client)}; look, do not touch."""
    company = Company(seed=7, bills=60)
    with Emulator(company=company, cursor="offset") as one, Emulator(company=company, cursor="keyset") as two:
        clients = {"offset": (one, Client(one).login()), "keyset": (two, Client(two).login())}
        yield clients
        for _, client in clients.values():
            client.close()


@pytest.fixture(scope="session")
def later():
    """Stops servers while the next test runs already."""
    with ThreadPoolExecutor(2) as executor:
        stopped = []
        yield lambda stop: stopped.append(executor.submit(stop))
        for future in stopped:
            future.result()


@pytest.fixture
def from_shell(later, monkeypatch, capsys):
    """Start the emulator that a command line describes, in this process; answers (emulator, signed-in client)."""
    started = []

    def start(*arguments, sign_in=True):
        made = []

        def emulator(*positional, **options):
            made.append(Emulator(*positional, **options | {"port": 0}))
            raise ValueError("made")

        monkeypatch.setattr("bill_emulator.__main__.Emulator", emulator)
        assert main(["--bills", "40", *arguments]) == 1
        assert capsys.readouterr().err == "bill_emulator: made\n"
        client = Client(made[0].start())
        started.append((made[0], client))
        return made[0], client.login() if sign_in else client

    yield start
    for emulator, client in started:
        client.close()
        later(emulator.stop)


@pytest.fixture
def serve(later):
    """Start an emulator of one's own; answers (emulator, signed-in client)."""
    started = []

    def start(bills=40, **options):
        company = Company(seed=7, bills=bills)
        emulator = Emulator(company=company, clock=Clock(NOW, frozen=True), **options).start()
        client = Client(emulator).login()
        started.append((emulator, client))
        return emulator, client

    yield start
    for emulator, client in started:
        client.close()
        later(emulator.stop)
