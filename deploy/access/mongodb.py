"""Roles and users of MongoDB. Granting again changes nothing but the passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from deploy.access.grants import CHANGED, SERVICES, user_of

Client = MongoClient[dict[str, Any]]
_EXISTS_ALREADY = frozenset({51002, 51003})  # a role, a user
_OF_THE_DATABASE = ["find", "insert", "createCollection", "createIndex", "listCollections", "listIndexes", "collStats"]
_OF_A_COLLECTION = ["update", "remove", "convertToCapped"]


def grant(client: Client, prefix: str, passwords: Mapping[str, str]) -> None:
    """Make or renew the services' users, as root. `passwords`: by service."""
    for service in SERVICES:
        name = user_of(service, prefix)
        role = {"privileges": privileges(service, name), "roles": []}
        _make_or_renew(client[name], "Role", name, role)
        user = {"pwd": passwords[service], "roles": [{"role": name, "db": name}]}
        _make_or_renew(client.admin, "User", name, user)


def privileges(service: str, database: str) -> list[dict[str, Any]]:
    """What a service's role may do in its database."""
    listed = [{"resource": {"db": database, "collection": name}, "actions": _OF_A_COLLECTION} for name in CHANGED[service]]
    return [{"resource": {"db": database, "collection": ""}, "actions": _OF_THE_DATABASE}, *listed]


def _make_or_renew(database: Database[dict[str, Any]], kind: str, name: str, content: dict[str, Any]) -> None:
    try:
        database.command(f"create{kind}", name, **content)
    except OperationFailure as failure:
        if failure.code not in _EXISTS_ALREADY:
            raise
        database.command(f"update{kind}", name, **content)
