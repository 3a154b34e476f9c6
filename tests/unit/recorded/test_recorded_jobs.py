"""Recorded jobs are gone on with: no second OCI job, no other revision, no settings that are sent again."""

from __future__ import annotations

import pytest
from tests.support.recorded import Record, records
from tests.unit.recorded.served_jobs import RecordedJob, made_today

from ocijobs.backends.revision import adopted_name
from ocijobs.reconcile.actions.jobs import DeleteJob, SearchJobs, UpdateJob
from ocijobs.reconcile.actions.objects import RemoveFinalizer

JOBS = records("OCIJob")
ADOPTING = [job for job in JOBS if "adopt" in job.document["spec"]]
LEAVING = [job for job in JOBS if "deletionTimestamp" in job.document["metadata"]]
OURS = [job for job in JOBS if job not in [*ADOPTING, *LEAVING]]
MADE = [job for job in OURS if job.phase == "Ready"]
BEING_MADE = [job for job in OURS if job.status.get("revisions") and job not in MADE]
OPEN = [job for job in OURS if "submit" in job.status and not job.status.get("revisions")]
WAITING = [job for job in JOBS if job not in [*ADOPTING, *LEAVING, *MADE, *BEING_MADE, *OPEN]]


@pytest.mark.parametrize("record", MADE, ids=str)
def test_the_same_spec_and_code_are_the_same_revision(record: Record) -> None:
    status = record.status
    (current,) = (each for each in status["revisions"] if each["name"] == status["revision"])
    creation = made_today(record)
    tags = creation.request.settings.tags.freeform
    assert tags["ocijobs_owner"] == record.owners[current["jobId"]]
    assert tags["ocijobs_owner"] == f"{status['owner']}/{status['revision']}"


@pytest.mark.parametrize("record", MADE, ids=str)
def test_what_is_in_oci_is_left_as_it_is(record: Record) -> None:
    job = RecordedJob(record)
    job.world.put(made_today(record).request, dict(record.owners))
    before = job.world.api.present.status
    assert job.go_on()
    assert [*job.laws.creations] == []
    assert not any(isinstance(action, UpdateJob | DeleteJob) for action in job.laws.calls)
    after = job.world.api.present.status
    if record.phase == "Ready" and record.reason == "Synced":
        assert after == before
        assert job.world.api.status_writes == 0
    assert after.revisions == before.revisions
    assert (after.job_id, after.revision) == (before.job_id, before.revision)


@pytest.mark.parametrize("record", BEING_MADE, ids=str)
def test_what_was_being_made_is_finished_and_not_made_again(record: Record) -> None:
    job = RecordedJob(record)
    job.world.put(made_today(record).request, dict(record.owners))
    assert job.go_on()
    assert [*job.laws.creations] == []
    assert job.world.api.present.status.job_id == record.status["revisions"][-1]["jobId"]


@pytest.mark.parametrize("record", OPEN, ids=str)
def test_an_intent_is_resumed_with_its_own_token(record: Record) -> None:
    job = RecordedJob(record)
    assert job.go_on()
    creations = {creation.token: creation for creation in job.laws.creations}
    (creation,) = creations.values()
    tags = creation.request.settings.tags.freeform
    submit = record.status["submit"]
    assert tags["ocijobs_owner"] == f"{record.status['owner']}/{submit['revision']}"
    searched = any(isinstance(action, SearchJobs) for action in job.laws.calls)
    assert (creation.token == submit["token"]) is not searched
    # The request of an application names its code, and no status tells of code before the application is there.
    assert searched is (record.reason == "Searching") or "-dataflow-" in record.name
    assert len(job.world.oci.jobs) == 1


@pytest.mark.parametrize("record", OPEN, ids=str)
def test_what_an_intent_has_made_is_found(record: Record) -> None:
    first = RecordedJob(record)
    assert first.go_on()
    job, submit = RecordedJob(record), record.status["submit"]
    (made,) = first.world.oci.jobs
    assert made.owner == f"{record.status['owner']}/{submit['revision']}"
    at = job.world.recorded.status.submit
    assert at is not None
    made.history = [(at.started_at, made.history[0][1])]
    made.artifact = None
    job.world.oci.jobs.append(made)
    job.world.oci.tokens.keep(submit["token"], made.request, made, at=at.started_at)
    assert job.go_on()
    assert job.world.oci.jobs == [made]
    assert job.world.api.present.status.job_id == made.id


@pytest.mark.parametrize("record", WAITING, ids=str)
def test_what_waits_is_made_once(record: Record) -> None:
    job = RecordedJob(record)
    assert job.go_on()
    assert len({creation.token for creation in job.laws.creations}) <= 1
    assert len(job.world.oci.jobs) <= 1
    assert job.world.oci.jobs or record.reason == "InvalidSpec"


@pytest.mark.parametrize("record", LEAVING, ids=str)
def test_what_is_deleted_goes(record: Record) -> None:
    job = RecordedJob(record)
    twin = RecordedJob(record)
    meta = twin.world.recorded.metadata.model_copy(update={"deletion_timestamp": None})
    twin.world.api.object = twin.world.recorded.model_copy(update={"metadata": meta})
    twin.world.api.edit_status()
    twin.go_on()
    job.world.put(next(twin.laws.creations).request, dict(record.owners))
    assert not job.go_on()
    assert any(isinstance(action, RemoveFinalizer) for action in job.laws.calls)
    assert [*job.laws.creations] == []


@pytest.mark.parametrize("record", ADOPTING, ids=str)
def test_the_revision_of_an_adopted_job_has_its_name(record: Record) -> None:
    ocid = record.document["spec"]["adopt"]["ocid"]
    mode = record.document["spec"]["adopt"].get("mode", "Adopt")
    names = {each["name"] for each in record.status.get("revisions", ()) if each["jobId"] == ocid}
    assert names <= {adopted_name(ocid)}
    assert names or record.phase != "Ready" or mode == "Observe"


def test_every_job_that_was_recorded_is_gone_on_with() -> None:
    assert {*map(str, JOBS)} == {
        *map(str, [*ADOPTING, *LEAVING, *MADE, *BEING_MADE, *OPEN, *WAITING])
    }
