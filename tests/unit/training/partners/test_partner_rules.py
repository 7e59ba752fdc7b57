"""R9: how an institution becomes a partner, and its API keys."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest

from chassis.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from contracts.training import PartnerActivated, PartnerApplied, PartnerSuspended, PartnerVerified
from services.training.actor import Actor
from services.training.documents import API_KEYS, PARTNERS, PartnerStatus
from services.training.partners.api_key_rules import SCOPES, CreateApiKey, RevokeApiKey
from services.training.partners.rules import TRANSITIONS, ApplyAsPartner, ChangePartnerStatus
from tests.unit.training.world import OFFICER, START, STRANGER, World, codes

ADMIN = Actor(id="user:admin", staff=True)
KAMPUS = Actor(id="partner:par_a", partner_id="par_a", scopes=frozenset({"trainings:write", "attendance:write"}))
STATES: tuple[PartnerStatus, ...] = ("applied", "verified", "active", "suspended", "ended")


def applied(world: World) -> str:
    """A fresh application."""
    sealed = {"contact_name": b"sealed", "contact_email": b"sealed"}
    world.run(ApplyAsPartner("par_new", "Kampus Contoh", "university", True, {"version": 1, "wrapped": b"key"}, sealed))
    return "par_new"


def create(world: World, kid: str, *, days: int = 365, actor: Actor = ADMIN, scopes: tuple[str, ...] = SCOPES) -> dict[str, str]:
    """A key of par_a."""
    day = date(2021, 3, 1) + timedelta(days=days)
    return world.run(CreateApiKey("par_a", kid, f"digest of {kid}", scopes, day, actor, world.rules))


def test_a_partner_goes_the_whole_way() -> None:
    """Kampus Contoh applies, is verified, activated, suspended for a month, and comes back."""
    world = World()
    partner = applied(world)
    steps: tuple[PartnerStatus, ...] = ("verified", "active", "suspended", "active")
    for to in steps:
        world.run(ChangePartnerStatus(partner, to, "as decided", ADMIN))
    assert world.events(partner) == [PartnerApplied, PartnerVerified, PartnerActivated, PartnerSuspended, PartnerActivated]


@pytest.mark.parametrize(("was", "to"), sorted(set(product(STATES, STATES)) - TRANSITIONS.keys()))
def test_no_other_step_exists(was: PartnerStatus, to: PartnerStatus) -> None:
    """Nobody becomes active without having been verified, and what has ended stays so."""
    world = World()
    world.give(PARTNERS, _id="par_x", kind="bank", status=was)
    with pytest.raises(Conflict) as refusal:
        world.run(ChangePartnerStatus("par_x", to, "try", ADMIN))
    assert codes(refusal.value) == ["R9.transition"]


def test_events_of_a_partner_hold_no_contact() -> None:
    """The contact person is personal data: nothing about them is published."""
    world = World()
    partner = applied(world)
    assert set(world.last_event(partner).model_dump()) == {"partner_id", "kind"}


def test_a_stale_change_of_status_is_refused() -> None:
    """Two admins look at the same page; the second hears that it has changed."""
    world = World()
    partner = applied(world)
    world.run(ChangePartnerStatus(partner, "verified", "first", ADMIN, if_match=frozenset({1})))
    with pytest.raises(Stale):
        world.run(ChangePartnerStatus(partner, "active", "second", ADMIN, if_match=frozenset({1})))


def test_two_keys_overlap_and_a_third_waits_for_a_revocation() -> None:
    """Rotation: the new key is made while the old one works; three at once are too many."""
    world = World()
    create(world, "first", scopes=("trainings:write", "attendance:write"))
    create(world, "second")
    with pytest.raises(Conflict) as refusal:
        create(world, "third")
    assert codes(refusal.value) == ["R9.two_keys"]
    world.run(RevokeApiKey("par_a", "first", KAMPUS))
    assert create(world, "third")["kid"] == "third"
    assert world.get(PARTNERS, "par_a")["kids"] == ["second", "third"]


def test_an_expired_key_makes_room() -> None:
    """Nobody needs to revoke what no longer works."""
    world = World()
    create(world, "first", days=1)
    create(world, "second")
    world.now = START + timedelta(days=2)
    assert create(world, "third", days=300)["kid"] == "third"


@pytest.mark.parametrize(("days", "fine"), [(0, False), (1, True), (365, True), (366, False)])
def test_a_key_lives_for_a_year_at_most(days: int, fine: bool) -> None:
    """Both sides of both bounds."""
    world = World()
    if fine:
        assert create(world, "key", days=days)["expires_on"] == (date(2021, 3, 1) + timedelta(days=days)).isoformat()
    else:
        with pytest.raises(Invalid) as refusal:
            create(world, "key", days=days)
        assert codes(refusal.value) == ["R9.key_expiry"]


def test_a_key_works_through_its_last_day_in_jakarta() -> None:
    """It expires at midnight in Jakarta, which is 17:00 UTC."""
    world = World()
    create(world, "key", days=1)
    expires_at = world.get(API_KEYS, "key")["expires_at"]
    assert expires_at.isoformat() == "2021-03-03T00:00:00+07:00"


def test_a_key_never_gives_more_than_its_maker_has() -> None:
    """A device's key that may only record attendance can't make itself a key for everything."""
    world = World()
    assert create(world, "narrow", actor=KAMPUS, scopes=("attendance:write",))["kid"] == "narrow"
    with pytest.raises(Forbidden):
        create(world, "wide", actor=KAMPUS, scopes=SCOPES)


def test_a_narrow_key_does_not_revoke_a_wider_one() -> None:
    """The stolen tablet's key, which may only record attendance, can't lock its institution out; itself it may revoke."""
    world = World()
    create(world, "main")
    create(world, "tablet", scopes=("attendance:write",))
    thief = Actor(id="partner:par_a", partner_id="par_a", scopes=frozenset({"attendance:write"}))
    with pytest.raises(Forbidden):
        world.run(RevokeApiKey("par_a", "main", thief))
    assert world.run(RevokeApiKey("par_a", "tablet", thief)) == {"kid": "tablet", "revoked": True}


def test_another_partner_finds_nothing() -> None:
    """Another tenant's partner, and another tenant's key, don't exist for them."""
    world = World()
    create(world, "key")
    for command in (
        CreateApiKey("par_a", "other", "d", ("trainings:write",), date(2021, 4, 1), STRANGER, world.rules),
        RevokeApiKey("par_a", "key", STRANGER),
        RevokeApiKey("par_b", "key", STRANGER),
    ):
        with pytest.raises(NotFound):
            world.run(command)


def test_revoking_twice_is_revoking_once() -> None:
    """The first revocation's time stays."""
    world = World()
    create(world, "key")
    world.run(RevokeApiKey("par_a", "key", ADMIN))
    world.now += timedelta(hours=1)
    assert world.run(RevokeApiKey("par_a", "key", ADMIN)) == {"kid": "key", "revoked": True}
    assert world.get(API_KEYS, "key")["revoked_at"] == START


def test_an_ended_partner_gets_no_key() -> None:
    """Not even from an admin."""
    world = World()
    world.run(ChangePartnerStatus("par_a", "ended", "closed down", OFFICER))
    with pytest.raises(Conflict):
        create(world, "key")
