"""What an OCI job is made of, from the spec: its configuration, its settings, and the revision that they are.

A *revision* is a versioned hash of everything that OCI can't change in a job. It is taken over the spec as the user
wrote it and over the sources' digest, not over what is sent: an operator with other drivers, or one that sends
something more, finds the same revision and makes no job anew.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ocijobs.api.job import OCIJob, OCIJobSpec
from ocijobs.api.names import TAG_NAME, TAG_OWNER
from ocijobs.api.runtime import CondaEnvironment, CondaType
from ocijobs.reconcile.digest import digest, owner_tag
from ocijobs.reconcile.environment import NO_VALUES, command_line, resolve
from ocijobs.reconcile.requests import (
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
    Tags,
)

REVISION_VERSION = "v1"
"""Version of what a revision is taken over. A new one makes every job anew: never change it without need."""

DRIVER_ENTRYPOINT = "ocijobs_driver.py"
"""File of the artifact that OCI starts."""


def log_configuration(
    spec: OCIJobSpec, default_log_group_id: str | None
) -> LogConfiguration | None:
    """Return where the output of runs goes: as the job says, else to the identity's default group."""
    logging = spec.infrastructure.data_science_job.logging
    if logging is not None and not logging.enable_logging:
        return None
    group = (logging.log_group_id if logging else None) or default_log_group_id
    if group is None:
        return None
    return LogConfiguration(log_group_id=group, log_id=logging.log_id if logging else None)


def operator_variables(spec: OCIJobSpec, region: str) -> dict[str, str]:
    """Return the variables that tell OCI what to start, and in which conda environment."""
    return {
        "JOB_RUN_ENTRYPOINT": DRIVER_ENTRYPOINT,
        **_conda_variables(spec.runtime.variant.conda, region),
    }


def _conda_variables(conda: CondaEnvironment | None, region: str) -> dict[str, str]:
    if conda is None:
        return {}
    if conda.type is CondaType.SERVICE:
        return {"CONDA_ENV_TYPE": "service", "CONDA_ENV_SLUG": conda.slug or ""}
    address = urlsplit(conda.uri or "")
    bucket, _, namespace = address.netloc.partition("@")
    return {
        "CONDA_ENV_TYPE": "published",
        "CONDA_ENV_NAMESPACE": namespace,
        "CONDA_ENV_BUCKET": bucket,
        "CONDA_ENV_OBJECT_NAME": address.path.lstrip("/"),
        "CONDA_ENV_REGION": conda.region or region,
    }


def job_configuration(spec: OCIJobSpec, region: str) -> JobConfiguration:
    """Return what runs are started with that override nothing.

    Variables that refer to Secrets and ConfigMaps are no part of the job: they are sent with each run.
    """
    variables = resolve((v for v in spec.env if v.value_from is None), NO_VALUES)
    return JobConfiguration(
        environment_variables=variables | operator_variables(spec, region),
        command_line_arguments=command_line(spec.args, variables),
        maximum_runtime_in_minutes=spec.maximum_runtime_in_minutes,
    )


def job_settings(job: OCIJob, *, cluster_id: str, revision: str) -> JobSettings:
    """Return what OCI changes in place."""
    meta, spec = job.metadata, job.spec
    return JobSettings(
        display_name=spec.display_name or f"{meta.namespace}/{meta.name}",
        description=spec.description,
        infrastructure=spec.infrastructure.data_science_job.model_copy(update={"logging": None}),
        tags=Tags(
            freeform={
                **(spec.freeform_tags or {}),
                TAG_OWNER: owner_tag(cluster_id=cluster_id, uid=meta.uid, subject=revision),
                TAG_NAME: f"{meta.namespace}/{meta.name}",
            },
            defined=spec.defined_tags or {},
        ),
    )


def settings_digest(settings: JobSettings) -> str:
    """Return the digest by which a change of settings is noticed."""
    return digest(
        {
            "displayName": settings.display_name,
            "description": settings.description,
            "infrastructure": settings.infrastructure.document(),
            "freeformTags": settings.tags.freeform,
            "definedTags": settings.tags.defined,
        }
    )


def revision_name(
    spec: OCIJobSpec,
    *,
    compartment_id: str,
    project_id: str,
    log: LogConfiguration | None,
    sources_digest: str,
) -> str:
    """Return the name of the revision that the spec and the sources make."""
    runtime = spec.runtime.document()
    for variant in runtime.values():
        variant.pop("source", None)
    fields: dict[str, Any] = {
        "compartmentId": compartment_id,
        "projectId": project_id,
        "runtime": runtime,
        "sources": sources_digest,
        "env": [v.document() for v in spec.env if v.value_from is None],
        "args": list(spec.args),
        "maximumRuntimeInMinutes": spec.maximum_runtime_in_minutes,
        "outputs": spec.outputs.document() if spec.outputs else None,
        "log": [log.log_group_id, log.log_id] if log else None,
    }
    present = {name: value for name, value in fields.items() if value not in (None, [], {})}
    return f"{REVISION_VERSION}-{digest(present)[:12]}"


def job_request(
    job: OCIJob,
    *,
    cluster_id: str,
    revision: str,
    compartment_id: str,
    project_id: str,
    region: str,
    log: LogConfiguration | None,
) -> JobRequest:
    """Return the request that creates the OCI job of a revision."""
    return JobRequest(
        compartment_id=compartment_id,
        project_id=project_id,
        settings=job_settings(job, cluster_id=cluster_id, revision=revision),
        configuration=job_configuration(job.spec, region),
        log=log,
    )


def job_request_digest(request: JobRequest) -> str:
    """Return the digest of a creation. Nothing in it is secret."""
    configuration = request.configuration
    return digest(
        {
            "compartmentId": request.compartment_id,
            "projectId": request.project_id,
            "settings": settings_digest(request.settings),
            "env": dict(configuration.environment_variables),
            "args": configuration.command_line_arguments,
            "maximumRuntimeInMinutes": configuration.maximum_runtime_in_minutes,
            "log": [request.log.log_group_id, request.log.log_id] if request.log else None,
        }
    )
