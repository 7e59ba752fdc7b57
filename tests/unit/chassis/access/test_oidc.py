"""OIDC tokens: the known tricks are refused, and the development issuer stays at home."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, RSAKey

from chassis.access import oidc
from chassis.access.oidc import OidcTokens, development_key, development_token
from chassis.errors import NotAuthenticated
from chassis.settings import Settings
from tests.unit.chassis.conftest import DummySettings
from tests.unit.chassis.tokens import claims, refused, signed

ISSUER = oidc.DEVELOPMENT_ISSUER


def part(value: Any) -> str:
    """One part of a hand-made token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def local(dummy: DummySettings) -> Settings:
    """Settings with a development issuer of this test's own."""
    made: Settings = dummy()
    return made


async def test_a_development_token(local: Settings) -> None:
    """`jakpreneur token` prints a token: the services know its caller, roles and person."""
    token = development_token(local, ["officer", "citizen"], subject="siti", jakpreneur_id="jkp_1")
    caller = await OidcTokens(local).caller(token)
    assert ("user:siti", frozenset({"officer", "citizen"}), "jkp_1") == (caller.id, caller.roles, caller.jakpreneur_id)


async def test_a_token_is_verified_once(local: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client sends its token with every request: the signature is checked once, and no longer believed once it expired."""
    tokens = OidcTokens(local)
    token = development_token(local, ["officer"], hours=1)
    first = await tokens.caller(token)
    assert first is await tokens.caller(token)
    later = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: later)
    assert await refused(tokens, token)


async def test_alg_none(local: Settings) -> None:
    """A token that says that it needs no signature."""
    tokens = OidcTokens(local)
    for alg in ("none", "None", "NONE", ""):
        for signature in ("", "x"):
            assert await refused(tokens, f"{part({'alg': alg, 'typ': 'at+jwt'})}.{part(claims())}.{signature}")


async def test_signed_with_the_public_key(local: Settings) -> None:
    """The classic: HS256 with the issuer's public key as the secret."""
    key = development_key(Path(local.development_issuer_key_file))
    tokens = OidcTokens(local)
    for secret in (key.as_pem(private=False), json.dumps(key.as_dict(private=False)).encode()):
        for alg, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
            unsigned = f"{part({'alg': alg, 'typ': 'at+jwt'})}.{part(claims())}"
            assert await refused(tokens, f"{unsigned}.{part(hmac.new(secret, unsigned.encode(), digest).digest())}")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another"]},
        {"exp": None},
        {"exp": 1},
        {"exp": "never"},
        {"sub": None},
        {"nbf": int(time.time()) + 3600},
        {"dinas": {"$gt": ""}},
        {"dinas": ["Sosial"]},
        {"migrator_until": "soon"},
        {"migrator_until": ["2099-01-01"]},
        {"jakpreneur_id": ["jkp_siti"]},
        {"jakpreneur_id": {"$ne": None}},
        {"exp": 10**400},
        {"exp": "9999999999"},
        {"exp": True},
        {"sub": 7},
        {"sub": ""},
        {"sub": {"$ne": None}},
        {"sub": "\ud800"},
    ],
    ids=lambda changes: "-".join(f"{name}:{value}" for name, value in changes.items())[:30],
)
async def test_claims_that_do_not_hold(local: Settings, changes: dict[str, Any]) -> None:
    """Rightly signed, and yet for somebody else, from somebody else, expired, not yet valid, without end or of odd types."""
    key = development_key(Path(local.development_issuer_key_file))
    assert await refused(OidcTokens(local), signed(key, claims(**changes)))


async def test_claims_three_thousand_levels_deep(local: Settings) -> None:
    """Rightly signed by an issuer whose administrator can write what they like: refused like any other."""
    key = development_key(Path(local.development_issuer_key_file))
    deep = json.dumps(claims()).removesuffix("}") + f', "deep": {"[" * 3000}{"]" * 3000}}}'
    token = jws.serialize_compact({"alg": "ES256", "typ": "at+jwt"}, deep.encode(), key, algorithms=["ES256"])
    assert await refused(OidcTokens(local), token)


async def test_the_same_token_with_good_claims_holds(local: Settings) -> None:
    """The control: what the test above refuses is refused for its claims."""
    key = development_key(Path(local.development_issuer_key_file))
    caller = await OidcTokens(local).caller(signed(key, claims(aud=["another", "jakpreneur"])))
    assert caller.id == "user:siti"


@pytest.mark.parametrize("typ", ["dpop+jwt", "id+jwt", "logout+jwt", "application/json"])
async def test_a_token_for_another_purpose(local: Settings, typ: str) -> None:
    """A logout token or a proof of possession isn't an access token."""
    key = development_key(Path(local.development_issuer_key_file))
    assert await refused(OidcTokens(local), signed(key, claims(), typ=typ))


async def test_a_key_of_ones_own(local: Settings) -> None:
    """Signed with another key, also when the token brings the key along (jwk) or says where it is (jku)."""
    tokens = OidcTokens(local)
    own = ECKey.generate_key("P-256")
    for header in ({}, {"kid": "unknown"}, {"jwk": own.as_dict(private=False)}):
        assert await refused(tokens, signed(own, claims(), **header))
    unsigned = signed(own, claims()).split(".")
    jku = part({"alg": "ES256", "typ": "at+jwt", "jku": "https://evil.example/jwks"})
    assert await refused(tokens, f"{jku}.{unsigned[1]}.{unsigned[2]}")
    assert await refused(tokens, signed(RSAKey.generate_key(2048), claims(), alg="RS256"))


async def test_an_altered_token(local: Settings) -> None:
    """Siti promotes herself to admin in her own token."""
    header, _, signature = development_token(local, ["citizen"], subject="siti").split(".")
    assert await refused(OidcTokens(local), f"{header}.{part(claims(roles=['admin']))}.{signature}")


