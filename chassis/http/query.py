"""What may stand behind the question mark: only what the route declares, and each of it once.

A parameter that nobody reads is worse than an error: `?partner_id=mine` would list everybody's, and look right.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.dependencies.utils import request_params_to_args

from chassis.errors import FieldError, invalid
from chassis.forms.validation import findings, shown_name


def check_query(request: Request) -> None:
    """Raises Invalid for unknown and for repeated parameters, with whatever else is wrong in the query.

    Called when the caller has been let in, since whoever may not call a route learns nothing about it.
    """
    if not request.scope["query_string"]:
        return
    declared: list[Any] = request.scope["route"].dependant.query_params
    known = sorted(field.alias for field in declared)
    given = [name for name, _ in request.query_params.multi_items()]
    strange = [_unknown(number, name, known) for number, name in enumerate(given, 1) if name not in known]
    repeated = [_repeated(name) for name in known if given.count(name) > 1]
    if strange or repeated:
        _, wrong = request_params_to_args(declared, request.query_params)
        raise invalid(*strange, *repeated, *findings(wrong))


def _unknown(number: int, name: str, known: list[str]) -> FieldError:
    shown = shown_name(name, number)
    choices_id = f"Pilihan: {', '.join(known)}." if known else "Alamat ini tidak mengenal parameter."
    choices_en = f"Choices: {', '.join(known)}." if known else "This address takes none."
    return FieldError(
        shown, "unknown_parameter", f"Parameter {shown} tidak dikenal. {choices_id}", f"Unknown parameter {shown}. {choices_en}"
    )


def _repeated(name: str) -> FieldError:
    return FieldError(
        name, "repeated_parameter", f"Parameter {name} diberikan lebih dari sekali.", f"Parameter {name} is repeated."
    )
