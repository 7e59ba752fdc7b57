"""What leaves on a client's connection: each reply in one packet, nothing held back, nothing lost, all in order."""

from __future__ import annotations

import asyncio
import inspect
import re
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http import httptools_impl

from chassis.server import _Joined, _Protocol, server
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
        """One packet, whether the connection still takes it or not."""
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
        """Status and body, where each reply is one packet."""
        return list(map(parsed, await self.served()))


def parsed(reply: bytes) -> tuple[int, bytes]:
    """Status and body of one reply."""
    head, body = reply.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), body


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Connection]:
    """A client, who hangs up in the end."""
    connection = Connection()
    yield connection
    connection.protocol.connection_lost(None)


@pytest.mark.parametrize(("method", "reply"), [("GET", (200, b"satu")), ("HEAD", (200, b"")), ("DELETE", (204, b""))])
async def test_a_reply_is_one_packet(client: Connection, method: str, reply: tuple[int, bytes]) -> None:
    """Head and body come together; a head without a body doesn't wait for one. So does the next on the same connection."""
    client.send(f"{method} /satu HTTP/1.1")
    assert await client.replies() == [reply]
    client.send("GET /dua HTTP/1.1")
    assert await client.replies() == [reply, (200, b"dua")]


async def test_a_slow_export_begins_at_once(client: Connection) -> None:
    """The first line takes long: the client has the head meanwhile; then every line comes, once and in order."""
    client.send("GET /lines HTTP/1.1")
    await asyncio.wait_for(client.wire.left.wait(), PATIENCE)
    assert list(map(parsed, client.wire.packets)) == [(200, b"")]
    client.go.set()
    assert parsed(b"".join(await client.served())) == (200, b"".join(b"2\r\n%d\n\r\n" % n for n in range(5)) + b"0\r\n\r\n")


@pytest.mark.parametrize("first", ["GET", "HEAD"])
async def test_requests_sent_ahead_are_answered_in_their_order(client: Connection, first: str) -> None:
    """Two requests in one packet: the replies come one after the other, and the client is held off meanwhile."""
    client.send(f"{first} /satu HTTP/1.1", "Host: service", "", "GET /dua HTTP/1.1")
    assert await client.replies() == [(200, b"satu" if first == "GET" else b""), (200, b"dua")]
    assert [what for what in client.wire.done if isinstance(what, str)] == ["pause", "resume"]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("GET /satu HTTP/1.1", (200, b"satu")),
        ("HEAD /satu HTTP/1.1", (200, b"")),
        ("DELETE /satu HTTP/1.1", (204, b"")),
        ("garbage", (400, b"Invalid HTTP request received.")),
    ],
)
async def test_a_last_reply_leaves_before_the_connection_closes(client: Connection, line: str, reply: tuple[int, bytes]) -> None:
    """A client that wants no more, or doesn't speak HTTP: it has the whole reply first, and the connection closes once."""
    client.send(line, "Connection: close")
    assert await client.replies() == [reply]
    assert client.wire.done[1:] == ["close"]


async def test_a_client_that_asks_before_it_sends(client: Connection) -> None:
    """`Expect: 100-continue`: the go-ahead comes though the reply can't yet, or both would wait for ever."""
    client.send("POST /satu HTTP/1.1", "Content-Length: 5", "Expect: 100-continue")
    await asyncio.wait_for(client.wire.left.wait(), PATIENCE)
    assert list(map(parsed, client.wire.packets)) == [(100, b"")]
    client.protocol.data_received(b" lagi")
    assert parsed(b"".join((await client.served())[1:])) == (200, b"satu lagi")


