"""Measurements beside a peer: medians, and the median of the ratios of what was measured together."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.result import Result, compared, show, write

speeds = st.floats(1, 1e6)


def test_medians_and_the_median_ratio() -> None:
    """The machine slows down half-way: the ratio is that of rounds measured together (10, 0.5, 1), not 20 to 30."""
    pairs = [(10.0, 1.0), (20.0, 40.0), (30.0, 30.0)]
    assert compared("write", "rows/s", pairs, "insert", ">= 1") == Result("write", 20.0, "rows/s", "insert", 30.0, 1.0, ">= 1")


def test_figures_are_rounded_for_people() -> None:
    """One decimal for values, two for the ratio; the ratio is taken before values are rounded."""
    result = compared("x", "u", [(0.14, 0.06)], "peer", "-")
    assert (result.value, result.peer_value, result.ratio) == (0.1, 0.1, 2.33)


@given(st.lists(st.tuples(speeds, speeds), min_size=1, max_size=9), st.randoms())
def test_the_order_of_rounds_does_not_matter(pairs: list[tuple[float, float]], rng: object) -> None:
    """Nor whether they come as a list or one by one."""
    result = compared("x", "u", pairs, "peer", "-")
    mixed = list(pairs)
    rng.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis' random
    assert result == compared("x", "u", iter(mixed), "peer", "-")
    assert result.ratio == round(statistics.median([value / other for value, other in pairs]), 2)


def test_rounds_that_do_not_come_in_pairs() -> None:
    """A round without its peer, or no round at all, is a mistake of the measurement and says so."""
    with pytest.raises(ValueError, match=r"zip\(\)|unpack"):
        compared("x", "u", [(1.0, 1.0), (2.0,)], "peer", "-")  # type: ignore[list-item] # the mistake in question
    with pytest.raises(ValueError, match="unpack"):
        compared("x", "u", [], "peer", "-")


def test_results_are_written_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON for the next run, and as a table for people; a row without a peer has blanks there."""
    results = [compared("write", "rows/s", [(200, 100)], "insert", ">= 1"), Result("memory", 99.5, "MB")]
    write(tmp_path / "new" / "results.json", results)
    first, second = json.loads((tmp_path / "new" / "results.json").read_text())
    assert (first["ratio"], second["ratio"], second["value"]) == (2.0, None, 99.5)
    show(results)
    shown = capsys.readouterr().out
    assert "insert" in shown
    assert "None" not in shown
