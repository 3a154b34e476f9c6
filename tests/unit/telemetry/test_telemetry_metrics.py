"""Metrics: what there is, of which type, and that nothing is left of what is gone."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ocijobs import __version__
from ocijobs.api.run.observed import RunMetrics
from ocijobs.telemetry.metrics import Metrics, ObjectCounts


def exposed(metrics: Metrics) -> dict[str, tuple[str, dict[tuple[str, ...], float]]]:
    """Return what a scrape sees: family -> its type, and values by sample name and labels."""
    metrics.take_counts()
    text = generate_latest(metrics.registry).decode()
    return {
        family.name: (
            family.type,
            {(s.name, *(s.labels[k] for k in sorted(s.labels))): s.value for s in family.samples},
        )
        for family in text_string_to_metric_families(text)
        if not family.name.endswith("_created")
    }


def test_every_metric_has_its_type() -> None:
    metrics = Metrics()
    metrics.count_objects(
        ObjectCounts(lambda: [("a", "DataFlow", "Running")], lambda: [("a", "DataFlow", "True")])
    )
    assert {name: kind for name, (kind, _) in exposed(metrics).items()} == {
        "ocijobs_runs": "gauge",
        "ocijobs_jobs": "gauge",
        "ocijobs_reconcile": "counter",
        "ocijobs_reconcile_duration_seconds": "histogram",
        "ocijobs_reconcile_hot_loops": "counter",
        "ocijobs_internal_errors": "counter",
        "ocijobs_queue_depth": "gauge",
        "ocijobs_objects_under_way": "gauge",
        "ocijobs_active_workers": "gauge",
        "ocijobs_oci_requests_under_way": "gauge",
        "ocijobs_oci_requests_waiting": "gauge",
        "ocijobs_oci_requests": "counter",
        "ocijobs_oci_request_duration_seconds": "histogram",
        "ocijobs_kube_requests_under_way": "gauge",
        "ocijobs_kube_requests": "counter",
        "ocijobs_kube_request_duration_seconds": "histogram",
        "ocijobs_status_refused": "counter",
        "ocijobs_lease_lost": "counter",
        "ocijobs_loop_busy_seconds": "histogram",
        "ocijobs_loop_step_seconds": "gauge",
        "ocijobs_leader": "gauge",
        "ocijobs_followed_runs": "gauge",
        "ocijobs_poll_duration_seconds": "histogram",
        "ocijobs_run_terminal": "counter",
        "ocijobs_run_start_latency_seconds": "histogram",
        "ocijobs_run_duration_seconds": "histogram",
        "ocijobs_spark_read_bytes": "counter",
        "ocijobs_spark_written_bytes": "counter",
        "ocijobs_spark_ocpu_seconds": "counter",
        "ocijobs_status_lag_seconds": "histogram",
        "ocijobs_orphaned": "counter",
        "ocijobs_build_info": "gauge",
    }


def test_no_label_names_an_object() -> None:
    metrics = Metrics()
    metrics.count_objects(
        ObjectCounts(lambda: [("a", "DataFlow", "Running")], lambda: [("a", "DataFlow", "True")])
    )
    metrics.oci_call("datascience", "GetJob", 200, 0.1)
    metrics.kube_request("PATCH", "ocijobs", 200, 0.1)
    metrics.take_counts()
    text = generate_latest(metrics.registry).decode()
    labels = {
        name
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for name in sample.labels
    }
    assert labels == {
        *("namespace", "backend", "phase", "ready", "service", "operation", "code"),
        *("verb", "resource", "version", "le"),
    }


def test_objects_are_counted_at_each_scrape_and_none_is_left_of_what_is_gone() -> None:
    runs = [
        ("team-a", "DataScience", "Running"),
        ("team-a", "DataScience", "Running"),
        ("team-b", "DataFlow", "Failed"),
    ]
    metrics = Metrics()
    metrics.count_objects(ObjectCounts(lambda: runs, lambda: [("team-a", "DataScience", "True")]))
    assert exposed(metrics)["ocijobs_runs"][1] == {
        ("ocijobs_runs", "DataScience", "team-a", "Running"): 2,
        ("ocijobs_runs", "DataFlow", "team-b", "Failed"): 1,
    }
    runs[:] = [("team-a", "DataScience", "Succeeded")]
    assert exposed(metrics)["ocijobs_runs"][1] == {
        ("ocijobs_runs", "DataScience", "team-a", "Succeeded"): 1
    }
    runs.clear()
    assert exposed(metrics)["ocijobs_runs"][1] == {}
    assert exposed(metrics)["ocijobs_jobs"][1] == {
        ("ocijobs_jobs", "DataScience", "team-a", "True"): 1
    }


def test_what_spark_has_used_adds_up() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.spark_used(
            RunMetrics(
                total_ocpu=3,
                data_read_in_bytes=100,
                data_written_in_bytes=10,
                run_duration_in_milliseconds=2000,
            )
        )
    metrics.spark_used(RunMetrics())
    found = exposed(metrics)
    used = {
        name: found[f"ocijobs_spark_{name}"][1][(f"ocijobs_spark_{name}_total",)]
        for name in ("read_bytes", "written_bytes", "ocpu_seconds")
    }
    assert used == {"read_bytes": 200, "written_bytes": 20, "ocpu_seconds": 12}


def test_calls_are_counted_by_what_came_of_them_and_timed_by_what_they_were() -> None:
    metrics = Metrics()
    metrics.oci_call("datascience", "GetJobRun", 200, 0.02)
    metrics.oci_call("datascience", "GetJobRun", 0, 9)
    metrics.kube_request("PATCH", "ocijobs/status", 409, 0.3)
    seen = exposed(metrics)
    assert seen["ocijobs_oci_requests"][1] == {
        ("ocijobs_oci_requests_total", "200", "GetJobRun", "datascience"): 1,
        ("ocijobs_oci_requests_total", "0", "GetJobRun", "datascience"): 1,
    }
    times = seen["ocijobs_oci_request_duration_seconds"][1]
    name = "ocijobs_oci_request_duration_seconds"
    assert times[f"{name}_count", "GetJobRun", "datascience"] == 2
    assert times[f"{name}_sum", "GetJobRun", "datascience"] == 9.02
    assert times[f"{name}_bucket", "0.025", "GetJobRun", "datascience"] == 1
    assert seen["ocijobs_kube_requests"][1] == {
        ("ocijobs_kube_requests_total", "409", "ocijobs/status", "PATCH"): 1
    }


def test_two_operators_in_one_process_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.orphaned.labels("OCIJob").inc()
    assert exposed(other)["ocijobs_orphaned"][1] == {}
    assert exposed(one)["ocijobs_build_info"][1] == {("ocijobs_build_info", __version__): 1}
