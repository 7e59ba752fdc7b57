"""What one decision reads and writes, with the types of documents.py.

The write door knows only `dict[str, Any]`. The casts between the two are here and nowhere else in the rules, so that mypy
checks `training["confirmed"]` in every rule. No I/O. Next: chassis/writing/changes.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from chassis.writing.changes import Changes
from contracts.envelope import Payload
from services.training.documents import (
    API_KEYS,
    ENROLMENTS,
    EXTERNAL_IDS,
    JAKPRENEURS,
    PARTNERS,
    SCANS,
    SCHEDULES,
    TRAININGS,
    WAITING,
    ApiKey,
    Enrolment,
    ExternalId,
    Partner,
    Person,
    Schedule,
    StoredScan,
    Training,
    WaitingPage,
)


class TypedChanges(Changes):
    """Changes by collection. A document that was read must not be mutated: write a new one.

    Readers return None for a document that does not exist. They raise NotLoaded for one that is not loaded yet; GroupCommit
    then loads it and runs the rule again.
    """

    def partner(self, partner_id: str) -> Partner | None:
        """One partner."""
        return cast("Partner | None", self.get(PARTNERS, partner_id))

    def write_partner(self, partner: Partner, events: Iterable[Payload] = ()) -> None:
        """Insert or replace a partner."""
        self.write(PARTNERS, cast("dict[str, Any]", partner), events)

    def api_key(self, kid: str) -> ApiKey | None:
        """One API key."""
        return cast("ApiKey | None", self.get(API_KEYS, kid))

    def api_keys(self, kids: Sequence[str]) -> list[ApiKey | None]:
        """Several API keys, in the order of their ids, with one load."""
        return cast("list[ApiKey | None]", self.get_many(API_KEYS, kids))

    def write_api_key(self, key: ApiKey) -> None:
        """Insert or replace an API key. Nothing is published about keys."""
        self.write(API_KEYS, cast("dict[str, Any]", key))

    def training(self, training_id: str) -> Training | None:
        """One training."""
        return cast("Training | None", self.get(TRAININGS, training_id))

    def trainings(self, training_ids: Sequence[str]) -> list[Training | None]:
        """Several trainings, in the order of their ids, with one load."""
        return cast("list[Training | None]", self.get_many(TRAININGS, training_ids))

    def write_training(self, training: Training, events: Iterable[Payload] = ()) -> None:
        """Insert or replace a training."""
        self.write(TRAININGS, cast("dict[str, Any]", training), events)

    def external_id(self, identity: str) -> ExternalId | None:
        """The training that an owner's own id names."""
        return cast("ExternalId | None", self.get(EXTERNAL_IDS, identity))

    def write_external_id(self, external_id: ExternalId) -> None:
        """Insert an owner's own id."""
        self.write(EXTERNAL_IDS, cast("dict[str, Any]", external_id))

    def enrolment(self, identity: str) -> Enrolment | None:
        """One enrolment."""
        return cast("Enrolment | None", self.get(ENROLMENTS, identity))

    def existing_enrolment(self, identity: str) -> Enrolment:
        """One enrolment; raises NotFound."""
        return cast("Enrolment", self.need(ENROLMENTS, identity, "Pendaftaran", "Enrolment"))

    def enrolments(self, identities: Sequence[str]) -> list[Enrolment | None]:
        """Several enrolments, in the order of their ids, with one load."""
        return cast("list[Enrolment | None]", self.get_many(ENROLMENTS, identities))

    def write_enrolment(self, enrolment: Enrolment, events: Iterable[Payload] = ()) -> None:
        """Insert or replace an enrolment."""
        self.write(ENROLMENTS, cast("dict[str, Any]", enrolment), events)

    def waiting_page(self, identity: str) -> WaitingPage | None:
        """One page of a waiting list."""
        return cast("WaitingPage | None", self.get(WAITING, identity))

    def load_waiting_pages(self, identities: Sequence[str]) -> None:
        """Load several pages of a waiting list at once; waiting_page then finds each."""
        self.get_many(WAITING, identities)

    def write_waiting_page(self, page: WaitingPage) -> None:
        """Insert or replace a page of a waiting list."""
        self.write(WAITING, cast("dict[str, Any]", page))

    def schedule(self, jakpreneur_id: str) -> Schedule | None:
        """The trainings of one person."""
        return cast("Schedule | None", self.get(SCHEDULES, jakpreneur_id))

    def schedules(self, jakpreneur_ids: Sequence[str]) -> list[Schedule | None]:
        """The trainings of several people, in the order of their ids, with one load."""
        return cast("list[Schedule | None]", self.get_many(SCHEDULES, jakpreneur_ids))

    def write_schedule(self, schedule: Schedule) -> None:
        """Insert or replace a person's schedule."""
        self.write(SCHEDULES, cast("dict[str, Any]", schedule))

    def scan(self, identity: str) -> StoredScan | None:
        """One recorded scan."""
        return cast("StoredScan | None", self.get(SCANS, identity))

    def load_scans(self, identities: Sequence[str]) -> None:
        """Load several scans at once; scan then finds each."""
        self.get_many(SCANS, identities)

    def write_scan(self, scan: StoredScan) -> None:
        """Insert a recorded scan."""
        self.write(SCANS, cast("dict[str, Any]", scan))

    def people(self, jakpreneur_ids: Sequence[str]) -> list[Person | None]:
        """Several people of the local view, in the order of their ids, with one load."""
        return cast("list[Person | None]", self.get_many(JAKPRENEURS, jakpreneur_ids))
