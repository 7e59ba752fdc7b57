"""An app called in process: no port, no server, the whole of the HTTP face."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2


@asynccontextmanager
async def client_of(app: Any, address: str = "203.0.113.7") -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an ASGI app; an error that the app answers with 500 isn't raised here."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1234))
    async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client
