"""Pools: machines that are kept ready for runs."""

from typing import Any

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import conflict, invalid, missing
from oci_emulator.calls.paging import collection
from oci_emulator.conduct.rules import Rules
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.dataflow.owned import POOL, find, new, page, require_creation, steady
from oci_emulator.services.dataflow.progression import Progression
from oci_emulator.services.dataflow.shapes import check_shape
from oci_emulator.services.foundation import Foundation, check_names
from oci_emulator.services.transitions import Transitions
from oci_emulator.services.work_requests import WorkRequests
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

_STEADY = ("ACCEPTED", "ACTIVE", "STOPPED")
_STARTABLE = ("ACCEPTED", "STOPPED")
_MOVABLE = ("STOPPED", "FAILED")
_CONFIGURATIONS = 3
_HOURS = 24


class Pools:
    """Pools; the emulator's runs take no machines from them, but wait until they are there."""

    def __init__(
        self, foundation: Foundation, work: WorkRequests, progression: Progression
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._transitions = Transitions(
            foundation,
            work,
            kind=POOL,
            states={
                "CREATE_POOL": "ACTIVE",
                "START_POOL": "ACTIVE",
                "STOP_POOL": "STOPPED",
                "UPDATE_POOL": "",
                "DELETE_POOL": "DELETED",
            },
            settled=self._settled,
        )
        foundation.timers.on_due(POOL, self._due)

    def create(self, call: Call) -> Answer:
        """CreatePool."""
        require_creation(call, "DATAFLOW_POOL_CREATE")
        check_names(call.body)
        _check(call.body, self._foundation.rules)
        starts = self._foundation.rules.pool_after_creation == "ACTIVE"
        body = {**call.body, "lifecycleState": "CREATING" if starts else "ACCEPTED"}
        pool = new(self._foundation, call, POOL, body)
        if starts:
            answer = self._transitions.create("CREATE_POOL", pool, call)
        else:
            answer = shown(self._foundation.add(pool), status=202)
        answer.headers["location"] = f"{call.operation.path}/{pool.id}"
        return answer

    def get(self, call: Call) -> Answer:
        """GetPool."""
        return shown(find(self._foundation, call, POOL, call.path["poolId"]))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(POOL, identifier)

    def list_all(self, call: Call) -> Answer:
        """ListPools."""
        return collection(page(self._foundation, call, Selection(kind=POOL)))

    def update(self, call: Call) -> Answer:
        """UpdatePool."""
        pool = self._steady(call, *_STEADY)
        check_names(call.body)
        _check(call.body, self._foundation.rules)
        self._foundation.retag(pool, call.body)
        return self._transitions.begin("UPDATE_POOL", pool, call.now, call.body)

    def move(self, call: Call) -> Answer:
        """ChangePoolCompartment: of a pool that isn't started."""
        return self._foundation.move(call, self._steady(call, *_MOVABLE))

    def start(self, call: Call) -> Answer:
        """StartPool."""
        return self._start(self._steady(call, *_STARTABLE), call.now)

    def stop(self, call: Call) -> Answer:
        """StopPool: the runs in it are canceled or stopped."""
        pool = self._steady(call, "ACTIVE")
        self._progression.cancel_all_of(pool.id, call.now)
        return self._transitions.begin("STOP_POOL", pool, call.now, state="STOPPING")

    def delete(self, call: Call) -> Answer:
        """DeletePool: not while there are active runs in it."""
        pool = self._steady(call, *_STEADY, "FAILED")
        if self._progression.has_active("poolId", pool.id):
            raise conflict("IncorrectState", f"The pool {pool.id} has active runs.")
        self._transitions.begin("DELETE_POOL", pool, call.now, state="DELETING")
        return Answer(status=204, resource=pool.id)

    def used_by(self, run: Resource, now: float) -> None:
        """Note that a run is in a pool, and start it if that is for the run to do."""
        pool = self._foundation.resources.get(POOL, run.body.get("poolId", ""))
        if pool is None:
            return
        self._metrics(pool)["timeLastUsed"] = timestamp(now)
        if pool.state in _STARTABLE and self._foundation.rules.pool_start_by_run == "start":
            self._start(pool, now)
        else:
            self._foundation.save(pool, visible=False)

    def _start(self, pool: Resource, now: float) -> Answer:
        return self._transitions.begin("START_POOL", pool, now, state="CREATING")

    def _settled(self, pool: Resource, moment: float) -> None:
        if pool.state == "ACTIVE" and pool.inner.get("before") != "ACTIVE":
            self._metrics(pool)["timeLastStarted"] = timestamp(moment)
            # Runs see the pool as it is kept.
            self._foundation.save(pool)
            self._progression.wake(pool.id, moment)
        elif pool.state == "STOPPED":
            self._metrics(pool)["timeLastStopped"] = timestamp(moment)

    def _metrics(self, pool: Resource) -> JsonObject:
        metrics: JsonObject = pool.body.setdefault("poolMetrics", {})
        return metrics

    def _due(self, pool: Resource, moment: float) -> None:  # noqa: ARG002  # a timer's step
        self._foundation.resources.remove(pool.id)

    def _steady(self, call: Call, *states: str) -> Resource:
        return steady(self._foundation, call, POOL, call.path["poolId"], states)


def _check(details: JsonObject, rules: Rules) -> None:
    """Check configurations, schedules and the timeout, as far as a request has them.

    Raises:
        ServiceError: 400, one breaks a rule.
    """
    configurations = details.get("configurations")
    if configurations is not None and not 1 <= len(configurations) <= _CONFIGURATIONS:
        raise invalid(f"configurations: a pool has 1 to {_CONFIGURATIONS}")
    for index, configuration in enumerate(configurations or []):
        _check_configuration(configuration, f"configurations[{index}]", rules)
    for index, schedule in enumerate(details.get("schedules", [])):
        for name in ("startTime", "stopTime"):
            if not 0 <= schedule.get(name, 0) < _HOURS:
                raise invalid(f"schedules[{index}].{name}: must be an hour of the day, 0 to 23")
    if details.get("idleTimeoutInMinutes", 1) < 1:
        raise invalid("idleTimeoutInMinutes: must be 1 or more")


def _check_configuration(configuration: dict[str, Any], path: str, rules: Rules) -> None:
    if "shape" not in configuration:
        raise missing(f"{path}.shape: is required")
    check_shape(configuration["shape"], configuration.get("shapeConfig"), f"{path}.shape", rules)
    least = configuration.get("min", 1)
    most = configuration.get("max", least)
    if not 1 <= least <= most:
        raise invalid(f"{path}: min must be 1 or more, and max no less, not {least} and {most}")
