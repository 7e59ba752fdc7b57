"""Dates and times in requests: as people write them, never a count of seconds."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.forms.body import Body
from chassis.forms.validation import from_validation
from services.training.api_types import Day
from services.training.attendance.models import ScanBody
from services.training.partners.models import ApiKeyBody
from services.training.trainings.models import RevisionBody, SessionBody
from tests.unit.training.openapi import openapi

TIMES = [
    (SessionBody, "starts_at"),
    (SessionBody, "ends_at"),
    (RevisionBody, "registration_deadline"),
    (ScanBody, "scanned_at"),
]


def refusals(model: type[Body], field: str, value: str) -> list[tuple[str, str]]:
    """What is said of this field, in both languages; nothing if it is taken."""
    try:
        model.model_validate_json(f'{{"{field}": {value}}}')
    except ValidationError as error:
        problems = from_validation(list(error.errors())).errors
        return [(problem.message_id, problem.message_en) for problem in problems if problem.field == field]
    return []


@pytest.mark.parametrize(("model", "field"), TIMES)
@pytest.mark.parametrize(
    "value", ['"20210201"', '"1612137600"', '"1612137600.5"', "1612137600", '"2021-02-01"', '"2021-02-01T09:00:00"', '"-1"']
)
def test_a_time_that_is_not_written_as_one_is_refused(model: type[Body], field: str, value: str) -> None:
    """A day without dashes would be an hour in August 1970, a count of seconds some hour or other: 422, in both languages."""
    said = f"{field}: bukan waktu yang benar dengan zona.", f"{field}: is not a time with an offset."
    assert refusals(model, field, value) == [said]


@pytest.mark.parametrize(("model", "field"), TIMES)
@pytest.mark.parametrize("value", ['"2027-03-08T09:00:00+07:00"', '"2027-03-08T02:00:00Z"', '"2027-03-08 09:00:00.5+07:00"'])
def test_a_time_with_its_offset_is_taken(model: type[Body], field: str, value: str) -> None:
    """As examples in the document have it, and as Python prints it."""
    assert refusals(model, field, value) == []


@pytest.mark.parametrize(
    ("value", "taken"), [('"2027-03-08"', True), ('"20270308"', False), ('"1612137600"', False), ("0", False)]
)
def test_so_is_a_day(value: str, taken: bool) -> None:
    """The last day of a key."""
    said = "expires_on: bukan tanggal yang benar (TTTT-BB-HH).", "expires_on: is not a date (YYYY-MM-DD)."
    assert refusals(ApiKeyBody, "expires_on", value) == ([] if taken else [said])


@pytest.mark.parametrize("value", ["20270308", "1612137600"])
def test_a_list_is_not_asked_for_a_count_of_seconds(value: str) -> None:
    """Days in addresses are read by the same type."""
    assert TypeAdapter(Day).validate_python("2027-03-08").isoformat() == "2027-03-08"
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(value)


def test_the_document_says_how_they_are_written() -> None:
    """Client generators go by the format."""
    document = openapi()
    schemas = document["components"]["schemas"]
    for model, field in TIMES:
        schema = schemas[model.__name__]["properties"][field]
        assert {"format": "date-time", "type": "string"}.items() <= schema.get("anyOf", [schema])[0].items()
    assert schemas["ApiKeyBody"]["properties"]["expires_on"]["format"] == "date"
    [day] = [p for p in document["paths"]["/v1/trainings"]["get"]["parameters"] if p["name"] == "from"]
    assert day["schema"]["format"] == "date"
