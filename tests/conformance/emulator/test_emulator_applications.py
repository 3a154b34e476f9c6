"""Applications of Data Flow, as the SDK sees them."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import oci
import pytest
from oci.data_flow import models
from oci.exceptions import ServiceError

JAR = "oci://code@ns/app.jar"


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    """Status and code of the error that a call ends with."""
    return why(call)[:2]


def why(call: Callable[[], Any]) -> tuple[int, str, str]:
    """And its message."""
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.status, caught.value.code, caught.value.message


def test_an_application_is_made(flow: Any) -> None:
    made = flow.client.create_application(flow.details(freeform_tags={"team": "a"}))
    application = flow.client.get_application(made.data.id)
    assert made.headers["etag"] == application.headers["etag"]
    data = application.data
    assert data.id.startswith("ocid1.dataflowapplication.oc1.")
    assert (data.lifecycle_state, data.type) == ("ACTIVE", "BATCH")
    assert (data.owner_principal_id, data.owner_user_name) == (flow.emulator.user, "admin")
    assert data.driver_shape_config == models.ShapeConfig(ocpus=1.0, memory_in_gbs=16.0)
    assert data.time_created == data.time_updated
    assert data.defined_tags["Oracle-Tags"]["CreatedBy"] == flow.emulator.user


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"file_uri": None}, "fileUri: is required, unless"),
        ({"file_uri": "s3://a/b"}, "fileUri: must be oci://bucket@namespace/name"),
        ({"file_uri": "oci://code@ns/"}, "fileUri: must be oci://bucket@namespace/name"),
        ({"archive_uri": "oci://a@n/x.zip,http://a"}, "archiveUri: must be oci://"),
        ({"logs_bucket_uri": "logs"}, "logsBucketUri: must be oci://bucket@namespace/"),
        ({"warehouse_bucket_uri": "x"}, "warehouseBucketUri: must be oci://"),
        ({"language": "SCALA", "file_uri": JAR}, "className: is required for SCALA"),
        ({"executor_shape": "VM.Standard2.1"}, "executorShape: must be of the family"),
        ({"driver_shape": "VM.Huge"}, "driverShape: 'VM.Huge' is none of"),
        (
            {
                "driver_shape": "VM.Standard2.1",
                "executor_shape": "VM.Standard2.4",
                "driver_shape_config": models.ShapeConfig(ocpus=1),
            },
            "driverShapeConfig: is only for flexible shapes",
        ),
        (
            {"executor_shape_config": models.ShapeConfig(ocpus=0)},
            "executorShapeConfig.ocpus: must be more than 0",
        ),
        ({"num_executors": 0}, "numExecutors: must be 1 to 1000"),
        ({"spark_version": "1.6"}, "sparkVersion: must be one of 2.4.4"),
        ({"configuration": {"spark.master": "local"}}, "configuration.spark.master: can't be set"),
        ({"max_duration_in_minutes": 0}, "maxDurationInMinutes: must be 1 or more"),
        ({"idle_timeout_in_minutes": 5}, "idleTimeoutInMinutes: is only for the type SESSION"),
        ({"arguments": ["${x}"]}, r"arguments\[0\]: no parameter is named 'x'"),
        (
            {"parameters": [models.ApplicationParameter(name="a-b", value="")]},
            r"parameters\[0\].name: has one or more of",
        ),
        (
            {"parameters": [models.ApplicationParameter(name="a", value="")] * 2},
            r"parameters\[1\].name: a is given twice",
        ),
        ({"execute": "--class A"}, "execute: names no main application file"),
        ({"execute": "--master local x.py"}, "execute: '--master' is none of"),
        ({"execute": "--conf a x.py"}, "execute: --conf needs NAME=VALUE"),
        ({"execute": "--conf"}, "execute: --conf needs a value"),
        ({"execute": "oci://a@n/x.exe"}, "execute: the main file must end with"),
        ({"execute": "'"}, "execute: can't be read"),
        ({"display_name": ""}, "displayName: must have 1 to 255"),
        ({"freeform_tags": {str(n): "" for n in range(11)}}, "freeformTags: a resource has at"),
    ],
)
def test_an_application_that_breaks_a_rule_is_refused(
    flow: Any, fields: dict[str, Any], message: str
) -> None:
    status, code, text = why(lambda: flow.application(**fields))
    assert status == 400
    assert code in {"InvalidParameter", "MissingParameter"}
    assert re.match(message, text), text


@pytest.mark.parametrize(
    ("rule", "value", "fields"),
    [
        ("class_name", "optional", {"language": "JAVA", "file_uri": JAR}),
        ("unknown_spark_version", "accept", {"spark_version": "4.0.0"}),
        ("reserved_spark_property", "accept", {"configuration": {"spark.master": "x"}}),
        ("idle_timeout", "ignore", {"idle_timeout_in_minutes": 5}),
        ("executors_maximum", 2000, {"num_executors": 2000}),
        (
            "unknown_shape",
            "accept",
            {"driver_shape": "VM.New.E9.Flex", "executor_shape": "VM.New.E9.Flex"},
        ),
    ],
)
def test_a_rule_allows_it(own_flow: Any, rule: str, value: object, fields: dict[str, Any]) -> None:
    flow = own_flow()
    assert refusal(lambda: flow.application(**fields))[0] == 400
    flow.emulator.set_rules(**{rule: value})
    assert flow.application(**fields).lifecycle_state == "ACTIVE"


def test_a_flexible_shape_may_have_to_be_configured(own_flow: Any) -> None:
    flow = own_flow(rules={"flexible_without_config": "refuse"})
    config = models.ShapeConfig(ocpus=2, memory_in_gbs=32)
    assert refusal(flow.application) == (400, "InvalidParameter")
    made = flow.application(driver_shape_config=config, executor_shape_config=config)
    assert made.executor_shape_config == config


def test_what_execute_says_stands_for_the_fields(flow: Any) -> None:
    jars = "oci://a@n/x.jar,oci://a@n/y.jar"
    made = flow.application(
        execute=f"--jars {jars} --conf spark.a=b=c --class=org.A {JAR} 10 'two words' ${{x}}",
        language="SCALA",
        arguments=["ignored"],
        class_name="Ignored",
        configuration={"ignored": "1"},
        parameters=[models.ApplicationParameter(name="ignored", value="")],
    )
    assert (made.class_name, made.file_uri, made.language) == ("org.A", JAR, "SCALA")
    assert made.arguments == ["10", "two words", "${x}"]
    assert made.configuration == {"spark.jars": jars, "spark.a": "b=c"}
    assert made.parameters is None


def test_all_but_compartment_and_type_can_be_updated(flow: Any) -> None:
    made = flow.application()
    updated = flow.client.update_application(
        models.UpdateApplicationDetails(
            display_name="renamed",
            language="SCALA",
            file_uri=JAR,
            class_name="A",
            driver_shape="VM.Standard2.1",
            executor_shape="VM.Standard2.4",
            num_executors=3,
            spark_version="3.2.1",
            arguments=["${a}"],
            parameters=[models.ApplicationParameter(name="a", value="1")],
            freeform_tags={"a": "b"},
        ),
        made.id,
    ).data
    assert (updated.display_name, updated.language, updated.file_uri) == ("renamed", "SCALA", JAR)
    assert updated.driver_shape_config is None, "the new shape can't have one"
    assert (updated.type, updated.compartment_id) == (made.type, made.compartment_id)
    assert updated.time_updated > made.time_updated
    assert updated.freeform_tags == {"a": "b"}
    assert updated.id == made.id


def test_an_update_is_checked_with_what_stays(flow: Any) -> None:
    made = flow.application()
    update = models.UpdateApplicationDetails(driver_shape="VM.Standard2.1")
    assert refusal(lambda: flow.client.update_application(update, made.id))[0] == 400
    stale = partial(
        flow.client.update_application,
        models.UpdateApplicationDetails(num_executors=1),
        made.id,
        if_match="other",
    )
    assert refusal(stale) == (412, "NoEtagMatch")
    assert flow.client.get_application(made.id).data == made


def test_a_field_that_cannot_be_updated_is_refused(flow: Any, raw_client: Any) -> None:
    made = flow.application()
    raw = raw_client(flow.emulator)
    for name, value in (("type", "STREAMING"), ("compartmentId", "x"), ("nonsense", 1)):
        status, error = raw.call("PUT", f"/20200129/applications/{made.id}", {name: value})
        assert (status, error["code"]) == (400, "InvalidParameter")
        assert error["message"] == f"{name}: is not a field of this model"


def test_an_application_is_deleted_and_still_seen(flow: Any) -> None:
    made = flow.application()
    assert flow.client.delete_application(made.id).status == 204
    assert flow.client.get_application(made.id).data.lifecycle_state == "DELETED"
    again = partial(flow.client.delete_application, made.id)
    assert refusal(again) == (409, "IncorrectState")
    start = partial(flow.start, made.id)
    assert refusal(start) == (409, "IncorrectState")


@pytest.mark.parametrize("code", ["IncorrectState", "Conflict"])
def test_an_application_with_active_runs_stays(own_flow: Any, code: str) -> None:
    flow = own_flow(rules={"active_runs_code": code})
    flow.emulator.set_rate(0)
    made = flow.application()
    run = flow.start(made.id)
    assert refusal(lambda: flow.client.delete_application(made.id)) == (409, code)
    flow.emulator.set_rules(delete_application_with_active_runs="allow")
    flow.client.delete_application(made.id)
    flow.emulator.advance(10)
    assert flow.client.get_run(run.id).data.lifecycle_state == "SUCCEEDED"


def test_a_cascading_deletion_ends_the_runs(own_flow: Any) -> None:
    flow = own_flow(profile="realistic")
    flow.emulator.set_rate(0)
    made = flow.application()
    run = flow.start(made.id)
    response = flow.client.cascading_delete_application(made.id)
    assert flow.client.get_application(made.id).data.lifecycle_state == "DELETING"
    assert flow.client.get_run(run.id).data.lifecycle_state == "CANCELING"
    flow.emulator.advance(12)
    identifier = response.headers["opc-work-request-id"]
    request = flow.client.get_work_request(identifier).data
    assert (request.status, request.percent_complete) == ("INPROGRESS", 50.0)
    [resource] = request.resources
    assert (resource.action_type, resource.resource_id) == ("INPROGRESS", made.id)
    flow.emulator.advance(60)
    request = flow.client.get_work_request(identifier).data
    assert (request.status, request.resources[0].action_type) == ("SUCCEEDED", "DELETED")
    assert flow.client.get_application(made.id).data.lifecycle_state == "DELETED"
    assert flow.client.get_run(run.id).data.lifecycle_state == "CANCELED"
    logs = flow.client.list_work_request_logs(identifier).data.items
    assert [each.id for each in logs] == [1, 2, 3]
    assert flow.client.list_work_request_errors(identifier).data.items == []
    [listed] = flow.client.list_work_requests(flow.cloud.tenancy).data.items
    assert listed.id == identifier


def test_a_cascading_deletion_gives_up_after_half_an_hour(own_flow: Any) -> None:
    flow = own_flow(profile="realistic")
    flow.emulator.set_rate(0)
    made = flow.application()
    run = flow.start(made.id)
    response = flow.client.cascading_delete_application(made.id)
    # Whatever the service does, it goes on.
    flow.emulator.force_run(run.id, "IN_PROGRESS")
    flow.emulator.advance(2000)
    request = flow.worked(response)
    assert request.status == "FAILED"
    [error] = flow.client.list_work_request_errors(request.id).data.items
    assert run.id in error.message
    assert flow.client.get_application(made.id).data.lifecycle_state == "ACTIVE"


def test_an_application_moves_without_its_runs(own_flow: Any) -> None:
    flow = own_flow()
    target = "ocid1.compartment.oc1..target"
    flow.emulator.add_compartment(target)
    made = flow.application()
    run = flow.ended(flow.start(made.id).id)
    details = models.ChangeApplicationCompartmentDetails(compartment_id=target)
    flow.client.change_application_compartment(made.id, details)
    assert flow.client.get_application(made.id).data.compartment_id == target
    assert flow.client.get_run(run.id).data.compartment_id == flow.cloud.tenancy
    nowhere = models.ChangeApplicationCompartmentDetails(compartment_id="ocid1.compartment..no")
    call = partial(flow.client.change_application_compartment, made.id, nowhere)
    assert refusal(call)[0] == 404


def test_a_retry_token_makes_one_application(flow: Any) -> None:
    details = flow.details(display_name="once")
    first = flow.client.create_application(details, opc_retry_token="token-1").data
    assert flow.client.create_application(details, opc_retry_token="token-1").data.id == first.id
    other = flow.details(display_name="another")
    call = partial(flow.client.create_application, other, opc_retry_token="token-1")
    assert refusal(call) == (409, "InvalidatedRetryToken")


def names(listed: Any) -> list[str]:
    return [each.display_name for each in listed]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory, flow: Any) -> Any:
    compartment = "ocid1.compartment.oc1..listed"
    flow.emulator.add_compartment(compartment)
    for name, language, version in (
        ("b-one", "PYTHON", "3.5.0"),
        ("a-two", "SQL", "3.2.1"),
        ("b-three", "JAVA", "3.5.0"),
    ):
        flow.application(
            compartment_id=compartment,
            display_name=name,
            language=language,
            spark_version=version,
            class_name="A",
        )
    return compartment


def test_lists_are_filtered_by_one_thing(flow: Any, listed: str) -> None:
    applications = flow.client.list_applications
    assert names(applications(listed).data) == ["b-three", "a-two", "b-one"]
    assert names(applications(listed, display_name="a-two").data) == ["a-two"]
    assert names(applications(listed, display_name_starts_with="b-").data) == ["b-three", "b-one"]
    assert names(applications(listed, spark_version="3.2.1").data) == ["a-two"]
    owned = applications(listed, owner_principal_id=flow.emulator.user)
    assert len(owned.data) == 3
    assert applications(listed, owner_principal_id="ocid1.user.oc1..nobody").data == []
    summary = owned.data[0].swagger_types
    assert "file_uri" not in summary


@pytest.mark.parametrize(
    ("rule", "works"),
    [("one-filter", (True, False)), ("one-parameter", (False, False)), ("any", (True, True))],
)
def test_how_many_filters_there_may_be_is_a_rule(
    own_flow: Any, rule: str, works: tuple[bool, bool]
) -> None:
    flow = own_flow(rules={"dataflow_list_filters": rule})
    tenancy = flow.cloud.tenancy

    flow.client.list_applications(tenancy, display_name="a", limit=5)
    for accepted, query in zip(
        works, ({"sort_by": "displayName"}, {"spark_version": "3.5.0"}), strict=True
    ):
        call = partial(flow.client.list_applications, tenancy, display_name="a", **query)
        if accepted:
            call()
            continue
        status, code, message = why(call)
        assert (status, code) == (400, "InvalidParameter")
        assert "only one parameter may be given besides compartmentId" in message


@pytest.mark.parametrize(
    ("sort_by", "order", "expected"),
    [
        ("displayName", "ASC", ["a-two", "b-one", "b-three"]),
        ("displayName", "DESC", ["b-three", "b-one", "a-two"]),
        ("timeCreated", "ASC", ["b-one", "a-two", "b-three"]),
        ("language", "ASC", ["b-three", "b-one", "a-two"]),
        ("language", "DESC", ["a-two", "b-one", "b-three"]),
    ],
)
def test_lists_are_sorted_and_paged(
    flow: Any, listed: str, sort_by: str, order: str, expected: list[str]
) -> None:
    found = oci.pagination.list_call_get_all_results(
        flow.client.list_applications, listed, sort_by=sort_by, sort_order=order, limit=1
    ).data
    assert names(found) == expected
