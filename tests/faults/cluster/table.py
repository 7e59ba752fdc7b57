"""All faults of the cluster: name, what is done, what must hold besides C1 to C5 and LIFE (life.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.faults.cluster import kafka, mongodb, replicas
from tests.faults.cluster.scene import Scene, Span


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `do` makes it, waits until it is over, and returns."""

    name: str
    what: str
    holds: str
    do: Callable[[Scene], Awaitable[Span]]


_LIFE = "writes within 2 s, events within 5 s"
_ELECTED = "writes within 2 s of the election, events within 5 s"

FAULTS: tuple[Fault, ...] = (
    Fault("primary steps down", "replSetStepDown", _ELECTED, mongodb.primary_steps_down),
    Fault("primary killed", "SIGKILL, started again", _ELECTED, mongodb.primary_killed),
    Fault("primary frozen", "SIGSTOP 5 s, SIGCONT", _ELECTED, mongodb.primary_frozen),
    Fault("secondary killed", "SIGKILL, started again", _LIFE, mongodb.secondary_killed),
    Fault("broker killed", "SIGKILL, started again after 4 s", _LIFE, kafka.broker_killed),
    Fault("broker frozen", "SIGSTOP 10 s, SIGCONT", "all partitions flow while it is frozen", kafka.broker_frozen),
    Fault("ISR lost", "two brokers stopped", "writes go on, publishing waits", kafka.in_sync_replicas_lost),
    Fault("acks slow", "proxy holds Produce answers 12 s", "the relay keeps its lease", kafka.acknowledgements_slow),
    Fault("replica killed", "SIGKILL to the relay", _LIFE, replicas.replica_killed),
    Fault("killed amid commit", "fail point, registration", _LIFE, replicas.registration_killed_in_a_transaction),
    Fault("killed amid seats", "fail point, training", _LIFE, replicas.training_killed_in_a_transaction),
    Fault("rolled while idle", "SIGTERM each in turn", "exit code 0", replicas.rolling_restart_idle),
    Fault("rolled under load", "SIGTERM each in turn", "no error behind the balancer, exit code 0", replicas.rolling_restart),
    Fault("stopped, no primary", "two mongods frozen, SIGTERM", "exit code 0", replicas.stopped_without_a_primary),
    Fault("clock ahead", "the relay 65 minutes ahead", "publishing goes on", replicas.clock_ahead),
)
