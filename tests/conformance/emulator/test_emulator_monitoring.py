"""Monitoring, as the SDK sees it."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import oci
import pytest
from oci.exceptions import ServiceError
from oci.monitoring import MonitoringClient, models

DISK_PERCENT = 64 / 51200 * 100


@pytest.fixture(scope="module")
def client(cloud: Any) -> Any:
    return cloud.client(MonitoringClient)


def metric(cloud: Any, name: str, /, *values: float, **fields: Any) -> Any:
    """A metric with datapoints of the last minutes, the newest last."""
    now = datetime.now(UTC).replace(second=30, microsecond=0) - timedelta(minutes=1)
    defaults: dict[str, Any] = {
        "namespace": "my_training",
        "compartment_id": cloud.tenancy,
        "name": name,
        "dimensions": {"run": "one"},
        "datapoints": [
            models.Datapoint(timestamp=now - timedelta(minutes=len(values) - 1 - n), value=value)
            for n, value in enumerate(values)
        ],
    }
    return models.MetricDataDetails(**{**defaults, **fields})


def post(client: Any, *metrics: Any, **fields: Any) -> Any:
    return client.post_metric_data(
        models.PostMetricDataDetails(metric_data=list(metrics), **fields)
    ).data


def summary(cloud: Any, client: Any, query: str, **fields: Any) -> list[Any]:
    details = models.SummarizeMetricsDataDetails(
        **{"namespace": "my_training", "query": query, **fields}
    )
    return list(client.summarize_metrics_data(cloud.tenancy, details).data)


def values(data: Any) -> list[float]:
    return [point.value for point in data.aggregated_datapoints]


def test_what_is_posted_is_summarized(cloud: Any, client: Any) -> None:
    assert post(client, metric(cloud, "loss", 4.0, 2.0, 1.0)).failed_metrics_count == 0
    [data] = summary(cloud, client, "loss[1m].mean()")
    assert (data.namespace, data.name, data.dimensions) == ("my_training", "loss", {"run": "one"})
    assert values(data) == [4.0, 2.0, 1.0]
    times = [point.timestamp for point in data.aggregated_datapoints]
    assert {time.second for time in times} == {0}
    assert times == sorted(times)


def test_streams_are_kept_apart_or_grouped(cloud: Any, client: Any) -> None:
    for run, kind, value in (("a", "x", 1.0), ("b", "x", 3.0), ("c", "y", 5.0)):
        post(client, metric(cloud, "score", value, dimensions={"run": run, "kind": kind}))
    assert len(summary(cloud, client, "score[1m].max()")) == 3
    by_kind = summary(cloud, client, "score[1h].groupBy(kind).sum()")
    assert {data.dimensions["kind"]: values(data)[-1] for data in by_kind} == {"x": 4.0, "y": 5.0}
    [everything] = summary(cloud, client, "score[1h].grouping().mean()")
    assert (everything.dimensions, values(everything)) == ({}, [3.0])
    [one] = summary(cloud, client, 'score[1m]{run = "b"}.max()')
    assert values(one) == [3.0]


def test_a_period_begins_with_its_start_and_ends_before_its_end(cloud: Any, client: Any) -> None:
    details = metric(cloud, "period", 1.0, 2.0, 3.0)
    post(client, details)
    times = [point.timestamp for point in details.datapoints]
    [data] = summary(cloud, client, "period[1m].sum()", start_time=times[1], end_time=times[2])
    assert values(data) == [2.0]


def test_no_interval_begins_before_the_one_of_the_start(cloud: Any, client: Any) -> None:
    details = metric(cloud, "overlap", 1.0, 2.0, 3.0)
    post(client, details)
    start = details.datapoints[1].timestamp
    [data] = summary(cloud, client, "overlap[5m].max()", resolution="1m", start_time=start)
    assert data.aggregated_datapoints[0].timestamp == start.replace(second=0)


def test_a_resource_group_is_apart_from_what_has_none(cloud: Any, client: Any) -> None:
    post(client, metric(cloud, "fleet", 1.0), metric(cloud, "fleet", 5.0, resource_group="east"))
    [data] = summary(cloud, client, "fleet[1m].sum()")
    assert (data.resource_group, values(data)) == (None, [1.0])
    [data] = summary(cloud, client, "fleet[1m].sum()", resource_group="east")
    assert (data.resource_group, values(data)) == ("east", [5.0])
    listed = client.list_metrics(cloud.tenancy, models.ListMetricsDetails(name="fleet")).data
    assert [found.resource_group for found in listed] == [None]
    everything = client.list_metrics(cloud.tenancy, models.ListMetricsDetails()).data
    assert "east" in {found.resource_group for found in everything}


def test_the_tenancy_shows_each_compartment_below_it(cloud: Any, client: Any) -> None:
    details = oci.identity.models.CreateCompartmentDetails(
        compartment_id=cloud.tenancy, name="metrics-team", description="of its own"
    )
    team = cloud.identity.create_compartment(details).data.id
    post(client, metric(cloud, "both", 1.0), metric(cloud, "both", 2.0, compartment_id=team))
    assert [values(data) for data in summary(cloud, client, "both[1m].sum()")] == [[1.0]]
    query = models.SummarizeMetricsDataDetails(namespace="my_training", query="both[1m].sum()")
    found = client.summarize_metrics_data(cloud.tenancy, query, compartment_id_in_subtree=True).data
    assert {data.compartment_id: values(data) for data in found} == {
        cloud.tenancy: [1.0],
        team: [2.0],
    }
    with pytest.raises(ServiceError) as caught:
        client.summarize_metrics_data(team, query, compartment_id_in_subtree=True)
    assert caught.value.status == 400


def test_absence_is_told_while_a_metric_is_expected(cloud: Any, client: Any) -> None:
    details = metric(cloud, "heartbeat", 1.0)
    moment = details.datapoints[0].timestamp - timedelta(minutes=5)
    details.datapoints[0].timestamp = moment
    post(client, details)
    end = moment.replace(second=0) + timedelta(minutes=3)
    [data] = summary(cloud, client, "heartbeat[1m].absent()", end_time=end)
    assert values(data) == [0.0, 1.0, 1.0]
    assert summary(cloud, client, "never[1m].absent()") == []


def test_a_result_that_no_number_holds_is_refused(cloud: Any, client: Any) -> None:
    post(client, metric(cloud, "huge", 1e308), metric(cloud, "huge", 1e308))
    with pytest.raises(ServiceError) as caught:
        summary(cloud, client, "huge[1m].sum()")
    assert (caught.value.status, caught.value.code) == (400, "InvalidParameter")
    [data] = summary(cloud, client, "huge[1m].max()")
    assert values(data) == [1e308]


def test_a_large_integer_is_a_value(cloud: Any, client: Any) -> None:
    post(client, metric(cloud, "large", 10**30))
    [data] = summary(cloud, client, "large[1m].max()")
    assert values(data) == [1e30]


def test_metrics_are_listed(cloud: Any, client: Any) -> None:
    for run in ("a", "b"):
        post(client, metric(cloud, "listed", 1.0, dimensions={"run": run}))
    listed = client.list_metrics(
        cloud.tenancy, models.ListMetricsDetails(name="listed", namespace="my_training")
    ).data
    assert {found.dimensions["run"] for found in listed} == {"a", "b"}
    [one] = client.list_metrics(
        cloud.tenancy, models.ListMetricsDetails(name="listed", dimension_filters={"run": "b"})
    ).data
    assert one.dimensions == {"run": "b"}
    [group] = client.list_metrics(
        cloud.tenancy, models.ListMetricsDetails(name="listed", group_by=["namespace", "name"])
    ).data
    assert (group.namespace, group.name, group.dimensions) == ("my_training", "listed", None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"namespace": "oci_mine"}, "namespace"),
        ({"namespace": "Mine"}, "namespace"),
        ({"name": "two words"}, "name"),
        ({"dimensions": {}}, "dimensions"),
        ({"dimensions": {f"d{n}": "x" for n in range(21)}}, "dimensions"),
        ({"dimensions": {"run": ""}}, "dimensions.run"),
        ({"dimensions": {"k" * 257: "x"}}, "dimensions.k"),
        ({"name": "größe"}, "name"),
        ({"resource_group": "9 lives"}, "resourceGroup"),
        ({"metadata": {"unit": "x" * 257}}, "metadata.unit"),
        ({"datapoints": []}, "datapoints"),
        (
            {"datapoints": [models.Datapoint(timestamp=datetime(2020, 1, 1, tzinfo=UTC), value=1)]},
            "datapoints",
        ),
    ],
)
def test_what_can_not_be_taken_is_told(
    cloud: Any, client: Any, fields: dict[str, Any], message: str
) -> None:
    bad = metric(cloud, "partly", 1.0, **fields)
    good = metric(cloud, "partly", 1.0, dimensions={"case": message})
    answer = post(client, good, bad)
    assert answer.failed_metrics_count == 1
    assert answer.failed_metrics[0].message.startswith(f"metricData[1].{message}")
    with pytest.raises(ServiceError) as caught:
        post(client, good, bad, batch_atomicity="ATOMIC")
    assert (caught.value.status, caught.value.code) == (400, "InvalidParameter")
    with pytest.raises(ServiceError) as caught:
        post(client, bad)
    assert (caught.value.status, caught.value.code) == (400, "InvalidParameter")


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("loss", {}),
        ("loss[1m].mean() > 1", {}),
        ("loss[1d].mean()", {"resolution": "1m"}),
        ("loss[1m].mean()", {"resolution": "1w"}),
        ("loss[1m].mean()", {"resolution": "5m"}),
        (
            "loss[1m].mean()",
            {
                "start_time": datetime(2026, 1, 2, tzinfo=UTC),
                "end_time": datetime(2026, 1, 1, tzinfo=UTC),
            },
        ),
    ],
)
def test_a_query_that_is_none_is_refused(
    cloud: Any, client: Any, query: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(ServiceError) as caught:
        summary(cloud, client, query, **fields)
    assert (caught.value.status, caught.value.code) == (400, "InvalidParameter")


def test_lists_take_patterns_and_groups_take_no_dimensions(cloud: Any, client: Any) -> None:
    for name in ("disk.read", "disk.written"):
        post(client, metric(cloud, name, 1.0, dimensions={"run": f"of-{name}"}))

    def listed(**fields: Any) -> list[str]:
        found = client.list_metrics(cloud.tenancy, models.ListMetricsDetails(**fields)).data
        return sorted(each.name for each in found)

    assert listed(name="disk*") == ["disk.read", "disk.written"]
    assert listed(dimension_filters={"run": "of-*written"}) == ["disk.written"]
    ignored = {"run": "none"}
    assert listed(name="disk*", group_by=["name"], dimension_filters=ignored) == [
        "disk.read",
        "disk.written",
    ]
    with pytest.raises(ServiceError) as caught:
        listed(group_by=["compartmentId"])
    assert caught.value.status == 400


INGESTION = """
import sys, datetime, oci
from oci.monitoring import models
config = oci.config.from_file()
point = models.Datapoint(timestamp=datetime.datetime.now(datetime.timezone.utc), value=1.0)
details = models.PostMetricDataDetails(metric_data=[models.MetricDataDetails(
    namespace="by_host", compartment_id=config["tenancy"], name="m", dimensions={"a": "b"},
    datapoints=[point])])
