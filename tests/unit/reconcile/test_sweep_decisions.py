"""Sweeps by example: combinations, the best run, and what people are told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.reconcile.simulation.sweep_world import SIZE, SweepWorld

from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.shared.dependency import DependencyKind
from ocijobs.api.shared.names import ANNOTATION_ALLOW_START, ANNOTATION_PAUSED
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.sweep.spec import OCIJobSweepSpec
from ocijobs.reconcile.actions.objects import DeleteObject
from ocijobs.reconcile.actions.runs import RefreshJob
from ocijobs.reconcile.dependencies import DependencyView, Relations
from ocijobs.reconcile.known.sweep import Outcome
from ocijobs.reconcile.sweep.decide import decide_sweep
from ocijobs.reconcile.sweep.indices import from_intervals, index_of, names_index, to_intervals
from ocijobs.reconcile.sweep.tally import count
from ocijobs.reconcile.sweep_points import point, problem, total
from ocijobs.testing import START, make_identity_view, make_job, make_metadata, make_ready_job


@given(st.sets(st.integers(0, 300)))
def test_intervals_say_what_they_were_made_of(indices: set[int]) -> None:
    assert from_intervals(to_intervals(indices)) == indices


def test_intervals_of_ten_thousand_runs_are_short() -> None:
    assert to_intervals(range(10_000)) == "0-9999"
    assert len(to_intervals(range(0, 10_000, 2))) < 65_536


@given(st.sets(st.integers(0, 300)), st.integers(0, 301))
def test_an_index_is_found_in_intervals_without_reading_them_out(
    indices: set[int], index: int
) -> None:
    assert names_index(to_intervals(indices), index) is (index in indices)


@pytest.mark.parametrize(
    ("name", "index"),
    [("s-0", 0), ("s-9999", 9999), ("s-01", None), ("s-", None), ("s-x", None), ("t-1", None)],
)
def test_a_child_is_told_by_its_name(name: str, index: int | None) -> None:
    assert index_of("s", name) == index


def test_the_status_of_ten_thousand_runs_is_small_however_they_ended() -> None:
    world = SweepWorld(matrix=None, points=[{"parameters": {"X": "1"}}] * 10_000)
    world.live()
    ends = (Outcome(succeeded=True, results={"score": "1"}), Outcome(succeeded=False, results={}))
    world.children.created = 10_000
    world.children.live.clear()
    world.children.ends.update({n: ends[n % 3] for n in range(10_000) if n % 3 < 2})
    status = count(world.observe()).changes()
    assert (status["succeeded"], status["failed"]) == (3334, 3333)
    document = world.sweep.status.model_copy(update=status).document()
    assert len(json.dumps(document)) < 60_000


def sweep_of(**spec: Any) -> OCIJobSweepSpec:
    return OCIJobSweepSpec.model_validate({"job_ref": {"name": "job"}, **spec})


def test_variables_are_taken_by_name_and_the_last_changes_fastest() -> None:
    spec = sweep_of(matrix={"B": ["x", "y"], "A": ["1", "2"]})
    parameters = [dict(point(spec, index).parameters) for index in range(total(spec))]
    assert parameters == [
        {"A": "1", "B": "x"},
        {"A": "1", "B": "y"},
        {"A": "2", "B": "x"},
        {"A": "2", "B": "y"},
    ]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"matrix": {"A": [str(n) for n in range(1000)], "B": ["x"] * 1000}}, "1,000,000 combinat"),
        ({"matrix": {"JOB_OCID": ["x"]}}, "JOB_OCID: reserved"),
        ({"matrix": {"OCIJOBS_X": ["x"]}}, "OCIJOBS_X: reserved"),
        ({"points": [{"parameters": {"a-b": "x"}}]}, "spec.points: a-b: no name of an environment"),
    ],
)
def test_combinations_that_make_no_sense_are_refused_in_words(spec: Any, says: str) -> None:
    assert says in (problem(sweep_of(**spec)) or "")


@pytest.mark.parametrize(
    ("goal", "scores", "wins"),
    [
        ("Maximize", ["NaN", "", "nan", "0.1", "many", "0.10", "-inf"], 3),
        ("Minimize", ["inf", "nan", "1e3", "999.9", "NaN", "-nan", "1000"], 3),
        ("Minimize", ["inf", "nan", "-inf", "0", "NaN", "", "-1"], 2),
        ("Maximize", ["0.30", "0.3", "3e-1", "0.299", "nan", "", "x"], 0),
    ],
)
def test_what_is_no_number_never_wins(goal: str, scores: list[str], wins: int) -> None:
    world = SweepWorld(objective={"result": "score", "goal": goal})
    world.live()
    for index, score in enumerate(scores):
        world.end(index, Phase.SUCCEEDED, score=score or "none")
    world.wait()
    assert world.sweep.status.best is not None
    assert world.sweep.status.best.index == wins
    assert world.sweep.status.best.value == scores[wins]


def test_a_sweep_whose_runs_report_no_number_has_failed() -> None:
    world = SweepWorld()
    world.live()
    for index in world.running:
        world.end(index, Phase.SUCCEEDED, score="NaN")
    world.wait()
    assert world.sweep.status.phase is SweepPhase.FAILED
    assert world.reason == Reason.RESULT_MISSING


def test_counts_alone_are_written_once_in_ten_seconds() -> None:
    world = SweepWorld(3, 0)
    world.live()
    before = world.sweep.status
    for _ in range(3):
        world.end(world.running[0], Phase.SUCCEEDED)
        world.live()
    assert world.sweep.status == before
    world.now += timedelta(seconds=11)
    world.live()
    assert world.sweep.status.succeeded == 3


def test_what_was_waited_for_is_recorded_though_the_job_is_not_there() -> None:
    world = SweepWorld(depends_on=[{"name": "first"}])
    job = world.job
    world.job = None
    done = DependencyView(uid="uid-1", phase="Succeeded", ended=True, succeeded=True)
    world.relations = Relations(views={(DependencyKind.RUN, "first"): done})
    world.live()
    assert world.reason == Reason.WAITING_FOR_JOB
    assert [item.uid for item in world.sweep.status.dependencies] == ["uid-1"]
    # It is deleted, and is not missed.
    world.relations, world.job = Relations(), job
    world.live()
    assert world.created == list(range(SIZE))


def test_a_sweep_begins_with_no_job_that_is_being_deleted() -> None:
    world = SweepWorld()
    world.job = make_ready_job(metadata=make_metadata("job", finalizer=True, deleted=world.now))
    world.wait()
    assert (world.reason, world.created) == (Reason.JOB_DELETED, [])
    world.job = None
    world.wait()
    assert world.reason == Reason.WAITING_FOR_JOB
    world.job = make_ready_job()
    world.wait()
    assert len(world.created) == SIZE


def test_a_sweep_that_is_new_to_a_restored_cluster_is_held_until_it_may_start() -> None:
    world = SweepWorld()
    world.settings = world.settings.model_copy(update={"hold_new": True})
    world.wait()
    assert world.reason == Reason.HELD
    assert world.created == []
    released = {ANNOTATION_ALLOW_START: "true"}
    meta = world.sweep.metadata.model_copy(update={"annotations": released})
    world.sweep = world.sweep.model_copy(update={"metadata": meta})
    world.wait()
    assert len(world.created) == SIZE
    assert world.annotations[0] == released, "its runs are let go with it"


def test_a_run_that_the_api_server_refuses_ends_the_sweep_with_all_that_came_of_it() -> None:
    world = SweepWorld()
    world.refuses_from = 2
    world.live()
    assert world.created == [0, 1], "nothing comes after what was refused"
    world.end(0, Phase.SUCCEEDED)
    world.live()
    world.end(1, Phase.FAILED)
    world.edit(max_failed_runs=1)
    world.live()
    status = world.sweep.status
    assert (status.phase, world.reason) == (SweepPhase.FAILED, Reason.INVALID_SPEC)
    assert (status.created, status.succeeded, status.failed, status.active) == (2, 1, 1, 0)


def test_runs_that_a_quota_forbids_are_tried_again_and_that_is_said() -> None:
    world = SweepWorld()
    world.forbids_from = 2
    world.live()
    assert world.created == [0, 1]
    assert world.reason == Reason.CREATION_FORBIDDEN
    assert "used up" in world.sweep.status.conditions[0].message
    due = world.decide().wake_at
    assert due is not None
    assert world.now < due <= world.now + timedelta(seconds=60)
    world.forbids_from = SIZE
    world.live()
    assert world.created == [0, 1], "not before it is time"
    world.now = due
    world.live()
    assert len(world.created) == SIZE
    assert world.reason == Reason.RUNNING


def test_a_cancellation_that_comes_too_late_or_after_the_end_changes_nothing() -> None:
    world = SweepWorld()
    world.live()
    for index in world.running:
        world.end(index, Phase.SUCCEEDED)
    world.edit(cancel=True)
    world.live()
    assert world.sweep.status.phase is SweepPhase.SUCCEEDED
    ended = SweepWorld()
    ended.live()
    for index in ended.running:
        ended.end(index, Phase.SUCCEEDED)
    ended.wait()
    ended.edit(cancel=True)
    ended.live()
    assert ended.sweep.status.phase is SweepPhase.SUCCEEDED
    # Tools wait for the current generation.
    assert ended.sweep.status.observed_generation == ended.sweep.metadata.generation == 2
    assert {one.observed_generation for one in ended.sweep.status.conditions} == {2}


def test_conditions_that_somebody_took_from_a_sweep_that_has_ended_come_back() -> None:
    ended = SweepWorld()
    ended.live()
    for index in ended.running:
        ended.end(index, Phase.SUCCEEDED)
    ended.wait()
    before = ended.sweep.status
    ended.sweep = ended.sweep.model_copy(update={"status": before.changed(conditions=())})
    ended.live()
    after = ended.sweep.status
    assert [(c.type, c.status, c.reason) for c in after.conditions] == [
        (c.type, c.status, c.reason) for c in before.conditions
    ]


def test_a_sweep_that_is_cancelled_or_suspended_before_it_began_has_started_nothing() -> None:
    world = SweepWorld(suspend=True)
    world.wait()
    assert (world.sweep.status.phase, world.created) == (SweepPhase.SUSPENDED, [])
    world.edit(cancel=True)
    world.wait()
    assert (world.sweep.status.phase, world.created) == (SweepPhase.CANCELLED, [])


def test_a_failure_too_many_is_not_taken_back_by_an_edit() -> None:
    world = SweepWorld(2, 0)
    world.live()
    for index in (0, 1):
        world.hang(index)
    world.end(0, Phase.FAILED)
    world.live()
    assert world.phase == "Cancelling"
    world.edit(max_failed_runs=5)
    world.live()
    assert world.created == [0, 1]
    world.end(1, Phase.CANCELLED)
    world.wait()
    assert world.phase == "Failed"
    assert world.reason == Reason.MAX_FAILED_RUNS_EXCEEDED


@pytest.mark.parametrize("times", [1, 2])
def test_a_run_that_is_deleted_at_once_is_not_run_again_though_the_operator_is_killed(
    times: int,
) -> None:
    world = SweepWorld(1)
    world.live()
    assert not world.sweep.status.created, "counts are put off"
    for _ in range(times):
        world.delete(0)
    world.restart()
    world.live()
    if times == 1:
        world.delete(0)
    assert world.created == [0, 1]
    assert world.sweep.status.gone_indexes == "0"


def test_what_the_status_has_of_runs_that_are_all_gone_is_enough() -> None:
    world = SweepWorld(1)
    world.live()
    world.edit(suspend=True)
    world.delete(0)
    world.delete(0)
    world.restart()
    world.edit(suspend=False)
    world.live()
    assert world.created == [0, 1]


def test_an_end_is_in_the_status_before_the_run_that_had_it_is_gone() -> None:
    world = SweepWorld(1)
    world.live()
    world.end(0, Phase.SUCCEEDED)
    world.live()
    assert world.sweep.status.completed_indexes is None, "counts are put off"
    world.delete(0)
    assert world.sweep.status.completed_indexes == "0"


def test_a_million_combinations_cost_nothing_and_are_refused() -> None:
    values = [str(number) for number in range(1000)]
    world = SweepWorld(matrix={"A": values, "B": values}, points=None)
    world.wait()
    assert (world.sweep.status.phase, world.reason) == (SweepPhase.FAILED, Reason.INVALID_SPEC)
    assert world.created == []


@pytest.mark.parametrize(
    "changes", [{"annotations": {ANNOTATION_PAUSED: "true"}}, {"deleted": START}]
)
def test_a_sweep_that_is_paused_or_deleted_makes_no_run(changes: dict[str, Any]) -> None:
    world = SweepWorld()
    meta = make_metadata("sweep", **changes)
    world.sweep = world.sweep.model_copy(update={"metadata": meta})
    world.wait()
    assert (world.created, world.sweep.status.phase) == ([], None)


def test_a_sweep_waits_in_vain_for_what_has_failed() -> None:
    world = SweepWorld(depends_on=[{"name": "prepare"}])
    world.live()
    assert world.sweep.status.conditions[0].reason == Reason.WAITING_FOR_DEPENDENCY
    failed = DependencyView(uid="uid-1", phase="Failed", ended=True, succeeded=False)
    world.relations = Relations(views={(DependencyKind.RUN, "prepare"): failed})
    world.live()
    status = world.sweep.status
    assert (status.phase, status.conditions[0].reason) == (
        SweepPhase.FAILED,
        Reason.DEPENDENCY_FAILED,
    )
    assert world.created == []


def test_a_sweep_is_not_bound_before_the_rest_of_its_apply_has_come() -> None:
    world = SweepWorld()
    world.now = START
    decision = world.decide()
    assert decision.wake_at is not None
    assert decision.wake_at > START
    world.live()
    assert world.sweep.status.binding is None


def test_a_sweep_waits_for_its_job_to_be_read_for_it_and_for_who_calls() -> None:
    world = SweepWorld()
    o = replace(world.observe(), sources_checked_at=None)
    (action,) = decide_sweep(o, world.now).actions
    assert isinstance(action, RefreshJob)
    unknown = make_identity_view(region=None)
    silent = decide_sweep(replace(world.observe(), identity=unknown), world.now)
    assert (silent.actions, silent.status) == ((), world.sweep.status)


def test_a_run_of_its_name_that_is_another_s_holds_a_sweep_up() -> None:
    world = SweepWorld(parallelism=2)
    o = replace(world.observe(), strangers=frozenset({0}))
    world.sweep = world.sweep.model_copy(update={"status": decide_sweep(o, world.now).status})
    o = replace(world.observe(), strangers=frozenset({0}))
    decision = decide_sweep(o, world.now)
    assert decision.actions == ()
    ready = decision.status.conditions[0]
    assert ready.reason == Reason.NAME_TAKEN
    assert "there is an OCIJobRun sweep-0 which is not of this sweep" in ready.message


def test_a_cancelled_sweep_whose_last_run_had_ended_has_ended_so() -> None:
    world = SweepWorld()
    world.live()
    for index in range(SIZE):
        world.end(index, Phase.SUCCEEDED)
    world.edit(cancel=True)
    world.live()
    assert world.sweep.status.phase is SweepPhase.SUCCEEDED


def test_a_sweep_expires_after_its_end_and_not_while_others_wait_for_it() -> None:
    world = SweepWorld(ttl_seconds_after_finished=300)
    world.live()
    for index in range(SIZE):
        world.end(index, Phase.SUCCEEDED)
    world.wait()
    ended = world.sweep.status.completion_time
    assert ended is not None
    assert world.decide().wake_at == ended + timedelta(seconds=300)
    world.now = ended + timedelta(seconds=300)
    assert world.decide().actions == (DeleteObject(),)
    world.relations = Relations(awaited=True)
    assert world.decide().actions == ()


def test_no_index_is_in_no_text() -> None:
    assert not names_index("0-9", None)


def test_a_sweep_without_an_objective_has_no_best_run() -> None:
    world = SweepWorld(objective=None)
    world.live()
    for index in range(SIZE):
        world.end(index, Phase.SUCCEEDED)
    world.wait()
    assert (world.sweep.status.phase, world.sweep.status.best) == (SweepPhase.SUCCEEDED, None)


def test_runs_that_take_their_time_to_end_are_awaited_by_a_cancelled_sweep() -> None:
    world = SweepWorld()
    world.live()
    world.hang(0)
    world.edit(cancel=True)
    world.wait()
    phases = [world.sweep.status.phase]
    assert world.sweep.status.conditions[0].reason == Reason.CANCELLING
    world.end(0, Phase.CANCELLED)
    world.wait()
    phases.append(world.sweep.status.phase)
    assert phases == [SweepPhase.CANCELLING, SweepPhase.CANCELLED]


def test_a_sweep_does_not_begin_with_a_job_that_goes() -> None:
    world = SweepWorld()
    world.job = make_ready_job(metadata=make_metadata("job", finalizer=True, deleted=START))
    world.live()
    assert world.sweep.status.conditions[0].reason == Reason.JOB_DELETED


def test_a_sweep_waits_until_its_job_is_ready() -> None:
    world = SweepWorld()
    world.job = make_job()
    world.live()
    assert world.sweep.status.conditions[0].reason == Reason.WAITING_FOR_JOB
    world.job = make_ready_job()
    world.live()
    assert world.sweep.status.binding is not None
