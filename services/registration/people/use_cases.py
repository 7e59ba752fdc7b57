"""The verbs of people: which documents a rule needs, the encryption of personal data, and the call of GroupCommit.

api.py and the worker of imports call these. Whether something is allowed is decided in rules.py and form_check.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from chassis import clock
from chassis.access.callers import Caller
from chassis.calendar import jakarta_day
from chassis.documents import Document
from chassis.privacy.vault import Vault
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.registration.audit.rules import head_of
from services.registration.documents import IDENTITIES, JAKPRENEURS
from services.registration.fields import nik
from services.registration.people import refusals
from services.registration.people.form_check import Person, check_form
from services.registration.people.models import RegistrationForm, Verification
from services.registration.people.replies import shown_jakpreneur
from services.registration.people.rules import RegisterJakpreneur, RevealJakpreneur, Sealed, VerifyJakpreneur, visible
from services.registration.people.store import PeopleStore

_NOBODY = "none"  # no jakpreneur has this id


class PeopleUseCases:
    """One method for each verb."""

    def __init__(self, group_commit: GroupCommit, store: PeopleStore, vault: Vault) -> None:
        self._group_commit = group_commit
        self._store = store
        self._vault = vault

    async def register_jakpreneur(self, form: RegistrationForm, caller: Caller, idempotency: Idempotency | None) -> Document:
        """Register a person (R1 to R5); returns the id, the status and warnings.

        Raises Invalid with every failing field, Conflict for a NIK that is registered already (R2).
        """
        officer = "officer" in caller.roles
        channel = "office" if officer else "online"
        person = check_form(form, today=jakarta_day(clock.now()), officer=officer, default_channel=channel)
        return await self._group_commit.submit(self.registration_of(person, idempotency=idempotency))

    def registration_of(
        self,
        person: Person,
        *,
        idempotency: Idempotency | None = None,
        origin: str | None = None,
        verified_on: date | None = None,
    ) -> Decision:
        """The decision to register a checked person, whose personal data is encrypted here under a new key."""
        jakpreneur_id = clock.new_id("jkp")
        key, wrapped_key = self._vault.new_key()
        fields = {
            name: key.encrypt(value, collection=JAKPRENEURS, field=name, subject=jakpreneur_id)
            for name, value in person.personal.items()
        }
        sealed = Sealed(self._vault.blind_index("nik", person.nik), wrapped_key, fields)
        command = RegisterJakpreneur(jakpreneur_id, person, sealed, origin, verified_on)
        return Decision(command.decide, idempotency=idempotency, expected_absent=[(IDENTITIES, sealed.identity)])

    async def verify_jakpreneur(
        self,
        jakpreneur_id: str,
        verification: Verification,
        caller: Caller,
        if_match: int | None,
        idempotency: Idempotency | None,
    ) -> Document:
        """Verify or reject a registration; raises NotFound, Conflict when decided already, Stale for an old If-Match."""
        command = VerifyJakpreneur(jakpreneur_id, verification, caller.id, caller.dinas, if_match)
        return await self._group_commit.submit(Decision(command.decide, [(JAKPRENEURS, jakpreneur_id)], idempotency))

    async def list_jakpreneurs(
        self, wanted: Mapping[str, str], search: str | None, caller: Caller, after: tuple[str, str] | None, limit: int
    ) -> list[Document]:
        """People with these values, newest registrations first, personal data masked.

        `search` is a whole NIK or a jakpreneur_id: personal data is encrypted, so parts of it can't be searched. `after` is
        the (registered_on, jakpreneur_id) of the last person of the page before.
        """
        conditions = dict(wanted)
        if search is not None and search.strip():  # an empty search box asks for nothing
            conditions["_id"] = await self._searched_id(search)
        found = await self._store.people(conditions, caller.dinas, after, limit)
        return [shown_jakpreneur(self._vault, document) for document in found]

    async def _searched_id(self, search: str) -> str:
        number = nik.normalise(search)
        if number.isdigit():
            return await self._store.id_of_identity(self._vault.blind_index("nik", number)) or _NOBODY
        return search.strip()

    async def get_jakpreneur(self, jakpreneur_id: str, caller: Caller) -> Document:
        """One person, personal data masked; raises NotFound, also for a person of another dinas than the caller's."""
        document = await self._store.person(jakpreneur_id)
        if document is None or not visible(document, caller.limit(jakpreneur_id)):
            raise refusals.unknown_jakpreneur()
        return shown_jakpreneur(self._vault, document)

    async def reveal_jakpreneur(self, jakpreneur_id: str, fields: Sequence[str], reason: str, caller: Caller) -> Document:
        """One person with the named fields in the clear; raises NotFound, also for a person of another dinas.

        The audit entry is durable before the person's data is fetched.
        """
        command = RevealJakpreneur(jakpreneur_id, fields, reason, caller.id, caller.dinas)
        await self._group_commit.submit(Decision(command.decide, [(JAKPRENEURS, jakpreneur_id), head_of(jakpreneur_id)]))
        document = await self._store.person(jakpreneur_id)
        if document is None:
            raise refusals.unknown_jakpreneur()
        return shown_jakpreneur(self._vault, document, fields)
