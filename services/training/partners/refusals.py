"""Refusals of partners and API keys (R9): stable codes and their texts in Indonesian and in English."""

from __future__ import annotations

from typing import Final

from chassis.errors import NotFound, not_found
from services.training.refusals import Refusals

REFUSALS: Final = Refusals(
    texts={
        "R9.transition": ("Mitra berstatus {was} tidak dapat menjadi {to}.", "A partner that is {was} can't become {to}."),
        "R9.not_active": (
            "Hanya mitra aktif yang boleh membuat atau menerbitkan pelatihan (status sekarang: {status}).",
            "Only an active partner may create or publish trainings (it is {status}).",
        ),
        "R9.partner_ended": ("Kemitraan sudah berakhir.", "The partnership is over."),
        "R9.two_keys": (
            "Sudah ada dua kunci yang berlaku. Cabut salah satu dahulu.",
            "There are two valid keys already. Revoke one of them first.",
        ),
        "R9.key_expiry": (
            "Harus sesudah hari ini dan paling lama {days} hari lagi.",
            "Must lie after today and at most {days} days ahead.",
        ),
        "key_already_shown": (
            "Kunci hanya ditampilkan sekali dan tidak disimpan. Cabut kunci {kid} dan buat yang baru.",
            "A key is shown once and isn't stored. Revoke key {kid} and make a new one.",
        ),
    },
    conflicts=frozenset({"R9.transition", "R9.partner_ended", "R9.two_keys", "key_already_shown"}),
)


def unknown_partner() -> NotFound:
    """There is no such partner, or it is another one's: the two look the same."""
    return not_found("Mitra", "Partner")


def unknown_api_key() -> NotFound:
    """There is no such API key, or it is another partner's: the two look the same."""
    return not_found("Kunci API", "API key")
