"""The Idempotency-Key of a request: whose it is, and what was asked with it.

Both are stored as keyed hashes. A plain one would give personal data away: a NIK has so few possible values that all of
them can be tried in a moment.
"""

from __future__ import annotations

import base64
import hmac
import json

from fastapi import Request

from chassis.access.callers import ANONYMOUS, Caller
from chassis.errors import FieldError, invalid
from chassis.settings import Settings
from chassis.writing.decision import Idempotency

_KEY_LIMIT = 200
_PEPPER_BYTES = 32


def pepper_of(settings: Settings) -> bytes:
    """The key of all hashes here; raises ValueError without one of 32 bytes: it has no default, not even a local one."""
    pepper = base64.b64decode(settings.idempotency_pepper.get_secret_value())
    if len(pepper) != _PEPPER_BYTES:
        raise ValueError("idempotency records need a pepper of 32 bytes: set JAKPRENEUR_IDEMPOTENCY_PEPPER")
    return pepper


def note_body(request: Request, body: bytes) -> None:
    """Keep a keyed hash of the request's body, or of the digest of one that is too large to be kept.

    Only with an Idempotency-Key: nobody else asks for it.
    """
    if "idempotency-key" in request.headers:
        request.state.body_hash = _hash(request, body)


def _hash(request: Request, text: bytes) -> str:
    pepper: bytes = request.app.state.idempotency_pepper
    return hmac.digest(pepper, text, "sha256").hex()


def idempotency(request: Request, caller: Caller) -> Idempotency | None:
    """The request's Idempotency-Key with its caller, address and a keyed hash of what was asked; None without the header."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= _KEY_LIMIT or not (key.isascii() and key.isprintable()):
        raise invalid(
            FieldError(
                "Idempotency-Key", "idempotency_key", "Panjang 1 sampai 200 karakter.", "Must have 1 to 200 printable characters."
            )
        )
    asked = f"{request.method} {request.url.path}?{request.url.query} {getattr(request.state, 'body_hash', '')}"
    digest = _hash(request, asked.encode())
    # Anonymous callers share no key space: two of them may well choose the same key for different requests.
    owner = f"{caller.id}:{digest}" if caller is ANONYMOUS else caller.id
    # Hashed, since clients put personal data into keys; as a list, since `a` with `b:K` must not be `a:b` with `K`.
    return Idempotency(_hash(request, json.dumps([owner, key]).encode()), digest)