reading = oci.monitoring.MonitoringClient(config)
ingestion = reading.base_client.endpoint.replace("telemetry", "telemetry-ingestion")
writing = oci.monitoring.MonitoringClient(config, service_endpoint=ingestion)
writing.post_metric_data(details)
query = models.SummarizeMetricsDataDetails(namespace="by_host", query="m[1m].count()")
now = datetime.datetime.now(datetime.timezone.utc)
query.end_time = now + datetime.timedelta(minutes=1)
[data] = reading.summarize_metrics_data(config["tenancy"], query).data
for wrong in (lambda: reading.post_metric_data(details),
              lambda: writing.summarize_metrics_data(config["tenancy"], query)):
    try:
        wrong()
    except oci.exceptions.ServiceError as error:
        print(error.status)
"""


def test_datapoints_are_posted_to_a_host_of_their_own(cloud: Any) -> None:
    base = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INGESTION],
        env=cloud.emulator.environment(base),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["404", "404"]


def test_what_a_run_uses_is_measured(cloud: Any) -> None:
    script = b"""
import pathlib, time
begin = time.monotonic()
held = bytearray(256 << 20)
pathlib.Path("data.bin").write_bytes(bytes(64 << 20))
while not pathlib.Path("go").exists():
    pass
share = time.process_time() / (time.monotonic() - begin)
pathlib.Path("share").write_text(str(share))
"""
    run = cloud.start(cloud.job(script).id)
    client = cloud.client(MonitoringClient)

    def measured(name: str) -> Any:
        details = models.SummarizeMetricsDataDetails(
            namespace="oci_datascience_jobrun",
            query=f'{name}[1m]{{resourceId = "{run.id}"}}.max()',
        )
        return client.summarize_metrics_data(cloud.tenancy, details)

    def all_there(response: Any) -> bool:
        return any(value > DISK_PERCENT / 2 for data in response.data for value in values(data))

    oci.wait_until(
        client,
        measured("DiskUtilization"),
        evaluate_response=all_there,
        fetch_func=lambda response: measured("DiskUtilization"),  # noqa: ARG005  # the SDK's names
        max_interval_seconds=0.1,
        max_wait_seconds=60,
    )
    home = Path(cloud.emulator.run(run.id)["directory"]) / "home"
    (home / "go").touch()
    assert cloud.ended(run.id).lifecycle_state == "SUCCEEDED"
    found = {
        name: max(values(measured(name).data[0]))
        for name in ("CpuUtilization", "MemoryUtilization", "DiskUtilization")
    }
    # One OCPU has two threads, of which one was busy as far as this machine let it; 256 MiB of
    # 16 GiB, 64 MiB of 50 GiB.
    busy = float((home / "share").read_text()) / 2 * 100
    assert busy / 4 < found["CpuUtilization"] <= 100
    assert 256 / 16384 * 100 < found["MemoryUtilization"] < 5
    assert found["DiskUtilization"] == pytest.approx(DISK_PERCENT, rel=0.2)


def test_reading_and_writing_need_their_policies(own: Callable[..., Any]) -> None:
    cloud = own()
    user = cloud.emulator.add_user()
    config = oci.config.from_file(str(user.config))
    client = MonitoringClient(config, service_endpoint=cloud.emulator.http)
    # Data scientists may read metrics, by the documented statements, and not write them.
    assert summary(cloud, client, "loss[1m].mean()") == []
    with pytest.raises(ServiceError) as caught:
        post(client, metric(cloud, "loss", 1.0))
    assert (caught.value.status, caught.value.code) == (404, "NotAuthorizedOrNotFound")


def test_the_stamp_of_an_interval_is_a_rule(own: Callable[..., Any]) -> None:
    cloud = own(rules={"metric_timestamp": "end"})
    client = cloud.client(MonitoringClient)
    details = metric(cloud, "loss", 1.0)
    post(client, details)
    [data] = summary(cloud, client, "loss[1m].mean()")
    expected = details.datapoints[0].timestamp.replace(second=0) + timedelta(minutes=1)
    assert data.aggregated_datapoints[0].timestamp == expected


def test_a_policy_can_be_about_one_namespace(own: Callable[..., Any]) -> None:
    cloud = own()
    user = cloud.emulator.add_user()
    only = "in tenancy where target.metrics.namespace = 'my_training'"
    cloud.emulator.set_policies(
        [
            "Allow group Administrators to manage all-resources in tenancy",
            f"Allow group data-scientists to use metrics {only}",
        ]
    )
    config = oci.config.from_file(str(user.config))
    client = MonitoringClient(config, service_endpoint=cloud.emulator.http)
    post(client, metric(cloud, "loss", 1.0))
    assert len(summary(cloud, client, "loss[1m].mean()")) == 1
    for refused in (
        lambda: post(client, metric(cloud, "loss", 1.0, namespace="another")),
        lambda: summary(cloud, client, "loss[1m].mean()", namespace="another"),
    ):
        with pytest.raises(ServiceError) as caught:
            refused()
        assert (caught.value.status, caught.value.code) == (404, "NotAuthorizedOrNotFound")


def test_datapoints_go_after_90_days_of_the_emulator(own: Callable[..., Any]) -> None:
    cloud = own()
    client = cloud.client(MonitoringClient)
    post(client, metric(cloud, "old", 1.0))
    day = timedelta(days=1)
    period = {"start_time": datetime.now(UTC) - day, "end_time": datetime.now(UTC) + day}
    assert len(summary(cloud, client, "old[1m].mean()", **period)) == 1
    cloud.emulator.advance(91 * 86400)
    cloud.emulator.restart()
    client = cloud.client(MonitoringClient)
    post(client, metric(cloud, "new", 1.0))
    assert summary(cloud, client, "old[1m].mean()", **period) == []
    assert len(summary(cloud, client, "new[1m].mean()", **period)) == 1
