"""Unit tests open no sockets: whatever needs a server belongs to tests/integration."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection to somewhere; a socketpair (asyncio's own wake-up) connects to nothing and works."""

    def refuse(self: socket.socket, address: Any) -> None:
        self.close()
        if threading.current_thread() is not threading.main_thread():
            # A client that an earlier, integrated test keeps open for the whole run looks for its server in a thread.
            raise ConnectionRefusedError(f"no sockets in unit tests: {address!r}")
        raise AssertionError(f"a unit test tried to connect to {address!r}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
