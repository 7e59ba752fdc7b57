"""Personal data as people may see it: enough to recognise, not enough to use."""

from __future__ import annotations

_WORDS = 4


def mask_words(text: str) -> str:
    """`Siti Aminah` -> `S*** A***`."""
    return " ".join(f"{word[:1]}***" for word in text.split()[:_WORDS])


def mask_phone(number: str) -> str:
    """`+6281234567890` -> `+62********890`."""
    return f"{number[:3]}{'*' * max(0, len(number) - 6)}{number[-3:]}"


def mask_email(address: str) -> str:
    """`siti@contoh.ac.id` -> `s***@contoh.ac.id`; what is no address, as words."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}***@{host}" if at else mask_words(address)
