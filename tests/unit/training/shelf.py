"""A shelf of trainings that answers the store's queries as MongoDB does: as much of the language as training uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from services.training.documents import TRAININGS

OPERATORS: Final[Mapping[str, Callable[[list[Any], Any], bool]]] = {
    "$in": lambda values, wanted: any(value in wanted for value in values) or (not values and None in wanted),
    "$gte": lambda values, wanted: any(value >= wanted for value in values),
    "$gt": lambda values, wanted: any(value > wanted for value in values),
    "$lt": lambda values, wanted: any(value < wanted for value in values),
    "$exists": lambda values, wanted: bool(values) == wanted,
    "$regex": lambda values, wanted: any(re.search(wanted, value) for value in values),
}


def matches(document: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Whether the document is what the query asks for."""
    return all(_holds(document, name, asked) for name, asked in query.items())


def _holds(document: Mapping[str, Any], name: str, asked: Any) -> bool:
    if name in ("$and", "$or"):
        return (all if name == "$and" else any)(matches(document, part) for part in asked)
    values = _values(document, name)
    if isinstance(asked, Mapping):
        return all(OPERATORS[operator](values, wanted) for operator, wanted in asked.items())
    return asked in values


def _values(document: Mapping[str, Any], path: str) -> list[Any]:
    """What lies at a dotted path, each of a list's values; nothing where there is none."""
    found: Any = document
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return []
        found = found[name]
    return list(found) if isinstance(found, list) else [found]


class Shelf:
    """Stands in for chassis.database.mongo.Mongo and for the cursor of its one collection."""

    def __init__(self, trainings: Iterable[Mapping[str, Any]]) -> None:
        self._found = list(trainings)

    def __getitem__(self, collection: str) -> Shelf:
        """The collection."""
        assert collection == TRAININGS
        return self

    def find(self, query: Mapping[str, Any]) -> Shelf:
        """What matches."""
        return Shelf(training for training in self._found if matches(training, query))

    async def find_one(self, query: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The first that matches."""
        return next((training for training in self._found if matches(training, query)), None)

    def sort(self, keys: list[tuple[str, int]]) -> Shelf:
        """Ascending, as training sorts."""
        assert all(direction == 1 for _, direction in keys)
        return Shelf(sorted(self._found, key=lambda training: [training[name] for name, _ in keys]))

    def limit(self, number: int) -> Shelf:
        """The first of them."""
        return Shelf(self._found[:number])

    def max_time_ms(self, _milliseconds: int) -> Shelf:
        """Always in time."""
        return self

    async def to_list(self, _length: None) -> list[Mapping[str, Any]]:
        """All."""
        return self._found
