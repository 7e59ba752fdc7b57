"""Dates and times as people write them in JSON: ISO 8601 texts and nothing else.

pydantic, even when strict, reads a text of digits as a Unix time: "20210201" would be a day in August 1970.
"""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*")


def _date(value: Any) -> Any:
    if isinstance(value, str) and _DATE.fullmatch(value):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    if type(value) is date:  # from our own code
        return value
    raise PydanticCustomError("date_parsing", "is not a date")


def _moment(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return value
    raise PydanticCustomError("datetime_parsing", "is not a time")


Date = Annotated[date, BeforeValidator(_date)]
# Not strict behind the check: a strict time takes no text that a function has seen.
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_moment)]
