"""Supervision of a run's processes: started, measured, probed, read, and ended in time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby

from oci_emulator.running.process import DRAIN_SECONDS, Process, Processes
from oci_emulator.services.datascience import lifecycle
from oci_emulator.services.datascience.bootstrap import Prepared
from oci_emulator.services.datascience.cluster import Cluster
from oci_emulator.services.datascience.configuration import Effective
from oci_emulator.services.datascience.lifecycle import Outcome
from oci_emulator.services.datascience.metering import Metered, Metering
from oci_emulator.services.datascience.progression import RUN, Progression
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource

_MARK = "OCI_RESOURCE_PRINCIPAL_RPST"
"""The variable that only the processes of one node have alike: the path of its token."""
_SIGNAL_BASE = 128


@dataclass(slots=True, kw_only=True)
class Underway:
    """A run that has a place.

    Attributes:
        cluster: its processes, once they are started.
        readings: read the output of each.
        tasks: what else goes on beside them.
        after: commands that remove what the processes leave outside of their groups.
        stopped: why its processes are being stopped, if they are.
    """

    run_id: str
    cluster: Cluster | None = None
    readings: "list[asyncio.Task[None]]" = field(default_factory=list)
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)
    after: Sequence[Sequence[str]] = ()
    stopped: Outcome | None = None


def current(foundation: Foundation, active: Underway) -> Resource:
    """The run as it is now: it may have been canceled or updated meanwhile.

    Raises:
        CancelledError: it is gone.
    """
    run = foundation.resources.get(RUN, active.run_id)
    if run is None:
        raise asyncio.CancelledError
    return run


class Supervision:
    """Supervises the processes of runs."""

    def __init__(
        self,
        foundation: Foundation,
        progression: Progression,
        processes: Processes,
        metering: Metering,
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._processes = processes
        self._metering = metering

    async def run(
        self, active: Underway, settings: Effective, prepared: Sequence[Prepared]
    ) -> Outcome:
        """Start the processes of a prepared run and wait for their end; how the run ended."""
        cluster = active.cluster = Cluster()
        await self._start_all(active, cluster, settings, prepared)
        now = self._foundation.clock.now()
        run = current(self._foundation, active)
        if run.state == "ACCEPTED":
            self._progression.started(run, now)
        self._foundation.database.commit()
        active.after = [each.after for each in prepared if each.after]
        active.tasks += [
            asyncio.create_task(self._limit(active, cluster, settings, now)),
            asyncio.create_task(self._metering.follow(run, _metered(prepared))),
        ]
        code = await cluster.wait(self._foundation.rules.cancel_grace_seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await asyncio.gather(*active.readings)
        if active.stopped is not None:
            return active.stopped
        outcome = lifecycle.exited(self._exit_code(code))
        return replace(outcome, failed_groups=frozenset(cluster.failed))

    async def clear(self, active: Underway) -> None:
        """Remove what the processes of a run have left outside of their groups."""
        for command in active.after:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await process.wait()

    async def _start_all(
        self, active: Underway, cluster: Cluster, settings: Effective, prepared: Sequence[Prepared]
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

    async def _start(self, active: Underway, cluster: Cluster, prepared: Prepared) -> Process:
        """Start the process of a node, and write it down: a killed emulator leaves it behind."""
        process = await self._processes.start(
            prepared.command,
            directory=prepared.directory,
            environment=prepared.variables,
            mark=_MARK,
        )
        cluster.add(prepared.node, process)
        active.readings.append(asyncio.create_task(self._read(active.run_id, process)))
        run = current(self._foundation, active)
        run.inner["processes"] = cluster.as_json()
        self._foundation.save(run, visible=False)
        return process

    async def _probe(
        self, active: Underway, cluster: Cluster, prepared: Prepared, process: Process
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
        self, active: Underway, cluster: Cluster, settings: Effective, started: float
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


def _metered(prepared: Sequence[Prepared]) -> Sequence[Metered]:
    return [
        Metered(
            variable=f"{_MARK}={each.variables[_MARK]}",
            directory=each.directory,
            infrastructure=each.node.group.settings.infrastructure,
        )
        for each in prepared
    ]
