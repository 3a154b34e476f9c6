"""Monitoring, as the SDK sees it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest
from oci.exceptions import ServiceError
from oci.monitoring import MonitoringClient, models


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


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("loss", {}),
        ("loss[1m].mean() > 1", {}),
        ("loss[1d].mean()", {"resolution": "1m"}),
        ("loss[1m].mean()", {"resolution": "1w"}),
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


def test_what_a_run_uses_is_measured(cloud: Any) -> None:
    script = b"""
import pathlib, time
held = bytearray(256 << 20)
pathlib.Path("data.bin").write_bytes(bytes(64 << 20))
begin = time.monotonic()
while time.monotonic() - begin < 3.5:
    pass
"""
    run = cloud.ended(cloud.start(cloud.job(script).id).id)
    assert run.lifecycle_state == "SUCCEEDED"
    client = cloud.client(MonitoringClient)
    found = {
        name: max(
            values(
                summary(
                    cloud,
                    client,
                    f'{name}[1m]{{resourceId = "{run.id}"}}.max()',
                    namespace="oci_datascience_jobrun",
                )[0]
            )
        )
        for name in ("CpuUtilization", "MemoryUtilization", "DiskUtilization")
    }
    # One OCPU has two threads, of which one was busy; 256 MiB of 16 GiB, 64 MiB of 50 GiB.
    assert 10 < found["CpuUtilization"] <= 100
    assert 256 / 16384 * 100 < found["MemoryUtilization"] < 5
    assert found["DiskUtilization"] == pytest.approx(64 / 51200 * 100, rel=0.2)


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
