"""Proactive negotiation (RFC 9110, section 12.5): which of what we offer a request's Accept-… header likes best."""

from __future__ import annotations

from collections.abc import Mapping

_LANGUAGES = {"id": "id", "in": "id", "ms": "id", "en": "en"}  # `in`: what older Android telephones call Indonesian


def qualities(header: str) -> dict[str, float]:
    """The ranges of a header in small letters with their quality values; one whose value can't be read counts for nothing."""
    found: dict[str, float] = {}
    for part in header.lower().split(",")[:50]:
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        try:
            quality = float(weight)
        except ValueError:
            quality = 0.0
        if name and name not in found:
            found[name] = quality if 0.0 <= quality <= 1.0 else 0.0
    return found


def language_of(header: str | None) -> str:
    """`en` where English is liked better than Indonesian, otherwise `id`; what only `*` names counts by the star's value."""
    if not header:
        return "id"
    liked = _by_language(qualities(header))
    return "en" if liked["en"] > liked["id"] else "id"


def _by_language(ranges: Mapping[str, float]) -> dict[str, float]:
    liked: dict[str, float] = {}
    for place, (name, quality) in enumerate(ranges.items()):
        language = "*" if name == "*" else _LANGUAGES.get(name.partition("-")[0])
        if language is not None:
            # Of two languages that are liked alike the one named first is meant.
            liked[language] = max(liked.get(language, 0.0), quality - place * 1e-6 if quality else 0.0)
    star = liked.get("*", 0.0)
    return {"id": liked.get("id", star), "en": liked.get("en", star)}


def takes_gzip(header: str | None) -> bool:
    """Whether a client decompresses gzip."""
    ranges = qualities(header) if header else {}
    return ranges.get("gzip", ranges.get("x-gzip", ranges.get("*", 0.0))) > 0.0
