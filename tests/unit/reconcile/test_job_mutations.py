"""The laws of jobs bite: with one rule broken, a history that is harmless otherwise breaks a law."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from tests.unit.reconcile.simulation.commands import Live, Outage, Sleep, Strike
from tests.unit.reconcile.simulation.job_history import DoJob, JobCommand, Variables
from tests.unit.reconcile.simulation.job_scenario import run_job_history
from tests.unit.reconcile.simulation.job_world import JobCircumstances
from tests.unit.reconcile.simulation.laws import ViolationError
from tests.unit.reconcile.simulation.mutations import Break, search_once, trust_old_tokens
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.api.job.status import JobSubmission, OCIJobStatus, Revision
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Refusal
from ocijobs.reconcile.actions.calls import Caller, Operation
from ocijobs.reconcile.actions.jobs import CreateJob, UploadArtifact
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.job import creation, readiness, removal
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.plan import Plan
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.oci_jobs import Removal


def _create_without_an_intent(patch: pytest.MonkeyPatch) -> None:
    """The call is made with the write that records it, not after it."""
    create = creation.create

    def hasty(o: JobObservation, plan: Plan, now: datetime) -> Decision[OCIJobStatus]:
        decision = create(o, plan, now)
        submit = decision.status.submit
        if submit is None or o.job.status.submit is not None:
            return decision
        call = CreateJob(
            caller=plan.caller,
            token=submit.token,
            backend=o.backend.name,
            request=plan.request,
            epoch=o.epoch,
        )
        return replace(decision, actions=(call,))

    patch.setattr("ocijobs.reconcile.job.decide.create", hasty)


def _bind_whatever_was_created(patch: pytest.MonkeyPatch) -> None:
    """What is known of one intent's calls is taken for knowledge of another's."""

    def created_for(self: JobKnown, token: str) -> JobRecord | None:
        del token
        return self.created[1] if self.created is not None else None

    patch.setattr(JobKnown, "created_for", created_for)


def _believe_that_settings_were_sent(patch: pytest.MonkeyPatch) -> None:
    """An OCI job that was found is taken for one that has the settings of today."""
    patch.setattr(creation, "_same", lambda *_: True)


def _delete_below_runs(patch: pytest.MonkeyPatch) -> None:
    """Neither is it known which OCI jobs live runs need, nor is OCI asked whether runs are active."""
    excess_revisions, listed = removal.excess_revisions, Removal.runs_listed

    def all_former(
        revisions: tuple[Revision, ...], *, current: str, needed: frozenset[str], limit: int
    ) -> tuple[Revision, ...]:
        del needed
        return excess_revisions(revisions, current=current, needed=frozenset(), limit=limit)

    def none_active(self: Removal, answer: int | Refusal, *, at: datetime, epoch: str) -> Removal:
        return listed(self, 0 if isinstance(answer, int) else answer, at=at, epoch=epoch)

    patch.setattr(removal, "excess_revisions", all_former)
    patch.setattr(Removal, "runs_listed", none_active)


def _delete_without_a_mark(patch: pytest.MonkeyPatch) -> None:
    """That an OCI job is being deleted is not in status."""
    patch.setattr(
        "ocijobs.reconcile.job.decide.clear_away",
        readiness.make_ready,
    )


def _delete_code_that_others_have(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether another revision or another job has the code."""
    remove = removal.remove_revision

    def hasty(
        o: JobObservation, caller: Caller, compartment_id: str, revision: Revision, now: datetime
    ) -> removal.RemovalStep:
        alone = o.job.status.model_copy(update={"revisions": (revision,)})
        job = o.job.model_copy(update={"status": alone})
        alone_o = replace(o, job=job, code_in_use=frozenset())
        return remove(alone_o, caller, compartment_id, revision, now)

    patch.setattr(removal, "remove_revision", hasty)


def _forget_the_code(patch: pytest.MonkeyPatch) -> None:
    """An application goes, and its code stays."""

    def remove(
        o: JobObservation, caller: Caller, compartment_id: str, revision: Revision, now: datetime
    ) -> removal.RemovalStep:
        return removal.remove_oci_job(o, caller, compartment_id, revision.job_id, now)

    patch.setattr(removal, "remove_revision", remove)


