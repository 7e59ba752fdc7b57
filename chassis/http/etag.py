"""Entity tags (RFC 9110, section 8.8.3): If-Match names the version that a change is based on, If-None-Match what is known."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Header
from fastapi.responses import Response

from chassis.errors import FieldError, Invalid, invalid

_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e]*"'
_TAGS: Final = re.compile(rf"\s*(?:{_TAG}\s*,\s*)*{_TAG}\s*")
_VERSION: Final = re.compile(r'"([1-9][0-9]{0,11})"')

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        pattern=rf"^\s*(\*|({_TAG}\s*,\s*)*{_TAG})\s*$",
        description='ETag that the change is based on, such as `"3"`; another version is answered with 412. `*`: any version',
        examples=['"3"'],
    ),
]


def version_of(if_match: str | None) -> frozenset[int] | None:
    """The versions that an If-Match header names; None if it is absent or `*`, which ask for nothing.

    The comparison is strong: a weak tag, and one that we never gave, match no version.
    Raises Invalid for what is no list of tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if not _TAGS.fullmatch(if_match):
        raise _not_a_tag()
    tags = re.findall(_TAG, if_match)
    return frozenset(int(found[1]) for tag in tags if (found := _VERSION.fullmatch(tag)))


def _not_a_tag() -> Invalid:
    return invalid(FieldError("If-Match", "if_match", 'Isi dengan ETag, misalnya "3".', 'Must be an ETag such as "3".'))


def matches_weakly(if_none_match: str, tag: str) -> bool:
    """Whether an If-None-Match header names the tag of a reply; weak and strong tags of the same text are equal here."""
    if if_none_match.strip() == "*":
        return True
    return tag.removeprefix("W/") in (known.removeprefix("W/") for known in re.findall(_TAG, if_none_match))


def set_etag(response: Response, version: int) -> None:
    """The document's version as its ETag."""
    response.headers["ETag"] = f'"{version}"'
