"""The overlay in which one decision collects its changes."""

from __future__ import annotations

from chassis.writing.changes import Changes
from chassis.writing.decision import Documents
from contracts.training import EnrolmentCancelled, EnrolmentConfirmed

FACTS = {"enrolment_id": "trn_a:jkp_a", "training_id": "trn_a", "jakpreneur_id": "jkp_a", "stage": "P2"}


def test_a_document_changed_twice_is_written_once_with_both_events() -> None:
    """Reads see the change, the events keep their order, and what was loaded isn't touched."""
    loaded = {"_id": "trn_a:jkp_a", "status": "offered"}
    documents = Documents()
    documents.put(("enrolments", "trn_a:jkp_a"), loaded)
    changes = Changes(documents)
    first, second = EnrolmentConfirmed.model_validate(FACTS), EnrolmentCancelled.model_validate(FACTS)
    changes.write("enrolments", {**loaded, "status": "confirmed"}, [first])
    assert changes.get("enrolments", "trn_a:jkp_a") == {**loaded, "status": "confirmed"}
    changes.write("enrolments", {**loaded, "status": "cancelled"}, [second])
    (write,) = changes.writes()
    assert (write.document["status"], write.events) == ("cancelled", (first, second))
    assert loaded["status"] == "offered"
