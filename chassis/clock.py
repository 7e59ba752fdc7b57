"""The only place that reads the clock and draws ids. Rules take both as arguments."""

from __future__ import annotations

import os
from datetime import UTC, datetime

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Random bytes to characters: 248 of the 256 values map four to each of the 62 characters, the other 8 are dropped.
_TABLE = bytes(_ALPHABET[value % 62] for value in range(256))
_DROPPED = bytes(range(248, 256))


def now() -> datetime:
    """The time, UTC, to the millisecond: what MongoDB stores, so that a value read back equals the one written."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def new_id(prefix: str) -> str:
    """A random public id such as `jkp_4Yq0pV7sT2mXb1Zk`: 16 characters, 95 bits, no order to be guessed from."""
    drawn = b""
    while len(drawn) < 16:
        drawn += os.urandom(24).translate(_TABLE, _DROPPED)
    return f"{prefix}_{drawn[:16].decode()}"
