"""Runs of Data Flow, as the SDK sees them."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import oci
import pytest
from oci.data_flow import models
from oci.exceptions import ServiceError

MINUTE = 60.0
DAY = 86400.0
TAG = "emulator.plan"


def why(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, code and message of the error that a call ends with."""
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.status, caught.value.code, caught.value.message


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    return why(call)[:2]


def parameter(name: str, value: str) -> Any:
    return models.ApplicationParameter(name=name, value=value)


def planned(**plan: Any) -> dict[str, str]:
    """Tags that give a run its plan."""
    return {TAG: json.dumps(plan)}


@pytest.fixture
def still(own_flow: Any) -> Any:
    """Data Flow whose clock a test moves."""
    flow = own_flow()
    flow.emulator.set_rate(0)
    return flow


def test_a_run_has_the_settings_of_its_application(flow: Any) -> None:
    application = flow.application(
        display_name="counts",
        arguments=["--in", "${in}"],
        parameters=[parameter("in", "a")],
        configuration={"spark.a": "1"},
        driver_shape_config=models.ShapeConfig(ocpus=2, memory_in_gbs=32),
        num_executors=3,
    )
    run = flow.start(application.id)
    assert run.id.startswith("ocid1.dataflowrun.oc1.")
    assert (run.lifecycle_state, run.display_name) == ("ACCEPTED", "counts")
    assert (run.application_id, run.file_uri) == (application.id, application.file_uri)
    assert (run.arguments, run.configuration) == (["--in", "${in}"], {"spark.a": "1"})
    assert run.total_o_cpu == 2 + 3 * 1
    assert (run.type, run.owner_principal_id) == ("BATCH", flow.emulator.user)
    ended = flow.ended(run.id)
    assert (ended.lifecycle_state, ended.lifecycle_details) == ("SUCCEEDED", "")
    assert ended.run_duration_in_milliseconds >= 10
    assert ended.time_updated > run.time_updated


def test_a_run_overrides_some_settings(flow: Any) -> None:
    application = flow.application(
        arguments=["a", "b"],
        parameters=[parameter("x", "1"), parameter("y", "2")],
        configuration={"spark.a": "1", "spark.b": "2"},
        max_duration_in_minutes=10,
    )
    run = flow.start(
        application.id,
        display_name="mine",
        arguments=["${x}"],
        parameters=[parameter("x", "3")],
        configuration={"spark.a": "4"},
        driver_shape="VM.Standard2.1",
        executor_shape="VM.Standard2.2",
        num_executors=1,
        logs_bucket_uri="oci://logs@ns/",
        max_duration_in_minutes=20,
    )
    assert (run.display_name, run.arguments) == ("mine", ["${x}"])
    assert run.configuration == {"spark.a": "4"}
    assert run.parameters == [parameter("x", "3")]
    assert (run.driver_shape, run.driver_shape_config) == ("VM.Standard2.1", None)
    assert (run.total_o_cpu, run.max_duration_in_minutes) == (3, 20)


def test_a_run_keeps_the_application_as_it_was(still: Any) -> None:
    application = still.application(arguments=["old"])
    run = still.start(application.id)
    update = models.UpdateApplicationDetails(arguments=["new"], display_name="new")
    still.client.update_application(update, application.id)
    assert still.client.get_run(run.id).data.arguments == ["old"]
    assert still.start(application.id).arguments == ["new"]


@pytest.mark.parametrize("value", ["replace", "merge"])
def test_what_parameters_and_configuration_do_is_a_rule(own_flow: Any, value: str) -> None:
    flow = own_flow(rules={"run_parameters": value, "run_configuration": value})
    application = flow.application(
        parameters=[parameter("x", "1"), parameter("y", "2")],
        configuration={"spark.a": "1", "spark.b": "2"},
    )
    run = flow.start(
        application.id,
        parameters=[parameter("x", "3")],
        configuration={"spark.a": "4"},
    )
    merged = value == "merge"
    names = {each.name: each.value for each in run.parameters}
    assert names == ({"x": "3", "y": "2"} if merged else {"x": "3"})
    assert run.configuration == ({"spark.a": "4", "spark.b": "2"} if merged else {"spark.a": "4"})


