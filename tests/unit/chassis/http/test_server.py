"""What leaves on a client's connection: nothing held back, nothing lost, all in order."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest
from fastapi import FastAPI

from chassis.http.server import server
from chassis.settings import Settings
from tests.unit.chassis.wire import CLIENT, PATIENCE, Connection, parsed


@pytest.mark.parametrize(("method", "reply"), [("GET", (200, b"satu")), ("HEAD", (200, b"")), ("DELETE", (204, b""))])
async def test_a_connection_is_kept(client: Connection, method: str, reply: tuple[int, bytes]) -> None:
    """A reply, with a body or without, and then the next one on the same connection."""
    client.send(f"{method} /satu HTTP/1.1")
    assert await client.replies() == [reply]
    client.send("GET /dua HTTP/1.1")
    assert await client.replies() == [reply, (200, b"dua")]


async def test_a_slow_export_begins_at_once(client: Connection) -> None:
    """The first line takes long: the client has the head meanwhile; then every line comes, once and in order."""
    client.send("GET /lines HTTP/1.1")
    await asyncio.wait_for(client.wire.left.wait(), PATIENCE)
    assert client.left() == [(200, b"")]
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
    ],
)
async def test_a_last_reply_leaves_before_the_connection_closes(client: Connection, line: str, reply: tuple[int, bytes]) -> None:
    """A client that wants no more, or doesn't speak HTTP: it has the whole reply first, and the connection closes once."""
    client.send(line, "Connection: close")
    assert await client.replies() == [reply]
    assert client.wire.done[len(client.wire.packets) :] == ["close"]


async def test_a_client_that_does_not_speak_http(client: Connection) -> None:
    """It hears a problem document like everybody else, with an id to ask for, and the connection closes once."""
    client.send("garbage")
    [(status, body)] = await client.replies()
    problem = json.loads(body)
    assert (status, problem["status"], problem["code"]) == (400, 400, "malformed")
    assert problem["request_id"].startswith("req_")
    assert client.wire.done[len(client.wire.packets) :] == ["close"]


async def test_a_client_that_asks_before_it_sends(client: Connection) -> None:
    """`Expect: 100-continue`: the go-ahead comes though the reply can't yet, or both would wait for ever."""
    client.send("POST /satu HTTP/1.1", "Content-Length: 5", "Expect: 100-continue")
    await asyncio.wait_for(client.wire.left.wait(), PATIENCE)
    assert client.left() == [(100, b"")]
    client.protocol.data_received(b" lagi")
    assert await client.replies() == [(100, b""), (200, b"satu lagi")]


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


def test_signals_are_left_to_the_lifecycle() -> None:
    """SIGTERM stops the parts in order: the server doesn't take it for itself."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with server(FastAPI(), Settings(), 8100).capture_signals():
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
