"""Who acts, as the rules see them. Next: api_types.py, which makes an Actor of a Caller."""

from __future__ import annotations

from dataclasses import dataclass

from services.training.documents import Training


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an officer or admin (`staff`), a partner, a citizen, or an anonymous caller."""

    id: str = "anonymous"
    staff: bool = False
    dinas: str | None = None  # the office to which staff is limited; None: all of Jakarta
    partner_id: str | None = None
    jakpreneur_id: str | None = None
    scopes: frozenset[str] = frozenset()  # of the API key that a partner uses

    def owns(self, training: Training) -> bool:
        """Whether the actor manages the training: a partner its own, an officer those of their dinas and of no dinas."""
        if self.partner_id is not None:
            return training["partner_id"] == self.partner_id
        return self.staff and (self.dinas is None or training["dinas"] in (None, self.dinas))


SYSTEM = Actor(id="system", staff=True)  # the service's own workers
