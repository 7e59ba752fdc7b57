"""How totals and rollups are named. Pure.

Each is kept for every slot (a consumer's share of the partitions) and summed when read: so consumers that are added never undo
each other's batches. `<generation>|<measure>|<dimension>|…|<slot>`; reads are ranges.
"""

from __future__ import annotations

import re

GENERATION = "1"
AFTER_ALL = "\uffff"  # sorts behind whatever follows a prefix
_CODE = re.compile(r"(?<=\d)_(?=\d)")


def figure_prefix(measure: str, dimension: str) -> str:
    """What the ids of a measure and dimension begin with."""
    return f"{GENERATION}|{measure}|{dimension}|"


def total_id(measure: str, dimension: str, slot: str) -> str:
    """A document `{n: {value: count}}`."""
    return f"{figure_prefix(measure, dimension)}{slot}"


def month_id(measure: str, dimension: str, month: str, slot: str) -> str:
    """A document `{n: {value: count}, d: {value: {day: count}}}`."""
    return f"{figure_prefix(measure, dimension)}{month}|{slot}"


def month_of(identity: str) -> str:
    """The month in a rollup's id."""
    return identity.split("|")[3]


def measure_and_dimension(identity: str) -> tuple[str, str]:
    """The measure and the dimension in the id of a total or rollup."""
    _, measure, dimension, *_ = identity.split("|")
    return measure, dimension


def field_of(value: str) -> str:
    """A value as a field name: codes have dots, field names can't."""
    return value.replace(".", "_")


def value_of(field: str) -> str:
    """A field name as the value: no code has an underscore between digits."""
    return _CODE.sub(".", field)
