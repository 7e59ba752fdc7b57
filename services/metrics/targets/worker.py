"""The background worker that follows the figures: targets that were reached are told of."""

from __future__ import annotations

import asyncio

from services.metrics.targets.use_cases import TargetUseCases

_EVERY_SECONDS = 1.0


async def follow_figures(targets: TargetUseCases) -> None:
    """One round of the worker: note reached targets, and wait."""
    await targets.note_reached_targets()
    await asyncio.sleep(_EVERY_SECONDS)
