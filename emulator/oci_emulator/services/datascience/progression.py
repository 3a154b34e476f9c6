"""How job runs move on: by their timers, by the processes that execute them, by being canceled."""

from collections.abc import Mapping
from typing import Any, Protocol

from oci_emulator.services.datascience import lifecycle, plans
from oci_emulator.services.datascience.configuration import Effective, effective
from oci_emulator.services.datascience.lifecycle import Outcome
from oci_emulator.services.datascience.simulation import Changes, Simulations, in_states
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.logging.entries import LogEntries
from oci_emulator.services.logging.groups import LogGroups
from oci_emulator.state.resources import Resource
from oci_emulator.time.clock import timestamp

RUN = "jobrun"
JOB = "job"
LOG_TYPE = "com.oraclecloud.datascience.jobrun.stdout"
_OUTCOMES = (*lifecycle.ENDED, "NEEDS_ATTENTION")


class Executor(Protocol):
    """What executes runs for real."""

    def submit(self, run_id: str) -> None:
        """Execute the run when there is room for it."""

    def cancel(self, run_id: str) -> bool:
        """End the run's processes; False if there are none, and the run is over at once."""

    def discard(self, run_id: str) -> None:
        """End the run's processes without a report."""

    def forget(self, run_id: str) -> None:
        """Likewise, and remove the run's directory."""


