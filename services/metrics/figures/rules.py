"""Figures, pure: percentages, the day a count was reached, and which cells of a breakdown are hidden (R16, R18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from services.metrics.disclosure import suppression

_HIDDEN_CELLS_OF = {"kecamatan": suppression.suppressed_kecamatan, "dinas+kota": suppression.suppressed_table}


def percent(part: int, whole: int) -> str | None:
    """Percent with two decimals, half up (R16): 226280 of 200000 is "113.14"; None if the whole is 0."""
    if whole == 0:
        return None
    return str((Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def reached_on(days: Sequence[tuple[str, int]], value: int) -> str | None:
    """The first day on which the cumulative count was at least the value; `days` are in order, with their counts."""
    total = 0
    for day, count in days:
        total += count
        if total >= value:
            return day
    return None


def hidden_cells(dimension: str, cells: Mapping[str, int], smallest: int) -> set[str] | None:
    """The values whose people must be hidden (R18); None if nothing of the breakdown can be shown.

    Kecamatan are protected within their kota, and pairs of dinas and kota within both, because those sums are public too.
    """
    return _HIDDEN_CELLS_OF.get(dimension, suppression.suppressed)(cells, smallest)


def public_count(dimension: str, value: str, cells: Mapping[str, int], smallest: int) -> int | None:
    """People of one value of a breakdown; None if they must be hidden.

    Where nothing of the breakdown can be shown, a value without people is hidden too: it would tell who has the people.
    """
    hidden = hidden_cells(dimension, cells, smallest)
    return None if hidden is None or value in hidden else cells.get(value, 0)
