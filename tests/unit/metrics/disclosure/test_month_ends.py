"""R18 over time: from no two answers of a filtered funnel can the one to four people be told who joined in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.reference import STAGES
from services.metrics.disclosure.month_ends import last_month_end, last_shown, people_on, published
from services.metrics.figures.store import FigureStore
from services.metrics.figures.use_cases import FigureUseCases

MONTHS = ("2020-11", "2020-12", "2021-01", "2021-03")  # nobody joined in February
DINAS, KOTA = ("KPKP", "Sosial"), ("31.71", "31.72")
PAIRS = [(dinas, kota) for dinas in DINAS for kota in KOTA]
DAYS = [date(2020, 10, 15) + timedelta(days=number) for number in range(0, 190, 3)]
Answers = dict[tuple[str, str], list[tuple[date | None, int]]]  # stage and value: what can be asked for; no day: live
few = st.sampled_from([0, 0, 0, 1, 2, 4, 5, 6, 9, 30])


class Grown(FigureStore):
    """Figures over people given by month instead of rollups: stage, dinas, kota."""

    def __init__(self, people: Mapping[str, Counter[tuple[str, str, str]]]) -> None:
        self._people = people

    async def joined(self, dimension: str) -> dict[str, dict[str, dict[str, int]]]:
        """By stage and month."""
        joined: dict[str, dict[str, dict[str, int]]] = {stage: {} for stage in STAGES}
        for month, people in self._people.items():
            for (stage, dinas, kota), count in people.items():
                value = {"dinas": dinas, "kota": kota, "dinas+kota": f"{dinas}+{kota}"}[dimension]
                if count:
                    cells = joined[stage].setdefault(month, {})
                    cells[value] = cells.get(value, 0) + count
        return joined

    async def cells(self, measure: str, dimension: str, as_of: date | None) -> dict[str, int]:
        """Live."""
        assert as_of is None
        cells = Counter[str]()
        for month in (await self.joined(dimension))[measure].values():
            cells.update(month)
        return cells


def grown(months: Iterable[Sequence[int]]) -> Grown:
    """For each month how many join each pair with P1, then with P2."""
    cells = [(stage, *pair) for stage in ("P1", "P2") for pair in PAIRS]
    return Grown({month: Counter(dict(zip(cells, counts, strict=True))) for month, counts in zip(MONTHS, months, strict=False)})


async def answers_of(figures: FigureStore, *, pairs: bool = False) -> Answers:
    """All that the public can ask for: any day and live, of each dinas and each kota, or of each pair."""
    questions = PAIRS if pairs else [*((dinas, None) for dinas in DINAS), *((None, kota) for kota in KOTA)]
    answers: Answers = {}
    for dinas, kota in questions:
        for asked in (None, *DAYS):
            day, stages = await FigureUseCases(figures, 5).show_funnel(asked, dinas, kota)
            for stage in stages:
                if stage["people"] is not None:
                    name = (stage["stage"], "+".join(filter(None, (dinas, kota))))
                    answers.setdefault(name, []).append((day, stage["people"]))
    return answers


def near(answers: Iterable[tuple[date | None, int]]) -> list[tuple[int, int]]:
    """Any two different answers between which one to four people joined."""
    return [(fewer, more) for fewer, more in pairwise(sorted({people for _, people in answers})) if more - fewer < 5]


histories = st.lists(st.lists(few, min_size=8, max_size=8), min_size=1, max_size=len(MONTHS))


@settings(max_examples=60, deadline=None)
@given(histories)
@example([[9, 9, 9, 9, 0, 0, 0, 0], [0, 5, 6, 0, 9, 0, 0, 0], [9, 9, 9, 9, 0, 0, 0, 0]])
@example([[4, 50, 96, 50, 0, 0, 0, 0], [1, 9, 0, 0, 0, 0, 0, 0], [9, 9, 9, 9, 0, 0, 0, 0]])
@example([[4, 50, 96, 50, 0, 0, 0, 0], [1, 0, 9, 0, 0, 0, 0, 0], [9, 9, 9, 9, 0, 0, 0, 0]])
@example([[2, 9, 9, 9, 0, 0, 0, 0], [4, 9, 9, 9, 0, 0, 0, 0], [9, 9, 9, 9, 0, 0, 0, 0]])
async def test_any_two_answers_are_far_apart(history: list[list[int]]) -> None:
    """Nobody or at least five people joined between any two of them, today's answer among them; in pairs as well as in lists.

    Nor can a figure of a dinas or a kota that lies between its own answers be added up from its pairs.
    """
    figures = grown(history)
    lists, pairs = await answers_of(figures), await answers_of(figures, pairs=True)
    for answers in (*lists.values(), *pairs.values()):
        assert near(answers) == []
    for stage in ("P1", "P2"):
        for value in (*DINAS, *KOTA):
            parts = [dict(pairs.get((stage, "+".join(pair)), [])) for pair in PAIRS if value in pair]
            added = [(day, sum(part[day] for part in parts)) for day in set.intersection(*map(set, parts))]
            assert near([*added, *lists.get((stage, value), [])]) == []


@settings(max_examples=60, deadline=None)
@given(histories)
async def test_a_past_answer_is_true_or_none(history: list[list[int]]) -> None:
    """What is shown is the exact figure of the day that the reply names, a month end on or before the day asked for."""
    figures = grown(history)
    joined = await figures.joined("kota")
    for asked in DAYS:
        day, stages = await FigureUseCases(figures, 5).show_funnel(asked, None, "31.71")
        assert day is not None
        assert (day + timedelta(days=1)).day == 1
        assert day <= asked
        until = day.isoformat()[:7]
        for stage in stages:
            true = sum(people.get("31.71", 0) for month, people in joined[stage["stage"]].items() if month <= until)
            assert stage["people"] in (None, true)
            assert stage["suppressed"] == (stage["people"] is None)


async def test_february_is_held_back_until_enough_have_joined() -> None:
    """A hundred people by the end of November, two more in December: who asks for December is told of November.

    In January three more join: five since November, so January is shown.
    """
    figures = grown([[100, 50, 50, 50, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 0]])
    of_december = await FigureUseCases(figures, 5).show_funnel(date(2021, 1, 30), None, "31.71")
    assert of_december == await FigureUseCases(figures, 5).show_funnel(date(2020, 11, 30), None, "31.71")
    assert (of_december[0], of_december[1][0]["people"]) == (date(2020, 11, 30), 150)
    day, stages = await FigureUseCases(figures, 5).show_funnel(date(2021, 1, 31), None, "31.71")
    assert (day, stages[0]["people"]) == (date(2021, 1, 31), 155)


async def test_a_month_too_near_to_what_is_live_is_not_shown_yet() -> None:
    """Somebody joined today: by the difference to the last month end it would be seen of which kota. So that isn't shown."""
    figures = grown([[100, 50, 50, 50, 0, 0, 0, 0], [9, 9, 9, 9, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]])
    day, stages = await FigureUseCases(figures, 5).show_funnel(date(2020, 12, 31), None, "31.71")
    assert (day, stages[0]["people"]) == (date(2020, 11, 30), 150)


