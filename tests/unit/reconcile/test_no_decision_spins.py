"""No decision asks for nothing and to be made again at once: it would hold the loop, and with it everything.

Over random observations of every kind, each followed for a while as the shell would: statuses are written, time goes
on to when the decision asks to be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from hypothesis import given, settings
from tests.unit.reconcile.any_observation import (
    IDENTITIES,
    NOW,
    identity_observations,
    job_observations,
    run_observations,
    schedule_observations,
    standings,
    sweep_observations,
)

from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.names import ANNOTATION_PAUSED
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.actions.action import answers_later
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.identity import decide_identity
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.job.observation import RunView
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.schedule.decide import decide_schedule
from ocijobs.reconcile.sweep.decide import decide_sweep
from ocijobs.testing import (
    START,
    make_identity_view,
    make_job_observation,
    make_metadata,
    make_ready_job,
    make_run,
    make_run_observation,
    make_submission,
)

_ROUNDS = 3


def _rests(decision: Decision[Any], status: Any) -> bool:
    """Whether nothing comes of a decision in its round: what it asks for comes later, or is nothing."""
    return decision.status == status and all(map(answers_later, decision.actions))


def _variants(observation: Any, name: str) -> Iterator[Any]:
    """Yield an observation in each way in which its object and its identity may stand."""
    resource = getattr(observation, name)
    identities = IDENTITIES if hasattr(observation, "cluster_id") else (None,)
    for metadata, identity in product(standings(resource.metadata), identities):
        changes = {"identity": identity} if identity is not None else {}
        changed = resource.model_copy(update={"metadata": metadata})
        yield replace(observation, **{**changes, name: changed})


def _does_not_spin(
    decide: Callable[[Any, datetime], Decision[Any]], observed: Any, name: str
) -> None:
    for variant in _variants(observed, name):
        observation, now = variant, NOW
        for _ in range(_ROUNDS):
            resource = getattr(observation, name)
            decision = decide(observation, now)
            if _rests(decision, resource.status):
                wake_at = decision.wake_at
                assert wake_at is None or wake_at > now, f"{wake_at} at {now}: {decision.actions}"
            written = resource.model_copy(update={"status": decision.status})
            observation = replace(observation, **{name: written})
            now = max(now, decision.wake_at or now + timedelta(minutes=10))


@settings(max_examples=60)
@given(run_observations())
def test_no_decision_about_a_run_spins(observation: Any) -> None:
    _does_not_spin(decide_run, observation, "run")


@settings(max_examples=60)
@given(job_observations())
def test_no_decision_about_a_job_spins(observation: Any) -> None:
    _does_not_spin(decide_job, observation, "job")


@settings(max_examples=60)
@given(sweep_observations())
def test_no_decision_about_a_sweep_spins(observation: Any) -> None:
    _does_not_spin(decide_sweep, observation, "sweep")


@settings(max_examples=60)
@given(schedule_observations())
def test_no_decision_about_a_schedule_spins(observation: Any) -> None:
    _does_not_spin(decide_schedule, observation, "schedule")


@settings(max_examples=60)
@given(identity_observations())
def test_no_decision_about_an_identity_spins(observation: Any) -> None:
    _does_not_spin(decide_identity, observation, "identity")


LIVE = RunView(
    name="run",
    phase=Phase.RUNNING,
    live=True,
    job_id=None,
    accepted_time=START + timedelta(hours=1),
)
GONE = make_identity_view(
    region=None,
    version="",
    obstacle=(Reason.WAITING_FOR_IDENTITY, "the Secret is gone"),
    gone_since=NOW - timedelta(days=1),
)


def test_a_deleted_job_whose_time_without_credentials_is_over_waits_for_its_runs() -> None:
    meta = make_metadata("job", finalizer=True, deleted=NOW - timedelta(hours=1))
    _does_not_spin(
        decide_job,
        make_job_observation(job=make_ready_job(metadata=meta), identity=GONE, runs=(LIVE,)),
        "job",
    )


def test_a_paused_run_that_is_deleted_and_has_no_credentials_waits() -> None:
    meta = make_metadata(
        "run",
        finalizer=True,
        deleted=NOW - timedelta(hours=1),
        annotations={ANNOTATION_PAUSED: "true"},
    )
    _does_not_spin(
        decide_run, make_run_observation(run=make_run(metadata=meta), identity=GONE), "run"
    )


def test_a_run_whose_deadline_has_passed_waits_for_its_job_to_be_read_after_a_restart() -> None:
    status = OCIJobRunStatus(submit=make_submission(), launch_time=START)
    run = make_run(status=status, active_deadline_seconds=60)
    _does_not_spin(decide_run, make_run_observation(run=run, sources_checked_at=None), "run")
