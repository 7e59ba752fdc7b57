"""Bad input gets a clear error in both languages, and nothing is lost: what an officer, a developer or an attacker sends."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from services.registration.imports.header import COLUMNS
from tests.e2e.conftest import Databases, Form, World
from tests.e2e.test_story import upload
from tests.harness.waiting import eventually

REGISTER = "/v1/jakpreneurs"
OFFICERS = [name for name in COLUMNS if name != "verified_on"]  # that column is for migrators


def refused(answer: httpx2.Response, status: int, *codes: str) -> None:
    """The answer is a problem document with this status, naming these codes, in both languages."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"]
    found = {error["code"] for error in problem["errors"]} | {problem["code"]}
    assert set(codes) <= found, problem
    assert all(error["message_id"] and error["message_en"] for error in problem["errors"])


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (b'{"nik": ', ["json_invalid"]),
        (b"\xff\xfe", ["json_invalid"]),
        (b"[" * 100_000, ["json_invalid"]),
        (b"[]", ["model_type"]),
        (b'{"nik": 1, "surprise": true}', ["string_type", "extra_forbidden", "missing"]),
    ],
)
def test_malformed_bodies(world: World, client: httpx2.Client, body: bytes, codes: list[str]) -> None:
    """A developer's first tries: each gets a 422 that says what is wrong."""
    headers = {"Content-Type": "application/json"}
    refused(client.post(f"{world.registration.url}{REGISTER}", content=body, headers=headers), 422, *codes)


def test_every_failing_field_is_named_at_once(world: World, client: httpx2.Client, form: Form) -> None:
    """A citizen mistypes the NIK, the kelurahan and the phone: one answer names all three, without repeating the NIK."""
    answer = client.post(f"{world.registration.url}{REGISTER}", json=form(nik="3171", kelurahan="31.71.99.9999", phone="12"))
    refused(answer, 422, "R1.length", "R3.kelurahan", "R4.phone")
    assert "3171" not in answer.text.replace("31.71", "")


def test_the_second_registration_learns_nothing(world: World, client: httpx2.Client, form: Form) -> None:
    """R2: staff hear that a NIK is registered, not who or when; others hear the same as for a new one, a receipt.

    With the receipt the person comes to the office, whose officer finds whom it is about.
    """
    url, officer = f"{world.registration.url}{REGISTER}", world.as_("officer")
    body = form()
    first = client.post(url, json=body, headers=officer)
    answer = client.post(url, json={**body, "name": "Orang Lain"}, headers=officer)
    refused(answer, 409, "R2.already_registered")
    assert first.json()["jakpreneur_id"] not in answer.text
    known, new = client.post(url, json=body), client.post(url, json=form())
    assert [(answer.status_code, list(answer.json())) for answer in (known, new)] == [(202, ["receipt"])] * 2
    assert set(known.headers) == set(new.headers)
    found = [
        client.post(f"{url}/search", json={"receipt": answer.json()["receipt"]}, headers=officer).json()["items"]
        for answer in (known, new)
    ]
    assert [len(items) for items in found] == [1, 1]
    assert found[0][0]["jakpreneur_id"] == first.json()["jakpreneur_id"]
    assert found[1][0]["jakpreneur_id"] != first.json()["jakpreneur_id"]


def test_an_oversized_body_is_refused(world: World, client: httpx2.Client) -> None:
    """Two megabytes of JSON: 413, before anything is parsed."""
    headers = {"Content-Type": "application/json"}
    refused(client.post(f"{world.registration.url}{REGISTER}", content=b" " * 2_000_000, headers=headers), 413, "too_large")


def test_the_language_of_the_caller(world: World, client: httpx2.Client) -> None:
    """Indonesian unless English is asked for."""
    url = f"{world.registration.url}/v1/nowhere"
    assert client.get(url).json()["detail"] == "Alamat ini tidak ada."
    assert client.get(url, headers={"Accept-Language": "en-GB"}).json()["detail"] == "There is no such address."


def csv_of(*rows: str) -> bytes:
    """A file with the full header."""
    return "\n".join([",".join(OFFICERS), *rows]).encode()


