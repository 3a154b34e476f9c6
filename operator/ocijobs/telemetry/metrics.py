"""Metrics, for Prometheus.

Counts of objects are computed for each scrape, so that a deleted object leaves nothing behind. The only objects that a
label names are OCIIdentities, since labels must have few values. docs/reference/metrics.md is generated from here.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ocijobs import __version__
from ocijobs.api.run.observed import RunMetrics

_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)


Labels = tuple[str, str, str]
"""Namespace, backend (empty while it is not known), and state."""


class Taken(Collector):
    """Counts that are taken in the loop that changes the objects, while scrapes come in another thread."""

    def __init__(self, look: Callable[[], Iterable[GaugeMetricFamily]]) -> None:
        self._look = look
        self._taken: tuple[GaugeMetricFamily, ...] = ()

    def take(self) -> None:
        """Count the objects. To be called in the loop."""
        self._taken = tuple(self._look())

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the counts that were taken last."""
        return self._taken


class ObjectCounts(Taken):
    """Objects by namespace, backend and phase."""

    def __init__(
        self, runs: Callable[[], Iterable[Labels]], jobs: Callable[[], Iterable[Labels]]
    ) -> None:
        def counted() -> Iterable[GaugeMetricFamily]:
            yield _counts("ocijobs_runs", "OCIJobRuns by backend and phase.", "phase", runs())
            yield _counts(
                "ocijobs_jobs",
                "OCIJobs by backend and by the status of their condition Ready.",
                "ready",
                jobs(),
            )

        super().__init__(counted)


