"""Real execution of runs: Spark in local mode, a bounded number at a time."""

import asyncio
import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from oci_emulator.running.places import Places
from oci_emulator.running.process import DRAIN_SECONDS, Process, Processes, kill_earlier
from oci_emulator.services.dataflow import lifecycle
from oci_emulator.services.dataflow.lifecycle import Outcome, outcome
from oci_emulator.services.dataflow.owned import RUN
from oci_emulator.services.dataflow.progression import Progression
from oci_emulator.services.dataflow.staging import Staging, StagingError
from oci_emulator.services.dataflow.totals import EVENTS, read_and_written
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource

_MARK = "OCI_RESOURCE_PRINCIPAL_RPST"
"""The variable that only the processes of one run have alike: the path of its token."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Underway:
    """A run that has a place.

    Attributes:
        reading: takes down what the process writes.
        stopped: its process is being stopped for it to be canceled.
    """

    run_id: str
    process: Process | None = None
    reading: "asyncio.Task[None] | None" = None
    stopped: bool = False


class Execution:
    """Executes runs; those without a place wait in the order of their acceptance.

    Args:
        places: how many there may be at a time.
    """

    def __init__(
        self, foundation: Foundation, progression: Progression, *, staging: Staging, places: int
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._staging = staging
        self._processes = Processes()
        self._places = Places(places, self._drive)
        self._active: dict[str, Underway] = {}
        progression.attach(self)

    # What the progression asks for

    def submit(self, run_id: str) -> None:
        """Execute the run when there is a place for it."""
        self._places.submit(run_id)

    def cancel(self, run_id: str) -> bool:
        """End the run's process; False if there is none, and the run is over at once."""
        active = self._active.get(run_id)
        if active is None or active.process is None:
            self.discard(run_id)
            return False
        active.stopped = True
        active.process.stop(self._foundation.rules.cancel_grace_seconds)
        return True

    def discard(self, run_id: str) -> None:
        """End the run's process without a report."""
        self._places.discard(run_id)

    def forget(self, run_id: str) -> None:
        """Likewise, and remove the run's directory."""
        self.discard(run_id)
        shutil.rmtree(self._staging.directory_of(run_id), ignore_errors=True)

    def processes_of(self, run_id: str) -> Sequence[Process]:
        """The process that a run has now, if it has one."""
        active = self._active.get(run_id)
        return [active.process] if active and active.process else []

    def directory_of(self, run_id: str) -> Path:
        """The directory of a run; it may not exist yet."""
        return self._staging.directory_of(run_id)

    # Start and end of the emulator

    def recover(self) -> None:
        """Take up the runs of an earlier emulator: queue them again, or report them lost."""
        now = self._foundation.clock.now()
        for run in self._progression.unfinished_processes():
            process = run.inner.get("process")
            if process is not None:
                kill_earlier(process["pid"], process["start"], process["variable"])
            if run.state in {"CANCELING", "STOPPING"}:
                self._progression.end(run, self._progression.stopped(run), now)
            elif process is not None:
                self._progression.end(run, outcome("FAILED", lifecycle.LOST), now)
            elif run.state == "ACCEPTED":
                self.submit(run.id)

    async def close(self) -> None:
        """End all processes and change nothing: the next emulator reports them lost."""
        await self._places.close()
        await self._processes.close()

    # The way of one run

    async def _drive(self, run_id: str) -> None:
        active = self._active[run_id] = Underway(run_id=run_id)
        try:
            end = await self._execute(active)
        except StagingError as error:
            end = outcome("FAILED", str(error))
        except Exception as error:
            _logger.exception("%s can't be executed", active.run_id)
            end = outcome("FAILED", f"The emulator has failed: {error!r}.")
        finally:
            if active.process is not None:
                active.process.kill()
                self._processes.ended(active.process)
            if active.reading is not None:
                active.reading.cancel()
                await asyncio.gather(active.reading, return_exceptions=True)
            self._staging.revoke(active.run_id)
            del self._active[active.run_id]
        self._report(active, end)

    def _report(self, active: Underway, end: Outcome) -> None:
        run = self._foundation.resources.get(RUN, active.run_id)
        if run is None or run.state not in lifecycle.ACTIVE:
            return
        canceled = active.stopped or self._foundation.rules.cancel_race == "canceled"
        if run.state in {"CANCELING", "STOPPING"} and canceled:
            stopped = self._progression.stopped(run)
            end = Outcome(
                state=stopped.state, details=stopped.details, read=end.read, written=end.written
            )
        self._progression.end(run, end, self._foundation.clock.now())
        self._foundation.database.commit()

    async def _execute(self, active: Underway) -> Outcome:
        staged = await self._staging.stage(self._current(active))
        process = active.process = await self._processes.start(
            staged.command, directory=staged.directory, environment=staged.variables, mark=_MARK
        )
        run = self._current(active)
        run.inner["process"] = {
            "pid": process.pid,
            "start": process.mark,
            "variable": process.variable,
        }
        if run.state == "ACCEPTED":
            self._progression.started(run, self._foundation.clock.now())
        self._foundation.database.commit()
        reading = active.reading = asyncio.create_task(self._read(active.run_id, process))
        code = await process.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await reading
        events = self._staging.directory_of(active.run_id) / EVENTS
        read, written = await asyncio.to_thread(read_and_written, events)
        return Outcome(
            state="FAILED" if code else "SUCCEEDED",
            details=lifecycle.exited(code) if code else "",
            read=read,
            written=written,
        )

    def _current(self, active: Underway) -> Resource:
        """The run as it is now: it may have been canceled or updated meanwhile.

        Raises:
            CancelledError: it is gone.
        """
        run = self._foundation.resources.get(RUN, active.run_id)
        if run is None:
            raise asyncio.CancelledError
        return run

    async def _read(self, run_id: str, process: Process) -> None:
        """Take the output down, in the run's log and in the one of its configuration."""
        longest = self._foundation.rules.log_line_maximum_characters
        with (self._staging.logs_of(run_id) / "stdout").open("a", encoding="utf-8") as file:
            async for lines in process.output(longest):
                file.writelines(f"{line}\n" for line in lines)
                file.flush()
                run = self._foundation.resources.get(RUN, run_id)
                if run is not None:
                    now = self._foundation.clock.now()
                    self._progression.log(run, [(now, line) for line in lines])
                    self._foundation.database.commit()
