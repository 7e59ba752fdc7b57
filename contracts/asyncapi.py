"""The AsyncAPI 3.0 document, generated from the event classes: what a partner's developer reads.

`python -m contracts.asyncapi` writes contracts/asyncapi.yaml; `--check` fails when it isn't current.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from contracts.catalogue import PUBLISHERS
from contracts.envelope import Payload
from contracts.schema_store import schema_of

DOCUMENT = Path(__file__).parent / "asyncapi.yaml"
_HEADERS = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_sequence"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "<subject>:<sequence>; the same however often it is sent"},
        "ce_source": {
            "type": "string",
            "description": "/services/<service>; once restored, with /generations/<name>, no part of an event's identity",
        },
        "ce_type": {"type": "string"},
        "ce_subject": {"type": "string", "description": "Id of what changed; also the Kafka key"},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it happened, UTC"},
        "ce_sequence": {"type": "string", "description": "1, 2, 3 … for each subject, without gaps"},
        "ce_traceparent": {"type": "string", "description": "W3C trace context"},
        "ce_dataschema": {"type": "string"},
        "content-type": {"const": "application/json"},
    },
}


def _name(event: type[Payload]) -> str:
    return event.__name__


def document() -> dict[str, Any]:
    """The whole document as plain data."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for publisher, events in PUBLISHERS.items():
        for event in events:
            name = _name(event)
            schema = schema_of(event)
            messages[name] = {
                "name": event.TYPE,
                "title": name,
                "summary": (event.__doc__ or "").strip(),
                "contentType": "application/json",
                "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
                "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
                "examples": [{"payload": dict(event.SAMPLE)}],
            }
            channel = channels.setdefault(
                event.TOPIC.replace(".", "_"),
                {"address": event.TOPIC, "messages": {}, "bindings": {"kafka": {"partitions": 6}}},
            )
            channel["messages"][name] = {"$ref": f"#/components/messages/{name}"}
            operations.setdefault(
                f"{publisher}_publishes_{event.TOPIC.replace('.', '_')}",
                {"action": "send", "channel": {"$ref": f"#/channels/{event.TOPIC.replace('.', '_')}"}},
            )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Jakpreneur platform events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0, Kafka binding, binary mode. Readers ignore unknown fields; "
            "events of one subject come in order of ce_sequence, at least once.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {"CloudEventHeaders": _HEADERS}},
    }


def render() -> str:
    """YAML text. JSON is YAML, and its one writer in the standard library keeps this package free of others."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the document, or check that the stored one is current."""
    if arguments == ["--check"]:
        if DOCUMENT.exists() and DOCUMENT.read_text() == render():
            return 0
        print("contracts/asyncapi.yaml is not current: run python -m contracts.asyncapi", file=sys.stderr)  # noqa: T201 - a command
        return 1
    DOCUMENT.write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
