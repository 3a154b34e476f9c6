"""Single decisions about a job: what it waits for, what it says while it does, and when it looks again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.reconcile.decided_jobs import (
    plan_of,
    ready,
    request_of,
    shapes_listed,
    synced,
    written,
)

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.status import JobSubmission
from ocijobs.api.run.phase import Phase
from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.conditions import ConditionType, is_true
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.data_science.backend import DATA_SCIENCE
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Absent, JobState, Refusal, RefusalKind
from ocijobs.backends.requests import NameKind
from ocijobs.backends.revision import settings_digest
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.jobs import (
    CreateJob,
    FindName,
    ListActiveRuns,
    LookUpJob,
    ReadSources,
    UpdateJob,
)
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.idempotency import Evidence
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.job.observation import JobObservation, RunView
from ocijobs.reconcile.job.place import Place, find_place
from ocijobs.reconcile.job.plan import make_plan
from ocijobs.reconcile.job.removal import remove_oci_job
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.oci_jobs import Removal
from ocijobs.testing import (
    COMPARTMENT,
    DEFAULT_SETTINGS,
    LOG_GROUP,
    PROJECT,
    SETTLED,
    START,
    make_caller,
    make_identity_view,
    make_job,
    make_job_observation,
    make_job_record,
    make_metadata,
    make_ocid,
    make_sources,
    make_spark_job,
)

HELD = make_metadata("job", finalizer=True)
REMOTE = {"script": {"source": {"git_repository": {"url": "https://git.example/code.git"}}}}
INVALID = Refusal(kind=RefusalKind.INVALID, message="no such shape")
NOT_FOUND = Refusal(kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, message="no policy")
UNAVAILABLE = Refusal(kind=RefusalKind.UNAVAILABLE, message="timed out")


def science(**infrastructure: Any) -> dict[str, Any]:
    """Return the spec of a job with that infrastructure."""
    return {
        "infrastructure": {"data_science_job": {"shape_name": "VM.Standard2.1"} | infrastructure}
    }


def decided(o: JobObservation, minutes: float = 0) -> Decision[Any]:
    """Return the decision some minutes later, of sources that were read by then."""
    now = SETTLED + timedelta(minutes=minutes)
    sources = o.known.sources
    read = replace(sources, checked_at=now) if sources is not None else None
    return decide_job(replace(o, known=replace(o.known, sources=read)), now)


# Who, and where.


def test_nothing_is_made_or_changed_for_an_identity_that_goes_and_what_is_there_is_ended() -> None:
    why = (Reason.WAITING_FOR_IDENTITY, "OCIIdentity default is being deleted")
    going = make_identity_view(no_start=why)
    for o in (make_job_observation(), synced()):
        decision = decided(replace(o, identity=going))
        assert (ready(decision), decision.actions) == (why, ())
    deleted = synced()
    meta = deleted.job.metadata.model_copy(update={"deletion_timestamp": START})
    job = deleted.job.model_copy(update={"metadata": meta})
    (action,) = decided(replace(deleted, identity=going, job=job)).actions
    assert isinstance(action, ListActiveRuns)


def test_an_identity_that_can_t_be_used_says_why() -> None:
    blind = make_identity_view(obstacle=(Reason.CREDENTIALS_INVALID, "401"))
    assert ready(decided(make_job_observation(identity=blind))) == (
        Reason.CREDENTIALS_INVALID,
        "401",
    )


@pytest.mark.parametrize("field", ["compartmentId", "projectId"])
def test_a_place_that_nobody_names_is_asked_for(field: str) -> None:
    names = {"compartmentId": "compartment_id", "projectId": "project_id"}
    lacking: dict[str, Any] = {names[field]: None}
    job = make_job(**lacking)
    assert ready(decided(make_job_observation(job=job))) == (
        Reason.INVALID_SPEC,
        (
            f"spec.{field}: is not set, and OCIIdentity default has no spec.defaults.{field}: set "
            "one of the two"
        ),
    )


def test_new_objects_are_held_after_a_restore() -> None:
    settings = DEFAULT_SETTINGS.model_copy(update={"hold_new": True})
    o = shapes_listed(make_job_observation(settings=settings))
    assert ready(decided(o))[0] == Reason.HELD
    assert decided(replace(shapes_listed(synced()), settings=settings)).status.job_id is not None


# Names that OCI is asked about.


def test_a_log_by_name_is_found_in_its_group() -> None:
    logging = {"log_group_name": "group", "log_name": "log"}
    o = shapes_listed(make_job_observation(job=make_job(**science(logging=logging))))
    found = {"group": make_ocid("loggroup", "found"), "log": make_ocid("log", "found")}
    for name, ocid in found.items():
        (action,) = decided(o).actions
        assert isinstance(action, FindName)
        assert action.name.name == name
        known = o.known.name_answered(action.name, ocid, at=SETTLED, epoch=o.epoch)
        o = replace(o, known=known)
    request = plan_of(o).request
    assert request.compartment_id == COMPARTMENT
    log = getattr(request, "log")  # noqa: B009 - of a Data Science job
    assert (log.log_group_id, log.log_id) == (found["group"], found["log"])


def test_an_address_of_a_file_system_is_looked_up_by_host_and_by_path() -> None:
    mount = {"src": "10.0.0.5:/code", "destination_directory_name": "data"}
    o = shapes_listed(make_job_observation(job=make_job(**science(storage_mounts=[mount]))))
    asked = []
    for ocid in (make_ocid("mounttarget"), make_ocid("export")):
        (action,) = decided(o).actions
        assert isinstance(action, FindName)
        asked.append((action.name.kind, action.name.name))
        known = o.known.name_answered(action.name, ocid, at=SETTLED, epoch=o.epoch)
        o = replace(o, known=known)
    assert asked == [(NameKind.MOUNT_TARGET, "10.0.0.5"), (NameKind.EXPORT, "/code")]
    assert [name.id for name in plan_of(o).names] == [make_ocid("mounttarget"), make_ocid("export")]


@pytest.mark.parametrize(
    ("logging", "group"),
    [
        (None, LOG_GROUP),
        ({"enable_logging": False}, None),
        ({"log_group_id": make_ocid("loggroup", "own")}, make_ocid("loggroup", "own")),
    ],
)
def test_output_goes_to_the_identity_s_group_unless_the_job_says_otherwise(
    logging: dict[str, Any] | None, group: str | None
) -> None:
    log = request_of(**science(logging=logging)).log
    assert (log.log_group_id if log is not None else None) == group


@pytest.mark.parametrize("logging", [None, {"enable_logging": True}])
def test_without_any_group_no_output_is_kept(logging: dict[str, Any] | None) -> None:
    job = make_job(**science(logging=logging))
    o = make_job_observation(job=job, identity=make_identity_view(defaults=IdentityDefaults()))
    assert getattr(plan_of(o).request, "log") is None  # noqa: B009 - of a Data Science job


@pytest.mark.parametrize(
    ("refusal", "stalled"), [(NOT_FOUND, False), (INVALID, True), (UNAVAILABLE, False)]
)
def test_a_name_that_is_not_found_is_told_by_its_field(refusal: Refusal, *, stalled: bool) -> None:
    logging = {"log_group_name": "group"}
    o = shapes_listed(make_job_observation(job=make_job(**science(logging=logging))))
    (action,) = decided(o).actions
    assert isinstance(action, FindName)
    known = o.known.name_answered(action.name, refusal, at=SETTLED, epoch=o.epoch)
    o = replace(o, known=known)
    decision = decided(o)
    where = "spec.infrastructure.dataScienceJob.logging.logGroupName"
    assert ready(decision)[1] == f"{where}: {refusal.message}"
    assert is_true(decision.status.conditions, ConditionType.STALLED) is stalled
    if not stalled:
        assert [type(again) for again in decided(o, minutes=20).actions] == [FindName]


def test_a_shape_that_there_is_not_is_told_with_what_is_near() -> None:
    job = make_job(**science(shape_name="VM.Standard2.3"))
    o = shapes_listed(make_job_observation(job=job))
    assert "did you mean VM.Standard2." in ready(decided(o))[1]
    far = make_job(**science(shape_name="BM.X9"))
    assert "there are VM.Standard2.1, " in ready(decided(shapes_listed(replace(o, job=far))))[1]
    # Where the list can't be read, OCI itself refuses what there is not.
    unread = replace(o, known=o.known.shapes_listed(INVALID, at=SETTLED, epoch=o.epoch))
    assert ready(decided(replace(unread, job=far.model_copy(update={"metadata": HELD}))))[0] == (
        Reason.CREATING
    )


# What OCI would refuse.


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"env": [{"name": name, "value": "x" * 20_000} for name in "AB"]},
            "spec.env: names and values of all",
        ),
        ({"args": ["x" * 2_000, "x" * 2_000]}, "spec.args: the command line has 4001 characters"),
        ({"env": [{"name": "JOB_OCID", "value": ""}]}, "spec.env: JOB_OCID: reserved"),
        (
            {"runtime": {"container": {"image": "a.ocir.io/n/i", "cmd": ["x" * 2048]}}},
            "spec.runtime.container: entrypoint and cmd have 2048 bytes together",
        ),
        (
            {
                "runtime": {
                    "container": {"image": "a.ocir.io/n/i", "cmd": ["x" * 2048], "replicas": 2}
                }
            },
            "spec.runtime.container: entrypoint and cmd have 2048 bytes together",
        ),
    ],
)
def test_what_is_too_much_for_oci_is_refused_here(spec: dict[str, Any], words: str) -> None:
    decision = decided(shapes_listed(make_job_observation(job=make_job(**spec))))
    assert ready(decision)[0] == Reason.INVALID_SPEC
    assert ready(decision)[1].startswith(words)
    assert is_true(decision.status.conditions, ConditionType.STALLED)


def test_an_artifact_that_is_too_large_is_not_uploaded() -> None:
    limit = DEFAULT_SETTINGS.artifact_limit_bytes
    known = JobKnown(sources=make_sources(size=limit + 1))
    words = ready(decided(make_job_observation(known=known)))[1]
    assert words.startswith(f"spec.runtime: the artifact has {limit + 1} bytes")


# Sources.


def test_nothing_is_planned_before_the_sources_were_read() -> None:
    o = make_job_observation(known=JobKnown())
    place = find_place(o, make_caller(), None)
    assert isinstance(place, Place)
    assert make_plan(o, place, SETTLED) is None


def test_a_source_that_can_t_be_reached_at_first_is_told() -> None:
    o = make_job_observation(known=JobKnown(), job=make_job(runtime=REMOTE))
    (action,) = decided(o).actions
    assert isinstance(action, ReadSources)
    o = replace(o, known=o.known.sources_answered(UNAVAILABLE, at=SETTLED, epoch=o.epoch))
    assert ready(decide_job(o, SETTLED)) == (Reason.SOURCE_UNREACHABLE, "timed out")


def test_a_remote_source_that_fails_later_leaves_the_former_revision_serving() -> None:
    o = synced(runtime=REMOTE)
    known = o.known.sources_answered(UNAVAILABLE, at=SETTLED, epoch=o.epoch)
    decision = decide_job(replace(o, known=known), SETTLED)
    revision = o.job.status.revision
    assert ready(decision) == (
        Reason.SOURCE_UNREACHABLE,
        f"revision {revision} goes on serving: timed out",
    )
    assert is_true(decision.status.conditions, ConditionType.READY)
    assert decision.sources_checked_at == SETTLED


# Creation.


def test_what_was_edited_after_a_refused_creation_is_created_under_another_token() -> None:
    job = make_job(metadata=HELD, display_name="former")
    o = shapes_listed(make_job_observation(job=job))
    o = written(o, decided(o))
    submit = o.job.status.submit
    assert isinstance(submit, JobSubmission)
    known = replace(o.known, evidence=Evidence(token=submit.token, ours=True))
    known = known.create_answered(submit.token, INVALID, at=SETTLED, epoch=o.epoch)
    refused = replace(o, known=known)
    assert ready(decided(refused))[0] == Reason.INVALID_SPEC
    # The same spec is not sent again; another one is, as another creation.
    meta = make_metadata("job", finalizer=True, generation=2)
    edited = make_job(metadata=meta, display_name="later", status=o.job.status)
    o = replace(refused, job=edited)
    known = replace(known, sources=make_sources(generation=2))
    again = decided(shapes_listed(replace(o, known=known)))
    assert again.status.submit is not None
    assert again.status.submit.incarnation == submit.incarnation + 1
    assert again.status.submit.token != submit.token
    assert again.actions == ()


def test_an_intent_of_this_process_is_sent_as_it_is_written() -> None:
    o = shapes_listed(make_job_observation(job=make_job(metadata=HELD)))
    o = written(o, decided(o))
    submit = o.job.status.submit
    assert submit is not None
    o = replace(o, known=replace(o.known, evidence=Evidence(token=submit.token, ours=True)))
    (action,) = decided(o).actions
    assert isinstance(action, CreateJob)
    assert action.token == submit.token


# Becoming ready.


def test_an_oci_job_that_fails_to_become_active_is_told_and_looked_at_again() -> None:
    o = synced()
    (revision,) = o.job.status.revisions
    open_ = revision.model_copy(update={"complete": False})
    status = o.job.status.model_copy(update={"revisions": (open_,)})
    failed = make_job_record(JobState.FAILED, id=revision.job_id)
    known = o.known.upload_answered(revision.job_id, None, at=SETTLED, epoch=o.epoch)
    known = known.look_up_answered(revision.job_id, failed, at=SETTLED, epoch=o.epoch)
    o = replace(o, known=known, job=o.job.model_copy(update={"status": status}))
    decision = decided(o)
    assert ready(decision) == (
        Reason.OCI_CONFLICT,
        f"OCI job {revision.job_id} is FAILED: OCI does not say why",
    )
    assert decision.actions == ()
    assert [type(action) for action in decided(o, minutes=20).actions] == [LookUpJob]


def refused_update(**spec: Any) -> JobObservation:
    """Return a job whose settings were edited, and that OCI refuses to change."""
    o = synced(**spec)
    (revision,) = o.job.status.revisions
    other = revision.model_copy(update={"settings_digest": "of another name"})
    status = o.job.status.model_copy(update={"revisions": (other,)})
    o = replace(o, job=o.job.model_copy(update={"status": status}))
    (action,) = decided(o).actions
    assert isinstance(action, UpdateJob)
    known = o.known.update_answered(
        action.job_id, action.settings_digest, INVALID, at=SETTLED, epoch=o.epoch
    )
    return replace(o, known=known)


def test_settings_that_oci_does_not_change_in_place_make_another_oci_job() -> None:
    o = refused_update()
    former = o.job.status.revision
    noted = decided(o)
    (revision,) = noted.status.revisions
    assert revision.refused_settings == plan_of(o).settings_digest
    again = decided(written(o, noted))
    assert again.status.submit is not None
    assert again.status.submit.revision.startswith(f"{former}-")


def test_an_adopted_oci_job_whose_settings_oci_refuses_has_no_other_to_become() -> None:
    adoption = {"ocid": make_ocid("datasciencejob", "outside")}
    o = refused_update(runtime=None, adopt=adoption)
    assert ready(decided(o))[0] == Reason.INVALID_SPEC


# What others do to it.


def watched(o: JobObservation, answer: JobRecord | Absent, *, minutes: float = 0) -> JobObservation:
    """Return the observation after OCI told of the OCI job that serves."""
    (revision,) = o.job.status.revisions
    at = SETTLED + timedelta(minutes=minutes)
    known = o.known.look_up_answered(revision.job_id, answer, at=at, epoch=o.epoch)
    return replace(o, known=known)


def changed(o: JobObservation, **changes: Any) -> JobRecord:
    """Return the OCI job that serves, with another name than the manifest's."""
    request = request_of(display_name="theirs")
    return make_job_record(
        **{"id": o.job.status.job_id, "content": request, "owner": f"{o.owner}/v1-a"} | changes
    )


