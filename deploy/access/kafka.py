"""Users and ACLs of Kafka. Granting again changes nothing but the passwords.

Services log in with SCRAM-SHA-256, which the SERVICES listener alone offers; partners with SCRAM-SHA-512 at PARTNERS. A user
has a credential for one of the two only, so none can come in by the other's door (docs/decisions/0016).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from deploy.access.grants import CONSUMERS, PUBLISHED, READ, SERVICES, user_of

MECHANISM: Final = "SCRAM-SHA-256"
_ITERATIONS = 8192
_SECONDS = 30
# Whoever starts first makes the topic: a consumer would find a later one only with its next look round.
_TO_READ = (AclOperation.READ, AclOperation.CREATE, AclOperation.DESCRIBE_CONFIGS)
_TO_PUBLISH = (
    AclOperation.CREATE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS, AclOperation.WRITE, AclOperation.ALTER,
)  # fmt: skip


def grant(admin: AdminClient, prefix: str, topic_prefix: str, passwords: Mapping[str, str]) -> None:
    """Make or renew the services' users and what they may do, as a super user. `passwords`: by service."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, _ITERATIONS)
    users: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user_of(service, prefix), info, passwords[service].encode()) for service in SERVICES
    ]
    bindings = [binding for service in SERVICES for binding in bindings_of(service, prefix, topic_prefix)]
    for done in (*admin.alter_user_scram_credentials(users).values(), *admin.create_acls(bindings).values()):
        done.result(_SECONDS)


def bindings_of(service: str, prefix: str, topic_prefix: str) -> set[AclBinding]:
    """The ACLs of one service's user: nothing else is allowed."""
    groups = [f"{topic_prefix}{prefix}.{consumer}" for consumer in CONSUMERS[service]]
    rights = [
        *((ResourceType.TOPIC, topic_prefix + topic, operation) for topic in PUBLISHED[service] for operation in _TO_PUBLISH),
        *((ResourceType.TOPIC, topic_prefix + topic, operation) for topic in READ[service] for operation in _TO_READ),
        *((ResourceType.GROUP, group, AclOperation.READ) for group in groups),
    ]
    user = f"User:{user_of(service, prefix)}"
    return {
        AclBinding(kind, name, ResourcePatternType.LITERAL, user, "*", operation, AclPermissionType.ALLOW)
        for kind, name, operation in rights
    }
