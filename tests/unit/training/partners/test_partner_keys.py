"""API keys at the door, and the one reply that is never stored."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from chassis import clock
from chassis.access import api_keys
from chassis.errors import Conflict, NotAuthenticated
from chassis.privacy.vault import Vault
from chassis.writing.decision import IDEMPOTENCY, Idempotency
from services.training.actor import Actor
from services.training.documents import PARTNERS
from services.training.partners.api_keys import PartnerKeys
from services.training.partners.use_cases import PartnerSecrets, PartnerUseCases
from services.training.settings import TrainingSettings
from tests.unit.training.world import World

PEPPER = b"p" * 32
ADMIN = Actor(id="user:admin", staff=True)


class OneKey:
    """A store that knows one key, and counts how often it is asked."""

    def __init__(self, secret: str, **changes: Any) -> None:
        self.asked = 0
        self.document: dict[str, Any] = {
            "partner_id": "par_a",
            "digest": api_keys.digest(secret, PEPPER),
            "scopes": ["trainings:write"],
            "expires_at": clock.now() + timedelta(days=1),
            "revoked_at": None,
            "partner_status": "active",
            **changes,
        }

    async def api_key(self, kid: str) -> dict[str, Any] | None:
        """Like the real store."""
        self.asked += 1
        return self.document


def door(store: Any, cache_seconds: float = 3.0) -> PartnerKeys:
    """The door in front of a store."""
    return PartnerKeys(store, PEPPER, cache_seconds)


async def test_a_key_says_whose_it_is_and_what_it_may() -> None:
    """A suspended partner still comes in: its running classes go on."""
    secret = api_keys.generate("local").secret
    caller = await door(OneKey(secret, partner_status="suspended")).caller(secret)
    assert (caller.id, caller.partner_id, caller.scopes) == ("partner:par_a", "par_a", frozenset({"trainings:write"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_at": clock.now()},
        {"expires_at": clock.now() - timedelta(seconds=1)},
        {"partner_status": "ended"},
        {"digest": "0" * 64},
    ],
)
async def test_a_key_that_no_longer_holds_is_refused(changes: dict[str, Any]) -> None:
    """Revoked, expired, of an ended partner, or another secret with the same kid."""
    secret = api_keys.generate("local").secret
    with pytest.raises(NotAuthenticated):
        await door(OneKey(secret, **changes)).caller(secret)


async def test_nonsense_never_reaches_the_database() -> None:
    """The checksum tells a typing error from a key."""
    store = OneKey("x")
    for nonsense in ("", "jkp_local_abc", api_keys.generate("local").secret[:-1] + "!"):
        with pytest.raises(NotAuthenticated):
            await door(store).caller(nonsense)
    assert store.asked == 0


async def test_a_burst_of_calls_costs_one_look_up() -> None:
    """And with no cache each call looks again, so that the bound on revocation is the setting."""
    secret = api_keys.generate("local").secret
    for cache_seconds, looks in ((3.0, 1), (0.0, 5)):
        store = OneKey(secret)
        keys = door(store, cache_seconds)
        for _ in range(5):
            await keys.caller(secret)
        assert store.asked == looks


def use_cases_of(world: World, settings: TrainingSettings) -> PartnerUseCases:
    """The use cases over a world without a store: what is tested here asks for no list."""
    secrets = PartnerSecrets(Vault({1: b"k" * 32}, PEPPER), PEPPER, "local")
    return PartnerUseCases(world, None, settings.rules(), secrets)  # type: ignore[arg-type] # doubles


async def test_a_secret_is_shown_once_and_never_stored() -> None:
    """The same Idempotency-Key again: the stored reply has no secret, so the caller is told which key to revoke."""
    world = World()
    settings = TrainingSettings()
    use_cases = use_cases_of(world, settings)
    day = date(2021, 6, 1)
    key = Idempotency("user:admin:1", "hash")
    made = await use_cases.create_api_key("par_a", ["trainings:write"], day, ADMIN, key)
    stored = world.get(IDEMPOTENCY, "user:admin:1")
    assert stored is not None
    assert api_keys.kid_of(made["key"]) == made["kid"] == stored["reply"]["kid"]
    assert made["key"] not in repr(world.staging.documents._known)
    with pytest.raises(Conflict) as refusal:
        await use_cases.create_api_key("par_a", ["trainings:write"], day, ADMIN, key)
    assert (refusal.value.code, made["kid"] in refusal.value.message_en) == ("key_already_shown", True)


async def test_a_partners_contact_is_sealed() -> None:
    """Name and address of the contact are in no document and no event."""
    world = World()
    use_cases = use_cases_of(world, TrainingSettings())
    contact = {"contact_name": "Siti Contoh", "contact_email": "siti@example.com"}
    await use_cases.apply_as_partner("Kampus Contoh", "university", contact, True, None)
    everything = repr(world.staging.documents._known) + repr(world.staging.events)
    assert "Siti" not in everything
    assert "siti@" not in everything


async def test_only_keys_that_open_the_door_are_listed() -> None:
    """The campus has a key that ended yesterday and one for another day; a third was revoked while the list was read."""
    world = World()
    vault = Vault({1: b"k" * 32}, PEPPER)
    now = clock.now()
    keys = [
        {
            "_id": kid,
            "scopes": ["trainings:write"],
            "expires_on": "2021-06-01",
            "expires_at": expires_at,
            "revoked_at": revoked_at,
        }
        for kid, expires_at, revoked_at in (
            ("over", now - timedelta(days=1), None),
            ("good", now + timedelta(days=1), None),
            ("gone", now + timedelta(days=1), now),
        )
    ]
    _, stored_key = vault.new_key()
    partner = {**world.get(PARTNERS, "par_a"), "key": stored_key, "sealed": {}, "kids": [key["_id"] for key in keys]}
    store = SimpleNamespace(partner=AsyncMock(return_value=partner), api_keys=AsyncMock(return_value=keys))
    use_cases = PartnerUseCases(world, store, TrainingSettings().rules(), PartnerSecrets(vault, PEPPER, "local"))  # type: ignore[arg-type] # doubles
    listed = (await use_cases.get_partner("par_a", ADMIN))["api_keys"]
    assert listed == [{"kid": "good", "scopes": ["trainings:write"], "expires_on": "2021-06-01"}]
