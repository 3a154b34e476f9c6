"""Plays a history of a job, then lets everything work and sees that it ends as it should."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.job_history import DoJob, JobCommand, Variables
from tests.unit.reconcile.simulation.job_laws import JobLaws
from tests.unit.reconcile.simulation.job_shell import JobShell
from tests.unit.reconcile.simulation.job_world import JobCircumstances, JobWorld
from tests.unit.reconcile.simulation.laws import demand
from tests.unit.reconcile.simulation.scenario import Scenario

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.shared.conditions import ConditionType, find, is_true
from ocijobs.api.shared.names import ANNOTATION_ABANDON, ANNOTATION_PAUSED
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.testing.observations import DEFAULT_SETTINGS

MOST_ROUNDS = 400
"""More rounds than this without an end mean that a job hangs."""

SELDOM = 60.0
"""A look at the OCI job after as many seconds is no sign of unrest."""

WATCHED_WITHIN = 1.2 * DEFAULT_SETTINGS.drift_interval_seconds
"""Seconds within which what others did in OCI is noticed."""

QUIET_ROUNDS = 3
"""Rounds in a row in which nothing is called or written: the job is settled."""


class JobScenario(Scenario[Variables | DoJob]):
    """One job from its creation to its deletion."""

    def __init__(self, circumstances: JobCircumstances | None = None) -> None:
        self.world = JobWorld(circumstances or JobCircumstances())
        self.laws = JobLaws(self.world)
        self.shell = JobShell(self.world, self.laws)
        super().__init__(self.world.weather, self.shell)

    def _carry_out(self, command: Variables | DoJob) -> None:
        match command:
            case Variables(value=value):
                self.world.edit_variables(value)
            case DoJob():
                self._do(command)

    def live(self, seconds: float) -> None:
        """Let time pass for an operator that works."""
        self.shell.work()
        self.world.weather.advance(seconds)
        self.shell.upload()
        self.shell.work()

    def _do(self, what: DoJob) -> None:
        world, shell, api = self.world, self.shell, self.world.api
        deeds: dict[DoJob, Callable[[], object]] = {
            DoJob.UPLOAD: shell.upload,
            DoJob.CLEAR: world.weather.clear,
            DoJob.REFUSE_WRITE: lambda: setattr(shell, "write_mishap", "refused"),
            DoJob.LOSE_WRITE_ANSWER: lambda: setattr(shell, "write_mishap", "answer lost"),
            DoJob.RENAME: world.rename,
            DoJob.MISCONFIGURE: world.misconfigure,
            DoJob.UPGRADE_SPARK: lambda: world.edit_spark("3.5.0"),
            DoJob.DOWNGRADE_SPARK: lambda: world.edit_spark("3.2.1"),
            DoJob.OTHERS_TAKE_CODE: world.others_take_code,
            DoJob.OTHERS_DROP_CODE: world.others_drop_code,
            DoJob.CHANGE_CODE: world.change_code,
            DoJob.REVERT_CODE: world.revert_code,
            DoJob.REMOVE_CODE: lambda: setattr(world, "code_there", False),
            DoJob.BREAK_CODE: lambda: setattr(world, "code_valid", False),
            DoJob.POISON_CODE: lambda: setattr(world, "code_poison", True),
            DoJob.RESTORE_CODE: world.restore_code,
            DoJob.REQUEST: world.request,
            DoJob.LAUNCH: world.launch,
            DoJob.END_RUN: world.end_run,
            DoJob.LAUNCH_ELSEWHERE: world.launch_elsewhere,
            DoJob.END_ELSEWHERE: world.end_elsewhere,
            DoJob.DELETE: lambda: api.delete(world.clock.now()),
            DoJob.RECREATE: world.create_job,
            DoJob.REPLACE: self._replace,
            DoJob.PAUSE: lambda: api.annotate(ANNOTATION_PAUSED, "true"),
            DoJob.RESUME: lambda: api.annotate(ANNOTATION_PAUSED, None),
            DoJob.ABANDON: lambda: api.annotate(ANNOTATION_ABANDON, "true"),
            DoJob.CHANGE_ELSEWHERE: world.oci.change_settings,
            DoJob.TAKE_AWAY: world.oci.take_away,
            DoJob.REFUSE_CREDENTIALS: lambda: setattr(world.identity, "refused", True),
            DoJob.RENEW_CREDENTIALS: world.identity.renew,
            DoJob.LOSE_CREDENTIALS: lambda: setattr(world.identity, "gone", True),
            DoJob.DELETE_IDENTITY: lambda: setattr(world.identity, "deleting", True),
        }
        deeds[what]()

    def _replace(self) -> None:
        """Let the object go by force: what it has in OCI is nobody's from then on."""
        api = self.world.api
        if api.object is not None:
            self.laws.given_up.add(api.object.metadata.uid)
            api.object = None
        self.world.create_job()

    def finish(self) -> None:
        """Let everything work, see that the job becomes ready, rests after a restart, and goes when it is deleted."""
        self.world.heal()
        self.world.api.annotate(ANNOTATION_PAUSED, None)
        self.shell.write_mishap = None
        if self._until_quiet():
            self._is_ready(self.world.api.present)
            self._restart_writes_nothing()
        self.world.api.delete(self.world.clock.now())
        self._until_quiet()
        demand(self.world.api.object is None, "a deleted job goes in the end")
        self._nothing_is_left()

    def end_namespace(self, kills: Sequence[int], *, revoked: bool) -> None:
        """Delete the namespace, its Secret first, and see that no OCI job stays unless it can't be deleted.

        Args:
            kills: after how many steps each the operator is killed.
            revoked: whether OCI accepts the key no more.
        """
        world, api = self.world, self.world.api
        world.weather.clear()
        self.shell.write_mishap = None
        api.annotate(ANNOTATION_PAUSED, None)
        world.identity.gone = world.identity.deleting = True
        world.identity.refused = revoked
        world.end_all_runs()
        api.delete(world.clock.now())
        self.shell.begin()
        for steps in kills:
            for _ in range(steps):
                self.shell.step()
            self.shell.begin()
        self._until_quiet()
        demand(api.object is None, "a job goes with its namespace")
        if not revoked:
            self._nothing_is_left()
            demand(not self.laws.listed, "nothing is listed of what was ended")

    def _until_quiet(self) -> bool:
        """Live until nothing happens any more but looks at long intervals; return whether there is a job then."""
        quiet, lived = 0, 0.0
        for _ in range(MOST_ROUNDS):
            if self.world.api.object is None:
                return False
            before, arriving = self._counts(), self.world.weather.next_arrival() is not None
            looked, pause = self._looks(), self._pause()
            self.live(pause)
            lived += pause
            resting = self._counts() == before and not arriving
            quiet = quiet + 1 if resting and self._looks() - looked <= (pause >= SELDOM) else 0
            if quiet >= QUIET_ROUNDS and lived > WATCHED_WITHIN:
                return True
        demand(False, "a job rests when everything works")
        return False

    def _counts(self) -> tuple[int, int, int]:
        api = self.world.api
        calls = self.world.oci.calls.total() - self._looks()
        return api.status_writes, api.finalizer_writes, calls

    def _looks(self) -> int:
        return self.world.oci.calls[Operation.LOOK_UP]

    def _pause(self) -> float:
        """Return the seconds until something happens by itself."""
        shell = self.shell
        times: list[datetime] = [shell.wake_at] if shell.wake_at is not None else []
        if shell.uploading is not None:
            times.append(shell.now + timedelta(seconds=1))
        arrival = self.world.weather.next_arrival()
        if arrival is not None:
            times.append(arrival + shell.skew)
        return max(0.0, (min(times) - shell.now).total_seconds()) if times else 1.0

    def _is_ready(self, job: OCIJob) -> None:
        status = job.status
        demand(not job.metadata.deleting, "a deleted job goes")
        ready = find(status.conditions, ConditionType.READY)
        demand(is_true(status.conditions, ConditionType.READY), f"a job becomes ready: {ready}")
        demand(status.observed_generation == job.metadata.generation, "for its newest spec")
        remote = self.world.oci.find(status.job_id)
        demand(
            remote is not None and self.world.oci.code_of(remote) == self.world.artifact,
            "with its newest code",
        )
        if remote is None:
            return
        sent = self.world.oci.variables_of(remote)
        wanted = {variable.name: variable.value for variable in job.spec.env}
        demand(wanted.items() <= sent.items(), "with its newest variables")
        name = job.spec.display_name or f"{job.metadata.namespace}/{job.metadata.name}"
        demand(remote.settings.display_name == name, "with its newest settings")
        limit = self.world.circumstances.history_limit
        demand(len(status.revisions) <= limit + 1, "former revisions go beyond the limit")
        living = {r.id for r in self.world.oci.of(job.metadata.uid) if self.world.oci.living(r)}
        listed = {revision.job_id for revision in status.revisions}
        demand(living <= listed | self.laws.left, "every OCI job is listed")

    def _restart_writes_nothing(self) -> None:
        api = self.world.api
        before = (api.status_writes, api.finalizer_writes)
        self.shell.begin()
        for _ in range(3):
            self.live(self._pause())
        demand((api.status_writes, api.finalizer_writes) == before, "a restart writes nothing")

    def _nothing_is_left(self) -> None:
        for remote in self.world.oci.jobs:
            spared = remote.uid in self.laws.given_up or remote.id in self.laws.left
            demand(spared or not self.world.oci.living(remote), "no OCI job is left of what went")
        self.laws.no_code_is_left()


def run_job_history(circumstances: JobCircumstances, history: Sequence[JobCommand]) -> JobScenario:
    """Play a history to the end, all laws watched."""
    scenario = JobScenario(circumstances)
    scenario.play(history)
    scenario.finish()
    return scenario
