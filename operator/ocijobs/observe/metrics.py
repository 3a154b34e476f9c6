"""Metrics, for Prometheus.

Counts of objects are computed at the scrape, so that a deleted object leaves nothing behind; no label names an
object, since labels must be few. docs/reference/metrics.md is generated from here.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ocijobs import __version__
from ocijobs.api.job_run_status import RunMetrics

_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)


Labels = tuple[str, str, str]
"""Namespace, backend (empty while it is not known), and how an object stands."""


class ObjectCounts(Collector):
    """Objects by namespace, backend and phase, counted when they are asked for."""

    def __init__(
        self, runs: Callable[[], Iterable[Labels]], jobs: Callable[[], Iterable[Labels]]
    ) -> None:
        self._runs, self._jobs = runs, jobs

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield the counts."""
        yield _counts("ocijobs_runs", "OCIJobRuns by backend and phase.", "phase", self._runs())
        yield _counts(
            "ocijobs_jobs", "OCIJobs by backend and status of Ready.", "ready", self._jobs()
        )


def _counts(name: str, help_text: str, label: str, objects: Iterable[Labels]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=("namespace", "backend", label))
    for labels, count in sorted(Tally(objects).items()):
        family.add_metric(labels, count)
    return family


class Metrics:
    """All metrics of one operator, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.reconciles = Counter(
            "ocijobs_reconcile",
            "Reconciliations by kind and result (ok, conflict, error; held: it failed, and is tried again later).",
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
        self.restless = Counter(
            "ocijobs_reconcile_restless",
            "Pauses given to objects that would have been reconciled without rest: a defect of the operator.",
            ("kind",),
            registry=registry,
        )
        self.internal_errors = Counter(
            "ocijobs_internal_errors",
            "Errors that nobody foresaw, by what failed and the error's class: each has its lines in the log.",
            ("where", "error"),
            registry=registry,
        )
        self.queue_depth = Gauge(
            "ocijobs_queue_depth", "Objects that wait for a worker.", registry=registry
        )
        self.objects_under_way = Gauge(
            "ocijobs_objects_under_way",
            "Objects that are worked on, those among them whose answer from OCI is awaited.",
            registry=registry,
        )
        self.active_workers = Gauge(
            "ocijobs_active_workers", "Workers that are at work on an object.", registry=registry
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
        self.leader = Gauge(
            "ocijobs_leader",
            "Whether this process holds the lease (1) or not (0).",
            registry=registry,
        )
        self.followed = Gauge(
            "ocijobs_followed_runs", "Runs that the shared poll watches.", registry=registry
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
            "Time from a run's acceptance by OCI to the start of its code.",
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
            "Bytes that runs of Data Flow have read, as it counts them.",
            registry=registry,
        )
        self.spark_written_bytes = Counter(
            "ocijobs_spark_written_bytes",
            "Bytes that runs of Data Flow have written, as it counts them.",
            registry=registry,
        )
        self.spark_ocpu_seconds = Counter(
            "ocijobs_spark_ocpu_seconds",
            "OCPUs of ended runs of Data Flow times their duration.",
            registry=registry,
        )
        self.status_lag_seconds = Histogram(
            "ocijobs_status_lag_seconds",
            "Time from a run's end in OCI to its end in status.",
            buckets=_SLOW,
            registry=registry,
        )
        self.released = Counter(
            "ocijobs_released",
            "Objects that were let go although what they own in OCI could not be removed.",
            ("kind",),
            registry=registry,
        )
        build = Gauge(
            "ocijobs_build_info", "The operator's version.", ("version",), registry=registry
        )
        build.labels(__version__).set(1)

    def count_objects(self, counts: ObjectCounts) -> None:
        """Have objects counted at each scrape."""
        self.registry.register(counts)

    def spark_used(self, used: RunMetrics) -> None:
        """Note what an ended run of Data Flow has used."""
        seconds = (used.run_duration_in_milliseconds or 0) / 1000
        self.spark_read_bytes.inc(used.data_read_in_bytes or 0)
        self.spark_written_bytes.inc(used.data_written_in_bytes or 0)
        self.spark_ocpu_seconds.inc((used.total_ocpu or 0) * seconds)

    def oci_call(self, service: str, operation: str, code: int, seconds: float) -> None:
        """Note a call to OCI."""
        self.oci_requests.labels(service, operation, str(code)).inc()
        self.oci_seconds.labels(service, operation).observe(seconds)

    def unforeseen(self, where: str, error: str) -> None:
        """Note an error that nobody foresaw, by its class."""
        self.internal_errors.labels(where, error).inc()

    def kube_request(self, verb: str, resource: str, code: int, seconds: float) -> None:
        """Note a request to the API server."""
        self.kube_requests.labels(verb, resource, str(code)).inc()
        self.kube_seconds.labels(verb, resource).observe(seconds)