@pytest.mark.parametrize(("value", "shown"), [("as-given", "-${x}-"), ("filled", "-${y}-")])
def test_how_arguments_are_shown_is_a_rule(own_flow: Any, value: str, shown: str) -> None:
    flow = own_flow(rules={"run_arguments": value})
    # A run that has ended can't be changed.
    flow.emulator.set_rate(0)
    application = flow.application(arguments=["-${x}-"], parameters=[parameter("x", "${y}")])
    run = flow.start(application.id)
    assert run.arguments == [shown]
    update = models.UpdateRunDetails(max_duration_in_minutes=5)
    assert flow.client.update_run(update, flow.start(application.id).id).status == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"arguments": ["${no}"]}, "arguments[0]: no parameter is named 'no'"),
        ({"spark_version": "3.5.0"}, "sparkVersion: is the application's"),
        ({"driver_shape": "VM.Standard2.1"}, "executorShape: must be of the family"),
        ({"type": "STREAMING"}, "type: is the application's, BATCH, and can't be STREAMING"),
        ({"execute": "oci://a@n/x.py"}, "execute: can't be given together with applicationId"),
        ({"num_executors": 0}, "numExecutors: must be 1 to 1000"),
        ({"freeform_tags": {TAG: "{"}}, "freeformTags: the tag emulator.plan is no JSON"),
        (
            {"freeform_tags": planned(outcome="NEEDS_ATTENTION")},
            "freeformTags: outcome: such a run ends as one of SUCCEEDED, FAILED",
        ),
    ],
)
def test_a_run_that_breaks_a_rule_is_refused(
    flow: Any, fields: dict[str, Any], message: str
) -> None:
    application = flow.application()
    status, code, text = why(lambda: flow.start(application.id, **fields))
    assert (status, code) == (400, "InvalidParameter")
    assert text.startswith(message)


@pytest.mark.parametrize("name", ["fileUri", "className", "language", "privateEndpointId"])
def test_some_fields_cannot_be_overridden(flow: Any, raw_client: Any, name: str) -> None:
    body = {"compartmentId": flow.cloud.tenancy, "applicationId": "x", name: "x"}
    status, error = raw_client(flow.emulator).call("POST", "/20200129/runs", body)
    assert (status, error["message"]) == (400, f"{name}: is not a field of this model")


def test_a_run_of_execute_makes_its_application(flow: Any) -> None:
    machines = {
        "driver_shape": "VM.Standard2.1",
        "executor_shape": "VM.Standard2.1",
        "num_executors": 1,
        "spark_version": "3.5.0",
    }
    execute = f"{flow.uri('main.py')} 1 2"
    assert refusal(lambda: flow.start(None)) == (400, "MissingParameter")
    status, _, message = why(lambda: flow.start(None, execute=execute))
    assert (status, message) == (400, "driverShape: is required with execute")
    run = flow.start(None, execute=execute, **machines)
    assert (run.display_name, run.language, run.arguments) == ("main.py", "PYTHON", ["1", "2"])
    application = flow.client.get_application(run.application_id).data
    assert (application.display_name, application.execute) == ("main.py", execute)
    assert flow.ended(run.id).lifecycle_state == "SUCCEEDED"


def test_execute_beside_an_application_may_win(own_flow: Any) -> None:
    flow = own_flow(rules={"execute_with_application": "execute-wins"})
    application = flow.application(arguments=["a"])
    run = flow.start(application.id, execute=f"{flow.uri('main.py')} b")
    assert (run.application_id, run.arguments) == (application.id, ["b"])


def test_the_type_may_be_overridden(own_flow: Any) -> None:
    flow = own_flow(rules={"run_type": "override"})
    assert flow.start(flow.application().id, type="STREAMING").type == "STREAMING"


