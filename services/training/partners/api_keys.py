"""How partners authenticate: the digest of an API key is looked up and compared. Next: chassis/access/callers.py.

A key that was looked up is believed for a few seconds, so that a burst of calls costs one look-up; the limit of the setting
keeps the promise that a revocation works within five seconds.
"""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict

from chassis import clock
from chassis.access import api_keys
from chassis.access.callers import Caller, not_authenticated
from services.training.partners.api_key_rules import valid
from services.training.partners.store import KeyOfPartner, PartnerStore

_REMEMBERED = 4096  # keys


class PartnerKeys:
    """Implements chassis.access.callers.ApiKeys."""

    def __init__(self, store: PartnerStore, pepper: bytes, cache_seconds: float) -> None:
        self._store = store
        self._pepper = pepper
        self._cache_seconds = cache_seconds
        self._looked_up: OrderedDict[str, tuple[float, KeyOfPartner | None]] = OrderedDict()

    async def caller(self, key: str) -> Caller:
        """The key's partner and scopes.

        Raises NotAuthenticated for a key that is wrong, expired, revoked, or of a partner that has ended. A suspended partner
        is let in, since its running classes go on.
        """
        kid = api_keys.kid_of(key)
        if kid is None:
            raise not_authenticated()
        stored = await self._look_up(kid)
        # Compared even for an unknown kid, so that the time taken does not tell which part was wrong.
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

    async def _look_up(self, kid: str) -> KeyOfPartner | None:
        known = self._looked_up.get(kid)
        if known is not None and time.monotonic() - known[0] < self._cache_seconds:
            return known[1]
        # Taken before the read, so that an answer is never older than its time says.
        asked = time.monotonic()
        stored = await self._store.api_key(kid)
        self._looked_up[kid] = (asked, stored)
        self._looked_up.move_to_end(kid)
        if len(self._looked_up) > _REMEMBERED:
            self._looked_up.popitem(last=False)
        return stored
