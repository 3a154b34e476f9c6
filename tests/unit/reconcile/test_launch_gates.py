"""The gates before a launch: each closes where it should, and of two that are closed the earlier one is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from tests.unit.reconcile.any_observation import NOW, run_observations

from ocijobs.api.kueue import LABEL_QUEUE
from ocijobs.api.run.binding import Binding, RunTemplate
from ocijobs.api.run.status import Attempt, OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.metadata import OwnerReference
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Operation
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.gates import Closed, Draft, Launch, pass_gates
from ocijobs.reconcile.run.observation import QueueView, RunObservation
from ocijobs.reconcile.run.prelaunch import GATES, Answer
from ocijobs.settings import Settings
from ocijobs.testing import (
    SETTLED,
    START,
    make_identity_view,
    make_metadata,
    make_ocid,
    make_ready_job,
    make_run,
    make_run_observation,
)

MISSING = Refusal(kind=RefusalKind.MISSING, message="Secret keys does not exist")
TEMPLATE = {
    "spec": {
        "infrastructure": {"data_science_job": {"shape_name": "VM.Standard2.1"}},
        "runtime": {"script": {"source": {"inline": {"main.py": "print()"}}}},
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What closes a gate: fields of the run, of its job, of the settings, and of what is observed beside them."""

    spec: Mapping[str, Any] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    job: Mapping[str, Any] = field(default_factory=dict)
    job_meta: Mapping[str, Any] = field(default_factory=dict)
    job_status: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)


BOUND = Binding(job_uid="uid-of-another-job", template=RunTemplate())
ATTEMPT = Attempt(number=0, job_run_id=make_ocid("datasciencejobrun"), lifecycle_state="FAILED")
OF_SWEEP = OwnerReference(kind="OCIJobSweep", name="sweep", uid="uid-of-sweep", controller=True)
UNADMITTED = QueueView(served=True)

CLOSINGS = {
    "not suspended": Closing(spec={"suspend": True}),
    "in time": Closing(spec={"active_deadline_seconds": 1}, status={"launch_time": START}),
    "policy readable": Closing(
        spec={
            "failure_policy": {
                "rules": [{"action": "Fail", "on_lifecycle_details": {"pattern": "(oops"}}]
            }
        }
    ),
    "dependencies": Closing(spec={"depends_on": [{"name": "first"}]}),
    "start allowed": Closing(settings={"hold_new": True}),
    "settled": Closing(settings={"launch_settle_seconds": 3600}),
    "sweep seen": Closing(meta={"owner_references": (OF_SWEEP,)}),
    "job there": Closing(beside={"job": None}),
    "job meant": Closing(spec={"job_ref": None, "job_template": TEMPLATE}),
    "job stays": Closing(job_meta={"deletion_timestamp": START}),
    "job as bound": Closing(status={"binding": BOUND, "attempts": (ATTEMPT,), "attempt_count": 1}),
    "job ready": Closing(job_status={"revision": None}),
    "turn": Closing(job={"max_active_runs": 1}, beside={"ahead": 1}),
    "sources read": Closing(beside={"sources_checked_at": None}),
    "identity": Closing(identity={"obstacle": (Reason.CREDENTIALS_INVALID, "401")}),
    "job looked up": Closing(spec={"job_ref": None, "job_id": make_ocid("datasciencejob")}),
    "values": Closing(
        job={
            "env": [{"name": "K", "value_from": {"secret_key_ref": {"name": "keys", "key": "k"}}}]
        },
        beside={
            "known": RunKnown(
                calls={Operation.READ_VALUES: Call(at=START, tries=1, refusal=MISSING)}
            )
        },
    ),
    "request": Closing(spec={"env": [{"name": "JOB_OCID", "value": "mine"}]}),
    "finalizer": Closing(meta={"finalizers": ()}),
    "queue": Closing(meta={"labels": {LABEL_QUEUE: "queue"}}, beside={"queue": UNADMITTED}),
    "credentials copied": Closing(identity={"copied": False}),
}
"""For each gate what closes it, in the order in which they are to be asked."""

OF_AN_OCIJOB = frozenset(
    {
        "sweep seen",
        "job there",
        "job meant",
        "job stays",
        "job as bound",
        "job ready",
        "turn",
        "sources read",
    }
)
HANDING_ON = frozenset({"job there", "identity", "job looked up", "request"})
"""Gates that later ones need something of, so these can't be asked without them."""


