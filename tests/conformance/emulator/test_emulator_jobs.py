"""Jobs and their artifacts, as the SDK sees them."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import oci
import pytest
from oci.data_science import models
from oci.exceptions import ServiceError


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    """Status and code of the error that a call ends with."""
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.status, caught.value.code


def test_a_job_is_active_once_its_artifact_is_there(cloud: Any) -> None:
    job = cloud.job(None, environment={"A": "1"}, freeform_tags={"team": "a"})
    assert job.lifecycle_state == "CREATING"
    assert job.created_by == cloud.emulator.user
    cloud.upload(job.id, b"print(1)")
    job = cloud.data_science.get_job(job.id).data
    assert job.lifecycle_state == "ACTIVE"
    assert job.job_configuration_details.environment_variables == {"A": "1"}
    assert job.job_infrastructure_configuration_details.job_shape_config_details.ocpus == 1
    assert job.freeform_tags == {"team": "a"}
    assert job.defined_tags["Oracle-Tags"]["CreatedBy"] == cloud.emulator.user


def test_a_job_with_a_container_needs_no_artifact(cloud: Any) -> None:
    environment = models.OcirContainerJobEnvironmentConfigurationDetails(
        image="iad.ocir.io/namespace/image:1", cmd=["a"], entrypoint=["b"]
    )
    job = cloud.job(None, job_environment_configuration_details=environment)
    assert job.lifecycle_state == "ACTIVE"
    assert job.job_environment_configuration_details.image == environment.image


def test_a_multi_node_job_shows_empty_blocks_at_its_top(cloud: Any) -> None:
    nodes = models.MultiNodeJobNodeConfigurationDetails(
        startup_order="IN_PARALLEL",
        job_network_configuration=models.JobDefaultNetworkConfiguration(),
        job_node_group_configuration_details_list=[
            models.JobNodeGroupConfigurationDetails(
                name="workers",
                replicas=2,
                job_infrastructure_configuration_details=(
                    models.MultiNodeJobInfrastructureConfigurationDetails(
                        shape_name="VM.Standard2.1", block_storage_size_in_gbs=50
                    )
                ),
            )
        ],
    )
    job = cloud.job(
        job_configuration_details=None,
        job_infrastructure_configuration_details=None,
        job_node_configuration_details=nodes,
    )
    assert job.job_configuration_details.job_type == "EMPTY"
    assert job.job_infrastructure_configuration_details.job_infrastructure_type == "EMPTY"
    [group] = job.job_node_configuration_details.job_node_group_configuration_details_list
    assert group.replicas == 2


def test_only_some_settings_can_be_updated(cloud: Any) -> None:
    job = cloud.job()
    infrastructure = models.StandaloneJobInfrastructureConfigurationDetails(
        shape_name="VM.Standard2.2",
        block_storage_size_in_gbs=100,
        subnet_id="ocid1.subnet.oc1.iad.a",
    )
    updated = cloud.data_science.update_job(
        job.id,
        models.UpdateJobDetails(
            display_name="renamed",
            job_infrastructure_configuration_details=infrastructure,
            freeform_tags={"a": "b"},
        ),
    ).data
    assert updated.display_name == "renamed"
    assert updated.job_infrastructure_configuration_details.subnet_id == "ocid1.subnet.oc1.iad.a"
    assert updated.freeform_tags == {"a": "b"}
    body = {"jobConfigurationDetails": {"jobType": "DEFAULT"}}
    with pytest.raises(ServiceError, match="jobConfigurationDetails: is not a field") as caught:
        cloud.data_science.update_job(job.id, body)
    assert caught.value.code == "InvalidParameter"


def test_an_update_with_an_old_etag_is_412(cloud: Any) -> None:
    job = cloud.job()
    client = cloud.data_science
    etag = client.get_job(job.id).headers["etag"]
    details = models.UpdateJobDetails(description="a")
    changed = client.update_job(job.id, details, if_match=etag)
    assert changed.headers["etag"] != etag
    for call in (
        lambda: client.update_job(job.id, details, if_match=etag),
        lambda: client.delete_job(job.id, if_match=etag),
        lambda: client.change_job_compartment(
            job.id, models.ChangeJobCompartmentDetails(compartment_id="c"), if_match=etag
        ),
    ):
        assert refusal(call) == (412, "NoEtagMatch")


def test_a_job_moves_to_another_compartment(cloud: Any) -> None:
    target = cloud.identity.create_compartment(
        oci.identity.models.CreateCompartmentDetails(
            compartment_id=cloud.tenancy, name="moved-jobs", description="x"
        )
    ).data.id
    job = cloud.job()
    details = models.ChangeJobCompartmentDetails(compartment_id=target)
    cloud.data_science.change_job_compartment(job.id, details)
    assert [found.id for found in cloud.data_science.list_jobs(target).data] == [job.id]
    unknown = models.ChangeJobCompartmentDetails(compartment_id="ocid1.compartment.oc1..none")
    assert refusal(lambda: cloud.data_science.change_job_compartment(job.id, unknown)) == (
        404,
        "NotAuthorizedOrNotFound",
    )


def test_a_job_is_deleted_by_a_work_request_and_shown_as_deleted(cloud: Any) -> None:
    client = cloud.data_science
    job = cloud.job(b"print(1)")
    response = client.delete_job(job.id)
    request = oci.wait_until(
        client,
        client.get_work_request(response.headers["opc-work-request-id"]),
        "status",
        "SUCCEEDED",
        max_interval_seconds=0.05,
    ).data
    assert request.operation_type == "JOB_DELETE"
    assert request.percent_complete == 100
    assert [resource.identifier for resource in request.resources] == [job.id]
    assert client.get_job(job.id).data.lifecycle_state == "DELETED"
    logs = client.list_work_request_logs(request.id).data
    assert [entry.message for entry in logs] == [
        "JOB_DELETE accepted.",
        "JOB_DELETE in_progress.",
        "JOB_DELETE succeeded.",
    ]
    assert client.list_work_request_errors(request.id).data == []
    listed = client.list_work_requests(cloud.tenancy, resource_id=job.id).data
    assert [found.id for found in listed] == [request.id]
    assert refusal(lambda: client.update_job(job.id, models.UpdateJobDetails())) == (
        409,
        "IncorrectState",
    )
    assert refusal(lambda: client.head_job_artifact(job.id))[0] == 404


def test_an_artifact_comes_back_as_it_was_sent(cloud: Any) -> None:
    content = bytes(range(256)) * 5000
    job = cloud.job(content, "code.zip")
    head = cloud.data_science.head_job_artifact(job.id).headers
    assert head["content-length"] == str(len(content))
    assert head["content-disposition"] == "attachment; filename=code.zip"
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    assert head["content-md5"] == b64encode(digest).decode()
    assert {"etag", "last-modified"} <= {name.lower() for name in head}
    got = cloud.data_science.get_job_artifact_content(job.id)
    assert got.data.content == content
    part = cloud.data_science.get_job_artifact_content(job.id, range="bytes=256-511")
    assert part.status == 206
    assert part.data.content == bytes(range(256))
    assert part.headers["content-range"] == f"bytes 256-511/{len(content)}"


def test_an_artifact_is_uploaded_once(cloud: Any) -> None:
    job = cloud.job(b"print(1)")
    assert refusal(lambda: cloud.upload(job.id, b"print(2)")) == (409, "Conflict")
    assert cloud.data_science.get_job_artifact_content(job.id).data.content == b"print(1)"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "attachment",
        "attachment; filename=../../etc/passwd",
        "attachment; filename=..",
        'attachment; filename="a/b.py"',
    ],
)
def test_an_artifact_needs_a_plain_file_name(cloud: Any, header: str | None) -> None:
    job = cloud.job(None)
    names = {} if header is None else {"content_disposition": header}
    call = lambda: cloud.data_science.create_job_artifact(job.id, b"x", **names)  # noqa: E731
    assert refusal(call)[0] == 400
    assert cloud.data_science.get_job(job.id).data.lifecycle_state == "CREATING"


def test_an_artifact_has_a_greatest_size(own: Callable[..., Any]) -> None:
    cloud = own(rules={"artifact_maximum_bytes": 1000})
    job = cloud.job(None)
    assert refusal(lambda: cloud.upload(job.id, b"x" * 1001)) == (413, "RequestEntityTooLarge")
    cloud.upload(job.id, b"x" * 1000)


def test_an_unknown_project_or_job_is_not_found(cloud: Any) -> None:
    details = cloud.job_details(project_id="ocid1.datascienceproject.oc1.iad.none")
    assert refusal(lambda: cloud.data_science.create_job(details)) == (
        404,
        "NotAuthorizedOrNotFound",
    )
    unknown = "ocid1.datasciencejob.oc1.iad.none"
    assert refusal(lambda: cloud.data_science.get_job(unknown)) == (404, "NotAuthorizedOrNotFound")


def test_jobs_are_listed_by_name_state_and_project(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated")
    client = cloud.data_science
    for name in ("b", "a", "c"):
        cloud.job(display_name=name)
    creating = cloud.job(None, display_name="a")

    def names(**query: str) -> list[str]:
        return [job.display_name for job in client.list_jobs(cloud.tenancy, **query).data]

    assert names() == ["a", "c", "a", "b"], "newest first"
    assert names(sort_by="displayName") == ["a", "a", "b", "c"]
    assert names(sort_by="displayName", sort_order="DESC") == ["c", "b", "a", "a"]
    assert names(sort_by="timeCreated", sort_order="ASC") == ["b", "a", "c", "a"]
    assert names(display_name="a") == ["a", "a"]
    assert names(lifecycle_state="CREATING") == ["a"]
    assert names(id=creating.id) == ["a"]
    assert names(project_id="ocid1.datascienceproject.oc1.iad.none") == []
    assert names(created_by=cloud.emulator.user) == ["a", "c", "a", "b"]
    [summary] = client.list_jobs(cloud.tenancy, id=creating.id).data
    assert not hasattr(summary, "job_configuration_details")


def test_deleted_jobs_are_listed_or_not(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated")
    client = cloud.data_science
    job = cloud.job()
    request = client.delete_job(job.id).headers["opc-work-request-id"]
    oci.wait_until(client, client.get_work_request(request), "status", "SUCCEEDED")
    assert [found.lifecycle_state for found in client.list_jobs(cloud.tenancy).data] == ["DELETED"]
    cloud.emulator.set_rules(deleted_in_lists=False)
    assert client.list_jobs(cloud.tenancy).data == []
    assert len(client.list_jobs(cloud.tenancy, lifecycle_state="DELETED").data) == 1
    cloud.emulator.advance(3601)
    assert refusal(lambda: client.get_job(job.id)) == (404, "NotAuthorizedOrNotFound")


def test_shapes_and_fast_launch_configurations_are_listed(cloud: Any) -> None:
    shapes = oci.pagination.list_call_get_all_results(
        cloud.data_science.list_job_shapes, cloud.tenancy, limit=5
    ).data
    assert len({shape.name for shape in shapes}) == len(shapes) > 5
    assert "VM.Standard.E4.Flex" in {shape.name for shape in shapes}
    fast = cloud.data_science.list_fast_launch_job_configs(cloud.tenancy).data
    assert {configuration.managed_egress_support for configuration in fast} == {"SUPPORTED"}


def test_projects_live_like_other_resources(cloud: Any) -> None:
    client = cloud.data_science
    project = client.create_project(
        models.CreateProjectDetails(compartment_id=cloud.tenancy, display_name="p")
    ).data
    assert project.lifecycle_state == "ACTIVE"
    client.update_project(project.id, models.UpdateProjectDetails(description="d"))
    assert client.get_project(project.id).data.description == "d"
    job = cloud.job(project_id=project.id)
    assert refusal(lambda: client.delete_project(project.id)) == (409, "Conflict")
    for delete, identifier in ((client.delete_job, job.id), (client.delete_project, project.id)):
        request = delete(identifier).headers["opc-work-request-id"]
        oci.wait_until(client, client.get_work_request(request), "status", "SUCCEEDED")
    assert client.get_project(project.id).data.lifecycle_state == "DELETED"
    assert project.id in {found.id for found in client.list_projects(cloud.tenancy).data}
