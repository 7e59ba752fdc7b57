"""Tokens as an issuer signs them, and what a refusal looks like."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from joserfc import jws

from chassis.access import oidc
from chassis.access.oidc import OidcTokens
from chassis.errors import NotAuthenticated


def claims(**changes: Any) -> dict[str, Any]:
    """Claims that hold; None leaves one out."""
    given_claims = {
        "iss": oidc.DEVELOPMENT_ISSUER,
        "aud": "jakpreneur",
        "sub": "siti",
        "roles": ["officer"],
        "dinas": "all",
        "exp": int(time.time()) + 600,
    } | changes
    return {name: value for name, value in given_claims.items() if value is not None}


def signed(key: Any, body: dict[str, Any], **header: Any) -> str:
    """A token signed with `key`."""
    full = {"alg": "ES256", "typ": "at+jwt"} | header
    return jws.serialize_compact(full, json.dumps(body).encode(), key, algorithms=["ES256", "RS256", "PS256"])


async def refused(tokens: OidcTokens, token: str) -> bool:
    """Whether the token is refused, with the one refusal that says nothing about why."""
    with pytest.raises(NotAuthenticated) as refusal:
        await tokens.caller(token)
    return refusal.value.code == "not_authenticated"
