"""No query that a caller can ask for reads more than it gives: each filter, and each pair of them, has an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import httpx2
import pytest

from tests.e2e.conftest import Databases, Form, World

ROLES = ("officer", "verifier", "admin", "operator")
SEARCHES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "registration": [
        ("/v1/jakpreneurs/search", {"nik": "3171014512909001"}),
        ("/v1/jakpreneurs/search", {"receipt": "rcp_4Yq0pV7sT2mXb1Zk"}),
        ("/v1/jakpreneurs/search", {"kota": "31.71", "commodity": "kuliner"}),
    ]
}
_FEW = 20  # sorted in memory without harm


def value_of(parameter: Mapping[str, Any]) -> str:
    """Something that the parameter takes."""
    schema = parameter["schema"]
    schema = schema.get("anyOf", [schema])[0] | schema
    if schema.get("examples"):
        return str(schema["examples"][0])
    if schema.get("enum"):
        return str(schema["enum"][0])
    if "const" in schema:
        return str(schema["const"])
    by_type = {"integer": str(schema.get("minimum", 1)), "boolean": "true"}
    by_format = {"date": "2021-02-01", "date-time": "2021-02-01T09:00:00Z"}
    by_name = {
        "kecamatan": "31.71.01",
        "commodity": "kuliner",
        "kota": "31.71",
        "dinas": "Sosial",
        "q": "a",
        "consumer": "people",
    }
    return by_format.get(schema.get("format", ""), by_type.get(schema.get("type", ""), by_name.get(parameter["name"], "x")))


def addresses(document: Mapping[str, Any]) -> Iterator[str]:
    """Every GET with no parameter, with each one and with each two of them."""
    for path, methods in document["paths"].items():
        if "get" not in methods:
            continue
        parameters = methods["get"].get("parameters", [])
        for parameter in parameters:
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", value_of(parameter))  # noqa: PLW2901 - filled in step by step
        asked = [f"{p['name']}={value_of(p)}" for p in parameters if p["in"] == "query" and p["name"] not in ("cursor", "limit")]
        for count in (0, 1, 2):
            for chosen in combinations(asked, count):
                yield f"{path}?{'&'.join(chosen)}"


@pytest.mark.parametrize("service", ["registration", "training", "metrics"])
def test_no_query_scans(world: World, client: httpx2.Client, databases: Databases, form: Form, service: str) -> None:
    """With more people than a page holds, MongoDB's profiler sees every query of every GET: none goes through a collection."""
    url, headers = getattr(world, service).url, world.as_(*ROLES)
    if service == "registration":
        for _ in range(_FEW * 2):
            client.post(f"{url}/v1/jakpreneurs", json=form(), headers=headers)
    database = databases(service)
    document = client.get(f"{url}/openapi.json").json()
    database.command("profile", 2)
    refused: dict[str, int] = {}
    try:
        for address in addresses(document):
            answer = client.get(f"{url}{address}", headers=headers)
            if answer.status_code not in (200, 404):
                refused[address] = answer.status_code
        for path, body in SEARCHES.get(service, []):
            assert client.post(f"{url}{path}", json=body, headers=headers).status_code in (200, 404)
    finally:
        database.command("profile", 0)
    seen = list(database["system.profile"].find({"ns": {"$ne": f"{database.name}.system.profile"}}))
    database["system.profile"].drop()
    assert set(refused.values()) <= {422}, refused
    assert any("IXSCAN" in entry.get("planSummary", "") for entry in seen)
    assert [_short(entry) for entry in seen if _scans(entry)] == []


def _scans(entry: Mapping[str, Any]) -> bool:
    """Looks for some documents by going through all, or sorts more than a page."""
    command = entry.get("command", {})
    narrowed = bool(command.get("filter") or command.get("query") or (command.get("pipeline") or [{}])[0].get("$match"))
    examined, returned = entry.get("docsExamined", 0), entry.get("nreturned", 0)
    sorts = bool(entry.get("hasSortStage")) and examined > max(returned, _FEW)
    return ("COLLSCAN" in entry.get("planSummary", "") and narrowed) or sorts


def _short(entry: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("ns", "planSummary", "docsExamined", "nreturned", "hasSortStage")
    return {name: entry.get(name) for name in shown} | {"command": str(entry.get("command"))[:300]}
