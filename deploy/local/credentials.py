"""Passwords and keys of a local stack: random, made once, kept beside the data that they protect.

They are for development and tests. A real deployment brings its own (`deploy/.env.example`).
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

_SERVICES_KEY = "services_key"


@dataclass(frozen=True)
class Secrets:
    """What the servers and services of one stack share. Keys and peppers are 32 bytes in base64."""

    mongodb_password: str
    mongodb_member_key: str
    kafka_password: str
    kafka_broker_password: str
    vault_master_key: str
    blind_index_pepper: str
    api_key_pepper: str
    idempotency_pepper: str
    services_key: str  # from which the passwords of the services' users are derived

    def password_of(self, service: str) -> str:
        """The password of a service's user, in MongoDB and in Kafka."""
        return hmac.digest(self.services_key.encode(), service.encode(), "sha256").hex()

    @classmethod
    def of(cls, directory: Path) -> Secrets:
        """Reads `<directory>/secrets.json`, or makes it if the directory holds no data yet."""
        file = directory / "secrets.json"
        if file.exists():
            known: dict[str, str] = json.loads(file.read_text())
            if _SERVICES_KEY not in known:
                raise FileNotFoundError(
                    f"{directory} was made by an earlier version, whose Kafka knows one user only: delete it (it is for "
                    "development), and start again"
                )
            return cls(**known)
        if any((directory / data).exists() for data in ("mongodb", "kafka")):
            # New keys would lock us out of the old data, and make its personal data unreadable.
            raise FileNotFoundError(f"{file} is gone, but its data is not: restore it, or delete {directory}")
        made = cls.random()
        directory.mkdir(parents=True, exist_ok=True)
        write_private(file, json.dumps(asdict(made), indent=2) + "\n")
        return made

    @classmethod
    def random(cls) -> Secrets:
        """A fresh set."""
        return cls(
            mongodb_password=secrets.token_urlsafe(24),
            mongodb_member_key=random_key(),
            kafka_password=secrets.token_urlsafe(24),
            kafka_broker_password=secrets.token_urlsafe(24),
            vault_master_key=random_key(),
            blind_index_pepper=random_key(),
            api_key_pepper=random_key(),
            idempotency_pepper=random_key(),
            services_key=random_key(),
        )


def random_key() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def write_private(file: Path, content: str) -> None:
    """Writes a file that only its owner may read, whole or not at all."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(content)
    unfinished.replace(file)
