"""Registration's own Prometheus series. Next: people/worker.py, which sets them."""

from __future__ import annotations

from prometheus_client import Gauge

REGISTERED = Gauge("jakpreneurs_registered", "People registered, whatever their state")
VERIFIED = Gauge("jakpreneurs_verified", "People whose registration was verified")
