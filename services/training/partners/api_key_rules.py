"""R9: a partner's API keys. Two are valid at most, so that one can replace the other; none exceeds its maker's scopes.

Rules see a key's public id (kid) and digest, never its secret: so the stored reply of an idempotent request can't hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, get_args

from chassis.calendar import JAKARTA, jakarta_day
from chassis.errors import FieldError, invalid
from chassis.writing.decision import Documents, Outcome
from services.training.actor import Actor
from services.training.changes import TypedChanges
from services.training.documents import ApiKey, ApiKeyScope
from services.training.partners.refusals import REFUSALS, unknown_api_key
from services.training.partners.rules import visible_partner
from services.training.policy import Rules
from services.training.refusals import not_yours

SCOPES: Final[tuple[ApiKeyScope, ...]] = get_args(ApiKeyScope)
KEYS_AT_ONCE: Final = 2


def valid(key: ApiKey, now: datetime) -> bool:
    """Whether calls with the key are let in: it is neither revoked nor past its last day."""
    return key["revoked_at"] is None and key["expires_at"] > now


def expiry_problems(expires_on: date | None, today: date, most_days: int) -> list[FieldError]:
    """A key's last day lies ahead, and not too far."""
    if expires_on is None or today < expires_on <= today + timedelta(days=most_days):
        return []
    return [REFUSALS.failing("expires_on", "R9.key_expiry", days=most_days)]


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """Store a new key's digest. The use case gives the secret to the caller after the commit."""

    partner_id: str
    kid: str
    digest: str
    scopes: tuple[str, ...]
    expires_on: date
    actor: Actor
    rules: Rules

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound, Invalid for `expires_on`, Conflict for an ended partner or a third key, Forbidden for scopes.

        Replies {kid, scopes, expires_on}.
        """
        changes = TypedChanges(documents)
        partner = visible_partner(changes, self.partner_id, self.actor)
        if partner["status"] == "ended":
            raise REFUSALS.refused("partner_id", "R9.partner_ended")
        if not self.actor.staff and not set(self.scopes) <= self.actor.scopes:
            raise not_yours()
        if errors := expiry_problems(self.expires_on, jakarta_day(now), self.rules.api_key_days):
            raise invalid(*errors)
        kept = [key["_id"] for key in changes.api_keys(partner["kids"]) if key is not None and valid(key, now)]
        if len(kept) >= KEYS_AT_ONCE:
            raise REFUSALS.refused("partner_id", "R9.two_keys")
        key: ApiKey = {
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
        changes.write_api_key(key)
        changes.write_partner({**partner, "kids": [*kept, self.kid]})
        return Outcome({"kid": self.kid, "scopes": key["scopes"], "expires_on": key["expires_on"]}, changes.writes())


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """A key ends now. To revoke it again changes nothing: the first revocation's time stays."""

    partner_id: str
    kid: str
    actor: Actor

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Raises NotFound, Forbidden for a key with scopes that the caller's own key lacks. Replies {kid, revoked}."""
        changes = TypedChanges(documents)
        partner = visible_partner(changes, self.partner_id, self.actor)
        key = changes.api_key(self.kid)
        if key is None or key["partner_id"] != self.partner_id:
            raise unknown_api_key()
        # A stolen key with few scopes must not be able to revoke the keys on which its institution works.
        if not self.actor.staff and not set(key["scopes"]) <= self.actor.scopes:
            raise not_yours()
        if key["revoked_at"] is None:
            changes.write_api_key({**key, "revoked_at": now, "revoked_by": self.actor.id})
            changes.write_partner({**partner, "kids": [kid for kid in partner["kids"] if kid != self.kid]})
        return Outcome({"kid": self.kid, "revoked": True}, changes.writes())