def test_a_change_is_only_told_where_the_job_says_so() -> None:
    o = synced(drift_policy="Report")
    decision = decided(watched(o, changed(o)))
    assert decision.actions == ()
    assert ready(decision) == (
        Reason.DRIFT_DETECTED,
        "OCI's job is not as the manifest says: displayName",
    )


def test_an_oci_job_that_another_owner_took_is_told_and_left_to_it() -> None:
    o = synced()
    decision = decided(watched(o, changed(o, owner="another/uid/v1-a")))
    assert decision.actions == ()
    (owner, *_) = decision.status.differences
    assert (owner.field, owner.wanted, owner.found) == ("owner", o.owner, "another/uid/v1-a")


def test_a_correction_that_oci_refuses_is_made_again_later_and_told_of_once() -> None:
    o = synced()
    o = watched(o, changed(o))
    first = decided(o)
    assert [note.reason for note in first.notes] == [Reason.DRIFT_CORRECTED]
    known = o.known.called(Operation.UPDATE, at=SETTLED, refusal=UNAVAILABLE, epoch=o.epoch)
    o = replace(o, known=known)
    held = decided(o)
    assert (held.actions, held.notes) == ((), ())
    assert held.wake_at is not None
    again = decided(o, minutes=5)
    assert [type(action) for action in again.actions] == [UpdateJob]
    assert again.notes == ()


