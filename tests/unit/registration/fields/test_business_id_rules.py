"""R4: numbers and addresses of a business, and the fast path for telephones held to phonenumbers' own verdict."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stdnum.id import npwp as stdnum_npwp

from chassis.forms.findings import Checked
from services.registration.fields import business_ids
from services.registration.reference.kbli import KBLI_2020, VERSIONS


def told(checked: Checked) -> tuple[str | None, list[str], list[str]]:
    """Value, codes of errors, codes of warnings."""
    return checked.value, [f.code for f in checked.errors], [f.code for f in checked.warnings]


@pytest.mark.parametrize("typed", ["9120001234567", "9120 0012 34567", "9120-0012.34567 "])
def test_a_nib_is_thirteen_digits(typed: str) -> None:
    """Ani types her NIB as printed or with gaps; it's stored as thirteen digits."""
    assert told(business_ids.nib(typed)) == ("9120001234567", [], [])


@pytest.mark.parametrize("typed", ["", "912000123456", "91200012345678", "912000123456A", "٩١٢٠٠٠١٢٣٤٥٦٧"])
def test_anything_else_is_no_nib(typed: str) -> None:
    """A digit missing or too many, a letter, another script: refused."""
    assert told(business_ids.nib(typed)) == (None, ["R4.nib"], [])


@pytest.mark.parametrize("typed", ["01.312.166.0-091.000", "013121660091000"])
def test_an_old_npwp_has_a_check_digit(typed: str) -> None:
    """Fifteen digits with or without punctuation: the ninth proves the first eight."""
    assert told(business_ids.npwp(typed)) == ("013121660091000", [], [])


def test_one_wrong_digit_in_an_old_npwp_is_noticed() -> None:
    """Joko swaps a digit of his NPWP and hears about it before the tax office does."""
    assert told(business_ids.npwp("01.312.167.0-091.000")) == (None, ["R4.npwp_check"], [])


@given(st.text("0123456789", min_size=15, max_size=15))
def test_we_agree_with_stdnum_on_fifteen_digits(number: str) -> None:
    """The check digit is stdnum's Luhn and nothing of our own."""
    assert (business_ids.npwp(number).value == number) == stdnum_npwp.is_valid(number)


def test_sixteen_digits_are_an_npwp_too() -> None:
    """The new form: an old number behind a zero, a NIK, or a new number; only the first has something to check."""
    assert told(business_ids.npwp("0013121660091000")) == ("0013121660091000", [], [])
    assert told(business_ids.npwp("0013121670091000")) == ("0013121670091000", [], ["R4.npwp_check"])
    assert told(business_ids.npwp("3171015708900001")) == ("3171015708900001", [], [])
    assert told(business_ids.npwp("12345678901234")) == (None, ["R4.npwp_length"], [])


def test_a_kbli_code_we_dont_list_is_only_a_warning() -> None:
    """Tukiman's code is on the short list; Wati's rare one isn't, and she passes with a note."""
    assert told(business_ids.kbli(" 56102 ", "2020")) == ("56102", [], [])
    assert told(business_ids.kbli("99999", "2020")) == ("99999", [], ["R4.kbli_unknown"])


def test_a_kbli_code_of_2025_isnt_judged_by_the_list_of_2020() -> None:
    """No list of 2025 is kept, so nothing can be called unknown in it; the form still has to be right."""
    assert told(business_ids.kbli("99999", "2025")) == ("99999", [], [])
    assert told(business_ids.kbli("5610", "2025")) == (None, ["R4.kbli"], [])


def test_a_kbli_code_needs_five_digits_and_a_known_version() -> None:
    """Four digits name a group and not a business field; and there never was a KBLI 2021."""
    assert told(business_ids.kbli("5610", "2020")) == (None, ["R4.kbli"], [])
    assert told(business_ids.kbli("56102", "2021")) == (None, ["R4.kbli_version"], [])
    assert VERSIONS == ("2020", "2025")


def test_the_short_list_is_well_formed() -> None:
    """Every code on our own list would pass our own rule."""
    assert all(told(business_ids.kbli(code, "2020")) == (code, [], []) for code in KBLI_2020)


@pytest.mark.parametrize(
    "typed",
    [
        "081234567890",
        "6281234567890",
        "+6281234567890",
        "81234567890",
        "0812-3456-7890",
        "+62 812 3456 7890",
        "62 812-3456-7890",
        "(+62) 812 3456 7890",
        "(62)81234567890",
        "+62 (0)812 3456 7890",
        "62 0812 3456 7890",
    ],
)
def test_one_telephone_however_it_is_written(typed: str) -> None:
    """Eleven ways in which forms and spreadsheets write one number; stored once, as E.164."""
    assert told(business_ids.phone(typed)) == ("+6281234567890", [], [])


