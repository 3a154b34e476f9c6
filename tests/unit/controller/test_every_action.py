"""Every action that a decision may ask for is carried out by somebody, and what it brings is learnt."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, cast, get_args

import pytest

from ocijobs.api import kinds
from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.controller.entry import Entry
from ocijobs.controller.execution import Executor
from ocijobs.controller.job_actions import JobActions
from ocijobs.controller.memory import Memory
from ocijobs.controller.run_actions import RunActions
from ocijobs.reconcile.actions.action import Action, answers_later
from ocijobs.reconcile.actions.calls import OciCall, Operation
from ocijobs.reconcile.actions.identities import DropCredentials, IdentityAction
from ocijobs.reconcile.actions.jobs import JobAction, JobCall
from ocijobs.reconcile.actions.objects import (
    AddFinalizer,
    CreateObject,
    CreateWorkload,
    WorkloadAction,
)
from ocijobs.reconcile.actions.runs import DeleteRun, RunAction, RunCall
from ocijobs.reconcile.known.identity import IdentityAnswer, IdentityKnown, OfKey
from ocijobs.reconcile.known.job import JobAnswer, JobKnown
from ocijobs.reconcile.known.run import RunAnswer, RunKnown
from ocijobs.testing import (
    NAMESPACE,
    SETTLED,
    ManualClock,
    make_caller,
    make_job,
    make_ocid,
    make_run,
)

ACTIONS = get_args(Action)
REFUSAL = Refusal(kind=RefusalKind.THROTTLED, message="too many requests")
OCIDS = {"job_id": make_ocid("datasciencejob"), "run_id": make_ocid("datasciencejobrun")}


def made(action: type[Any]) -> Any:
    """Return an action of that class, about a job or a run of Data Science."""
    given = {
        "backend": BackendName.DATA_SCIENCE,
        "caller": make_caller(),
        "request": Anything(),
        "spec": make_job().spec,
        **OCIDS,
    }
    wanted = [field.name for field in fields(action) if field.default is MISSING]
    return action(**{name: given.get(name, name) for name in wanted})


class Anything:
    """Has whatever it is asked for, and all of it refuses; what a request says of itself is a text."""

    job_id = OCIDS["job_id"]

    def __getattr__(self, name: str) -> Any:
        async def refuse(*_: object, **__: object) -> Refusal:
            return REFUSAL

        return refuse


def answer_of(action: Any, answers: object) -> Any:
    """Return the action with an answer that refuses it, as its kind of answer says."""
    (_, brought) = next(
        get_args(pair) for pair in get_args(answers) if get_args(pair)[0] is type(action)
    )
    if brought is OfKey:
        return action, OfKey(version="1", refusal=REFUSAL)
    assert Refusal in get_args(brought)
    return action, REFUSAL


def noted(known: Any) -> set[Operation]:
    """Return the operations of which a call was noted."""
    parts = (known, getattr(known, "evidence", None), getattr(known, "removal", None))
    return {operation for part in parts if part is not None for operation in part.calls}


def of_kind(answers: object) -> set[type[Any]]:
    actions = [get_args(pair)[0] for pair in get_args(answers)]
    assert len(actions) == len(set(actions))
    return set(actions)


def test_each_action_that_brings_something_is_in_the_answers_of_its_kind() -> None:
    assert of_kind(JobAnswer) == {*get_args(JobAction), AddFinalizer}
    assert of_kind(RunAnswer) == {*get_args(RunAction), AddFinalizer, CreateObject, CreateWorkload}
    assert of_kind(IdentityAnswer) == set(get_args(IdentityAction)) - {DropCredentials}


OF_THE_CLUSTER = {AddFinalizer, CreateObject}
"""Actions whose repetition is not paced by an operation."""

PACED = (of_kind(JobAnswer) | of_kind(RunAnswer) | of_kind(IdentityAnswer)) - OF_THE_CLUSTER


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_an_action_is_one_class_whose_answer_can_be_told_apart(action: type[Any]) -> None:
    assert action.__final__
    assert hasattr(action, "operation") == (action in PACED)


@pytest.mark.parametrize(
    ("answers", "known", "action"),
    [
        pytest.param(answers, known, action, id=action.__name__)
        for answers, known in (
            (JobAnswer, JobKnown()),
            (RunAnswer, RunKnown()),
            (IdentityAnswer, IdentityKnown()),
        )
        for action in sorted(of_kind(answers) & PACED, key=lambda each: each.__name__)
    ],
)
def test_a_refusal_is_learnt_as_one_of_the_actions_operation(
    answers: object, known: Any, action: type[Any]
) -> None:
    after = known.answered(answer_of(made(action), answers), at=SETTLED)
    assert noted(after) == {action.operation}


def test_a_record_of_a_former_attempt_has_a_pace_of_its_own() -> None:
    former = DeleteRun(caller=make_caller(), run_id="r", epoch="e", former=True)
    after = RunKnown().answered((former, REFUSAL), at=SETTLED)
    assert noted(after) == {Operation.DELETE_FORMER}


class Stage:
    """The executor, with OCI and the cluster refusing everything."""

    def __init__(self) -> None:
        anything = cast("Any", Anything())
        infrastructures = dict.fromkeys(map(str, BackendName), anything)
        self.memory, self.done = Memory(), list[str]()
        run, key = make_run(), ObjectKey(kinds.RUN, NAMESPACE, "run")
        self.entry = Entry(key=key, metadata=run.metadata, resource=run)
        clock = ManualClock()
        self.executor = Executor(
            writer=anything,
            identities=self.part("identities"),
            jobs=JobActions(
                services=infrastructures,
                directory=anything,
                code=anything,
                code_in_use=lambda _: False,
                sources=anything,
                staging=anything,
                memory=self.memory,
                queue=anything,
                clock=clock,
                fence=lambda: None,
                count_error=lambda *_: None,
            ),
            runs=RunActions(
                services=infrastructures,
                run_logs=infrastructures,
                storage=anything,
                logs=anything,
                utilisation=anything,
                reader=anything,
                memory=self.memory,
                clock=clock,
            ),
            workloads=self.part("workloads"),
            orphans=anything,
            store=anything,
            memory=self.memory,
            queue=anything,
            admission=anything,
            clock=clock,
        )

    def part(self, name: str) -> Any:
        done = self.done

        class Part:
            async def execute(self, *_: object) -> None:
                done.append(name)

        return Part()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "action", [*get_args(JobCall), *get_args(RunCall)], ids=lambda action: action.__name__
)
async def test_a_call_of_oci_is_made_and_its_answer_learnt(action: type[Any]) -> None:
    stage, uid = Stage(), make_run().metadata.uid
    call = made(action)
    assert isinstance(call, OciCall)
    assert await stage.executor.execute(stage.entry, cast("Any", call))
    known = stage.memory.job(uid) if action in get_args(JobCall) else stage.memory.run(uid)
    assert noted(known) == {action.operation}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("action", "part"),
    [
        *((action, "workloads") for action in get_args(WorkloadAction)),
        *((action, "identities") for action in get_args(IdentityAction)),
    ],
)
async def test_other_actions_come_to_those_who_carry_them_out(action: type[Any], part: str) -> None:
    stage = Stage()
    assert await stage.executor.execute(stage.entry, made(action))
    assert stage.done == [part]


def test_what_is_answered_later_is_no_call_that_waits_for_its_turn() -> None:
    later = [action for action in ACTIONS if answers_later(made(action))]
    assert not [action for action in later if issubclass(action, OciCall)]
