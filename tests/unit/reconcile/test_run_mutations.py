"""The laws bite: with one rule of the protocol broken, a history that is harmless otherwise breaks a law."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from tests.unit.reconcile.simulation.api_server import ApiServer, ConflictError
from tests.unit.reconcile.simulation.commands import Crash, Live, Outage, Sleep, Steps, Strike
from tests.unit.reconcile.simulation.laws import ViolationError
from tests.unit.reconcile.simulation.mutations import Break, search_once, trust_old_tokens
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command, Do, Progress
from tests.unit.reconcile.simulation.run_scenario import run_history
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.backends.inputs import RunInput
from ocijobs.backends.records import Refusal, RunRecord, RunState
from ocijobs.backends.values import Values
from ocijobs.reconcile import idempotency
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.runs import CreateRun
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.run import (
    bound_job,
    decide,
    ending,
    failure_policy,
    following,
    gates,
    launch,
    observation,
    prelaunch,
    request,
    submission,
)
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.status import write_status


def _create_without_an_intent(patch: pytest.MonkeyPatch) -> None:
    """The call is made with the write that records it, not after it."""

    def await_launch(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
        decision = prelaunch.await_launch(o, now)
        submit, prepared = decision.status.submit, prelaunch.prepare(o, now)
        if submit is None or not isinstance(prepared, gates.Launch):
            return decision
        create = CreateRun(
            caller=prepared.caller, token=submit.token, request=prepared.request, epoch=o.epoch
        )
        return replace(decision, actions=(create,))

    patch.setattr(decide, "await_launch", await_launch)


def _trust_a_404(patch: pytest.MonkeyPatch) -> None:
    """One look-up that is answered 404 is taken for proof."""
    gone = observation.gone
    patch.setattr(following, "gone", lambda o: gone(o) or bool(o.known.absent_at))


def _repeat_with_another_body(patch: pytest.MonkeyPatch) -> None:
    """The digest of the request is not compared."""
    patch.setattr(submission, "_same", lambda *_: True)


def _forget_doubt(patch: pytest.MonkeyPatch) -> None:
    """A call that timed out is taken for one that did not arrive."""
    answered = idempotency.Evidence.create_answered

    def sure(
        self: idempotency.Evidence, refusal: Refusal | None, *, at: datetime, epoch: str
    ) -> idempotency.Evidence:
        return replace(answered(self, refusal, at=at, epoch=epoch), doubt=False)

    patch.setattr(idempotency.Evidence, "create_answered", sure)


def _believe_every_list(patch: pytest.MonkeyPatch) -> None:
    """What a list says counts, though status is further."""

    def news(o: RunObservation, record: RunRecord | None) -> RunRecord | None:
        del o
        return record

    patch.setattr(following, "_news", news)


def _write_without_resource_version(patch: pytest.MonkeyPatch) -> None:
    """Status is written to whatever object has the name now."""

    def exists(self: ApiServer[OCIJobRun], seen: ObjectMeta) -> None:
        if self.object is None:
            raise ConflictError(seen.name)

    patch.setattr(ApiServer, "_demand", exists)


def _tell_the_time(patch: pytest.MonkeyPatch) -> None:
    """Status has something that moves at every look."""

    def told(o: RunObservation, now: datetime, **changes: Any) -> OCIJobRunStatus:
        return write_status(o, now, **changes | {"message": f"as of {now}"})

    patch.setattr(following, "write_status", told)
    patch.setattr(following, "_details_deferred_until", lambda *_: None)


def _send_what_the_application_has(patch: pytest.MonkeyPatch) -> None:
    """A job that was edited since the run was bound to it is taken for the same."""

    def same(o: RunObservation, job: JobBinding, settings: RunSettings, values: Values) -> RunInput:
        return replace(request.run_input(o, job, settings, values), moved_on=False)

    patch.setattr(launch, "run_input", same)


def _forget_the_totals(patch: pytest.MonkeyPatch) -> None:
    """What Data Flow counts is not in the write that ends the run."""
    patch.setattr(ending, "_totals", lambda _: None)


def _count_every_failure(patch: pytest.MonkeyPatch) -> None:
    """That a stream was well for long is nothing."""
    patch.setattr(failure_policy, "_failed_before", lambda o, _: o.run.status.failed or 0)


def _take_streams_for_batches(patch: pytest.MonkeyPatch) -> None:
    """No run goes on."""
    patch.setattr(RunObservation, "goes_on", property(lambda _: False))


def _launch_at_once(patch: pytest.MonkeyPatch) -> None:
    """The rest of the same apply is not waited for."""

    def created(o: RunObservation) -> datetime:
        return o.run.metadata.creation_timestamp

    patch.setattr(launch, "settled_at", created)
    patch.setattr(bound_job, "settled_at", created)


def _quote_what_oci_quotes(patch: pytest.MonkeyPatch) -> None:
    """What OCI says is shown as it is."""
    patch.setattr(RunObservation, "shown", lambda _, text: text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A broken rule, and a history in which it does harm."""

    breaks: Break
    harm: str
    history: list[Command]
    circumstances: Circumstances = field(default_factory=Circumstances)


