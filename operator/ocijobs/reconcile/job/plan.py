"""What a job is to be in OCI, worked out from the spec, the identity and the sources; or why that can't be said yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ocijobs.api.job.status import Artifact, ResolvedName
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.environment import reserved_problem
from ocijobs.backends.inputs import JobInput
from ocijobs.backends.names import NO_NAMES
from ocijobs.backends.records import RefusalKind
from ocijobs.backends.requests import JobCreation
from ocijobs.backends.revision import (
    adopted_name,
    job_request,
    revision_name,
    settings_digest,
)
from ocijobs.reconcile.actions.calls import Launcher, Operation
from ocijobs.reconcile.blocking import Blocker
from ocijobs.reconcile.job.naming import Found, check_shapes, find_names
from ocijobs.reconcile.job.observation import JobObservation
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


def make_plan(o: JobObservation, place: Place, now: datetime) -> Plan | Blocker | None:
    """Return what the job is to be, or why that can't be said; None while that is being found out."""
    sources = o.known.sources
    if sources is None or sources.generation != o.job.metadata.generation:
        return _unread(o, now)
    if sources.missing is not None:
        return Blocker(reason=Reason.WAITING_FOR_SOURCE, message=sources.missing)
    if (problem := _problem(o, sources, place.caller.region)) is not None:
        return Blocker.of_spec(problem)
    found = find_names(o, place)
    if not isinstance(found, Found):
        return found
    wrong = check_shapes(o, place, in_oci=serves_current_spec(o))
    artifact = _artifact(o, sources)
    if isinstance(artifact, Blocker):
        return artifact
    return wrong if wrong is not None else _plan(o, place, found, sources, artifact)


def _artifact(o: JobObservation, sources: SourcesRead) -> Artifact | Blocker | None:
    """Return the code, with its place where it is in Object Storage."""
    artifact, backend = sources.artifact, o.backend
    if artifact is None or not backend.code_in_bucket:
        return artifact
    bucket = backend.code_bucket(o.job.spec) or o.identity.defaults.artifact_bucket_uri
    if bucket is None:
        reference = o.identity.reference
        return Blocker.of_spec(
            f"{backend.code_bucket_field}: is not set, and {reference.kind} "
            f"{reference.name} has no spec.defaults.artifactBucketUri: set one of the two"
        )
    # No two states of the code share a folder, and no two teams do.
    folder = f"{o.cluster_id}/{o.job.metadata.namespace}/{artifact.sha256}"
    return artifact.model_copy(update={"uri": f"{bucket.rstrip('/')}/{folder}"})


def _kept(o: JobObservation, revision: str) -> Artifact | None:
    """Return code in Object Storage that a revision has: it stays where it is, however it would be packed by now."""
    found = (r for r in o.job.status.revisions if r.name == revision and r.complete)
    kept = (r.artifact for r in found if not r.removing and r.artifact and r.artifact.uri)
    return next(kept, None)


def _plan(
    o: JobObservation,
    place: Place,
    found: Found,
    sources: SourcesRead,
    artifact: Artifact | None,
) -> Plan:
    backend = o.backend
    made = JobInput(
        job=o.job,
        cluster_id=o.cluster_id,
        compartment_id=place.compartment_id,
        project_id=place.project_id,
        region=place.caller.region,
        defaults=o.identity.defaults,
        names=found.names,
        artifact=artifact,
    )
    revision = revision_name(backend, made, sources.digest)
    adoption = o.job.spec.adopt
    if o.job.spec.runtime is None and adoption is not None:
        revision = adopted_name(adoption.ocid)

    def request_of(name: str) -> JobCreation:
        return job_request(backend, replace(made, artifact=_kept(o, name) or artifact), name)

    request = request_of(revision)
    sent = settings_digest(backend, request.settings)
    if any(r.name == revision and r.refused_settings == sent for r in o.job.status.revisions):
        # What OCI doesn't change in place is part of the revision.
        revision = f"{revision}-{sent[:8]}"
        request = request_of(revision)
    return Plan(
        caller=place.caller,
        revision=revision,
        request=request,
        settings_digest=settings_digest(backend, request.settings),
        sources=sources,
        artifact=_kept(o, revision) or artifact,
        names=found.used,
    )


def _unread(o: JobObservation, now: datetime) -> Blocker | None:
    """Return why the sources are not read yet; None while they are being read."""
    call = unreachable(o, now) or o.known.calls.get(Operation.READ_SOURCES)
    if call is None or call.refusal is None:
        return None
    kind = call.refusal.kind
    return Blocker(
        reason=reason_of_source(kind),
        message=call.refusal.message,
        terminal=kind is RefusalKind.QUARANTINED,
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
    spec, backend = o.job.spec, o.backend
    template = backend.template(spec, region=region, artifact=None, names=NO_NAMES)
    return reserved_problem(backend.variables(template, None)) or backend.problem(
        spec, region=region, limits=o.settings
    )