def _upload_before_it_is_told(patch: pytest.MonkeyPatch) -> None:
    """Where code goes is not in status before it is there."""
    bind = creation._bind

    def silent(
        o: JobObservation,
        submit: JobSubmission,
        record: JobRecord,
        plan: Plan | None,
        now: datetime,
    ) -> OCIJobStatus:
        status = bind(o, submit, record, plan, now)
        bound = tuple(r.model_copy(update={"artifact": None}) for r in status.revisions)
        return status.model_copy(update={"revisions": bound})

    def upload(
        o: JobObservation, plan: Plan, revision: Revision, now: datetime
    ) -> Decision[OCIJobStatus]:
        del now
        assert plan.artifact is not None
        action = UploadArtifact(
            caller=plan.caller, job_id=revision.job_id, artifact=plan.artifact, epoch=o.epoch
        )
        return Decision(status=o.job.status, actions=(action,))

    patch.setattr(creation, "_bind", silent)
    patch.setattr(readiness, "_announce", upload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A broken rule, and a history in which it does harm."""

    breaks: Break
    harm: str
    history: list[JobCommand]
    circumstances: JobCircumstances = field(default_factory=JobCircumstances)


UNANSWERED_FOR_DAYS: list[JobCommand] = [
    Outage(Operation.CREATE, Mishap.DROPPED),
    Live(3),
    Live(3),
    Sleep(25 * 3600),
]

MUTATIONS = {
    "trust an old token": Mutation(
        breaks=trust_old_tokens,
        harm="no creation is repeated with a token that OCI has forgotten",
        history=UNANSWERED_FOR_DAYS,
    ),
    "trust an old token of Spark": Mutation(
        breaks=trust_old_tokens,
        harm="no creation is repeated with a token that OCI has forgotten",
        history=UNANSWERED_FOR_DAYS,
        circumstances=JobCircumstances(spark=True),
    ),
    "drop the intent": Mutation(
        breaks=_create_without_an_intent,
        harm="no creation whose token is not in status",
        history=[],
    ),
    "search once": Mutation(
        breaks=search_once,
        harm="one OCI job of a revision|every OCI job is listed",
        history=[
            Outage(Operation.CREATE, Mishap.DROPPED),
            Live(3),
            Variables("a"),
        ],
        circumstances=JobCircumstances(lag=20),
    ),
    "bind whatever was created": Mutation(
        breaks=_bind_whatever_was_created,
        harm="no two revisions have the same OCI job",
        history=[Live(3), Variables("a"), DoJob.LOSE_WRITE_ANSWER, Live(3)],
    ),
    "believe that what was found has the settings of today": Mutation(
        breaks=_believe_that_settings_were_sent,
        harm="no token is sent with two bodies|with its newest settings",
        history=[
            Strike(Operation.CREATE, Mishap.DROPPED),
            Strike(Operation.CREATE, Mishap.DROPPED),
            Live(3),
            DoJob.RENAME,
        ],
    ),
    "delete what a live run needs": Mutation(
        breaks=_delete_below_runs,
        harm="no live run loses its OCI job",
        history=[Live(3), Live(3), DoJob.LAUNCH, Live(3), Variables("a"), Live(3), Live(3)],
        circumstances=JobCircumstances(history_limit=0),
    ),
    "take an OCI job for one that serves while it is being deleted": Mutation(
        breaks=_delete_without_a_mark,
        harm="a job that is Ready is ACTIVE|a job rests when everything works|reaches a fixed point",
        history=[Variables("a"), Live(3), Variables("b"), Live(3), Live(10), Variables("a")],
        circumstances=JobCircumstances(activation=5),
    ),
    "delete code that another revision has": Mutation(
        breaks=_delete_code_that_others_have,
        harm="code of a revision that stays is not deleted",
        history=[Live(3), DoJob.DOWNGRADE_SPARK, *([Live(3)] * 3), Live(10)],
        circumstances=JobCircumstances(spark=True, history_limit=0),
    ),
    "forget the code": Mutation(
        breaks=_forget_the_code,
        harm="no code is left of what went",
        history=[Live(3), DoJob.CHANGE_CODE, DoJob.REQUEST, *([Live(10)] * 3)],
        circumstances=JobCircumstances(spark=True, history_limit=0),
    ),
    "upload code before status tells where": Mutation(
        breaks=_upload_before_it_is_told,
        harm="no code is uploaded to where status does not say",
        history=[Live(3)],
        circumstances=JobCircumstances(spark=True),
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS)
def test_a_broken_rule_breaks_a_law(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    run_job_history(mutation.circumstances, mutation.history)
    mutation.breaks(monkeypatch)
    with pytest.raises(ViolationError, match=mutation.harm):
        run_job_history(mutation.circumstances, mutation.history)
