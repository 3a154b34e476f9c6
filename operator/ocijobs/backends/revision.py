"""What an OCI job is made of, from the spec: its request, and the revision that it is.

A *revision* is a versioned hash of everything that can't be changed in a job. It is taken over the spec as the user
wrote it and over the sources' digest, not over what is sent: an operator with other drivers, or one that sends
something more, finds the same revision and makes no job anew.
"""

from __future__ import annotations

from ocijobs.api.shared.names import TAG_NAME, TAG_OWNER
from ocijobs.backends.backend import Backend
from ocijobs.backends.digest import digest, owner_tag
from ocijobs.backends.inputs import JobInput
from ocijobs.backends.requests import JobChange, JobCreation, Tags

REVISION_VERSION = "v1"
"""Version of what a revision is taken over. A new one makes every job anew: never change it without need."""


def revision_name(backend: Backend, made: JobInput, sources_digest: str) -> str:
    """Return the name of the revision that the spec and the sources make."""
    content = {
        "compartmentId": made.compartment_id,
        "sources": sources_digest,
        **backend.revision_content(made),
    }
    present = {name: value for name, value in content.items() if value not in (None, [], {})}
    return f"{REVISION_VERSION}-{digest(present)[:12]}"


def adopted_name(ocid: str) -> str:
    """Return the name of the revision that is an adopted OCI job, whose code can't be read."""
    return f"adopted-{digest(ocid)[:12]}"


def job_request(backend: Backend, made: JobInput, revision: str) -> JobCreation:
    """Return the request that creates the OCI job of a revision."""
    meta, spec = made.job.metadata, made.job.spec
    tags = Tags(
        freeform={
            **(spec.freeform_tags or {}),
            TAG_OWNER: owner_tag(cluster_id=made.cluster_id, uid=meta.uid, subject=revision),
            TAG_NAME: f"{meta.namespace}/{meta.name}",
        },
        defined=spec.defined_tags or {},
    )
    return backend.job_request(made, tags)


def settings_digest(backend: Backend, settings: JobChange) -> str:
    """Return the digest by which a change of settings is noticed. Nothing in it is secret."""
    return digest(backend.settings_content(settings))


def job_request_digest(backend: Backend, request: JobCreation) -> str:
    """Return the digest of a creation. Nothing in it is secret."""
    return digest(backend.job_content(request))
