"""Values as field names: codes have dots and underscores, and every one of them must come back as it went in."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.ledger.rollup_ids import field_of, figure_prefix, month_id, value_of
from services.metrics.ledger.rules import UNKNOWN, Counted, Increments
from services.metrics.ledger.store import month_updates, total_updates
from tests.unit.metrics.documents import Collection

COMMODITIES = ("kuliner", "batik_tekstil", "alas_kaki_kulit", "jasa_rumah_tangga")
KOTA = ("31.01", "31.71", "31.75")
DINAS = ("PPKUKM", "Parekraf", UNKNOWN)
VALUES = (
    *COMMODITIES, *KOTA, *DINAS, "31.71.01", "31.71.01.1001", "naik_kelas", "female", "all",
    *(f"{dinas}+{kota}" for dinas, kota in product(DINAS, KOTA)),
)  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_value_survives_as_a_field_name(value: str) -> None:
    """A city keeps its dots, batik keeps its underscore, and no field name has a dot."""
    assert "." not in field_of(value)
    assert value == value_of(field_of(value))


def test_no_two_values_share_a_field() -> None:
    """Two values in one field would be added up as one."""
    assert len(VALUES) == len({field_of(value) for value in VALUES})


people = st.lists(
    st.fixed_dictionaries(
        {
            "kota": st.sampled_from(KOTA),
            "kecamatan": st.sampled_from(["31.71.01", "31.75.10"]),
            "commodity": st.sampled_from([*COMMODITIES, UNKNOWN]),
            "category": st.sampled_from(["pemula", "naik_kelas"]),
            "gender": st.sampled_from(["female", "male"]),
            "dinas": st.sampled_from(DINAS),
        }
    ),
    min_size=1,
    max_size=20,
)


@given(people, st.sampled_from(["2020-12-31", "2021-01-01", "2021-01-02"]))
def test_updates_say_what_was_folded(attributes: list[dict[str, str]], day: str) -> None:
    """Written as updates, applied, read back: the same counts under the same values."""
    increments = Increments()
    increments.add([Counted("P1", day, one) for one in attributes])
    months, totals = Collection(), Collection()
    months.apply(month_updates(increments, "0"))
    totals.apply(total_updates(increments, "0"))
    assert len(attributes) == totals.figures()["P1", "all", "all"] == months.figures()["P1", "all", "all", day]
    for value in {one["commodity"] for one in attributes}:
        count = sum(one["commodity"] == value for one in attributes)
        assert count == totals.figures()["P1", "commodity", value] == months.figures()["P1", "commodity", value, day[:7]]
        assert ("P1", "commodity", value, day) not in months.figures()
    for dinas, kota in {(one["dinas"], one["kota"]) for one in attributes}:
        count = sum((one["dinas"], one["kota"]) == (dinas, kota) for one in attributes)
        assert count == months.figures()["P1", "dinas+kota", f"{dinas}+{kota}", day]


def test_each_month_and_dimension_is_one_document() -> None:
    """A thousand people of one month are one upsert for each dimension: figures don't grow with people."""
    one = {
        "kota": "31.71",
        "kecamatan": "31.71.01",
        "commodity": "kuliner",
        "category": "pemula",
        "gender": "female",
        "dinas": "KPKP",
    }
    increments = Increments()
    increments.add([Counted("P1", f"2021-01-{1 + number % 28:02d}", one) for number in range(1000)])
    assert [len(month_updates(increments, "0")), len(total_updates(increments, "0"))] == [8, 8]


def test_ids_sort_as_ranges() -> None:
    """A range of ids is a measure and dimension from its first month to its last, and nobody else's."""
    ids = [
        month_id(measure, dimension, month, slot)
        for measure in ("P1", "P2")
        for dimension in ("dinas", "dinas+kota")
        for month in ("2020-12", "2021-01")
        for slot in ("2.0", "2.3")
    ]
    start = figure_prefix("P1", "dinas")
    december = [month_id("P1", "dinas", "2020-12", slot) for slot in ("2.0", "2.3")]
    january = [month_id("P1", "dinas", "2021-01", slot) for slot in ("2.0", "2.3")]
    assert december == [name for name in ids if start < name < f"{start}2021-01"]
    assert december + january == [name for name in ids if start < name < start + "\uffff"]
