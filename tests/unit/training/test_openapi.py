"""What the OpenAPI document of training promises."""

from __future__ import annotations

from tests.unit.training.openapi import openapi


def test_every_route_says_who_may_call_it() -> None:
    """Deny by default: a route without callers would show here."""
    for operations in openapi()["paths"].values():
        for operation in operations.values():
            assert operation["x-callers"]


def test_every_route_with_an_id_can_answer_404() -> None:
    """Somebody else's thing doesn't exist."""
    for path, operations in openapi()["paths"].items():
        for operation in operations.values():
            assert "404" in operation["responses"] or "{" not in path


def test_every_field_is_described() -> None:
    """In bodies and replies alike."""
    schemas = openapi()["components"]["schemas"]
    own = {name: schema for name, schema in schemas.items() if "properties" in schema and "Validation" not in name}
    bare = [
        f"{name}.{field}"
        for name, schema in own.items()
        for field, about in schema["properties"].items()
        if "description" not in about
    ]
    assert bare == []
