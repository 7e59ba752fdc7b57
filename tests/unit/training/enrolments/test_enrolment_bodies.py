"""What a request to enrol looks like."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.training.enrolments.models import EnrolBody


def test_a_group_names_nobody_twice_and_a_body_is_one_of_both() -> None:
    """Else first come first served has no meaning."""
    for body in ({}, {"jakpreneur_id": "jkp_a", "jakpreneur_ids": ["jkp_b"]}, {"jakpreneur_ids": ["jkp_a", "jkp_a"]}):
        with pytest.raises(ValidationError):
            EnrolBody.model_validate(body)
    assert EnrolBody(jakpreneur_ids=["jkp_b", "jkp_a"]).people() == {"jakpreneur_ids.0": "jkp_b", "jakpreneur_ids.1": "jkp_a"}