def _exclusive(first: str, second: str) -> bool:
    """Whether no run can stand at both gates."""
    pair = {first, second}
    return (
        ("job there" in pair and bool(pair & OF_AN_OCIJOB - {"sweep seen", "job there"}))
        # A run that had an attempt needs no sweep, no readiness and no sources any more.
        or ("job as bound" in pair and bool(pair & {"sweep seen", "job ready", "sources read"}))
        # One that names an OCI job has no OCIJob.
        or ("job looked up" in pair and bool(pair & OF_AN_OCIJOB))
    )


PAIRS = [pair for pair in combinations(CLOSINGS, 2) if not _exclusive(*pair)]


def standing(*closings: Closing) -> RunObservation:
    """Return a run that nothing hinders but what is given."""

    def merged(name: str, **defaults: Any) -> dict[str, Any]:
        for closing in closings:
            given = getattr(closing, name)
            both = defaults.keys() & given.keys()
            assert all(defaults[key] in (given[key], None) for key in both), both
            defaults |= given
        return defaults

    meta = make_metadata("run", finalizer=True).model_copy(update=merged("meta"))
    job = make_ready_job(**merged("job"))
    job_status = job.status.model_copy(update=merged("job_status"))
    job_meta = job.metadata.model_copy(update=merged("job_meta"))
    job = job.model_copy(update={"status": job_status, "metadata": job_meta})
    run = make_run(metadata=meta, status=OCIJobRunStatus(**merged("status")), **merged("spec"))
    beside = merged("beside")
    return make_run_observation(
        run=run,
        identity=make_identity_view(**merged("identity")),
        settings=Settings.model_construct(**merged("settings")),
        **{"job": job, "sources_checked_at": SETTLED + timedelta(days=1), **beside},
    )


def closed(o: RunObservation, *, but: str = "") -> Closed[Answer]:
    """Return the gate that a run stands at, one that is left open excepted."""
    found = pass_gates(Draft(o=o, now=SETTLED), [gate for gate in GATES if gate.name != but])
    assert isinstance(found, Closed)
    return found


def told(answer: Answer, former: OCIJobRunStatus) -> Reason | None:
    """Return the reason that a gate gives; None if it leaves the former status."""
    if not isinstance(answer, Decision):
        return answer.reason
    if answer.status == former:
        return None
    ready = find(answer.status.conditions, ConditionType.READY)
    return Reason(ready.reason) if ready is not None else None


def shown(o: RunObservation) -> str | None:
    """Return the reason of Ready that is written."""
    ready = find(decide_run(o, SETTLED).status.conditions, ConditionType.READY)
    return ready.reason if ready is not None else None


def test_nothing_hinders_a_run_that_stands_at_no_gate() -> None:
    passed = pass_gates(Draft(o=standing(), now=SETTLED), GATES)
    assert isinstance(passed, Draft)
    assert isinstance(passed.launch, Launch)
    assert decide_run(standing(), SETTLED).status.submit is not None


def test_gates_are_asked_in_this_order() -> None:
    assert [gate.name for gate in GATES] == list(CLOSINGS)


@pytest.mark.parametrize("name", CLOSINGS)
def test_a_gate_closes(name: str) -> None:
    o = standing(CLOSINGS[name])
    found = closed(o)
    assert found.gate.name == name
    reason = told(found.answer, o.run.status)
    assert reason is None or reason in found.gate.reasons
    assert decide_run(o, SETTLED).status.submit is None
    assert shown(o) == reason


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_of_two_closed_gates_the_earlier_one_is_told(first: str, second: str) -> None:
    both = standing(CLOSINGS[first], CLOSINGS[second])
    assert closed(both).gate.name == first
    if first not in HANDING_ON:
        assert closed(both, but=first).gate.name == second
    assert shown(both) == shown(standing(CLOSINGS[first]))


@given(o=run_observations())
def test_a_gate_gives_no_reason_but_its_own(o: RunObservation) -> None:
    found = pass_gates(Draft(o=o, now=NOW), GATES)
    if isinstance(found, Closed) and (reason := told(found.answer, o.run.status)) is not None:
        refusals = REASON_OF_REFUSAL.values() if found.gate.refusals else ()
        assert reason in {*found.gate.reasons, *refusals}
