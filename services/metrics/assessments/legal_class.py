"""R6: the legal size class of a business, from whole rupiah, by the rules in force on a day.

The bounds are data with their source, because regulations change. Nearly every business is "micro" under PP 7/2021, so this
class is no measure of growth; growth is R7.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

LegalClass = Literal["micro", "small", "medium", "large"]
Basis = Literal["capital", "annual_sales", "net_worth", "net_worth_or_annual_sales"]

UU_20_2008: Final = "uu_20_2008"
PP_7_2021: Final = "pp_7_2021"
PP_7_2021_IN_FORCE: Final = date(2021, 2, 2)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Inclusive upper bounds in whole rupiah for one rule set and one figure; above `medium` is large."""

    rule_set: str
    figure: str
    micro: int
    small: int
    medium: int
    source: str


TABLE: Final[tuple[Bounds, ...]] = (
    Bounds(UU_20_2008, "net_worth", 50_000_000, 500_000_000, 10_000_000_000, "UU 20/2008 Pasal 6"),
    Bounds(UU_20_2008, "annual_sales", 300_000_000, 2_500_000_000, 50_000_000_000, "UU 20/2008 Pasal 6"),
    Bounds(PP_7_2021, "capital", 1_000_000_000, 5_000_000_000, 10_000_000_000, "PP 7/2021 Pasal 35"),
    Bounds(PP_7_2021, "annual_sales", 2_000_000_000, 15_000_000_000, 50_000_000_000, "PP 7/2021 Pasal 35"),
)
_BOUNDS: Final = {(bounds.rule_set, bounds.figure): bounds for bounds in TABLE}
_ORDER: Final[tuple[LegalClass, ...]] = ("micro", "small", "medium", "large")


def legal_class(
    *,
    capital: int | None,
    annual_sales: int | None,
    net_worth: int | None,
    founded_on: date | None,
    as_of: date,
) -> tuple[LegalClass, str, Basis]:
    """Class, rule set and basis of a business on the day `as_of` (R6); all amounts in whole rupiah.

    Capital and net worth are without land and building. From 2 February 2021 (PP 7/2021) a business founded after that
    day is classed by capital, and every other one by annual sales, also one whose founding day isn't known. Before that day,
    UU 20/2008 asks for net worth or annual sales: with both known the higher class counts, because the business has outgrown
    the lower one. The basis names the figures that were looked at, not the one that decided, so that it stays the same from
    one assessment to the next, as R7 requires.

    Raises ValueError when the figure that the rule set asks for is missing: a class is never guessed from another one.
    """
    if as_of >= PP_7_2021_IN_FORCE:
        if founded_on is not None and founded_on > PP_7_2021_IN_FORCE:
            return _ORDER[_rank(PP_7_2021, "capital", capital)], PP_7_2021, "capital"
        return _ORDER[_rank(PP_7_2021, "annual_sales", annual_sales)], PP_7_2021, "annual_sales"
    if net_worth is None:
        return _ORDER[_rank(UU_20_2008, "annual_sales", annual_sales)], UU_20_2008, "annual_sales"
    by_worth = _rank(UU_20_2008, "net_worth", net_worth)
    if annual_sales is None:
        return _ORDER[by_worth], UU_20_2008, "net_worth"
    by_sales = _rank(UU_20_2008, "annual_sales", annual_sales)
    return _ORDER[max(by_worth, by_sales)], UU_20_2008, "net_worth_or_annual_sales"


def _rank(rule_set: str, figure: str, amount: int | None) -> int:
    """0 for micro to 3 for large."""
    if amount is None:
        raise ValueError(f"{rule_set} classes this business by {figure}, which is missing")
    bounds = _BOUNDS[rule_set, figure]
    return sum(amount > bound for bound in (bounds.micro, bounds.small, bounds.medium))
