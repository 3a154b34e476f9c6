"""What is recorded of a launch: the job as it was then, and the machines."""

from __future__ import annotations

from typing import Any

from ocijobs.api.job import OCIJob, OCIJobSpec
from ocijobs.api.job_run import Binding
from ocijobs.reconcile.compute import ComputeCluster, compute, node_groups, node_machine
from ocijobs.reconcile.environment import Values


def bind(job: OCIJob, values: Values, outputs_uri: str | None) -> Binding:
    """Return what a run of the job is bound to.

    Args:
        job: as it is now.
        values: what the variables' references gave.
        outputs_uri: where outputs go, expanded but for the run's own OCID.
    """
    artifact = job.status.artifact
    return Binding(
        job_uid=job.metadata.uid,
        job_generation=job.metadata.generation,
        artifact_sha256=artifact.sha256 if artifact is not None else None,
        **_compute(job.spec),
        values=values.objects,
        outputs_uri=outputs_uri,
        results=job.spec.results,
    )


def _compute(spec: OCIJobSpec) -> dict[str, Any]:
    """Return what is recorded of the machines that the run gets."""
    machine = compute(spec)
    if isinstance(machine, ComputeCluster):
        return {"compute_target_id": machine.target.compute_target_id}
    groups = node_groups(spec)
    first = machine or node_machine(spec.infrastructure.data_science_job, groups[0])
    return {
        "shape_name": first.shape_name,
        "ocpus": first.size.ocpus if first.size else None,
        "memory_in_gbs": first.size.memory_in_gbs if first.size else None,
        "block_storage_size_in_gbs": first.block_storage_size_in_gbs,
        "nodes": sum(group.replicas for group in groups) or None,
    }


def service_variables(job_id: str, compartment_id: str, project_id: str) -> dict[str, str]:
    """Return what OCI sets in a run and is known before it; JOB_RUN_OCID comes with the run."""
    return {
        "JOB_OCID": job_id,
        "JOB_COMPARTMENT_OCID": compartment_id,
        "JOB_RUN_COMPARTMENT_OCID": compartment_id,
        "PROJECT_OCID": project_id,
    }
