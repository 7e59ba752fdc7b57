"""Schemathesis over the three OpenAPI documents: no 5xx, no status and no reply that the document doesn't promise.

And as strict as the server: what it calls wrong is refused, what it calls right is refused by rules only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import World

SERVICES = ["registration", "training", "metrics"]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection"
# What no schema can say, by the field's code: rules of the programme, days, what has to exist, what was sent before.
BEYOND_A_SCHEMA = re.compile(
    r"R\d+\..+|P6\..+|too_young|registered_on|greater_than_equal|less_than_equal|cursor|encoding|idempotency_key_reused"
    r"|consent.*|started_on.*|birth_date|kelurahan|commodity|kecamatan|phone|kbli.*|before_birth|future|stale"
)
# Of texts a pattern says nearly all; of numbers JSON has no whole ones (7.0 is one to a schema, and none to us).
BEYOND_A_PATTERN = {"not_printable", "blank", "personal_number", "int_type"}
# The tool sends `0` for If-Match, against the pattern that the document gives.
OF_THE_TOOL = {("If-Match", "string_pattern_mismatch")}


def schemathesis(world: World, service: str, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it over a service as staff with every role."""
    url = getattr(world, service).url
    token = world.as_("officer", "verifier", "admin", "operator")["Authorization"]
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/openapi.json", "-H", f"Authorization: {token}",
        "--max-examples", "12", "--workers", "1", "--generation-database", "none", "--phases", "examples,coverage,fuzzing",
        "--request-timeout", "20", "--continue-on-failure", *arguments,
    ]  # fmt: skip
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=directory, timeout=240, env=environment)


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_keeps_its_word(world: World, service: str, tmp_path: Path) -> None:
    """An officer's client generator and a fuzzer read the same document; both may trust it."""
    done = schemathesis(world, service, tmp_path, "--checks", CHECKS, "--seed", "1", "--max-failures", "5")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_is_as_strict_as_the_server(world: World, service: str, tmp_path: Path) -> None:
    """What a developer's form lets through isn't refused for its form afterwards."""
    arguments = ("--checks", "positive_data_acceptance", "--seed", "20261126", "--max-failures", "100")
    done = schemathesis(world, service, tmp_path, *arguments)
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    refused = re.findall(r'\{"field":"([^"]*)","code":"([^"]*)"', done.stdout)
    unexplained = {
        (field, code)
        for field, code in refused
        if not BEYOND_A_SCHEMA.fullmatch(code) and code not in BEYOND_A_PATTERN and (field, code) not in OF_THE_TOOL
    }
    assert unexplained == set(), done.stdout[-8000:]
