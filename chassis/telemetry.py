"""Every Prometheus series of the chassis, in one commented list, and the tracer. Services add theirs in their own rooms.

Labels are bounded: route templates, reasons and names from the code, never a value that a caller sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from chassis.settings import Settings

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter that nothing reads
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)

# HTTP: by route template and class of status.
HTTP_REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "handler", "status"])
HTTP_SECONDS = Histogram("http_request_duration_seconds", "Time to answer", ["method", "handler"], buckets=_SECONDS)
_CLASSES = (2, 3, 4, 5)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Writing: how many decisions share a transaction, how long it takes, who we race against.
COMMIT_BATCH = Histogram("group_commit_batch_size", "Decisions in one transaction", buckets=_SIZES)
COMMIT_SECONDS = Histogram("group_commit_duration_seconds", "Load, decide and commit one batch", buckets=_SECONDS)
COMMIT_CONFLICTS = Counter("group_commit_conflicts_total", "Transactions that met another writer", ["reason"])

COMMIT_LANES = Gauge("group_commit_contended_documents", "Documents that so many write that their callers wait apart")
PART_RESTARTS = Counter("part_restarts_total", "Parts of the process that failed and were started again", ["part"])

# Publishing: the outbox must drain, and one relay must hold the lease.
OUTBOX_ROWS = Gauge("outbox_rows", "Commits whose events Kafka hasn't all acknowledged, counted up to 10,000")
OUTBOX_AGE = Gauge("outbox_oldest_age_seconds", "Age of the oldest event in the outbox")
RELAY_PUBLISHED = Counter("relay_published_total", "Events that Kafka acknowledged")
RELAY_FAILURES = Counter("relay_failures_total", "Batches that Kafka refused, or didn't acknowledge in time")
RELAY_LEASE = Gauge("relay_lease_held", "1 while this process is the service's relay")

# Consuming: lag from stored positions, and the standing proof that nothing was lost or doubled.
CONSUMER_LAG = Gauge("consumer_lag_events", "End of the partition minus the stored position", ["consumer", "topic", "partition"])
CONSUMER_BATCH = Histogram("consumer_batch_size", "Events in one transaction", ["consumer"], buckets=_SIZES)
CONSUMER_SECONDS = Histogram(
    "consumer_batch_duration_seconds",
    "Apply and commit one batch, decoded before",
    ["consumer"],
    buckets=_SECONDS,
)
CONSUMER_EVENTS = Counter("consumer_events_total", "Events whose effect was committed", ["consumer"])
CONSUMER_DUPLICATES = Counter("consumer_duplicates_total", "Events seen before and ignored", ["consumer"])
EVENTS_GAP = Counter("events_gap_total", "Events that had to wait, since their predecessor was never seen", ["consumer"])
EVENTS_CONFLICTING = Counter("events_conflicting_total", "Events whose id was seen before with other content", ["consumer"])
CONSUMER_STOPPED = Gauge("consumer_stopped", "1 when the consumer gave up and somebody must look", ["consumer"])
CONSUMER_FAILING = Gauge("consumer_fetch_failing", "1 while Kafka gives the consumer nothing but errors", ["consumer"])
DEAD_LETTERS = Gauge("dead_letters", "Messages put aside: dead, waiting, or parked behind one", ["consumer", "state"])
DEAD_LETTERS_TOTAL = Counter("dead_letters_put_aside_total", "Messages put aside, ever", ["consumer", "reason"])

LETTER_REASONS = ("malformed", "schema", "unknown_type", "unknown_error", "other_content", "rule")  # of dead ones
for _reason in ("duplicate_key", "version", "transient", "inconsistent_read", "position_moved"):
    COMMIT_CONFLICTS.labels(_reason)

_tracer: Any = None
_http_children: dict[tuple[str, str, int], tuple[Any, Any]] = {}


def begin_http(handlers: Iterable[tuple[str, str]]) -> None:
    """Every method and route at 0 in every class of status, before the first request.

    A series that is born with the first burst of errors has no earlier value: `rate()` doesn't see that burst.
    """
    for method, template in [*handlers, *((method, "none") for method in (*_METHODS, "other"))]:
        for status in _CLASSES:
            _http_child(method, template, status)


def begin_consumer(consumer: str) -> None:
    """A consumer's counters at 0, for the same reason."""
    for counter in (CONSUMER_EVENTS, CONSUMER_DUPLICATES, EVENTS_GAP, EVENTS_CONFLICTING):
        counter.labels(consumer)
    for gauge in (CONSUMER_STOPPED, CONSUMER_FAILING):
        gauge.labels(consumer).set(0)
    for reason in LETTER_REASONS:
        DEAD_LETTERS_TOTAL.labels(consumer, reason)


def begin_part(part: str) -> None:
    """A part's restarts at 0, for the same reason."""
    PART_RESTARTS.labels(part)


def http(method: str, template: str, status: int, seconds: float) -> None:
    """Count one request. Children are kept: looking one up by its labels costs more than counting."""
    counter, histogram = _http_child(method if method in _METHODS else "other", template, status // 100)
    counter.inc()
    histogram.observe(seconds)


def _http_child(method: str, template: str, status: int) -> tuple[Any, Any]:
    key = (method, template, status)
    children = _http_children.get(key)
    if children is None:
        children = (HTTP_REQUESTS.labels(method, template, f"{status}xx"), HTTP_SECONDS.labels(method, template))
        _http_children[key] = children
    return children


def forget_lag(consumer: str, topic: str, partition: int) -> None:
    """The partition is somebody else's now: a gauge left behind would show its lag of then for ever."""
    with suppress(KeyError):  # never measured
        CONSUMER_LAG.remove(consumer, topic, str(partition))


def tracing() -> bool:
    """Whether traces go anywhere."""
    return _tracer is not None


def configure_tracing(settings: Settings, service: str) -> None:
    """Send traces to the collector that the settings name; without one, tracing costs nothing and loads nothing."""
    global _tracer  # noqa: PLW0603 - one tracer for the process, set once by the composition root
    if not settings.otlp_endpoint:
        return
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint}/v1/traces")))
    trace.set_tracer_provider(provider)
    PymongoInstrumentor().instrument()
    _tracer = trace.get_tracer("jakpreneur")


def shut_down_tracing() -> None:
    """Hand over the last spans."""
    if _tracer is not None:
        from opentelemetry import trace

        provider: Any = trace.get_tracer_provider()
        provider.shutdown()


@contextmanager
def span(name: str, kind: str = "internal", parent: str | None = None, links: tuple[str, ...] = ()) -> Iterator[Any]:
    """A span, current inside the block. `parent` and `links` are traceparent values from HTTP or Kafka headers."""
    if _tracer is None:
        yield None
        return
    from opentelemetry import trace
    from opentelemetry.trace import Link, SpanKind

    context = _context_of(parent) if parent else None
    linked = [Link(trace.get_current_span(_context_of(value)).get_span_context()) for value in links[:128]]
    with _tracer.start_as_current_span(name, context=context, kind=SpanKind[kind.upper()], links=linked) as current:
        yield current


def _context_of(traceparent: str) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent})


def traceparent() -> str | None:
    """The current span as a traceparent value, to travel with an event."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")
