"""Runs from the inside: where they run, and putting them into any state."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from oci_emulator.calls.errors import no_such_path
from oci_emulator.control.call import ControlCall, Route
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.dataflow import lifecycle as flow_lifecycle
from oci_emulator.services.dataflow.execution import Execution as FlowExecution
from oci_emulator.services.dataflow.owned import RUN as FLOW_RUN
from oci_emulator.services.dataflow.progression import Progression as FlowProgression
from oci_emulator.services.datascience import lifecycle
from oci_emulator.services.datascience.execution import Execution
from oci_emulator.services.datascience.lifecycle import Outcome
from oci_emulator.services.datascience.progression import RUN, Progression
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource

_STATES = (*lifecycle.ACTIVE, *lifecycle.ENDED, "DELETED")
_FLOW_STATES = ("IN_PROGRESS", *flow_lifecycle.ENDED)
_OVER = (*lifecycle.ENDED, "STOPPED")
_TEXTS = {
    "IN_PROGRESS": lifecycle.IN_PROGRESS,
    "SUCCEEDED": lifecycle.SUCCEEDED,
    "CANCELED": lifecycle.CANCELED,
    "CANCELING": lifecycle.CANCELING,
    "NEEDS_ATTENTION": "The run needs attention.",
}


class RunControl:
    """What the control API can do with runs."""

    def __init__(
        self,
        foundation: Foundation,
        progression: Progression,
        execution: Execution,
        flow: FlowProgression,
        flow_execution: FlowExecution,
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._execution = execution
        self._flow = flow
        self._flow_execution = flow_execution

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (
            ("GET", "runs/{id}", self._get),
            ("POST", "runs/{id}", self._change),
        )

    async def _get(self, call: ControlCall) -> JsonObject:
        """The run as the API shows it, and what the API doesn't show.

        With ``wait``, the answer comes when the run is in one of the states that
        ``lifecycleState`` names, separated by commas, or when so many real seconds have passed.
        """
        states = call.query.get("lifecycleState", ",".join(_OVER)).split(",")
        with suppress(TimeoutError):
            async with asyncio.timeout(float(call.query.get("wait", 0))):
                while self._find(call).state not in states:
                    await self._progression.changes.wait()
        return self._show(self._find(call))

    def _show(self, run: Resource) -> JsonObject:
        execution = self._flow_execution if run.kind == FLOW_RUN else self._execution
        pids = [process.pid for process in execution.processes_of(run.id)]
        return {
            "body": run.body,
            "etag": run.etag,
            "mode": run.inner.get("mode"),
            "inner": run.inner,
            "pids": pids,
            "directory": str(execution.directory_of(run.id)),
        }

    def _change(self, call: ControlCall) -> JsonObject:
        """Force a state on a run, or remove it behind the client's back.

        Raises:
            ValueError: there is no such state.
        """
        run = self._find(call)
        of_flow = run.kind == FLOW_RUN
        if call.body.get("remove"):
            (self._flow if of_flow else self._progression).forget(run)
            return {"removed": run.id}
        state = call.body.get("lifecycleState", "")
        states = _FLOW_STATES if of_flow else _STATES
        if state not in states:
            raise ValueError(f"lifecycleState: must be one of {', '.join(states)}, not {state!r}")
        if of_flow:
            details = str(call.body.get("lifecycleDetails", ""))
            self._flow.force(run, state, details, self._foundation.clock.now())
            return self._show(self._find(call))
        code = int(call.body.get("exitCode", 1))
        text = lifecycle.failed(code) if state == "FAILED" else _TEXTS.get(state, "")
        details = str(call.body.get("lifecycleDetails", text))
        outcome = Outcome(state=state, details=details)
        self._progression.force(run, outcome, self._foundation.clock.now())
        return self._show(self._find(call))

    def _find(self, call: ControlCall) -> Resource:
        for kind in (RUN, FLOW_RUN):
            run = self._foundation.resources.get(kind, call.path["id"])
            if run is not None:
                return run
        raise no_such_path(f"There is no job run {call.path['id']}, and no run of Data Flow.")
