"""API keys: `jkp_<env>_<kid>_<43 base62>_<checksum>`. Shown once, stored as HMAC-SHA-256 with a pepper, sent in a header.

The checksum lets a secret scanner and a clumsy copy be told apart from a wrong key without asking the database.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"jkp_[a-z]+_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: `secret` is for its owner's eyes, once."""

    kid: str
    secret: str


def generate(env: str) -> NewKey:
    """A new random key (256 bits)."""
    kid = "".join(secrets.choice(_BASE62) for _ in range(12))
    body = f"jkp_{env}_{kid}_{''.join(secrets.choice(_BASE62) for _ in range(43))}"
    return NewKey(kid, f"{body}_{_checksum(body)}")


def kid_of(key: str) -> str | None:
    """The key's public id, or None for something that never was a key."""
    form = _FORM.fullmatch(key)
    if form is None or not hmac.compare_digest(_checksum(key.rsplit("_", 1)[0]), form[2]):
        return None
    return form[1]


def digest(key: str, pepper: bytes) -> str:
    """What is stored."""
    return hmac.new(pepper, key.encode(), hashlib.sha256).hexdigest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