class Progression:
    """Moves runs on.

    What a run is at, beyond its state, is in its ``inner``: ``stage``, the ``mode``, and for
    simulated ones the ``plan`` with its durations and ``ends``, the time of their own end.

    Attributes:
        changes: tell when some run was made or changed.
    """

    def __init__(
        self,
        foundation: Foundation,
        groups: LogGroups,
        entries: LogEntries,
        simulations: Simulations,
        changes: Changes,
    ) -> None:
        self._foundation = foundation
        self._groups = groups
        self._entries = entries
        self._simulations = simulations
        self._executor: Executor | None = None
        self.changes = changes
        foundation.timers.on_due(RUN, self._due)

    def _save(self, run: Resource) -> None:
        self._foundation.save(run)
        self.changes.note()

    def attach(self, executor: Executor) -> None:
        """Say what executes runs for real."""
        self._executor = executor

    def begin(self, run: Resource) -> Resource:
        """Keep a new run and let it begin.

        Raises:
            PlanError: it has no plan that it can have.
        """
        accepted = self._foundation.lags.accepted * self._simulations.prepare(run, _OUTCOMES)
        run.body |= {"lifecycleState": "ACCEPTED", "lifecycleDetails": lifecycle.STAGES[0].details}
        run.due = run.created + accepted
        self.changes.note()
        return self._foundation.add(run)

    def settings(self, run: Resource) -> Effective:
        """The run's settings, from its job and its overrides."""
        job = self._foundation.resources.get(JOB, run.body["jobId"])
        return effective(job.body if job else {}, run.body, self._foundation.rules)

    # What timers do

    def _due(self, run: Resource, moment: float) -> None:
        run.due = None
        match run.state:
            case "ACCEPTED":
                self._next_stage(run, moment)
            case "IN_PROGRESS":
                self._end_of_plan(run, moment)
            case "CANCELING":
                self._cancellation_due(run, moment)
            case "DELETED":
                self._foundation.resources.remove(run.id)

    def _next_stage(self, run: Resource, moment: float) -> None:
        stage = run.inner["stage"] + 1
        if stage == lifecycle.PROVISIONING and not self._provide_log(run, moment):
            return
        if run.inner["mode"] == "process":
            self.enter(run, stage)
            if self._executor is not None:
                self._executor.submit(run.id)
            return
        if stage < lifecycle.RUNNING:
            run.due = moment + self._seconds(run, stage)
            self.enter(run, stage)
            return
        self._simulate(run, moment)

    def _seconds(self, run: Resource, stage: int) -> float:
        seconds = lifecycle.STAGES[stage].seconds(self._foundation.lags)
        return seconds * float(run.inner["scale"])

    def _provide_log(self, run: Resource, moment: float) -> bool:
        """Give the run its log, if it logs and has none yet; False if that fails the run."""
        log = self.settings(run).log
        if not log.get("enableLogging") or "logDetails" in run.body:
            return True
        details = self.log_details(log, run.id, moment)
        if details is None:
            group = log["logGroupId"]
            reason = f"the log group {group} or the log does not exist."
            outcome = Outcome(state="FAILED", details=lifecycle.bootstrap_failed(reason))
            self.end(run, outcome, moment)
            return False
        run.body["logDetails"] = details
        return True

    def log_details(
        self, log: Mapping[str, Any], run_id: str, moment: float
    ) -> dict[str, str] | None:
        """Where a run logs; makes its log if that is wanted. None if the group or log is missing."""
        group = log["logGroupId"]
        if not log.get("enableAutoLogCreation"):
            if not self._groups.usable_log(group, log["logId"]):
                return None
            return {"logGroupId": group, "logId": log["logId"]}
        made = self._groups.auto_create(group, run_id, moment)
        return None if made is None else {"logGroupId": group, "logId": made}

    # Stages and ends, for both modes

    def enter(self, run: Resource, stage: int) -> None:
        """Show the next stage on the way to execution."""
        run.inner["stage"] = stage
        run.body["lifecycleDetails"] = lifecycle.STAGES[stage].details
        self._save(run)

    def started(self, run: Resource, moment: float) -> None:
        """Show that the artifact is being executed."""
        run.inner["stage"] = lifecycle.RUNNING
        run.body |= {
            "lifecycleState": "IN_PROGRESS",
            "lifecycleDetails": lifecycle.IN_PROGRESS,
            "timeStarted": timestamp(moment),
        }
        _show_node_groups(run, "ACTIVE")
        self._save(run)

    def end(self, run: Resource, outcome: Outcome, moment: float) -> None:
        """Show how a run ended, or that it needs attention."""
        run.body |= {"lifecycleState": outcome.state, "lifecycleDetails": outcome.details}
        run.due = None
        if outcome.state in lifecycle.ENDED:
            _show_node_groups(run, "DELETED")
            _show_failed_groups(run, outcome)
            run.body["timeFinished"] = timestamp(moment)
            run.inner = {key: run.inner[key] for key in ("mode", "index") if key in run.inner}
        self._save(run)

    # Simulated runs

    def _simulate(self, run: Resource, moment: float) -> None:
        settings = self.settings(run)
        plan = plans.from_json(run.inner["plan"])
        seconds = run.inner["seconds"]
        run.inner["ends"] = moment + seconds
        run.due = moment + min(seconds, settings.maximum_minutes * 60)
        self.started(run, moment)
        if "logDetails" not in run.body or not plan.output:
            return
        values = {
            **settings.environment,
            "id": run.id,
            "displayName": run.name,
            "jobId": run.body["jobId"],
            "index": str(run.inner["index"]),
        }
        lines = plan.lines(values)
        pause = seconds / len(lines)
        messages = ((moment + pause * number, line) for number, line in enumerate(lines))
        self.log(run, messages)

    def _end_of_plan(self, run: Resource, moment: float) -> None:
        if moment < run.inner["ends"]:
            minutes = self.settings(run).maximum_minutes
            outcome = Outcome(state="FAILED", details=lifecycle.out_of_time(minutes))
            self._entries.drop_after(run.id, moment)
        else:
            outcome = plans.from_json(run.inner["plan"]).end()
        self.end(run, outcome, moment)

    def log(self, run: Resource, messages: Any) -> None:
        """Write output to the run's log, if it has one."""
        if "logDetails" not in run.body:
            return
        lags = self._foundation.lags
        self._entries.append(
            run.body["logDetails"]["logId"],
            messages,
            source=run.id,
            kind=LOG_TYPE,
            subject=run.body["jobId"],
            lag=lags.log_ingestion,
            jitter=lags.log_jitter,
        )

    # Cancellation

    def cancel(self, run: Resource, moment: float) -> None:
        """Begin to cancel a run; it may still end by itself before that is carried out."""
        own_end = run.inner.get("ends")
        run.body |= {"lifecycleState": "CANCELING", "lifecycleDetails": lifecycle.CANCELING}
        run.due = moment + self._foundation.lags.canceling
        if own_end is not None and self._ends_first(run):
            run.due = min(run.due, own_end)
        self._save(run)

    def _ends_first(self, run: Resource) -> bool:
        """Whether a run that finishes by itself while CANCELING ends with its own outcome."""
        needs_attention = run.inner.get("plan", {}).get("outcome") == "NEEDS_ATTENTION"
        return self._foundation.rules.cancel_race == "own-outcome" and not needs_attention

    def _cancellation_due(self, run: Resource, moment: float) -> None:
        if run.inner["mode"] == "process" and self._executor is not None:
            if self._executor.cancel(run.id):
                return
        elif run.inner.get("ends", moment + 1) <= moment and self._ends_first(run):
            self.end(run, plans.from_json(run.inner["plan"]).end(), moment)
            return
        self._entries.drop_after(run.id, moment)
        self.end(run, Outcome(state="CANCELED", details=lifecycle.CANCELED), moment)

    # Deletion, and what the control API does

    def delete(self, run: Resource, moment: float) -> None:
        """Show a run as DELETED for a while, then forget it."""
        if self._executor is not None:
            self._executor.forget(run.id)
        run.body["lifecycleState"] = "DELETED"
        run.due = moment + self._foundation.rules.deleted_visible_seconds
        self._save(run)

    def force(self, run: Resource, outcome: Outcome, moment: float) -> None:
        """Put a run into a state, whatever it is at."""
        if self._executor is not None:
            self._executor.discard(run.id)
        self._entries.drop_after(run.id, moment)
        if outcome.state == "IN_PROGRESS":
            run.due = None
            self.started(run, moment)
            return
        if outcome.state == "DELETED":
            self.delete(run, moment)
            return
        self.end(run, outcome, moment)

    def forget(self, run: Resource) -> None:
        """Remove a run altogether."""
        if self._executor is not None:
            self._executor.forget(run.id)
        self._foundation.resources.remove(run.id)

    # Restart

    def unfinished_processes(self) -> list[Resource]:
        """The runs of processes of an earlier emulator that weren't over."""
        return [
            run for run in in_states(self._foundation, RUN, lifecycle.ACTIVE) if run.due is None
        ]


def _show_node_groups(run: Resource, state: str) -> None:
    """Show the nodes of a multi-node run, if it is one, in a state."""
    for group in run.body.get("nodeGroupDetailsList", ()):
        group["lifecycleState"] = state


def _show_failed_groups(run: Resource, outcome: Outcome) -> None:
    """Show the groups that failed a multi-node run; all, if no group did but the whole."""
    for group in run.body.get("nodeGroupDetailsList", ()):
        its_own = group["name"] in outcome.failed_groups
        if outcome.state == "FAILED" and (its_own or not outcome.failed_groups):
            group |= {"lifecycleState": "FAILED", "lifecycleDetails": outcome.details}
