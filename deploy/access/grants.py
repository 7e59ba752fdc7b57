"""What each service may do: literal tables, one for all deployments. Next: mongodb.py and kafka.py, which grant it.

Every service may read, add to and index all collections of its own database, and nothing of another's. What it may change and
remove besides is listed here: the audit log and the operators' log aren't, so that whoever takes over a service can't rewrite
what was done.
"""

from __future__ import annotations

from typing import Final

from contracts.catalogue import TOPICS

SERVICES: Final = ("registration", "training", "metrics")

# Collections of the chassis, in every service's database.
_CHASSIS: Final = (
    "dead_letters", "generations", "idempotency", "leases", "outbox", "outbox_hints", "positions", "rate_limits", "seen",
    "topics",
)  # fmt: skip
CHANGED: Final[dict[str, tuple[str, ...]]] = {
    "registration": (
        *_CHASSIS, "audit_heads", "identities", "import_chunks", "import_errors", "imports", "jakpreneurs", "receipts",
    ),
    "training": (
        *_CHASSIS, "api_keys", "enrolments", "external_ids", "jakpreneurs", "partners", "scans", "schedules", "trainings",
        "waiting",
    ),
    "metrics": (
        *_CHASSIS, "assessed_periods", "assessments", "facts", "late_evidence", "ledger", "pending", "reconciliations", "rollups",
        "subjects", "targets", "totals",
    ),
}  # fmt: skip
APPENDED: Final[dict[str, tuple[str, ...]]] = {
    "registration": ("audit", "operator_log"),
    "training": ("operator_log",),
    "metrics": ("operator_log",),
}

PUBLISHED: Final = TOPICS
READ: Final[dict[str, tuple[str, ...]]] = {
    "registration": (),
    "training": TOPICS["registration"],
    "metrics": tuple(topic for topics in TOPICS.values() for topic in topics),
}
CONSUMERS: Final[dict[str, tuple[str, ...]]] = {"registration": (), "training": ("people",), "metrics": ("metrics-ledger",)}


def user_of(service: str, prefix: str) -> str:
    """A service's user, in MongoDB and in Kafka: it has its database's name."""
    return f"{prefix}_{service}"
