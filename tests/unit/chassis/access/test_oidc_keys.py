"""The issuer's keys: fetched once for all who wait, again in time, and never lost to rubbish."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey

from chassis.access import oidc
from chassis.access.oidc import OidcTokens
from chassis.errors import Unavailable
from tests.unit.chassis.conftest import DummySettings
from tests.unit.chassis.tokens import claims, refused, signed

ISSUER = "https://issuer.example"


class Jwks:
    """Stands in for the issuer's key endpoint, and counts how often it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.keys: list[Any] = []
        self.extra: list[Any] = []
        self.up = True
        self.slow = 0.0
        plain = httpx2.AsyncClient

        def client(**options: Any) -> httpx2.AsyncClient:
            return plain(transport=httpx2.MockTransport(self._answer), **options)

        monkeypatch.setattr(httpx2, "AsyncClient", client)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        await asyncio.sleep(self.slow)
        if not self.up:
            return httpx2.Response(503)
        return httpx2.Response(200, json={"keys": [*self.extra, *(key.as_dict(private=False) for key in self.keys)]})


async def test_keys_are_fetched_again_at_most_once_in_30_s(dummy: DummySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sends tokens with ever new key ids: the issuer is not flooded; after 30 s a rotated key is found."""
    jwks = Jwks(monkeypatch)
    first, second = (ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"}) for name in ("one", "two"))
    jwks.keys = [first]
    issuer = "https://issuer.example"
    tokens = OidcTokens(dummy(oidc_issuer=issuer, oidc_jwks_url=f"{issuer}/jwks"))
    assert (await tokens.caller(signed(first, claims(iss=issuer), kid="one"))).id == "user:siti"
    for number in range(20):
        stranger = ECKey.generate_key("P-256", {"kid": f"k{number}"})
        assert await refused(tokens, signed(stranger, claims(iss=issuer), kid=f"k{number}"))
    assert jwks.asked == 1
    jwks.keys = [first, second]
    rotated = signed(second, claims(iss=issuer), kid="two")
    assert await refused(tokens, rotated)
    monkeypatch.setattr(tokens, "_fetched", time.monotonic() - 31)
    assert (await tokens.caller(rotated)).id == "user:siti"
    assert jwks.asked == 2


async def test_the_issuer_is_down(dummy: DummySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say whether a token holds while the issuer's keys were never had: 503, not 401; known keys go on working."""
    jwks = Jwks(monkeypatch)
    jwks.up = False
    key = ECKey.generate_key("P-256", {"kid": "one"})
    issuer = "https://issuer.example"
    tokens = OidcTokens(dummy(oidc_issuer=issuer, oidc_jwks_url=f"{issuer}/jwks"))
    token = signed(key, claims(iss=issuer), kid="one")
    for _ in range(3):
        with pytest.raises(Unavailable):
            await tokens.caller(token)
    assert jwks.asked == 1
    jwks.up, jwks.keys = True, [key]
    monkeypatch.setattr(tokens, "_fetched", time.monotonic() - 31)
    assert (await tokens.caller(token)).id == "user:siti"
    jwks.up = False
    monkeypatch.setattr(tokens, "_fetched", time.monotonic() - 31)
    assert await refused(tokens, signed(ECKey.generate_key("P-256", {"kid": "x"}), claims(iss=issuer), kid="x"))
    assert (await tokens.caller(signed(key, claims(iss=issuer, sub="budi"), kid="one"))).id == "user:budi"


@pytest.fixture
def jwks(monkeypatch: pytest.MonkeyPatch) -> Jwks:
    """The issuer's endpoint."""
    return Jwks(monkeypatch)


@pytest.fixture
def real(dummy: DummySettings, jwks: Jwks) -> OidcTokens:
    """Tokens of a real issuer, whose keys were never fetched."""
    return OidcTokens(dummy(oidc_issuer="https://issuer.example", oidc_jwks_url="https://issuer.example/jwks"))


def issued(key: Any, **changes: Any) -> str:
    """A token of the real issuer."""
    return signed(key, claims(iss="https://issuer.example", **changes), kid=key.kid)


def key_named(kid: str) -> ECKey:
    """A key pair."""
    return ECKey.generate_key("P-256", {"kid": kid})


async def test_a_withdrawn_key_is_forgotten(real: OidcTokens, jwks: Jwks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The issuer withdraws a stolen key: after ten minutes also a token that was verified before is refused."""
    stolen, good = key_named("one"), key_named("two")
    jwks.keys = [stolen, good]
    token = issued(stolen)
    await real.caller(token)
    jwks.keys = [good]
    await real.caller(token)
    for name in ("_obtained", "_fetched"):
        monkeypatch.setattr(real, name, time.monotonic() - 601)
    assert await refused(real, token)
    assert (await real.caller(issued(good))).id == "user:siti"
    assert jwks.asked == 2


async def test_old_keys_serve_while_the_issuer_is_away(real: OidcTokens, jwks: Jwks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Down or hanging: who has a good token is let in, and the issuer is asked once."""
    key = key_named("one")
    jwks.keys = [key]
    await real.caller(issued(key))
    monkeypatch.setattr(oidc, "_PATIENCE_SECONDS", 0.01)
    for jwks.up, jwks.slow in ((False, 0.0), (True, 0.2)):
        for name in ("_obtained", "_fetched"):
            monkeypatch.setattr(real, name, time.monotonic() - 601)
        assert (await real.caller(issued(key, sub="budi"))).id == "user:budi"
    assert jwks.asked == 3
    assert real._fetching is not None
    await real._fetching


async def test_the_first_requests_wait_for_one_fetch(real: OidcTokens, jwks: Jwks) -> None:
    """Twenty clients come as the service starts, and the first of them goes away again: one fetch, and no refusal."""
    key = key_named("one")
    jwks.keys, jwks.slow = [key], 0.05
    callers = [asyncio.create_task(real.caller(issued(key, sub=f"p{number}"))) for number in range(20)]
    await asyncio.sleep(0.01)
    callers[0].cancel()
    assert [caller.id for caller in await asyncio.gather(*callers[1:])] == [f"user:p{number}" for number in range(1, 20)]
    assert jwks.asked == 1


async def test_keys_that_nobody_can_read(real: OidcTokens, jwks: Jwks) -> None:
    """Broken keys and keys of the future are passed over; the good one among them serves."""
    key = key_named("one")
    jwks.keys = [key]
    jwks.extra = [
        {"kty": "AKP", "kid": "pq"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": "RSA", "n": 7, "e": None},
        {},
        None,
        "x",
        [1],
    ]
    assert (await real.caller(issued(key))).id == "user:siti"


@pytest.mark.parametrize("answer", [[], {}, None, {"keys": None}, {"keys": 5}, {"keys": []}, {"keys": [{}]}, "x"], ids=str)
async def test_no_key_set_at_all(real: OidcTokens, jwks: Jwks, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """The address gives something else: 503, since nobody can say whether the token holds."""
    monkeypatch.setattr(httpx2.Response, "json", lambda _: answer)
    with pytest.raises(Unavailable):
        await real.caller(issued(key_named("one")))


async def test_rubbish_does_not_use_up_the_refetch(real: OidcTokens, jwks: Jwks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rubbish, bad signatures and old tokens come in a stream: a rotated key is found all the same, at once."""
    first, second = key_named("one"), key_named("two")
    jwks.keys = [first]
    await real.caller(issued(first))
    monkeypatch.setattr(real, "_fetched", time.monotonic() - 31)
    none = "eyJhbGciOiJub25lIiwia2lkIjoieCJ9.e30."  # {"alg":"none","kid":"x"}
    for token in ("", "x.y.z", "x", issued(key_named("one")), issued(first, exp=1), none, issued(first)[:-4]):
        assert await refused(real, token)
    assert jwks.asked == 1
    jwks.keys = [first, second]
    assert (await real.caller(issued(second))).id == "user:siti"
    assert jwks.asked == 2
