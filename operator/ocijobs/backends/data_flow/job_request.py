"""The request of a Spark job, which is an application of Data Flow, and what makes another revision of it."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.job.machines.data_flow import DataFlowInfrastructure
from ocijobs.api.job.runtimes.spark import SparkRuntime
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import RunTemplate
from ocijobs.backends.data_flow.application import bound_application, spark_settings
from ocijobs.backends.data_flow.requests import (
    ApplicationCode,
    ApplicationRequest,
    ApplicationSettings,
)
from ocijobs.backends.environment import NO_VALUES
from ocijobs.backends.inputs import JobInput
from ocijobs.backends.names import KnownNames
from ocijobs.backends.requests import NameKind, Tags, WantedName


def template_of(spec: OCIJobSpec, artifact: Artifact | None, names: KnownNames) -> RunTemplate:
    """Return what the job's runs start, and on what."""
    name = pool_name(spec)
    return RunTemplate(
        application=bound_application(
            spec, artifact, names.id_of(name) if name is not None else None
        ),
        env=spec.env,
        args=spec.args,
        maximum_runtime_in_minutes=spec.maximum_runtime_in_minutes,
    )


def pool_name(spec: OCIJobSpec) -> WantedName | None:
    """Return the pool that the spec gives by name."""
    given = spec.infrastructure.data_flow
    if given is None or given.pool_name is None:
        return None
    field = "spec.infrastructure.dataFlow.poolName"
    return WantedName(kind=NameKind.POOL, name=given.pool_name, field=field)


def job_request(made: JobInput, tags: Tags) -> ApplicationRequest:
    """Return CreateApplicationDetails. All but the type is set back where others have changed it, the code too."""
    spec, artifact = made.job.spec, made.artifact
    given = spec.infrastructure.data_flow
    runtime = spec.runtime.spark if spec.runtime is not None else None
    template = template_of(spec, artifact, made.names)
    if given is None or template.application is None:
        raise AssertionError  # pragma: no cover - the spec has the block of Data Flow
    return ApplicationRequest(
        compartment_id=made.compartment_id,
        type=given.type,
        settings=ApplicationSettings(
            display_name=made.display_name,
            description=spec.description,
            tags=tags,
            code=ApplicationCode(
                language=given.language,
                spark_version=given.spark_version,
                file_uri=f"{artifact.uri}/{artifact.name}" if artifact is not None else None,
                class_name=runtime.class_name if runtime is not None else None,
                private_endpoint_id=given.private_endpoint_id,
            ),
            spark=spark_settings(template, template.application, None, NO_VALUES, told={}),
        ),
    )


def own_bucket(spec: OCIJobSpec) -> str | None:
    """Return the bucket that the spec itself gives for the code."""
    given = spec.infrastructure.data_flow
    return given.artifact_bucket_uri if given is not None else None


def revision_content(made: JobInput) -> Mapping[str, object]:
    """Return what makes another revision, beside compartment and code."""
    spec = made.job.spec
    given = spec.infrastructure.data_flow
    runtime = spec.runtime.spark if spec.runtime is not None else None
    if given is None or runtime is None:
        return {}
    return {
        "type": given.type.value,
        "language": given.language.value,
        "sparkVersion": given.spark_version,
        "privateEndpointId": given.private_endpoint_id,
        "entrypoint": runtime.entrypoint,
        "className": runtime.class_name,
        "artifactBucketUri": own_bucket(spec) or made.defaults.artifact_bucket_uri,
        "given": _given(spec, given, runtime),
    }


def _given(spec: OCIJobSpec, given: DataFlowInfrastructure, runtime: SparkRuntime) -> list[str]:
    """Return which of the settings are given that an update can't take away again: what it leaves out stays."""
    settings = {
        "archiveUri": runtime.archive_uri,
        "logsBucketUri": given.logs_bucket_uri,
        "warehouseBucketUri": given.warehouse_bucket_uri,
        "metastoreId": given.metastore_id,
        "pool": given.pool_id or given.pool_name,
        "applicationLogConfig": given.application_log_config,
        "maximumRuntimeInMinutes": spec.maximum_runtime_in_minutes,
        "idleTimeoutInMinutes": given.idle_timeout_in_minutes,
    }
    return [name for name, value in settings.items() if value is not None]
