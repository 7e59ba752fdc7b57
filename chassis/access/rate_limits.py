"""Limits for callers who can't be told apart but by their address, and for those whose credentials don't hold.

All replicas of a service count together. A replica takes a part of a limit at a time from the shared count, so that most
requests cost no look at the database and no limit is ever exceeded; while the database is away each replica counts alone.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, Protocol

from limits import parse

from chassis import logs
from chassis.errors import TooMany
from chassis.settings import Settings

log = logs.get(__name__)
Kind = Literal["reads", "writes", "failures", "known-nik"]
_PARTS = 30  # of a limit, that replicas take one at a time; a limit below is taken one by one
_REMEMBERED = 20_000  # addresses


class Counts(Protocol):
    """The counts that all replicas share."""

    async def add(self, key: str, amount: int, expires_at: float) -> int | None:
        """Add to a count, which is forgotten at `expires_at`; returns the sum, or None while it can't be had."""
        ...


class OwnCounts:
    """The counts of one process."""

    def __init__(self) -> None:
        self._sums: OrderedDict[str, int] = OrderedDict()

    async def add(self, key: str, amount: int, expires_at: float) -> int | None:  # noqa: ARG002 - the oldest are forgotten
        """Add to a count; returns the sum."""
        return self.add_now(key, amount)

    def add_now(self, key: str, amount: int) -> int:
        """As `add`, which asks nobody."""
        self._sums[key] = total = self._sums.pop(key, 0) + amount
        if len(self._sums) > _REMEMBERED:
            self._sums.popitem(last=False)
        return total


@dataclass(frozen=True, slots=True)
class _Limit:
    amount: int
    seconds: int
    part: int


@dataclass(slots=True)
class _Standing:
    """What one process knows of a limit in one window: how many calls it may still let in, and the count that all share."""

    left: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a limit after a call, as the headers RateLimit and RateLimit-Policy tell it."""

    kind: str
    amount: int
    seconds: int
    left: int
    reset: int

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """As in the draft "RateLimit header fields for HTTP" of the IETF's httpapi group."""
        return [
            (b"ratelimit-policy", f'"{self.kind}";q={self.amount};w={self.seconds}'.encode()),
            (b"ratelimit", f'"{self.kind}";r={self.left};t={self.reset}'.encode()),
        ]


class RateLimits:
    """Counts calls in fixed windows."""

    def __init__(self, settings: Settings, counts: Counts) -> None:
        self._counts = counts
        self._own = OwnCounts()
        # An address is personal data: the shared count knows it by a keyed hash only.
        self._pepper = base64.b64decode(settings.idempotency_pepper.get_secret_value())
        self._limits: dict[Kind, _Limit] = {
            "reads": _limit(settings.anonymous_read_rate),
            "writes": _limit(settings.anonymous_rate),
            "failures": _limit(settings.failed_credential_rate),
            "known-nik": _limit(settings.known_nik_rate),
        }
        self._standings: OrderedDict[str, _Standing] = OrderedDict()

    async def count(self, kind: Kind, who: str) -> Remaining:
        """Count one call of an address or a caller; raises TooMany beyond the limit, with what remains as `headers`."""
        limit, now = self._limits[kind], time.time()
        window = int(now // limit.seconds)
        ends = (window + 1) * limit.seconds
        key = f"{kind}:{window}:{hmac.digest(self._pepper, network_of(who).encode(), 'sha256').hex()}"
        standing = self._standings.setdefault(key, _Standing())
        if len(self._standings) > _REMEMBERED:
            self._standings.popitem(last=False)
        if not standing.left and standing.total < limit.amount:
            await self._take(key, limit, standing, ends)
        allowed = standing.left > 0
        standing.left -= allowed
        reset = max(1, int(ends - now) + 1)
        left = max(0, limit.amount - standing.total) + standing.left
        remaining = Remaining(kind, limit.amount, limit.seconds, left, reset)
        if not allowed:
            raise TooMany(reset, remaining.headers)
        return remaining

    async def _take(self, key: str, limit: _Limit, standing: _Standing, ends: int) -> None:
        shared = await self._counts.add(key, limit.part, ends)
        total = self._own.add_now(key, limit.part) if shared is None else shared
        standing.left += min(limit.part, max(0, limit.part - (total - limit.amount)))
        standing.total = max(standing.total, total)


def _limit(text: str) -> _Limit:
    item = parse(text)
    return _Limit(item.amount, item.get_expiry(), max(1, item.amount // _PARTS))


def network_of(address: str) -> str:
    """Whom an address counts for: an IPv6 address for its /64, which one subscriber has to themselves, IPv4 for itself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
