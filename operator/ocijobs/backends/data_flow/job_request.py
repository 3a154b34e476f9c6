"""The request of a Spark job, which is an application of Data Flow, and what makes another revision of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import RunTemplate
from ocijobs.backends.data_flow.application import bound_application, spark_settings
from ocijobs.backends.data_flow.requests import (
    ApplicationCode,
    ApplicationRequest,
    ApplicationSettings,
    SparkSettings,
)
from ocijobs.backends.documents import plain
from ocijobs.backends.inputs import JobInput
from ocijobs.backends.manifest_fields import asked_for, value_at
from ocijobs.backends.names import KnownNames
from ocijobs.backends.oci_fields import attributes
from ocijobs.backends.requests import NameKind, Tags, WantedName
from ocijobs.backends.values import NO_VALUES


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
    template = template_of(spec, artifact, made.names)
    if template.application is None:
        raise AssertionError  # pragma: no cover - the spec has the block of Data Flow
    uri = f"{artifact.uri}/{artifact.name}" if artifact is not None else None
    settings = asked_for(
        ApplicationSettings,
        spec,
        display_name=made.display_name,
        tags=tags,
        code=asked_for(ApplicationCode, spec, file_uri=uri),
        spark=spark_settings(template, template.application, None, NO_VALUES, told={}),
    )
    return asked_for(
        ApplicationRequest, spec, compartment_id=made.compartment_id, settings=settings
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
        **_fixed(spec),
        "entrypoint": runtime.entrypoint,
        "artifactBucketUri": own_bucket(spec) or made.defaults.artifact_bucket_uri,
        "given": list(_given(spec)),
    }


def _fixed(spec: OCIJobSpec) -> Mapping[str, object]:
    """Return what no run can be sent instead, but for the code, whose digest counts."""
    paths = (each.spec for each in attributes(ApplicationCode) if each.name != "file_uri")
    return {_name(path): plain(value_at(spec, path)) for path in paths if path is not None}


def _given(spec: OCIJobSpec) -> Iterator[str]:
    """Yield which of the settings are given that an update can't take away again: what it leaves out stays."""
    for attribute in attributes(SparkSettings):
        if attribute.default is not None or attribute.spec is None:
            continue
        if attribute.name == "pool_id":
            if value_at(spec, attribute.spec) is not None or pool_name(spec) is not None:
                yield "pool"
        elif value_at(spec, attribute.spec) is not None:
            yield _name(attribute.spec)


def _name(path: str) -> str:
    return path.rpartition(".")[2]
