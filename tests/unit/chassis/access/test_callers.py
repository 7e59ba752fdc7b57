"""Who comes in through a route's door, and as what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from chassis.access.callers import Caller, declaration
from chassis.errors import Forbidden


class Known:
    """An authenticator that knows this caller."""

    def __init__(self, *roles: str) -> None:
        self._caller = Caller("user:rina", frozenset(roles), jakpreneur_id="jkp_rina")

    async def caller(self, request: Any) -> Caller:
        """Rina."""
        return self._caller


async def comes_in(roles: tuple[str, ...], *allowed: Any) -> Caller:
    """What a route with these callers gets to see of somebody with these roles."""
    state = SimpleNamespace(authenticator=Known(*roles), admit=str)
    request = SimpleNamespace(app=SimpleNamespace(state=state), state=SimpleNamespace())
    return await declaration(*allowed)(request)  # type: ignore[arg-type] # a double


async def test_a_role_that_the_route_did_not_ask_for() -> None:
    """Rina operates the platform and is a Jakpreneur too: where officers and citizens may look, she is a citizen and no staff."""
    rina = await comes_in(("operator", "citizen"), "officer", "citizen")
    assert (rina.staff, rina.roles, rina.jakpreneur_id) == (False, frozenset({"citizen"}), "jkp_rina")
    assert (await comes_in(("officer", "citizen"), "officer", "citizen")).staff


def test_whose_people_staff_is_limited_to() -> None:
    """Rina verifies for KPKP; what she may do for herself doesn't depend on whose Jakpreneur she is. A citizen has no office."""
    rina = Caller("user:rina", frozenset({"officer", "citizen"}), jakpreneur_id="jkp_rina", dinas="KPKP")
    assert (rina.limit("jkp_siti"), rina.limit("jkp_rina")) == ("KPKP", None)
    assert Caller("user:rina", frozenset({"citizen"}), jakpreneur_id="jkp_rina", dinas="KPKP").limit("jkp_rina") is None
    assert Caller("user:rina", frozenset({"officer"}), jakpreneur_id="jkp_rina", dinas="KPKP").limit("jkp_rina") == "KPKP"


async def test_nobody_that_was_asked_for() -> None:
    """An operator alone."""
    with pytest.raises(Forbidden):
        await comes_in(("operator",), "officer", "citizen")


async def test_a_route_for_anyone_sees_them_as_they_are() -> None:
    """Who is an officer may give more than others do."""
    assert (await comes_in(("officer", "operator"), "anyone")).roles == {"officer", "operator"}
