"""Forms of synthetic people for registration's rules."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from services.registration.people.form_check import Person, check_form
from services.registration.people.models import RegistrationForm
from services.registration.people.rules import Sealed
from tests.harness.forms import registration

TODAY = date(2021, 3, 2)
WARUNG: dict[str, Any] = {
    "name": "Warung Ibu Melati", "commodity": "batik_tekstil", "kbli": "56102", "capital": 7_654_321, "annual_sales": 54_321_987,
    "assets": 9_876_543, "workers": 3,
}  # fmt: skip


def form(number: int = 1, **changes: Any) -> RegistrationForm:
    """The form as JSON would bring it; a change to None leaves the field out."""
    given = {name: value for name, value in registration(number, **changes).items() if value is not None}
    return RegistrationForm.model_validate_json(json.dumps(given))


def checked(number: int = 1, *, officer: bool = True, **changes: Any) -> Person:
    """A person whose form passed the rules."""
    return check_form(form(number, **changes), today=TODAY, officer=officer, default_channel="office")


def sealed(identity: str = "index of the NIK") -> Sealed:
    """What stands in for the vault where only the rule is of interest."""
    return Sealed(identity, {"version": 1, "wrapped": b"key"}, {"nik": b"sealed"})
