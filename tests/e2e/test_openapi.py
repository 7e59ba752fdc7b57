"""Schemathesis over the three OpenAPI documents: no 5xx, no status and no reply that the document doesn't promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import World

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize("service", ["registration", "training", "metrics"])
def test_the_document_keeps_its_word(world: World, service: str, tmp_path: Path) -> None:
    """An officer's client generator and a fuzzer read the same document; both may trust it."""
    url = getattr(world, service).url
    token = world.as_("officer", "verifier", "admin", "operator")["Authorization"]
    tool = Path(sys.executable).parent / "schemathesis"
    command = [
        str(tool), "run", f"{url}/openapi.json", "--checks", CHECKS, "-H", f"Authorization: {token}", "--max-examples", "12",
        "--workers", "1", "--seed", "1", "--generation-database", "none", "--phases", "examples,coverage,fuzzing",
        "--request-timeout", "20", "--continue-on-failure", "--max-failures", "5",
    ]  # fmt: skip
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=240, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
