"""Ids: random, and near each other when they are drawn together."""

from __future__ import annotations

import itertools
import re
import time

import pytest

from chassis import clock

DRAWN = 2000


def test_ids_have_their_form_and_no_two_are_equal() -> None:
    """Every id bears its prefix and 16 letters and digits."""
    ids = [clock.new_id("jkp") for _ in range(DRAWN)]
    assert len(set(ids)) == DRAWN
    assert [each for each in ids if not re.fullmatch(r"jkp_[0-9A-Za-z]{16}", each)] == []


def test_ids_that_are_drawn_together_begin_alike_256_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of registrations touches one place of an index, and a beginning says nothing of more than 256 people."""
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    clock.new_id("near")
    beginnings = [clock.new_id("near")[:10] for _ in range(255 + 256)]
    assert len(set(beginnings[:255])) == 1
    assert len(set(beginnings[255:])) == 1
    assert beginnings[0] != beginnings[255]


def test_ids_of_another_second_or_kind_begin_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where few register, an id has no neighbours; and trainings don't lie beside people."""
    moment = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    person, training = clock.new_id("someone"), clock.new_id("something")
    moment = 1001.0
    later = clock.new_id("someone")
    beginnings = {each.partition("_")[2][:5] for each in (person, training, later)}
    assert len(beginnings) == 3


def test_beginnings_are_in_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id doesn't tell whether it was drawn before or after another one."""
    moment = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    drawn = []
    for second in range(200):
        moment = float(second)
        drawn.append(clock.new_id("order"))
    rising = sum(1 for earlier, later in itertools.pairwise(drawn) if earlier < later)
    assert 50 < rising < 150
