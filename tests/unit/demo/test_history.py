"""The demonstration history: synthetic, repeatable, acceptable to our own rules, and true to the published milestones."""

import csv
import hashlib
import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo import growth, history
from demo.people import FIRST_SERIAL, PHONE_PREFIXES
from services.registration.fields import business_ids, nik
from services.registration.reference import areas, commodities, dinas
from services.registration.reference import categories as category
from services.registration.reference.kbli import KBLI_2020

DAY_BEFORE = growth.TARGET_DAY - timedelta(days=1)
SMALL = 3_000
pytestmark = pytest.mark.no_cover  # a quarter of a million people, by code that coverage leaves out


def test_people_without_dates(tmp_path: Path) -> None:
    """The tour's file: they register on the day of the import and wait for a verifier, so no figure of the history moves."""
    file = tmp_path / "people.csv"
    assert history.main(["--people", "20", "--undated", "--out", str(file)]) == 0
    with file.open(encoding="utf-8", newline="") as content:
        rows = list(csv.DictReader(content))
    assert [(row["registered_on"], row["verified_on"]) for row in rows] == [("", "")] * 20


@pytest.fixture(scope="module")
def small() -> list[dict[str, str]]:
    """Three thousand people, as they would be imported."""
    return list(history.generate(SMALL))


def verified_by(day: date, verified: list[date]) -> int:
    """How many were verified on or before a day."""
    return sum(one <= day for one in verified)


def test_the_whole_history_hits_the_published_milestones() -> None:
    """200,000 not before 15 December 2020 but on it; 226,280 on 2 March 2021; every NIK once, every kelurahan there."""
    niks, phones, kelurahan, verified = set(), set(), set(), []
    last_registered = ""
    for row in history.generate():
        assert last_registered <= row["registered_on"] <= row["verified_on"]
        last_registered = row["registered_on"]
        niks.add(row["nik"])
        phones.add(row["phone"])
        kelurahan.add(row["kelurahan"])
        verified.append(date.fromisoformat(row["verified_on"]))
    assert verified_by(DAY_BEFORE, verified) <= 199_999
    assert verified_by(growth.TARGET_DAY, verified) >= 200_000
    assert verified_by(growth.LAST_DAY, verified) == 226_280 == len(verified) == len(niks) == len(phones)
    assert max(verified) == date(2021, 3, 2)
    assert len(kelurahan) == 267


@settings(deadline=None)
@given(st.integers(1, 5_000), st.integers())
def test_a_smaller_history_has_the_same_shape(people: int, seed: int) -> None:
    """However few people a laptop is given, the scaled target falls on the same day and the last on 2 March."""
    pairs = growth.dates(people, random.Random(seed))
    verified = [day for _, day in pairs]
    target = growth.target_for(people)
    assert len(pairs) == people
    assert verified_by(DAY_BEFORE, verified) < max(target, 1)
    assert verified_by(growth.TARGET_DAY, verified) >= target
    assert max(verified) == growth.LAST_DAY
    assert all(registered <= day for registered, day in pairs)
    assert pairs == sorted(pairs)


def test_growth_is_gradual() -> None:
    """No single day carries the history: a year's end has plausible figures, and the busiest day isn't a miracle."""
    verified = [day for _, day in growth.dates(growth.PEOPLE, random.Random(1))]
    at_year_end = [verified_by(date(year, 12, 31), verified) for year in (2018, 2019, 2020)]
    assert 20_000 < at_year_end[0] < 60_000 < at_year_end[1] < 140_000 < at_year_end[2] < growth.PEOPLE
    assert max(Counter(verified).values()) < 1_500


def test_an_empty_history_is_a_header_only(tmp_path: Path) -> None:
    """Nobody at all is a history too."""
    history.write_csv(tmp_path / "none.csv", people=0)
    assert (tmp_path / "none.csv").read_text("utf-8") == ",".join(history.COLUMNS) + "\n"


def test_two_runs_are_equal_byte_for_byte(tmp_path: Path) -> None:
    """Maya and Tono run the demonstration on two laptops and compare files; another seed is another history."""
    for name, seed in (("maya", 2021), ("tono", 2021), ("other", 2022)):
        history.write_csv(tmp_path / name, SMALL, seed)
    maya, tono, other = ((tmp_path / name).read_bytes() for name in ("maya", "tono", "other"))
    assert maya == tono
    assert maya != other


