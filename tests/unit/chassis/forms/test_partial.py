"""What is right in a form of which something is wrong: the rest is read, and nothing of it is invented."""

from __future__ import annotations

import copy
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from chassis.forms.body import Body
from chassis.forms.iso_dates import Date
from chassis.forms.partial import right_part
from chassis.forms.text import Line


class Inner(Body):
    """A form within a form."""

    name: Line = Field(min_length=1)
    amount: Annotated[int, Field(ge=0)]


class Outer(Body):
    """A form."""

    name: Line = Field(min_length=1)
    born: Date
    kind: Literal["a", "b"]
    inner: Inner
    other: Inner | None = None
    items: list[Annotated[str, Field(pattern="^[a-z]+$")]] = Field(default=[])
    several: list[Inner] = Field(default=[])


RIGHT: dict[str, Any] = {
    "name": "Siti", "born": "1990-12-05", "kind": "a", "inner": {"name": "Warung", "amount": 5},
    "other": {"name": "Toko", "amount": 6}, "items": ["a", "b"], "several": [{"name": "x", "amount": 1}],
}  # fmt: skip


def part(given: Any, model: type[Body] = Outer) -> Any:
    """What is right in it."""
    before = copy.deepcopy(given)
    with pytest.raises(ValidationError) as refusal:
        model.model_validate(given, strict=False)
    found = right_part(model, given, refusal.value.errors())
    assert given == before
    return found


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("name", 7), ("name", ""), ("name", "\u200b"), ("name", None), ("name", {"first": "Siti"}), ("kind", {}),
        ("born", "5/12/1990"), ("kind", "c"), ("inner", "Warung"),
        ("inner", None), ("inner", []), ("items", "a"), ("items", ["a", "B", "c"]), ("items", {"0": "a"}), ("several", [{}]),
        ("several", [{"name": "x", "amount": 1}, {"name": "", "amount": -1}, 7]), ("other", 7), ("hobby", "x"), ("hobby", {}),
        ("hobby", [{}]),
    ],
)  # fmt: skip
def test_one_wrong_field(name: str, wrong: Any) -> None:
    """It is None, and of a list with something wrong nothing is kept; all others are as they were sent."""
    found = part({**RIGHT, name: wrong})
    assert found.model_dump(mode="json", exclude={name}) == {key: value for key, value in RIGHT.items() if key != name}
    assert getattr(found, name, None) is None


@pytest.mark.parametrize("place", ["inner", "other"])
def test_one_wrong_field_within(place: str) -> None:
    """Of the inner form only that field goes."""
    found = part({**RIGHT, place: {"name": "Warung", "amount": -1}})
    assert getattr(found, place).model_dump() == {"name": "Warung", "amount": None}
    found = part({**RIGHT, place: {"name": "", "amount": "x", "hobby": 1}})
    assert getattr(found, place).model_dump() == {"name": None, "amount": None}


@given(st.sets(st.sampled_from(sorted(RIGHT)), min_size=1))
def test_missing_fields(names: set[str]) -> None:
    """What isn't there is None; a default isn't put in its place, for nobody has said it."""
    given = {name: value for name, value in RIGHT.items() if name not in names}
    try:
        Outer.model_validate(given, strict=False)
    except ValidationError:
        found = part(given)
        assert all(getattr(found, name) is None for name in names)


@pytest.mark.parametrize("given", [{}, {"hobby": 1}, {"inner": {}}, {"inner": {"inner": {}}}])
def test_nothing_right(given: dict[str, Any]) -> None:
    """A form without anything in it, not an exception."""
    assert part(given).name is None


def test_a_row_of_texts() -> None:
    """As an import brings it: texts are read as numbers and days, and a wrong one is left out."""
    given = {"name": "Siti", "born": "x", "inner": {"name": "Warung", "amount": "5"}, "other": {"amount": "lima"}}
    with pytest.raises(ValidationError) as refusal:
        Outer.model_validate_strings(given)
    found = right_part(Outer, given, refusal.value.errors(), strings=True)
    assert found is not None
    assert (found.name, found.inner.amount) == ("Siti", 5)
    assert [getattr(found, name) for name in ("born", "kind")] == [None, None]
    assert found.other is not None
    assert found.other.amount is None
