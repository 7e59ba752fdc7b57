"""The background worker that follows the figures: late evidence is counted, and targets that were reached are told of."""

from __future__ import annotations

import asyncio

from services.metrics.ledger.store import Ledger
from services.metrics.targets.use_cases import TargetUseCases

_EVERY_SECONDS = 1.0


async def follow_figures(ledger: Ledger, targets: TargetUseCases) -> None:
    """One round of the worker: count evidence that came before its person, note reached targets, and wait."""
    await ledger.resolve_pending()
    await targets.note_reached_targets()
    await asyncio.sleep(_EVERY_SECONDS)
