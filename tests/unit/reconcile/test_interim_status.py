"""Whatever is decided about an object, its status can say what is done or waited for, in a row of the table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.reconcile.any_observation import (
    NOW,
    identity_observations,
    job_observations,
    run_observations,
    schedule_observations,
    standings,
    sweep_observations,
)
from tests.unit.reconcile.simulation.laws import conditions_are_the_tables

from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.names import ANNOTATION_PAUSED
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.jobs import ListActiveRuns, ReadSources
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.identity import decide_identity
from ocijobs.reconcile.interim_status import interim_status
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.schedule.decide import decide_schedule
from ocijobs.reconcile.standing import RUN_STANDINGS, SCHEDULE_STANDINGS, SWEEP_STANDINGS
from ocijobs.reconcile.sweep.decide import decide_sweep
from ocijobs.testing import make_caller, make_job, make_metadata

Decide = Callable[[Any, datetime], Decision[Any]]

KINDS: dict[str, tuple[Decide, st.SearchStrategy[Any]]] = {
    "run": (decide_run, run_observations()),
    "job": (decide_job, job_observations()),
    "sweep": (decide_sweep, sweep_observations()),
    "schedule": (decide_schedule, schedule_observations()),
    "identity": (decide_identity, identity_observations()),
}


def _rows(status: Any) -> Any:
    phase = getattr(status, "phase", None)
    if isinstance(phase, Phase):
        return RUN_STANDINGS[phase]
    return SWEEP_STANDINGS[phase] if isinstance(phase, SweepPhase) else SCHEDULE_STANDINGS


@pytest.mark.parametrize("kind", KINDS)
def test_after_one_decision_a_status_can_say_what_is_waited_for(kind: str) -> None:
    decide, observations = KINDS[kind]

    @settings(max_examples=60)
    @given(observations)
    def says(observation: Any) -> None:
        resource = getattr(observation, kind)
        for metadata in standings(resource.metadata):
            changed = resource.model_copy(update={"metadata": metadata})
            o = type(observation)(
                **{
                    **{
                        name: getattr(observation, name)
                        for name in observation.__dataclass_fields__
                    },
                    kind: changed,
                }
            )
            decision = decide(o, NOW)
            told = interim_status(decision, metadata, NOW) or decision.status
            phase = getattr(told, "phase", None)
            if phase is not None and phase.terminal:
                continue
            ready = find(told.conditions, ConditionType.READY)
            assert ready is not None
            assert ready.reason
            assert ready.message
            assert ready.observed_generation == metadata.generation
            conditions_are_the_tables(told.conditions, _rows(told))

    says()


def _words(*actions: Action, **meta: Any) -> str:
    job = make_job(metadata=make_metadata("job", **meta))
    decision: Decision[Any] = Decision(status=job.status, actions=actions)
    told = interim_status(decision, job.metadata, NOW)
    assert told is not None
    ready = find(told.conditions, ConditionType.READY)
    assert ready is not None
    return ready.message


def test_it_says_what_is_being_done() -> None:
    read = ReadSources(spec=make_job().spec, caller=make_caller(), served=None, epoch="1")
    list_ = ListActiveRuns(caller=make_caller(), compartment_id="c", job_id="j", epoch="1")
    assert _words(read) == "its source is being read"
    assert _words(list_) == "OCI's answer to ListActiveRuns is awaited"
    assert _words() == "its OCIIdentity is being read and verified"
    assert _words(annotations={ANNOTATION_PAUSED: "true"}) == (
        "paused by its annotation ocijobs.io/paused"
    )


def test_what_says_something_already_is_left_as_it_is() -> None:
    job = make_job()
    decision: Decision[Any] = Decision(status=job.status)
    told = interim_status(decision, job.metadata, NOW)
    assert told is not None
    again: Decision[Any] = Decision(status=told)
    assert interim_status(again, job.metadata, NOW) is None
    edited = make_metadata("job", generation=2)
    assert interim_status(again, edited, NOW) is not None