class Silence(Collector):
    """Seconds since each watch was last answered, computed at each scrape."""

    def __init__(self, seconds: Callable[[], Mapping[str, float]]) -> None:
        self._seconds = seconds

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield the metric, with a value for each resource."""
        family = GaugeMetricFamily(
            "ocijobs_watch_silent_seconds",
            "Time since the API server last answered the watch of a resource, a bookmark included.",
            labels=("resource",),
        )
        for resource, seconds in sorted(self._seconds().items()):
            family.add_metric((resource,), seconds)
        yield family


def _counts(name: str, help_text: str, label: str, objects: Iterable[Labels]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=("namespace", "backend", label))
    for labels, count in sorted(Tally(objects).items()):
        family.add_metric(labels, count)
    return family


class IdentityState(NamedTuple):
    """State of an OCIIdentity. `verified_at`: when OCI last accepted its key here, in seconds since the epoch."""

    namespace: str
    name: str
    ready: bool
    verified_at: float | None


class IdentityStates(Taken):
    """Each identity by itself, since there are few, and orphans."""

    def __init__(
        self,
        identities: Callable[[], Iterable[IdentityState]],
        orphans: Callable[[], Iterable[str]],
    ) -> None:
        super().__init__(lambda: (*_identities(identities()), _orphans(orphans())))


def _identities(states: Iterable[IdentityState]) -> Iterable[GaugeMetricFamily]:
    labels = ("namespace", "name")
    ready = GaugeMetricFamily(
        "ocijobs_identity_ready", "Whether an OCIIdentity is Ready (1) or not (0).", labels=labels
    )
    verified = GaugeMetricFamily(
        "ocijobs_identity_last_verified_timestamp_seconds",
        "When OCI last accepted the credentials of an OCIIdentity in answer to this process.",
        labels=labels,
    )
    for state in sorted(states):
        ready.add_metric(state[:2], float(state.ready))
        if state.verified_at is not None:
            verified.add_metric(state[:2], state.verified_at)
    return ready, verified


def _orphans(namespaces: Iterable[str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "ocijobs_orphans",
        "Objects that were let go and have left something in OCI, from the leader's list.",
        labels=("namespace",),
    )
    for namespace, count in sorted(Tally(namespaces).items()):
        family.add_metric((namespace,), count)
    return family


class Metrics:
    """All metrics of one operator, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._counts: tuple[Taken, ...] = ()
        self.reconciles = Counter(
            "ocijobs_reconcile",
            "Reconciliations by kind and result: ok, conflict, error, or backoff (skipped, since the next try after a"
            " failure is not due).",
            ("kind", "result"),
            registry=registry,
        )
        self.reconcile_seconds = Histogram(
            "ocijobs_reconcile_duration_seconds",
            "Time of a reconciliation, calls included.",
            ("kind",),
            buckets=_FAST,
            registry=registry,
        )
        self.hot_loops = Counter(
            "ocijobs_reconcile_hot_loops",
            "Decisions that asked to be made again at once, and got a pause. Each is a defect of the operator.",
            ("kind",),
            registry=registry,
        )
        self.internal_errors = Counter(
            "ocijobs_internal_errors",
            "Unexpected errors, by what failed and by the class of the error. The log has each of them.",
            ("where", "error"),
            registry=registry,
        )
        self.queue_depth = Gauge(
            "ocijobs_queue_depth", "Objects that wait for a worker.", registry=registry
        )
        self.objects_under_way = Gauge(
            "ocijobs_objects_under_way",
            "Objects that are being reconciled, including those that wait for an answer of OCI.",
            registry=registry,
        )
        self.active_workers = Gauge(
            "ocijobs_active_workers", "Workers that are reconciling an object.", registry=registry
        )
        self.oci_under_way = Gauge(
            "ocijobs_oci_requests_under_way",
            "Calls to OCI that are under way.",
            registry=registry,
        )
        self.oci_waiting = Gauge(
            "ocijobs_oci_requests_waiting",
            "Objects and calls that wait for their turn to call OCI, or to repeat a call.",
            registry=registry,
        )
        self.oci_requests = Counter(
            "ocijobs_oci_requests",
            "Calls to OCI by service, operation and HTTP status (0: no answer).",
            ("service", "operation", "code"),
            registry=registry,
        )
        self.oci_seconds = Histogram(
            "ocijobs_oci_request_duration_seconds",
            "Time of calls to OCI.",
            ("service", "operation"),
            buckets=_FAST,
            registry=registry,
        )
        self.kube_under_way = Gauge(
            "ocijobs_kube_requests_under_way",
            "Requests to the API server that are under way.",
            registry=registry,
        )
        self.kube_requests = Counter(
            "ocijobs_kube_requests",
            "Requests to the API server by verb, resource and HTTP status (0: no answer).",
            ("verb", "resource", "code"),
            registry=registry,
        )
        self.kube_seconds = Histogram(
            "ocijobs_kube_request_duration_seconds",
            "Time of requests to the API server.",
            ("verb", "resource"),
            buckets=_FAST,
            registry=registry,
        )
        self.loop_busy_seconds = Histogram(
            "ocijobs_loop_busy_seconds",
            "Steps of the main loop that took over 0.1 s. Everything else waits meanwhile; the log has the stack.",
            buckets=(*_FAST[5:], 30, 60),
            registry=registry,
        )
        self.loop_step_seconds = Gauge(
            "ocijobs_loop_step_seconds",
            "How long the main loop has been in its present step; 0 while it sleeps.",
            registry=registry,
        )
        self.terms_lost = Counter(
            "ocijobs_lease_lost",
            "How often this process was the leader, lost the lease, and started again as a standby.",
            registry=registry,
        )
        self.leader = Gauge(
            "ocijobs_leader",
            "Whether this process holds the lease (1) or not (0).",
            registry=registry,
        )
        self.followed = Gauge(
            "ocijobs_followed_runs", "Runs that the shared poll follows.", registry=registry
        )
        self.poll_seconds = Histogram(
            "ocijobs_poll_duration_seconds",
            "Time of one shared poll of one compartment.",
            buckets=_FAST,
            registry=registry,
        )
        self.runs_ended = Counter(
            "ocijobs_run_terminal",
            "Runs that have ended, by backend, phase and reason.",
            ("backend", "phase", "reason"),
            registry=registry,
        )
        self.start_seconds = Histogram(
            "ocijobs_run_start_latency_seconds",
            "Time from OCI's acceptance of a run to the start of its code.",
            ("backend",),
            buckets=_SLOW,
            registry=registry,
        )
        self.run_seconds = Histogram(
            "ocijobs_run_duration_seconds",
            "Time from the start of a run's code to its end.",
            ("backend",),
            buckets=_SLOW,
            registry=registry,
        )
        self.spark_read_bytes = Counter(
            "ocijobs_spark_read_bytes",
            "Bytes that runs of Data Flow have read, by the service's count.",
            registry=registry,
        )
        self.spark_written_bytes = Counter(
            "ocijobs_spark_written_bytes",
            "Bytes that runs of Data Flow have written, by the service's count.",
            registry=registry,
        )
        self.spark_ocpu_seconds = Counter(
            "ocijobs_spark_ocpu_seconds",
            "OCPUs of ended runs of Data Flow, multiplied by their duration.",
            registry=registry,
        )
        self.status_lag_seconds = Histogram(
            "ocijobs_status_lag_seconds",
            "Time from a run's end in OCI until its status says so.",
            buckets=_SLOW,
            registry=registry,
        )
        self.orphaned = Counter(
            "ocijobs_orphaned",
            "Objects that were let go although what they own in OCI could not be removed.",
            ("kind",),
            registry=registry,
        )
        self.status_refused = Counter(
            "ocijobs_status_refused",
            "Statuses that the API server refused, by the code of its answer.",
            ("kind", "code"),
            registry=registry,
        )
        build = Gauge(
            "ocijobs_build_info", "The operator's version.", ("version",), registry=registry
        )
        build.labels(__version__).set(1)

    def count_objects(self, *counts: Taken) -> None:
        """Expose the counts of a term's objects, instead of those of the former term."""
        for former in self._counts:
            self.registry.unregister(former)
        self._counts = counts
        for each in counts:
            self.registry.register(each)

    def take_counts(self) -> None:
        """Count the objects, in the loop that changes them."""
        for each in self._counts:
            each.take()

    def count_silence(self, seconds: Callable[[], Mapping[str, float]]) -> None:
        """Expose the silence of each watch, in seconds; `seconds` is called at each scrape."""
        self.registry.register(Silence(seconds))

    def spark_used(self, used: RunMetrics) -> None:
        """Count what an ended run of Data Flow has used."""
        seconds = (used.run_duration_in_milliseconds or 0) / 1000
        self.spark_read_bytes.inc(used.data_read_in_bytes or 0)
        self.spark_written_bytes.inc(used.data_written_in_bytes or 0)
        self.spark_ocpu_seconds.inc((used.total_ocpu or 0) * seconds)

    def oci_call(self, service: str, operation: str, code: int, seconds: float) -> None:
        """Count a call to OCI."""
        self.oci_requests.labels(service, operation, str(code)).inc()
        self.oci_seconds.labels(service, operation).observe(seconds)

    def unforeseen(self, where: str, error: str) -> None:
        """Count an unexpected error by its class."""
        self.internal_errors.labels(where, error).inc()

    def kube_request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Count a request to the API server."""
        self.kube_requests.labels(verb, resource, str(code)).inc()
        self.kube_seconds.labels(verb, resource).observe(seconds)
