"""What runs are launched with: the job as it was at the first launch, and a run's own values."""

from __future__ import annotations

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.binding import Binding, JobBinding, RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.backends.backend import Backend
from ocijobs.backends.environment import has_settings_of_runs
from ocijobs.backends.names import recorded_names
from ocijobs.backends.values import Values


def template_of_job(backend: Backend, job: OCIJob, region: str) -> RunTemplate:
    """Return the template of an OCIJob's runs.

    Of an adopted OCI job without a runtime here, OCI has what the spec doesn't say: its variables stay by themselves,
    its arguments and its time limit are sent with the rest of the block.
    """
    status = job.status
    template = backend.template(
        job.spec, region=region, artifact=status.artifact, names=recorded_names(status)
    )
    adopted = status.adopted
    if job.spec.runtime is not None or adopted is None:
        return template
    update = {
        "command_line_arguments": None if job.spec.args else adopted.command_line_arguments,
        "maximum_runtime_in_minutes": job.spec.maximum_runtime_in_minutes
        or adopted.maximum_runtime_in_minutes,
        # What the spec says of runs is not in the OCI job, so that each run is sent it.
        "made_elsewhere": has_settings_of_runs(job.spec) or None,
    }
    return template.model_copy(update=update)


def bind(
    backend: Backend,
    job: JobBinding,
    settings: RunSettings,
    values: Values,
    outputs_uri: str | None,
) -> Binding:
    """Return what one run is bound to.

    Args:
        backend: the service that runs it.
        job: as it is bound.
        settings: the run's own.
        values: what the variables' references gave.
        outputs_uri: where outputs go, expanded but for the run's own OCID.
    """
    shared = {name: getattr(job, name) for name in JobBinding.model_fields}
    told = backend.machines_told(job.template, settings) if job.template is not None else {}
    return Binding(**shared, **told, values=values.objects, outputs_uri=outputs_uri)
