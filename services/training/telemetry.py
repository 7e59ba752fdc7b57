"""Every series of this service for Prometheus. Workers set them; see chassis/telemetry.py for what every service has."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

OPEN = Gauge("trainings_open", "Trainings that are published, closed or running")
SEATS = Gauge("training_seats", "Seats of open trainings, and people waiting for one", ["state"])
OFFERS_LAPSED = Counter("training_offers_lapsed_total", "Offers of a seat that lapsed unanswered")
WORK_FAILED = Counter("training_work_failed_total", "Decisions of a worker that failed and will be tried again", ["worker"])
for _worker in ("offers", "endings"):  # at 0 from the start, or the first failures would be invisible to rate()
    WORK_FAILED.labels(_worker)
