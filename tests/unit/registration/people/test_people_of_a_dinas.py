"""Staff of one dinas: their own people and nobody else's, whatever they ask for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis.access.callers import Caller
from services.registration.people import api
from services.registration.people.use_cases import UseCases


@pytest.mark.parametrize("asked", [None, "Sosial", "KPKP"])
async def test_a_dinas_sees_its_own(asked: str | None) -> None:
    """Who asks for another dinas gets what is in both: nobody. The office's own limit stands beside every wish."""
    queries: list[Any] = []

    async def people(query: Any, after: Any, limit: int) -> list[Any]:
        queries.append(query)
        return []

    use_cases = cast("UseCases", SimpleNamespace(store=SimpleNamespace(people=people)))
    [route] = [r for r in api.routes(use_cases).routes if getattr(r, "name", "") == "list_people"]
    caller = Caller(id="user:a", roles=frozenset({"officer"}), dinas="Sosial")
    wishes = dict.fromkeys(("status", "kota", "kecamatan", "commodity", "q"))
    await cast("Any", route).endpoint(caller=caller, dinas=asked, **wishes, limit=50, cursor=None)
    wish = {"dinas": asked} if asked else {}
    assert queries == [{**wish, "$and": [{"dinas": {"$in": ["Sosial", None]}}]}]
