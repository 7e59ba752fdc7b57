"""Dates and times as people write them in JSON: ISO 8601 texts and nothing else.

pydantic, even when strict, reads a text of digits as a Unix time: "20210201" would be a day in August 1970.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError


# Plain comparisons, for every registration comes through here: patterns cost three times as much.
def _date(value: Any) -> Any:
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif type(value) is date:  # from our own code
        return value
    raise PydanticCustomError("date_parsing", "is not a date")


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) > 10 and value[4] == value[7] == "-" and value[10] in "Tt ":
            return value
    elif isinstance(value, datetime):
        return value
    raise PydanticCustomError("datetime_parsing", "is not a time")


Date = Annotated[date, BeforeValidator(_date)]
# Not strict behind the check: a strict time takes no text that a function has seen.
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_moment)]
