"""A partner's API keys: two at most, so that one can be rotated; scopes never wider than the maker's own.

The secret never comes here: rules see its kid and its digest. So the stored reply of an idempotent request can't hold it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from chassis.calendar import JAKARTA, jakarta_day
from chassis.documents import Document
from chassis.errors import invalid, not_found
from chassis.writing.changes import Changes
from chassis.writing.decision import Documents, Outcome
from services.training.documents import API_KEYS, PARTNERS
from services.training.partners.rules import unknown, visible
from services.training.policy import Actor, Rules
from services.training.refusals import failing, not_yours, refused

SCOPES: Final = ("trainings:write", "enrolments:write", "attendance:write", "activities:write", "assessments:write")
KEYS_AT_ONCE: Final = 2


def valid(key: Mapping[str, Any], now: datetime) -> bool:
    """Whether it opens the door: neither revoked nor past its last day."""
    return key["revoked_at"] is None and bool(key["expires_at"] > now)


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """Store a new key's digest; the use case hands the secret to its owner after the commit."""

    partner_id: str
    kid: str
    digest: str
    scopes: tuple[str, ...]
    expires_on: date
    actor: Actor
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound, Conflict for an ended partner or a third key, Forbidden for scopes that the maker lacks."""
        changes = Changes(documents)
        partner = changes.get(PARTNERS, self.partner_id)
        if partner is None or not visible(partner, self.actor):
            raise unknown()
        if partner["status"] == "ended":
            raise refused("partner_id", "R9.partner_ended")
        if not self.actor.staff and not set(self.scopes) <= self.actor.scopes:
            raise not_yours()
        today = jakarta_day(now)
        if not today < self.expires_on <= today + timedelta(days=self.rules.api_key_days):
            raise invalid(failing("expires_on", "R9.key_expiry", days=self.rules.api_key_days))
        kept = [
            kid
            for kid, key in zip(partner["kids"], changes.get_many(API_KEYS, partner["kids"]), strict=True)
            if key is not None and valid(key, now)
        ]
        if len(kept) >= KEYS_AT_ONCE:
            raise refused("partner_id", "R9.two_keys")
        key_document: Document = {
            "_id": self.kid,
            "partner_id": self.partner_id,
            "digest": self.digest,
            "scopes": sorted(self.scopes),
            "expires_on": self.expires_on.isoformat(),
            # Valid through its last day in Jakarta.
            "expires_at": datetime.combine(self.expires_on + timedelta(days=1), time(), JAKARTA),
            "revoked_at": None,
            "created_by": self.actor.id,
            "created_at": now,
        }
        changes.write(API_KEYS, key_document)
        changes.write(PARTNERS, {**partner, "kids": [*kept, self.kid]})
        reply = {"kid": self.kid, "scopes": key_document["scopes"], "expires_on": key_document["expires_on"]}
        return Outcome(reply, changes.writes())


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """A key ends now. Again: nothing more happens."""

    partner_id: str
    kid: str
    actor: Actor

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound, Forbidden for a key with scopes that the caller's own key lacks."""
        changes = Changes(documents)
        partner = changes.get(PARTNERS, self.partner_id)
        if partner is None or not visible(partner, self.actor):
            raise unknown()
        key = changes.get(API_KEYS, self.kid)
        if key is None or key["partner_id"] != self.partner_id:
            raise not_found("Kunci API", "API key")
        # A device's narrow key, once stolen, must not be able to lock its institution out.
        if not self.actor.staff and not set(key["scopes"]) <= self.actor.scopes:
            raise not_yours()
        if key["revoked_at"] is None:
            changes.write(API_KEYS, {**key, "revoked_at": now, "revoked_by": self.actor.id})
            changes.write(PARTNERS, {**partner, "kids": [kid for kid in partner["kids"] if kid != self.kid]})
        return Outcome({"kid": self.kid, "revoked": True}, changes.writes())
