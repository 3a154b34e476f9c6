"""Every field that the SDK can send in a creation or an update comes back on a get.

What is sent is generated over the SDK's own models: each field set, each subtype of each field
once. Only values that a rule of the service restricts are named here.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import oci
import pytest
from oci.data_science import models

TAGS = {"team": "a"}
_counter = itertools.count()
VALUES: Mapping[str, Any] = {
    "destination_directory_name": lambda: f"directory-{next(_counter)}",
    "shape_name": "VM.Standard.E4.Flex",
    "block_storage_size_in_gbs": 100,
    "maximum_runtime_in_minutes": 60,
    "environment_variables": {"A": "1"},
    "image": "iad.ocir.io/mytenancy/train:1",
    "image_digest": f"sha256:{'0' * 64}",
    "enable_auto_log_creation": False,
    "destination_path": "/data",
    "cpu_baseline": "BASELINE_1_2",
    "replicas": 3,
    "minimum_success_replicas": 2,
    "freeform_tags": TAGS,
    "defined_tags": {"namespace": {"key": "value"}},
    "cron_expression": "0 3 * * 1",
    "recurrence": "FREQ=DAILY",
    "time_start": datetime(2030, 1, 1, tzinfo=UTC),
    "time_end": datetime(2031, 1, 1, tzinfo=UTC),
    "display_name": "named",
    # A schedule creates job runs alone here, and its details are those of a run.
    "http_action_type": "CREATE_JOB_RUN",
}
ALONE = {"job_configuration", "job_infrastructure_configuration", "job_environment_configuration"}
"""What a multi-node job has in its groups and not beside them."""
SUBTYPES_ELSEWHERE = {
    # Empty ones are what the service fills in, and those of nodes are in node groups.
    "EmptyJobConfigurationDetails",
    "EmptyJobInfrastructureConfigurationDetails",
    "CreatePipelineRunScheduleActionDetails",
    "InvokeMlApplicationProviderTriggerScheduleActionDetails",
}


@dataclass(frozen=True)
class Given:
    """Values for fields, such as the OCIDs of what details refer to."""

    identifiers: Mapping[str, Any]


def subtypes(package: Any, name: str, *, node: bool) -> list[Any]:
    """The models that can stand where one is asked for."""
    cls = getattr(package, name)
    found = [
        each
        for each in vars(package).values()
        if isinstance(each, type) and issubclass(each, cls) and each is not cls
    ]
    found = [each for each in found if each.__name__ not in SUBTYPES_ELSEWHERE]
    if name == "JobInfrastructureConfigurationDetails":
        found = [each for each in found if each.__name__.startswith("MultiNode") == node]
    return found or [cls]


def filled(package: Any, cls: Any, given: Given, *, node: bool = False) -> Iterator[Any]:
    """Instances of a model with every field set; together they have every subtype."""
    choices: dict[str, list[Any]] = {}
    for attribute, kind in cls().swagger_types.items():
        within = node or cls.__name__ == "JobNodeGroupConfigurationDetails"
        choices[attribute] = list(values(package, attribute, kind, given, node=within))
    # Not all combinations: as many as the longest list of choices has.
    for number in range(max(map(len, choices.values()), default=0)):
        chosen = {name: found[number % len(found)] for name, found in choices.items() if found}
        # What an empty instance has is what tells its type.
        fixed = {name for name in chosen if getattr(cls(), name) is not None}
        yield cls(**{name: value for name, value in chosen.items() if name not in fixed})


def values(package: Any, attribute: str, kind: str, given: Given, *, node: bool) -> Iterator[Any]:
    """Values for a field, one for each subtype that it can have."""
    if attribute in given.identifiers:
        yield given.identifiers[attribute]
    elif attribute in VALUES:
        value = VALUES[attribute]
        yield value() if callable(value) else value
    elif match := re.fullmatch(r"list\[(.+)\]", kind):
        yield list(values(package, attribute, match[1], given, node=node))
    elif kind.startswith("dict("):
        yield {"key": "value"}
    elif kind in PRIMITIVES:
        allowed = enumeration(package, attribute)
        yield allowed if allowed and kind == "str" else PRIMITIVES[kind]
    else:
        for cls in subtypes(package, kind, node=node):
            yield from filled(package, cls, given, node=node)


PRIMITIVES: Mapping[str, Any] = {
    "str": "text",
    "int": 2,
    "float": 2.0,
    "bool": True,
    "datetime": datetime(2030, 6, 1, tzinfo=UTC),
}


def enumeration(package: Any, attribute: str) -> str:
    """A value that an enumerated field of some model can have; empty if there is no such field."""
    prefix = f"{attribute.upper()}_"
    constants = (
        value
        for cls in vars(package).values()
        if isinstance(cls, type)
        for name, value in vars(cls).items()
        if name.startswith(prefix) and isinstance(value, str)
    )
    return next(constants, "")


def missing(sent: Any, shown: Any, path: str = "") -> list[str]:
    """The paths of what was sent and is not shown as it was."""
    if isinstance(sent, dict):
        shown = shown if isinstance(shown, dict) else {}
        return [
            each
            for name, value in sent.items()
            if value is not None
            for each in missing(value, shown.get(name), f"{path}.{name}")
        ]
    if isinstance(sent, list):
        if not isinstance(shown, list) or len(shown) != len(sent):
            return [path]
        pairs = enumerate(zip(sent, shown, strict=True))
        return [each for n, (a, b) in pairs for each in missing(a, b, f"{path}[{n}]")]
    if isinstance(sent, str) and isinstance(shown, str) and re.match(r"\d{4}-\d\d-\d\dT", sent):
        same = datetime.fromisoformat(sent) == datetime.fromisoformat(shown)
        return [] if same else [path]
    return [] if sent == shown else [path]


@pytest.fixture(scope="module")
def given(cloud: Any, log_group: str) -> Given:
    log = cloud.worked(
        cloud.logging.create_log(
            log_group,
            oci.logging.models.CreateLogDetails(display_name="round_trip", log_type="CUSTOM"),
        )
    )
    return Given(
        {
            "compartment_id": cloud.tenancy,
            "project_id": cloud.emulator.project,
            "log_group_id": log_group,
            "log_id": log,
            "job_id": cloud.job(display_name="referred to").id,
        }
    )


def instances(given: Given, name: str) -> list[Any]:
    return list(filled(models, getattr(models, name), given))


def split(details: Any) -> list[Any]:
    """Job or run details, as one node and as many: no job is both."""
    nodes = [name for name in details.swagger_types if name.startswith("job_node_configuration")]
    beside = [
        name for name in details.swagger_types if any(name.startswith(block) for block in ALONE)
    ]
    fields = {name: getattr(details, name) for name in details.swagger_types}
    one = type(details)(**{k: v for k, v in fields.items() if k not in nodes})
    many = type(details)(**{k: v for k, v in fields.items() if k not in beside})
    return [one, many]


def covered(details: list[Any]) -> set[str]:
    """The fields of the model that are set in some of its instances."""
    return {
        name for each in details for name in each.swagger_types if getattr(each, name) is not None
    }


def check(sent: Any, shown: Any) -> None:
    assert missing(oci.util.to_dict(sent), oci.util.to_dict(shown)) == []


def test_every_field_of_a_job(cloud: Any, given: Given) -> None:
    client = cloud.data_science
    details = [each for full in instances(given, "CreateJobDetails") for each in split(full)]
    assert covered(details) == set(models.CreateJobDetails().swagger_types)
    kinds = set()
    for each in details:
        job = client.create_job(each).data
        check(each, client.get_job(job.id).data)
        if each.job_infrastructure_configuration_details:
            kinds.add(each.job_infrastructure_configuration_details.job_infrastructure_type)
    assert kinds == {"STANDALONE", "ME_STANDALONE", "MANAGED_COMPUTE_CLUSTER"}


def test_every_field_of_an_update_of_a_job(cloud: Any, given: Given) -> None:
    client = cloud.data_science
    for each in instances(given, "UpdateJobDetails"):
        job = cloud.job(None)
        client.update_job(job.id, each)
        check(each, client.get_job(job.id).data)


def test_every_field_of_a_run(cloud: Any, given: Given) -> None:
    client = cloud.data_science
    multi = next(
        each
        for full in instances(given, "CreateJobDetails")
        for each in split(full)
        if each.job_node_configuration_details
    )
    multi_node_job = cloud.upload_to(client.create_job(multi).data.id)
    details = [each for full in instances(given, "CreateJobRunDetails") for each in split(full)]
    assert covered(details) == set(models.CreateJobRunDetails().swagger_types)
    for each in details:
        each.freeform_tags = {"emulator.plan": '{"outcome": "SUCCEEDED"}'}
        if each.job_node_configuration_override_details:
            each.job_id = multi_node_job
        run = client.create_job_run(each).data
        check(each, client.get_job_run(run.id).data)


def test_every_field_of_an_update_of_a_run(cloud: Any, given: Given) -> None:
    client = cloud.data_science
    run = cloud.ended(cloud.start(given.identifiers["job_id"]).id)
    [details] = instances(given, "UpdateJobRunDetails")
    client.update_job_run(run.id, details)
    check(details, client.get_job_run(run.id).data)


@pytest.mark.parametrize("verb", ["Create", "Update"])
def test_every_field_of_a_project(cloud: Any, given: Given, verb: str) -> None:
    client = cloud.data_science
    [details] = instances(given, f"{verb}ProjectDetails")
    if verb == "Create":
        project = client.create_project(details).data.id
    else:
        project = cloud.emulator.project
        client.update_project(project, details)
    check(details, client.get_project(project).data)


@pytest.mark.parametrize("verb", ["Create", "Update"])
def test_every_field_of_a_schedule(cloud: Any, given: Given, verb: str) -> None:
    client = cloud.data_science
    all_details = instances(given, f"{verb}ScheduleDetails")
    assert {each.trigger.trigger_type for each in all_details} == {"CRON", "INTERVAL", "ICAL"}
    for details in all_details:
        first = instances(given, "CreateScheduleDetails")[0]
        schedule = client.create_schedule(details if verb == "Create" else first).data.id
        active = oci.wait_until(
            client,
            client.get_schedule(schedule),
            "lifecycle_state",
            "ACTIVE",
            max_interval_seconds=0.05,
        ).data
        if verb == "Update":
            client.update_schedule(schedule, details)
            active = client.get_schedule(schedule).data
        check(details, active)


@pytest.mark.parametrize(
    ("package", "kind"), [(oci.logging.models, "LogGroup"), (oci.logging.models, "Log")]
)
def test_every_field_of_logs_and_their_groups(
    cloud: Any, given: Given, package: Any, kind: str
) -> None:
    client = cloud.logging
    limits = {
        **given.identifiers,
        "display_name": f"round_trip_{kind.lower()}",
        "log_type": "CUSTOM",
        "retention_duration": 60,
    }
    group = given.identifiers["log_group_id"]
    [*_, created] = filled(package, getattr(package, f"Create{kind}Details"), Given(limits))
    [*_, updated] = filled(
        package,
        getattr(package, f"Update{kind}Details"),
        Given({**limits, "display_name": f"renamed_{kind.lower()}"}),
    )
    if kind == "LogGroup":
        made = cloud.worked(client.create_log_group(created))
        get: Callable[[], Any] = lambda: client.get_log_group(made).data  # noqa: E731
        update: Callable[[], Any] = lambda: client.update_log_group(made, updated)  # noqa: E731
    else:
        made = cloud.worked(client.create_log(group, created))
        get = lambda: client.get_log(group, made).data  # noqa: E731
        update = lambda: client.update_log(group, made, updated)  # noqa: E731
    check(created, get())
    cloud.worked(update())
    check(updated, get())


@pytest.fixture(scope="module")
def flow_given(flow: Any) -> Iterator[Given]:
    """What applications and runs of Data Flow refer to, and values that rules restrict."""
    flow.emulator.set_rules(pool_after_creation="ACCEPTED", pool_start_by_run="wait")
    identifiers: dict[str, Any] = {
        "compartment_id": flow.cloud.tenancy,
        "type": "SESSION",
        "spark_version": "3.5.0",
        "driver_shape": "VM.Standard.E4.Flex",
        "executor_shape": "VM.Standard.E4.Flex",
        "shape": "VM.Standard.E4.Flex",
        "file_uri": flow.uri("main.py"),
        "archive_uri": f"{flow.uri('a.zip')},{flow.uri('b.zip')}",
        "logs_bucket_uri": "oci://logs@ns/",
        "warehouse_bucket_uri": "oci://warehouse@ns/below",
        "arguments": ["--of", "${text}"],
        "max_host_count": 512,
        "freeform_tags": TAGS,
        "defined_tags": {"namespace": {"key": "value"}},
        "security_attributes": {"namespace": {"key": {"value": "1"}}},
        "execute": f"--class A {flow.uri('main.jar')} 1",
    }
    made = Given(identifiers)
    package = oci.data_flow.models
    [pool] = filled(package, package.CreatePoolDetails, made)
    [endpoint] = filled(package, package.CreatePrivateEndpointDetails, made)
    created = flow.client.create_private_endpoint(endpoint)
    flow.worked(created)
    yield Given(
        {
            **identifiers,
            "pool_id": flow.client.create_pool(pool).data.id,
            "private_endpoint_id": created.data.id,
        }
    )
    flow.emulator.set_rules(pool_after_creation="ACTIVE", pool_start_by_run="start")


def flow_details(given: Given, name: str) -> list[Any]:
    """An application's or a run's details: once with fields, once with what it executes."""
    package = oci.data_flow.models
    [full] = filled(package, getattr(package, name), given)
    values = {field: getattr(full, field) for field in full.swagger_types}
    derived = {"execute", *(EXECUTED & values.keys())}
    fields = {name: value for name, value in values.items() if name != "execute"}
    executes = {name: value for name, value in values.items() if name not in derived - {"execute"}}
    if name == "CreateRunDetails":
        fields.pop("spark_version")
        executes.pop("application_id")
    elif name == "CreateApplicationDetails":
        executes["language"] = "JAVA"
    return [type(full)(**fields), type(full)(**executes)]


EXECUTED = {"class_name", "file_uri", "language", "arguments", "configuration", "parameters"}
"""What Data Flow takes from ``execute`` alone, if there is one."""


def test_every_field_of_an_application(flow: Any, flow_given: Given) -> None:
    details = flow_details(flow_given, "CreateApplicationDetails")
    package = oci.data_flow.models
    assert covered(details) == set(package.CreateApplicationDetails().swagger_types)
    for each in details:
        made = flow.client.create_application(each).data
        check(each, flow.client.get_application(made.id).data)
    for update in flow_details(flow_given, "UpdateApplicationDetails"):
        made = flow.application(type="SESSION", display_name="before")
        flow.client.update_application(update, made.id)
        check(update, flow.client.get_application(made.id).data)


def test_every_field_of_a_run_of_data_flow(flow: Any, flow_given: Given) -> None:
    application = flow.application(type="SESSION", display_name="of runs")
    named = Given({**flow_given.identifiers, "application_id": application.id})
    details = flow_details(named, "CreateRunDetails")
    package = oci.data_flow.models
    assert covered(details) == set(package.CreateRunDetails().swagger_types)
    runs = [flow.client.create_run(each).data for each in details]
    for each, run in zip(details, runs, strict=True):
        check(each, flow.client.get_run(run.id).data)
    [update] = filled(package, package.UpdateRunDetails, flow_given)
    flow.client.update_run(update, runs[0].id)
    check(update, flow.client.get_run(runs[0].id).data)


@pytest.mark.parametrize("kind", ["Pool", "PrivateEndpoint"])
def test_every_field_of_pools_and_private_endpoints(
    flow: Any, flow_given: Given, kind: str
) -> None:
    package = oci.data_flow.models
    name = "pool" if kind == "Pool" else "private_endpoint"
    client = flow.client
    [details] = filled(package, getattr(package, f"Create{kind}Details"), flow_given)
    created = getattr(client, f"create_{name}")(details)
    if kind == "PrivateEndpoint":
        flow.worked(created)
    check(details, getattr(client, f"get_{name}")(created.data.id).data)
    [update] = filled(package, getattr(package, f"Update{kind}Details"), flow_given)
    update.display_name = "renamed"
    flow.worked(getattr(client, f"update_{name}")(update, created.data.id))
    check(update, getattr(client, f"get_{name}")(created.data.id).data)


def test_what_is_not_shown_as_it_was_sent_is_found() -> None:
    sent = {"a": {"b": [1, {"c": "2030-01-01T00:00:00+00:00"}]}, "d": None}
    assert missing(sent, {"a": {"b": [1, {"c": "2030-01-01T00:00:00Z"}]}, "d": 1}) == []
    assert missing(sent, {"a": {"b": [2, {}]}}) == [".a.b[0]", ".a.b[1].c"]
    assert missing({"a": [1]}, {"a": []}) == [".a"]
