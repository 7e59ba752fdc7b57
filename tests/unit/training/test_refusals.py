"""The texts of every refusal."""

from __future__ import annotations

import pytest

from services.training.attendance.refusals import REFUSALS as ATTENDANCE
from services.training.enrolments.refusals import REFUSALS as ENROLMENTS
from services.training.partners.refusals import REFUSALS as PARTNERS
from services.training.refusals import Refusals
from services.training.trainings.refusals import REFUSALS as TRAININGS


@pytest.mark.parametrize("refusals", [PARTNERS, TRAININGS, ENROLMENTS, ATTENDANCE])
def test_every_refusal_has_both_texts(refusals: Refusals) -> None:
    """And every clash is one of them."""
    assert all(text_id and text_en and text_id != text_en for text_id, text_en in refusals.texts.values())
    assert set(refusals.texts) >= refusals.conflicts


def test_no_two_features_share_a_code() -> None:
    """So a code says which rule it is."""
    codes = [code for refusals in (PARTNERS, TRAININGS, ENROLMENTS, ATTENDANCE) for code in refusals.texts]
    assert len(codes) == len(set(codes))
