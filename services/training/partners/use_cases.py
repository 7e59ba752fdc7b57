"""The verbs of partners: which documents a rule needs, and the call of GroupCommit. Rules decide; nothing here does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from chassis import clock
from chassis.access import api_keys
from chassis.documents import Document
from chassis.privacy.vault import Vault
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.training.actor import Actor
from services.training.documents import API_KEYS, PARTNERS, PartnerKind, PartnerStatus
from services.training.partners import replies
from services.training.partners.api_key_rules import CreateApiKey, RevokeApiKey, valid
from services.training.partners.refusals import REFUSALS, unknown_partner
from services.training.partners.rules import ApplyAsPartner, ChangePartnerStatus, visible
from services.training.partners.store import PartnerStore
from services.training.policy import Rules

CONTACT: Final = ("contact_name", "contact_email")  # the fields that are personal data


@dataclass(frozen=True, slots=True)
class PartnerSecrets:
    """The vault that encrypts contacts, and the pepper and environment (`local`, `production`) of API keys."""

    vault: Vault
    pepper: bytes
    env: str

    def __post_init__(self) -> None:
        """Raise ValueError for a pepper that is short enough to be guessed."""
        if len(self.pepper) < 32:
            raise ValueError("API keys need a pepper of 32 bytes: set JAKPRENEUR_API_KEY_PEPPER")


class PartnerUseCases:
    """One method for each verb of partners and their API keys."""

    def __init__(self, group_commit: GroupCommit, store: PartnerStore, rules: Rules, secrets: PartnerSecrets) -> None:
        self._group_commit = group_commit
        self._store = store
        self.rules = rules
        self._secrets = secrets

    async def apply_as_partner(
        self,
        name: str,
        kind: PartnerKind,
        contact: Mapping[str, str],
        approval_required: bool,
        idempotency: Idempotency | None,
    ) -> Document:
        """Store an application. The fields of CONTACT are encrypted with a key of this partner before anything else happens."""
        partner_id = clock.new_id("par")
        key, stored_key = self._secrets.vault.new_key()
        sealed = {field: key.encrypt(contact[field], collection=PARTNERS, field=field, subject=partner_id) for field in CONTACT}
        command = ApplyAsPartner(partner_id, name, kind, approval_required, stored_key, sealed)
        return await self._group_commit.submit(Decision(command.decide, [(PARTNERS, partner_id)], idempotency))

    async def change_partner_status(
        self,
        partner_id: str,
        to: PartnerStatus,
        reason: str,
        actor: Actor,
        if_match: frozenset[int] | None,
        idempotency: Idempotency | None,
    ) -> Document:
        """Take a partner to another status (R9); raises NotFound, Stale, Conflict."""
        command = ChangePartnerStatus(partner_id, to, reason, actor, if_match)
        return await self._group_commit.submit(Decision(command.decide, [(PARTNERS, partner_id)], idempotency))

    async def get_partner(self, partner_id: str, actor: Actor) -> Document:
        """The partner with its contact and its valid keys; the contact is masked unless the partner asks. Raises NotFound."""
        partner = await self._store.partner(partner_id)
        if partner is None or not visible(partner, actor):
            raise unknown_partner()
        key = self._secrets.vault.open_key(partner["key"])
        contact = {
            field: key.decrypt(sealed, collection=PARTNERS, field=field, subject=partner_id)
            for field, sealed in partner["sealed"].items()
        }
        # `kids` also names a key that has expired, until the next one is made.
        keys = [key for key in await self._store.api_keys(partner["kids"]) if valid(key, clock.now())]
        return replies.partner(partner, contact, keys, masked=actor.partner_id != partner_id)

    async def create_api_key(
        self, partner_id: str, scopes: Sequence[str], expires_on: date, actor: Actor, idempotency: Idempotency | None
    ) -> Document:
        """Make a key; its secret is in this reply as `key` and is stored nowhere.

        The stored reply of an idempotent request holds only the kid. A repeated request therefore finds another kid than the
        one just drawn, and raises Conflict `key_already_shown`: that key has to be revoked and a new one made.
        Also raises NotFound, Invalid, Conflict, Forbidden.
        """
        new = api_keys.generate(self._secrets.env)
        digest = api_keys.digest(new.secret, self._secrets.pepper)
        command = CreateApiKey(partner_id, new.kid, digest, tuple(scopes), expires_on, actor, self.rules)
        reads = [(PARTNERS, partner_id), (API_KEYS, new.kid)]
        reply = await self._group_commit.submit(Decision(command.decide, reads, idempotency))
        if reply["kid"] != new.kid:
            raise REFUSALS.refused("Idempotency-Key", "key_already_shown", kid=reply["kid"])
        return {**reply, "key": new.secret}

    async def revoke_api_key(self, partner_id: str, kid: str, actor: Actor) -> Document:
        """Revoke a key: every replica refuses it within five seconds. Raises NotFound, Forbidden."""
        command = RevokeApiKey(partner_id, kid, actor)
        return await self._group_commit.submit(Decision(command.decide, [(PARTNERS, partner_id), (API_KEYS, kid)]))
