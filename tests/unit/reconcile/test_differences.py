"""What is different in OCI from what is wanted, by the names of the spec's fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ocijobs.api.job.machines.compute_target import ComputeTarget, ResourceRequest
from ocijobs.api.job.machines.node_group import StartupOrder
from ocijobs.api.job.machines.shape import JobShapeConfigDetails
from ocijobs.api.job.machines.storage_mount import ObjectStorageMount
from ocijobs.api.shared.names import TAG_OWNER
from ocijobs.backends.data_science.backend import DATA_SCIENCE
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, Mount, NodeMachine
from ocijobs.backends.data_science.requests import (
    ContainerEnvironment,
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
    MultiNode,
    NodeGroup,
    SingleNode,
)
from ocijobs.backends.differences import all_differences, setting_differences
from ocijobs.backends.requests import Tags

COMPUTE = "infrastructure.dataScienceJob"
BUCKET = ObjectStorageMount(namespace="ns", bucket="b", prefix=None)
SETTINGS = JobSettings(
    display_name="team-a/job",
    description=None,
    infrastructure=Compute(
        shape_name="VM.Standard3.Flex",
        size=JobShapeConfigDetails(ocpus=1, memory_in_gbs=16),
        block_storage_size_in_gbs=50,
    ),
    tags=Tags(freeform={"team": "a", TAG_OWNER: "c/uid"}, defined={"cost": {"centre": "1"}}),
    storage_mounts=(Mount(source=BUCKET, directory_name="data", path=None),),
)
STARTED = JobConfiguration(
    environment_variables={"A": "1"}, command_line_arguments="x", maximum_runtime_in_minutes=60
)
IMAGE = ContainerEnvironment(image="iad.ocir.io/ns/image", entrypoint=("run",), cmd=("a",))
STARTS = SingleNode(configuration=STARTED, container=IMAGE)
JOB = JobRequest(
    compartment_id="c",
    project_id="p",
    settings=SETTINGS,
    workload=STARTS,
    log=LogConfiguration(log_group_id="group", log_id=None),
)
GROUP = NodeGroup(
    name="workers",
    replicas=2,
    minimum_success_replicas=2,
    machine=NodeMachine(shape_name="VM.Standard2.1", size=None, block_storage_size_in_gbs=50),
    configuration=STARTED,
    container=IMAGE,
)
NODES = MultiNode(
    groups=(GROUP,),
    startup_order=StartupOrder.IN_PARALLEL,
    maximum_runtime_in_minutes=60,
    subnet_id="subnet",
)


def machine(**changes: Any) -> JobSettings:
    """Return the settings with another machine."""
    assert isinstance(SETTINGS.infrastructure, Compute)
    return replace(SETTINGS, infrastructure=replace(SETTINGS.infrastructure, **changes))


def starting(**changes: Any) -> SingleNode:
    """Return what the job starts, with other configuration."""
    return replace(STARTS, configuration=replace(STARTED, **changes))


def tagged(freeform: dict[str, str], defined: dict[str, dict[str, str]]) -> JobSettings:
    """Return the settings with other tags."""
    return replace(SETTINGS, tags=Tags(freeform=freeform, defined=defined))


def test_what_is_alike_has_no_differences() -> None:
    assert all_differences(DATA_SCIENCE, JOB, JOB) == ()
    trailing = (Mount(source=BUCKET, directory_name="data", path="/mnt/"),)
    assert (
        setting_differences(DATA_SCIENCE, SETTINGS, replace(SETTINGS, storage_mounts=trailing))
        == ()
    )
    others = Tags(freeform={"team": "a", "theirs": "x"}, defined=SETTINGS.tags.defined)
    assert (
        setting_differences(DATA_SCIENCE, SETTINGS, replace(SETTINGS, tags=others, description=""))
        == ()
    )


@pytest.mark.parametrize(
    ("found", "field", "wanted", "shown"),
    [
        (replace(SETTINGS, display_name="x"), "displayName", "team-a/job", "x"),
        (replace(SETTINGS, description="x"), "description", "-", "x"),
        (tagged({}, {"cost": {"centre": "1"}}), "freeformTags[team]", "a", "-"),
        (tagged({"team": "a"}, {}), "definedTags[cost][centre]", "1", "-"),
        (machine(shape_name="x"), f"{COMPUTE}.shapeName", "VM.Standard3.Flex", "x"),
        (machine(block_storage_size_in_gbs=99), f"{COMPUTE}.blockStorageSizeInGBs", "50", "99"),
        (machine(subnet_id="x"), f"{COMPUTE}.subnetId", "-", "x"),
        (
            replace(SETTINGS, storage_mounts=()),
            f"{COMPUTE}.storageMounts",
            "('ns b at /mnt/data',)",
            "-",
        ),
    ],
)
def test_a_setting_that_others_changed_is_named(
    found: JobSettings, field: str, wanted: str, shown: str
) -> None:
    (difference,) = setting_differences(DATA_SCIENCE, SETTINGS, found)
    assert (difference.field, difference.wanted, difference.found) == (field, wanted, shown)


def test_every_field_of_a_size_is_named() -> None:
    other = JobShapeConfigDetails(ocpus=2, memory_in_gbs=32, cpu_baseline="BASELINE_1_2")
    found = setting_differences(DATA_SCIENCE, SETTINGS, machine(size=other))
    where = f"{COMPUTE}.jobShapeConfigDetails"
    names = {difference.field for difference in found}
    assert names == {f"{where}.{name}" for name in ("ocpus", "memoryInGBs", "cpuBaseline")}


def test_a_job_of_several_nodes_has_no_machine_of_its_own() -> None:
    grouped = replace(SETTINGS, infrastructure=None)
    assert setting_differences(DATA_SCIENCE, grouped, grouped) == ()


def test_a_compute_target_is_compared_as_a_whole() -> None:
    request = ResourceRequest(ocpus=1, memory_in_gbs=16)
    target = ComputeTarget(
        compute_target_id="ocid1.datasciencecomputetarget.oc1.iad.a", resource_request=request
    )
    wanted = replace(SETTINGS, infrastructure=ComputeCluster(target=target))
    assert setting_differences(DATA_SCIENCE, wanted, wanted) == ()
    larger = target.model_copy(update={"resource_request": request.model_copy(update={"ocpus": 2})})
    found = replace(SETTINGS, infrastructure=ComputeCluster(target=larger))
    (difference,) = setting_differences(DATA_SCIENCE, wanted, found)
    assert difference.field == f"{COMPUTE}.computeTarget"


@pytest.mark.parametrize(
    ("workload", "fields"),
    [
        (
            replace(STARTS, container=replace(IMAGE, image="x", cmd=())),
            {"runtime.container.image", "runtime.container.cmd"},
        ),
        (starting(environment_variables={"A": "1", "B": "2"}), {"env[B]"}),
        (starting(command_line_arguments="y"), {"args"}),
        (starting(maximum_runtime_in_minutes=5), {"maximumRuntimeInMinutes"}),
    ],
)
def test_what_a_job_starts_is_compared_exactly(workload: SingleNode, fields: set[str]) -> None:
    found = all_differences(DATA_SCIENCE, JOB, replace(JOB, workload=workload))
    assert {difference.field for difference in found} == fields


def test_values_that_oci_has_are_not_shown() -> None:
    theirs = replace(STARTED, environment_variables={"A": "their-secret"})
    (difference,) = all_differences(
        DATA_SCIENCE, JOB, replace(JOB, workload=SingleNode(configuration=theirs, container=IMAGE))
    )
    assert (difference.wanted, difference.found) == ("1", "another value")


@pytest.mark.parametrize(
    ("nodes", "field"),
    [
        (replace(NODES, startup_order=StartupOrder.IN_ORDER), f"{COMPUTE}.startupOrder"),
        (replace(NODES, subnet_id="x"), f"{COMPUTE}.subnetId"),
        (replace(NODES, maximum_runtime_in_minutes=5), "maximumRuntimeInMinutes"),
        (
            replace(NODES, groups=(replace(GROUP, replicas=3),)),
            f"{COMPUTE}.jobNodeGroups[workers].replicas",
        ),
        (
            replace(
                NODES,
                groups=(
                    replace(GROUP, configuration=replace(STARTED, command_line_arguments="y")),
                ),
            ),
            f"{COMPUTE}.jobNodeGroups[workers].args",
        ),
    ],
)
def test_groups_of_nodes_are_compared_by_their_names(nodes: MultiNode, field: str) -> None:
    wanted = replace(JOB, workload=NODES)
    assert all_differences(DATA_SCIENCE, wanted, wanted) == ()
    (difference,) = all_differences(DATA_SCIENCE, wanted, replace(wanted, workload=nodes))
    assert difference.field == field


def test_a_log_that_is_not_wanted_is_a_difference() -> None:
    (difference,) = all_differences(DATA_SCIENCE, replace(JOB, log=None), JOB)
    assert difference.field == f"{COMPUTE}.logging.logGroupId"
