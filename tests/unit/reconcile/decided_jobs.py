"""Jobs about which one decision after another is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ocijobs.api.job.status import AdoptedJob, OCIJobStatus, Revision
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.backends.data_science.requests import JobRequest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.place import Place, find_place
from ocijobs.reconcile.job.plan import Plan, make_plan
from ocijobs.testing import (
    SETTLED,
    START,
    make_caller,
    make_job,
    make_job_observation,
    make_metadata,
    make_ocid,
    make_ready_job,
)

SHAPES = ("VM.Standard2.1", "VM.Standard2.2", "VM.Standard3.Flex")


def shapes_listed(o: JobObservation, shapes: tuple[str, ...] = SHAPES) -> JobObservation:
    """Return the observation after OCI listed its shapes: what a plan waits for."""
    return replace(o, known=o.known.shapes_listed(shapes, at=SETTLED, epoch=o.epoch))


def plan_of(o: JobObservation) -> Plan:
    """Return what the job is to be in OCI."""
    place = find_place(o, make_caller(), None)
    assert isinstance(place, Place)
    plan = make_plan(shapes_listed(o), place, SETTLED)
    assert isinstance(plan, Plan)
    return plan


def request_of(**spec: Any) -> JobRequest:
    """Return the request that makes the OCI job of another object with that spec."""
    request = plan_of(make_job_observation(job=make_job("another", **spec))).request
    assert isinstance(request, JobRequest)
    return request


def written(o: JobObservation, decision: Decision[OCIJobStatus]) -> JobObservation:
    """Return the observation after the decision's status was written."""
    return replace(o, job=o.job.model_copy(update={"status": decision.status}))


def ready(decision: Decision[OCIJobStatus]) -> tuple[str, str]:
    """Return reason and message of Ready."""
    condition = find(decision.status.conditions, ConditionType.READY)
    assert condition is not None
    return condition.reason, condition.message


def synced(**spec: Any) -> JobObservation:
    """Return a job that is Ready, whose one revision is complete and is what the spec says."""
    o = make_job_observation(job=make_job(metadata=make_metadata("job", finalizer=True), **spec))
    plan = plan_of(o)
    revision = Revision(
        name=plan.revision,
        job_id=make_ocid("datasciencejob", plan.revision),
        settings_digest=plan.settings_digest,
        artifact=plan.artifact,
        complete=True,
        last_used_at=START,
    )
    adoption = o.job.spec.adopt
    adopted = AdoptedJob(ocid=adoption.ocid, kept=True) if adoption is not None else None
    status = make_ready_job(revision=plan.revision).status
    job = o.job.model_copy(
        update={"status": status.model_copy(update={"revisions": (revision,), "adopted": adopted})}
    )
    return shapes_listed(replace(o, job=job))
