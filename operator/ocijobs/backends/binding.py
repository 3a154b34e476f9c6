"""What a run is launched with: the job as it was at the first launch, and the run's own values."""

from __future__ import annotations

from typing import Any

from ocijobs.api.run.binding import Binding, BoundApplication, JobBinding
from ocijobs.api.run.overrides import RunSpark
from ocijobs.api.run.settings import RunSettings
from ocijobs.backends.data_science.compute import machine, node_machine
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, NodeMachine
from ocijobs.backends.data_science.workload import machines
from ocijobs.backends.environment import Values, groups_of


def bind(
    job: JobBinding, settings: RunSettings, values: Values, outputs_uri: str | None
) -> Binding:
    """Return what one run is bound to.

    Args:
        job: as it is bound.
        settings: the run's own.
        values: what the variables' references gave.
        outputs_uri: where outputs go, expanded but for the run's own OCID.
    """
    shared = {name: getattr(job, name) for name in JobBinding.model_fields}
    return Binding(
        **shared, **_compute(job, settings), values=values.objects, outputs_uri=outputs_uri
    )


def _compute(job: JobBinding, settings: RunSettings) -> dict[str, Any]:
    """Return what people are told of the machines."""
    template = job.template
    if template is None:
        return {}
    if template.application is not None:
        return _spark(template.application, settings.spark or RunSpark())
    given, groups = machines(template, settings), groups_of(template)
    if given is None:
        return {}
    first = node_machine(given, groups[0]) if groups else machine(given)
    if isinstance(first, ComputeCluster):
        return {"compute_target_id": first.target.compute_target_id}
    nodes = sum(group.replicas for group in groups)
    return {**_machine(first), "nodes": nodes or None}


def _machine(first: Compute | NodeMachine) -> dict[str, Any]:
    return {
        "shape_name": first.shape_name,
        "ocpus": first.size.ocpus if first.size else None,
        "memory_in_gbs": first.size.memory_in_gbs if first.size else None,
        "block_storage_size_in_gbs": first.block_storage_size_in_gbs,
    }


def _spark(application: BoundApplication, ours: RunSpark) -> dict[str, Any]:
    """Return what people are told of the driver, which stands for its executors."""
    own = ours.driver_shape is not None
    size = ours.driver_shape_config if own else application.driver_shape_config
    return {
        "shape_name": ours.driver_shape or application.driver_shape,
        "ocpus": size.ocpus if size is not None else None,
        "memory_in_gbs": size.memory_in_gbs if size is not None else None,
        "nodes": 1 + (ours.num_executors or application.num_executors),
    }


def service_variables(job_id: str, compartment_id: str, project_id: str) -> dict[str, str]:
    """Return what OCI sets in a run and is known before it; JOB_RUN_OCID comes with the run."""
    return {
        "JOB_OCID": job_id,
        "JOB_COMPARTMENT_OCID": compartment_id,
        "JOB_RUN_COMPARTMENT_OCID": compartment_id,
        "PROJECT_OCID": project_id,
    }
