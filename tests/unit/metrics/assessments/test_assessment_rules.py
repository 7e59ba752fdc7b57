"""Monthly reports: who may hand one in and for which month (P6), and who may verify it (R7)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from chassis.errors import Conflict, Forbidden, Invalid, NotFound, RuleBroken, Stale
from contracts.metrics import AssessmentSubmitted, AssessmentVerified
from services.metrics.assessments.models import AssessmentBody
from services.metrics.assessments.rules import SubmitAssessment, VerifyAssessment
from services.metrics.documents import ASSESSMENTS, FACTS, Grade
from tests.unit.registration.desk import Desk, codes

FIGURES = {"revenue": 4_512_345, "assets": 20_067_890, "workers": 2}


def desk() -> Desk:
    """On 2 March 2021 Siti is verified; Budi isn't."""
    made = Desk()
    made.give(FACTS, _id="jkp_siti:P1", stage="P1", day="2021-01-30", dinas="Sosial")
    return made


def submit(at: Desk, assessment_id: str = "ast_1", **changes: Any) -> Any:
    """Siti's report of February, handed in by herself."""
    given = {
        "assessment_id": assessment_id, "jakpreneur_id": "jkp_siti", "period": "2021-02", "figures": FIGURES,
        "basis": "annual_sales", "evidence": "self_reported", "submitter": "user:siti",
    }  # fmt: skip
    return at.run(SubmitAssessment(**{**given, **changes}))


def verify(at: Desk, verifier: str = "user:rina", evidence: Grade | None = None, if_match: frozenset[int] | None = None) -> Any:
    """Rina looks at the books."""
    return at.run(VerifyAssessment("ast_1", evidence, verifier, if_match))


def test_a_report_is_handed_in_and_verified() -> None:
    """Siti hands in February, Rina sees the receipts and raises the grade of evidence; both are told of, in order."""
    at = desk()
    assert submit(at) == {"assessment_id": "ast_1", "status": "submitted"}
    assert verify(at, evidence="inspected", if_match=frozenset({1})) == {
        "assessment_id": "ast_1",
        "status": "verified",
        "version": 2,
    }
    assert at.told("jkp_siti") == [(1, AssessmentSubmitted), (2, AssessmentVerified)]  # type: ignore[list-item] # mypy joins two classes to the wrong base
    assert at.last_event() == AssessmentVerified(
        assessment_id="ast_1", jakpreneur_id="jkp_siti", period="2021-02", evidence="inspected", verified_on=date(2021, 3, 2)
    )


def test_days_are_jakartas() -> None:
    """It is 20:00 on the first in London: in Jakarta the report was handed in on the second."""
    at = desk()
    submit(at)
    assert at.last_event().submitted_on == date(2021, 3, 2)
    assert at.get(ASSESSMENTS, "ast_1")["submitted_on"] == "2021-03-02"


def test_figures_stay_inside() -> None:
    """R17: the sales of a sole trader are personal financial data; an event says that there is a report, never the rupiah."""
    at = desk()
    submit(at)
    verify(at)
    told = " ".join(event.data.model_dump_json() for event in at.staging.events)
    assert not any(str(figure) in told for figure in (FIGURES["revenue"], FIGURES["assets"]))
    assert at.get(ASSESSMENTS, "ast_1")["revenue"] == FIGURES["revenue"]


@pytest.mark.parametrize(
    ("period", "fine"),
    [("2014-12", False), ("2015-01", True), ("2021-02", True), ("2021-03", True), ("2021-04", False), ("2099-01", False)],
)
def test_months_that_can_be_reported(period: str, fine: bool) -> None:
    """From the programme's first month to the one that has begun; March has begun in Jakarta, April hasn't."""
    at = desk()
    if fine:
        assert submit(at, period=period)["status"] == "submitted"
    else:
        with pytest.raises(Invalid) as refusal:
            submit(at, period=period)
        assert codes(refusal.value) == [("period", "period")]


