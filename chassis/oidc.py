"""OIDC access tokens: verified against the issuer's published keys, or against the local development issuer's.

Fixed asymmetric algorithms; iss, aud, exp and sub are required; a key set is fetched again for an unknown key id at most
once in 30 s. The development issuer has its own key pair and is refused outside JAKPRENEUR_ENV=local.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from chassis import logs
from chassis.auth import STAFF, Caller, not_authenticated
from chassis.errors import Unavailable
from chassis.settings import Settings

log = logs.get(__name__)
ALGORITHMS = ["ES256", "RS256", "PS256"]
DEVELOPMENT_ISSUER = "urn:jakpreneur:development"
_ROLES = STAFF | {"citizen"}
_REFETCH_SECONDS = 30.0
_REMEMBERED = 2048


class OidcTokens:
    """Verifies tokens; remembers those verified until they expire, since a client sends the same one many times."""

    def __init__(self, settings: Settings) -> None:
        self._audience = settings.oidc_audience
        self._jwks_url = settings.oidc_jwks_url
        self._keys: KeySet | None = None
        self._fetched = -_REFETCH_SECONDS
        self._verified: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        if settings.oidc_issuer is not None:
            self._issuer = settings.oidc_issuer
        elif settings.env == "local":
            self._issuer = DEVELOPMENT_ISSUER
            self._keys = KeySet([development_key(Path(settings.development_issuer_key_file))])
        else:
            raise ValueError("outside JAKPRENEUR_ENV=local an issuer is required: set JAKPRENEUR_OIDC_ISSUER")

    async def caller(self, token: str) -> Caller:
        """The token's caller; raises NotAuthenticated, or Unavailable while the issuer's keys can't be had."""
        known = self._verified.get(token)
        if known is not None and known[0] > time.time():
            return known[1]
        try:
            claims = await self._claims(token)
        except (JoseError, ValueError, TypeError) as error:
            log.info("token_refused", reason=type(error).__name__)
            raise not_authenticated() from None
        caller = _caller(claims)
        self._verified[token] = (float(claims["exp"]), caller)
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        keys = await self._key_set()
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            refetched = await self._key_set(again=True)
            if refetched is keys:
                raise
            decoded = jwt.decode(token, refetched, algorithms=ALGORITHMS)
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
        fresh = time.monotonic() - self._fetched < _REFETCH_SECONDS
        if self._jwks_url is None or (self._keys is not None and (fresh or not again)):
            if self._keys is None:
                raise Unavailable("The token issuer's keys are not configured.")
            return self._keys
        if fresh and self._keys is None:
            raise Unavailable("The token issuer's keys can't be fetched.")
        self._fetched = time.monotonic()
        try:
            async with httpx2.AsyncClient(timeout=5.0) as client:
                answer = await client.get(self._jwks_url)
                answer.raise_for_status()
                self._keys = KeySet.import_key_set(answer.json())
        except (httpx2.HTTPError, ValueError) as error:
            log.warning("jwks_unreachable", error=type(error).__name__)
            if self._keys is None:
                raise Unavailable("The token issuer's keys can't be fetched.") from error
        return self._keys


def _caller(claims: dict[str, Any]) -> Caller:
    """Roles come from `roles`, or from Keycloak's `realm_access.roles`; unknown ones count for nothing."""
    realm = claims.get("realm_access")
    given = claims.get("roles") or (realm.get("roles") if isinstance(realm, dict) else None)
    roles = frozenset(role for role in given if isinstance(role, str)) & _ROLES if isinstance(given, list) else frozenset()
    return Caller(id=f"user:{claims['sub']}", roles=roles, jakpreneur_id=claims.get("jakpreneur_id"), dinas=claims.get("dinas"))


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
    settings: Settings, roles: list[str], *, subject: str = "developer", jakpreneur_id: str | None = None, hours: float = 12
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
    if jakpreneur_id is not None:
        claims["jakpreneur_id"] = jakpreneur_id
    key = development_key(Path(settings.development_issuer_key_file))
    return jwt.encode({"alg": "ES256", "typ": "at+jwt"}, claims, key, algorithms=["ES256"])
