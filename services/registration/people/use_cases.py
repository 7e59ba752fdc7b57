"""Registration's verbs: which documents a rule needs, sealing of personal data, and the call of GroupCommit.

Two doors, one room: api.py and imports.py call these; neither decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from chassis import clock
from chassis.access.callers import Caller
from chassis.calendar import jakarta_day
from chassis.documents import Document
from chassis.privacy.vault import Vault
from chassis.writing.decision import Decision, Documents, Idempotency, Outcome
from chassis.writing.group_commit import GroupCommit
from services.registration.audit import rules as audit
from services.registration.fields import nik
from services.registration.people import rules as domain
from services.registration.people.models import RegistrationForm, Verification
from services.registration.people.rules import IDENTITIES, JAKPRENEURS, Person, Register, Sealed, Verify
from services.registration.people.store import Store

REVEALABLE = (
    "nik",
    "name",
    "birth_date",
    "phone",
    "email",
    "address",
    "business_name",
    "capital",
    "annual_sales",
    "assets",
    "workers",
)


class UseCases:
    """One method for each verb."""

    def __init__(self, group_commit: GroupCommit, store: Store, vault: Vault) -> None:
        self.group_commit = group_commit
        self.store = store
        self.vault = vault

    async def register_jakpreneur(self, form: RegistrationForm, caller: Caller, idempotency: Idempotency | None) -> Document:
        """R1 to R5; raises Invalid with every failing field, Conflict for a NIK that is registered (R2)."""
        today = jakarta_day(clock.now())
        officer = "officer" in caller.roles
        channel = "office" if officer else "online"
        person = domain.check_form(form, today=today, officer=officer, default_channel=channel)
        return await self.group_commit.submit(self.registration(person, idempotency=idempotency))

    def registration(
        self,
        person: Person,
        *,
        idempotency: Idempotency | None = None,
        origin: str | None = None,
        verified_on: date | None = None,
    ) -> Decision:
        """The decision to register a checked person: personal data sealed under a new key."""
        jakpreneur_id = clock.new_id("jkp")
        key, stored_key = self.vault.new_key()
        fields = {
            name: key.encrypt(value, collection=JAKPRENEURS, field=name, subject=jakpreneur_id)
            for name, value in person.personal.items()
        }
        sealed = Sealed(self.vault.blind_index("nik", person.nik), stored_key, fields)
        command = Register(jakpreneur_id, person, sealed, origin, verified_on)
        return Decision(command.decide, idempotency=idempotency, expected_absent=[(IDENTITIES, sealed.identity)])

    async def verify_jakpreneur(
        self,
        jakpreneur_id: str,
        verification: Verification,
        caller: Caller,
        if_match: int | None,
        idempotency: Idempotency | None,
    ) -> Document:
        """A verifier's decision; raises NotFound, Conflict when decided already, Stale for an old If-Match."""
        command = Verify(jakpreneur_id, verification, caller.id, caller.dinas, if_match)
        return await self.group_commit.submit(Decision(command.decide, [(JAKPRENEURS, jakpreneur_id)], idempotency))

    async def reveal_jakpreneur(self, jakpreneur_id: str, fields: list[str], reason: str, caller: Caller) -> Document:
        """Named fields in the clear. The audit entry is durable before anything is shown."""

        def decide(documents: Documents, now: Any) -> Outcome:
            document = documents.get(JAKPRENEURS, jakpreneur_id)
            if document is None or not domain.visible(document, caller.dinas):
                raise domain.unknown()
            detail = {"fields": fields, "reason": reason}
            entry = audit.append(documents, now, actor=caller.id, act="reveal", subject=jakpreneur_id, detail=detail)
            return Outcome({}, entry)

        await self.group_commit.submit(Decision(decide, [(JAKPRENEURS, jakpreneur_id), audit.HEAD]))
        document = await self.store.person(jakpreneur_id)
        if document is None:
            raise domain.unknown()
        return self.shown(document, reveal=fields)

    def shown(self, document: Mapping[str, Any], reveal: list[str] | None = None) -> Document:
        """A person as a reply: personal data masked, except for the fields to reveal."""
        key = self.vault.open_key(document["key"])
        opened = {
            name: key.decrypt(sealed, collection=JAKPRENEURS, field=name, subject=document["_id"])
            for name, sealed in document["sealed"].items()
        }
        shown: Document = {"jakpreneur_id": document["_id"]}
        shown |= {name: document.get(name) for name in _SHOWN}
        shown["personal"] = {
            name: opened[name] if reveal and name in reveal else _masked(name, opened[name])
            for name in REVEALABLE
            if name in opened
        }
        shown["version"] = document["version"]
        return shown


_SHOWN = (
    "status", "registered_on", "verified_on", "rejected_on", "reasons", "channel", "kelurahan", "kecamatan", "kota", "category",
    "gender", "dinas", "commodity", "kbli", "kbli_version", "started_on",
)  # fmt: skip


def _masked(name: str, value: str) -> str:
    if name == "nik":
        return nik.mask(value)
    if name == "phone":
        return f"{value[:3]}{'*' * max(0, len(value) - 6)}{value[-3:]}"
    if name in ("name", "business_name"):
        return " ".join(f"{word[:1]}***" for word in value.split()[:4])
    return "***"
