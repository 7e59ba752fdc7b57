"""Documents that `$inc` upserts end in, read back as figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pymongo import UpdateOne

from services.metrics.ledger.rollup_ids import value_of


class Collection:
    """One collection in memory. A field may be a number or a sub-document, never both, as in MongoDB."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def apply(self, updates: Iterable[UpdateOne]) -> None:
        """Upserts of `$inc`."""
        for update in updates:
            changes: Any = update._doc
            assert update._upsert
            assert set(changes) == {"$inc"}
            document = self.documents.setdefault(update._filter["_id"], {})
            for path, count in changes["$inc"].items():
                *way, last = path.split(".")
                assert not any(part == "" or part.startswith("$") for part in (*way, last))
                inner = document
                for part in way:
                    inner = inner.setdefault(part, {})
                inner[last] = inner.get(last, 0) + count

    def figures(self) -> Counter[tuple[str, ...]]:
        """(measure, dimension, value), and with a month or a day behind it: the counts that aren't nought."""
        figures: Counter[tuple[str, ...]] = Counter()
        for identity, document in self.documents.items():
            _, measure, dimension, *months, _slot = identity.split("|")
            name, month = (measure, dimension), tuple(months)
            for field, count in document.get("n", {}).items():
                figures[(*name, value_of(field), *month)] += count
            for field, days in document.get("d", {}).items():
                for day, count in days.items():
                    figures[(*name, value_of(field), f"{month[0]}-{day}")] += count
        return Counter({name: count for name, count in figures.items() if count})
