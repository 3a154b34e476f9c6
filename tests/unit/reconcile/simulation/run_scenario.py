"""Plays a history of a run, then lets everything work and sees that it ends as it should."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.commands import Live
from tests.unit.reconcile.simulation.laws import demand
from tests.unit.reconcile.simulation.oci_runs import SimulatedRun
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command, Do, Progress
from tests.unit.reconcile.simulation.run_laws import RunLaws
from tests.unit.reconcile.simulation.run_shell import RunShell
from tests.unit.reconcile.simulation.run_world import RunWorld
from tests.unit.reconcile.simulation.scenario import Scenario

from ocijobs.api.kueue import WorkloadCondition
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.model import DeletionPolicy
from ocijobs.api.shared.names import ANNOTATION_ABANDON, ANNOTATION_PAUSED
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RefusalKind, RunState

POLL_SECONDS = 5.0
LATE_LINES_SECONDS = 150.0
MOST_ROUNDS = 400
"""More rounds than this without an end mean that a run hangs."""


class RunScenario(Scenario[Progress | Do]):
    """One run from its creation to its end, and beyond."""

    def __init__(self, circumstances: Circumstances | None = None) -> None:
        self.world = RunWorld(circumstances or Circumstances())
        self.laws = RunLaws(self.world)
        self.shell = RunShell(self.world, self.laws)
        super().__init__(self.world.weather, self.shell)

    def play(self, history: Sequence[Command]) -> None:
        """Carry out a history: all but time that passes is an occasion for writes."""
        self.laws.occasions = sum(not isinstance(command, Live) for command in history)
        super().play(history)

    def _carry_out(self, command: Progress | Do) -> None:
        match command:
            case Progress(state=state):
                self.world.oci.progress(state)
            case Do():
                self._do(command)

    def live(self, seconds: float) -> None:
        """Let time pass for an operator that works."""
        self.shell.work()
        self.world.weather.advance(seconds)
        self.shell.batch()
        self.shell.poll()
        self.shell.work()

    def _do(self, what: Do) -> None:
        world, shell, api = self.world, self.shell, self.world.api
        deeds: dict[Do, Callable[[], object]] = {
            Do.POLL: shell.poll,
            Do.CLEAR: world.weather.clear,
            Do.REFUSE_WRITE: lambda: setattr(shell, "write_mishap", "refused"),
            Do.LOSE_WRITE_ANSWER: lambda: setattr(shell, "write_mishap", "answer lost"),
            Do.CANCEL: lambda: api.edit_spec(cancel=True),
            Do.SUSPEND: lambda: api.edit_spec(suspend=True),
            Do.UNSUSPEND: lambda: api.edit_spec(suspend=False),
            Do.UPSTREAM_SUCCEEDS: lambda: world.end_upstream(succeeded=True),
            Do.UPSTREAM_FAILS: lambda: world.end_upstream(succeeded=False),
            Do.DELETE: lambda: api.delete(world.clock.now()),
            Do.RECREATE: world.create_run,
            Do.REPLACE: self._replace,
            Do.DELETE_RECORD: lambda: api.edit_spec(deletion_policy=DeletionPolicy.DELETE),
            Do.RETAIN_RECORD: lambda: api.edit_spec(deletion_policy=DeletionPolicy.RETAIN),
            Do.PAUSE: lambda: api.annotate(ANNOTATION_PAUSED, "true"),
            Do.RESUME: lambda: api.annotate(ANNOTATION_PAUSED, None),
            Do.ABANDON: lambda: api.annotate(ANNOTATION_ABANDON, "true"),
            Do.EDIT_JOB: world.edit_job,
            Do.SYNC_JOB: world.sync_job,
            Do.DELETE_JOB: world.delete_job,
            Do.REMOVE_JOB: world.remove_job,
            Do.CREATE_JOB: world.create_job,
            Do.CHANGE_SECRET: world.change_secret,
            Do.REMOVE_SECRET: lambda: setattr(world, "secret_there", False),
            Do.RESTORE_SECRET: lambda: setattr(world, "secret_there", True),
            Do.TAKE_AWAY: world.oci.take_away,
            Do.REFUSE_CREDENTIALS: lambda: setattr(world.identity, "refused", True),
            Do.RENEW_CREDENTIALS: world.identity.renew,
            Do.LOSE_CREDENTIALS: lambda: setattr(world.identity, "gone", True),
            Do.DELETE_IDENTITY: lambda: setattr(world.identity, "deleting", True),
            Do.ADMIT: world.queue.admit,
            Do.EVICT: world.queue.evict,
            Do.DEACTIVATE: lambda: world.queue.activate(active=False),
            Do.ACTIVATE: lambda: world.queue.activate(active=True),
            Do.DELETE_WORKLOAD: world.queue.delete,
            Do.INSTALL_KUEUE: world.queue.install,
            Do.REMOVE_KUEUE: world.queue.uninstall,
        }
        deeds[what]()

    def _replace(self) -> None:
        """Let the object go by force: what it has in OCI is nobody's from then on."""
        api = self.world.api
        if api.object is not None:
            self.laws.given_up.add(api.object.metadata.uid)
            api.object = None
        self.world.create_run()

    def finish(self) -> None:
        """Let everything work, see that the run ends, and that a restart then asks for nothing."""
        self.world.heal()
        self.world.api.annotate(ANNOTATION_PAUSED, None)
        self.shell.write_mishap = None
        stream = self.world.circumstances.stream
        self._until_settled(RunState.STOPPED if stream else RunState.SUCCEEDED)
        self._ends_well()
        self._restart_writes_nothing()

    def end_namespace(self, kills: Sequence[int], *, revoked: bool) -> None:
        """Delete the namespace, its Secret first, and see that nothing goes on in OCI unless it can't be ended.

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
        api.delete(world.clock.now())
        world.delete_job()
        world.shared = None
        self.shell.begin()
        for steps in kills:
            for _ in range(steps):
                self.shell.step()
            self.shell.begin()
        for _ in range(MOST_ROUNDS):
            if api.object is None:
                break
            self.live(self._pause())
            world.oci.end_cancelled()
        demand(api.object is None, "a run goes with its namespace")
        for run in world.oci.runs:
            unended = run.live and run.uid not in self.laws.given_up - self.laws.listed.keys()
            demand(not unended or (revoked and self.laws.is_listed(run)), "nothing goes on in OCI")

    def _until_settled(self, outcome: RunState) -> None:
        for count in range(MOST_ROUNDS):
            self.live(self._pause())
            if count >= 2:
                self.world.oci.progress(RunState.IN_PROGRESS)
            if count >= 4:
                self._streams_quietly()
                self.world.oci.progress(outcome)
            if self._settled():
                return
        demand(False, "a run ends, or goes, when everything works")

    def _streams_quietly(self) -> None:
        """Demand of a stream that is in progress, and of which nothing is to be heard, that nothing is written."""
        api, weather, given = self.world.api, self.world.weather, self.world.circumstances
        run = api.object
        wanted = run is not None and not (run.metadata.deleting or run.spec.cancel)
        passing = weather.next_arrival() is not None or given.deadline or given.lag
        streams = run is not None and _reason(run) == Reason.STREAMING
        if passing or not (wanted and streams):
            return
        before = api.status_writes
        for _ in range(3):
            self.live(POLL_SECONDS)
        demand(api.status_writes == before, "a stream in progress writes nothing")

    def _pause(self) -> float:
        """Return the seconds until something happens by itself."""
        shell = self.shell
        times: list[datetime] = [shell.wake_at] if shell.wake_at is not None else []
        if shell.followed is not None:
            times.append(shell.now + timedelta(seconds=POLL_SECONDS))
        if shell.searching is not None or shell.measuring is not None:
            times.append(shell.now + timedelta(seconds=1))
        arrival = self.world.weather.next_arrival()
        if arrival is not None:
            times.append(arrival + shell.skew)
        return max(0.0, (min(times) - shell.now).total_seconds()) if times else 1.0

    def _settled(self) -> bool:
        shell = self.shell
        waits = shell.wake_at or shell.followed or shell.searching or shell.measuring
        return not waits and self.world.weather.next_arrival() is None

    def _ends_well(self) -> None:
        run, runs = self.world.api.object, self.world.oci.runs
        for remote in runs:
            gone = run is None or run.metadata.uid != remote.uid or run.status.phase is None
            ended = gone or (run is not None and Phase(str(run.status.phase)).terminal)
            if ended and remote.uid not in self.laws.given_up:
                demand(not remote.live, "nothing goes on in OCI of a run that has ended or gone")
        for workload in self.world.queue.all():
            finished = workload.has(WorkloadCondition.FINISHED)
            demand(finished or not self.world.queue.served, "quota is given back in the end")
            demand(not workload.metadata.has_finalizer, "nothing holds a Workload in the end")
        if run is None:
            return
        demand(not run.metadata.deleting, "a deleted run goes in the end")
        demand(run.status.phase is not None and run.status.phase.terminal, "a run ends in the end")
        own = self.world.oci.of(run.metadata.uid)
        bound = run.status.job_run_id
        demand(bound is None or bound in {each.id for each in own}, "a run is bound to its own")
        self._reason_is_true(run, own)
        held = (
            run.spec.deletion_policy is DeletionPolicy.DELETE
            and own
            and not self.world.circumstances.on_data_flow
            # Nobody asks OCI about a run that has ended, until it is deleted.
            and run.status.lifecycle_state != RunState.DELETED
        )
        demand(run.metadata.has_finalizer == bool(held), "an ended run is held only for its record")

    def _reason_is_true(self, run: OCIJobRun, own: list[SimulatedRun]) -> None:
        """Demand that what is said of the end is what has happened."""
        reason = _reason(run)
        match reason:
            case Reason.SUCCEEDED | Reason.RUN_FAILED | Reason.BACKOFF_LIMIT_EXCEEDED:
                demand(own[-1].began(RunState(str(run.status.lifecycle_state))), "the end is OCI's")
            case Reason.CANCELLED:
                cancelled = run.spec.cancel or own[-1].began(RunState.CANCELED)
                demand(cancelled, "a cancelled run was cancelled")
            case Reason.STOPPED:
                demand(not run.spec.cancel, "a stream that was stopped here was cancelled")
                demand(own[-1].began(RunState.STOPPED), "a stopped stream was stopped")
            case Reason.REMOTE_DELETED:
                demand(own[-1].began(RunState.DELETED), "what is called gone is gone")
            case Reason.JOB_DELETED:
                demand(own and self.world.jobs_made > 1, "the job of the first attempt is no more")
            case Reason.DEADLINE_EXCEEDED:
                demand(self.world.circumstances.deadline, "a deadline that is over was given")
            case Reason.PRE_RUNNING_DEADLINE_EXCEEDED:
                demand(self.world.circumstances.pre_running, "a deadline that is over was given")
            case Reason.DEPENDENCY_FAILED:
                upstream = self.world.upstream
                demand(upstream and not upstream.succeeded, "what was waited for has failed")
                demand(not own, "nothing is launched without what it waits for")
            case Reason.SUBMISSION_FAILED:
                refused = RefusalKind.INVALID in self.world.weather.refused
                former = len(run.status.attempts)
                demand(refused and len(own) == former, "a failed submission created nothing")
            case other:
                demand(False, f"a run does not end for reason {other}")

    def _restart_writes_nothing(self) -> None:
        api = self.world.api
        # Lines of output that come very late may be news.
        self.live(LATE_LINES_SECONDS)
        queue = self.world.queue
        before = (api.status_writes, api.finalizer_writes, queue.writes)
        self.shell.begin()
        for _ in range(3):
            self.live(POLL_SECONDS)
        after = (api.status_writes, api.finalizer_writes, queue.writes)
        demand(after == before, "a restart writes nothing")


def _reason(run: OCIJobRun) -> str | None:
    ready = find(run.status.conditions, ConditionType.READY)
    return ready.reason if ready is not None else None


def run_history(circumstances: Circumstances, history: Sequence[Command]) -> RunScenario:
    """Play a history to the end, all laws watched."""
    scenario = RunScenario(circumstances)
    scenario.play(history)
    scenario.finish()
    return scenario
