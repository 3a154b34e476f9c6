"""Real execution of job runs: from the queue through bootstrap and process to the end."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from oci_emulator.running.places import Places
from oci_emulator.running.process import Process, Processes
from oci_emulator.services.datascience import lifecycle
from oci_emulator.services.datascience.bootstrap import Bootstrap, BootstrapError, remove
from oci_emulator.services.datascience.cluster import kill_left
from oci_emulator.services.datascience.lifecycle import Outcome
from oci_emulator.services.datascience.metering import Metering
from oci_emulator.services.datascience.node_groups import groups_of, nodes_of
from oci_emulator.services.datascience.progression import RUN, Progression
from oci_emulator.services.datascience.supervision import Supervision, Underway, current
from oci_emulator.services.foundation import Foundation

_logger = logging.getLogger(__name__)


class Execution:
    """Executes runs, a bounded number at a time; the others wait in the order of their acceptance.

    Args:
        places: how many processes there may be at a time.
    """

    def __init__(
        self,
        foundation: Foundation,
        progression: Progression,
        *,
        bootstrap: Bootstrap,
        processes: Processes,
        metering: Metering,
        places: int,
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._bootstrap = bootstrap
        self._supervision = Supervision(foundation, progression, processes, metering)
        self._processes = processes
        self._places = Places(places, self._drive)
        self._active: dict[str, Underway] = {}
        self._removals: set[asyncio.Task[None]] = set()
        progression.attach(self)

    # What the progression asks for

    def submit(self, run_id: str) -> None:
        """Execute the run when there is a place for it."""
        self._places.submit(run_id)

    def cancel(self, run_id: str) -> bool:
        """End the run's processes; False if there are none, and the run is over at once."""
        active = self._active.get(run_id)
        if active is None or active.cluster is None:
            self.discard(run_id)
            return False
        active.stopped = Outcome(state="CANCELED", details=lifecycle.CANCELED)
        active.cluster.stop(self._foundation.rules.cancel_grace_seconds)
        return True

    def discard(self, run_id: str) -> None:
        """End the run's processes without a report."""
        self._places.discard(run_id)

    def forget(self, run_id: str) -> None:
        """End the run's processes without a report, and remove its directory."""
        self.discard(run_id)
        directory = self.directory_of(run_id)
        if directory.exists():
            task = asyncio.create_task(asyncio.to_thread(remove, directory))
            self._removals.add(task)
            task.add_done_callback(self._removals.discard)

    def processes_of(self, run_id: str) -> Sequence[Process]:
        """The processes that a run has now, one on each node."""
        active = self._active.get(run_id)
        return active.cluster.processes if active and active.cluster else ()

    def directory_of(self, run_id: str) -> Path:
        """The directory of a run; it may not exist yet."""
        return self._bootstrap.directory_of(run_id)

    # Start and end of the emulator

    def recover(self) -> None:
        """Take up the runs of an earlier emulator: queue them again, or report them lost."""
        now = self._foundation.clock.now()
        for run in self._progression.unfinished_processes():
            kill_left(run.inner.get("processes", []))
            if run.state == "CANCELING":
                outcome = Outcome(state="CANCELED", details=lifecycle.CANCELED)
                self._progression.end(run, outcome, now)
            elif "processes" in run.inner:
                outcome = Outcome(state="FAILED", details=lifecycle.LOST)
                self._progression.end(run, outcome, now)
            elif run.state == "ACCEPTED":
                self.submit(run.id)

    async def close(self) -> None:
        """End all processes and change nothing: the next emulator reports them lost."""
        await self._places.close()
        await asyncio.gather(*self._removals, return_exceptions=True)
        await self._processes.close()
        self._bootstrap.close()

    # The way of one run

    async def _drive(self, run_id: str) -> None:
        active = self._active[run_id] = Underway(run_id=run_id)
        try:
            outcome = await self._execute(active)
        except BootstrapError as error:
            details = lifecycle.bootstrap_failed(str(error))
            outcome = Outcome(state="FAILED", details=details)
        except Exception as error:
            _logger.exception("%s can't be executed", active.run_id)
            details = lifecycle.bootstrap_failed(f"the emulator has failed: {error!r}.")
            outcome = Outcome(state="FAILED", details=details)
        finally:
            beside = (*active.readings, *active.tasks)
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            if active.cluster is not None:
                active.cluster.kill()
                for process in active.cluster.processes:
                    self._processes.ended(process)
            await self._supervision.clear(active)
            # Its machine is gone, and the credentials with it.
            self._bootstrap.revoke(active.run_id)
            del self._active[active.run_id]
        self._report(active, outcome)

    def _report(self, active: Underway, outcome: Outcome) -> None:
        run = self._foundation.resources.get(RUN, active.run_id)
        if run is None or run.state not in lifecycle.ACTIVE:
            return
        canceled = Outcome(state="CANCELED", details=lifecycle.CANCELED)
        if run.state == "CANCELING" and self._foundation.rules.cancel_race == "canceled":
            outcome = canceled
        self._progression.end(run, outcome, self._foundation.clock.now())
        self._foundation.database.commit()

    async def _execute(self, active: Underway) -> Outcome:
        run = current(self._foundation, active)
        settings = self._progression.settings(run)
        groups = groups_of(settings)
        await self._pass(active, lifecycle.PROVISIONING, lifecycle.PROVISIONED)
        await self._pass(active, lifecycle.PROVISIONED, lifecycle.BOOTSTRAP)
        prepared = await self._bootstrap.prepare(run, nodes_of(groups))
        await self._pass(active, lifecycle.BOOTSTRAP, lifecycle.STARTING)
        await self._pass(active, lifecycle.STARTING, lifecycle.RUNNING)
        return await self._supervision.run(active, settings, prepared)

    async def _pass(self, active: Underway, stage: int, following: int) -> None:
        """Let a stage take its time, then show the following one."""
        seconds = lifecycle.STAGES[stage].seconds(self._foundation.lags)
        await self._foundation.clock.sleep(seconds)
        run = current(self._foundation, active)
        if run.state == "ACCEPTED" and following < lifecycle.RUNNING:
            self._progression.enter(run, following)
            self._foundation.database.commit()
