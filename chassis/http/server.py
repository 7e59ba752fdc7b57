"""The HTTP server: uvicorn, with signals left to the lifecycle and limits on how requests arrive."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis import clock
from chassis.http import problems
from chassis.settings import Settings

_ARRIVAL_SECONDS, _ARRIVAL_BYTES = 30.0, 64 * 1024  # for the head, and for each so many bytes of a body
_CHECK_TICKS = 20  # of a tenth of a second
_HEAD_LIMIT = 512 * 1024  # more than any proxy lets through; what a body left in the same packet counts too


class Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: the lifecycle stops the parts in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    def draining(self) -> None:
        """Answer from now on with `Connection: close`, so that clients' connections move elsewhere one by one."""
        close = (b"connection", b"close")
        self.config.encoded_headers = [*self.config.encoded_headers, close]
        self.server_state.default_headers = [*self.server_state.default_headers, close]

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if counter % _CHECK_TICKS == 0:
            self.check_arrivals(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def check_arrivals(self, now: float) -> None:
        """Let clients go whose requests don't arrive in time."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Protocol):
                connection.check_arrival(now)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `should_exit`.

        Raises OSError when the port can't be had: uvicorn itself would end the whole process there and then, whatever its other
        parts were doing.
        """
        own = _bound(self.config.host, self.config.port)
        try:
            await super().serve([*(sockets or ()), own])
        finally:
            own.close()


def _bound(host: str, port: int) -> socket.socket:
    found = None
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # Of a name with several addresses the one that others mean: localhost is 127.0.0.1.
        family, kind, protocol, _, address = min(places, key=lambda place: place[0] != socket.AF_INET)
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen()  # here, since two may bind, but only one listens
    except OSError as error:
        if found is not None:
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


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on how long a request may take to arrive and how long its head may be.

    uvicorn waits for ever: a thousand connections that send a byte now and then would use up all that a process may open.
    """

    _since: float | None = None  # when we began to wait for what isn't here yet; None: all is
    _received = 0  # bytes of it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        scope = self.scope
        HttpToolsProtocol.data_received(self, data)
        in_head = self._in_head()
        here = not in_head and not self.cycle.more_body
        if here or self.scope is not scope:  # a new request has begun
            self._since, self._received = None, 0
        if here:
            return
        if self._since is None:
            self._since = self.loop.time()
        self._received += len(data)
        if in_head and self._received > _HEAD_LIMIT:
            self._refuse(431)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text, which is plain and in English
        """Whatever the parser refuses."""
        self._refuse(400)

    def check_arrival(self, now: float) -> None:
        """Let the client go if what it began isn't here in time.

        A large body may take longer as long as it comes, and whatever it is when we are slow ourselves.
        """
        if self._since is None or now - self._since < _ARRIVAL_SECONDS:
            return
        cycle = self.cycle
        ours = self.flow.read_paused or (cycle is not None and not cycle.response_complete and not cycle.more_body)
        if ours or (not self._in_head() and self._received >= _ARRIVAL_BYTES):
            self._since, self._received = now, 0
        else:
            self._refuse(408)

    def _in_head(self) -> bool:
        """Whether a request has begun whose head isn't complete; or none has yet."""
        return self.cycle is None or self.cycle.scope is not self.scope

    def _refuse(self, status: int) -> None:
        self._since = None
        if self.transport.is_closing():
            return
        # Not within a reply, nor behind one that was given before its request was here.
        if self.cycle is None or (self.cycle.response_complete if self._in_head() else not self.cycle.response_started):
            request_id = clock.new_id("req")
            body = problems.raw(status, request_id)
            head = (
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nconnection: close\r\nx-request-id: {request_id}\r\n"
                f"content-type: {problems.MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()