async def test_a_request_for_a_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are none here, even if somebody installs a library for them: it is answered like any other request."""
    monkeypatch.setattr("uvicorn.protocols.websockets.auto.AutoWebSocketsProtocol", asyncio.Protocol)
    client = Connection()
    client.send("GET /satu HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    assert await client.replies() == [(200, b"satu")]


@pytest.mark.parametrize(("proxies", "seen"), [("", CLIENT[0]), ("192.0.2.1", CLIENT[0]), (CLIENT[0], "198.51.100.1")])
async def test_a_forwarded_address_is_believed_only_of_our_own_proxies(proxies: str, seen: str) -> None:
    """Anybody can send the header; only a trusted proxy's counts."""
    connection = Connection(trusted_proxies=proxies.split())
    connection.send("GET /whence HTTP/1.1", "X-Forwarded-For: 198.51.100.1", "Connection: close")
    assert await connection.replies() == [(200, seen.encode())]


SILENCE: list[str] = []
HALF_A_HEAD = ["POST /satu HTTP/1.1\r\nContent-Le"]
HALF_A_BODY = ["POST /satu HTTP/1.1\r\nHost: service\r\nContent-Length: 100\r\n\r\n", "half"]
HALF_A_SECOND_HEAD = ["GET /satu HTTP/1.1\r\nHost: service\r\n\r\n", "GET /du"]


@pytest.mark.parametrize(
    ("sent", "answered"),
    [(SILENCE, []), (HALF_A_HEAD, []), (HALF_A_BODY, []), (HALF_A_SECOND_HEAD, [200])],
    ids=["nothing", "half a head", "half a body", "half a second head"],
)
async def test_a_request_that_never_arrives(client: Connection, sent: list[str], answered: list[int]) -> None:
    """A thousand such clients would use up all connections: each is told so after a while, and let go."""
    for piece in sent:
        client.protocol.data_received(piece.encode())
        if "GET" in piece and piece.endswith("\r\n\r\n"):
            await client.served()
    client.check(after=29.0)
    assert not client.wire.closing
    client.check(after=31.0)
    assert client.wire.closing
    assert [parsed(packet)[0] for packet in client.wire.packets] == [*answered, 408]
    client.protocol.connection_lost(None)
    await client.served()
    client.check(after=99.0)
    assert client.wire.done[-1] == "close"


