"""Multi-node jobs: a process on each node, with an environment and a directory of its own."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import oci
import pytest
from oci.data_science import models
from oci.exceptions import ServiceError

SHOW = b"""
import json, os
names = ("NODE_RANK", "INITIAL_CLUSTER_SIZE", "FQDN", "JOB_RUN_OCID", "HOME", "ROLE")
shown = {name: os.environ.get(name) for name in names}
with open(os.environ["CLUSTER_NODES_METADATA_FILE"]) as file:
    shown["nodes"] = json.load(file)
shown["token"] = os.environ["OCI_RESOURCE_PRINCIPAL_RPST"]
print(json.dumps(shown))
"""
FAIL_BY_RANK = b"""
import os, signal, sys
if os.environ["NODE_RANK"] in os.environ.get("FAILING", "").split():
    sys.exit(int(os.environ["NODE_RANK"]) + 3)
if "WAIT" in os.environ:
    signal.pause()
"""


def group(name: str, replicas: int, environment: Mapping[str, str] = {}, **fields: Any) -> Any:
    probe = fields.pop("probe", None)
    return models.JobNodeGroupConfigurationDetails(
        name=name,
        replicas=replicas,
        job_configuration_details=models.DefaultJobConfigurationDetails(
            environment_variables=dict(environment), startup_probe_details=probe
        ),
        job_infrastructure_configuration_details=(
            models.MultiNodeJobInfrastructureConfigurationDetails(
                shape_name="VM.Standard2.1", block_storage_size_in_gbs=50
            )
        ),
        **fields,
    )


def multi_node_job(
    cloud: Any, artifact: bytes, *groups: Any, log_group: str = "", **fields: Any
) -> Any:
    nodes = models.MultiNodeJobNodeConfigurationDetails(
        job_node_group_configuration_details_list=list(groups), **fields
    )
    return cloud.job(
        artifact,
        job_configuration_details=None,
        job_infrastructure_configuration_details=None,
        job_node_configuration_details=nodes,
        job_log_configuration_details=cloud.auto_log(log_group) if log_group else None,
    )


def groups_of(run: Any) -> dict[str, str]:
    return {shown.name: shown.lifecycle_state for shown in run.node_group_details_list}


def test_each_node_knows_its_rank_and_the_others(cloud: Any, log_group: str) -> None:
    job = multi_node_job(
        cloud,
        SHOW,
        group("head", 1, {"ROLE": "head"}),
        group("workers", 2, {"ROLE": "worker"}),
        log_group=log_group,
    )
    accepted = cloud.start(job.id)
    assert groups_of(accepted) == {"head": "CREATING", "workers": "CREATING"}
    run = cloud.ended(accepted.id)
    assert run.lifecycle_state == "SUCCEEDED"
    assert groups_of(run) == {"head": "DELETED", "workers": "DELETED"}
    shown = sorted((json.loads(line) for line in cloud.lines(run)), key=lambda n: n["NODE_RANK"])
    assert [node["NODE_RANK"] for node in shown] == ["0", "1", "2"]
    assert [node["ROLE"] for node in shown] == ["head", "worker", "worker"]
    assert {node["INITIAL_CLUSTER_SIZE"] for node in shown} == {"3"}
    assert {node["JOB_RUN_OCID"] for node in shown} == {run.id}
    assert len({node["HOME"] for node in shown}) == 3
    assert len({node["token"] for node in shown}) == 3
    addresses = [node["FQDN"] for node in shown]
    assert len(set(addresses)) == 3
    for node in shown:
        assert [(each["Rank"], each["IPAddress"]) for each in node["nodes"]] == list(
            enumerate(addresses)
        )
        assert [each["NodeGroup"] for each in node["nodes"]] == ["head", "workers", "workers"]


def test_nodes_reach_each_other_at_the_same_port(cloud: Any, log_group: str) -> None:
    script = b"""
import json, os, socket
with open(os.environ["CLUSTER_NODES_METADATA_FILE"]) as file:
    addresses = {node["Rank"]: node["IPAddress"] for node in json.load(file)}
rank = int(os.environ["NODE_RANK"])
with socket.create_server((addresses[rank], 29500)) as server:
    # A ring: each says hello to the next, who may not be up yet.
    while True:
        try:
            following = socket.create_connection((addresses[(rank + 1) % 3], 29500))
            break
        except ConnectionRefusedError:
            pass
    following.sendall(str(rank).encode())
    print(rank, "heard", server.accept()[0].recv(9).decode())
