"""Request bodies for the write path: the demonstration's people as the API's JSON, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.history import generate

_BUSINESS_NUMBERS = ("capital", "annual_sales", "assets", "workers")


def body_of(row: Mapping[str, str]) -> dict[str, Any]:
    """One history row as the body of POST /v1/jakpreneurs."""
    given: dict[str, Any] = {name: value for name, value in row.items() if value and name != "verified_on"}
    consent = {name: given.pop(f"consent_{name}") for name in ("version", "given_at")}
    business: dict[str, Any] = {
        name.removeprefix("business_"): given.pop(name) for name in list(given) if name.startswith("business_")
    }
    for name in _BUSINESS_NUMBERS:
        if name in business:
            business[name] = int(business[name])
    return given | {"consent": consent} | ({"business": business} if business else {})


def bodies(people: int, seed: int) -> Iterator[str]:
    """JSON lines."""
    for row in generate(people, seed):
        yield json.dumps(body_of(row), separators=(",", ":"))


def write_templates(path: Path, people: int, seed: int) -> None:
    """A file of bodies whose NIK and date of birth the load generator fills in (post.lua)."""
    with path.open("w") as file:
        for row in generate(people, seed):
            body = body_of(row) | {"nik": "@NIK@", "birth_date": "@BIRTH@"}
            file.write(json.dumps(body, separators=(",", ":")) + "\n")