DOUBTING = RunView(
    name="run", phase=Phase.PENDING, live=True, job_id=None, accepted_time=None, doubts=True
)


def test_a_run_s_doubts_have_the_oci_job_looked_at() -> None:
    o = replace(synced(), runs=(DOUBTING,))
    assert [type(action) for action in decided(o).actions] == [LookUpJob]
    # Once seen, not again at once.
    seen = watched(o, changed(o, content=None))
    assert decided(seen).actions == ()
    assert [type(action) for action in decided(seen, minutes=6).actions] == [LookUpJob]


def test_an_oci_job_that_is_gone_once_is_looked_for_again_before_that_is_believed() -> None:
    o = watched(synced(), Absent())
    held = decided(o)
    assert held.actions == ()
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    assert held.wake_at == SETTLED + confirm
    again = watched(o, Absent(), minutes=confirm.total_seconds() / 60)
    lost = decided(again, minutes=10)
    assert [note.reason for note in lost.notes] == [Reason.REMOTE_DELETED]


def test_one_that_is_to_go_and_is_not_seen_is_looked_for_twice() -> None:
    o = synced()
    job_id = str(o.job.status.job_id)
    removal = Removal(job_id=job_id, absent_at=(SETTLED,))
    o = replace(o, known=replace(o.known, removal=removal))
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    step = remove_oci_job(o, make_caller(), COMPARTMENT, job_id, SETTLED)
    assert (step.actions, step.wake_at) == ((), SETTLED + confirm)
    at = SETTLED + confirm
    (action,) = remove_oci_job(o, make_caller(), COMPARTMENT, job_id, at).actions
    assert isinstance(action, LookUpJob)
    o = replace(o, known=o.known.look_up_answered(job_id, Absent(), at=at, epoch=o.epoch))
    assert remove_oci_job(o, make_caller(), COMPARTMENT, job_id, at).done


