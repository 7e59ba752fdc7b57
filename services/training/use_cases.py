"""Training's verbs: which documents a rule needs, and the call of GroupCommit. Decides nothing.

`reads` are what a rule is known to need; what it finds out on its way is loaded then (chassis/writing/decision.py).
Three doors, one room: api.py, the workers in workers.py, and the rules' own follow-ups call these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from chassis import clock, logs
from chassis.access import api_keys
from chassis.database.failures import PyMongoError
from chassis.documents import Document
from chassis.errors import DomainError
from chassis.privacy.vault import Vault
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.training import views
from services.training.attendance.rules import RecordAttendance, Scan
from services.training.completion.rules import FinishSettling, SettleEnrolments
from services.training.documents import (
    API_KEYS,
    ENROLMENTS,
    EXTERNAL_IDS,
    JAKPRENEURS,
    PARTNERS,
    SCANS,
    SCHEDULES,
    TRAININGS,
    enrolment_id,
    external_id_of,
    scan_id,
    training_of,
)
from services.training.enrolments import rules as enrolments
from services.training.enrolments.rules import EnrolPeople, ExpireOffer, RespondToEnrolment
from services.training.partners import rules as partners
from services.training.partners.key_rules import CreateApiKey, RevokeApiKey, valid
from services.training.partners.rules import ApplyAsPartner, ChangePartnerStatus
from services.training.policy import Actor, Rules
from services.training.refusals import refused
from services.training.settings import TrainingSettings
from services.training.store import Store, Wanted
from services.training.trainings import rules as trainings
from services.training.trainings.revision import ReviseTraining
from services.training.trainings.rules import CreateTraining
from services.training.trainings.transitions import MoveTraining

log = logs.get(__name__)
_CONTACT: Final = ("contact_name", "contact_email")
_SLICES_AT_ONCE: Final = 8  # of a training's end, before its caller hears; the worker does the rest


@dataclass(frozen=True, slots=True)
class Keys:
    """What partners' secrets need: the vault of contacts, and the pepper and environment of API keys."""

    vault: Vault
    pepper: bytes
    env: str

    def __post_init__(self) -> None:
        """Refuse to start with a pepper that could be guessed."""
        if len(self.pepper) < 32:
            raise ValueError("API keys need a pepper of 32 bytes: set JAKPRENEUR_API_KEY_PEPPER")


