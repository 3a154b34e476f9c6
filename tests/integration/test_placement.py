"""Where a job's runs go: shapes, mounts, logs and defaults, as they arrive in OCI."""

from typing import Any

import oci
import pytest
from tests.support import manifests
from tests.support.namespace import condition
from tests.support.stage import Stage


def _infrastructure(**changes: Any) -> dict[str, Any]:
    return {"infrastructure": {"dataScienceJob": {"shapeName": "VM.Standard2.1", **changes}}}


def _oci_job(stage: Stage, ocid: str) -> Any:
    return stage.oci_client(oci.data_science.DataScienceClient).get_job(ocid).data


def test_every_setting_of_the_machine_arrives(stage: Stage) -> None:
    stage.identity()
    namespace = stage.emulator.namespace
    stage.apply(
        manifests.job(
            **_infrastructure(
                shapeName="VM.Standard.E4.Flex",
                jobShapeConfigDetails={
                    "ocpus": 2,
                    "memoryInGBs": 32,
                    "cpuBaseline": "BASELINE_1_2",
                },
                blockStorageSizeInGBs=200,
                subnetId="ocid1.subnet.oc1.iad.a",
                capacityReservationId="ocid1.capacityreservation.oc1.iad.a",
                startupProbe={"command": ["/bin/true"], "periodInSeconds": 5},
                storageMounts=[
                    {
                        "destinationDirectoryName": "data",
                        "objectStorage": {"namespace": namespace, "bucket": "data"},
                    },
                    {
                        "destinationDirectoryName": "scratch",
                        "destinationPath": "/opc",
                        "src": "ocid1.mounttarget.oc1.iad.a:ocid1.export.oc1.iad.b",
                    },
                    {
                        "destinationDirectoryName": "more",
                        "src": f"oci://data@{namespace}/prefix",
                    },
                ],
            )
        )
    )
    job = _oci_job(stage, stage.until_synced("job")["status"]["jobId"])
    machine = job.job_infrastructure_configuration_details
    assert machine.job_infrastructure_type == "STANDALONE"
    assert machine.job_shape_config_details.cpu_baseline == "BASELINE_1_2"
    assert machine.block_storage_size_in_gbs == 200
    assert machine.capacity_reservation_id == "ocid1.capacityreservation.oc1.iad.a"
    assert job.job_configuration_details.startup_probe_details.command == ["/bin/true"]
    data, scratch, more = job.job_storage_mount_configuration_details_list
    assert (data.storage_type, data.bucket) == ("OBJECT_STORAGE", "data")
    assert (scratch.storage_type, scratch.export_id) == ("FILE_STORAGE", "ocid1.export.oc1.iad.b")
    assert (scratch.destination_path, more.prefix) == ("/opc", "prefix")
    # Mounts are changed in place, and go in place.
    stage.apply(manifests.job(**_infrastructure()))
    changed = stage.until_synced("job")["status"]
    assert _oci_job(stage, changed["jobId"]).job_storage_mount_configuration_details_list == []


def test_a_file_system_is_found_by_its_address(stage: Stage) -> None:
    stage.identity()
    mount = {"destinationDirectoryName": "shared", "src": "10.0.0.7:/data"}
    given = _infrastructure(subnetId="ocid1.subnet.oc1.iad.a", storageMounts=[mount])
    stage.apply(manifests.job(**given))
    told = stage.until_reason("OCIJob", "job", "NotAuthorizedOrNotFound")
    assert "no mount target with the address 10.0.0.7" in condition(told, "Ready")["message"]
    target, export = stage.emulator.add_file_system("10.0.0.7", "/data")
    stage.emulator.add_file_system("10.0.0.8", "/data2")
    found = stage.until_synced("job")["status"]
    (made,) = _oci_job(stage, found["jobId"]).job_storage_mount_configuration_details_list
    assert (made.mount_target_id, made.export_id) == (target, export)
    # What was found is kept: an operator that starts anew asks for it no more.
    searches = len(stage.emulator.journal("SearchResources"))
    stage.operator.stop()
    stage.start_operator()
    stage.create(manifests.run())
    stage.until_ended("run")
    assert len(stage.emulator.journal("SearchResources")) == searches


def test_logs_are_found_by_name(stage: Stage) -> None:
    group = stage.log_group()
    stage.identity()
    logging = {"logGroupName": stage.namespace, "logName": "output"}
    stage.apply(manifests.job(**_infrastructure(logging=logging)))
    told = stage.until_reason("OCIJob", "job", "NotAuthorizedOrNotFound")
    message = condition(told, "Ready")["message"]
    assert message.startswith("spec.infrastructure.dataScienceJob.logging.logName: ")
    assert "there is no log output" in message
    log = stage.log(group, "output")
    found = stage.until_synced("job")["status"]
    given = _oci_job(stage, found["jobId"]).job_log_configuration_details
    assert (given.log_group_id, given.log_id) == (group, log)
    assert {name["id"] for name in found["resolvedNames"]} == {group, log}


def test_a_shape_that_there_is_not_is_an_invalid_spec_with_a_suggestion(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(**_infrastructure(shapeName="VM.Standrad2.1")))
    told = stage.until_reason("OCIJob", "job", "InvalidSpec")
    message = condition(told, "Ready")["message"]
    assert message.startswith("spec.infrastructure.dataScienceJob.shapeName: ")
    assert "did you mean VM.Standard2.1" in message
    assert stage.emulator.journal("CreateJob") == []


@pytest.mark.no_operator
def test_what_neither_job_nor_identity_says_is_the_operators_default(stage: Stage) -> None:
    group = stage.log_group()
    stage.start_operator(default_log_group_id=group)
    stage.identity()
    stage.apply(manifests.job())
    job = _oci_job(stage, stage.until_synced("job")["status"]["jobId"])
    assert job.job_log_configuration_details.log_group_id == group
