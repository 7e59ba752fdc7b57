"""The bodies that the write path is measured with are registrations that the service accepts."""

from __future__ import annotations

import json

import pytest

from bench.bodies import bodies, body_of
from demo import growth
from demo.history import generate
from services.registration.people.form_check import check_form
from services.registration.people.models import RegistrationForm

PEOPLE = 400


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """Starters and traders, with and without an e-mail address."""
    return list(generate(PEOPLE, 7))


def test_every_row_is_a_valid_form(rows: list[dict[str, str]]) -> None:
    """As strict JSON, and by the rules: what is measured is the way of a registration, not of a refusal."""
    for row in rows:
        form = RegistrationForm.model_validate_json(json.dumps(body_of(row)))
        person = check_form(form, today=growth.LAST_DAY, officer=True, default_channel="office")
        assert (person.nik, person.registered_on.isoformat(), person.warnings) == (row["nik"], row["registered_on"], ())


def test_every_kind_of_row_is_there(rows: list[dict[str, str]]) -> None:
    """Both categories, with an address for mail and without; a starter's body has no business at all."""
    kinds = {(row["category"], bool(row["email"])) for row in rows}
    assert kinds == {(category, mail) for category in ("pemula", "naik_kelas") for mail in (True, False)}
    for row in rows:
        body = body_of(row)
        assert ("business" in body) == (row["category"] == "naik_kelas")
        assert ("email" in body) == bool(row["email"])
        assert "verified_on" not in body


def test_nothing_is_lost_or_changed(rows: list[dict[str, str]]) -> None:
    """Flattened again, the body is the row; figures are numbers in it, as the API wants them."""
    for row in rows:
        body = body_of(row)
        flat = {f"consent_{name}": value for name, value in body.pop("consent").items()}
        business = body.pop("business", {})
        assert all(isinstance(business[name], int) for name in business.keys() & {"capital", "annual_sales", "assets", "workers"})
        flat |= {f"business_{name}": str(value) for name, value in business.items()}
        assert body | flat == {name: value for name, value in row.items() if value and name != "verified_on"}


def test_bodies_as_lines(rows: list[dict[str, str]]) -> None:
    """One line each, in the order of the history; the same seed gives the same lines."""
    lines = list(bodies(PEOPLE, 7))
    assert [json.loads(line) for line in lines] == [body_of(row) for row in rows]
    assert all("\n" not in line for line in lines)
    assert lines == list(bodies(PEOPLE, 7))
