"""What the public is shown: cells and the funnel, on counts given by hand."""

from __future__ import annotations

from datetime import date

import pytest

from services.metrics.figures.store import FigureStore
from services.metrics.figures.use_cases import FigureUseCases


class Given(FigureStore):
    """Counts given by hand instead of rollups."""

    def __init__(self, cells: dict[tuple[str, str], dict[str, int]]) -> None:
        self._given = cells

    async def cells(self, measure: str, dimension: str, as_of: date | None) -> dict[str, int]:
        """As given; `as_of` is the rollups' affair."""
        return self._given.get((measure, dimension), {})


def given(cells: dict[tuple[str, str], dict[str, int]]) -> FigureUseCases:
    """Figures over these counts, with cells of five people and more."""
    return FigureUseCases(Given(cells), 5)


async def test_cells_are_shown_in_order_and_small_ones_are_not() -> None:
    """Three people of the islands: neither they nor, of those left, the smallest kota are shown; a reader sees that and why."""
    figures = given({("P2", "kota"): {"31.75": 90, "31.01": 3, "31.71": 20, "31.72": 70}})
    assert await figures.show_breakdown("P2", "kota") == [
        {"value": "31.01", "people": None, "suppressed": True},
        {"value": "31.71", "people": None, "suppressed": True},
        {"value": "31.72", "people": 70, "suppressed": False},
        {"value": "31.75", "people": 90, "suppressed": False},
    ]


async def test_kecamatan_are_hidden_within_their_kota() -> None:
    """The companion of a small kecamatan is one of the same kota."""
    cells = {"31.71.01": 2, "31.71.02": 40, "31.71.03": 60, "31.72.01": 6, "31.72.02": 90}
    shown = await given({("P2", "kecamatan"): cells}).show_breakdown("P2", "kecamatan")
    assert [cell["value"] for cell in shown if cell["suppressed"]] == ["31.71.01", "31.71.02"]


async def test_the_funnel_overall() -> None:
    """Seven stages in percent of P1; nobody in a stage is a nought, not a gap."""
    figures = given({("P1", "all"): {"all": 800}, ("P2", "all"): {"all": 67}})
    day, stages = await figures.show_funnel(None, None, None)
    assert day is None
    assert [(stage["stage"], stage["people"], stage["percent_of_p1"]) for stage in stages[:3]] == [
        ("P1", 800, "100.00"),
        ("P2", 67, "8.38"),
        ("P3", 0, "0.00"),
    ]
    assert [stage["stage"] for stage in stages] == ["P1", "P2", "P3", "P4", "P5", "P6", "P7"]


async def test_a_hidden_stage_has_no_percentage() -> None:
    """Percent of P1 would give the people away; and where P1 itself is hidden no stage has one."""
    cells = {("P1", "kota"): {"31.71": 300, "31.72": 500}, ("P2", "kota"): {"31.71": 4, "31.72": 9, "31.73": 20}}
    _, stages = await given(cells).show_funnel(None, None, "31.71")
    assert stages[1] == {"stage": "P2", "people": None, "percent_of_p1": None, "suppressed": True}
    hidden = {("P1", "dinas"): {"KPKP": 2, "Sosial": 9}, ("P2", "dinas"): {"Sosial": 9}}
    _, stages = await given(hidden).show_funnel(None, "Sosial", None)
    assert [(stage["people"], stage["percent_of_p1"]) for stage in stages[:2]] == [(None, None), (9, None)]


@pytest.mark.parametrize(("dinas", "kota"), [("KPKP", "31.71"), ("KPKP", "31.72"), ("Sosial", "31.71"), ("Sosial", "31.72")])
async def test_a_dinas_in_a_kota(dinas: str, kota: str) -> None:
    """One cell of the two by two is small: with the sums of both dinas and both kota known, any other would give it away."""
    table = {"KPKP+31.71": 3, "KPKP+31.72": 20, "Sosial+31.71": 30, "Sosial+31.72": 40}
    _, stages = await given({("P1", "dinas+kota"): table}).show_funnel(None, dinas, kota)
    assert stages[0]["suppressed"]


async def test_a_dinas_in_a_kota_that_may_be_shown() -> None:
    """Nothing small: nothing hidden. A pair without anybody is a nought."""
    table = {"KPKP+31.71": 30, "KPKP+31.72": 20, "Sosial+31.71": 30}
    figures = given({("P1", "dinas+kota"): table})
    assert [(await figures.show_funnel(None, dinas, "31.72"))[1][0]["people"] for dinas in ("KPKP", "Sosial")] == [20, 0]


@pytest.mark.parametrize(
    ("dimension", "cells"),
    [
        ("kota", {"31.71": 3}),
        ("kota", {"31.71": 1, "31.72": 1}),
        ("kecamatan", {"31.71.01": 2, "31.71.02": 1}),
        ("kecamatan", {f"31.71.0{number}": 1 for number in range(1, 6)}),
    ],
)
async def test_a_breakdown_that_would_give_somebody_away_is_not_shown(dimension: str, cells: dict[str, int]) -> None:
    """The first people of a stage, all of one kota: hiding the number doesn't help, for the total says it and the list where.

    So they aren't listed; nor are their kecamatan, nor five that can only have one person each, as five live in the kota.
    """
    assert await given({("P2", dimension): cells}).show_breakdown("P2", dimension) == []


async def test_nobody_anywhere_is_an_empty_breakdown_too() -> None:
    """As long as nobody has a stage there is nothing to list, and in the funnel a nought gives nobody away."""
    figures = given({})
    assert await figures.show_breakdown("P2", "kota") == []
    assert (await figures.show_funnel(None, None, "31.71"))[1][1] == {
        "stage": "P2", "people": 0, "percent_of_p1": None, "suppressed": False,
    }  # fmt: skip


@pytest.mark.parametrize(("dinas", "kota"), [(None, "31.71"), (None, "31.72"), ("KPKP", "31.71"), ("Sosial", "31.72")])
async def test_where_one_value_would_give_somebody_away_no_other_is_a_nought(dinas: str | None, kota: str) -> None:
    """Three people with P2, all of one kota: noughts for the other kota would say which. P1, with people enough, is shown."""
    cells = {
        ("P1", "kota"): {"31.71": 30, "31.72": 40},
        ("P1", "dinas+kota"): {"KPKP+31.71": 30, "Sosial+31.72": 40},
        ("P2", "kota"): {"31.71": 3},
        ("P2", "dinas+kota"): {"KPKP+31.71": 3},
    }
    _, stages = await given(cells).show_funnel(None, dinas, kota)
    assert [(stage["people"], stage["suppressed"]) for stage in stages[1:3]] == [(None, True), (0, False)]
    assert stages[0]["people"] == {"31.71": 30, "31.72": 40}[kota]
