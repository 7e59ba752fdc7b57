"""The verbs of people: which documents a rule needs, the encryption of personal data, and the call of GroupCommit.

api.py and the worker of imports call these. Whether something is allowed is decided in rules.py and form_check.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chassis import clock
from chassis.access.callers import Caller
from chassis.calendar import jakarta_day
from chassis.documents import Document
from chassis.errors import invalid
from chassis.privacy.vault import Vault
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.registration.audit.rules import head_of
from services.registration.documents import AUDIT, IDENTITIES, JAKPRENEURS
from services.registration.fields import nik
from services.registration.people import refusals
from services.registration.people.filters import unknown_filters
from services.registration.people.form_check import Person, check_form
from services.registration.people.models import RegistrationForm, Search, Verification
from services.registration.people.replies import shown_jakpreneur
from services.registration.people.rules import RegisterJakpreneur, RevealJakpreneur, Sealed, Verified, VerifyJakpreneur, visible
from services.registration.people.store import PeopleStore

_NOBODY = "none"  # no jakpreneur has this id


def signed_in(caller: Caller) -> bool:
    """Whether the caller is one of the programme's people or a citizen; partners hear what everybody hears."""
    return caller.staff or "citizen" in caller.roles


class PeopleUseCases:
    """One method for each verb."""

    def __init__(self, group_commit: GroupCommit, store: PeopleStore, vault: Vault) -> None:
        self._group_commit = group_commit
        self._store = store
        self._vault = vault

    async def register_jakpreneur(self, form: RegistrationForm, caller: Caller, idempotency: Idempotency | None) -> Document:
        """Register a person (R1 to R5); returns the id, the status and warnings, to a caller who isn't signed in a receipt.

        Raises Invalid with every failing field, Conflict for a NIK that is registered already (R2).
        """
        officer = "officer" in caller.roles
        channel = "office" if officer else "online"
        person = check_form(form, today=jakarta_day(clock.now()), officer=officer, default_channel=channel)
        receipt = None if signed_in(caller) else clock.new_id("rcp")
        return await self._group_commit.submit(self.registration_of(person, idempotency=idempotency, receipt=receipt))

    def registration_of(
        self,
        person: Person,
        *,
        idempotency: Idempotency | None = None,
        origin: str | None = None,
        verified: Verified | None = None,
        receipt: str | None = None,
    ) -> Decision:
        """The decision to register a checked person, whose personal data is encrypted here under a new key."""
        jakpreneur_id = clock.new_id("jkp")
        key, wrapped_key = self._vault.new_key()
        fields = {
            name: key.encrypt(value, collection=JAKPRENEURS, field=name, subject=jakpreneur_id)
            for name, value in person.personal.items()
        }
        sealed = Sealed(self._vault.blind_index("nik", person.nik), wrapped_key, fields)
        command = RegisterJakpreneur(jakpreneur_id, person, sealed, origin, verified, receipt)
        identity = [(IDENTITIES, sealed.identity)]
        if receipt is not None:
            # Looked up beforehand in both cases: a clash that only the insert finds would show by the time it takes.
            return Decision(command.decide, identity, idempotency)
        return Decision(command.decide, idempotency=idempotency, expected_absent=identity)

    async def verify_jakpreneur(
        self,
        jakpreneur_id: str,
        verification: Verification,
        caller: Caller,
        if_match: frozenset[int] | None,
        idempotency: Idempotency | None,
    ) -> Document:
        """Verify or reject a registration; raises NotFound, Conflict when decided already, Stale for an old If-Match."""
        command = VerifyJakpreneur(jakpreneur_id, verification, caller.id, caller.dinas, if_match)
        return await self._group_commit.submit(Decision(command.decide, [(JAKPRENEURS, jakpreneur_id)], idempotency))

    async def list_jakpreneurs(
        self, wanted: Mapping[str, str], caller: Caller, after: tuple[str, str] | None, limit: int
    ) -> list[Document]:
        """People with these values, newest registrations first, personal data masked.

        `after` is the (registered_on, jakpreneur_id) of the last person of the page before. Raises Invalid for an area or a
        commodity that there isn't.
        """
        if errors := unknown_filters(wanted):
            raise invalid(*errors)
        found = await self._store.people(wanted, caller.dinas, after, limit)
        return [shown_jakpreneur(self._vault, document) for document in found]

    async def search_jakpreneurs(
        self, search: Search, wanted: Mapping[str, str], caller: Caller, after: tuple[str, str] | None, limit: int
    ) -> list[Document]:
        """As `list_jakpreneurs`, and by what identifies a person: a whole NIK or the receipt of a registration.

        Personal data is encrypted, so parts of it can't be searched.
        """
        conditions = dict(wanted)
        if search.nik is not None:
            identity = self._vault.blind_index("nik", nik.normalise(search.nik))
            conditions["_id"] = await self._store.id_of_identity(identity) or _NOBODY
        if search.receipt is not None:
            holder = await self._store.id_of_receipt(search.receipt) or _NOBODY
            conditions["_id"] = holder if conditions.get("_id", holder) == holder else _NOBODY
        return await self.list_jakpreneurs(conditions, caller, after, limit)

    async def get_jakpreneur(self, jakpreneur_id: str, caller: Caller) -> Document:
        """One person, personal data masked; raises NotFound, also for a person of another dinas than the caller's."""
        document = await self._store.person(jakpreneur_id)
        if document is None or not visible(document, caller.limit(jakpreneur_id)):
            raise refusals.unknown_jakpreneur()
        return shown_jakpreneur(self._vault, document)

    async def reveal_jakpreneur(self, jakpreneur_id: str, fields: Sequence[str], reason: str, caller: Caller) -> Document:
        """One person with the named fields in the clear; raises NotFound, also for a person of another dinas.

        The audit entry is durable before the person's data is opened.
        """
        limit = caller.limit(jakpreneur_id)
        document = await self._store.person(jakpreneur_id)
        if document is None or not visible(document, limit):
            raise refusals.unknown_jakpreneur()
        key = self._vault.open_key(document["key"])
        sealed = key.encrypt(reason, collection=AUDIT, field="reason", subject=jakpreneur_id).hex()
        command = RevealJakpreneur(jakpreneur_id, fields, sealed, caller.id, limit)
        await self._group_commit.submit(Decision(command.decide, [(JAKPRENEURS, jakpreneur_id), head_of(jakpreneur_id)]))
        document = await self._store.person(jakpreneur_id)
        if document is None:
            raise refusals.unknown_jakpreneur()
        return shown_jakpreneur(self._vault, document, fields)
