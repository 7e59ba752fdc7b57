"""OIDC access tokens: verified against the issuer's published keys, or against the local development issuer's.

Fixed asymmetric algorithms; iss, aud, exp and sub are required. A key set is believed for ten minutes; for an unknown key
id it is fetched earlier, at most once in 30 s. The development issuer has its own key pair and is refused outside
JAKPRENEUR_ENV=local.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections import OrderedDict
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, import_key
from pydantic import BaseModel, ConfigDict, Field

from chassis import clock, logs
from chassis.access.callers import OF_A_DINAS, STAFF, Caller, not_authenticated
from chassis.calendar import jakarta_day
from chassis.errors import Unavailable
from chassis.settings import Settings

log = logs.get(__name__)
ALGORITHMS = ["ES256", "RS256", "PS256"]
DEVELOPMENT_ISSUER = "urn:jakpreneur:development"
ALL_DINAS = "all"  # in place of a dinas' code: the whole of Jakarta
_ROLES = STAFF | {"citizen"}
_REFETCH_SECONDS = 30.0
_MAX_AGE_SECONDS = 600.0  # how long a key that the issuer withdrew is still believed
_PATIENCE_SECONDS = 1.0  # for newer keys while there are known ones: an issuer that hangs must not hold every caller
_REMEMBERED = 2048


class _Bearer(BaseModel):
    """What goes into queries, ids and logs of what a token says of its bearer. One with a claim of another type is no token."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    sub: str = Field(min_length=1, max_length=255)
    exp: float = Field(gt=0, lt=1e11)  # seconds
    jakpreneur_id: str | None = Field(default=None, pattern=r"^[0-9A-Za-z_-]{1,64}$")
    dinas: str | None = Field(default=None, pattern=r"^[0-9A-Za-z]{1,40}$")
    migrator_until: date | None = Field(default=None, strict=False)  # last day on which the role `migrator` counts


