"""What is stored: a document, and how it is named. Each service describes its own in its documents.py."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
DocumentId = tuple[str, Any]  # collection and `_id`
