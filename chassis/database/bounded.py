"""Reads with an end: what every query gets that doesn't say otherwise."""

from __future__ import annotations

from typing import Any


class Bounded:
    """A collection whose reads the server gives up after a while: a query that scans must not hold it for ever."""

    __slots__ = ("_collection", "_milliseconds")

    def __init__(self, collection: Any, milliseconds: int) -> None:
        self._collection = collection
        self._milliseconds = milliseconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def find(self, *args: Any, **options: Any) -> Any:
        """As the driver's, with a limit unless `max_time_ms` says another."""
        return self._collection.find(*args, **{"max_time_ms": self._milliseconds, **options})

    def find_one(self, *args: Any, **options: Any) -> Any:
        """As the driver's, with a limit."""
        return self._collection.find_one(*args, **{"max_time_ms": self._milliseconds, **options})

    def count_documents(self, *args: Any, **options: Any) -> Any:
        """As the driver's, with a limit."""
        return self._collection.count_documents(*args, **{"maxTimeMS": self._milliseconds, **options})