class OidcTokens:
    """Verifies tokens; remembers those verified until they expire, since a client sends the same one many times."""

    def __init__(self, settings: Settings) -> None:
        self._audience = settings.oidc_audience
        # Without an issuer there is only the development key, and no address may put another in its place.
        self._jwks_url = settings.oidc_jwks_url if settings.oidc_issuer is not None else None
        self._keys: KeySet | None = None
        self._fetched = -_REFETCH_SECONDS  # when the issuer was last asked
        self._obtained = -_MAX_AGE_SECONDS  # when it last answered
        self._fetching: asyncio.Task[None] | None = None
        self._verified: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        if settings.oidc_issuer is not None:
            if settings.oidc_jwks_url is None:
                raise ValueError("JAKPRENEUR_OIDC_ISSUER needs JAKPRENEUR_OIDC_JWKS_URL: where the issuer publishes its keys")
            self._issuer = settings.oidc_issuer
        elif settings.env == "local":
            self._issuer = DEVELOPMENT_ISSUER
            self._keys = KeySet([development_key(Path(settings.development_issuer_key_file))])
        else:
            raise ValueError("outside JAKPRENEUR_ENV=local an issuer is required: set JAKPRENEUR_OIDC_ISSUER")

    async def caller(self, token: str) -> Caller:
        """The token's caller; raises NotAuthenticated, or Unavailable while the issuer's keys can't be had."""
        await self._key_set()  # first: newer keys make the remembered tokens forgotten
        known = self._verified.get(token)
        if known is not None and known[0] > time.time():
            return known[1]
        try:
            claims = await self._claims(token)
            bearer = _Bearer.model_validate(claims)
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError) as error:
            log.info("token_refused", reason=type(error).__name__)
            raise not_authenticated() from None
        caller = _caller(bearer, _roles(claims))
        self._verified[token] = (bearer.exp, caller)
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        keys = await self._key_set()
        if _names_another_key(token, keys):
            keys = await self._key_set(again=True)
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        if str(decoded.header.get("typ", "JWT")).lower() not in ("jwt", "at+jwt", "application/at+jwt"):
            raise ValueError("not an access token")
        jwt.JWTClaimsRegistry(
            leeway=30,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(decoded.claims)
        return decoded.claims

    async def _key_set(self, *, again: bool = False) -> KeySet:
        """The issuer's keys, fetched first if there are none, if they are old or if asked to; old ones if it can't be reached."""
        old = time.monotonic() - self._obtained > _MAX_AGE_SECONDS
        if self._jwks_url is not None and (self._keys is None or old or again):
            fetching = self._fetch_begun(self._jwks_url)
            if fetching is not None:
                # wait() and not await: a caller who goes away must not end the fetch that others wait for.
                patience = _PATIENCE_SECONDS if self._keys is not None and not again else None
                await asyncio.wait({fetching}, timeout=patience)
        if self._keys is None:
            raise Unavailable("The token issuer's keys can't be fetched.")
        return self._keys

    def _fetch_begun(self, url: str) -> asyncio.Task[None] | None:
        """The one fetch that is on its way, or a new one; None if the issuer was asked just now."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        if time.monotonic() - self._fetched < _REFETCH_SECONDS:
            return None
        self._fetched = time.monotonic()
        self._fetching = asyncio.create_task(self._fetch(url), name="jwks")
        return self._fetching

    async def _fetch(self, url: str) -> None:
        try:
            async with httpx2.AsyncClient(timeout=5.0) as client:
                answer = await client.get(url)
                answer.raise_for_status()
                keys = _usable(answer.json())
        except (httpx2.HTTPError, httpx2.InvalidURL, JoseError, KeyError, TypeError, ValueError) as error:
            log.warning("jwks_unreachable", error=type(error).__name__)
            return
        self._obtained = time.monotonic()
        if self._keys is None or keys.as_dict() != self._keys.as_dict():
            self._keys = keys
            self._verified.clear()  # tokens of a key that the issuer withdrew are among them


def _usable(published: dict[str, Any]) -> KeySet:
    """Key by key, so that one that this library can't read doesn't cost the others; raises ValueError if none is left."""
    keys = []
    for entry in published["keys"]:
        try:
            if not isinstance(entry, dict):  # of a bare text the library would make a symmetric key
                raise TypeError("not a key")
            keys.append(import_key(entry))
        except (JoseError, KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("jwks_key_skipped", error=type(error).__name__)
    if not keys:
        raise ValueError("no usable key")
    return KeySet(keys)


def _names_another_key(token: str, keys: KeySet) -> bool:
    """Whether the token's header names a key that isn't in the set. Rubbish names none: it must not use up the refetch."""
    first, dot, _ = token.partition(".")
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4))) if dot else None
    except (ValueError, RecursionError):
        return False
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        return False
    kid = header.get("kid")
    return isinstance(kid, str) and all(key.kid != kid for key in keys)


def _caller(bearer: _Bearer, roles: frozenset[str]) -> Caller:
    """Roles without what they are granted with don't count: nobody sees all of Jakarta, or migrates for ever, by an omission."""
    if bearer.migrator_until is None or bearer.migrator_until < jakarta_day(clock.now()):
        roles -= {"migrator"}
    lacks_dinas = bearer.dinas is None and bool(roles & OF_A_DINAS)
    return Caller(
        f"user:{bearer.sub}",
        roles - OF_A_DINAS if lacks_dinas else roles,
        jakpreneur_id=bearer.jakpreneur_id,
        dinas=None if bearer.dinas == ALL_DINAS else bearer.dinas,
        lacks_dinas=lacks_dinas,
    )


def _roles(claims: dict[str, Any]) -> frozenset[str]:
    """Roles come from `roles`, or from Keycloak's `realm_access.roles`; unknown ones count for nothing."""
    realm = claims.get("realm_access")
    given = claims.get("roles") or (realm.get("roles") if isinstance(realm, dict) else None)
    return frozenset(role for role in given if isinstance(role, str)) & _ROLES if isinstance(given, list) else frozenset()


def development_key(path: Path) -> ECKey:
    """The development issuer's key pair, made at first use. Safe against two processes starting at once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        own = path.with_suffix(f".{os.getpid()}")
        own.touch(mode=0o600)
        own.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
        try:
            os.link(own, path)
        except FileExistsError:
            log.debug("development_key_made_by_another")
        own.unlink()
    return ECKey.import_key(path.read_bytes(), {"use": "sig", "alg": "ES256"})


def development_token(
    settings: Settings,
    roles: list[str],
    *,
    subject: str = "developer",
    jakpreneur_id: str | None = None,
    dinas: str | None = ALL_DINAS,
    hours: float = 12,
) -> str:
    """A token of the development issuer; raises ValueError outside local."""
    if settings.env != "local" or settings.oidc_issuer is not None:
        raise ValueError("the development issuer is for JAKPRENEUR_ENV=local only")
    claims: dict[str, Any] = {
        "iss": DEVELOPMENT_ISSUER,
        "aud": settings.oidc_audience,
        "sub": subject,
        "roles": roles,
        "exp": int(time.time() + hours * 3600),
    }
    if "migrator" in roles:
        claims["migrator_until"] = jakarta_day(clock.now()).isoformat()
    claims |= {name: value for name, value in (("jakpreneur_id", jakpreneur_id), ("dinas", dinas)) if value is not None}
    key = development_key(Path(settings.development_issuer_key_file))
    return jwt.encode({"alg": "ES256", "typ": "at+jwt"}, claims, key, algorithms=["ES256"])