SECRET_CHANGES: list[Command] = [
    Strike(Operation.CREATE, Mishap.DROPPED),
    Live(3),
    Crash(),
    Do.CHANGE_SECRET,
    Live(3),
    Live(3),
]

UNANSWERED_FOR_DAYS: list[Command] = [
    Outage(Operation.CREATE, Mishap.DROPPED),
    Live(3),
    Live(3),
    Sleep(25 * 3600),
]

FAILING: list[Command] = [Live(3), Progress(RunState.FAILED), Live(3)]

MUTATIONS = {
    "drop the intent": Mutation(
        breaks=_create_without_an_intent,
        harm="no creation whose token is not in status",
        history=[],
    ),
    "trust a 404": Mutation(
        breaks=_trust_a_404,
        harm="the finalizer goes only when no live job run is left",
        history=[Live(3), Outage(Operation.LOOK_UP, Mishap.NOT_FOUND), Live(3), Live(10)],
        circumstances=Circumstances(lag=100),
    ),
    "search once": Mutation(
        breaks=search_once,
        harm="created exactly once|no two live job runs",
        history=SECRET_CHANGES,
        circumstances=Circumstances(secret=True, lag=100),
    ),
    "repeat a token with another body": Mutation(
        breaks=_repeat_with_another_body,
        harm="no token is sent with two bodies",
        history=SECRET_CHANGES,
        circumstances=Circumstances(secret=True),
    ),
    "forget that an answer is missing": Mutation(
        breaks=_forget_doubt,
        harm="created exactly once|no two live job runs",
        history=[
            Strike(Operation.CREATE, Mishap.DROPPED),
            Live(3),
            Do.EDIT_JOB,
            Do.SYNC_JOB,
            Live(3),
        ],
    ),
    "believe every list": Mutation(
        breaks=_believe_every_list,
        harm="what OCI told is never taken back",
        history=[Live(3), Live(30), Do.CANCEL, Live(3), Crash(), Live(3), Crash()],
        circumstances=Circumstances(lag=20),
    ),
    "tell the time": Mutation(
        breaks=_tell_the_time,
        harm="there are no more writes than there are occasions|reaches a fixed point",
        history=[Live(3)] * 10,
    ),
    "forget the resourceVersion over a deletion and a new creation": Mutation(
        breaks=_write_without_resource_version,
        harm="a run is bound to its own",
        history=[Sleep(4), Steps(11), Do.REPLACE, Live(3)],
    ),
    "send a later attempt what its application has by now": Mutation(
        breaks=_send_what_the_application_has,
        harm="an attempt is sent what the run is bound to",
        history=[*FAILING, Do.EDIT_JOB, Do.SYNC_JOB, Live(10)],
        circumstances=Circumstances(spark=True, backoff_limit=1),
    ),
    "forget the totals": Mutation(
        breaks=_forget_the_totals,
        harm="totals come in the write that ends the run",
        history=[],
        circumstances=Circumstances(spark=True),
    ),
    "count every failure of a stream": Mutation(
        breaks=_count_every_failure,
        harm="a stream's failures count anew if it was well",
        history=[*FAILING, *([Live(10)] * 3), Progress(RunState.IN_PROGRESS), Live(601), *FAILING],
        circumstances=Circumstances(stream=True, backoff_limit=3),
    ),
    "trust an old token": Mutation(
        breaks=trust_old_tokens,
        harm="no creation is repeated with a token that OCI has forgotten",
        history=UNANSWERED_FOR_DAYS,
    ),
    "trust an old token of Spark": Mutation(
        breaks=trust_old_tokens,
        harm="no creation is repeated with a token that OCI has forgotten",
        history=UNANSWERED_FOR_DAYS,
        circumstances=Circumstances(spark=True),
    ),
    "launch at once": Mutation(
        breaks=_launch_at_once,
        harm="no run is launched before it has had time to settle",
        history=[],
    ),
    "quote what OCI quotes": Mutation(
        breaks=_quote_what_oci_quotes,
        harm="no secret is in a status",
        history=[Strike(Operation.CREATE, Mishap.INVALID), Live(3), Live(3)],
        circumstances=Circumstances(secret=True),
    ),
    "take streams for batches": Mutation(
        breaks=_take_streams_for_batches,
        harm="a stream in progress is Ready",
        history=[],
        circumstances=Circumstances(stream=True),
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS)
def test_a_broken_rule_breaks_a_law(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    run_history(mutation.circumstances, mutation.history)
    mutation.breaks(monkeypatch)
    with pytest.raises(ViolationError, match=mutation.harm):
        run_history(mutation.circumstances, mutation.history)
