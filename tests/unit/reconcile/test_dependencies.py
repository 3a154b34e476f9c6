"""What is waited for: met once, and recorded for good; and who launches what belongs to a sweep."""

from __future__ import annotations

from ocijobs.api.shared.dependency import (
    Dependency,
    DependencyCondition,
    DependencyKind,
    DependsOn,
    RunEnvVar,
)
from ocijobs.api.shared.metadata import OwnerReference
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.dependencies import (
    DependencyView,
    Hopeless,
    Met,
    Relations,
    Waiting,
    evaluate,
    filled_in,
    wanted_of,
)
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.serving import bind_job
from ocijobs.testing import (
    SETTLED,
    make_caller,
    make_metadata,
    make_ready_job,
    make_run,
    make_run_observation,
)

RUN, SWEEP = DependencyKind.RUN, DependencyKind.SWEEP
TAKES_AUC = RunEnvVar.model_validate(
    {"name": "AUC", "value_from": {"result_ref": {"name": "first", "result": "auc"}}}
)


def ended(*, succeeded: bool = True, **values: str) -> DependencyView:
    """Return a run that has ended."""
    phase = "Succeeded" if succeeded else "Failed"
    results = {f"result:{name}": value for name, value in values.items()}
    return DependencyView(uid="uid-1", phase=phase, ended=True, succeeded=succeeded, values=results)


def test_what_was_recorded_is_not_asked_for_again_though_it_is_gone_or_another() -> None:
    wanted = wanted_of((), (TAKES_AUC,))
    first = evaluate(wanted, (), Relations(views={(RUN, "first"): ended(auc="0.930")}))
    assert isinstance(first, Met)
    (recorded,) = first.dependencies
    assert (recorded.uid, recorded.values) == ("uid-1", {"result:auc": "0.930"})
    for later in (Relations(), Relations(views={(RUN, "first"): ended(succeeded=False)})):
        assert evaluate(wanted, first.dependencies, later) == first
    assert filled_in((TAKES_AUC,), first.dependencies)[0].value == "0.930"


def test_what_has_come_is_recorded_while_others_are_awaited() -> None:
    wanted = wanted_of((DependsOn(name="first"), DependsOn(kind=SWEEP, name="second")), ())
    outcome = evaluate(wanted, (), Relations(views={(RUN, "first"): ended()}))
    assert isinstance(outcome, Waiting)
    assert [item.name for item in outcome.dependencies] == ["first"]
    assert "OCIJobSweep second, which does not exist" in outcome.message


def test_a_value_that_is_missing_is_in_vain_though_any_end_would_do() -> None:
    finished = DependsOn(name="first", condition=DependencyCondition.FINISHED)
    wanted = wanted_of((finished,), (TAKES_AUC,))
    outcome = evaluate(wanted, (), Relations(views={(RUN, "first"): ended(succeeded=False)}))
    assert isinstance(outcome, Hopeless)
    assert outcome.reason is Reason.RESULT_MISSING
    assert "result auc" in outcome.message


def test_of_two_conditions_the_stronger_has_to_hold() -> None:
    finished = DependsOn(name="first", condition=DependencyCondition.FINISHED)
    for named in ((DependsOn(name="first"), finished), (finished, DependsOn(name="first"))):
        (wanted,) = wanted_of(named, ())
        assert wanted.condition is DependencyCondition.SUCCEEDED


def test_what_goes_on_is_told_with_its_phase_and_many_by_their_number() -> None:
    running = DependencyView(uid="uid-1", phase="Running", ended=False, succeeded=False)
    wanted = wanted_of([DependsOn(name=f"r{number}") for number in range(7)], ())
    outcome = evaluate(wanted, (), Relations(views={(RUN, "r0"): running}))
    assert isinstance(outcome, Waiting)
    assert outcome.message.startswith("spec.dependsOn: waiting for OCIJobRun r0, which is Running;")
    assert outcome.message.endswith("; and 2 more")


def test_a_cycle_is_told_as_long_as_something_is_awaited() -> None:
    cycle = Relations(cycle=("OCIJobRun first", "OCIJobRun second"))
    outcome = evaluate(wanted_of((DependsOn(name="first"),), ()), (), cycle)
    assert isinstance(outcome, Hopeless)
    assert outcome.message == (
        "spec.dependsOn: OCIJobRun first -> OCIJobRun second -> OCIJobRun first is a cycle: nothing "
        "in it can ever begin"
    )


def test_a_cycle_is_no_matter_when_all_has_come() -> None:
    done = Dependency(kind=RUN, name="first", uid="uid-1", phase="Succeeded")
    cycle = Relations(cycle=("OCIJobRun first",))
    assert isinstance(evaluate(wanted_of((DependsOn(name="first"),), ()), (done,), cycle), Met)


def test_a_run_of_a_sweep_does_not_bind_by_itself_while_its_sweep_is_not_seen() -> None:
    """The watch of runs may be ahead of that of sweeps, and a deleted sweep goes before its runs."""
    owner = OwnerReference(kind="OCIJobSweep", name="sweep", uid="uid-1", controller=True)
    meta = make_metadata("sweep-0", finalizer=True).model_copy(
        update={"owner_references": (owner,)}
    )
    alone = make_run_observation(run=make_run(metadata=meta))
    decision = decide_run(alone, SETTLED)
    assert (decision.status.submit, decision.actions) == (None, ())
    seen = make_run_observation(
        run=make_run(metadata=meta), shared=bind_job(make_ready_job(), make_caller())
    )
    assert decide_run(seen, SETTLED).status.submit is not None
