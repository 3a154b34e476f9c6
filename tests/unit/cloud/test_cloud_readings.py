"""What was sent to OCI is read back as the same request: else every job would seem to have been changed by others."""

from dataclasses import replace
from typing import Any

import pytest
from oci.data_science import models

from ocijobs.api.job.spec import OCIJob
from ocijobs.backends.data_science.backend import DATA_SCIENCE
from ocijobs.backends.data_science.requests import JobRequest, LogConfiguration
from ocijobs.backends.differences import all_differences, setting_differences
from ocijobs.backends.revision import job_request
from ocijobs.cloud.data_science_models import create_job_details, job_content, job_record
from ocijobs.testing import LOG_GROUP, make_job, make_job_input, make_ocid

CONTAINER = {
    "container": {
        "image": "iad.ocir.io/n/train:1",
        "image_digest": f"sha256:{'0' * 64}",
        "entrypoint": ["/bin/sh", "-c"],
        "cmd": ["train"],
    }
}
FLEX = {
    "shape_name": "VM.Standard.E4.Flex",
    "job_shape_config_details": {"ocpus": 1, "memory_in_gbs": 16},
}
MOUNTS = [
    {"destination_directory_name": "a", "src": "oci://bucket@namespace/prefix"},
    {
        "destination_directory_name": "b",
        "destination_path": "/opc",
        "src": "ocid1.mounttarget.oc1.iad.a:ocid1.export.oc1.iad.b",
    },
]
TARGET = {
    "compute_target_id": make_ocid("datasciencecomputetarget"),
    "resource_request": {"ocpus": 2, "memory_in_gbs": 8, "gpus": 1},
    "resource_limit": {"ocpus": 4, "memory_in_gbs": 16},
}


def _job(infrastructure: dict[str, Any], **spec: Any) -> OCIJob:
    return make_job(infrastructure={"data_science_job": infrastructure}, **spec)


JOBS = {
    "plain": make_job(),
    "flexible": _job(
        {**FLEX, "subnet_id": make_ocid("subnet"), "storage_mounts": MOUNTS},
        description="Trains",
        args=["--rate", "0.1"],
        env=[{"name": "A", "value": "1"}],
        maximum_runtime_in_minutes=30,
        freeform_tags={"team": "a"},
        defined_tags={"costs": {"center": "7"}},
    ),
    "probed": _job({**FLEX, "startup_probe": {"command": ["/bin/true"], "period_in_seconds": 5}}),
    "container": _job(FLEX, runtime=CONTAINER),
    "cluster": _job({"compute_target": TARGET}),
    "nodes": _job(
        {
            **FLEX,
            "startup_order": "IN_ORDER",
            "job_node_groups": [
                {"name": "head", "env": [{"name": "ROLE", "value": "head"}]},
                {"name": "workers", "replicas": 3, "minimum_success_replicas": 2, **FLEX},
            ],
        }
    ),
}


def _request(job: OCIJob, log: LogConfiguration | None = None) -> JobRequest:
    request = job_request(DATA_SCIENCE, make_job_input(job=job), "v1-1")
    assert isinstance(request, JobRequest)
    return replace(request, log=log)


def _as_oci_tells(request: JobRequest) -> Any:
    """Return the Job of a service that keeps what it was sent."""
    details = create_job_details(request)
    fields = {name: getattr(details, name) for name in details.swagger_types}
    return models.Job(id=make_ocid("datasciencejob"), lifecycle_state="ACTIVE", **fields)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_read_as_it_was_sent(name: str) -> None:
    request = _request(JOBS[name], LogConfiguration(log_group_id=LOG_GROUP, log_id=None))
    found = job_content(_as_oci_tells(request))
    assert all_differences(DATA_SCIENCE, request, found) == ()
    assert found.workload == request.workload
    assert found.log == request.log


@pytest.mark.parametrize("name", JOBS)
def test_every_job_differs_from_every_other(name: str) -> None:
    request = _request(JOBS[name])
    for other, job in JOBS.items():
        same = all_differences(DATA_SCIENCE, request, _request(job)) == ()
        assert same == (other == name), other


def test_what_oci_fills_in_is_no_difference() -> None:
    request = _request(JOBS["flexible"])
    told = _as_oci_tells(request)
    told.job_infrastructure_configuration_details.job_shape_config_details.cpu_baseline = (
        "BASELINE_1_1"
    )
    told.job_storage_mount_configuration_details_list[0].destination_path = "/mnt"
    told.defined_tags = {**told.defined_tags, "Oracle-Tags": {"CreatedBy": "somebody"}}
    told.freeform_tags = {**told.freeform_tags, "audited": "yes"}
    assert setting_differences(DATA_SCIENCE, request.settings, job_content(told).settings) == ()


def test_a_value_of_a_variable_that_others_set_is_not_shown() -> None:
    request = _request(JOBS["flexible"])
    told = _as_oci_tells(request)
    told.job_configuration_details.environment_variables = {"A": "secret", "B": "secret too"}
    differences = all_differences(DATA_SCIENCE, request, job_content(told))
    assert {d.field for d in differences} >= {"env[A]", "env[B]"}
    assert "secret" not in str(differences)


def test_a_job_of_later_days_is_known_but_not_read() -> None:
    told = _as_oci_tells(_request(JOBS["plain"]))
    # The SDK says so of every type that it does not know.
    told.job_infrastructure_configuration_details.job_infrastructure_type = "QUANTUM"
    record = job_record(told, complete=True)
    assert record.content is None
    assert record.unreadable == "infrastructure of type UNKNOWN_ENUM_VALUE"
