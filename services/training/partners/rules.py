"""R9: partners and their states. The contact person is personal data: encrypted when it comes here, and in no event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.writing.decision import Documents, Outcome
from contracts import training as events
from contracts.envelope import Payload
from services.training.actor import Actor
from services.training.changes import TypedChanges
from services.training.documents import Partner, PartnerKind, PartnerStatus
from services.training.partners.refusals import REFUSALS, unknown_partner
from services.training.refusals import stale

TRANSITIONS: Final[Mapping[tuple[PartnerStatus, PartnerStatus], type[Payload]]] = {
    ("applied", "verified"): events.PartnerVerified,
    ("verified", "active"): events.PartnerActivated,
    ("active", "suspended"): events.PartnerSuspended,
    ("suspended", "active"): events.PartnerActivated,
    ("active", "ended"): events.PartnerEnded,
    ("suspended", "ended"): events.PartnerEnded,
}


@dataclass(frozen=True, slots=True)
class ApplyAsPartner:
    """An institution asks to become a partner.

    `sealed` holds the ciphertexts of the contact's fields, `key` the wrapped data key: {version, wrapped}.
    """

    partner_id: str
    name: str
    kind: PartnerKind
    approval_required: bool
    key: Mapping[str, object]
    sealed: Mapping[str, bytes]

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Anyone may apply: a partner that is `applied` can do nothing until an admin verifies and activates it.

        Replies {partner_id, status}.
        """
        changes = TypedChanges(documents)
        partner: Partner = {
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
        changes.write_partner(partner, [events.PartnerApplied.model_validate(event_fields(partner))])
        return Outcome({"partner_id": self.partner_id, "status": "applied"}, changes.writes())


@dataclass(frozen=True, slots=True)
class ChangePartnerStatus:
    """An admin changes a partner's status; the reason is kept with the partner and not published."""

    partner_id: str
    to: PartnerStatus
    reason: str
    actor: Actor
    if_match: frozenset[int] | None = None  # the version that the admin has seen

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Follow TRANSITIONS; raises NotFound, Stale, Conflict. Replies {partner_id, status, version}."""
        changes = TypedChanges(documents)
        partner = changes.partner(self.partner_id)
        if partner is None:
            raise unknown_partner()
        if self.if_match is not None and partner["version"] not in self.if_match:
            raise stale()
        event = TRANSITIONS.get((partner["status"], self.to))
        if event is None:
            raise REFUSALS.refused("to", "R9.transition", was=partner["status"], to=self.to)
        after: Partner = {
            **partner,
            "status": self.to,
            "changed": {"by": self.actor.id, "at": now, "reason": self.reason},
        }
        changes.write_partner(after, [event.model_validate(event_fields(after))])
        reply = {"partner_id": self.partner_id, "status": self.to, "version": partner["version"] + 1}
        return Outcome(reply, changes.writes())


def event_fields(partner: Partner) -> dict[str, Any]:
    """The fields that every partner event carries."""
    return {"partner_id": partner["_id"], "kind": partner["kind"]}


def visible(partner: Partner | None, actor: Actor) -> bool:
    """Whether the actor may see the partner: admins may, and the partner itself."""
    return partner is not None and (actor.staff or actor.partner_id == partner["_id"])


def visible_partner(changes: TypedChanges, partner_id: str, actor: Actor) -> Partner:
    """The partner; raises NotFound if the actor may not see it."""
    partner = changes.partner(partner_id)
    if partner is None or not visible(partner, actor):
        raise unknown_partner()
    return partner


def active_partner(changes: TypedChanges, partner_id: str | None) -> Partner | None:
    """The partner, which must be active to create and publish trainings (R9). None for a training that an office gives.

    Raises NotFound, or RuleBroken for a partner that is not active.
    """
    if partner_id is None:
        return None
    partner = changes.partner(partner_id)
    if partner is None:
        raise unknown_partner()
    if partner["status"] != "active":
        raise REFUSALS.refused("partner_id", "R9.not_active", status=partner["status"])
    return partner