async def test_unknown_roles_count_for_nothing(local: Settings) -> None:
    """Roles that the platform doesn't have, the role of partners among them, are not given by a token."""
    key = development_key(Path(local.development_issuer_key_file))
    caller = await OidcTokens(local).caller(signed(key, claims(roles=["partner", "root", "anyone", 7, "officer"])))
    assert frozenset({"officer"}) == caller.roles


async def test_staff_of_no_dinas(local: Settings) -> None:
    """A claim was forgotten: the bearer is no officer then, and certainly not one for all of Jakarta. `all` has to be said."""
    key = development_key(Path(local.development_issuer_key_file))
    tokens = OidcTokens(local)
    roles = ["officer", "verifier", "admin", "migrator", "operator", "citizen"]
    forgotten = await tokens.caller(signed(key, claims(roles=roles, dinas=None, migrator_until="2099-12-31")))
    assert (forgotten.roles, forgotten.lacks_dinas) == (frozenset({"operator", "citizen"}), True)
    of_one = await tokens.caller(signed(key, claims(roles=roles, dinas="Sosial", migrator_until="2099-12-31")))
    assert (of_one.roles, of_one.dinas, of_one.lacks_dinas) == (frozenset(roles), "Sosial", False)
    of_all = await tokens.caller(signed(key, claims(roles=roles, dinas="all", migrator_until="2099-12-31")))
    assert (of_all.roles, of_all.dinas) == (frozenset(roles), None)
    citizen = await tokens.caller(signed(key, claims(roles=["citizen"], dinas=None)))
    assert (citizen.roles, citizen.lacks_dinas) == (frozenset({"citizen"}), False)


@pytest.mark.parametrize(("until", "counts"), [("2099-12-31", True), ("2020-12-31", False), (None, False)])
async def test_a_right_that_ends(local: Settings, until: str | None, counts: bool) -> None:
    """Tono may import the old records until the end of the year: after it he's an officer again."""
    key = development_key(Path(local.development_issuer_key_file))
    tono = await OidcTokens(local).caller(signed(key, claims(roles=["officer", "migrator"], migrator_until=until)))
    assert ("migrator" in tono.roles, "officer" in tono.roles) == (counts, True)


async def test_keycloak_roles(local: Settings) -> None:
    """Keycloak keeps roles elsewhere; they are found."""
    key = development_key(Path(local.development_issuer_key_file))
    token = signed(key, claims(roles=None, realm_access={"roles": ["verifier", "offline_access"]}))
    assert frozenset({"verifier"}) == (await OidcTokens(local).caller(token)).roles


@pytest.mark.parametrize(
    "odd",
    [{"roles": 7}, {"roles": {"a": 1}}, {"realm_access": "x", "roles": None}, {"realm_access": {"roles": 5}, "roles": None}],
    ids=str,
)
async def test_odd_claims_of_the_issuer(local: Settings, odd: dict[str, Any]) -> None:
    """The issuer is misconfigured and sends roles of another form: nobody gets a role, and nothing breaks."""
    key = development_key(Path(local.development_issuer_key_file))
    try:
        caller = await OidcTokens(local).caller(signed(key, claims(**odd)))
    except NotAuthenticated:
        return
    assert frozenset() == caller.roles


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "....",
        "é.ü.ñ",
        "x" * 60_000,
        f"{part([])}.{part({})}.x",
        f"{part(b'[' * 40_000)}.{part({})}.x",
        f"{part({'alg': 'ES256'})}.{part(b'[' * 30_000)}.x",
        f"{part({'alg': 'ES256', 'crit': ['b64'], 'b64': False})}.{part({})}.x",
        f"{part({'alg': ['ES256']})}.{part({})}.x",
        f"{part({'alg': 'ES256', 'zip': 'DEF'})}.{part({})}.x",
    ],
    ids=lambda token: token[:12],
)
async def test_what_is_no_token(local: Settings, token: str) -> None:
    """Rubbish, odd headers and brackets within brackets in place of a token: refused, and nothing breaks."""
    assert await refused(OidcTokens(local), token)


@given(st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_text_in_place_of_a_token(local: Settings, text: str) -> None:
    """Whatever is sent as a token is refused in the same way."""
    assert await refused(OidcTokens(local), text)


@pytest.mark.parametrize("env", ["staging", "production"])
async def test_the_development_issuer_stays_local(dummy: DummySettings, env: str) -> None:
    """A deployment forgets to name its issuer: it doesn't start, and `jakpreneur token` makes nothing for it."""
    with pytest.raises(ValueError, match="JAKPRENEUR_OIDC_ISSUER"):
        OidcTokens(dummy(env=env))
    with pytest.raises(ValueError, match="local only"):
        development_token(dummy(env=env), ["admin"])
    with pytest.raises(ValueError, match="local only"):
        development_token(dummy(oidc_issuer="https://issuer.example"), ["admin"])


async def test_a_real_issuer_does_not_believe_the_development_key(dummy: DummySettings) -> None:
    """With a real issuer configured, a token of the development issuer is worth nothing."""
    token = development_token(dummy(), ["admin"])
    real = OidcTokens(dummy(oidc_issuer="https://issuer.example", oidc_jwks_url="https://issuer.example/jwks"))
    real._keys, real._fetched = KeySet([ECKey.generate_key("P-256")]), time.monotonic()
    assert await refused(real, token)


def test_the_development_key_is_private(local: Settings) -> None:
    """The key pair is made once, and only its owner may read it."""
    path = Path(local.development_issuer_key_file)
    first = development_key(path).as_pem(private=True)
    assert first == development_key(path).as_pem(private=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path] == list(path.parent.iterdir())
