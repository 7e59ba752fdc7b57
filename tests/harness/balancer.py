"""A small HTTP balancer: requests go, in turn, to replicas whose `/health/ready` says yes.

It tries another replica only when a connection is refused, since nothing was sent then. Every other failure ends the client's
connection: only the client knows whether its request may be sent again. Without a ready replica it answers 503.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

LOOK_SECONDS = 0.2
_LOOK_PATIENCE = 1.0
_NOBODY = b'{"code": "unavailable"}'
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Backend:
    """A replica: its public and its internal port."""

    port: int
    internal_port: int


@dataclass
class Balancer:
    """One service's door. `backends()` are its replicas now; `ready` those of them that take requests."""

    backends: Callable[[], Sequence[Backend]]
    port: int = 0
    ready: list[Backend] = field(default_factory=list)
    _turn: count[int] = field(default_factory=count)
    _idle: dict[int, list[_Connection]] = field(default_factory=dict)
    _clients: set[asyncio.StreamWriter] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Balancer]:
        """Listen on a free port until the end of the `with` block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        looking = asyncio.create_task(self._look())
        try:
            yield self
        finally:
            looking.cancel()
            server.close()
            for writer in [*self._clients, *(writer for idle in self._idle.values() for _, writer in idle)]:
                writer.close()
            with contextlib.suppress(asyncio.CancelledError):
                await looking

    async def _look(self) -> None:
        while True:
            backends = list(self.backends())
            ready = await asyncio.gather(*(_is_ready(backend.internal_port) for backend in backends))
            self.ready = [backend for backend, yes in zip(backends, ready, strict=True) if yes]
            await asyncio.sleep(LOOK_SECONDS)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while True:
                request, _ = await _message(reader)
                writer.write(await self._forward(request))
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass  # the client went away, or what became of its request is unknown: it hears nothing
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _forward(self, request: bytes) -> bytes:
        turn, ready = next(self._turn), list(self.ready)
        for number in range(len(ready)):
            backend = ready[(turn + number) % len(ready)]
            try:
                connection = await self._connection(backend.port)
            except OSError:
                if backend in self.ready:  # until the next look finds it well again
                    self.ready.remove(backend)
                continue
            return await self._exchange(backend.port, connection, request)
        return b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: %d\r\n\r\n" % len(_NOBODY) + _NOBODY

    async def _connection(self, port: int) -> _Connection:
        idle = self._idle.setdefault(port, [])
        while idle:
            reader, writer = idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", port)

    async def _exchange(self, port: int, connection: _Connection, request: bytes) -> bytes:
        reader, writer = connection
        try:
            writer.write(request)
            answer, keep = await _message(reader)
        except BaseException:
            writer.close()
            raise
        if keep:
            self._idle[port].append(connection)
        else:
            writer.close()
        return answer


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """A request or an answer with its body, and whether the connection stays open."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    return head + body, fields.get("connection") != "close"


async def _is_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(_LOOK_PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /health/ready HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
