"""R9: partners and the states they go through. Their contact person is personal data: sealed, and never in an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.documents import Document
from chassis.errors import NotFound, not_found
from chassis.writing.decision import Documents, Outcome, Write
from contracts import training as events
from contracts.envelope import Payload
from services.training.documents import PARTNERS
from services.training.policy import Actor
from services.training.refusals import refused, stale

TRANSITIONS: Final[Mapping[tuple[str, str], type[Payload]]] = {
    ("applied", "verified"): events.PartnerVerified,
    ("verified", "active"): events.PartnerActivated,
    ("active", "suspended"): events.PartnerSuspended,
    ("suspended", "active"): events.PartnerActivated,
    ("active", "ended"): events.PartnerEnded,
    ("suspended", "ended"): events.PartnerEnded,
}


@dataclass(frozen=True, slots=True)
class ApplyAsPartner:
    """An institution asks to become a partner. `sealed` holds the contact's ciphertexts, `key` the wrapped key."""

    partner_id: str
    name: str
    kind: str
    approval_required: bool
    key: Mapping[str, object]
    sealed: Mapping[str, bytes]

    def decide(self, documents: Documents, now: datetime) -> Outcome:  # noqa: ARG002 - the form of every rule
        """Anyone may apply; nothing follows from it until an admin has looked."""
        partner: Document = {
            "_id": self.partner_id,
            "name": self.name,
            "kind": self.kind,
            "status": "applied",
            "approval_required": self.approval_required,
            "key": dict(self.key),
            "sealed": dict(self.sealed),
            "kids": [],
            "created_at": now,
        }
        event = events.PartnerApplied.model_validate(facts(partner))
        return Outcome({"partner_id": self.partner_id, "status": "applied"}, (Write(PARTNERS, partner, (event,)),))


@dataclass(frozen=True, slots=True)
class ChangePartnerStatus:
    """An admin moves a partner on; the reason is kept with the partner and not published."""

    partner_id: str
    to: str
    reason: str
    actor: Actor
    if_match: int | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """R9's table; raises NotFound, Stale, Conflict."""
        partner = documents.get(PARTNERS, self.partner_id)
        if partner is None:
            raise unknown()
        if self.if_match is not None and partner["version"] != self.if_match:
            raise stale()
        event = TRANSITIONS.get((partner["status"], self.to))
        if event is None:
            raise refused("to", "R9.transition", was=partner["status"], to=self.to)
        after = {
            **partner,
            "status": self.to,
            "changed": {"by": self.actor.id, "at": now, "reason": self.reason},
        }
        reply = {"partner_id": self.partner_id, "status": self.to, "version": partner["version"] + 1}
        return Outcome(reply, (Write(PARTNERS, after, (event.model_validate(facts(partner)),)),))


def facts(partner: Mapping[str, Any]) -> dict[str, Any]:
    """What every partner event says."""
    return {"partner_id": partner["_id"], "kind": partner["kind"]}


def visible(partner: Mapping[str, Any] | None, actor: Actor) -> bool:
    """To admins, and to the partner itself."""
    return partner is not None and (actor.staff or actor.partner_id == partner["_id"])


def unknown() -> NotFound:
    """No such partner, or not yours: the two look the same."""
    return not_found("Mitra", "Partner")
