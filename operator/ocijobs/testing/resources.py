"""Builders of resources: valid ones, of which a test states only what matters to it.

Fields of a spec are given by their names in Python; pydantic refuses values that the API server would refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ocijobs.api.identity import OCIIdentity, OCIIdentitySpec, OCIIdentityStatus
from ocijobs.api.job.spec import OCIJob, OCIJobSpec
from ocijobs.api.job.status import Artifact, OCIJobStatus, Revision
from ocijobs.api.run.spec import OCIJobRun, OCIJobRunSpec
from ocijobs.api.run.status import OCIJobRunStatus, RunSubmission
from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.metadata import IdentityReference, ObjectMeta
from ocijobs.api.shared.names import FINALIZER
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.identity_view import DEFAULT_IDENTITY
from ocijobs.reconcile.standing import Headline, Standing, conditions

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When builders' objects are created, and when a ManualClock starts."""

REGION = "us-ashburn-1"
NAMESPACE = "team-a"
REVISION = "v1-0123456789ab"


def make_ocid(kind: str = "datasciencejob", unique: str = "a") -> str:
    """Return an OCID, such as `ocid1.datasciencejob.oc1.iad.a`."""
    return f"ocid1.{kind}.oc1.iad.{unique}"


COMPARTMENT = make_ocid("compartment")
PROJECT = make_ocid("datascienceproject")
LOG_GROUP = make_ocid("loggroup")
CODE_BUCKET = "oci://code@namespace/jobs"
"""Where builders' Spark jobs have their code."""


def make_metadata(
    name: str,
    *,
    uid: str | None = None,
    generation: int = 1,
    created: datetime = START,
    deleted: datetime | None = None,
    finalizer: bool = False,
    annotations: Mapping[str, str] | None = None,
    resource_version: str = "1",
) -> ObjectMeta:
    """Return the metadata of an object; `deleted` is when somebody asked for its deletion."""
    return ObjectMeta(
        name=name,
        namespace=NAMESPACE,
        uid=uid or f"uid-of-{name}",
        resource_version=resource_version,
        generation=generation,
        creation_timestamp=created,
        deletion_timestamp=deleted,
        finalizers=(FINALIZER,) if finalizer else (),
        annotations=annotations or {},
    )


def make_run(
    name: str = "run",
    *,
    metadata: ObjectMeta | None = None,
    status: OCIJobRunStatus | None = None,
    **spec: Any,
) -> OCIJobRun:
    """Return a run of the OCIJob `job`, which no operator has looked at."""
    return OCIJobRun(
        metadata=metadata or make_metadata(name),
        spec=OCIJobRunSpec.model_validate({"job_ref": {"name": "job"}, **spec}),
        status=status or OCIJobRunStatus(),
    )


def make_job(
    name: str = "job",
    *,
    metadata: ObjectMeta | None = None,
    status: OCIJobStatus | None = None,
    **spec: Any,
) -> OCIJob:
    """Return a job with one inline script on a fixed shape, which no operator has looked at."""
    defaults = {
        "compartment_id": COMPARTMENT,
        "project_id": PROJECT,
        "infrastructure": {"data_science_job": {"shape_name": "VM.Standard2.1"}},
        "runtime": {"script": {"source": {"inline": {"main.py": "print('hello')"}}}},
    }
    return OCIJob(
        metadata=metadata or make_metadata(name),
        spec=OCIJobSpec.model_validate({**defaults, **spec}),
        status=status or OCIJobStatus(),
    )


def make_ready_job(
    name: str = "job",
    *,
    metadata: ObjectMeta | None = None,
    job_id: str | None = None,
    revision: str = REVISION,
    **spec: Any,
) -> OCIJob:
    """Return a job that is Ready for its generation, with one revision in OCI."""
    meta = metadata or make_metadata(name, finalizer=True)
    ocid = job_id or make_ocid("datasciencejob", revision)
    artifact = Artifact(name="job.zip", sha256="ab" * 32, size=1024)
    status = _ready_status(meta, ocid, revision, artifact).model_copy(
        update={"project_id": PROJECT}
    )
    return make_job(name, metadata=meta, status=status, **spec)


