"""What an object has left in OCI that was let go: an entry of the list in the operator's own namespace."""

from __future__ import annotations

from pydantic import Field

from ocijobs.api.shared.model import Model, Ocid, Time


class UnknownLaunch(Model):
    """A creation whose outcome is not known. If it made something, that has the owner tag."""

    owner: str = Field(description="Value of the free-form tag ocijobs_owner.")
    job_id: Ocid | None = Field(
        default=None,
        description="OCI job of the run that was to be created; empty if a job was to be created.",
    )


class Leftovers(Model):
    """What is left in OCI."""

    run_ids: tuple[Ocid, ...] = Field(
        default=(), description="Runs that may be active: to be cancelled."
    )
    record_ids: tuple[Ocid, ...] = Field(
        default=(), description="Records of runs that have ended: to be deleted."
    )
    job_ids: tuple[Ocid, ...] = Field(default=(), description="Jobs: to be deleted.")
    code_uris: tuple[str, ...] = Field(
        default=(),
        description="Folders of code in Object Storage that no other known job uses.",
    )
    unknown: tuple[UnknownLaunch, ...] = Field(
        default=(), description="Creations whose outcome is not known."
    )

    @property
    def nothing(self) -> bool:
        """Whether nothing is left."""
        return self == Leftovers()

    def __str__(self) -> str:
        """Return it in words, OCIDs included."""
        unknown = (
            f"a run of OCI job {u.job_id}, if one was created" for u in self.unknown if u.job_id
        )
        jobs = (
            f"an OCI job with the tag {u.owner}, if one was created"
            for u in self.unknown
            if not u.job_id
        )
        words = (
            *(f"job run {run_id}" for run_id in self.run_ids),
            *(f"the record of job run {run_id}" for run_id in self.record_ids),
            *(f"OCI job {job_id}" for job_id in self.job_ids),
            *(f"code in {uri}" for uri in self.code_uris),
            *unknown,
            *jobs,
        )
        return ", ".join(words) or "nothing"


class Orphan(Model):
    """An object that was let go although it has left something in OCI, and why."""

    kind: str = Field(description="Kind of the object.")
    namespace: str = Field(description="Its namespace.")
    name: str = Field(description="Its name.")
    uid: str = Field(description="Its uid.")
    cluster_id: str = Field(description="The cluster that it was in.")
    identity: str = Field(description="Name of the OCIIdentity that it was made with.")
    region: str | None = Field(default=None, description="Region of what is left.")
    compartment_id: Ocid | None = Field(default=None, description="Compartment of what is left.")
    project_id: Ocid | None = Field(default=None, description="Data Science project of the job.")
    cause: str = Field(description="Why it could not be ended.")
    since: Time = Field(description="When the object was let go.")
    left: Leftovers = Field(description="What is left in OCI.")
