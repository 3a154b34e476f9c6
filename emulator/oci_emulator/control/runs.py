"""Runs from the inside: where they run, and putting them into any state."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from oci_emulator.datascience import lifecycle
from oci_emulator.datascience.execution import Execution
from oci_emulator.datascience.lifecycle import Outcome
from oci_emulator.datascience.progression import RUN, Progression
from oci_emulator.foundation import Foundation
from oci_emulator.jsontypes import JsonObject
from oci_emulator.resources import Resource
from oci_emulator.server.errors import no_such_path

if TYPE_CHECKING:
    from oci_emulator.control.api import ControlCall

_STATES = (*lifecycle.ACTIVE, *lifecycle.ENDED, "DELETED")
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
        self, foundation: Foundation, progression: Progression, execution: Execution
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._execution = execution

    async def get(self, call: "ControlCall") -> JsonObject:
        """The run as the API shows it, and what the API doesn't show.

        With ``wait``, the answer comes when the run is in one of the states that
        ``lifecycleState`` names, separated by commas, or when so many real seconds have passed.
        """
        states = call.query.get("lifecycleState", ",".join(lifecycle.ENDED)).split(",")
        with suppress(TimeoutError):
            async with asyncio.timeout(float(call.query.get("wait", 0))):
                while self._find(call).state not in states:
                    await self._progression.changed()
        return self._show(self._find(call))

    def _show(self, run: Resource) -> JsonObject:
        pids = [process.pid for process in self._execution.processes_of(run.id)]
        return {
            "body": run.body,
            "etag": run.etag,
            "mode": run.inner.get("mode"),
            "inner": run.inner,
            "pids": pids,
            "directory": str(self._execution.directory_of(run.id)),
        }

    def change(self, call: "ControlCall") -> JsonObject:
        """Force a state on a run, or remove it behind the client's back.

        Raises:
            ValueError: there is no such state.
        """
        run = self._find(call)
        if call.body.get("remove"):
            self._progression.forget(run)
            return {"removed": run.id}
        state = call.body.get("lifecycleState")
        if state not in _STATES:
            raise ValueError(f"lifecycleState: must be one of {', '.join(_STATES)}, not {state!r}")
        code = int(call.body.get("exitCode", 1))
        text = lifecycle.failed(code) if state == "FAILED" else _TEXTS.get(state, "")
        details = str(call.body.get("lifecycleDetails", text))
        outcome = Outcome(state=state, details=details)
        self._progression.force(run, outcome, self._foundation.clock.now())
        return self._show(self._find(call))

    def _find(self, call: "ControlCall") -> Resource:
        run = self._foundation.resources.get(RUN, call.path["id"])
        if run is None:
            raise no_such_path(f"There is no job run {call.path['id']}.")
        return run
