"""Real execution of job runs: from the queue through bootstrap and process to the end."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from oci_emulator.datascience import lifecycle
from oci_emulator.datascience.bootstrap import Bootstrap, BootstrapError, Prepared, remove
from oci_emulator.datascience.cluster import Cluster, kill_left
from oci_emulator.datascience.configuration import Effective
from oci_emulator.datascience.lifecycle import Outcome
from oci_emulator.datascience.node_groups import groups_of, nodes_of
from oci_emulator.datascience.progression import RUN, Progression
from oci_emulator.foundation import Foundation
from oci_emulator.resources import Resource
from oci_emulator.running.process import DRAIN_SECONDS, Process, Processes

_MARK = "OCI_RESOURCE_PRINCIPAL_RPST"
"""The variable that only the processes of one node have alike: the path of its token."""
_SIGNAL_BASE = 128

_logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Active:
    """A run that has a place.

    Attributes:
        cluster: its processes, once they are started.
        readings: read the output of each.
        tasks: what else goes on beside them.
        stopped: why its processes are being stopped, if they are.
    """

    run_id: str
    task: "asyncio.Task[None] | None" = None
    cluster: Cluster | None = None
    readings: "list[asyncio.Task[None]]" = field(default_factory=list)
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)
    stopped: Outcome | None = None


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
        places: int,
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._bootstrap = bootstrap
        self._processes = processes
        self._places = places
        self._waiting: deque[str] = deque()
        self._active: dict[str, _Active] = {}
        self._closing = False
        self._removals: set[asyncio.Task[None]] = set()
        progression.attach(self)

    # What the progression asks for

    def submit(self, run_id: str) -> None:
        """Execute the run when there is a place for it."""
        self._waiting.append(run_id)
        self._fill()

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
        if run_id in self._waiting:
            self._waiting.remove(run_id)
        active = self._active.get(run_id)
        if active is not None and active.task is not None:
            active.task.cancel()

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
        self._closing = True
        self._waiting.clear()
        tasks = [active.task for active in self._active.values() if active.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._removals, return_exceptions=True)
        await self._processes.close()
        self._bootstrap.close()

    # The way of one run

    def _fill(self) -> None:
        while self._waiting and len(self._active) < self._places and not self._closing:
            active = _Active(run_id=self._waiting.popleft())
            self._active[active.run_id] = active
            active.task = asyncio.get_running_loop().create_task(
                self._drive(active), name=active.run_id
            )

    async def _drive(self, active: _Active) -> None:
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
            for task in (*active.readings, *active.tasks):
                task.cancel()
            if active.cluster is not None:
                active.cluster.kill()
                for process in active.cluster.processes:
                    self._processes.ended(process)
            # Its machine is gone, and the credentials with it.
            self._bootstrap.revoke(active.run_id)
            del self._active[active.run_id]
            self._fill()
        self._report(active, outcome)

    def _report(self, active: _Active, outcome: Outcome) -> None:
        run = self._foundation.resources.get(RUN, active.run_id)
        if run is None or run.state not in lifecycle.ACTIVE:
            return
        canceled = Outcome(state="CANCELED", details=lifecycle.CANCELED)
        if run.state == "CANCELING" and self._foundation.rules.cancel_race == "canceled":
            outcome = canceled
        self._progression.end(run, outcome, self._foundation.clock.now())
        self._foundation.database.commit()

    async def _execute(self, active: _Active) -> Outcome:
        run = self._run(active)
        settings = self._progression.settings(run)
        groups = groups_of(settings)
        await self._pass(active, lifecycle.PROVISIONING, lifecycle.PROVISIONED)
        await self._pass(active, lifecycle.PROVISIONED, lifecycle.BOOTSTRAP)
        prepared = await self._bootstrap.prepare(run, nodes_of(groups))
        await self._pass(active, lifecycle.BOOTSTRAP, lifecycle.STARTING)
        await self._pass(active, lifecycle.STARTING, lifecycle.RUNNING)
        return await self._process(active, settings, prepared)

    def _run(self, active: _Active) -> Resource:
        """The run as it is now: it may have been canceled or updated meanwhile."""
        run = self._foundation.resources.get(RUN, active.run_id)
        if run is None:
            raise asyncio.CancelledError
        return run

    async def _pass(self, active: _Active, stage: int, following: int) -> None:
        """Let a stage take its time, then show the following one."""
        seconds = lifecycle.STAGES[stage].seconds(self._foundation.lags)
        await self._foundation.clock.sleep(seconds)
        run = self._run(active)
        if run.state == "ACCEPTED" and following < lifecycle.RUNNING:
            self._progression.enter(run, following)
            self._foundation.database.commit()

    # The processes

    async def _process(
        self, active: _Active, settings: Effective, prepared: Sequence[Prepared]
    ) -> Outcome:
        cluster = active.cluster = Cluster()
        await self._start_all(active, cluster, settings, prepared)
        now = self._foundation.clock.now()
        run = self._run(active)
        if run.state == "ACCEPTED":
            self._progression.started(run, now)
        self._foundation.database.commit()
        active.tasks.append(asyncio.create_task(self._limit(active, cluster, settings, now)))
        code = await cluster.wait(self._foundation.rules.cancel_grace_seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await asyncio.gather(*active.readings)
        if active.stopped is not None:
            return active.stopped
        outcome = lifecycle.exited(self._exit_code(code))
        return replace(outcome, failed_groups=frozenset(cluster.failed))

    async def _start_all(
        self, active: _Active, cluster: Cluster, settings: Effective, prepared: Sequence[Prepared]
    ) -> None:
        """Start all nodes; with IN_ORDER, a group when the startup probes of the former succeed."""
        in_order = settings.nodes.get("startupOrder") == "IN_ORDER"
        for _, nodes in groupby(prepared, key=lambda each: each.node.group.name):
            probes = [
                asyncio.create_task(
                    self._probe(active, cluster, node, await self._start(active, cluster, node))
                )
                for node in nodes
            ]
            active.tasks += probes
            if in_order:
                await asyncio.gather(*probes)
            if active.stopped is not None:
                return

    async def _start(self, active: _Active, cluster: Cluster, prepared: Prepared) -> Process:
        """Start the process of a node, and write it down: a killed emulator leaves it behind."""
        process = await self._processes.start(
            prepared.command,
            directory=prepared.directory,
            environment=prepared.variables,
            mark=_MARK,
        )
        cluster.add(prepared.node, process)
        active.readings.append(asyncio.create_task(self._read(active.run_id, process)))
        run = self._run(active)
        run.inner["processes"] = cluster.as_json()
        self._foundation.save(run, visible=False)
        return process

    async def _probe(
        self, active: _Active, cluster: Cluster, prepared: Prepared, process: Process
    ) -> None:
        """Wait until a node is ready, or end the run as it never came to be."""
        group = prepared.node.group
        probe = group.settings.probe
        if probe is None or await probe.succeeds(
            directory=prepared.directory,
            environment=prepared.variables,
            sleep=self._foundation.clock.sleep,
            over=lambda: process.over,
        ):
            return
        active.stopped = active.stopped or Outcome(
            state="FAILED",
            details=lifecycle.never_ready(probe.failures),
            failed_groups=frozenset({group.name}),
        )
        cluster.stop(self._foundation.rules.cancel_grace_seconds)

    async def _limit(
        self, active: _Active, cluster: Cluster, settings: Effective, started: float
    ) -> None:
        await self._foundation.clock.sleep_until(started + settings.maximum_minutes * 60)
        details = lifecycle.out_of_time(settings.maximum_minutes)
        active.stopped = active.stopped or Outcome(state="FAILED", details=details)
        cluster.stop(self._foundation.rules.cancel_grace_seconds)

    async def _read(self, run_id: str, process: Process) -> None:
        longest = self._foundation.rules.log_line_maximum_characters
        async for lines in process.output(longest):
            run = self._foundation.resources.get(RUN, run_id)
            if run is not None:
                now = self._foundation.clock.now()
                self._progression.log(run, [(now, line) for line in lines])
                self._foundation.database.commit()

    def _exit_code(self, code: int) -> int:
        """The code that is shown for the end of a process; negative ones are signals."""
        if code >= 0:
            return code
        shell = self._foundation.rules.signal_exit_code == "128+n"
        return _SIGNAL_BASE - code if shell else 1