async def test_the_server_looks_after_its_connections(client: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself, every two seconds."""
    monkeypatch.setattr("chassis.server._ARRIVAL_SECONDS", 0.0)
    await client.server.on_tick(1)
    assert not client.wire.closing
    await client.server.on_tick(20)
    assert client.wire.closing


async def test_who_is_answered_is_not_hurried(client: Connection) -> None:
    """The request is here: how long we take for it, and how long the client takes until the next one, is another matter."""
    client.send("GET /lines HTTP/1.1")
    client.check(after=99.0)
    client.go.set()
    assert parsed(b"".join(await client.served()))[0] == 200
    client.check(after=99.0)
    client.protocol.data_received(b"GET /satu HTTP/1.1\r\nHost: service\r\n\r\nGET /du")
    client.check(after=99.0)  # the first is at work while half of the second is here
    assert not client.wire.closing


async def test_a_large_file_over_a_slow_line(client: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """An officer's file takes minutes: as long as enough of it comes in each half minute, nobody cuts it off."""
    monkeypatch.setattr("chassis.server._ARRIVAL_BYTES", 10)
    client.send("POST /satu HTTP/1.1", "Content-Length: 25")
    for number, piece in enumerate((b" 123456789", b" 123456789"), start=1):
        client.protocol.data_received(piece)
        client.check(after=31.0 * number)
        assert not client.wire.closing
    client.protocol.data_received(b" last")
    assert parsed(b"".join(await client.served())) == (200, b"satu 123456789 123456789 last")


async def test_a_form_that_comes_after_its_refusal(client: Connection) -> None:
    """The service answers without reading the form; what comes of it later starts no clock for the request behind it."""
    client.protocol.data_received(b"DELETE /satu HTTP/1.1\r\nHost: service\r\nContent-Length: 4\r\n\r\n")
    await client.served()
    client.protocol.data_received(b"late")
    assert client.protocol._since is not None
    client.protocol._since -= 29.0  # so long ago
    client.protocol.data_received(b"POST /satu HTTP/1.1\r\nHost: service\r\nContent-Length: 5\r\n\r\n")
    client.check(after=20.0)
    client.protocol.data_received(b" lagi")
    assert [parsed(packet) for packet in await client.served()] == [(204, b""), (200, b"satu lagi")]


async def test_a_connection_left_behind_a_refusal(client: Connection) -> None:
    """The rest of the form never comes: the connection closes in time, and nothing more is said."""
    client.protocol.data_received(b"DELETE /satu HTTP/1.1\r\nHost: service\r\nContent-Length: 9\r\n\r\n")
    await client.served()
    client.protocol.data_received(b"late")
    client.check(after=99.0)
    assert client.wire.done[1:] == ["close"]


async def test_many_small_requests_in_large_packets(client: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent ahead of their replies, cut anywhere: no head of them is long."""
    monkeypatch.setattr("chassis.server._HEAD_LIMIT", 200)
    sent = b"GET /satu HTTP/1.1\r\nHost: service\r\n\r\n" * 40
    for first in range(0, len(sent), 100):
        client.protocol.data_received(sent[first : first + 100])
    assert await client.replies() == [(200, b"satu")] * 40


async def test_a_head_without_end(client: Connection) -> None:
    """Header after header: refused long before it fills the memory."""
    client.protocol.data_received(b"GET /satu HTTP/1.1\r\n")
    for _ in range(1000):
        client.protocol.data_received(b"X-More: " + b"x" * 1000 + b"\r\n")
        if client.wire.closing:
            break
    assert [parsed(packet)[0] for packet in client.wire.packets] == [431]


@given(st.lists(st.none() | st.binary(max_size=4)))
async def test_whatever_the_rhythm(steps: list[bytes | None]) -> None:
    """Pieces (and turns of the event loop between them) in any order: each leaves once, in order, by the next turn; no more
    than the last one is held back, so that a client that reads slowly slows the writer down; the end waits for all."""
    wire, sent = Wire(), b""
    joined = _Joined(wire)
    for step in steps:
        if step is None:
            await asyncio.sleep(0)
        else:
            joined.write(step)
            sent += step
        left = b"".join(wire.packets)
        assert sent.startswith(left)
        assert len(sent) - len(left) <= len(step or b"")
    joined.close()
    assert b"".join(wire.packets) == sent
    joined.write(b"too late")
    await asyncio.sleep(0)
    assert wire.done[-1] == "close"


async def test_a_connection_that_breaks_within_a_turn() -> None:
    """The head was said, and the other side is gone before it could leave: neither it nor what follows is written."""
    wire = Wire()
    joined = _Joined(wire)
    joined.write(b"head")
    wire.closing = True
    assert joined.is_closing()
    joined.write(b"body")
    await asyncio.sleep(0)
    joined.close()
    assert wire.done == ["close"]


async def test_a_connection_that_is_handed_over() -> None:
    """What was said by the one leaves before the other has the word."""
    wire, other = Wire(), asyncio.Protocol()
    joined = _Joined(wire)
    joined.write(b"last words")
    joined.set_protocol(other)
    await asyncio.sleep(0)
    assert wire.done == [b"last words", other]


async def test_this_uvicorn_asks_nothing_more_of_a_connection(client: Connection) -> None:
    """After an upgrade of uvicorn: if it calls what a joined connection doesn't have, it fails here and not in production.

    It hands the connection to two others: the reply, in the same file, and a WebSocket's protocol, of which we have none.
    """
    assert [type(client.protocol), type(client.protocol.transport)] == [_Protocol, _Joined]
    source = inspect.getsource(httptools_impl)
    called = set(re.findall(r"self\.transport\.(\w+)\(", source))
    assert called >= {"write", "close", "is_closing"}
    assert [name for name in called if not callable(getattr(_Joined, name, None))] == []
    others = [line.strip() for line in source.splitlines() if re.search(r"self\.transport\b(?!\.\w+\(| = |: )", line)]
    assert sorted(others) == ["protocol.connection_made(self.transport)", "transport=self.transport,"]


def test_signals_are_left_to_the_lifecycle() -> None:
    """SIGTERM stops the parts in order: the server doesn't take it for itself."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with server(FastAPI(), Settings(), 8100).capture_signals():
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
