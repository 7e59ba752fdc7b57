"""What one commit writes into one collection."""

from __future__ import annotations

from dataclasses import dataclass, field

from chassis.documents import Document


@dataclass(slots=True)
class Writes:
    """New documents, and (version that must still be there, document) for those that are replaced."""

    inserts: list[Document] = field(default_factory=list)
    replaces: list[tuple[int, Document]] = field(default_factory=list)
