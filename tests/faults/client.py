"""The least HTTP client that a load needs: POST over kept-alive connections, a tenth of a full client's cost.

It never repeats a request by itself: whether an attempt without an answer is tried again is for load.py to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

ATTEMPT_SECONDS = 30.0  # longer than a service tries to commit: what it answers by then is definite


class NoAnswer(Exception):
    """The connection ended, or time did: the request may or may not have been done."""


class Client:
    """One client's connections, one for each port. Requests go one after the other."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def post(self, port: int, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer; raises NoAnswer."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await self._post(port, path, headers, body)
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError) as error:
            await self._close(port)
            raise NoAnswer(repr(error)) from error
        except BaseException:
            await self._close(port)  # cancelled amid an answer: the rest of it must not be taken for the next one
            raise

    async def _post(self, port: int, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        if port not in self._open:
            self._open[port] = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = self._open[port]
        lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        status = int(head[0].split(" ")[1])
        fields = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        answer = await reader.readexactly(int(fields["content-length"]))
        if fields.get("connection") == "close":
            await self._close(port)
        return status, json.loads(answer)

    async def _close(self, port: int) -> None:
        _, writer = self._open.pop(port, (None, None))
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    async def close(self) -> None:
        """Close all connections."""
        for port in list(self._open):
            await self._close(port)
