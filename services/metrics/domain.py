"""The rules of metrics, pure: assessments (R7's submission and verification), targets (R16). No I/O.

Next: use_cases.py for writing, figures.py for reading, suppression.py and snapshots.py for what the public may see (R18).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from chassis.calendar import jakarta_day
from chassis.documents import Document
from chassis.errors import Conflict, FieldError, Forbidden, RuleBroken, Stale, invalid, not_found
from chassis.writing.decision import Documents, Outcome, Write
from contracts.metrics import AssessmentSubmitted, AssessmentVerified, TargetReached
from contracts.reference import PROGRAMME_START
from services.metrics.ledger.rules import fact_id

ASSESSMENTS = "assessments"
PERIODS = "assessed_periods"  # one report for a person and month
SUBJECTS = "subjects"  # carries the sequence of a person's events
TARGETS = "targets"
FACTS = "facts"


@dataclass(frozen=True, slots=True)
class SubmitAssessment:
    """The command: one person's figures of one month, in whole rupiah and people. `dinas` limits staff to their office."""

    assessment_id: str
    jakpreneur_id: str
    period: str
    figures: Mapping[str, int]
    basis: str
    evidence: str
    submitter: str
    dinas: str | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """Only verified Jakpreneurs report, once for a month, and for no month that hasn't begun (P6)."""
        today = jakarta_day(now)
        first = date(int(self.period[:4]), int(self.period[5:]), 1)
        if not PROGRAMME_START <= first <= today:
            text = ("Bulan di luar masa program atau di masa depan.", "The month is before the programme or in the future.")
            raise invalid(FieldError("period", "period", *text))
        if not _visible(documents, self.jakpreneur_id, self.dinas):
            raise not_found("Jakpreneur", "Jakpreneur")
        if documents.get(FACTS, fact_id(self.jakpreneur_id, "P1")) is None:
            text = (
                "Jakpreneur ini belum terverifikasi (verifikasi terbaru bisa perlu beberapa detik).",
                "This Jakpreneur is not verified (a very recent verification may take a few seconds to arrive).",
            )
            raise RuleBroken("P6.not_verified", *text, (FieldError("jakpreneur_id", "P6.not_verified", *text),))
        period_id = f"{self.jakpreneur_id}:{self.period}"
        if documents.get(PERIODS, period_id) is not None:
            text = ("Sudah ada laporan untuk bulan ini.", "There is a report for this month already.")
            raise Conflict("P6.already_reported", *text, (FieldError("period", "P6.already_reported", *text),))
        assessment: Document = {
            "_id": self.assessment_id,
            "jakpreneur_id": self.jakpreneur_id,
            "period": self.period,
            **self.figures,
            "basis": self.basis,
            "evidence": self.evidence,
            "status": "submitted",
            "submitted_by": self.submitter,
            "submitted_on": today.isoformat(),
        }
        event = AssessmentSubmitted(
            assessment_id=self.assessment_id,
            jakpreneur_id=self.jakpreneur_id,
            period=self.period,
            evidence=self.evidence,
            submitted_on=today,
        )
        subject = documents.get(SUBJECTS, self.jakpreneur_id) or {"_id": self.jakpreneur_id}
        reply = {"assessment_id": self.assessment_id, "status": "submitted"}
        return Outcome(
            reply,
            (
                Write(ASSESSMENTS, assessment),
                Write(PERIODS, {"_id": period_id, "assessment_id": self.assessment_id}),
                Write(SUBJECTS, subject, (event,)),
            ),
        )


