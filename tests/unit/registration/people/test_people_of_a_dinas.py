"""Staff of one dinas: their own people and nobody else's, whatever they ask for."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import Mock

import pytest

from chassis.access.callers import Caller
from chassis.database.mongo import Mongo
from contracts.reference import Dinas
from services.registration.documents import JAKPRENEURS
from services.registration.people.api import list_jakpreneurs
from services.registration.people.store import PeopleStore
from services.registration.people.use_cases import PeopleUseCases


class Nobody:
    """A collection that notes what it is asked for and finds nobody."""

    def __init__(self) -> None:
        self.queries: list[Any] = []

    def find(self, query: Any) -> Nobody:
        """Notes the query."""
        self.queries.append(query)
        return self

    def sort(self, _order: Any) -> Nobody:
        """In any order."""
        return self

    def limit(self, _number: int) -> Nobody:
        """As many as there are."""
        return self

    async def to_list(self, _number: None) -> list[Any]:
        """Nobody."""
        return []


@pytest.mark.parametrize("asked", [None, "Sosial", "KPKP"])
async def test_a_dinas_sees_its_own(asked: Dinas | None) -> None:
    """Who asks for another dinas gets what is in both: nobody. The office's own limit stands beside every wish."""
    collection = Nobody()
    people = PeopleUseCases(Mock(), PeopleStore(cast("Mongo", {JAKPRENEURS: collection})), Mock())
    caller = Caller(id="user:a", roles=frozenset({"officer"}), dinas="Sosial")
    await list_jakpreneurs(caller=caller, people=people, dinas=asked, limit=50, cursor=None)
    wish = {"dinas": asked} if asked else {}
    assert collection.queries == [{"$and": [{**wish, "$and": [{"dinas": {"$in": ["Sosial", None]}}]}]}]
