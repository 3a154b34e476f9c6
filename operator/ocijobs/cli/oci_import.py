"""An OCI job as a manifest that adopts it; an application of Data Flow as one that makes another beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_never

from ocijobs.api import kinds
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, Mount
from ocijobs.backends.requests import ApplicationRequest, JobRequest, MultiNode, SingleNode
from ocijobs.cli.manifests import Document, InputError, manifest, object_name
from ocijobs.cli.oci_import_application import application_manifest
from ocijobs.cloud.job_reader import JobUnreadableError, read_job

Spec = dict[str, Any]


def job_of_oci(
    ocid: str, config: Path | None, profile: str, endpoint: str | None, remarks: list[str]
) -> Document:
    """Return the OCIJob that adopts an OCI job, or that makes what an application is.

    Raises:
        InputError: if OCI does not tell of it.
    """
    try:
        request = read_job(ocid, config, profile, endpoint)
    except JobUnreadableError as error:
        raise InputError(f"{ocid}: {error}") from error
    if isinstance(request, ApplicationRequest):
        return application_manifest(request, remarks)
    if isinstance(request.workload, MultiNode):
        raise InputError(
            f"{ocid}: is of several nodes, and such a job is not adopted: write its manifest"
        )
    remarks.append("the code stays as it is in OCI: give spec.runtime to have another")
    return _manifest(ocid, request)


def _manifest(ocid: str, request: JobRequest) -> Document:
    settings = request.settings
    name = object_name(settings.display_name)
    ours = {"ocijobs_owner", "ocijobs_name"}
    owner = settings.tags.freeform.get("ocijobs_owner")
    former = {"formerOwner": owner.rpartition("/")[0]} if owner else {}
    return manifest(
        kinds.JOB,
        name,
        {
            "compartmentId": request.compartment_id,
            "projectId": request.project_id,
            "displayName": settings.display_name,
            "description": settings.description,
            "freeformTags": {k: v for k, v in settings.tags.freeform.items() if k not in ours},
            "definedTags": {
                namespace: dict(tags)
                for namespace, tags in settings.tags.defined.items()
                if namespace != "Oracle-Tags"
            },
            "adopt": {"ocid": ocid, **former},
            "infrastructure": {"dataScienceJob": _data_science(request)},
        },
    )


def _machine(request: JobRequest) -> Spec:
    match request.settings.infrastructure:
        case Compute() as compute:
            return {
                "shapeName": compute.shape_name,
                "jobShapeConfigDetails": compute.size.document() if compute.size else None,
                "blockStorageSizeInGBs": compute.block_storage_size_in_gbs,
                "subnetId": compute.subnet_id,
                "capacityReservationId": compute.capacity_reservation_id,
            }
        case ComputeCluster(target=target):
            return {"computeTarget": target.document()}
        case None:
            return {}
        case other:
            assert_never(other)


def _data_science(request: JobRequest) -> Spec:
    described = _machine(request)
    described["storageMounts"] = [_mount(mount) for mount in request.settings.storage_mounts]
    if request.log is not None:
        log = {"logGroupId": request.log.log_group_id, "logId": request.log.log_id}
        described["logging"] = {key: value for key, value in log.items() if value}
    if isinstance(request.workload, SingleNode) and request.workload.configuration.startup_probe:
        described["startupProbe"] = request.workload.configuration.startup_probe.document()
    return {key: value for key, value in described.items() if value not in (None, [], {})}


def _mount(mount: Mount) -> Spec:
    kind = "objectStorage" if hasattr(mount.source, "bucket") else "fileStorage"
    path = {"destinationPath": mount.path} if mount.path else {}
    return {
        kind: mount.source.document(),
        "destinationDirectoryName": mount.directory_name,
        **path,
    }
