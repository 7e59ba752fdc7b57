"""A TCP proxy before a broker that knows Kafka's frames: it can hold back the answers to Produce requests, and nothing else.

A frame is four bytes of length, then for a request its api key (2 bytes), version (2) and correlation id (4), for an answer the
correlation id. A broker answers the requests of a connection in their order, so on a connection where a Produce is held back what
was asked behind it waits too, as it does behind a broker that is slow; clients ask for metadata on connections of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PRODUCE = 0
_LENGTH = 4


class KafkaProxy:
    """Listens on one port, speaks to the broker on another. `delay(seconds)`, then `flow()`."""

    def __init__(self, port: int, broker_port: int) -> None:
        self.held = 0
        """Answers that were held back for the whole delay."""
        self._port = port
        self._broker_port = broker_port
        self._delay = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[KafkaProxy]:
        """Listen until the end of the `with` block."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        try:
            yield self
        finally:
            server.close()
            self.flow()
            serving = [task for task in self._open.values() if task is not None]
            for writer in self._open:
                writer.close()  # its two directions end with it
            if serving:
                await asyncio.wait(serving, timeout=5)

    def delay(self, seconds: float) -> None:
        """From now on hold back each acknowledgement for so long."""
        self._delay = seconds
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through, at once also what is held back."""
        self._delay = 0.0
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = asyncio.current_task()
        try:
            broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        except OSError:  # the broker is down: so are we, for this client
            writer.close()
            del self._open[writer]
            return
        produces: dict[int, float] = {}
        directions = [
            asyncio.create_task(self._requests(reader, broker_writer, produces)),
            asyncio.create_task(self._answers(broker_reader, writer, produces)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)  # one side closed: close the other
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            writer.close()
            broker_writer.close()
            del self._open[writer]

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, produces: dict[int, float]) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                frame = await _frame(reader)
                if int.from_bytes(frame[4:6]) == _PRODUCE:
                    produces[int.from_bytes(frame[8:12])] = time.monotonic()
                writer.write(frame)
                await writer.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, produces: dict[int, float]) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                frame = await _frame(reader)
                asked = produces.pop(int.from_bytes(frame[4:8]), None)
                if asked is not None and self._delay:
                    await self._hold(asked + self._delay - time.monotonic())
                writer.write(frame)
                await writer.drain()

    async def _hold(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._flowing.wait(), max(0.0, seconds))
        except TimeoutError:
            self.held += 1


async def _frame(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(_LENGTH)
    return length + await reader.readexactly(int.from_bytes(length))