class UseCases:
    """One method for each verb."""

    def __init__(self, group_commit: GroupCommit, store: Store, settings: TrainingSettings, keys: Keys) -> None:
        self.group_commit = group_commit
        self.store = store
        self.rules: Rules = settings.rules()
        self._settle_at_once = settings.settle_at_once
        self._sweep_at_once = settings.offers_swept_at_once
        self._keys = keys

    # Partners, R9.

    async def apply_as_partner(
        self, name: str, kind: str, contact: dict[str, str], approval_required: bool, idempotency: Idempotency | None
    ) -> Document:
        """The contact person is sealed under a key of this partner before it goes anywhere."""
        partner_id = clock.new_id("par")
        key, stored_key = self._keys.vault.new_key()
        sealed = {field: key.encrypt(contact[field], collection=PARTNERS, field=field, subject=partner_id) for field in _CONTACT}
        command = ApplyAsPartner(partner_id, name, kind, approval_required, stored_key, sealed)
        return await self.group_commit.submit(Decision(command.decide, [(PARTNERS, partner_id)], idempotency))

    async def change_partner_status(
        self, partner_id: str, to: str, reason: str, actor: Actor, if_match: int | None, idempotency: Idempotency | None
    ) -> Document:
        """R9's table; raises NotFound, Stale, Conflict."""
        command = ChangePartnerStatus(partner_id, to, reason, actor, if_match)
        return await self.group_commit.submit(Decision(command.decide, [(PARTNERS, partner_id)], idempotency))

    async def get_partner(self, partner_id: str, actor: Actor) -> Document:
        """The partner with its contact: masked, except for the partner itself. Raises NotFound."""
        partner = await self.store.partner(partner_id)
        if partner is None or not partners.visible(partner, actor):
            raise partners.unknown()
        key = self._keys.vault.open_key(partner["key"])
        contact = {
            field: key.decrypt(sealed, collection=PARTNERS, field=field, subject=partner_id)
            for field, sealed in partner["sealed"].items()
        }
        # The partner goes on naming a key that has expired, until the next one is made.
        keys = [key for key in await self.store.api_keys(partner["kids"]) if valid(key, clock.now())]
        return views.partner(partner, contact, keys, masked=actor.partner_id != partner_id)

    async def create_api_key(
        self, partner_id: str, scopes: Sequence[str], expires_on: date, actor: Actor, idempotency: Idempotency | None
    ) -> Document:
        """A new key; its secret is in this reply and nowhere else.

        The stored reply of an idempotent request holds the kid alone. So a repeated request finds another kid than the
        one just drawn, and is told to revoke that key and ask anew: 409 `key_already_shown`.
        """
        new = api_keys.generate(self._keys.env)
        digest = api_keys.digest(new.secret, self._keys.pepper)
        command = CreateApiKey(partner_id, new.kid, digest, tuple(scopes), expires_on, actor, self.rules)
        reads = [(PARTNERS, partner_id), (API_KEYS, new.kid)]
        reply = await self.group_commit.submit(Decision(command.decide, reads, idempotency))
        if reply["kid"] != new.kid:
            raise refused("Idempotency-Key", "key_already_shown", kid=reply["kid"])
        return {**reply, "key": new.secret}

    async def revoke_api_key(self, partner_id: str, kid: str, actor: Actor) -> Document:
        """Works everywhere within five seconds."""
        command = RevokeApiKey(partner_id, kid, actor)
        return await self.group_commit.submit(Decision(command.decide, [(PARTNERS, partner_id), (API_KEYS, kid)]))

    # Trainings, R10.

    async def create_training(self, command: CreateTraining, idempotency: Idempotency | None) -> Document:
        """`created` in the reply is False for a known external id and for a dry run."""
        reads = [(TRAININGS, command.training_id)]
        if command.actor.partner_id is not None:
            reads.append((PARTNERS, command.actor.partner_id))
        if command.external_id is not None:
            reads.append((EXTERNAL_IDS, external_id_of(command.actor.partner_id, command.external_id)))
        return await self.group_commit.submit(Decision(command.decide, reads, idempotency))

    async def move_training(
        self,
        training_id: str,
        to: str,
        reason: str | None,
        actor: Actor,
        if_match: int | None,
        idempotency: Idempotency | None,
    ) -> Document:
        """A step of R10. When it ends the training, its enrolments are settled before the caller hears, if they are few."""
        command = MoveTraining(training_id, to, actor, self.rules, reason, if_match)
        reply = await self.group_commit.submit(Decision(command.decide, [(TRAININGS, training_id)], idempotency))
        if reply["status"] in ("completed", "cancelled"):
            try:
                await self.settle_training(training_id, _SLICES_AT_ONCE)
            except (DomainError, PyMongoError) as error:
                log.warning("settling_left_to_worker", training=training_id, error=type(error).__name__)
        return reply

    async def settle_training(self, training_id: str, slices: int) -> None:
        """Settle what is left of a training's enrolments (R12), slice by slice; may be interrupted anywhere."""
        after: str | None = None
        for _ in range(slices):
            found = await self.store.live_enrolments(training_id, after, self._settle_at_once)
            if not found:
                await self.group_commit.submit(Decision(FinishSettling(training_id).decide, [(TRAININGS, training_id)]))
                return
            command = SettleEnrolments(training_id, tuple(found), self.rules)
            reads = [(TRAININGS, training_id), *((ENROLMENTS, identity) for identity in found)]
            await self.group_commit.submit(Decision(command.decide, reads))
            after = found[-1]

    async def revise_training(self, command: ReviseTraining) -> Document:
        """PATCH; raises NotFound, Stale, Invalid, Conflict, RuleBroken."""
        return await self.group_commit.submit(Decision(command.decide, [(TRAININGS, command.training_id)]))

    async def get_training(self, training_id: str, actor: Actor) -> Document:
        """Raises NotFound, also for what the caller can't see yet."""
        training = await self.store.training(training_id)
        if training is None or not trainings.visible(training, actor):
            raise trainings.unknown()
        return views.training(training, owner=actor.owns(training))

    async def list_trainings(self, wanted: Wanted, actor: Actor, limit: int) -> list[Document]:
        """Documents as stored: the API shapes them and needs the sort key for its cursor."""
        return await self.store.trainings(wanted, actor, limit)

    # Enrolments, R11.

    async def enrol(self, training_id: str, people: dict[str, str], actor: Actor, idempotency: Idempotency | None) -> Document:
        """`people`: field of the request -> jakpreneur_id, in order. All or none."""
        command = EnrolPeople(training_id, people, actor, self.rules)
        reads = [(TRAININGS, training_id)]
        for person in people.values():
            reads += [(JAKPRENEURS, person), (SCHEDULES, person), (ENROLMENTS, enrolment_id(training_id, person))]
        return await self.group_commit.submit(Decision(command.decide, reads, idempotency))

    async def respond(
        self, identity: str, word: Literal["cancel", "accept", "decline"], actor: Actor, idempotency: Idempotency | None
    ) -> Document:
        """Cancel an enrolment, accept or decline an offer."""
        command = RespondToEnrolment(identity, word, actor, self.rules)
        reads = [(ENROLMENTS, identity), (TRAININGS, training_of(identity))]
        return await self.group_commit.submit(Decision(command.decide, reads, idempotency))

    async def get_enrolment(self, identity: str, actor: Actor) -> Document:
        """With the place in the line of one who waits. Raises NotFound."""
        enrolment = await self.store.enrolment(identity)
        training = await self.store.training(training_of(identity))
        if enrolment is None or training is None or not enrolments.visible(enrolment, training, actor):
            raise enrolments.unknown()
        return views.enrolment(enrolment, await self.store.position(enrolment, training))

    async def list_enrolments(
        self, training_id: str, status: str | None, after: str | None, limit: int, actor: Actor
    ) -> list[Document]:
        """For the training's owner; raises NotFound for others."""
        training = await self.store.training(training_id)
        if training is None or not actor.owns(training):
            raise trainings.unknown()
        return [views.enrolment(found) for found in await self.store.enrolments(training_id, status, after, limit)]

    async def expire_offers(self) -> tuple[int, list[Any]]:
        """Let every offer lapse that is due; each seat goes to the next in line. Returns how many, and what failed."""
        now = clock.now()
        due = await self.store.offers_due(now, now + self.rules.cut_off, self._sweep_at_once)
        decisions = [
            Decision(ExpireOffer(identity, self.rules).decide, [(ENROLMENTS, identity), (TRAININGS, training_of(identity))])
            for identity in due
        ]
        results = await asyncio.gather(*(self.group_commit.submit(decision) for decision in decisions), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        return sum(not isinstance(result, BaseException) and bool(result["expired"]) for result in results), failures

    # Attendance, R12.

    async def record_attendance(
        self, training_id: str, scans: Sequence[Scan], actor: Actor, idempotency: Idempotency | None
    ) -> Document:
        """A device's upload: each scan gets its own answer."""
        command = RecordAttendance(training_id, tuple(scans), actor, self.rules)
        reads = [(TRAININGS, training_id), *((SCANS, scan_id(training_id, scan.nonce)) for scan in scans)]
        return await self.group_commit.submit(Decision(command.decide, reads, idempotency))