def test_the_shortest_mobile_with_62_isnt_taken_for_a_landline() -> None:
    """62812345678 could be area 0628 for a library that only looks at digits; people who write 62 mean the country."""
    assert told(business_ids.phone("62812345678")) == ("+62812345678", [], [])
    assert told(business_ids.phone("62 812-345-678")) == ("+62812345678", [], [])


def test_a_landline_in_jakarta_is_a_telephone_too() -> None:
    """The stall has an old landline: (021) works as well."""
    assert told(business_ids.phone("(021) 384-1234")) == ("+62213841234", [], [])


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "0812",
        "08123456",
        "08123456789012",
        "0841234567890",
        "+6591234567",
        "+1 212 555 0100",
        "0812-WARUNG",
        "٠٨١٢٣٤٥٦٧٨٩٠",
        "0" * 300,
    ],
)
def test_what_cant_be_rung_in_indonesia_is_refused(typed: str) -> None:
    """Too short, too long, no such prefix, another country, letters of a keypad, digits of another script."""
    assert told(business_ids.phone(typed)) == (None, ["R4.phone"], [])


PREFIXES = ["8", "81", "83", "84", "80", "86", "89", "21", "7"]
national = st.builds("{}{}".format, st.sampled_from(PREFIXES), st.text("0123456789", max_size=13))
COUNTRIES = ["", "0", "62", "+62", "+", "620", "+620", "0062", "+65"]
telephones = st.builds("{}{}".format, st.sampled_from(COUNTRIES), national)


@settings(max_examples=1000)
@given(telephones | st.text("0123456789+ -().", max_size=20) | st.text(max_size=20))
@example("62812345678")
@example("08123456789")
@example("0812345678901")
def test_the_fast_path_says_what_phonenumbers_says(raw: str) -> None:
    """Every string takes both roads, ours and the library's, and comes out the same."""
    assert business_ids.phone(raw) == business_ids._phone_by_library(raw)


@given(st.from_regex(business_ids._PLAIN_MOBILE, fullmatch=True))
def test_every_number_of_the_fast_path_is_a_mobile_of_indonesia(raw: str) -> None:
    """Asked directly, phonenumbers confirms each plain form: valid, mobile, in Indonesia."""
    number = phonenumbers.parse(str(business_ids.phone(raw).value))
    assert phonenumbers.is_valid_number_for_region(number, "ID")
    assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("siti@example.com", "siti@example.com"),
        (" Siti.Aminah+usaha@Example.CO.ID ", "Siti.Aminah+usaha@example.co.id"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
    ],
)
def test_an_email_keeps_its_name_and_lowers_its_domain(typed: str, stored: str) -> None:
    """The part before the @ belongs to the mail server, which may care about case; the domain doesn't."""
    assert told(business_ids.email(typed)) == (stored, [], [])


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "siti",
        "siti@",
        "@example.com",
        "siti@example",
        "siti@@example.com",
        "si ti@example.com",
        ".siti@example.com",
        "siti..a@example.com",
        "siti@-example.com",
        "siti@example.c",
        "siti@example..com",
        "siti@example.com,budi@example.com",
        "siti@example.com\nbcc:x",
        "siti@example.123",
        "siti@" + "a." * 130 + "com",
        "x" * 65 + "@example.com",
    ],
)
def test_broken_emails_are_refused(typed: str) -> None:
    """Half an address, two of them, or a header smuggled in behind a line break."""
    assert told(business_ids.email(typed)) == (None, ["R4.email"], [])


@given(st.emails(domains=st.just("example.com")))
def test_ordinary_emails_pass(address: str) -> None:
    """What the standard calls an address in its plain form, we accept."""
    assert business_ids.email(address).value == address


@given(st.text(max_size=60))
def test_no_input_breaks_a_rule(raw: str) -> None:
    """Whatever is pasted into a field, its rule answers: a value or an error, never both, never neither."""
    for checked in (
        business_ids.nib(raw),
        business_ids.npwp(raw),
        business_ids.kbli(raw, "2020"),
        business_ids.phone(raw),
        business_ids.email(raw),
    ):
        assert (checked.value is None) == bool(checked.errors)
