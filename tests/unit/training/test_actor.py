"""Callers as the rules see them."""

from __future__ import annotations

from chassis.access.callers import Caller
from services.training.api_types import actor_of


def test_a_partners_role_is_what_makes_a_partner() -> None:
    """Verifiers decide nothing here; ids count only with their role."""
    verifier = actor_of(Caller("user:v", frozenset({"verifier"}), jakpreneur_id="jkp_v", partner_id="par_v"))
    assert (verifier.staff, verifier.partner_id, verifier.jakpreneur_id) == (False, None, None)
    assert actor_of(Caller("user:o", frozenset({"officer"}))).staff
