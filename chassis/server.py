"""The HTTP server: uvicorn, with signals left to the lifecycle and each reply in one piece."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.settings import Settings

_ARRIVAL_SECONDS, _ARRIVAL_BYTES = 30.0, 64 * 1024  # for the head, and for each so many bytes of a body
_HEAD_LIMIT = 512 * 1024  # more than any proxy lets through; what a body left in the same packet counts too


class Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: the lifecycle stops the parts in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `should_exit`. Raises OSError when the port can't be had: uvicorn itself would end the whole process
        there and then, whatever its other parts were doing."""
        own = _bound(self.config.host, self.config.port)
        try:
            await super().serve([*(sockets or ()), own])
        finally:
            own.close()


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen()  # here, since two may bind, but only one listens
    except OSError as error:
        found.close()
        raise OSError(error.errno, f"can't listen on {host}:{port}: {error.strerror}") from None
    return found


def server(app: FastAPI, settings: Settings, port: int) -> Server:
    """A server for one port; `await server.serve()` runs it."""
    return Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=port,
            http=_Protocol,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=15,
            timeout_keep_alive=30,
            backlog=4096,
            server_header=False,
            forwarded_allow_ips=",".join(settings.trusted_proxies) or "127.0.0.1",
            proxy_headers=bool(settings.trusted_proxies),
        )
    )


class _Joined:
    """The part of a transport that uvicorn uses, where writes of one turn of the event loop leave together.

    uvicorn writes a reply's head and body apart: two system calls and two packets, a tenth of a small reply's time.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._call_soon = asyncio.get_running_loop().call_soon
        self._pending = b""

    def write(self, data: bytes) -> None:
        """Keep the first piece for the one that follows at once; what comes alone leaves with the next turn of the loop."""
        if self._pending:
            self._pending = b"".join((self._pending, data))
            self._flush()
        else:
            self._pending = bytes(data)  # a caller may use its buffer again
            self._call_soon(self._flush)

    def _flush(self) -> None:
        pending, self._pending = self._pending, b""
        if pending and not self._transport.is_closing():
            self._transport.write(pending)

    def close(self) -> None:
        """Send what is left, then close."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is on its way out."""
        return self._transport.is_closing()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection over."""
        self._flush()
        self._transport.set_protocol(protocol)


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on how long a request may take to arrive and how long its head may be.

    uvicorn waits for ever: a thousand connections that send a byte now and then would use up all that a process may open.
    """

    _deadline: asyncio.TimerHandle | None = None
    _received = _received_before = _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self.transport = _Joined(transport)  # type: ignore[assignment] # all that uvicorn calls of it
        self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_LIMIT:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        self._in_head = True
        if self._deadline is None:
            self._hurry()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._arrived()
        super().on_message_complete()

    def _hurry(self) -> None:
        self._received_before = self._received
        self._deadline = self.loop.call_later(_ARRIVAL_SECONDS, self._late)

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        """Not all is here in time. A large body may take longer as long as it comes, and when we are slow ourselves."""
        ours = self.flow.read_paused or (self.cycle and not self.cycle.response_complete and not self.cycle.more_body)
        if ours or (not self._in_head and self._received - self._received_before >= _ARRIVAL_BYTES):
            self._hurry()
        else:
            self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        self._arrived()
        if not (self.cycle and self.cycle.response_started and not self.cycle.response_complete):
            self.transport.write(b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % status)
        self.transport.close()
