"""Queries on seats and waiting lists. Pages of one waiting list are a range of `_id`s, so the feature needs no index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chassis.database.mongo import Mongo
from services.training.documents import TRAININGS, WAITING, Enrolment, Training, WaitingPage, waiting_page_id

_OPEN: Final = ["published", "closed", "running"]


class SeatStore:
    """Reads for the enrolments' use cases and for the gauges."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def position(self, enrolment: Enrolment, training: Training) -> int | None:
        """A person's place on the waiting list, from 1; None for who does not wait."""
        if enrolment["page"] is None:
            return None
        first, own = (waiting_page_id(training["_id"], n) for n in (training["queue_first"], enrolment["page"]))
        query = {"_id": {"$gte": first, "$lte": own}}
        pages: list[WaitingPage] = await self._mongo[WAITING].find(query).sort("_id", 1).to_list(None)
        line = [identity for page in pages for identity in page["enrolments"]]
        return line.index(enrolment["_id"]) + 1 if enrolment["_id"] in line else None

    async def seats(self) -> tuple[int, Mapping[str, int]]:
        """How many trainings are open, and the sums of their seats: confirmed, offered, waiting, free."""
        totals: dict[str, Any] = {name: {"$sum": f"${name}"} for name in ("confirmed", "offered", "waiting", "quota")}
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"status": {"$in": _OPEN}}},
            {"$group": {"_id": None, "trainings": {"$sum": 1}, **totals}},
        ]
        found = await self._mongo.aggregate(TRAININGS, pipeline)
        if not found:
            return 0, {"confirmed": 0, "offered": 0, "waiting": 0, "free": 0}
        sums = found[0]
        free = sums["quota"] - sums["confirmed"] - sums["offered"]
        return sums["trainings"], {name: sums[name] for name in ("confirmed", "offered", "waiting")} | {"free": free}
