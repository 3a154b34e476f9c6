"""The mode of new runs, and the plans of those that are simulated."""

import asyncio
from collections.abc import Collection

from oci_emulator.services.datascience.plans import PlanError, Plans
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource, Selection


class Changes:
    """Tells that some run is in another state.

    Attributes:
        number: how often some run was made or changed.
    """

    def __init__(self) -> None:
        self.number = 0
        self._change = asyncio.Event()

    def note(self) -> None:
        """Wake who waits."""
        self.number += 1
        self._change.set()
        self._change = asyncio.Event()

    async def wait(self) -> None:
        """Wait until some run is in another state."""
        await self._change.wait()


class Simulations:
    """Gives runs their plans, and counts them; one for the runs of all services."""

    def __init__(self, foundation: Foundation, plans: Plans) -> None:
        self._foundation = foundation
        self._plans = plans
        self._count = int(foundation.database.fact("simulated runs") or 0)

    def prepare(self, run: Resource, outcomes: Collection[str]) -> float:
        """Note in a new run its mode and, if it is simulated, its plan.

        ``outcomes``: the ends that such a run can have.

        Returns: by how much the lags of the profile are stretched until it is IN_PROGRESS.

        Raises:
            PlanError: its own tag has no plan that can be read, or its plan no end that it can have.
        """
        mode, plan = self._plans.of(run.name, run.body["freeformTags"])
        run.inner |= {"mode": mode, "stage": 0}
        if mode != "simulated":
            return 1.0
        if plan.outcome not in outcomes:
            raise PlanError(
                f"outcome: such a run ends as one of {', '.join(outcomes)}, not as {plan.outcome}"
            )
        self._count += 1
        self._foundation.database.set_fact("simulated runs", str(self._count))
        until_running, running = plan.durations(self._count)
        usual = self._foundation.lags.until_running or 1.0
        scale = 1.0 if until_running is None else until_running / usual
        run.inner |= {
            "index": self._count,
            "plan": plan.as_json(),
            "scale": scale,
            "seconds": running,
        }
        return scale


def in_states(foundation: Foundation, kind: str, states: Collection[str]) -> list[Resource]:
    """The runs in these states that have processes, or will have."""
    return [
        run
        for state in states
        for run in foundation.resources.select(Selection(kind=kind, equal={"state": state}))
        if run.inner.get("mode") == "process"
    ]