async def test_one_cell_holds_back_every_kota_of_its_stage() -> None:
    """Two people of one kota reach P2 in December; were the other kota's shown, the public total would tell these two.

    P1 has people enough and is shown; P2 is again in January, when five more have come.
    """
    figures = grown([[100, 50, 50, 50, 9, 9, 9, 9], [9, 9, 9, 9, 2, 0, 0, 0], [9, 9, 9, 9, 9, 9, 9, 9]])
    for kota, first in zip(KOTA, (168, 118), strict=True):
        day, stages = await FigureUseCases(figures, 5).show_funnel(date(2020, 12, 31), None, kota)
        assert (day, stages[0]["people"], stages[1]["people"]) == (date(2020, 12, 31), first, None)
        day, stages = await FigureUseCases(figures, 5).show_funnel(date(2021, 1, 31), None, kota)
        assert (day, stages[1]["suppressed"]) == (date(2021, 1, 31), False)


@pytest.mark.parametrize("december", [[1, 9, 0, 0], [1, 0, 9, 0]])
async def test_pairs_do_not_add_up_to_a_figure_that_the_lists_hold_back(december: list[int]) -> None:
    """In November one pair is small, so only the lists are shown; in December one kota, or one dinas, has one person more.

    That month's pairs are all large enough, yet their sum less November's figure would be that person.
    """
    figures = grown([[4, 50, 96, 50, 0, 0, 0, 0], [*december, 0, 0, 0, 0], [9, 9, 9, 9, 0, 0, 0, 0]])
    _, of_kota = await FigureUseCases(figures, 5).show_funnel(date(2020, 11, 30), None, "31.71")
    assert of_kota[0]["people"] == 100
    _, of_pair = await FigureUseCases(figures, 5).show_funnel(date(2020, 12, 31), "KPKP", "31.71")
    assert of_pair[0]["suppressed"]


@pytest.mark.parametrize(
    ("asked", "month_end"),
    [
        (date(2020, 10, 20), date(2020, 9, 30)),
        (date(2020, 11, 30), date(2020, 11, 30)),
        (date(2021, 1, 30), date(2020, 12, 31)),
    ],
)
async def test_before_the_first_month_end_shown_there_is_no_nought(asked: date, month_end: date) -> None:
    """Few people at first: nothing of those months is shown, and that isn't told as nobody. January's end has enough."""
    figures = grown([[3, 1, 0, 0, 0, 0, 0, 0], [2, 2, 0, 0, 0, 0, 0, 0], [1, 2, 9, 9, 0, 0, 0, 0]])
    day, stages = await FigureUseCases(figures, 5).show_funnel(asked, None, "31.71")
    assert day == month_end
    assert [(stage["people"], stage["percent_of_p1"], stage["suppressed"]) for stage in stages] == [(None, None, True)] * 7
    day, stages = await FigureUseCases(figures, 5).show_funnel(date(2021, 1, 31), None, "31.71")
    assert (day, stages[0]["people"]) == (date(2021, 1, 31), 15)
    assert stages == (await FigureUseCases(figures, 5).show_funnel(None, None, "31.71"))[1]