@pytest.mark.parametrize(
    ("plan", "state", "details"),
    [
        ({}, "SUCCEEDED", ""),
        ({"outcome": "FAILED"}, "FAILED", "The Spark application failed."),
        ({"outcome": "FAILED", "lifecycleDetails": "no capacity"}, "FAILED", "no capacity"),
        ({"outcome": "CANCELED"}, "CANCELED", "The run was canceled."),
        ({"outcome": "STOPPED"}, "STOPPED", "The run was stopped."),
    ],
)
def test_a_run_ends_as_planned(flow: Any, plan: dict[str, Any], state: str, details: str) -> None:
    tags = planned(**plan, dataReadInBytes=5, dataWrittenInBytes=7)
    run = flow.ended(flow.start(flow.application().id, freeform_tags=tags).id)
    assert (run.lifecycle_state, run.lifecycle_details) == (state, details)
    assert (run.data_read_in_bytes, run.data_written_in_bytes) == (5, 7)


def test_a_run_takes_the_time_of_its_plan(still: Any) -> None:
    tags = planned(accepted=60, inProgress=100)
    run = still.start(still.application().id, freeform_tags=tags)

    def state() -> str:
        return str(still.client.get_run(run.id).data.lifecycle_state)

    for seconds, expected in ((59, "ACCEPTED"), (2, "IN_PROGRESS"), (98, "IN_PROGRESS")):
        still.emulator.advance(seconds)
        assert state() == expected
    still.emulator.advance(2)
    assert state() == "SUCCEEDED"
    assert still.client.get_run(run.id).data.run_duration_in_milliseconds == 100_000


@pytest.mark.parametrize(("value", "seconds"), [("in-progress", 100), ("accepted", 160)])
def test_the_duration_counts_from_a_state(own_flow: Any, value: str, seconds: int) -> None:
    flow = own_flow(rules={"run_duration": value})
    flow.emulator.set_rate(0)
    tags = planned(accepted=60, inProgress=100)
    run = flow.start(flow.application().id, freeform_tags=tags)
    flow.emulator.advance(200)
    assert flow.client.get_run(run.id).data.run_duration_in_milliseconds == seconds * 1000


def test_a_deleted_run_is_canceled_and_stays(still: Any) -> None:
    run = still.start(still.application().id, freeform_tags=planned(inProgress=1000))
    still.emulator.advance(1)
    assert still.client.delete_run(run.id).status == 204
    canceling = still.client.get_run(run.id).data
    assert canceling.lifecycle_state == "CANCELING"
    still.emulator.advance(1)
    ended = still.client.get_run(run.id).data
    assert (ended.lifecycle_state, ended.lifecycle_details) == ("CANCELED", "The run was canceled.")
    assert still.client.delete_run(run.id).status == 204
    assert still.client.get_run(run.id).data == ended
    still.emulator.set_rules(delete_ended_run="conflict")
    assert refusal(lambda: still.client.delete_run(run.id)) == (409, "IncorrectState")
    stale = partial(still.client.delete_run, run.id, if_match="other")
    assert refusal(stale) == (412, "NoEtagMatch")


@pytest.mark.parametrize(
    ("rule", "kind", "while_ending", "end"),
    [
        ("streaming", "STREAMING", "STOPPING", "STOPPED"),
        ("streaming", "SESSION", "CANCELING", "CANCELED"),
        ("streaming", "BATCH", "CANCELING", "CANCELED"),
        ("streaming-and-session", "SESSION", "STOPPING", "STOPPED"),
        ("nothing", "STREAMING", "CANCELING", "CANCELED"),
    ],
)
def test_which_runs_are_stopped_is_a_rule(
    own_flow: Any, rule: str, kind: str, while_ending: str, end: str
) -> None:
    flow = own_flow(rules={"delete_run_stops": rule})
    flow.emulator.set_rate(0)
    run = flow.start(flow.application(type=kind).id, freeform_tags=planned(inProgress=1000))
    flow.emulator.advance(1)
    flow.client.delete_run(run.id)
    assert flow.client.get_run(run.id).data.lifecycle_state == while_ending
    flow.emulator.advance(1)
    assert flow.client.get_run(run.id).data.lifecycle_state == end


