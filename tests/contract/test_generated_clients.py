"""The OpenAPI documents in the hands of those who generate clients from them: no warning, and clients that compile."""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chassis.process.lifecycle import Service
from chassis.settings import Settings
from deploy.local.layout import ROOT, VENV
from deploy.local.setup import install_generators

SERVICES = ("registration", "training", "metrics")
_SECONDS = 300


@pytest.fixture(scope="session")
def generators() -> Path:
    """The generators, installed as pinned."""
    return install_generators()


async def document(service: str) -> dict[str, Any]:
    """The service's document as its composition root makes it, with nobody to talk to."""
    module = importlib.import_module(f"services.{service}.settings")
    [kind] = [
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Settings) and found is not Settings
    ]
    key = base64.b64encode(bytes(32)).decode()
    peppers = dict.fromkeys(("blind_index_pepper", "api_key_pepper", "idempotency_pepper"), key)
    given: dict[str, Any] = {"env": "local", "vault_master_keys": {"1": key}, **peppers}
    settings: Any = kind(**given)
    built: Service = importlib.import_module(f"services.{service}.main").build(settings)
    made: dict[str, Any] = built.public_app().openapi()
    await built.core.mongo.close()
    return made


@pytest.fixture(params=SERVICES)
async def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A service's document in a file."""
    written = tmp_path / "openapi.json"
    written.write_text(json.dumps(await document(request.param)))
    return written


def run(*command: str, cwd: Path) -> None:
    """Run a tool; what it says is the failure."""
    path = {"PATH": f"{VENV}/bin:{os.environ['PATH']}"}
    done = subprocess.run(
        command, check=False, cwd=cwd, capture_output=True, text=True, timeout=_SECONDS, env={**os.environ, **path}
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


def test_typescript(file: Path, generators: Path) -> None:
    """The portal's developer generates types, and the compiler is content with them."""
    tools = generators / "package-lock" / "node_modules" / ".bin"
    run(str(tools / "openapi-typescript"), str(file), "-o", "api.ts", cwd=file.parent)
    run(str(tools / "tsc"), "--noEmit", "--strict", "api.ts", cwd=file.parent)


def test_python(file: Path, generators: Path) -> None:
    """A university's one developer generates a Python client: no operation is left out, and every module can be imported."""
    tool = generators / "requirements" / "bin" / "openapi-python-client"
    run(
        str(tool), "generate", "--path", str(file), "--output-path", "client", "--meta", "none", "--fail-on-warning",
        cwd=file.parent,
    )  # fmt: skip
    operations = [each for methods in json.loads(file.read_text())["paths"].values() for each in methods.values()]
    made = [path for path in (file.parent / "client" / "api").glob("*/*.py") if path.name != "__init__.py"]
    assert len(made) == len(operations)
    modules = [".".join(path.relative_to(file.parent).with_suffix("").parts) for path in made]
    python = generators / "requirements" / "bin" / "python"
    run(str(python), "-c", f"import {', '.join(modules)}", cwd=file.parent)


def test_spectral(file: Path, generators: Path) -> None:
    """A linter of such documents finds nothing, not even a hint."""
    spectral = generators / "package-lock" / "node_modules" / ".bin" / "spectral"
    ruleset = ROOT / "tests" / "generators" / "spectral.yaml"
    run(str(spectral), "lint", str(file), "--ruleset", str(ruleset), "--fail-severity", "hint", cwd=file.parent)


@pytest.mark.parametrize("service", SERVICES)
async def test_operations_have_short_names(service: str) -> None:
    """`moveTraining`, not `move_training_v1_trainings__training_id__transitions_post`; no two alike; each says what it does."""
    found = await document(service)
    operations = [each for methods in found["paths"].values() for each in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(name.isalnum() and name[0].islower() and len(name) <= 30 for name in names), names
    assert all(operation["summary"] and operation["description"] for operation in operations)
    described = {tag["name"] for tag in found["tags"] if tag["description"]}
    assert {tag for operation in operations for tag in operation["tags"]} == described
    assert found["info"]["description"]
    assert found["servers"] == [{"url": "/", "description": "Where this service answers"}]


@pytest.mark.parametrize("service", SERVICES)
async def test_headers_and_sign_in_are_told(service: str) -> None:
    """What a client must send and may read: limits for the anonymous, tags of versions, when to come again, how to sign in."""
    found = await document(service)
    for methods in found["paths"].values():
        for operation in methods.values():
            anyone = "anyone" in operation["x-callers"]
            assert ({} in operation["security"]) == anyone
            good = [response for status, response in operation["responses"].items() if status < "4"]
            assert good
            for response in good:
                assert "X-Request-Id" in response["headers"]
                assert ("RateLimit" in response["headers"]) == anyone
    refusals = found["components"]["responses"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(refusals["TooMany"]["headers"])
    assert "Retry-After" in refusals["Unavailable"]["headers"]
    assert all(scheme["description"] for scheme in found["components"]["securitySchemes"].values())
