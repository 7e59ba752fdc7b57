"""What every OpenAPI document says alike: headers, refusals, how callers sign in. Literal tables."""

from __future__ import annotations

from typing import Any, Final

_TEXT: Final = {"type": "string"}
PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": {"description": "Id of the request: tell it when you ask for help", "schema": _TEXT},
    "ETag": {"description": "What this reply is a version of; for If-Match and If-None-Match", "schema": _TEXT},
    "Cache-Control": {"description": "Who may keep the reply, and for how long", "schema": _TEXT},
    "Content-Language": {"description": "Language of `detail`", "schema": {"type": "string", "enum": ["id", "en"]}},
    "Retry-After": {"description": "Seconds to wait before the next try", "schema": {"type": "integer", "minimum": 1}},
    "RateLimit": {
        "description": 'What is left to an anonymous caller\'s address, such as `"reads";r=599;t=4` (t: seconds)',
        "schema": _TEXT,
    },
    "RateLimit-Policy": {"description": 'The limit itself, such as `"reads";q=600;w=60` (w: seconds)', "schema": _TEXT},
    "WWW-Authenticate": {"description": "How to sign in", "schema": _TEXT},
}

# Name and description of each refusal, with the headers that it has beside X-Request-Id and Content-Language.
REFUSALS: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "400": ("Malformed", "The request can't be read, or names no valid host", ()),
    "401": ("NotAuthenticated", "The credential is missing or does not hold", ("WWW-Authenticate",)),
    "403": ("Forbidden", "The credential does not allow this; `errors` names the role, scope or dinas that is missing", ()),
    "404": ("NotFound", "There is no such thing, or it isn't yours", ()),
    "409": ("Conflict", "It clashes with what is there, or the same Idempotency-Key is being worked on", ()),
    "412": ("Stale", "If-Match names an old version", ()),
    "413": ("TooLarge", "The body is too large", ()),
    "422": ("Invalid", "Input or rule refused; every failing field or rule is named", ()),
    "429": ("TooMany", "Too many requests", ("Retry-After", "RateLimit", "RateLimit-Policy")),
    "500": ("Failed", "Something went wrong in the service", ()),
    "503": ("Unavailable", "A dependency is down, or a query took too long", ("Retry-After",)),
}

SECURITY: Final[dict[str, dict[str, Any]]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Staff and citizens: an access token of the identity provider. Roles of staff count only with the claim "
        "`dinas` (a code, or `all`), the role migrator only with `migrator_until`. Locally `jakpreneur token` makes one.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "Partners: a key with the scopes that it was made with",
    },
}

IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body again gives the stored reply; kept for 7 days",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[\\x20-\\x7e]+$"},
}
IF_NONE_MATCH: Final[dict[str, Any]] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETag of the reply that the caller has: 304 and no body if it is still the same",
    "schema": {"type": "string"},
}


def header_references(*names: str) -> dict[str, Any]:
    """The headers of a reply, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def refusals() -> dict[str, Any]:
    """The replies of `components` that refuse."""
    return {
        name: {
            "description": description,
            "headers": header_references("X-Request-Id", "Content-Language", *headers),
            "content": PROBLEM,
        }
        for name, description, headers in REFUSALS.values()
    }
