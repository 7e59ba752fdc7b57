"""NIKs whose last digit Excel has rounded away: seen over the whole file, and never in a file as people write it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registration.imports.rounding import LastDigits
from tests.harness.forms import nik


def rounded(niks: Iterable[str]) -> bool:
    """Whether a file with these NIKs is stopped."""
    digits = LastDigits()
    for number in niks:
        digits.note(number)
    return digits.rounded


def excel(number: str) -> str:
    """What fifteen digits of precision leave of a NIK."""
    return number[:15] + "0"


def file(noughts: int, others: int) -> list[str]:
    """So many NIKs that end in 0, and so many that don't."""
    return ["3171014512909010"] * noughts + ["3171014512909001"] * others


@given(st.integers(10, 400))
def test_a_file_that_excel_rounded(count: int) -> None:
    """Every NIK ends in 0: such a file registers people who don't exist."""
    assert rounded(excel(nik(number)) for number in range(count))


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(0, 9))
def test_a_file_as_people_write_it(count: int, first: int) -> None:
    """Serials that run on: one in ten ends in 0, however long the file is and wherever it begins."""
    assert not rounded(f"317101451290{serial % 9999 + 1:04d}" for serial in range(first, first + count))


@pytest.mark.parametrize(
    ("noughts", "others", "stopped"),
    [
        (0, 0, False), (1, 0, False), (2, 0, False), (3, 0, False), (2, 1, False), (3, 3, False), (4, 6, False), (5, 15, False),
        (10, 90, False), (15, 85, False), (100, 900, False), (110, 890, False), (10_000, 90_000, False), (10_200, 89_800, False),
        (8, 2, True), (10, 0, True), (15, 15, True), (50, 50, True), (40, 60, True), (300, 700, True), (20_000, 80_000, True),
        (1_000, 4_000, True), (0, 1_000, False), (1, 10_000, False),
    ],
)  # fmt: skip
def test_far_more_often_than_one_in_ten(noughts: int, others: int, stopped: bool) -> None:
    """A small file and a lucky one go on; half a file that was rounded stops the whole."""
    assert rounded(file(noughts, others)) is stopped


@pytest.mark.parametrize("count", [30, 100, 5000])
def test_a_file_of_which_a_part_was_pasted_from_excel(count: int) -> None:
    """Every other row was rounded: the others don't hide it."""
    assert rounded(excel(nik(number)) if number % 2 else nik(number) for number in range(count))


@pytest.mark.parametrize("cell", ["", "317101451290900", "31710145129090010", "317101451290901x", "0812345678900", "0"])
def test_what_is_no_nik_does_not_count(cell: str) -> None:
    """Empty cells, cut numbers and telephones: those rows are refused by themselves, and stop no file."""
    assert not rounded([cell] * 1000)
    assert rounded([cell] * 1000 + file(20, 0))
    assert not rounded([cell] * 1000 + file(3, 2))


@given(st.integers(4, 200), st.integers(0, 200))
def test_more_noughts_are_never_less_of_a_sign(noughts: int, others: int) -> None:
    """A file that is stopped is stopped with one more rounded NIK too, and where a NIK that isn't rounded becomes one."""
    if rounded(file(noughts, others)):
        assert rounded(file(noughts + 1, others))
        assert others == 0 or rounded(file(noughts + 1, others - 1))


@given(st.permutations(file(12, 20)))
def test_the_order_makes_no_difference(niks: list[str]) -> None:
    """Sorted by name or by NIK, the file is the same."""
    assert rounded(niks) == rounded(sorted(niks))
