"""What a client likes best: its Accept-Language and Accept-Encoding headers, as browsers, libraries and attackers write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.http.accept import language_of, qualities, takes_gzip


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("en", {"en": 1.0}),
        ("EN-us;Q=0.5, id", {"en-us": 0.5, "id": 1.0}),
        ("en ; q=0.5 ;x=1,,", {"en": 0.5}),
        ("en;q=2, id;q=-1, ms;q=nan, in;q=inf, fr;q=", {"en": 0.0, "id": 0.0, "ms": 0.0, "in": 0.0, "fr": 0.0}),
        ("en;q=0.1, en;q=0.9", {"en": 0.1}),
        ("", {}),
        (";q=1", {}),
    ],
)
def test_ranges_and_their_values(header: str, expected: dict[str, float]) -> None:
    """Of a range that is named twice the first counts; what isn't between 0 and 1 counts for nothing."""
    assert qualities(header) == expected


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("*", "id"), ("*;q=0", "id"), ("en-US,*", "en"), ("en, *;q=0.5", "en"), ("*, en", "id"), ("id, *", "id"), ("*, id", "en"),
        ("id;q=0, *", "en"), ("en;q=0, *", "id"), ("id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7", "id"),
        ("en-US,en;q=0.9,id;q=0.8", "en"),
        ("ms-MY,en;q=0.9", "id"), ("fr-FR, de;q=0.9, en;q=0.001", "en"), ("english", "id"), ("e", "id"), ("-en", "id"),
        ("en;q=0.5, id;q=0.5", "en"), ("id;q=0.5, en;q=0.5", "id"), ("fr, id;q=0.5, en;q=0.5", "id"), ("en;q=0, id;q=0", "id"),
        ("id;q=0.4, en-GB;q=0.3, en;q=0.6", "en"),
    ],
)  # fmt: skip
def test_english_where_it_is_liked_better(header: str, language: str) -> None:
    """Of two that are liked alike the one named first is meant, and a star after `en` names no language before it."""
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        (None, False), ("", False), ("identity", False), ("gzip", True), ("GZIP", True), ("x-gzip", True), ("*", True),
        ("gzip, deflate, br", True), ("br", False), ("gzip;q=0", False), ("gzip;q=0.000", False), ("gzip;q=0, *", False),
        ("*;q=0", False), ("*;q=0, gzip", True), ("gzip;q=0.001", True), ("gzip;q=abc", False), ("notgzip", False),
    ],
)  # fmt: skip
def test_who_decompresses(header: str | None, takes: bool) -> None:
    """Nobody gets gzip who refuses it or says nothing of it."""
    assert takes_gzip(header) is takes


@given(st.text(st.sampled_from("enid-*;q=0.19, "), max_size=60) | st.text(max_size=60))
def test_whatever_stands_in_the_header(header: str) -> None:
    """Anything is an answer, never an exception."""
    assert language_of(header) in ("id", "en")
    assert takes_gzip(header) in (True, False)


def test_a_header_of_a_thousand_ranges() -> None:
    """As long as the server allows: fifty ranges are looked at."""
    begun = time.process_time()
    assert language_of(",".join(f"x{number}" for number in range(10_000)) + ",en") == "id"
    assert time.process_time() - begun < 0.5
