"""Offices and places that a training names: known ones, and spelled as everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Invalid
from services.registration.reference import areas, dinas
from services.training.actor import Actor
from services.training.trainings.audience import DINAS, KOTA, dinas_of
from tests.unit.training.openapi import openapi
from tests.unit.training.world import World, codes

PPKUKM = Actor(id="user:o", staff=True, dinas="PPKUKM")


@pytest.mark.parametrize("typed", ["PPKUKM", "ppkukm", " PpKukm "])
def test_an_office_is_found_however_it_is_typed(typed: str) -> None:
    """A partner names the office in its own way; that office's officer sees to the training, another doesn't own it."""
    world = World()
    world.draft(dinas=typed)
    training = world.training()
    assert training["dinas"] == "PPKUKM"
    assert PPKUKM.owns(training)
    assert not Actor(id="user:p", staff=True, dinas="Parekraf").owns(training)


def test_without_an_office_a_training_is_the_officers_own() -> None:
    """Or of none, when a partner gives it."""
    world = World()
    world.draft("trn_office", actor=PPKUKM)
    world.draft("trn_partner")
    assert [world.training(training_id)["dinas"] for training_id in ("trn_office", "trn_partner")] == ["PPKUKM", None]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dinas": "Dishub"}, {("dinas", "unknown_dinas")}),
        ({"dinas": ""}, {("dinas", "unknown_dinas")}),
        ({"audience": {"kota": ["31.71", "32.75"]}}, {("audience.kota", "unknown_kota")}),
        ({"audience": {"kecamatan": ["31.76.01"]}}, {("audience.kecamatan", "unknown_kecamatan")}),
        ({"audience": {"kota": ["31.71"], "kecamatan": ["31.74.01"]}}, {("audience.kecamatan", "kecamatan_elsewhere")}),
        (
            {"dinas": "X", "quota": 0, "audience": {"kota": ["32.75"], "kecamatan": ["32.75.01"]}},
            {
                ("quota", "R10.quota"),
                ("dinas", "unknown_dinas"),
                ("audience.kota", "unknown_kota"),
                ("audience.kecamatan", "unknown_kecamatan"),
            },
        ),
    ],
)
def test_what_is_not_there_is_refused(changes: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    """Bekasi isn't in Jakarta, and Tebet isn't in Jakarta Pusat: every failing field is named, in both languages."""
    world = World()
    with pytest.raises(Invalid) as refusal:
        world.draft(**changes)
    assert {(error.field, error.code) for error in refusal.value.errors} == expected
    assert all(error.message_id != error.message_en for error in refusal.value.errors)


def test_a_dry_run_finds_it_out() -> None:
    """Before the form is meant."""
    with pytest.raises(Invalid) as refusal:
        World().draft(dinas="Dishub", dry_run=True)
    assert codes(refusal.value) == ["unknown_dinas"]


@pytest.mark.parametrize(
    "audience",
    [
        {"kota": ["31.01"]},
        {"kecamatan": ["31.75.10"]},
        {"kota": ["31.71", "31.74"], "kecamatan": ["31.74.01", "31.71.08"]},
    ],
)
def test_places_of_jakarta_are_kept(audience: dict[str, list[str]]) -> None:
    """One kota, one kecamatan, or kecamatan of several kota."""
    world = World()
    world.draft(audience=audience)
    assert world.training()["audience"] == audience


def test_the_codes_are_registrations() -> None:
    """The two services share no code, and agree all the same."""
    assert list(DINAS) == list(dinas.DINAS)
    assert set(KOTA) == set(areas.KOTA)
    assert [dinas_of(text) for text in ("sosial", " kpkp ", "Dinas Sosial")] == ["Sosial", "KPKP", None]


def test_a_list_is_asked_for_a_kota_that_there_is() -> None:
    """The document names the six; anything else is a 422."""
    parameters = openapi()["paths"]["/v1/trainings"]["get"]["parameters"]
    [kota] = [parameter["schema"] for parameter in parameters if parameter["name"] == "kota"]
    assert kota["enum"] == list(KOTA)