def row(nik: str, **cells: str) -> str:
    """A good row, but for what is changed."""
    good = {
        "nik": nik, "name": "Budi", "birth_date": "1985-03-02", "gender": "male", "phone": "0812345678", "category": "pemula",
        "kelurahan": "31.71.01.1001", "consent_version": "1", "consent_given_at": "2021-01-01T10:00:00+07:00",
        "registered_on": "2021-01-01",
    }  # fmt: skip
    return ",".join({**good, **cells}.get(name, "") for name in OFFICERS)


def test_a_broken_row_does_not_stop_the_others(world: World, client: httpx2.Client) -> None:
    """Five rows, three of them bad in different ways: two people are registered, three lines are reported with their codes."""
    content = csv_of(
        row("3171010203850001"),
        row("3171010203850002", kelurahan="99"),
        "one,cell,too,few",
        row("3171010203850001"),
        row("3171010203850003"),
    )
    state = upload(client, world, content)
    assert (state["accepted"], state["rejected"], state["rows_total"]) == (2, 3, 5)
    lines = client.get(
        f"{world.registration.url}/v1/imports/{state['import_id']}/errors.csv", headers=world.as_("officer")
    ).text.splitlines()
    assert [line.split(",")[:3] for line in lines[1:]] == [
        ["3", "kelurahan", "R3.kelurahan"],
        ["4", "row", "row.columns"],
        ["5", "nik", "R2.already_registered"],
    ]
    assert "317101020385" not in "\n".join(lines)


def test_a_quote_that_never_closes_is_reported(world: World, client: httpx2.Client) -> None:
    """Somebody's name begins with a quote: that row is refused, and those before and behind it are registered."""
    state = upload(client, world, csv_of(row("3171010203850011"), row("3171010203850012", name='"Budi'), row("3171010203850013")))
    assert (state["state"], state["accepted"], state["rejected"]) == ("done", 2, 1)


@pytest.mark.parametrize("day", ["1612137600", "2021-02-01T00:00:00", "0001-01-15", "kemarin"])
def test_a_day_that_is_none(world: World, client: httpx2.Client, day: str) -> None:
    """A figure is never shown for a day that was guessed."""
    refused(client.get(f"{world.metrics.url}/v1/funnel?kota=31.71&as_of={day}"), 422)
    refused(client.get(f"{world.metrics.url}/v1/progress?as_of={day}"), 422)


def test_another_file_under_the_same_key(world: World, client: httpx2.Client) -> None:
    """A script repeats its upload with its key and gets the same reply; with another file under that key it made a mistake."""
    headers = {**world.as_("officer"), "Content-Type": "text/csv", "Idempotency-Key": "monday"}
    url = f"{world.registration.url}/v1/imports"
    first, again = (client.post(url, content=csv_of(row("3171010203850021")), headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    refused(client.post(url, content=csv_of(row("3171010203850022")), headers=headers), 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"nik;name\n1;2\n", "missing_column"),
        (b"nik,nik,name\n1,2,3\n", "double_column"),
        (b"nik,shoe_size\n1,2\n", "unknown_column"),
        (b"PK\x03\x04 a workbook", "workbook"),
        ("nik,nam\u00e9\n".encode("latin-1"), "encoding"),
    ],
)
def test_files_that_can_not_be_an_import(world: World, client: httpx2.Client, content: bytes, code: str) -> None:
    """An officer picks the wrong file: refused at once, with what to do."""
    headers = {**world.as_("officer"), "Content-Type": "text/csv"}
    refused(client.post(f"{world.registration.url}/v1/imports", content=content, headers=headers), 422, code)


def test_a_file_without_end_is_refused_and_leaves_nothing(world: World, client: httpx2.Client, databases: Databases) -> None:
    """A gigabyte arrives in pieces: refused when it passes the limit (2 MB here), memory and database stay small."""
    database = databases("registration")
    before = world.registration.metric("process_resident_memory_bytes")

    def endless() -> Iterator[bytes]:
        yield ",".join(OFFICERS).encode() + b"\n"
        for _ in range(1000):
            yield b"x" * 1_000_000

    headers = {**world.as_("officer"), "Content-Type": "text/csv"}
    try:
        answer = client.post(f"{world.registration.url}/v1/imports", content=endless(), headers=headers)
        refused(answer, 413, "too_large")
    except httpx2.TransportError:
        pass  # the server answered and closed while we were still sending: what a client sees depends on its timing
    eventually(lambda: database["import_chunks"].count_documents({}) == 0, 20, "no piece of the file is left")
    assert world.registration.metric("process_resident_memory_bytes") - before < 60_000_000
