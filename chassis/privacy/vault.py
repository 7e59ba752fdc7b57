"""The personal-data vault: AES-256-GCM with a key per person, wrapped by a versioned master key, and the blind index.

A ciphertext is bound to its collection, field and subject, so that it can't be moved to another person or field.
Erasing a person destroys their wrapped key: every copy of their data becomes noise at once (R17).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from chassis.random_bytes import RANDOM
from chassis.settings import Settings

_NONCE = 12


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person's data key, open for use; never stored in this form."""

    secret: bytes = field(repr=False)
    _cipher: AESGCM = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cipher", AESGCM(self.secret))

    def encrypt(self, plain: str, *, collection: str, field: str, subject: str) -> bytes:
        """Nonce and ciphertext of one field."""
        nonce = RANDOM.take(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain.encode(), _binding(collection, field, subject))

    def decrypt(self, sealed: bytes, *, collection: str, field: str, subject: str) -> str:
        """The plain text; raises cryptography's InvalidTag if it belongs elsewhere or was altered."""
        nonce, ciphertext = sealed[:_NONCE], sealed[_NONCE:]
        return self._cipher.decrypt(nonce, ciphertext, _binding(collection, field, subject)).decode()


def _binding(collection: str, field: str, subject: str) -> bytes:
    return f"{collection}/{field}/{subject}".encode()


class Vault:
    """Makes, wraps and opens person keys; computes blind indexes."""

    def __init__(self, master_keys: Mapping[int, bytes], pepper: bytes | None) -> None:
        if not master_keys or any(len(key) != 32 for key in master_keys.values()):
            raise ValueError("the vault needs master keys of 32 bytes: set JAKPRENEUR_VAULT_MASTER_KEYS")
        if pepper is not None and len(pepper) < 32:
            raise ValueError("the blind index needs a pepper of 32 bytes: set JAKPRENEUR_BLIND_INDEX_PEPPER")
        self._master_keys = dict(master_keys)
        self._current = max(master_keys)
        self._pepper = pepper

    def new_key(self) -> tuple[PersonKey, dict[str, object]]:
        """A fresh key, and its wrapped form for the person's document: `{version, wrapped}`."""
        secret = AESGCM.generate_key(256)
        wrapped = aes_key_wrap(self._master_keys[self._current], secret)
        return PersonKey(secret), {"version": self._current, "wrapped": wrapped}

    def open_key(self, stored: Mapping[str, object]) -> PersonKey:
        """Unwrap a stored key; raises KeyError for a master key that isn't configured."""
        wrapped, version = stored["wrapped"], stored["version"]
        if not isinstance(wrapped, bytes) or not isinstance(version, int):
            raise TypeError("not a wrapped key")
        return PersonKey(aes_key_unwrap(self._master_keys[version], wrapped))

    def rewrap(self, stored: Mapping[str, object]) -> dict[str, object]:
        """The same person key under the current master key: rotation without touching the data."""
        return {"version": self._current, "wrapped": aes_key_wrap(self._master_keys[self._current], self.open_key(stored).secret)}

    def blind_index(self, kind: str, value: str) -> str:
        """Keyed HMAC-SHA-256: equal values of one kind have equal indexes; without the pepper nobody can try values."""
        if self._pepper is None:
            raise ValueError("this vault has no blind index")
        return hmac.digest(self._pepper, f"{kind}:{value}".encode(), "sha256").hex()


def vault(settings: Settings, *, indexed: bool = True) -> Vault:
    """The vault that the settings describe; `indexed=False` for a service that only seals and needs no pepper."""
    keys = {int(version): base64.b64decode(key.get_secret_value()) for version, key in settings.vault_master_keys.items()}
    return Vault(keys, base64.b64decode(settings.blind_index_pepper.get_secret_value()) if indexed else None)
