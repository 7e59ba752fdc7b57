"""People as replies: coarse attributes as stored, personal data decrypted and then masked unless it is to be revealed."""

from __future__ import annotations

from collections.abc import Collection

from chassis.documents import Document
from chassis.privacy.masking import mask_phone, mask_words
from chassis.privacy.vault import Vault
from services.registration.documents import JAKPRENEURS, JakpreneurDocument
from services.registration.fields import nik
from services.registration.people.models import REVEALABLE

_SHOWN = (
    "status", "registered_on", "verified_on", "rejected_on", "reasons", "channel", "kelurahan", "kecamatan", "kota", "category",
    "gender", "dinas", "commodity", "kbli", "kbli_version", "started_on",
)  # fmt: skip


def shown_jakpreneur(vault: Vault, document: JakpreneurDocument, reveal: Collection[str] = ()) -> Document:
    """A person as the API's `Jakpreneur`; the fields named in `reveal` are in the clear, all other personal data is masked.

    Raises cryptography's InvalidTag for a ciphertext that belongs to another person or field.
    """
    key = vault.open_key(document["key"])
    opened = {
        name: key.decrypt(sealed, collection=JAKPRENEURS, field=name, subject=document["_id"])
        for name, sealed in document["sealed"].items()
    }
    shown: Document = {"jakpreneur_id": document["_id"]}
    shown |= {name: document.get(name) for name in _SHOWN}
    shown["warnings"] = document.get("warnings", [])
    shown["personal"] = {
        name: opened[name] if name in reveal else _masked(name, opened[name]) for name in REVEALABLE if name in opened
    }
    shown["version"] = document["version"]
    return shown


def _masked(name: str, value: str) -> str:
    if name == "nik":
        return nik.mask(value)
    if name == "phone":
        return mask_phone(value)
    if name in ("name", "business_name"):
        return mask_words(value)
    return "***"
