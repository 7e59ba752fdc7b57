"""How a rule of this service refuses. Each feature's refusals.py holds its codes and texts as one table.

A refusal is a Conflict (409) when it clashes with what is there, else RuleBroken (422): see chassis/errors.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from chassis.errors import Conflict, DomainError, FieldError, Forbidden, RuleBroken, Stale


@dataclass(frozen=True, slots=True)
class Refusals:
    """The refusals of one feature: stable code -> text in Indonesian and in English, and the codes that are conflicts.

    Texts are format strings; `values` fill them in.
    """

    texts: Mapping[str, tuple[str, str]]
    conflicts: Set[str]

    def failing(self, field: str, code: str, **values: object) -> FieldError:
        """One failing rule; `field` is the path of the field in the request. Raises KeyError for an unknown code."""
        text_id, text_en = self.texts[code]
        return FieldError(field, code, text_id.format(**values), text_en.format(**values))

    def refused(self, field: str, code: str, **values: object) -> DomainError:
        """The refusal for one failing rule."""
        return self.refused_for([self.failing(field, code, **values)])

    def refused_for(self, errors: Iterable[FieldError]) -> DomainError:
        """One refusal that names every failing rule: a Conflict if any of them is one, else RuleBroken."""
        found = tuple(errors)
        kind = Conflict if any(error.code in self.conflicts for error in found) else RuleBroken
        if len(found) == 1:
            return kind(found[0].code, found[0].message_id, found[0].message_en, found)
        return kind("rules", "Beberapa ketentuan tidak terpenuhi.", "Several rules are not met.", found)


def not_yours() -> Forbidden:
    """The actor may see a thing, but not do this with it."""
    return Forbidden("forbidden", "Anda tidak berhak melakukan ini.", "You may not do this.")


def stale() -> Stale:
    """If-Match names an older version."""
    return Stale("stale", "Data sudah diubah orang lain. Muat ulang.", "The document has changed meanwhile. Load it again.")