@pytest.mark.parametrize(("rule", "end"), [("own-outcome", "SUCCEEDED"), ("canceled", "CANCELED")])
def test_a_run_that_ends_while_it_is_canceled(own_flow: Any, rule: str, end: str) -> None:
    flow = own_flow(profile="realistic", rules={"cancel_race": rule})
    flow.emulator.set_rate(0)
    run = flow.start(flow.application().id, freeform_tags=planned(accepted=1, inProgress=10))
    flow.emulator.advance(2)
    flow.client.delete_run(run.id)
    flow.emulator.advance(30)
    assert flow.client.get_run(run.id).data.lifecycle_state == end


def test_a_streaming_run_has_no_end(still: Any) -> None:
    run = still.start(still.application(type="STREAMING").id)
    still.emulator.advance(100 * DAY)
    assert still.client.get_run(run.id).data.lifecycle_state == "IN_PROGRESS"
    failing = still.start(
        still.application(type="STREAMING").id,
        freeform_tags=planned(outcome="FAILED", inProgress=5),
    )
    still.emulator.advance(10)
    assert still.client.get_run(failing.id).data.lifecycle_state == "FAILED"


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "STOPPED"])
def test_a_run_is_ended_after_its_maximum_duration(own_flow: Any, state: str) -> None:
    flow = own_flow(rules={"run_out_of_time": state})
    flow.emulator.set_rate(0)
    application = flow.application(max_duration_in_minutes=10)
    run = flow.start(application.id, freeform_tags=planned(inProgress=DAY))
    flow.emulator.advance(1)
    longer = models.UpdateRunDetails(max_duration_in_minutes=20)
    assert flow.client.update_run(longer, run.id).data.max_duration_in_minutes == 20
    flow.emulator.advance(19 * MINUTE)
    assert flow.client.get_run(run.id).data.lifecycle_state == "IN_PROGRESS"
    flow.emulator.advance(2 * MINUTE)
    ended = flow.client.get_run(run.id).data
    assert ended.lifecycle_state == state
    assert "maximum duration of 20 minutes" in ended.lifecycle_details or state != "FAILED"


@pytest.mark.parametrize(
    ("configuration", "days"), [({}, 1), ({"dataflow.auth": "resource_principal"}, 30)]
)
def test_a_batch_run_is_ended_when_its_rights_are_over(
    still: Any, configuration: dict[str, str], days: int
) -> None:
    application = still.application(configuration=configuration)
    run = still.start(application.id, freeform_tags=planned(inProgress=100 * DAY))
    still.emulator.advance(days * DAY - 60)
    assert still.client.get_run(run.id).data.lifecycle_state == "IN_PROGRESS"
    still.emulator.advance(120)
    assert still.client.get_run(run.id).data.lifecycle_state == "FAILED"


def test_an_update_changes_tags_and_durations(still: Any) -> None:
    run = still.start(still.application().id)
    update = models.UpdateRunDetails(freeform_tags={"a": "b"}, max_duration_in_minutes=7)
    updated = still.client.update_run(update, run.id)
    assert updated.data.freeform_tags == {"a": "b"}
    assert updated.headers["etag"] == still.client.get_run(run.id).headers["etag"]
    idle = models.UpdateRunDetails(idle_timeout_in_minutes=7)
    assert refusal(lambda: still.client.update_run(idle, run.id))[0] == 400
    still.emulator.advance(10)
    tags = models.UpdateRunDetails(freeform_tags={"c": "d"})
    assert still.client.update_run(tags, run.id).data.lifecycle_state == "SUCCEEDED"
    assert refusal(lambda: still.client.update_run(update, run.id)) == (409, "IncorrectState")


def test_a_run_moves_when_it_is_over(still: Any) -> None:
    target = "ocid1.compartment.oc1..target"
    still.emulator.add_compartment(target)
    run = still.start(still.application().id)
    details = models.ChangeRunCompartmentDetails(compartment_id=target)
    move = partial(still.client.change_run_compartment, run.id, details)
    assert refusal(move) == (409, "IncorrectState")
    still.emulator.advance(10)
    move()
    assert still.client.get_run(run.id).data.compartment_id == target