def test_the_history_is_the_one_we_published(tmp_path: Path) -> None:
    """The hash of a small run. A new Faker may change its pool of names: then look at the rows and renew the hash."""
    history.write_csv(tmp_path / "small.csv", 500)
    digest = hashlib.sha256((tmp_path / "small.csv").read_bytes()).hexdigest()
    assert digest == "1561b4c3c8ec30bd2cb770862eb397d207d71a8de8357534fbb5a6a0e71e162c"


def test_every_row_passes_our_own_rules(small: list[dict[str, str]]) -> None:
    """The import must accept all of them, so no rule of ours may find fault: neither an error nor a warning."""
    for row in small:
        born = date.fromisoformat(row["birth_date"])
        verdict = nik.check(row["nik"], today=growth.LAST_DAY, birth_date=born, gender=row["gender"])
        assert verdict == ([], [])
        assert areas.check(row["kelurahan"])[1] == []
        assert business_ids.phone(row["phone"]).value == "+62" + row["phone"][1:]
        assert not row["email"] or business_ids.email(row["email"]).value == row["email"]
        assert row["dinas"] in dinas.DINAS
        assert row["consent_given_at"].startswith(row["registered_on"] + "T")


def test_starters_have_no_business_and_the_others_a_whole_one(small: list[dict[str, str]]) -> None:
    """R5: who is a starter has no business at registration; whoever trades has one with all its figures."""
    for row in small:
        business = {column: row[column] for column in history.COLUMNS if column.startswith("business_")}
        if row["category"] == category.PEMULA:
            assert set(business.values()) == {""}
            continue
        assert row["category"] == category.NAIK_KELAS
        assert row["business_commodity"] in commodities.COMMODITIES
        assert row["business_kbli"] in KBLI_2020
        assert row["business_started_on"] < row["registered_on"]
        assert min(int(row[f"business_{figure}"]) for figure in ("capital", "annual_sales", "assets")) > 0
        assert int(row["business_workers"]) >= 0


def test_everybody_is_recognisably_synthetic(small: list[dict[str, str]]) -> None:
    """Nobody real can be hit: serials that no district issues, telephones that ring nowhere, mail that goes nowhere."""
    for row in small:
        assert int(row["nik"][12:]) >= FIRST_SERIAL
        assert row["phone"].startswith(PHONE_PREFIXES)
        assert row["email"] == "" or row["email"].endswith("@example.com")


def test_the_whole_town_takes_part(small: list[dict[str, str]]) -> None:
    """Every city, every office and nearly every trade appears, and more people in Jakarta Timur than on the islands."""
    kota = Counter(row["kelurahan"][:5] for row in small)
    assert set(kota) == set(areas.KOTA)
    assert kota["31.75"] > kota["31.71"] > kota["31.01"] > 0
    assert {row["dinas"] for row in small} == set(dinas.DINAS)
    assert len({row["business_commodity"] for row in small}) > 20
    assert {row["channel"] for row in small} == {"online", "office", "event"}


def test_the_file_holds_what_the_generator_yields(tmp_path: Path, small: list[dict[str, str]]) -> None:
    """Read back, the file is the same rows under the same columns; the one who waits is told how far it is."""
    told: list[int] = []
    history.write_csv(tmp_path / "small.csv", SMALL + 1, progress=told.append)
    assert told == [1_000, 2_000, 3_000, 3_001]
    history.write_csv(tmp_path / "small.csv", SMALL)
    with (tmp_path / "small.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == small
    assert [path.name for path in tmp_path.iterdir()] == ["small.csv"]


def test_the_command_line_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m demo.history --people 25 --out FILE` does what it says, and says it."""
    assert history.main(["--people", "25", "--out", str(tmp_path / "few.csv")]) == 0
    assert len((tmp_path / "few.csv").read_text("utf-8").splitlines()) == 26
    assert capsys.readouterr().out.startswith("25 people written to ")


def test_a_negative_number_of_people_is_refused(tmp_path: Path) -> None:
    """Minus five people can't register; no file appears."""
    with pytest.raises(SystemExit):
        history.main(["--people", "-5", "--out", str(tmp_path / "few.csv")])
    assert list(tmp_path.iterdir()) == []
