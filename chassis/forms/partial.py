"""What is right in a form of which something is wrong: so that the rules speak together with the types, in one answer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError, create_model

Model = TypeVar("Model", bound=BaseModel)


def right_part(model: type[Model], given: Any, problems: Sequence[Any], *, strings: bool = False) -> Model | None:
    """The form without the fields that have the wrong form, which are None in it, whatever its model says.

    `given` is what was validated and `problems` what pydantic found in it; `strings` for a form of texts only, as a row of a
    sheet is. None where nothing can be read.
    """
    part = copy.deepcopy(given)
    for problem in problems:
        _remove(part, problem["loc"])
    blank = _optional(model)
    try:
        read = blank.model_validate_strings(part) if strings else blank.model_validate(part, strict=False)
    except ValidationError:  # the fields are right, but not together
        return None
    return read  # type: ignore[return-value] # the same fields, which the caller expects to be None where they are missing


def _remove(part: dict[int | str, Any], place: Sequence[int | str]) -> None:
    """Take out what stands at a place. Of a list with something wrong the whole list goes: its order may matter."""
    for step in place[:-1]:
        inner = part.get(step)
        if not isinstance(inner, dict):
            part.pop(step, None)
            return
        part = inner
    if place:
        part.pop(place[-1], None)


@cache
def _optional(model: type[BaseModel]) -> type[BaseModel]:
    """The model with every field optional, those of the models within too."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = _within(field.annotation)
        fields[name] = ((Annotated[(kind, *field.metadata)] if field.metadata else kind) | None, None)
    return create_model(f"Partial{model.__name__}", __config__=model.model_config, **fields)


def _within(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _optional(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return Union[tuple(_within(choice) for choice in get_args(annotation))]  # noqa: UP007 - of a tuple
    return annotation
