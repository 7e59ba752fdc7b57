"""Secrets of a local stack: made once, private, never replaced under existing data."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from deploy.local.credentials import Secrets


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """The second start finds the passwords of the first."""
    assert Secrets.of(tmp_path) == Secrets.of(tmp_path)


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    """Another user of the machine can't read the file."""
    Secrets.of(tmp_path)
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_two_stacks_have_nothing_in_common(tmp_path: Path) -> None:
    """What leaks from one test's stack opens no other."""
    one, other = vars(Secrets.of(tmp_path / "one")), vars(Secrets.of(tmp_path / "other"))
    assert not set(one.values()) & set(other.values())


def test_keys_have_32_bytes() -> None:
    """AES-256 and HMAC-SHA-256 want keys of that length."""
    secrets = Secrets.random()
    for key in (secrets.vault_master_key, secrets.blind_index_pepper, secrets.api_key_pepper, secrets.idempotency_pepper):
        assert len(base64.b64decode(key, validate=True)) == 32


def test_a_stack_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    """Its Kafka knows one user for all services: it is said so, with what to do, instead of a login that fails for ever."""
    before = vars(Secrets.of(tmp_path))
    (tmp_path / "mongodb").mkdir()
    (tmp_path / "secrets.json").write_text(json.dumps({name: value for name, value in before.items() if name != "services_key"}))
    with pytest.raises(FileNotFoundError, match="delete it"):
        Secrets.of(tmp_path)


def test_lost_secrets_are_not_replaced_under_data(tmp_path: Path) -> None:
    """Somebody deletes secrets.json: new keys would make the personal data unreadable without a word."""
    Secrets.of(tmp_path)
    (tmp_path / "mongodb").mkdir()
    (tmp_path / "secrets.json").unlink()
    with pytest.raises(FileNotFoundError, match="restore it, or delete"):
        Secrets.of(tmp_path)