def test_lists_of_runs(own_flow: Any) -> None:
    flow = own_flow()
    tenancy = flow.cloud.tenancy
    now = datetime.now(UTC)
    first, second = flow.application(), flow.application()
    runs = [
        flow.start(first.id, display_name="b-1"),
        flow.start(first.id, display_name="a-1", freeform_tags=planned(outcome="FAILED")),
        flow.start(second.id, display_name="b-2", freeform_tags=planned(inProgress=1)),
    ]
    for run in runs:
        flow.ended(run.id)

    def found(**query: Any) -> list[str]:
        return [each.display_name for each in flow.client.list_runs(tenancy, **query).data]

    assert found() == ["b-2", "a-1", "b-1"]
    assert found(application_id=first.id) == ["a-1", "b-1"]
    assert found(lifecycle_state="FAILED") == ["a-1"]
    assert found(display_name_starts_with="b-") == ["b-2", "b-1"]
    assert found(time_created_greater_than=now + timedelta(hours=1)) == []
    assert len(found(time_created_greater_than=now - timedelta(hours=1))) == 3
    assert found(sort_by="runDurationInMilliseconds")[0] == "b-2"
    paged = oci.pagination.list_call_get_all_results(
        flow.client.list_runs, tenancy, limit=1, sort_by="totalOCpu", sort_order="ASC"
    ).data
    assert [each.display_name for each in paged] == ["b-1", "a-1", "b-2"]
    both = partial(
        flow.client.list_runs, tenancy, application_id=first.id, lifecycle_state="FAILED"
    )
    status, _, message = why(both)
    assert (status, message.split(":")[0] in {"lifecycleState", "applicationId"}) == (400, True)


def test_logs_are_there_when_the_run_is_over(still: Any) -> None:
    application = still.application(parameters=[parameter("who", "world")])
    tags = planned(inProgress=10, output=["hello $who", "$index $displayName"])
    run = still.start(application.id, display_name="logs", freeform_tags=tags)
    still.emulator.advance(5)
    assert still.client.list_run_logs(run.id).data == []
    early = partial(still.client.get_run_log, run.id, "spark_application_stdout.log.gz")
    assert refusal(early)[0] == 404
    still.emulator.advance(10)
    logs = oci.pagination.list_call_get_all_results(
        still.client.list_run_logs, run.id, limit=3
    ).data
    assert {(each.source, each.type) for each in logs} == {
        (source, kind)
        for source in ("APPLICATION", "DRIVER", "EXECUTOR")
        for kind in ("STDOUT", "STDERR")
    }
    assert len(logs) == 2 * (1 + 1 + 2)
    for log in logs:
        got = still.client.get_run_log(run.id, log.name)
        assert got.headers["content-encoding"] == "gzip"
        assert got.headers["opc-meta-type"] == log.type
        raw = b"".join(got.data.raw.stream(1024, decode_content=False))
        assert len(raw) == log.size_in_bytes == int(got.headers["content-length"])
        if log.name == "spark_application_stdout.log.gz":
            assert gzip.decompress(raw) == b"hello world\n1 logs\n"
    decoded = still.client.get_run_log(run.id, "spark_application_stdout.log.gz").data.text
    assert decoded == "hello world\n1 logs\n"


def test_the_log_of_a_failure_says_why(flow: Any) -> None:
    tags = planned(outcome="FAILED", lifecycleDetails="no capacity")
    run = flow.ended(flow.start(flow.application().id, freeform_tags=tags).id)
    log = flow.client.get_run_log(run.id, "spark_application_stderr.log.gz").data
    assert log.text == "no capacity\n"


