"""OCIIdentity: who calls OCI for the resources of a namespace."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Self, Unpack

from pydantic import Field

from ocijobs.api.shared.conditions import Conditions
from ocijobs.api.shared.metadata import LocalObjectReference, ObjectMeta
from ocijobs.api.shared.model import BucketUri, Model, Ocid, RegionName, Time

if TYPE_CHECKING:
    from ocijobs.api.status_changes import IdentityStatusFields


class IdentityType(StrEnum):
    """How an identity signs its calls."""

    API_KEY = "APIKey"


class IdentityDefaults(Model):
    """Defaults for jobs and runs of this identity."""

    compartment_id: Ocid | None = Field(
        default=None, description="Compartment of jobs that name none in spec.compartmentId."
    )
    project_id: Ocid | None = Field(
        default=None, description="Data Science project of jobs that name none in spec.projectId."
    )
    log_group_id: Ocid | None = Field(
        default=None,
        description=(
            "Log group of jobs that do not set logging. Each of their runs gets its own log in it. "
            "Without this default and without logging in the job, the output of runs is not kept."
        ),
    )
    artifact_bucket_uri: BucketUri | None = Field(
        default=None,
        description=(
            "Where the operator puts the code of Spark jobs that name no bucket in "
            "infrastructure.dataFlow.artifactBucketUri: oci://bucket@namespace/prefix."
        ),
    )


class OCIIdentitySpec(Model):
    """Desired state of an OCIIdentity."""

    type: IdentityType = Field(
        description="How calls are signed. APIKey: with the private key of an IAM user, from a Secret."
    )
    secret_ref: LocalObjectReference = Field(
        description=(
            "The Secret of this namespace with the API key: keys `user`, `tenancy`, `fingerprint`, "
            "`privatekey` (PEM), `region`, and `passphrase` if the key has one. The operator notices "
            "a changed Secret within minutes."
        )
    )
    region: RegionName | None = Field(
        default=None,
        description=(
            "OCI region of the calls, such as us-ashburn-1; by default the `region` of the Secret."
        ),
    )
    defaults: IdentityDefaults | None = Field(
        default=None, description="Defaults for jobs and runs of this identity."
    )


class OCIIdentityStatus(Model):
    """Observed state of an OCIIdentity."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="The metadata.generation that this status is of."
    )
    region: RegionName | None = Field(default=None, description="Region that calls go to.")
    tenancy_id: Ocid | None = Field(default=None, description="Tenancy of the credentials.")
    blocked_since: Time | None = Field(
        default=None, description="Since when the same cause keeps the identity from being ready."
    )
    conditions: Conditions = Field(
        default=(), description="Ready: the credentials can be read, and OCI accepts them."
    )

    def changed(self, **fields: Unpack[IdentityStatusFields]) -> Self:
        """Return the status with other values of some fields."""
        return self.model_copy(update=fields)


class OCIIdentity(Model):
    """Credentials with which jobs and runs of this namespace call OCI.

    The identity named `default` is used by every job that names no other. A finalizer keeps it for as long as a job or
    an
    active run needs it.
    """

    metadata: ObjectMeta
    spec: OCIIdentitySpec
    status: OCIIdentityStatus = Field(default=OCIIdentityStatus())
