"""OCI jobs that were made elsewhere: taken up as a revision, or looked at and never changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.reconcile.decided_jobs import plan_of, ready, request_of, shapes_listed, written

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.shared.names import FINALIZER
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.data_science.requests import SingleNode
from ocijobs.backends.records import JobState, Refusal, RefusalKind
from ocijobs.reconcile.actions.jobs import LookUpJob, UpdateJob
from ocijobs.reconcile.actions.objects import AddFinalizer, RemoveFinalizer
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.testing import (
    COMPARTMENT,
    PROJECT,
    SETTLED,
    START,
    make_identity_view,
    make_job,
    make_job_observation,
    make_job_record,
    make_metadata,
    make_ocid,
    make_sources,
)

OUTSIDE = make_ocid("datasciencejob", "outside")
LATER = SETTLED + timedelta(hours=6)
NO_CODE = {"container": {"image": "iad.ocir.io/ns/image"}}
NOTHING = make_sources(name="", sha256="", size=0)


def adopting(
    *, held: bool = True, mode: str = "Adopt", former: str | None = None, **spec: Any
) -> JobObservation:
    """Return a job that is to be OUTSIDE, whose sources were read."""
    adoption = {"ocid": OUTSIDE, "mode": mode, "former_owner": former}
    meta = make_metadata("job", finalizer=held)
    return make_job_observation(job=make_job(metadata=meta, adopt=adoption, **spec))


def told(o: JobObservation, *, at: datetime = SETTLED, **changes: Any) -> JobObservation:
    """Return the observation after OCI told of OUTSIDE."""
    record = make_job_record(**{"id": OUTSIDE, "content": request_of(), **changes})
    known = o.known.look_up_answered(OUTSIDE, record, at=at, epoch=o.epoch)
    return shapes_listed(replace(o, known=known))


# What is asked first.


def test_the_oci_job_is_read_before_anything_is_decided() -> None:
    (action,) = decide_job(adopting(), SETTLED).actions
    assert isinstance(action, LookUpJob)
    assert (action.job_id, action.compartment_id) == (OUTSIDE, COMPARTMENT)


def test_it_is_looked_for_in_the_identity_s_compartment_where_the_spec_has_none() -> None:
    elsewhere = make_ocid("compartment", "elsewhere")
    identity = make_identity_view(defaults=IdentityDefaults(compartment_id=elsewhere))
    o = replace(adopting(compartment_id=None), identity=identity)
    (action,) = decide_job(o, SETTLED).actions
    assert isinstance(action, LookUpJob)
    assert action.compartment_id == elsewhere


def test_what_oci_refuses_to_show_is_told_and_looked_for_again() -> None:
    o = adopting()
    refusal = Refusal(kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, message="no such job")
    o = replace(o, known=o.known.look_up_answered(OUTSIDE, refusal, at=SETTLED, epoch=o.epoch))
    decision = decide_job(o, SETTLED)
    assert ready(decision) == (
        Reason.NOT_AUTHORIZED_OR_NOT_FOUND,
        "spec.adopt.ocid: no such job",
    )
    assert decision.actions == ()
    assert decision.wake_at is not None
    o = replace(o, known=replace(o.known, sources=make_sources(checked_at=LATER)))
    (action,) = decide_job(o, LATER).actions
    assert isinstance(action, LookUpJob)


@pytest.mark.parametrize(
    ("record", "reason", "words"),
    [
        ({"state": JobState.DELETING}, Reason.OCI_CONFLICT, f"{OUTSIDE} is DELETING"),
        (
            {"content": None, "unreadable": "type QUANTUM"},
            Reason.INVALID_SPEC,
            "is one that this version can't keep: type QUANTUM",
        ),
        (
            {"compartment_id": make_ocid("compartment", "b")},
            Reason.INVALID_SPEC,
            f"spec.compartmentId: OCI job {OUTSIDE} is in compartment {make_ocid('compartment', 'b')}",
        ),
        (
            {"owner": "another/uid/v1-a"},
            Reason.INVALID_SPEC,
            f"spec.adopt.formerOwner: OCI job {OUTSIDE} belongs to another/uid: ",
        ),
    ],
)
def test_an_oci_job_that_can_t_be_taken_up_stays_as_it_is(
    record: dict[str, Any], reason: Reason, words: str
) -> None:
    decision = decide_job(told(adopting(), **record), SETTLED)
    assert decision.actions == ()
    assert decision.status.revisions == ()
    assert ready(decision)[0] == reason
    assert words in ready(decision)[1]


@pytest.mark.parametrize("owner", ["another/uid/v1-a", "cluster/uid-of-job/v1-a", None])
def test_one_of_nobody_of_the_object_itself_or_of_the_owner_that_is_named_is_taken_up(
    owner: str | None,
) -> None:
    decision = decide_job(told(adopting(former="another/uid"), owner=owner), SETTLED)
    assert [r.job_id for r in decision.status.revisions] == [OUTSIDE]


def test_a_place_that_the_spec_does_not_name_is_that_of_the_oci_job() -> None:
    elsewhere = make_ocid("compartment", "elsewhere")
    o = told(adopting(compartment_id=None, project_id=None), compartment_id=elsewhere)
    status = decide_job(o, SETTLED).status
    assert (status.compartment_id, status.project_id) == (elsewhere, PROJECT)


# Adopt.


def test_the_object_is_held_before_the_oci_job_is_its_own() -> None:
    assert decide_job(told(adopting(held=False)), SETTLED).actions == (AddFinalizer(),)


def test_code_that_nobody_can_compare_makes_another_beside_it() -> None:
    o = told(adopting())
    decision = decide_job(o, SETTLED)
    (note,) = decision.notes
    assert note.reason == Reason.ADOPTED
    assert note.message.endswith("says something else, and so another is made beside it")
    (revision,) = decision.status.revisions
    assert (revision.job_id, revision.complete) == (OUTSIDE, True)
    after = decide_job(written(o, decision), SETTLED)
    assert after.status.submit is not None
    assert after.status.submit.revision != revision.name


@pytest.mark.parametrize(
    ("theirs", "same"),
    [({}, True), ({"args": ["--other"]}, False)],
)
def test_one_without_code_is_the_current_revision_if_it_starts_what_the_manifest_says(
    theirs: dict[str, Any], *, same: bool
) -> None:
    o = replace(adopting(runtime=NO_CODE), known=JobKnown(sources=NOTHING))
    o = told(o, content=request_of(runtime=NO_CODE, **theirs))
    decision = decide_job(o, SETTLED)
    after = decide_job(written(o, decision), SETTLED)
    if same:
        # Its settings are sent, our tags with them.
        (action,) = after.actions
        assert isinstance(action, UpdateJob)
        assert action.job_id == OUTSIDE
    else:
        assert after.status.submit is not None


def test_one_that_an_operator_made_tells_its_revision() -> None:
    o = adopting(former="another/uid")
    revision = plan_of(o).revision
    decision = decide_job(told(o, owner=f"another/uid/{revision}"), SETTLED)
    assert [r.name for r in decision.status.revisions] == [revision]
    assert [note.message for note in decision.notes] == [f"adopted OCI job {OUTSIDE}"]


def test_without_a_runtime_the_oci_job_s_code_serves_with_what_else_it_starts() -> None:
    o = replace(adopting(runtime=None), known=JobKnown(sources=NOTHING))
    o = told(o, content=request_of(args=["--fast"], maximum_runtime_in_minutes=10))
    status = decide_job(o, SETTLED).status
    assert status.adopted is not None
    assert (status.adopted.ocid, status.adopted.kept) == (OUTSIDE, True)
    assert status.adopted.command_line_arguments == "--fast"
    assert status.adopted.maximum_runtime_in_minutes == 10


def test_of_an_oci_job_of_several_nodes_nothing_else_is_noted() -> None:
    container = {"container": {"image": "iad.ocir.io/ns/image", "replicas": 2}}
    theirs = request_of(runtime=container)
    assert not isinstance(theirs.workload, SingleNode)
    status = decide_job(told(adopting(), content=theirs), SETTLED).status
    assert status.adopted is not None
    assert status.adopted.command_line_arguments is None


def test_without_a_runtime_an_adopted_oci_job_that_is_gone_can_t_be_made_again() -> None:
    o = replace(adopting(runtime=None), known=JobKnown(sources=NOTHING))
    o = told(o)
    adopted = decide_job(o, SETTLED)
    gone = make_job_record(JobState.DELETED, id=OUTSIDE)
    o = written(o, adopted)
    o = replace(o, known=o.known.look_up_answered(OUTSIDE, gone, at=SETTLED, epoch=o.epoch))
    lost = decide_job(o, SETTLED)
    assert [note.reason for note in lost.notes] == [Reason.REMOTE_DELETED]
    after = decide_job(written(o, lost), SETTLED)
    assert ready(after) == (
        Reason.REMOTE_DELETED,
        "spec.adopt: the adopted OCI job is gone, and without spec.runtime no other can be made",
    )


# Observe.


def observing(**changes: Any) -> JobObservation:
    """Return a job that only looks at OUTSIDE, of which OCI has told."""
    return told(adopting(mode="Observe", held=False, former=None), **changes)


def test_one_that_is_looked_at_serves_runs_and_is_nobody_s_to_hold() -> None:
    o = observing(owner="another/uid/v1-a")
    decision = decide_job(o, SETTLED)
    assert decision.actions == ()
    assert ready(decision) == (
        Reason.OBSERVED,
        f"OCI job {OUTSIDE} is looked at, and never changed",
    )
    status = decision.status
    assert (status.job_id, status.revisions) == (OUTSIDE, ())
    assert status.adopted is not None
    assert not status.adopted.kept
    assert decision.sources_checked_at is None
    assert FINALIZER not in o.job.metadata.finalizers
    # What is written is agreed upon: from then on it serves.
    assert decide_job(written(o, decision), SETTLED).sources_checked_at == SETTLED


@pytest.mark.parametrize(
    ("runtime", "fields"),
    [
        (NO_CODE, {"displayName", "args"}),
        # Nothing is said of what it starts.
        (None, {"displayName"}),
    ],
)
def test_where_it_is_not_as_the_manifest_says_is_told(runtime: Any, fields: set[str]) -> None:
    o = adopting(mode="Observe", runtime=runtime, display_name="mine")
    o = replace(o, known=JobKnown(sources=NOTHING))
    theirs = request_of(runtime=NO_CODE, display_name="theirs", args=["--fast"])
    status = decide_job(told(o, content=theirs), SETTLED).status
    assert {difference.field for difference in status.differences} == fields


def test_it_is_told_of_although_the_spec_itself_can_t_be_planned() -> None:
    o = adopting(mode="Observe")
    broken = make_sources(invalid="job.py: no such file")
    o = told(replace(o, known=JobKnown(sources=broken)))
    decision = decide_job(o, SETTLED)
    assert ready(decision)[0] == Reason.OBSERVED
    assert decision.status.differences == ()


def test_one_that_can_t_be_read_is_observed_no_more() -> None:
    decision = decide_job(observing(content=None, unreadable="type QUANTUM"), SETTLED)
    assert ready(decision)[0] == Reason.INVALID_SPEC


def test_it_is_looked_at_again_at_intervals() -> None:
    o = observing()
    # The sources are not due before it.
    o = replace(
        o, known=replace(o.known, sources=make_sources(checked_at=SETTLED + timedelta(minutes=9)))
    )
    wake_at = decide_job(o, SETTLED).wake_at
    assert wake_at is not None
    interval = o.settings.drift_interval_seconds
    assert 0.9 * interval <= (wake_at - SETTLED).total_seconds() <= 1.1 * interval
    (action,) = decide_job(o, wake_at).actions
    assert isinstance(action, LookUpJob)
    assert action.job_id == OUTSIDE


def test_an_oci_job_that_is_looked_at_stays_whatever_the_deletion_policy_says() -> None:
    meta = make_metadata("job", finalizer=True, deleted=START)
    adoption = {"ocid": OUTSIDE, "mode": "Observe"}
    job = make_job(metadata=meta, adopt=adoption, deletion_policy="Delete")
    assert decide_job(make_job_observation(job=job), SETTLED).actions == (RemoveFinalizer(),)


def test_what_is_adopted_stays_unless_the_job_says_otherwise() -> None:
    adoption = {"ocid": OUTSIDE}
    assert make_job(adopt=adoption).spec.retained
    assert not make_job(adopt=adoption, deletion_policy="Delete").spec.retained
