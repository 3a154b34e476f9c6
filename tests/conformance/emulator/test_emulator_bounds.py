"""Rules that are numbers: what a bound allows, what it refuses, and that it is the rule's own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest
from oci.data_science import models
from oci.exceptions import ServiceError


def job(cloud: Any, **fields: Any) -> None:
    cloud.job(None, **fields)


def with_storage(cloud: Any, gigabytes: int) -> None:
    details = cloud.job_details()
    details.job_infrastructure_configuration_details.block_storage_size_in_gbs = gigabytes
    cloud.data_science.create_job(details)


def with_mounts(cloud: Any, number: int) -> None:
    mounts = [
        models.ObjectStorageMountConfigurationDetails(
            destination_directory_name=f"data{index}",
            bucket="bucket",
            namespace=cloud.emulator.namespace,
        )
        for index in range(number)
    ]
    job(cloud, job_storage_mount_configuration_details_list=mounts)


def with_command(cloud: Any, size: int) -> None:
    environment = models.OcirContainerJobEnvironmentConfigurationDetails(
        image="iad.ocir.io/mytenancy/image:1", cmd=["x" * size]
    )
    job(cloud, job_environment_configuration_details=environment)


def with_token(cloud: Any, size: int) -> None:
    cloud.data_science.create_job(cloud.job_details(), opc_retry_token="x" * size)


def search(cloud: Any, days: int) -> None:
    now = datetime.now(UTC)
    cloud.search(f'search "{cloud.tenancy}"', time_start=now - timedelta(days=days), time_end=now)


def put_object(cloud: Any, size: int) -> None:
    storage, namespace = cloud.object_storage, cloud.emulator.namespace
    if not storage.list_buckets(namespace, cloud.tenancy).data:
        details = oci.object_storage.models.CreateBucketDetails(
            name="bucket", compartment_id=cloud.tenancy
        )
        storage.create_bucket(namespace, details)
    storage.put_object(namespace, "bucket", "object", b"x" * size)


def post(cloud: Any, *, metrics: int = 1, dimensions: int = 1, minutes: int = 0) -> None:
    """Post metrics of so many dimensions, with a datapoint so many minutes from now."""
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    posted = [
        oci.monitoring.models.MetricDataDetails(
            namespace="mine",
            compartment_id=cloud.tenancy,
            name=f"metric{index}",
            dimensions={f"dimension{number}": "x" for number in range(dimensions)},
            datapoints=[oci.monitoring.models.Datapoint(timestamp=moment, value=1.0)],
        )
        for index in range(metrics)
    ]
    cloud.client(oci.monitoring.MonitoringClient).post_metric_data(
        oci.monitoring.models.PostMetricDataDetails(metric_data=posted, batch_atomicity="ATOMIC")
    )


@dataclass(frozen=True)
class Bound:
    """A rule with a value, what that just allows, and what only the rule's default allows."""

    rule: str
    value: int
    act: Callable[..., None]
    allowed: Any
    refused: Any
    status: int = 400

    def __str__(self) -> str:
        return self.rule


def keyword(act: Callable[..., None], name: str) -> Callable[[Any, Any], None]:
    return lambda cloud, value: act(cloud, **{name: value})


BOUNDS = [
    Bound("maximum_body_bytes", 1000, keyword(job, "environment"), {}, {"A": "x" * 1000}, 413),
    Bound("retry_token_maximum_length", 5, with_token, 5, 6),
    Bound("block_storage_minimum_gb", 60, with_storage, 60, 59),
    Bound("block_storage_maximum_gb", 60, with_storage, 60, 61),
    Bound("maximum_runtime_minutes", 10, keyword(job, "minutes"), 10, 11),
    Bound(
        "environment_maximum_characters",
        10,
        keyword(job, "environment"),
        {"NAME": "12", "B": "345"},
        {"NAME": "12", "B": "3456"},
    ),
    Bound("arguments_maximum_characters", 5, keyword(job, "arguments"), "1 2 3", "1 2 34"),
    Bound("storage_mounts_maximum", 1, with_mounts, 1, 2),
    Bound("container_command_maximum_bytes", 10, with_command, 9, 10),
    Bound("search_window_days", 2, search, 2, 3),
    Bound("object_maximum_bytes", 5, put_object, 5, 6, 413),
    Bound("metric_streams_maximum", 2, keyword(post, "metrics"), 2, 3),
    Bound("metric_dimensions_maximum", 2, keyword(post, "dimensions"), 2, 3),
    Bound("metric_oldest_minutes", 60, keyword(post, "minutes"), -58, -62),
    Bound("metric_newest_minutes", 5, keyword(post, "minutes"), 3, 7),
]


@pytest.mark.parametrize("bound", BOUNDS, ids=str)
def test_a_bound_is_where_its_rule_says(own: Callable[..., Any], bound: Bound) -> None:
    cloud = own(mode="simulated")
    bound.act(cloud, bound.refused)
    cloud.emulator.set_rules(**{bound.rule: bound.value})
    bound.act(cloud, bound.allowed)
    with pytest.raises(ServiceError) as caught:
        bound.act(cloud, bound.refused)
    assert caught.value.status == bound.status
    assert str(bound.value) in caught.value.message


@pytest.mark.parametrize("hours", [1, 24])
def test_a_retry_token_is_remembered_for_hours(own: Callable[..., Any], hours: int) -> None:
    cloud = own(mode="simulated", rules={"retry_token_hours": hours})
    cloud.emulator.set_rate(0)

    def create() -> str:
        details = cloud.job_details()
        return str(cloud.data_science.create_job(details, opc_retry_token="token").data.id)

    first = create()
    cloud.emulator.advance(hours * 3600 - 1)
    assert create() == first
    cloud.emulator.advance(2)
    assert create() != first


@pytest.mark.parametrize("seconds", [60, 3600])
def test_what_is_deleted_can_be_read_for_seconds(own: Callable[..., Any], seconds: int) -> None:
    cloud = own(mode="simulated", rules={"deleted_visible_seconds": seconds})
    client, emulator = cloud.data_science, cloud.emulator
    run = cloud.ended(cloud.start(cloud.job().id).id)
    emulator.set_rate(0)
    client.delete_job_run(run.id)
    emulator.advance(seconds - 1)
    assert client.get_job_run(run.id).data.lifecycle_state == "DELETED"
    emulator.advance(1)
    with pytest.raises(ServiceError) as caught:
        client.get_job_run(run.id)
    assert caught.value.status == 404


@pytest.mark.parametrize(("characters", "entries"), [(4, ["abcd", "ef"]), (10000, ["abcdef"])])
def test_a_line_of_output_has_characters_at_most(
    own: Callable[..., Any], characters: int, entries: list[str]
) -> None:
    cloud = own(rules={"log_line_maximum_characters": characters})
    job = cloud.job(
        b"print('abcdef')", job_log_configuration_details=cloud.auto_log(cloud.log_group())
    )
    run = cloud.ended(cloud.start(job.id).id)
    assert cloud.lines(run) == entries