# Deletion.


def deleted(o: JobObservation, **meta: Any) -> JobObservation:
    """Return the observation after somebody asked for the object's deletion."""
    given: dict[str, Any] = {"finalizer": True, "deleted": START} | meta
    metadata = make_metadata("job", **given)
    return replace(o, job=o.job.model_copy(update={"metadata": metadata}))


def test_a_job_that_nothing_holds_goes_by_itself() -> None:
    o = deleted(synced(), finalizer=False)
    assert decide_job(o, SETTLED) == Decision(status=o.job.status)


def test_a_deleted_job_waits_while_its_identity_is_not_known_yet() -> None:
    o = replace(deleted(synced()), identity=make_identity_view(region=None))
    assert decide_job(o, SETTLED) == Decision(status=o.job.status)


# The last run.


def test_a_run_that_oci_accepted_and_that_has_no_phase_yet_is_not_the_last_one() -> None:
    run = RunView(name="run", phase=None, live=True, job_id=None, accepted_time=START)
    assert decided(replace(synced(), runs=(run,))).status.last_run is None
    accepted = replace(run, phase=Phase.ACCEPTED)
    last = decided(replace(synced(), runs=(accepted,))).status.last_run
    assert last is not None
    assert (last.name, last.time) == ("run", START)


# What a digest of settings is taken over.


def test_the_size_of_a_flexible_shape_and_the_mounts_are_settings() -> None:
    flexible = {"shape_name": "VM.Standard3.Flex"}
    sizes = [
        {"job_shape_config_details": {"ocpus": ocpus, "memory_in_gbs": 16}} for ocpus in (1, 2)
    ]
    mount = {"src": "oci://bucket@namespace", "destination_directory_name": "data"}
    specs = [science(**flexible, **size) for size in sizes]
    specs.append(science(**flexible, **sizes[0], storage_mounts=[mount]))
    digests = {settings_digest(DATA_SCIENCE, request_of(**spec).settings) for spec in specs}
    assert len(digests) == 3


def test_spark_is_in_no_project() -> None:
    defaults = IdentityDefaults(compartment_id=COMPARTMENT, project_id=PROJECT)
    o = make_job_observation(job=make_spark_job(), identity=make_identity_view(defaults=defaults))
    assert o.backend.name is BackendName.DATA_FLOW
    assert plan_of(o).request.project_id is None
