"""A uvicorn server in a background thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from starlette.types import ASGIApp


_PATIENCE = 1.0
"""Seconds that answers under way may take to end when the server stops."""


class _Server(uvicorn.Server):
    """Starts and stops at once: uvicorn itself looks ten times a second whether it is to stop."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def main_loop(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._leave.wait()

    def leave(self) -> None:
        """Stop; may be called from any thread, once it is ready."""
        self._loop.call_soon_threadsafe(self._leave.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn gives them
        for server in self.servers:
            server.close()
        for connection in [*self.server_state.connections]:
            connection.shutdown()
        if tasks := {*self.server_state.tasks}:
            _, late = await asyncio.wait(tasks, timeout=_PATIENCE)
            for task in late:
                task.cancel()
        for server in self.servers:
            await server.wait_closed()


class Running:
    """One server thread."""

    def __init__(self, application: ASGIApp, address: tuple[str, int]) -> None:
        listener = _listen(address)
        name = listener.getsockname()
        self.address: tuple[str, int] = (name[0], name[1])
        ready = threading.Event()
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            date_header=False,
            server_header=False,
            lifespan="off",
            ws="none",
        )
        self._server = _Server(config, ready)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="bill-emulator", daemon=True
        )
        self._thread.start()
        if not ready.wait(30):
            raise RuntimeError("the emulator did not start")

    def stop(self) -> None:
        """Ask the thread to end, and wait for it."""
        self._server.leave()
        self._thread.join()


def _listen(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    # Naming the protocol makes asyncio send small answers at once; otherwise each waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
