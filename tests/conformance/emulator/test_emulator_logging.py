"""Logging and its search, as the SDK sees them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import oci
import pytest
from oci.exceptions import ServiceError
from oci.logging import models


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.status, caught.value.code


def group_details(cloud: Any, name: str, **fields: Any) -> Any:
    return models.CreateLogGroupDetails(compartment_id=cloud.tenancy, display_name=name, **fields)


def test_a_log_group_is_made_by_a_work_request(cloud: Any) -> None:
    response = cloud.logging.create_log_group(group_details(cloud, "made_by_request"))
    assert response.data is None
    identifier = cloud.worked(response)
    group = cloud.logging.get_log_group(identifier).data
    assert (group.display_name, group.compartment_id) == ("made_by_request", cloud.tenancy)
    request = cloud.logging.get_work_request(response.headers["opc-work-request-id"]).data
    assert request.operation_type == "CREATE_LOG_GROUP"
    assert request.resources[0].action_type == "CREATED"
    logs = cloud.logging.list_work_request_logs(request.id).data
    assert [entry.message for entry in logs] == [
        "CREATE_LOG_GROUP accepted.",
        "CREATE_LOG_GROUP in_progress.",
        "CREATE_LOG_GROUP succeeded.",
    ]
    assert request.id in {
        found.id for found in cloud.logging.list_work_requests(cloud.tenancy, limit=100).data
    }


def test_a_name_is_unique_and_plain(cloud: Any) -> None:
    cloud.worked(cloud.logging.create_log_group(group_details(cloud, "unique")))
    create = cloud.logging.create_log_group
    assert refusal(lambda: create(group_details(cloud, "unique"))) == (409, "Conflict")
    assert refusal(lambda: create(group_details(cloud, "two words"))) == (400, "InvalidParameter")


def test_a_name_that_was_taken_meanwhile_fails_the_work_request(own: Callable[..., Any]) -> None:
    cloud = own()
    cloud.emulator.set_rate(0)
    first, second = (cloud.logging.create_log_group(group_details(cloud, "race")) for _ in "ab")
    cloud.emulator.set_rate(1)
    cloud.worked(first)
    identifier = second.headers["opc-work-request-id"]
    request = oci.wait_until(
        cloud.logging, cloud.logging.get_work_request(identifier), "status", "FAILED"
    ).data
    [error] = cloud.logging.list_work_request_errors(request.id).data
    assert error.code == "Conflict"


def test_logs_live_in_their_group(cloud: Any) -> None:
    client = cloud.logging
    group = cloud.log_group()
    details = models.CreateLogDetails(
        display_name="a_log", log_type="CUSTOM", retention_duration=60, freeform_tags={"a": "b"}
    )
    log = cloud.worked(client.create_log(group, details))
    got = client.get_log(group, log).data
    assert (got.display_name, got.retention_duration, got.is_enabled) == ("a_log", 60, True)
    assert got.tenancy_id == cloud.tenancy
    assert [found.id for found in client.list_logs(group).data] == [log]
    assert client.list_logs(group, log_type="SERVICE").data == []
    assert refusal(lambda: client.delete_log_group(group)) == (409, "Conflict")
    update = models.UpdateLogDetails(display_name="renamed", is_enabled=False)
    etag = client.get_log(group, log).headers["etag"]
    cloud.worked(client.update_log(group, log, update, if_match=etag))
    assert client.get_log(group, log).data.display_name == "renamed"
    assert refusal(lambda: client.update_log(group, log, update, if_match=etag)) == (
        412,
        "NoEtagMatch",
    )
    cloud.worked(client.delete_log(group, log))
    assert refusal(lambda: client.get_log(group, log)) == (404, "NotAuthorizedOrNotFound")
    cloud.worked(client.delete_log_group(group))
    assert refusal(lambda: client.get_log_group(group)) == (404, "NotAuthorizedOrNotFound")


def test_groups_and_logs_move(cloud: Any) -> None:
    client = cloud.logging
    compartment = "ocid1.compartment.oc1..logs"
    cloud.emulator.add_compartment(compartment)
    source, target = cloud.log_group(), cloud.log_group()
    details = models.CreateLogDetails(display_name="l", log_type="CUSTOM")
    log = cloud.worked(client.create_log(source, details))
    moved = models.ChangeLogLogGroupDetails(target_log_group_id=target)
    cloud.worked(client.change_log_log_group(source, log, moved))
    assert [found.id for found in client.list_logs(target).data] == [log]
    elsewhere = models.ChangeLogGroupCompartmentDetails(compartment_id=compartment)
    cloud.worked(client.change_log_group_compartment(target, elsewhere))
    assert [found.id for found in client.list_log_groups(compartment).data] == [target]
    assert client.get_log(target, log).data.compartment_id == compartment
    subtree = client.list_log_groups(
        cloud.tenancy, is_compartment_id_in_subtree=True, limit=100
    ).data
    assert {source, target} <= {found.id for found in subtree}


@pytest.fixture(scope="module")
def chatter(tmp_path_factory: pytest.TempPathFactory, cloud: Any) -> Any:
    """A cloud with the logs of two simulated runs, and the runs."""
    group = cloud.log_group()
    log = cloud.worked(
        cloud.logging.create_log(
            group, models.CreateLogDetails(display_name="shared", log_type="CUSTOM")
        )
    )
    configured = oci.data_science.models.JobLogConfigurationDetails(
        enable_logging=True, log_group_id=group, log_id=log
    )
    job = cloud.job(
        b"import os\nfor n in range(5): print(os.environ['NAME'], 'line', n)",
        job_log_configuration_details=configured,
    )
    runs = []
    for name in ("first", "second"):
        override = oci.data_science.models.DefaultJobConfigurationDetails(
            environment_variables={"NAME": name}
        )
        run = cloud.start(job.id, job_configuration_override_details=override)
        runs.append(cloud.ended(run.id))
    return f"{cloud.tenancy}/{group}/{log}", runs


def texts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["logContent"]["data"]["message"] for row in rows]


def test_a_search_finds_the_lines_of_one_run(cloud: Any, chatter: Any) -> None:
    stream, (first, _) = chatter
    rows = cloud.search(f"search \"{stream}\" | where source = '*{first.id}' | sort by datetime")
    assert texts(rows) == [f"first line {n}" for n in range(5)]
    content = rows[0]["logContent"]
    assert content["source"] == first.id
    assert content["oracle"]["logid"] == first.log_details.log_id
    assert len({row["logContent"]["id"] for row in rows}) == 5
    assert abs(rows[0]["datetime"] / 1000 - datetime.now(UTC).timestamp()) < 3600


def test_a_search_covers_logs_groups_and_compartments(cloud: Any, chatter: Any) -> None:
    stream, (first, second) = chatter
    compartment, group, _ = stream.split("/")
    sources = f"source = '*{first.id}' or source = '*{second.id}'"
    for where in (f'"{stream}"', f'"{compartment}/{group}"', f'"{compartment}"'):
        assert cloud.search(f"search {where} | where {sources} | count") == [{"count": 10}]
    group_name = cloud.logging.get_log_group(group).data.display_name
    assert cloud.search(f'search "{compartment}/{group_name}/shared" | count') == [{"count": 10}]


def test_a_search_is_answered_page_by_page(cloud: Any, chatter: Any) -> None:
    stream, _ = chatter
    now = datetime.now(UTC)
    details = oci.loggingsearch.models.SearchLogsDetails(
        time_start=now - timedelta(hours=1),
        time_end=now + timedelta(minutes=1),
        search_query=f'search "{stream}" | sort by datetime',
    )
    found: list[str] = []
    options: dict[str, Any] = {}
    while True:
        response = cloud.log_search.search_logs(details, limit=4, **options)
        found += texts([result.data for result in response.data.results])
        if "opc-next-page" not in response.headers:
            break
        options["page"] = response.headers["opc-next-page"]
    assert len(found) == 10
    assert len(set(found)) == 10


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('search "{stream}" | where', "a field's name must follow, not 'the end'"),
        ('search "{stream}" | dance', "'dance' is no operator"),
        (
            "search \"{stream}\" | where source = '{run}'",
            "source can't be compared with an OCID, only with '*<ocid>'",
        ),
    ],
)
def test_queries_that_are_none_are_400(cloud: Any, chatter: Any, query: str, message: str) -> None:
    stream, (first, _) = chatter
    with pytest.raises(ServiceError) as caught:
        cloud.search(query.format(stream=stream, run=first.id))
    assert caught.value.status == 400
    assert "searchQuery: position" in caught.value.message
    assert message in caught.value.message


def test_a_search_has_its_limits(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated")
    now = datetime.now(UTC)
    query = f'search "{cloud.tenancy}"'
    assert cloud.search(query, time_start=now - timedelta(days=14), time_end=now) == []
    with pytest.raises(ServiceError, match="at most 14 days"):
        cloud.search(query, time_start=now - timedelta(days=15), time_end=now)
    with pytest.raises(ServiceError, match="must not be after timeEnd"):
        cloud.search(query, time_start=now, time_end=now - timedelta(days=1))
    unknown = f'search "{cloud.tenancy}/ocid1.loggroup.oc1.iad.none"'
    assert refusal(lambda: cloud.search(unknown)) == (404, "NotAuthorizedOrNotFound")
    job = cloud.job(job_log_configuration_details=cloud.auto_log(cloud.log_group()))
    cloud.emulator.set_mode(default={"output": ["a", "b", "c"]})
    run = cloud.ended(cloud.start(job.id).id)
    assert cloud.lines(run) == ["a", "b", "c"]
    cloud.emulator.set_rules(search_maximum_entries=2, search_exact_source="accept")
    with pytest.raises(ServiceError, match="search result is too large"):
        cloud.lines(run)
    exact = f"search \"{cloud.tenancy}\" | where source = '{run.id}' and data.message = 'a'"
    cloud.emulator.set_rules(search_maximum_entries=3)
    assert len(cloud.search(exact)) == 1


def test_entries_come_late_and_out_of_order_in_the_realistic_profile(
    own: Callable[..., Any],
) -> None:
    cloud = own(mode="simulated", profile="realistic")
    emulator = cloud.emulator
    emulator.set_mode(default={"inProgress": 1, "output": [f"line {n}" for n in range(20)]})
    response = cloud.logging.create_log_group(group_details(cloud, "late"))
    emulator.advance(60)
    group = cloud.worked(response)
    emulator.set_rate(0)
    run = cloud.start(cloud.job(job_log_configuration_details=cloud.auto_log(group)).id)
    emulator.advance(202)
    run = cloud.data_science.get_job_run(run.id).data
    assert run.lifecycle_state == "SUCCEEDED"
    later = {"time_end": datetime.now(UTC) + timedelta(hours=1)}
    where = f'search "{cloud.tenancy}/{group}" | sort by datetime'
    assert cloud.search(where, **later) == []
    arrived: list[list[str]] = []
    for _ in range(10):
        emulator.advance(3)
        arrived.append(texts(cloud.search(where, **later)))
    assert arrived[-1] == [f"line {n}" for n in range(20)]
    assert any(lines != arrived[-1][: len(lines)] for lines in arrived), "some came before others"