def test_no_month_with_a_small_cell_is_shown() -> None:
    """The islands have three people all along. November would hide 31.71 with them, and show that 31.72 has ten.

    December would hide 31.72 with them, and show that both have 13: so 31.72, which has ten or at least five more, has ten
    still, and the islands three. With six more people there is nothing to hide any more.
    """
    joined = {
        "2020-11": {"31.01": 3, "31.71": 9, "31.72": 10},
        "2020-12": {"31.71": 21},
    }
    assert published(joined, 5) == []
    assert published({**joined, "2021-01": {"31.01": 6}}, 5) == ["2021-01"]


A, B, C = "abc"


@pytest.mark.parametrize(
    ("joined", "shown"),
    [
        ({}, []),
        ({"2021-01": {A: 5}}, ["2021-01"]),
        ({"2021-01": {A: 4}}, []),
        ({"2021-01": {A: 4}, "2021-02": {A: 1}}, ["2021-02"]),
        ({"2021-01": {A: 5}, "2021-02": {B: 9}, "2021-03": {B: 5}}, ["2021-01", "2021-02", "2021-03"]),
        ({"2021-01": {A: 5}, "2021-02": {A: 4}, "2021-03": {B: 5}, "2021-04": {A: 2}}, ["2021-01", "2021-04"]),
        ({"2021-01": {A: 5}, "2021-02": {A: 9}, "2021-03": {B: 1}}, []),
        ({"2021-01": {A: 5, B: 5}, "2021-02": {A: 9}, "2021-03": {B: 5}, "2021-04": {A: 1, B: 1}}, ["2021-01"]),
    ],
)
def test_which_months_are_shown(joined: Mapping[str, Mapping[str, int]], shown: list[str]) -> None:
    """Each compared with the one shown before, the first with nobody; and the last ones with what is live."""
    assert published(joined, 5) == shown
    assert published(dict(reversed(list(joined.items()))), 5) == shown


def test_pairs_are_shown_for_months_of_both_lists() -> None:
    """January's lists are held back: pairs, which add up to them, are as well."""
    joined = {"2020-12": {A: 9, B: 9, C: 9}, "2021-01": {A: 9}, "2021-02": {B: 9}}
    assert published(joined, 5, {"2020-12", "2021-02"}) == ["2020-12", "2021-02"]


@pytest.mark.parametrize(
    ("asked", "day", "people"),
    [
        (date(2020, 10, 31), None, 0),
        (date(2020, 11, 30), date(2020, 11, 30), 9),
        (date(2021, 1, 31), date(2021, 1, 31), 9),
        (date(2021, 3, 31), date(2021, 1, 31), 9),
        (date(2021, 4, 30), date(2021, 4, 30), 16),
        (date(2021, 12, 31), date(2021, 12, 31), 16),
    ],
)
def test_a_month_end_holds_until_the_next_month_with_people(asked: date, day: date | None, people: int) -> None:
    """Nobody joined from December to January, so November's figures are January's; February isn't shown, April is."""
    joined = {"2020-11": {A: 9}, "2021-02": {A: 2}, "2021-04": {A: 5}}
    found = last_shown(joined, published(joined, 5), asked)
    assert (found and found.day) == day
    assert found is None or found.people == {A: people}


@pytest.mark.parametrize(
    ("day", "people"),
    [
        (date(2020, 10, 31), {}),
        (date(2020, 11, 30), {A: 9}),
        (date(2020, 12, 31), {A: 9}),
        (date(2021, 2, 28), None),
        (date(2021, 4, 30), {A: 16}),
    ],
)
def test_a_stage_on_a_day_that_another_shows(day: date, people: Mapping[str, int] | None) -> None:
    """Nobody yet, its own figures of that day, or nothing: never those of an earlier day under a later one."""
    joined = {"2020-11": {A: 9}, "2021-02": {A: 2}, "2021-04": {A: 5}}
    assert people_on(joined, published(joined, 5), day) == people


@pytest.mark.parametrize(
    ("day", "end"), [("2021-03-02", "2021-02-28"), ("2020-02-29", "2020-02-29"), ("2021-01-30", "2020-12-31")]
)
def test_month_ends(day: str, end: str) -> None:
    """A month's last day is its own month end."""
    assert last_month_end(date.fromisoformat(day)).isoformat() == end
