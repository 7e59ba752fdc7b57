"""The Idempotency-Key of a request: whose it is, and what was asked with it."""

from __future__ import annotations

import hashlib

from fastapi import Request

from chassis.access.callers import ANONYMOUS, Caller
from chassis.errors import FieldError, invalid
from chassis.writing.decision import Idempotency

_KEY_LIMIT = 200


def idempotency(request: Request, caller: Caller) -> Idempotency | None:
    """The request's Idempotency-Key with its caller, address and a hash of what was asked; None without the header."""
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
    digest = hashlib.sha256(asked.encode()).hexdigest()
    # Anonymous callers share no key space: two of them may well choose the same key for different requests.
    owner = f"{caller.id}:{digest}" if caller is ANONYMOUS else caller.id
    return Idempotency(f"{owner}:{key}", digest)
