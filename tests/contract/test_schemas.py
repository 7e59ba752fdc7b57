"""The promises of the event contracts: what is stored stays true, and whatever isn't compatible both ways is caught."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from contracts import asyncapi, schema_store
from contracts.catalogue import PUBLISHERS, TOPICS, TYPES
from contracts.envelope import TYPE_PREFIX, Payload
from contracts.schema_store import incompatibilities, schema_of, stored, stored_sample

every_event = pytest.mark.parametrize("event", TYPES.values(), ids=lambda event: event.__name__)
PERSONAL = {
    "nik", "name", "phone", "email", "address", "birth_date", "full_name", "telephone", "mobile", "npwp",
    "capital", "annual_sales", "assets", "revenue",
}  # fmt: skip


@every_event
def test_its_schema_and_sample_are_stored(event: type[Payload]) -> None:
    """A developer added an event and forgot its schema: this is where it is noticed."""
    assert schema_store.FOLDER.joinpath(f"{event.TYPE}.json").exists(), "run python -m contracts.schema_store"
    assert schema_store.FOLDER.joinpath(f"{event.TYPE}.sample.json").exists()


@every_event
def test_it_is_compatible_with_what_was_promised(event: type[Payload]) -> None:
    """Readers of yesterday understand today's events, and readers of today yesterday's."""
    assert incompatibilities(stored(event), schema_of(event)) == []


@every_event
def test_the_stored_sample_is_understood_today(event: type[Payload]) -> None:
    """An event that was sent when this version was new is replayed to today's reader."""
    event.model_validate_json(stored_sample(event))


@every_event
def test_todays_sample_holds_to_the_stored_schema(event: type[Payload]) -> None:
    """What we write today is valid by the schema that a partner's developer downloaded when it was new."""
    schema = stored(event)
    Draft202012Validator.check_schema(schema)
    sample = json.loads(event.model_validate(event.SAMPLE).model_dump_json(exclude_none=True))
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(sample)


@every_event
def test_a_reader_ignores_what_it_does_not_know(event: type[Payload]) -> None:
    """A newer writer added a field: the older reader reads the rest."""
    sample = json.loads(stored_sample(event)) | {"added_later": {"by": "v1.7"}}
    known = event.model_validate_json(json.dumps(sample), extra="ignore")
    assert event.model_validate_json(stored_sample(event)) == known


@every_event
def test_a_writer_is_strict(event: type[Payload]) -> None:
    """A rule misspells a field: it fails where it is written, not where it is read."""
    with pytest.raises(ValueError, match="misspelt"):
        event.model_validate({**event.SAMPLE, "misspelt": 1})


@every_event
def test_every_field_is_described(event: type[Payload]) -> None:
    """The schema is what a partner's developer reads: every field says what it is."""
    undescribed = [name for name, field in event.model_fields.items() if not field.description]
    assert undescribed == []
    assert event.__doc__


@every_event
def test_it_carries_no_personal_data(event: type[Payload]) -> None:
    """No event has a field for a NIK, a name, a phone, an e-mail, an address or a person's figures (R17)."""
    assert set() == {name.lower() for name in event.model_fields} & PERSONAL
    assert set() == set(_names(schema_of(event))) & PERSONAL


def _names(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = list(schema.get("properties", {}))
        return own + [name for value in schema.values() for name in _names(value)]
    return [name for value in schema for name in _names(value)] if isinstance(schema, list) else []


@every_event
def test_its_type_and_topic_follow_the_naming_rule(event: type[Payload]) -> None:
    """`id.go.jakarta.jakpreneur.<service>.<kind>.<past participle>.v<N>` on `<service>.<kinds>.v<N>`."""
    publisher = next(name for name, events in PUBLISHERS.items() if event in events)
    kind = re.fullmatch(rf"{re.escape(TYPE_PREFIX)}{publisher}\.([a-z_]+)\.([a-z_]+)\.v[1-9]\d*", event.TYPE)
    assert kind is not None
    inbound = re.fullmatch(r"partners\.<partner_id>\.(inbound|outcomes)\.v1", event.TOPIC)
    assert inbound or re.fullmatch(rf"{publisher}\.[a-z]+\.v[1-9]\d*", event.TOPIC)


def test_types_are_unique() -> None:
    """Two classes with one type would shadow each other in every reader's table."""
    classes = [event for events in PUBLISHERS.values() for event in events]
    assert len(classes) == len(TYPES) == len({event.__name__ for event in classes})


def test_nothing_stored_was_dropped() -> None:
    """A stored schema is a promise: its event class may not vanish."""
    promised = {path.name.removesuffix(".json") for path in schema_store.FOLDER.glob("*.json")}
    assert set(TYPES) == {name for name in promised if not name.endswith(".sample")}


def test_topics_belong_to_one_publisher() -> None:
    """Only one service writes a topic."""
    topics = [topic for topics in TOPICS.values() for topic in topics]
    assert len(topics) == len(set(topics))


def test_the_asyncapi_document_is_current() -> None:
    """What a partner's developer reads is what the classes say."""
    assert asyncapi.render() == asyncapi.DOCUMENT.read_text()


def test_the_asyncapi_document_leads_to_every_event() -> None:
    """Every channel leads to its messages, every message is reached, every reference resolves."""
    document = asyncapi.document()
    reached = {
        reference["$ref"].rsplit("/", 1)[1]
        for channel in document["channels"].values()
        for reference in channel["messages"].values()
    }
    assert {event.__name__ for event in TYPES.values()} == reached == set(document["components"]["messages"])


OLD: dict[str, Any] = {
    "properties": {
        "id": {"type": "string", "maxLength": 40, "description": "Id"},
        "quota": {"type": "integer", "minimum": 1},
        "kind": {"$ref": "#/$defs/Kind"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    },
    "required": ["id", "quota", "kind"],
    "$defs": {"Kind": {"enum": ["a", "b"], "type": "string"}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """OLD with one place changed (`None` removes it)."""
    schema = copy.deepcopy(OLD)
    *way, last = path.split("/")
    place = schema
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return schema


@pytest.mark.parametrize(
    "new",
    [
        changed("properties/note", None),
        changed("properties/quota/minimum", 2),
        changed("properties/quota/minimum", None),
        changed("properties/quota/type", "number"),
        changed("properties/id/maxLength", 39),
        changed("properties/id/pattern", "^x"),
        changed("$defs/Kind/enum", ["a"]),
        changed("$defs/Kind/enum", ["a", "b", "c"]),
        changed("required", ["id", "quota"]),
        changed("required", ["id", "quota", "kind", "note"]),
        {**changed("properties/added", {"type": "string"}), "required": ["id", "quota", "kind", "added"]},
    ],
    ids=[
        "field gone", "limit narrower", "limit gone", "other type", "shorter", "pattern added", "choice gone", "choice added",
        "no longer required", "required now", "new required field",
    ],
)  # fmt: skip
def test_the_checker_catches(new: dict[str, Any]) -> None:
    """Each change that would break a reader or an old event is named."""
    assert len(incompatibilities(OLD, new)) == 1


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        changed("properties/added", {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}),
        changed("properties/id/description", "Another text"),
        changed("properties/id/title", "Id"),
        changed("properties/kind", {"enum": ["a", "b"], "type": "string"}),
    ],
    ids=["nothing", "optional field", "description", "title", "inlined reference"],
)
def test_the_checker_lets_pass(new: dict[str, Any]) -> None:
    """An optional field may come, texts may change, and where a definition stands doesn't matter."""
    assert incompatibilities(OLD, new) == []
