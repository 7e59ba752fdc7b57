"""The stored JSON Schema and sample of every event version, and the rule that a change must be compatible both ways.

`python -m contracts.schema_store` writes what is missing; it never overwrites: a stored schema is a promise. A change that
tests/contract/test_schemas.py calls incompatible is a new `v2` class beside the `v1`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from contracts.catalogue import TYPES
from contracts.envelope import Payload

FOLDER = Path(__file__).parent / "schemas"
_TEXTS = {"title", "description", "examples"}


def schema_of(event: type[Payload]) -> dict[str, Any]:
    """JSON Schema as a reader must see it: unknown fields are allowed, since optional ones may come later."""
    schema = event.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"/contracts/schemas/{event.TYPE}.json"
    schema["additionalProperties"] = True
    return schema


def stored(event: type[Payload]) -> dict[str, Any]:
    """The schema as it was first promised."""
    loaded: dict[str, Any] = json.loads((FOLDER / f"{event.TYPE}.json").read_text())
    return loaded


def stored_sample(event: type[Payload]) -> bytes:
    """The sample as it was first promised."""
    return (FOLDER / f"{event.TYPE}.sample.json").read_bytes()


def incompatibilities(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What breaks either old readers or old events: nothing goes, nothing narrows or widens, new fields are optional."""
    problems = []
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    old_required, new_required = set(old.get("required", [])), set(new.get("required", []))
    for name, field in old_fields.items():
        if name not in new_fields:
            problems.append(f"{name} is gone")
        elif _meaning(field, old) != _meaning(new_fields[name], new):
            problems.append(f"{name} has changed its type or limits")
    problems += [f"{name} is required now" for name in sorted(new_required - old_required)]
    problems += [f"{name} is no longer required" for name in sorted(old_required - new_required)]
    return problems


def _meaning(field: Any, root: dict[str, Any]) -> Any:
    """A field's schema without the texts, references resolved."""
    if isinstance(field, dict):
        if "$ref" in field:
            return _meaning(root["$defs"][field["$ref"].rsplit("/", 1)[1]], root)
        return {name: _meaning(value, root) for name, value in field.items() if name not in _TEXTS}
    if isinstance(field, list):
        return [_meaning(value, root) for value in field]
    return field


def write_missing() -> list[str]:
    """Store the schema and sample of every event that has none yet; returns the types written."""
    written = []
    for name, event in TYPES.items():
        path = FOLDER / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(schema_of(event), indent=2) + "\n")
            sample = event.model_validate(event.SAMPLE).model_dump(mode="json", exclude_none=True)
            (FOLDER / f"{name}.sample.json").write_text(json.dumps(sample, indent=2) + "\n")
            written.append(name)
    return written


if __name__ == "__main__":
    for line in write_missing():
        print(line)  # noqa: T201 - a command that tells what it wrote
