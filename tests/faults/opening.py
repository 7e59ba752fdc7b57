"""What must be there before the load: trainings to enrol in, and a target that metrics will tell of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2

from tests.faults.load import Training

_TARGET = 40  # verified people: the day that metrics tells of it is one more event that must not be lost or doubled


async def prepare(training: str, metrics: str, headers: dict[str, str], trainings: int, quota: int) -> list[Training]:
    """Before the fire: a target that metrics will tell of, and trainings with too few seats, each on a day of its own."""
    start = (datetime.now(UTC) + timedelta(days=5)).replace(microsecond=0)
    made: list[Training] = []
    async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
        target = {"value": _TARGET, "source": "Fault test", "valid_from": "2018-01-01"}
        (await client.put(f"{metrics}/v1/targets/chaos", json=target)).raise_for_status()
        for number in range(trainings):
            begins = start + timedelta(days=number)
            body = {
                "title": f"Pelatihan {number}",
                "stage": "P2",
                "sessions": [
                    {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=6)).isoformat(), "place": "Balai"}
                ],
                "quota": quota,
                "registration_deadline": (begins - timedelta(hours=26)).isoformat(),
            }
            answer = (await client.post(f"{training}/v1/trainings", json=body)).raise_for_status()
            identity = answer.json()["training_id"]
            for to in ("submitted", "approved", "published"):
                step = await client.post(f"{training}/v1/trainings/{identity}/transitions", json={"to": to})
                step.raise_for_status()
            made.append(Training(identity, quota))
    return made
