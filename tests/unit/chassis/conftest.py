"""What the chassis' unit tests share: settings without servers, and apps in process."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chassis.settings import Settings
from tests.unit.chassis.wire import Connection

KEY = base64.b64encode(b"k" * 32).decode()
DummySettings = Callable[..., Any]


@pytest.fixture
def dummy(tmp_path: Path) -> DummySettings:
    """`dummy(kind, **changes)`: settings that name no server anybody listens on, and keys that protect nothing."""

    def make(kind: type[Settings] = Settings, **changes: Any) -> Settings:
        given: dict[str, Any] = {
            "mongodb_url": "mongodb://127.0.0.1:1/?replicaSet=rs0",
            "kafka_bootstrap_servers": "127.0.0.1:1",
            "vault_master_keys": {"1": KEY},
            "blind_index_pepper": KEY,
            "api_key_pepper": KEY,
            "idempotency_pepper": KEY,
            "development_issuer_key_file": str(tmp_path / "issuer.pem"),
        }
        return kind(**{**given, **changes})

    return make


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Connection]:
    """A client of the server, without the network, who hangs up in the end."""
    connection = Connection()
    yield connection
    connection.protocol.connection_lost(None)
