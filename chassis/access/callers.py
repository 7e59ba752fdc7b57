"""Who is calling, and may they: OIDC bearer tokens for staff and citizens, API keys for partners. Deny by default.

Every route declares its callers with `callers(...)`; a route without a declaration fails the build (tests/unit/chassis).
Next: chassis/access/oidc.py (tokens and keys of the issuer), chassis/access/api_keys.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from fastapi import Depends, Request

from chassis import logs
from chassis.access.rate_limits import Counts, RateLimits
from chassis.errors import FieldError, Forbidden, NotAuthenticated
from chassis.settings import Settings

Role = Literal["anyone", "citizen", "partner", "officer", "verifier", "admin", "operator", "migrator"]
OF_A_DINAS: frozenset[str] = frozenset({"officer", "verifier", "admin", "migrator"})  # of which one, a claim must say
STAFF: frozenset[str] = OF_A_DINAS | {"operator"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling. `id` is stable and unique across kinds; it names the caller in audit entries and idempotency keys.

    `dinas` limits staff to the people of one office; None sets no limit, for whoever it was explicitly granted to.
    """

    id: str
    roles: frozenset[str]
    jakpreneur_id: str | None = None
    partner_id: str | None = None
    scopes: frozenset[str] = frozenset()
    dinas: str | None = None
    lacks_dinas: bool = False  # the token names a role of a dinas, but no dinas: the role doesn't count

    @property
    def staff(self) -> bool:
        """Any role of the programme's own people; behind `callers`, only of those that it lets in."""
        return bool(self.roles & STAFF)

    def limit(self, jakpreneur_id: str) -> str | None:
        """The dinas whose people staff is limited to; None for all of Jakarta, and for a person with themselves."""
        themselves = "citizen" in self.roles and self.jakpreneur_id == jakpreneur_id
        return self.dinas if self.staff and not themselves else None


ANONYMOUS = Caller("anonymous", frozenset())


class Tokens(Protocol):
    """Verifies bearer tokens."""

    async def caller(self, token: str) -> Caller:
        """The token's caller; raises NotAuthenticated."""
        ...


class ApiKeys(Protocol):
    """Knows the keys of partners."""

    async def caller(self, key: str) -> Caller:
        """The key's caller; raises NotAuthenticated."""
        ...


class NoApiKeys:
    """For a service that partners don't call."""

    async def caller(self, key: str) -> Caller:  # noqa: ARG002 - the protocol's argument
        """Refuse."""
        raise not_authenticated()


class Authenticator:
    """Turns a request's credential into a Caller; limits anonymous calls and wrong credentials by address."""

    def __init__(self, settings: Settings, tokens: Tokens, api_keys: ApiKeys, counts: Counts) -> None:
        self._tokens = tokens
        self._api_keys = api_keys
        self.limits = RateLimits(settings, counts)

    async def caller(self, request: Request) -> Caller:
        """Raises NotAuthenticated for a credential that doesn't hold, TooMany for an anonymous burst or too many wrong ones.

        A credential that holds is let in whatever others try from its address, which may be that of a whole campus.
        """
        address = request.client.host if request.client else "unknown"
        bearer, key = request.headers.get("authorization"), request.headers.get("x-api-key")
        if bearer is None and key is None:
            remaining = await self.limits.count("reads" if request.method == "GET" else "writes", address)
            request.state.headers = remaining.headers
            return ANONYMOUS
        try:
            if key is not None and bearer is None:
                return await self._api_keys.caller(key)
            scheme, _, token = (bearer or "").partition(" ")
            if scheme.lower() != "bearer" or not token:
                raise not_authenticated()
            return await self._tokens.caller(token.strip())
        except NotAuthenticated:
            await self.limits.count("failures", address)
            raise


def not_authenticated() -> NotAuthenticated:
    """The one refusal for every credential that doesn't hold: it says nothing about why."""
    return NotAuthenticated(
        "not_authenticated", "Kredensial tidak ada atau tidak berlaku.", "The credential is missing or does not hold."
    )


def forbidden(*missing: FieldError) -> Forbidden:
    """The refusal for a credential of the wrong kind; it names what is missing."""
    return Forbidden("forbidden", "Anda tidak berhak melakukan ini.", "You may not do this.", missing)


def _role_missing(allowed: frozenset[str]) -> FieldError:
    roles = ", ".join(sorted(allowed))
    return FieldError("role", "role_missing", f"Perlu salah satu peran: {roles}.", f"Needs one of the roles: {roles}.")


def _scope_missing(scope: str) -> FieldError:
    return FieldError("scope", "scope_missing", f"Kunci API perlu cakupan {scope}.", f"The API key needs the scope {scope}.")


_DINAS_MISSING = FieldError(
    "dinas",
    "dinas_missing",
    "Token petugas harus memuat klaim dinas: kode dinas, atau all untuk seluruh Jakarta.",
    "A token of staff must carry the claim dinas: the code of a dinas, or all for the whole of Jakarta.",
)


Authorize = Callable[[Request], Awaitable[Caller]]


def declaration(*allowed: Role, scope: str | None = None) -> Authorize:
    """The dependency function behind `callers`; `declares` on it is what tests and the OpenAPI document read."""
    allowed_roles = frozenset(allowed)

    async def authorize(request: Request) -> Caller:
        authenticator: Authenticator = request.app.state.authenticator
        caller = await authenticator.caller(request)
        logs.bind(caller=caller.id)
        request.state.caller = caller
        if "anyone" in allowed_roles:
            request.app.state.admit(request)
            return caller
        if caller is ANONYMOUS:
            raise not_authenticated()
        if not caller.roles & allowed_roles:
            raise forbidden(_DINAS_MISSING if caller.lacks_dinas else _role_missing(allowed_roles))
        if scope is not None and caller.partner_id is not None and scope not in caller.scopes:
            raise forbidden(_scope_missing(scope))
        request.app.state.admit(request)
        # Only what this route asked for: an operator who is a citizen too comes in as a citizen, not as staff.
        return caller if caller.roles <= allowed_roles else replace(caller, roles=caller.roles & allowed_roles)

    authorize.declares = allowed_roles  # type: ignore[attr-defined] # a mark on a function, read by callers_of
    return authorize


def callers(*allowed: Role, scope: str | None = None) -> Any:
    """Declare who may call a route: `caller: Annotated[Caller, callers("officer", "admin")]`.

    `scope` is what a partner's key must carry in addition.
    """
    return Depends(declaration(*allowed, scope=scope))


def declared(dependant: Any) -> frozenset[str] | None:
    """Who may call the route with this dependency tree; None if it doesn't say."""
    for dependency in dependant.dependencies:
        marked: frozenset[str] | None = getattr(dependency.call, "declares", None)
        if marked is not None:
            return marked
        deeper = declared(dependency)
        if deeper is not None:
            return deeper
    return None