def make_spark_job(
    name: str = "job",
    *,
    metadata: ObjectMeta | None = None,
    status: OCIJobStatus | None = None,
    data_flow: Mapping[str, Any] | None = None,
    spark: Mapping[str, Any] | None = None,
    **spec: Any,
) -> OCIJob:
    """Return a job with one inline file of PySpark on Data Flow, which no operator has looked at.

    Args:
        name: of the object.
        metadata: of the object.
        status: of the object.
        data_flow: further fields of `infrastructure.data_flow`, or others than the builder's.
        spark: likewise of `runtime.spark`.
        **spec: further fields of the spec.
    """
    infrastructure = {
        "spark_version": "3.5.0",
        "driver_shape": "VM.Standard.E4.Flex",
        "driver_shape_config": {"ocpus": 1, "memory_in_gbs": 16},
        "artifact_bucket_uri": CODE_BUCKET,
        **(data_flow or {}),
    }
    runtime = {"source": {"inline": {"main.py": "print('hello')"}}, **(spark or {})}
    defaults = {
        "project_id": None,
        "infrastructure": {"data_flow": infrastructure},
        "runtime": {"spark": runtime},
    }
    return make_job(name, metadata=metadata, status=status, **{**defaults, **spec})


def make_ready_spark_job(
    name: str = "job",
    *,
    metadata: ObjectMeta | None = None,
    job_id: str | None = None,
    revision: str = REVISION,
    **spec: Any,
) -> OCIJob:
    """Return a Spark job that is Ready for its generation, with one application; `spec` as of `make_spark_job`."""
    meta = metadata or make_metadata(name, finalizer=True)
    ocid = job_id or make_ocid("dataflowapplication", revision)
    sha256 = "ab" * 32
    uri = f"{CODE_BUCKET}/cluster/{meta.namespace}/{sha256}"
    artifact = Artifact(name="main.py", sha256=sha256, size=1024, uri=uri)
    status = _ready_status(meta, ocid, revision, artifact).model_copy(
        update={"backend": BackendName.DATA_FLOW}
    )
    return make_spark_job(name, metadata=meta, status=status, **spec)


def _ready_status(meta: ObjectMeta, ocid: str, revision: str, artifact: Artifact) -> OCIJobStatus:
    headline = Headline(standing=Standing.READY, reason=Reason.SYNCED, message="as the manifest")
    return OCIJobStatus(
        observed_generation=meta.generation,
        identity=IdentityReference(name=DEFAULT_IDENTITY),
        region=REGION,
        compartment_id=COMPARTMENT,
        job_id=ocid,
        revision=revision,
        artifact=artifact,
        creations=1,
        revisions=(
            Revision(
                name=revision,
                job_id=ocid,
                settings_digest="cd" * 32,
                artifact=artifact,
                last_used_at=START,
            ),
        ),
        conditions=conditions((), headline, generation=meta.generation, now=START),
    )


def make_submission(**changes: Any) -> RunSubmission:
    """Return the intent to create a job run."""
    defaults = {
        "attempt": 0,
        "token": "token-0",
        "identity": {"name": DEFAULT_IDENTITY},
        "region": REGION,
        "compartment_id": COMPARTMENT,
        "job_id": make_ocid("datasciencejob", REVISION),
        "request_digest": "digest-0",
        "started_at": START,
    }
    return RunSubmission.model_validate({**defaults, **changes})


def make_identity(
    name: str = DEFAULT_IDENTITY,
    *,
    metadata: ObjectMeta | None = None,
    status: OCIIdentityStatus | None = None,
    **spec: Any,
) -> OCIIdentity:
    """Return an identity whose API key is in the Secret `api-key`."""
    defaults = {"type": "APIKey", "secret_ref": {"name": "api-key"}}
    return OCIIdentity(
        metadata=metadata or make_metadata(name),
        spec=OCIIdentitySpec.model_validate({**defaults, **spec}),
        status=status or OCIIdentityStatus(),
    )
