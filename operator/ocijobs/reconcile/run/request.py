"""What a run's request is made from, and the digest by which it is known again."""

from __future__ import annotations

from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.names import TAG_NAME, TAG_OWNER
from ocijobs.backends.backend import Backend
from ocijobs.backends.digest import digest, owner_tag
from ocijobs.backends.inputs import RunInput
from ocijobs.backends.requests import RunCreation, Tags
from ocijobs.backends.values import Values
from ocijobs.reconcile.known.run import attempt_number
from ocijobs.reconcile.run.observation import RunObservation


def run_input(
    o: RunObservation, job: JobBinding, settings: RunSettings, values: Values
) -> RunInput:
    """Return what the request of the run's next attempt is made from.

    Args:
        o: the run.
        job: the job, as the run is bound to it.
        settings: the run's own, with the results that it takes of others.
        values: what the variables' references gave.
    """
    meta = o.run.metadata
    return RunInput(
        name=f"{meta.namespace}/{meta.name}",
        job=job,
        job_name=o.run.job_name or job.job_id or "",
        settings=settings,
        values=values,
        tags=_tags_of(o, settings),
        scheduled_time=o.scheduled_time,
        moved_on=o.job is not None and o.job.metadata.generation != job.job_generation,
        limits=o.settings,
    )


def run_owner(o: RunObservation) -> str:
    """Return the owner tag of the attempt that is under way, or comes next."""
    number = attempt_number(o.run.status)
    return owner_tag(cluster_id=o.cluster_id, uid=o.run.metadata.uid, subject=str(number))


def _tags_of(o: RunObservation, settings: RunSettings) -> Tags:
    meta = o.run.metadata
    return Tags(
        freeform={
            **(settings.freeform_tags or {}),
            TAG_OWNER: run_owner(o),
            TAG_NAME: f"{meta.namespace}/{meta.name}",
        },
        defined=settings.defined_tags or {},
    )


def request_digest(backend: Backend, request: RunCreation, run: RunInput) -> str:
    """Return the digest of the request: Secrets count by uid and resourceVersion, never by value.

    Variables and arguments are taken as they were written, since expanded ones may hold a secret.
    """
    settings, values, template = run.settings, run.values, run.template
    return digest(
        {
            **backend.run_content(request, settings),
            "compartmentId": request.compartment_id,
            "jobId": request.job_id,
            "displayName": request.display_name,
            "freeformTags": request.tags.freeform,
            "definedTags": request.tags.defined,
            "template": template.document(),
            "env": [variable.document() for variable in backend.variables(template, settings)],
            "values": {str(k): v for k, v in values.values.items() if k.kind == "ConfigMap"},
            "objects": [item.document() for item in values.objects if item.kind == "Secret"],
            "args": list(template.args if settings.args is None else settings.args),
        }
    )
