"""How runs move on: by their timers, by what executes them, by being canceled or stopped."""

from collections.abc import Callable, Iterable
from typing import Any

from oci_emulator.services.dataflow import lifecycle
from oci_emulator.services.dataflow.deadlines import deadline, next_due
from oci_emulator.services.dataflow.files import FileError, Files
from oci_emulator.services.dataflow.lifecycle import Outcome, outcome
from oci_emulator.services.dataflow.owned import POOL, RUN, owner_of
from oci_emulator.services.dataflow.settings import driver_variables
from oci_emulator.services.datascience import plans
from oci_emulator.services.datascience.progression import Executor
from oci_emulator.services.datascience.simulation import Changes, Simulations, in_states
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.logging.entries import LogEntries
from oci_emulator.services.logging.groups import LogGroups
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

LOG_TYPE = "com.oraclecloud.dataflow.run.stdout"
"""The emulator's own, like the subject of the entries."""


class Progression:
    """Moves runs on.

    What a run is at, beyond its state, is in its ``inner``: ``mode``, for simulated ones the
    ``plan`` with its ``seconds``; once it is in progress ``began``, ``ends`` (the time of its own
    end, if it has one), ``active`` (when a session was last used), and for good ``output``.

    Attributes:
        changes: tell when some run was made or changed.
    """

    def __init__(
        self,
        foundation: Foundation,
        *,
        groups: LogGroups,
        entries: LogEntries,
        simulations: Simulations,
        changes: Changes,
        files: Files,
    ) -> None:
        self._foundation = foundation
        self._groups = groups
        self._entries = entries
        self._simulations = simulations
        self._files = files
        self._executor: Executor | None = None
        self._at_end: list[Callable[[Resource, float], None]] = []
        self.changes = changes
        foundation.timers.on_due(RUN, self._due)

    def attach(self, executor: Executor) -> None:
        """Say what executes runs for real."""
        self._executor = executor

    def on_end(self, step: Callable[[Resource, float], None]) -> None:
        """Register what else is done when a run is over."""
        self._at_end.append(step)

    def begin(self, run: Resource) -> Resource:
        """Keep a new run and let it begin.

        Raises:
            PlanError: it has no plan that it can have.
        """
        scale = self._simulations.prepare(run, lifecycle.ENDED)
        run.body |= {
            "lifecycleState": "ACCEPTED",
            "lifecycleDetails": "",
            "runDurationInMilliseconds": 0,
            "dataReadInBytes": 0,
            "dataWrittenInBytes": 0,
        }
        run.due = run.created + self._foundation.lags.until_running * scale
        self.changes.note()
        return self._foundation.add(run)

    def _save(self, run: Resource, moment: float) -> None:
        run.body["timeUpdated"] = timestamp(moment)
        self._foundation.save(run)
        self.changes.note()

    # What timers do

    def _due(self, run: Resource, moment: float) -> None:
        run.due = None
        match run.state:
            case "ACCEPTED":
                self._start(run, moment)
            case "IN_PROGRESS":
                self._end_by_itself(run, moment)
            case "CANCELING" | "STOPPING":
                self._cancellation_due(run, moment)

    def _start(self, run: Resource, moment: float) -> None:
        pool = self._foundation.resources.get(POOL, run.body.get("poolId", ""))
        if pool is not None and pool.state != "ACTIVE":
            run.body["lifecycleDetails"] = lifecycle.WAITING_FOR_POOL
            run.inner["waits"] = True
            self._save(run, moment)
            return
        run.inner.pop("waits", None)
        try:
            self._check(run, moment)
        except FileError as error:
            self.end(run, outcome("FAILED", str(error)), moment)
            return
        if run.inner["mode"] == "process":
            self._save(run, moment)
            if self._executor is not None:
                self._executor.submit(run.id)
            return
        self._simulate(run, moment)

    def _check(self, run: Resource, moment: float) -> None:
        """Check that what the run refers to is there.

        Raises:
            FileError: something isn't.
        """
        self._files.check(owner_of(run), run.body, moment)
        log = run.body.get("applicationLogConfig")
        if log is not None and not self._groups.usable_log(log["logGroupId"], log["logId"]):
            raise FileError(lifecycle.no_log(log["logId"]))

    def wake(self, pool_id: str, moment: float) -> None:
        """Let the runs begin that wait for a pool."""
        for run in self._of_pool(pool_id):
            if run.state == "ACCEPTED" and run.inner.get("waits"):
                run.due = moment
                self._foundation.save(run, visible=False)

    def cancel_all_of(self, pool_id: str, moment: float) -> None:
        """Cancel or stop the runs in a pool, which stops."""
        for run in self._of_pool(pool_id):
            if run.state in lifecycle.CANCELABLE:
                self.cancel(run, moment)

    def has_active(self, field: str, identifier: str) -> bool:
        """Whether some run with this value of a field isn't over."""
        runs = self._foundation.resources.select(
            Selection(kind=RUN, fields={f"$.{field}": identifier})
        )
        return any(run.state in lifecycle.ACTIVE for run in runs)

    def _of_pool(self, pool_id: str) -> list[Resource]:
        return self._foundation.resources.select(Selection(kind=RUN, fields={"$.poolId": pool_id}))

    # Beginning and end, for both modes

    def started(self, run: Resource, moment: float) -> None:
        """Show that the application is being executed."""
        run.inner |= {"began": moment, "active": moment}
        run.body |= {"lifecycleState": "IN_PROGRESS", "lifecycleDetails": ""}
        run.due = next_due(run)
        self._save(run, moment)

    def end(self, run: Resource, end: Outcome, moment: float) -> None:
        """Show how a run ended."""
        rules = self._foundation.rules
        began = run.inner.get("began")
        since = run.created if rules.run_duration == "accepted" else began
        run.body |= {
            "lifecycleState": end.state,
            "lifecycleDetails": end.details,
            "runDurationInMilliseconds": 0 if since is None else round((moment - since) * 1000),
            "dataReadInBytes": end.read,
            "dataWrittenInBytes": end.written,
        }
        run.due = None
        run.inner |= {"ended": moment}
        for name in ("plan", "ends", "active", "scale", "seconds", "stop", "waits", "process"):
            run.inner.pop(name, None)
        self._save(run, moment)
        for step in self._at_end:
            step(run, moment)

    def reschedule(self, run: Resource, moment: float) -> None:
        """Take changed durations into account, or that a session is used."""
        if run.state == "IN_PROGRESS":
            run.due = next_due(run)
        self._save(run, moment)

    # Simulated runs

    def _simulate(self, run: Resource, moment: float) -> None:
        plan = plans.from_json(run.inner["plan"])
        # What streams or waits for statements has no end of its own, unless it fails.
        endless = run.body["type"] != "BATCH" and plan.outcome == "SUCCEEDED"
        if not endless:
            run.inner["ends"] = moment + run.inner["seconds"]
        values = {
            "id": run.id,
            "displayName": run.name,
            "applicationId": run.body["applicationId"],
            "index": str(run.inner["index"]),
            **driver_variables(run.body),
            **{each["name"]: each["value"] for each in run.body.get("parameters", [])},
        }
        lines = plan.lines(values)
        run.inner["output"] = lines
        self.started(run, moment)
        pause = run.inner["seconds"] / (len(lines) or 1)
        self.log(run, ((moment + pause * number, line) for number, line in enumerate(lines)))

    def _own_end(self, run: Resource) -> Outcome:
        plan = plans.from_json(run.inner["plan"])
        usual = outcome(plan.outcome, plan.details)
        return Outcome(
            state=usual.state, details=usual.details, read=plan.data_read, written=plan.data_written
        )

    def log(self, run: Resource, messages: Iterable[Any]) -> None:
        """Write output to the log of the run's configuration, if it has some."""
        log = run.body.get("applicationLogConfig")
        if log is None:
            return
        lags = self._foundation.lags
        self._entries.append(
            log["logId"],
            messages,
            source=run.id,
            kind=LOG_TYPE,
            subject=run.body["applicationId"],
            lag=lags.log_ingestion,
            jitter=lags.log_jitter,
        )

    def _end_by_itself(self, run: Resource, moment: float) -> None:
        reached = deadline(run, moment)
        if reached is None:
            self._finish(run, self._own_end(run), moment)
        elif reached.idle:
            self._stop(run, "STOPPED", lifecycle.idle(reached.minutes), moment)
        else:
            state = self._foundation.rules.run_out_of_time
            self._stop(run, state, lifecycle.out_of_time(reached.minutes), moment)

    def _finish(self, run: Resource, end: Outcome, moment: float) -> None:
        self._entries.drop_after(run.id, moment)
        self.end(run, end, moment)

    # Cancellation

    def cancel(self, run: Resource, moment: float) -> None:
        """Begin to cancel or stop a run; it may still end by itself before that is carried out."""
        stops = {
            "nothing": (),
            "streaming": ("STREAMING",),
            "streaming-and-session": ("STREAMING", "SESSION"),
        }[self._foundation.rules.delete_run_stops]
        self._stop(run, "STOPPED" if run.body["type"] in stops else "CANCELED", "", moment)

    def _stop(self, run: Resource, end: str, details: str, moment: float) -> None:
        stopping = end == "STOPPED"
        run.inner["stop"] = [end, details]
        run.body |= {
            "lifecycleState": "STOPPING" if stopping else "CANCELING",
            "lifecycleDetails": details
            or (lifecycle.STOPPING if stopping else lifecycle.CANCELING),
        }
        run.due = moment + self._foundation.lags.canceling
        own_end = run.inner.get("ends")
        if own_end is not None and self._foundation.rules.cancel_race == "own-outcome":
            run.due = min(run.due, own_end)
        self._save(run, moment)

    def stopped(self, run: Resource) -> Outcome:
        """The end of a run that is being canceled or stopped."""
        return outcome(*run.inner["stop"])

    def _cancellation_due(self, run: Resource, moment: float) -> None:
        own_first = self._foundation.rules.cancel_race == "own-outcome"
        if run.inner["mode"] == "process" and self._executor is not None:
            if self._executor.cancel(run.id):
                return
        elif own_first and run.inner.get("ends", moment + 1) <= moment:
            self._finish(run, self._own_end(run), moment)
            return
        self._finish(run, self.stopped(run), moment)

    # What the control API does

    def force(self, run: Resource, state: str, details: str, moment: float) -> None:
        """Put a run into a state, whatever it is at."""
        if self._executor is not None:
            self._executor.discard(run.id)
        self._entries.drop_after(run.id, moment)
        if state == "IN_PROGRESS":
            run.inner.pop("ends", None)
            self.started(run, moment)
            return
        self.end(run, outcome(state, details), moment)

    def forget(self, run: Resource) -> None:
        """Remove a run altogether."""
        if self._executor is not None:
            self._executor.forget(run.id)
        self._foundation.resources.remove(run.id)

    # Restart

    def unfinished_processes(self) -> list[Resource]:
        """The runs of processes of an earlier emulator that weren't over."""
        runs = in_states(self._foundation, RUN, lifecycle.ACTIVE)
        return [
            run
            for run in runs
            # Those with a process have a timer too: their maximum duration.
            if "process" in run.inner or (run.due is None and not run.inner.get("waits"))
        ]
