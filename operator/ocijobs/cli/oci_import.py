"""An OCI job as a manifest that adopts it; an application of Data Flow as one that makes another beside it."""

from __future__ import annotations

from pathlib import Path

from ocijobs.api import kinds
from ocijobs.api.job.machines.storage_mount import ObjectStorageMount
from ocijobs.backends.data_flow.requests import ApplicationRequest
from ocijobs.backends.data_science.machines import MACHINES, Mount
from ocijobs.backends.data_science.requests import JobRequest, MultiNode, SingleNode
from ocijobs.backends.documents import put
from ocijobs.backends.manifest_fields import given_fields
from ocijobs.backends.requests import JobCreation, Tags
from ocijobs.cli.document_keys import Spec, in_order
from ocijobs.cli.manifests import Document, InputError, manifest, object_name
from ocijobs.cli.oci_import_application import application_spec
from ocijobs.cloud.job_reader import JobUnreadableError, read_job

_OWN_TAGS = frozenset({"ocijobs_owner", "ocijobs_name"})
_OF_ORACLE = "Oracle-Tags"
"""Defined tags that OCI sets by itself."""


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
    return manifest_of(ocid, request, remarks)


def manifest_of(ocid: str, request: JobCreation, remarks: list[str]) -> Document:
    """Return the OCIJob of what OCI tells of a job.

    Raises:
        InputError: if it can't be adopted.
    """
    if isinstance(request, ApplicationRequest):
        return _manifest(request, application_spec(request, remarks))
    if not isinstance(request, JobRequest) or isinstance(request.workload, MultiNode):
        raise InputError(
            f"{ocid}: is of several nodes, and such a job is not adopted: write its manifest"
        )
    remarks.append("the code stays as it is in OCI: give spec.runtime to have another")
    return _manifest(request, _adopting(ocid, request, request.workload))


def _manifest(request: JobRequest | ApplicationRequest, spec: Spec) -> Document:
    """Return the manifest: the spec, and what jobs of both services have."""
    for block in (request, request.settings):
        for path, value in given_fields(block):
            put(spec, path, value)
    spec |= _tags(request.settings.tags)
    return manifest(kinds.JOB, object_name(request.settings.display_name), in_order(spec))


def _tags(tags: Tags) -> Spec:
    """Return the tags that people gave: neither ours nor those of Oracle."""
    defined = tags.defined.items()
    return {
        "freeformTags": {k: v for k, v in tags.freeform.items() if k not in _OWN_TAGS},
        "definedTags": {name: dict(given) for name, given in defined if name != _OF_ORACLE},
    }


def _adopting(ocid: str, request: JobRequest, workload: SingleNode) -> Spec:
    """Return the machines, and what else of the job is no matter of its code: that is left as it is."""
    owner = request.settings.tags.freeform.get("ocijobs_owner")
    former = {"formerOwner": owner.rpartition("/")[0]} if owner else {}
    spec: Spec = {"adopt": {"ocid": ocid, **former}}
    for block in (request.settings.infrastructure, workload.configuration, request.log):
        for path, value in given_fields(block) if block is not None else ():
            if path.startswith(f"{MACHINES}."):
                put(spec, path, value)
    if mounts := [_mount(mount) for mount in request.settings.storage_mounts]:
        put(spec, f"{MACHINES}.storageMounts", mounts)
    return spec


def _mount(mount: Mount) -> Spec:
    kind = "objectStorage" if isinstance(mount.source, ObjectStorageMount) else "fileStorage"
    described: Spec = {kind: mount.source.document()}
    for path, value in given_fields(mount):
        described[path.removeprefix(f"{MACHINES}.storageMounts.")] = value
    return described
