"""A client's connection to the server as it is configured in production, without the network."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from chassis.http.server import server
from chassis.settings import Settings

CLIENT = ("203.0.113.7", 4711)
PATIENCE = 5.0  # seconds; nothing here takes that long unless it never comes


class Wire(asyncio.Transport):
    """The connection to one client: writes down what was done to it, in order."""

    def __init__(self) -> None:
        super().__init__({"peername": CLIENT, "sockname": ("127.0.0.1", 8100)})
        self.packets: list[bytes] = []
        self.done: list[Any] = []  # the packets, and what else happened to the connection
        self.closing = False
        self.left, self.closed = asyncio.Event(), asyncio.Event()
        self.pause_reading = lambda: self.done.append("pause")  # type: ignore[method-assign] # a double
        self.resume_reading = lambda: self.done.append("resume")  # type: ignore[method-assign] # a double
        self.set_protocol = self.done.append  # type: ignore[method-assign,assignment] # a double

    def write(self, data: Any) -> None:
        """One packet, whether the connection still takes it or not; nothing is none."""
        if not data:
            return
        self.done.append(bytes(data))
        self.packets.append(bytes(data))
        self.left.set()

    def close(self) -> None:
        """From here on nothing may be written."""
        self.done.append("close")
        self.closing = True
        self.closed.set()

    def is_closing(self) -> bool:
        """Closed by either side."""
        return self.closing


def app(go: asyncio.Event) -> FastAPI:
    """Says a word and what it was sent; tells where a request came from; writes five lines as soon as it may `go` on."""
    made = FastAPI()

    @made.api_route("/{word}", methods=["GET", "HEAD", "POST", "DELETE"])
    async def say(word: str, request: Request) -> Response:
        async def lines() -> AsyncIterator[str]:
            await go.wait()
            for number in range(5):
                yield f"{number}\n"

        if request.method == "DELETE":
            return Response(status_code=204)
        if word == "lines":
            return StreamingResponse(lines())
        said = str(request.client and request.client.host) if word == "whence" else word
        return PlainTextResponse(said + (await request.body()).decode())

    return made


class Connection:
    """A client's connection to the server as it is configured in production, without the network."""

    def __init__(self, **settings: Any) -> None:
        self.go = asyncio.Event()
        self.server = running = server(app(self.go), Settings(**settings), 8100)
        running.config.load()
        made: Any = running.config.http_protocol_class  # uvicorn's startup makes one for each connection
        self.wire = Wire()
        self.protocol = made(config=running.config, server_state=running.server_state, app_state={})
        self.protocol.connection_made(self.wire)
        self.began = asyncio.get_running_loop().time()

    def check(self, after: float) -> None:
        """The server looks after its connections, so many seconds after this one was made."""
        self.server.check_arrivals(self.began + after)

    def send(self, *lines: str) -> None:
        """The head of a request."""
        self.protocol.data_received("\r\n".join([*lines, "Host: service", "", ""]).encode())

    async def served(self) -> list[bytes]:
        """The packets, once all requests so far are dealt with."""
        async with asyncio.timeout(PATIENCE):
            while self.protocol.tasks:
                await asyncio.wait(self.protocol.tasks)
        return self.wire.packets

    async def replies(self) -> list[tuple[int, bytes]]:
        """Status and body of each reply, once all requests so far are dealt with."""
        await self.served()
        return self.left()

    def left(self) -> list[tuple[int, bytes]]:
        """Status and body of each reply, as far as it has left by now."""
        return [parsed(reply) for reply in re.split(rb"(?=HTTP/1\.1 \d{3} )", b"".join(self.wire.packets)) if reply]


def parsed(reply: bytes) -> tuple[int, bytes]:
    """Status and body of one reply."""
    head, body = reply.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), body
