"""The relay's producer, replaced whenever it failed: aiokafka's may never recover, and its `stop()` can hang while Kafka is down.

A producer that is replaced goes on with what it has in flight, is stopped in the background, and is let go if that hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis import logs
from chassis.publishing import kafka
from chassis.publishing.brokers import first_answer
from chassis.settings import Settings

log = logs.get(__name__)
_STOP_SECONDS = 10.0


class Producers:
    """One producer at a time for new sends; those that were replaced wait for their last acknowledgements."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._current: AIOKafkaProducer | None = None
        self._users: dict[AIOKafkaProducer, int] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()

    async def current(self) -> AIOKafkaProducer:
        """The producer to send with, started. Raises KafkaError or TimeoutError while Kafka can't be reached."""
        async with self._starting:
            if self._current is None:
                seconds = self._settings.relay_start_timeout_seconds
                answer = await first_answer(self._settings, seconds / 2)
                if answer is None:
                    raise TimeoutError("no broker answers")
                made = kafka.producer(self._settings, self._client_id, answer.server)
                try:
                    await asyncio.wait_for(made.start(), seconds / 2)
                except BaseException:
                    self._retire(made)
                    raise
                self._current = made
            return self._current

    @contextlib.contextmanager
    def using(self, producer: AIOKafkaProducer) -> Iterator[None]:
        """Count a send that waits for its acknowledgement."""
        self._users[producer] = self._users.get(producer, 0) + 1
        try:
            yield
        finally:
            self._users[producer] -= 1
            if not self._users[producer]:
                del self._users[producer]
                if producer is not self._current:
                    self._retire(producer)

    def replace(self, producer: AIOKafkaProducer) -> None:
        """Send with another producer from now on."""
        if producer is self._current:
            self._current = None
            log.warning("relay_producer_replaced")
            if producer not in self._users:
                self._retire(producer)

    async def close(self) -> None:
        """Stop all; what hangs is let go."""
        if self._current is not None:
            self._retire(self._current)
            self._current = None
        if self._retiring:
            await asyncio.wait(self._retiring, timeout=_STOP_SECONDS)

    def _retire(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(_stop(producer))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), _STOP_SECONDS)
    except (KafkaError, TimeoutError, asyncio.CancelledError, OSError) as error:
        log.warning("producer_abandoned", error=type(error).__name__)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(producer.client.close(), 1.0)