def test_output_goes_to_the_log_of_the_configuration(flow: Any) -> None:
    cloud = flow.cloud
    group = cloud.log_group()
    log = cloud.worked(
        cloud.logging.create_log(
            group, oci.logging.models.CreateLogDetails(display_name="flow", log_type="CUSTOM")
        )
    )
    config = models.ApplicationLogConfig(log_group_id=group, log_id=log)
    application = flow.application(application_log_config=config)
    run = flow.start(application.id, freeform_tags=planned(output=["one", "two"]))
    flow.ended(run.id)
    rows = cloud.search(
        f"SEARCH \"{cloud.tenancy}/{group}/{log}\" | WHERE source = '*{run.id}' | SORT BY datetime ASC"
    )
    assert [row["logContent"]["data"]["message"] for row in rows] == ["one", "two"]


@pytest.mark.parametrize("check", ["at-creation", "at-run"])
def test_a_log_that_is_not_there(own_flow: Any, check: str) -> None:
    flow = own_flow(rules={"log_check": check})
    config = models.ApplicationLogConfig(log_group_id="no", log_id="log")
    if check == "at-creation":
        assert refusal(lambda: flow.application(application_log_config=config))[0] == 404
        return
    run = flow.ended(flow.start(flow.application(application_log_config=config).id).id)
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details == "The log log of applicationLogConfig does not exist."
    assert flow.client.list_run_logs(run.id).data == []


@pytest.mark.parametrize("check", ["at-creation", "at-run"])
@pytest.mark.parametrize("field", ["file_uri", "archive_uri"])
def test_a_file_that_is_not_there(own_flow: Any, check: str, field: str) -> None:
    flow = own_flow(rules={"file_check": check})
    application = flow.application(**{field: flow.uri("missing.zip")})
    if check == "at-creation":
        assert refusal(lambda: flow.start(application.id)) == (400, "InvalidParameter")
        return
    run = flow.ended(flow.start(application.id).id)
    assert run.lifecycle_state == "FAILED"
    name = "fileUri" if field == "file_uri" else "archiveUri"
    assert run.lifecycle_details.startswith(f"{name} can't be read with the rights of the run's")


def test_a_retry_token_makes_one_run(flow: Any) -> None:
    details = flow.run_details(flow.application().id)
    first = flow.client.create_run(details, opc_retry_token="run-1").data
    assert flow.client.create_run(details, opc_retry_token="run-1").data.id == first.id


def test_runs_survive_a_restart(own_flow: Any) -> None:
    flow = own_flow()
    flow.emulator.set_rate(0)
    application = flow.application()
    tags = planned(accepted=10, inProgress=100, output=["kept"])
    accepted = flow.start(application.id, freeform_tags=tags)
    flow.emulator.advance(50)
    running = flow.client.get_run(accepted.id).data
    assert running.lifecycle_state == "IN_PROGRESS"
    flow.emulator.kill()
    flow.emulator.start()
    assert flow.client.get_run(accepted.id).data == running
    flow.emulator.advance(100)
    ended = flow.ended(accepted.id)
    assert (ended.lifecycle_state, ended.run_duration_in_milliseconds) == ("SUCCEEDED", 100_000)
    log = flow.client.get_run_log(accepted.id, "spark_application_stdout.log.gz").data
    assert log.text == "kept\n"


def test_the_control_api_puts_a_run_into_a_state(flow: Any) -> None:
    run = flow.start(flow.application(type="STREAMING").id)
    flow.ended(run.id, "IN_PROGRESS")
    flow.emulator.force_run(run.id, "STOPPED", lifecycleDetails="by somebody else")
    ended = flow.client.get_run(run.id).data
    assert (ended.lifecycle_state, ended.lifecycle_details) == ("STOPPED", "by somebody else")
    flow.emulator.remove_run(run.id)
    assert refusal(lambda: flow.client.get_run(run.id))[0] == 404


def test_resource_search_finds_them(flow: Any) -> None:
    application = flow.application(display_name="searched")
    client = flow.cloud.client(oci.resource_search.ResourceSearchClient)
    details = oci.resource_search.models.StructuredSearchDetails(
        query=f"query dataflowapplication resources where identifier = '{application.id}'"
    )
    [found] = client.search_resources(details).data.items
    assert (found.display_name, found.resource_type) == ("searched", "DataFlowApplication")
