"""R6 at every bound: one rupiah below, on it, one above."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.assessments.legal_class import PP_7_2021, PP_7_2021_IN_FORCE, TABLE, UU_20_2008, legal_class

OLD = date(2019, 5, 1)
NEW = date(2021, 2, 3)
BEFORE = PP_7_2021_IN_FORCE - timedelta(days=1)
ORDER = ("micro", "small", "medium", "large")
BOUNDS = [
    (rule_set, figure, bound, below, above)
    for rule_set, figure, bounds in (
        (UU_20_2008, "net_worth", (50_000_000, 500_000_000, 10_000_000_000)),
        (UU_20_2008, "annual_sales", (300_000_000, 2_500_000_000, 50_000_000_000)),
        (PP_7_2021, "capital", (1_000_000_000, 5_000_000_000, 10_000_000_000)),
        (PP_7_2021, "annual_sales", (2_000_000_000, 15_000_000_000, 50_000_000_000)),
    )
    for bound, below, above in zip(bounds, ORDER, ORDER[1:], strict=False)
]


def classed(rule_set: str, figure: str, amount: int) -> tuple[str, str, str]:
    """The class by one figure alone, on a day and with a founding day that call for it."""
    figures: dict[str, int | None] = {"capital": None, "annual_sales": None, "net_worth": None, figure: amount}
    as_of = BEFORE if rule_set == UU_20_2008 else date(2021, 3, 2)
    founded_on = NEW if figure == "capital" else OLD
    return legal_class(
        capital=figures["capital"],
        annual_sales=figures["annual_sales"],
        net_worth=figures["net_worth"],
        founded_on=founded_on,
        as_of=as_of,
    )


@pytest.mark.parametrize(("rule_set", "figure", "bound", "below", "above"), BOUNDS)
def test_one_rupiah_either_side_of_every_bound(rule_set: str, figure: str, bound: int, below: str, above: str) -> None:
    """Exactly on the bound the business still belongs below; one rupiah more and it has moved up."""
    assert classed(rule_set, figure, bound - 1) == (below, rule_set, figure)
    assert classed(rule_set, figure, bound) == (below, rule_set, figure)
    assert classed(rule_set, figure, bound + 1) == (above, rule_set, figure)


def test_the_table_is_the_one_of_the_rule_with_its_sources() -> None:
    """Twelve bounds in four rows, each row naming the regulation it comes from."""
    assert {(row.rule_set, row.figure, bound) for row in TABLE for bound in (row.micro, row.small, row.medium)} == {
        (rule_set, figure, bound) for rule_set, figure, bound, _, _ in BOUNDS
    }
    assert all("Pasal" in row.source for row in TABLE)


def test_the_new_rules_begin_on_2_february_2021() -> None:
    """Sales of 400 million: small on the first of February, micro on the second, without selling a thing."""
    on_the_first = legal_class(capital=1, annual_sales=400_000_000, net_worth=None, founded_on=OLD, as_of=BEFORE)
    on_the_second = legal_class(capital=1, annual_sales=400_000_000, net_worth=None, founded_on=OLD, as_of=PP_7_2021_IN_FORCE)
    assert on_the_first == ("small", UU_20_2008, "annual_sales")
    assert on_the_second == ("micro", PP_7_2021, "annual_sales")


@pytest.mark.parametrize(
    ("founded_on", "expected"),
    [
        (BEFORE, ("micro", PP_7_2021, "annual_sales")),
        (PP_7_2021_IN_FORCE, ("micro", PP_7_2021, "annual_sales")),
        (NEW, ("small", PP_7_2021, "capital")),
        (None, ("micro", PP_7_2021, "annual_sales")),
    ],
)
def test_only_businesses_founded_after_it_are_classed_by_capital(founded_on: date | None, expected: tuple[str, str, str]) -> None:
    """Rahmat puts two billion into his business. Founded a day later, the same business is a small one."""
    assert (
        legal_class(capital=2_000_000_000, annual_sales=0, net_worth=None, founded_on=founded_on, as_of=date(2021, 3, 2))
        == expected
    )


@pytest.mark.parametrize(
    ("net_worth", "annual_sales", "expected"),
    [(50_000_000, 300_000_000, "micro"), (50_000_001, 0, "small"), (0, 300_000_001, "small"), (-1, 0, "micro")],
)
def test_under_the_old_law_the_higher_of_two_classes_counts(net_worth: int, annual_sales: int, expected: str) -> None:
    """Under UU 20/2008 a business with both figures has left a class when either has; the basis names both."""
    assert legal_class(capital=None, annual_sales=annual_sales, net_worth=net_worth, founded_on=OLD, as_of=date(2020, 6, 30)) == (
        expected,
        UU_20_2008,
        "net_worth_or_annual_sales",
    )


@pytest.mark.parametrize(("founded_on", "as_of"), [(NEW, date(2021, 3, 2)), (OLD, date(2021, 3, 2)), (OLD, BEFORE)])
def test_a_missing_figure_is_never_replaced_by_another(founded_on: date, as_of: date) -> None:
    """The figure that the rules ask for is missing: no class is better than one on another basis."""
    needs_capital = founded_on == NEW
    with pytest.raises(ValueError, match="capital" if needs_capital else "annual_sales"):
        legal_class(
            capital=None if needs_capital else 1,
            annual_sales=1 if needs_capital else None,
            net_worth=None,
            founded_on=founded_on,
            as_of=as_of,
        )


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from([BEFORE, date(2021, 3, 2)]), st.booleans())
def test_more_money_never_means_a_lower_class(less: int, more: int, as_of: date, is_new: bool) -> None:
    """Of two businesses of one age, the one with more of everything is never in the lower class."""
    less, more = sorted((less, more))
    founded_on = NEW if is_new else OLD
    ranks = [
        ORDER.index(legal_class(capital=m, annual_sales=m, net_worth=m, founded_on=founded_on, as_of=as_of)[0])
        for m in (less, more)
    ]
    assert ranks == sorted(ranks)
