"""The only place that reads the clock and draws ids. Rules take both as arguments."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.random_bytes import RANDOM

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Random bytes to characters: 248 of the 256 values map four to each of the 62 characters, the other 8 are dropped.
_TABLE = bytes(_ALPHABET[value % 62] for value in range(256))
_DROPPED = bytes(range(248, 256))


def now() -> datetime:
    """The time, UTC, to the millisecond: what MongoDB stores, so that a value read back equals the one written."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def new_id(prefix: str) -> str:
    """A random public id such as `jkp_4Yq0pV7sT2mXb1Zk`: no order to be guessed from, 65 bits of its own.

    Its first 5 characters are shared with the ids of this kind that the process draws within the same second, 256 at most, and
    are random themselves. So what is written together lies together in every index (docs/decisions/0012).
    """
    return f"{prefix}_{_neighbourhood(prefix).shared}{_characters(_OWN)}"


_SHARED, _OWN = 5, 11  # characters of an id
_NEIGHBOURS, _NEIGHBOURHOOD_SECONDS = 256, 1.0


@dataclass(slots=True)
class _Neighbourhood:
    """Where the ids of one kind lie at the moment."""

    shared: str
    until: float  # on the monotonic clock
    left: int  # ids


_neighbourhoods: dict[str, _Neighbourhood] = {}


def _neighbourhood(prefix: str) -> _Neighbourhood:
    moment = time.monotonic()
    found = _neighbourhoods.get(prefix)
    if found is None or found.left <= 0 or moment >= found.until:
        found = _neighbourhoods[prefix] = _Neighbourhood(_characters(_SHARED), moment + _NEIGHBOURHOOD_SECONDS, _NEIGHBOURS)
    found.left -= 1
    return found


def _characters(count: int) -> str:
    drawn = b""
    while len(drawn) < count:
        drawn += RANDOM.take(24).translate(_TABLE, _DROPPED)
    return drawn[:count].decode()
