"""What a job is to be in OCI, worked out from the spec, the identity and the sources; or why that can't be said yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocijobs.api.job.status import Artifact, ResolvedName
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.data_flow.application import code_folder
from ocijobs.backends.data_science.compute import mounts
from ocijobs.backends.data_science.limits import over_limit
from ocijobs.backends.data_science.workload import job_workload, template_of
from ocijobs.backends.environment import all_variables, reserved_names
from ocijobs.backends.records import RefusalKind
from ocijobs.backends.requests import JobCreation
from ocijobs.backends.revision import (
    adopted_name,
    application_revision_name,
    job_request,
    revision_name,
    settings_digest,
)
from ocijobs.reconcile.actions.calls import Launcher, Operation
from ocijobs.reconcile.job.naming import Found, check_shapes, find_names
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.outlook import Needed, Obstacle
from ocijobs.reconcile.job.place import Place
from ocijobs.reconcile.job.reading import reason_of_source, serves_current_spec, unreachable
from ocijobs.reconcile.known.sources import SourcesRead


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The revision that is wanted, and the requests that make it."""

    caller: Launcher
    revision: str
    request: JobCreation
    settings_digest: str
    sources: SourcesRead
    artifact: Artifact | None = None
    names: tuple[ResolvedName, ...] = ()


def make_plan(o: JobObservation, place: Place, now: datetime) -> Plan | Needed | Obstacle | None:
    """Return what the job is to be, or why that can't be said; None while that is being found out."""
    sources = o.known.sources
    if sources is None or sources.generation != o.job.metadata.generation:
        return _unread(o, now)
    if sources.missing is not None:
        return Obstacle(reason=Reason.WAITING_FOR_SOURCE, message=sources.missing)
    if (problem := _problem(o, sources, place.caller.region)) is not None:
        return Obstacle.of_spec(problem)
    found = find_names(o, place, now)
    if not isinstance(found, Found):
        return found
    wrong = check_shapes(o, place, in_oci=serves_current_spec(o))
    artifact = _artifact(o, sources)
    if isinstance(artifact, Obstacle):
        return artifact
    return wrong if wrong is not None else _plan(o, place, found, sources, artifact)


def _bucket(o: JobObservation) -> str | None:
    """Return where code of Spark goes."""
    given = o.job.spec.infrastructure.data_flow
    own = given.artifact_bucket_uri if given is not None else None
    return own or o.identity.defaults.artifact_bucket_uri


def _artifact(o: JobObservation, sources: SourcesRead) -> Artifact | Obstacle | None:
    """Return the code, with its place where it is Spark's."""
    artifact = sources.artifact
    if artifact is None or not o.backend.code_in_bucket:
        return artifact
    bucket, reference = _bucket(o), o.identity.reference
    if bucket is None:
        return Obstacle.of_spec(
            f"spec.infrastructure.dataFlow.artifactBucketUri: is not set, and {reference.kind} "
            f"{reference.name} has no spec.defaults.artifactBucketUri: set one of the two"
        )
    uri = code_folder(
        bucket,
        cluster_id=o.cluster_id,
        namespace=o.job.metadata.namespace,
        sha256=artifact.sha256,
    )
    return artifact.model_copy(update={"uri": uri})


def _kept(o: JobObservation, revision: str) -> Artifact | None:
    """Return code of Spark that a revision has: it stays where it is, however it would be packed by now."""
    found = (r for r in o.job.status.revisions if r.name == revision and r.complete)
    kept = (r.artifact for r in found if not r.removing and r.artifact and r.artifact.uri)
    return next(kept, None)


def _revision(o: JobObservation, place: Place, found: Found, sources: SourcesRead) -> str:
    if o.job.spec.infrastructure.data_flow is not None:
        return application_revision_name(
            o.job.spec,
            compartment_id=place.compartment_id,
            bucket_uri=_bucket(o),
            sources_digest=sources.digest,
        )
    return revision_name(
        o.job.spec,
        compartment_id=place.compartment_id,
        project_id=place.project_id,
        log=found.log,
        sources_digest=sources.digest,
    )


def _plan(
    o: JobObservation,
    place: Place,
    found: Found,
    sources: SourcesRead,
    artifact: Artifact | None,
) -> Plan:
    revision = _revision(o, place, found, sources)
    adoption = o.job.spec.adopt
    if o.job.spec.runtime is None and adoption is not None:
        revision = adopted_name(adoption.ocid)

    def request_of(name: str) -> JobCreation:
        return job_request(
            o.job,
            cluster_id=o.cluster_id,
            revision=name,
            compartment_id=place.compartment_id,
            project_id=place.project_id,
            region=place.caller.region,
            log=found.log,
            storage_mounts=mounts(o.job.spec, found.file_systems),
            artifact=_kept(o, name) or artifact,
            pool_id=found.pool_id,
        )

    request = request_of(revision)
    sent = settings_digest(request.settings)
    if any(r.name == revision and r.refused_settings == sent for r in o.job.status.revisions):
        # What OCI doesn't change in place is part of the revision.
        revision = f"{revision}-{sent[:8]}"
        request = request_of(revision)
    return Plan(
        caller=place.caller,
        revision=revision,
        request=request,
        settings_digest=settings_digest(request.settings),
        sources=sources,
        artifact=_kept(o, revision) or artifact,
        names=found.names,
    )


def _unread(o: JobObservation, now: datetime) -> Obstacle | None:
    """Return why the sources are not read yet; None while they are being read."""
    call = unreachable(o, now) or o.known.calls.get(Operation.READ_SOURCES)
    if call is None or call.refusal is None:
        return None
    kind = call.refusal.kind
    return Obstacle(
        reason=reason_of_source(kind),
        message=call.refusal.message,
        invalid=kind is RefusalKind.QUARANTINED,
    )


def _problem(o: JobObservation, sources: SourcesRead, region: str) -> str | None:
    """Return what OCI would refuse about the spec, in words."""
    if sources.invalid is not None:
        return sources.invalid
    if sources.size > (limit := o.settings.artifact_limit_bytes):
        return (
            f"spec.runtime: the artifact has {sources.size} bytes, and {limit} are allowed: "
            "keep data in Object Storage and only code in the source"
        )
    if reserved := reserved_names(all_variables(template_of(o.job.spec, ""), None)):
        return (
            f"spec.env: {', '.join(reserved)}: reserved for OCI and the operator, use other names"
        )
    return over_limit(job_workload(o.job.spec, region), o.settings, merged="")