@dataclass(frozen=True, slots=True)
class VerifyAssessment:
    """The command: somebody else than the submitter confirms the figures (R7). `dinas` limits a verifier to their office."""

    assessment_id: str
    evidence: str | None
    verifier: str
    if_match: int | None
    dinas: str | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """R7: the verifier is not the submitter; a decision is taken once."""
        found = documents.get(ASSESSMENTS, self.assessment_id)
        if found is None or not _visible(documents, found["jakpreneur_id"], self.dinas):
            raise not_found("Laporan", "Assessment")
        if self.if_match is not None and found["version"] != self.if_match:
            raise Stale("stale", "Data sudah diubah. Muat ulang.", "The document has changed meanwhile. Load it again.")
        if found["submitted_by"] == self.verifier:
            raise Forbidden(
                "R7.own_submission", "Pelapor tidak boleh memverifikasi laporannya.", "The verifier can't be the submitter."
            )
        if found["status"] != "submitted":
            raise Conflict("already_verified", "Laporan ini sudah diverifikasi.", "This assessment was verified already.")
        today = jakarta_day(now)
        evidence = self.evidence or found["evidence"]
        after = {
            **found,
            "status": "verified",
            "evidence": evidence,
            "verified_by": self.verifier,
            "verified_on": today.isoformat(),
        }
        event = AssessmentVerified(
            assessment_id=self.assessment_id,
            jakpreneur_id=found["jakpreneur_id"],
            period=found["period"],
            evidence=evidence,
            verified_on=today,
        )
        subject = documents.get(SUBJECTS, found["jakpreneur_id"]) or {"_id": found["jakpreneur_id"]}
        reply = {"assessment_id": self.assessment_id, "status": "verified", "version": found["version"] + 1}
        return Outcome(reply, (Write(ASSESSMENTS, after), Write(SUBJECTS, subject, (event,))))


def _visible(documents: Documents, jakpreneur_id: str, dinas_of_caller: str | None) -> bool:
    """Staff of one dinas see their own people and those whom no dinas has yet; somebody unknown is nobody's."""
    if dinas_of_caller is None:
        return True
    person = documents.get(FACTS, fact_id(jakpreneur_id, "P1"))
    return person is None or person["dinas"] in ("unknown", dinas_of_caller)


@dataclass(frozen=True, slots=True)
class SetTarget:
    """The command: a target's new value. Earlier versions are kept (R16)."""

    target_id: str
    version: Mapping[str, Any]
    author: str

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """The same value again changes nothing."""
        found = documents.get(TARGETS, self.target_id) or {"_id": self.target_id, "versions": []}
        versions: list[Document] = found["versions"]
        if versions and {name: versions[-1].get(name) for name in self.version} == dict(self.version):
            return Outcome(shown_target(found))
        entry = {**self.version, "number": len(versions) + 1, "set_by": self.author, "set_at": now.isoformat()}
        after = {**found, "versions": [*versions, entry]}
        return Outcome(shown_target(after), (Write(TARGETS, after),))


@dataclass(frozen=True, slots=True)
class NoteReached:
    """The command: the figures have reached a target's current version."""

    target_id: str
    number: int
    reached_on: date

    def decide(self, documents: Documents, now: datetime) -> Outcome:  # noqa: ARG002 - the day is the figures', not the clock's
        """Told once for each version."""
        found = documents.get(TARGETS, self.target_id)
        if found is None or len(found["versions"]) != self.number or found.get("told") == self.number:
            return Outcome({})
        event = TargetReached(target_id=self.target_id, value=found["versions"][-1]["value"], reached_on=self.reached_on)
        return Outcome({}, (Write(TARGETS, {**found, "told": self.number}, (event,)),))


def shown_target(target: Document) -> Document:
    """A target as a reply: its current version and those before."""
    *earlier, current = target["versions"]
    return {"target_id": target["_id"], **current, "versions": [*earlier, current]}


def target_on(targets: Sequence[Document], day: date) -> Document | None:
    """The version of the overall target of P1 that is valid on a day: of each target the one that began last, then by number."""
    valid: list[Document] = []
    for target in targets:
        begun = [version for version in target["versions"] if version["valid_from"] <= day.isoformat()]
        if begun:
            valid.append(max(begun, key=lambda version: (version["valid_from"], version["number"])))
    overall = [version for version in valid if version["stage"] == "P1" and not version.get("dinas")]
    return max(overall, key=lambda version: version["valid_from"]) if overall else None


def last_month_end(day: date) -> date:
    """The last day of a month on or before the day."""
    following = day + timedelta(days=1)
    return following.replace(day=1) - timedelta(days=1)


def percent(part: int, whole: int) -> str | None:
    """Percent with two decimals, half up (R16): 226280 of 200000 is "113.14"; None of nothing."""
    if whole == 0:
        return None
    return str((Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def reached_on(days: Sequence[tuple[str, int]], value: int) -> str | None:
    """The first day on which the cumulative count was at least the value; `days` in order, with counts."""
    total = 0
    for day, count in days:
        total += count
        if total >= value:
            return day
    return None
