"""The small reference lists: commodities, offices, categories."""

import re
from typing import get_args

from contracts.reference import Dinas, Kota
from services.registration.reference import areas, commodities, dinas
from services.registration.reference import categories as category


def test_commodity_codes_are_stable_and_named_in_both_languages() -> None:
    """Figures are grouped by these codes, so they're plain words; and people see names, so there are two of each."""
    assert 20 <= len(commodities.COMMODITIES) <= 30
    for code, commodity in commodities.COMMODITIES.items():
        assert code == commodity.code
        assert re.fullmatch(r"[a-z_]+", code)
        assert commodity.name_id
        assert commodity.name_en
    assert {"kuliner", "fesyen", "kriya", "lainnya"} <= set(commodities.COMMODITIES)


def test_a_commodity_is_found_whatever_its_case() -> None:
    """A clerk's spreadsheet shouts KULINER; it's the same group. Space travel isn't one."""
    assert commodities.find(" KULINER ") is commodities.COMMODITIES["kuliner"]
    assert commodities.find("antariksa") is None


def test_there_are_seven_dinas() -> None:
    """The seven offices that share the programme, under the names they use for each other."""
    assert list(dinas.DINAS) == ["PPKUKM", "Parekraf", "PPAPP", "Nakertrans", "Sosial", "KPKP", "Pendidikan"]
    assert all(office.name.startswith("Dinas ") for office in dinas.DINAS.values())


def test_what_registration_knows_is_what_all_services_know() -> None:
    """An office or a kota that only one service knew would leave figures unasked for and trainings to nobody."""
    assert set(get_args(Dinas)) == set(dinas.DINAS)
    assert set(get_args(Kota)) == set(areas.KOTA)


def test_a_dinas_is_found_whatever_its_case() -> None:
    """As "ppkukm" and "PAREKRAF" too; an office of another province isn't."""
    assert dinas.find("ppkukm") is dinas.DINAS["PPKUKM"]
    assert dinas.find(" PAREKRAF ") is dinas.DINAS["Parekraf"]
    assert dinas.find("Dishub") is None


def test_there_are_two_categories() -> None:
    """One enters as a starter or as a business that wants to move up; each definition names its source."""
    assert list(category.CATEGORIES) == ["pemula", "naik_kelas"]
    assert all(entry.source for entry in category.CATEGORIES.values())
    assert category.find("pemula") is not None
    assert category.find("veteran") is None
