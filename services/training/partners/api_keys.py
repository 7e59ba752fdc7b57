"""Partners' API keys at the door: finds the digest, compares, and says who calls. Next: chassis/access/callers.py.

What was looked up is believed for three seconds at most, so that a revocation works in five and a burst of calls costs one
look-up.
"""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict

from chassis import clock
from chassis.access import api_keys
from chassis.access.callers import Caller, not_authenticated
from chassis.documents import Document
from services.training.partners.key_rules import valid
from services.training.store import Store

_REMEMBERED = 4096


class PartnerKeys:
    """Implements chassis.auth.ApiKeys."""

    def __init__(self, store: Store, pepper: bytes, cache_seconds: float) -> None:
        self._store = store
        self._pepper = pepper
        self._cache_seconds = cache_seconds
        self._looked_up: OrderedDict[str, tuple[float, Document | None]] = OrderedDict()

    async def caller(self, key: str) -> Caller:
        """The key's partner and scopes; raises NotAuthenticated for a key that is wrong, over, revoked or of an ended partner."""
        kid = api_keys.kid_of(key)
        if kid is None:
            raise not_authenticated()
        stored = await self._look_up(kid)
        # Compared even for an unknown kid, so that the time taken says nothing about which part was wrong.
        given = api_keys.digest(key, self._pepper)
        matches = hmac.compare_digest(given, stored["digest"] if stored else "0" * len(given))
        if stored is None or not matches or not valid(stored, clock.now()) or stored["partner_status"] == "ended":
            raise not_authenticated()
        partner_id = stored["partner_id"]
        return Caller(
            id=f"partner:{partner_id}",
            roles=frozenset({"partner"}),
            partner_id=partner_id,
            scopes=frozenset(stored["scopes"]),
        )

    async def _look_up(self, kid: str) -> Document | None:
        known = self._looked_up.get(kid)
        if known is not None and time.monotonic() - known[0] < self._cache_seconds:
            return known[1]
        asked = time.monotonic()  # before the read: the answer is never older than we think
        stored = await self._store.api_key(kid)
        self._looked_up[kid] = (asked, stored)
        self._looked_up.move_to_end(kid)
        if len(self._looked_up) > _REMEMBERED:
            self._looked_up.popitem(last=False)
        return stored
