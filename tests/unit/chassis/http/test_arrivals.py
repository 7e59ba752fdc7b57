"""Requests that take long to arrive, or never do: each client has its time, and no more."""

from __future__ import annotations

import pytest

from tests.unit.chassis.wire import Connection, parsed

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
    closing = [client.wire.closing]
    client.check(after=31.0)
    closing.append(client.wire.closing)
    assert closing == [False, True]
    assert [status for status, _ in client.left()] == [*answered, 408]
    client.protocol.connection_lost(None)
    await client.served()
    client.check(after=99.0)
    assert client.wire.done[-1] == "close"


async def test_the_server_looks_after_its_connections(client: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself, every two seconds."""
    monkeypatch.setattr("chassis.http.server._ARRIVAL_SECONDS", 0.0)
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
    monkeypatch.setattr("chassis.http.server._ARRIVAL_BYTES", 10)
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
    assert await client.replies() == [(204, b""), (200, b"satu lagi")]


async def test_a_connection_left_behind_a_refusal(client: Connection) -> None:
    """The rest of the form never comes: the connection closes in time, and nothing more is said."""
    client.protocol.data_received(b"DELETE /satu HTTP/1.1\r\nHost: service\r\nContent-Length: 9\r\n\r\n")
    await client.served()
    client.protocol.data_received(b"late")
    client.check(after=99.0)
    assert client.wire.done[1:] == ["close"]


async def test_many_small_requests_in_large_packets(client: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent ahead of their replies, cut anywhere: no head of them is long."""
    monkeypatch.setattr("chassis.http.server._HEAD_LIMIT", 200)
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
    assert [status for status, _ in client.left()] == [431]