"""
    job = multi_node_job(cloud, script, group("ring", 3), log_group=log_group)
    run = cloud.ended(cloud.start(job.id).id)
    assert sorted(cloud.lines(run)) == ["0 heard 2", "1 heard 0", "2 heard 1"]


def test_the_failure_of_one_node_ends_the_others(cloud: Any) -> None:
    job = multi_node_job(
        cloud, FAIL_BY_RANK, group("head", 1), group("workers", 2, {"FAILING": "2", "WAIT": "1"})
    )
    run = cloud.ended(cloud.start(job.id).id)
    assert run.lifecycle_details == "Job run artifact execution failed with exit code 5."
    assert groups_of(run) == {"head": "DELETED", "workers": "FAILED"}


@pytest.mark.parametrize(
    ("failing", "state"), [("", "SUCCEEDED"), ("1", "SUCCEEDED"), ("0 1", "FAILED")]
)
def test_so_many_nodes_of_a_group_must_succeed(cloud: Any, failing: str, state: str) -> None:
    workers = group("workers", 3, {"FAILING": failing}, minimum_success_replicas=2)
    job = multi_node_job(cloud, FAIL_BY_RANK, workers)
    assert cloud.ended(cloud.start(job.id).id).lifecycle_state == state


def test_canceling_ends_all_nodes(cloud: Any) -> None:
    job = multi_node_job(cloud, FAIL_BY_RANK, group("workers", 2, {"WAIT": "1"}))
    run = cloud.start(job.id)
    assert len(cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")["pids"]) == 2
    assert groups_of(cloud.data_science.get_job_run(run.id).data) == {"workers": "ACTIVE"}
    cloud.data_science.cancel_job_run(run.id)
    assert cloud.ended(run.id).lifecycle_state == "CANCELED"
    assert cloud.emulator.run(run.id)["pids"] == []


def test_groups_start_in_order_each_when_the_former_is_ready(cloud: Any, log_group: str) -> None:
    script = b"""
import os, pathlib, signal
if os.environ["ROLE"] == "head":
    print("head", flush=True)
    pathlib.Path("ready").touch()
    signal.sigwait([signal.SIGTERM])
else:
    print("worker", flush=True)
    os.kill(int(pathlib.Path("../../node-0/home/pid").read_text()), signal.SIGTERM)
"""
    script = script.replace(
        b"import os, pathlib, signal",
        b"import os, pathlib, signal\n"
        b"signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        b"pathlib.Path('pid').write_text(str(os.getpid()))",
    )
    probe = models.JobExecProbeDetails(
        command=["test", "-e", "ready"], period_in_seconds=1, failure_threshold=60
    )
    job = multi_node_job(
        cloud,
        script,
        group("head", 1, {"ROLE": "head"}, probe=probe),
        group("workers", 1, {"ROLE": "worker"}),
        startup_order="IN_ORDER",
        log_group=log_group,
    )
    run = cloud.ended(cloud.start(job.id).id)
    assert (run.lifecycle_state, cloud.lines(run)) == ("SUCCEEDED", ["head", "worker"])


def test_a_node_that_never_becomes_ready_fails_the_run(cloud: Any) -> None:
    probe = models.JobExecProbeDetails(command=["false"], period_in_seconds=1, failure_threshold=2)
    workers = group("workers", 1, {"WAIT": "1"}, probe=probe)
    run = cloud.ended(cloud.start(multi_node_job(cloud, FAIL_BY_RANK, workers).id).id)
    assert (run.lifecycle_state, run.lifecycle_details) == (
        "FAILED",
        "Job run startup probe failed 2 times.",
    )
    assert groups_of(run) == {"workers": "FAILED"}


def test_a_run_overrides_groups_by_their_names(cloud: Any, log_group: str) -> None:
    script = b"import os; print(os.environ['NODE_RANK'], os.environ['A'], os.environ['B'])"
    values = {"A": "job", "B": "job"}
    job = multi_node_job(
        cloud, script, group("one", 1, values), group("two", 1, values), log_group=log_group
    )
    override = models.MultiNodeJobNodeConfigurationDetails(
        job_node_group_configuration_details_list=[
            models.JobNodeGroupConfigurationDetails(
                name="two",
                job_configuration_details=models.DefaultJobConfigurationDetails(
                    environment_variables={"B": "run"}
                ),
            )
        ]
    )
    run = cloud.ended(cloud.start(job.id, job_node_configuration_override_details=override).id)
    assert sorted(cloud.lines(run)) == ["0 job job", "1 job run"]


def test_a_run_can_not_override_a_group_that_the_job_has_not(cloud: Any) -> None:
    job = multi_node_job(cloud, b"", group("one", 1))
    override = models.MultiNodeJobNodeConfigurationDetails(
        job_node_group_configuration_details_list=[
            models.JobNodeGroupConfigurationDetails(name="two")
        ]
    )
    with pytest.raises(ServiceError) as caught:
        cloud.start(job.id, job_node_configuration_override_details=override)
    assert caught.value.status == 400
    assert "has no node group 'two', it has one" in caught.value.message


def test_a_simulated_run_shows_its_node_groups_too(cloud: Any) -> None:
    job = multi_node_job(cloud, b"", group("workers", 2))
    plan = json.dumps({"outcome": "SUCCEEDED"})
    run = cloud.ended(cloud.start(job.id, freeform_tags={"emulator.plan": plan}).id)
    assert groups_of(run) == {"workers": "DELETED"}


def test_what_a_killed_emulator_left_on_the_nodes_is_lost(own: Callable[..., Any]) -> None:
    cloud = own()
    job = multi_node_job(cloud, FAIL_BY_RANK, group("workers", 2, {"WAIT": "1"}))
    run = cloud.start(job.id)
    assert len(cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")["pids"]) == 2
    cloud.emulator.kill()
    cloud.emulator.start()
    again = oci.data_science.DataScienceClient(
        cloud.config, service_endpoint=cloud.emulator.http
    ).get_job_run(run.id)
    assert again.data.lifecycle_state == "FAILED"
    assert "was lost" in again.data.lifecycle_details
