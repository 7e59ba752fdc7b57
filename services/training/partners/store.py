"""Queries on partners and API keys. Every one is by `_id`, so the feature needs no index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from chassis.database.mongo import Mongo
from services.training.documents import API_KEYS, PARTNERS, ApiKey, Partner, PartnerStatus


class KeyOfPartner(ApiKey):
    """An API key together with the status of its partner, as a call with the key needs it."""

    partner_status: PartnerStatus


class PartnerStore:
    """Reads for the use cases, and for the authentication of partners."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def partner(self, partner_id: str) -> Partner | None:
        """One partner."""
        found: Partner | None = await self._mongo[PARTNERS].find_one({"_id": partner_id})
        return found

    async def api_key(self, kid: str) -> KeyOfPartner | None:
        """An API key with its partner's status; None for one that never was."""
        key: ApiKey | None = await self._mongo[API_KEYS].find_one({"_id": kid})
        if key is None:
            return None
        partner = await self.partner(key["partner_id"])
        return {**key, "partner_status": partner["status"] if partner else "ended"}

    async def api_keys(self, kids: Sequence[str]) -> list[ApiKey]:
        """The API keys with these ids, in no order."""
        return cast("list[ApiKey]", await self._mongo.find_by_ids(API_KEYS, kids))
