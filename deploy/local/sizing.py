"""How big the servers of a local stack are, and how long they bear with an open transaction."""

from __future__ import annotations

from dataclasses import dataclass

TRANSACTION_SECONDS = 5
"""MongoDB gives up on a transaction after so long. Until then what a killed process had in hand stays locked: a training, a
consumer's position. The server's own default, 60 s, is a minute of standstill after a crash. Services are told, since their
relays must know how long a commit may still come that began before a sweep."""


@dataclass(frozen=True)
class Sizing:
    """Memory and log sizes, and whether MongoDB may be told to fail."""

    mongodb_cache_gb: float
    mongodb_oplog_mb: int
    kafka_heap_mb: int
    fail_points: bool
    """Lets tests make chosen MongoDB commands fail (`configureFailPoint`)."""
    short_lived: bool = False
    """Kafka starts with half the work, and is slower once it is warm."""


DEFAULT = Sizing(mongodb_cache_gb=1, mongodb_oplog_mb=1024, kafka_heap_mb=512, fail_points=False)
TESTS = Sizing(mongodb_cache_gb=0.5, mongodb_oplog_mb=128, kafka_heap_mb=256, fail_points=True)