def test_a_month_begins_at_midnight_in_jakarta() -> None:
    """16:59 UTC is still February there, a minute later it is March."""
    at = desk()
    at.now = datetime(2021, 2, 28, 16, 59, tzinfo=UTC)
    with pytest.raises(Invalid):
        submit(at, period="2021-03")
    at.now = datetime(2021, 2, 28, 17, 0, tzinfo=UTC)
    assert submit(at, period="2021-03")["status"] == "submitted"


def test_only_verified_people_report() -> None:
    """Budi has registered yesterday; the refusal tells him that his verification may be on its way."""
    with pytest.raises(RuleBroken) as refusal:
        submit(desk(), jakpreneur_id="jkp_budi")
    assert codes(refusal.value) == [("jakpreneur_id", "P6.not_verified")]


def test_one_report_a_month() -> None:
    """Siti sends February again with better figures, then March: the first is a clash and writes nothing, the second is fine."""
    at = desk()
    submit(at)
    with pytest.raises(Conflict) as refusal:
        submit(at, "ast_2", figures={**FIGURES, "revenue": 1})
    assert codes(refusal.value) == [("period", "P6.already_reported")]
    assert at.get(ASSESSMENTS, "ast_2") is None
    assert submit(at, "ast_3", period="2021-03")["status"] == "submitted"
    assert [sequence for sequence, _ in at.told("jkp_siti")] == [1, 2]


def test_nobody_verifies_their_own_report() -> None:
    """R7: an officer who typed in Siti's figures asks a colleague."""
    at = desk()
    submit(at, submitter="user:rina")
    with pytest.raises(Forbidden) as refusal:
        verify(at, "user:rina")
    assert refusal.value.code == "R7.own_submission"
    assert at.get(ASSESSMENTS, "ast_1")["status"] == "submitted"
    assert verify(at, "user:tono")["status"] == "verified"


def test_a_report_is_verified_once() -> None:
    """Two verifiers look at the same report; the second hears that it is done, and nothing is told twice."""
    at = desk()
    submit(at)
    verify(at)
    with pytest.raises(Conflict) as refusal:
        verify(at, "user:tono")
    assert refusal.value.code == "already_verified"
    assert len(at.told("jkp_siti")) == 2


def test_without_a_grade_that_of_the_report_stays() -> None:
    """Rina confirms without saying more."""
    at = desk()
    submit(at, evidence="documented")
    verify(at)
    assert at.last_event().evidence == "documented"


def test_an_old_page_and_an_unknown_report() -> None:
    """If-Match of another version is refused before anything else is said; an unknown id isn't found."""
    at = desk()
    submit(at)
    with pytest.raises(Stale):
        verify(at, "user:siti", if_match=frozenset({7}))
    with pytest.raises(NotFound):
        at.run(VerifyAssessment("ast_none", None, "user:rina", None))


def test_staff_of_another_dinas() -> None:
    """Siti is of Sosial: who works for KPKP neither reports for her nor verifies, and learns nothing; Sosial does both."""
    at = desk()
    with pytest.raises(NotFound):
        submit(at, dinas="KPKP")
    submit(at, dinas="Sosial")
    with pytest.raises(NotFound):
        at.run(VerifyAssessment("ast_1", None, "user:rina", None, "KPKP"))
    assert at.run(VerifyAssessment("ast_1", None, "user:rina", None, "Sosial"))["status"] == "verified"


def test_who_has_no_dinas_yet_is_everybodys() -> None:
    """As in registration."""
    at = desk()
    at.give(FACTS, _id="jkp_budi:P1", stage="P1", day="2021-01-30", dinas="unknown")
    assert submit(at, jakpreneur_id="jkp_budi", dinas="KPKP")["status"] == "submitted"


def test_a_month_in_other_digits() -> None:
    """2021-02 in Arabic digits would be a second report of the same month."""
    form: dict[str, Any] = {
        "jakpreneur_id": "jkp_siti", "revenue": 1, "assets": 1, "workers": 1, "basis": "annual_sales",
        "evidence": "self_reported",
    }  # fmt: skip
    assert AssessmentBody(**form, period="2021-02").period == "2021-02"
    with pytest.raises(ValidationError, match="period"):
        AssessmentBody(**form, period="20٢١-02")
