"""Actions of an OCIJobRun: read its values; create, follow and end its job run; read what it left."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.shared.environment import ReferencedValue
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.backends.values import ValueKey, Values
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.job_service import JobService, RunLogReader, answer_of_run_call
from ocijobs.cloud.object_storage import ObjectStorage
from ocijobs.controller.entry import Entry
from ocijobs.controller.log_reader import LogReader
from ocijobs.controller.memory import Memory
from ocijobs.controller.places import backend_called, principal_of
from ocijobs.controller.utilisation_reader import UtilisationReader
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ConfigData, ObjectReader
from ocijobs.reconcile.actions.runs import (
    ListOutputs,
    ReadResults,
    ReadRunLogs,
    ReadUtilisation,
    ReadValues,
    RunCall,
    SearchLogs,
)
from ocijobs.reconcile.known.run import RunAnswer


class RunActions:
    """Carries out actions of runs."""

    def __init__(
        self,
        *,
        services: Mapping[str, JobService],
        run_logs: Mapping[str, RunLogReader],
        storage: ObjectStorage,
        logs: LogReader,
        utilisation: UtilisationReader,
        reader: ObjectReader,
        memory: Memory,
        clock: Clock,
    ) -> None:
        self._services, self._storage = services, storage
        self._run_logs = run_logs
        self._logs, self._utilisation = logs, utilisation
        self._reader, self._memory, self._clock = reader, memory, clock

    async def execute(self, entry: Entry, action: ReadValues | RunCall) -> None:
        """Carry the action out, and learn what it brought."""
        answer: RunAnswer
        if isinstance(action, ReadValues):
            answer = action, await self._values(entry.key.namespace, action)
        else:
            answer = await self._call(action, principal_of(entry.key.namespace, action.caller))
        self._memory.run_answered(entry.metadata.uid, answer, self._clock.now())

    def ask_log(self, entry: Entry, action: SearchLogs) -> None:
        """Request the run's log in the next batch; the run is queued afterwards."""
        self._logs.ask(entry, action, principal_of(entry.key.namespace, action.caller))

    def ask_utilisation(self, entry: Entry, action: ReadUtilisation) -> None:
        """Request the run's utilisation in the next batch; the run is queued afterwards."""
        self._utilisation.ask(entry, action, principal_of(entry.key.namespace, action.caller))

    async def _call(self, call: RunCall, principal: Principal) -> RunAnswer:
        """Make the call, and return it with its answer."""
        match call:
            case ReadResults(outputs_uri=uri, run_id=run_id):
                return call, await self._storage.results(principal, uri, run_id)
            case ListOutputs(outputs_uri=uri):
                return call, await self._storage.list_outputs(principal, uri)
            case ReadRunLogs(run_id=run_id, results=results):
                return call, await self._run_logs[backend_called(call)].read(
                    principal, run_id, results=results
                )
            case _:
                oci = self._services[backend_called(call)]
                return await answer_of_run_call(oci, principal, call)

    async def _values(self, namespace: str, action: ReadValues) -> Values | Refusal:
        """Return the values of the keys; each Secret and ConfigMap is read once."""
        objects: dict[tuple[str, str], ConfigData | None] = {}
        try:
            for key, _ in action.keys:
                name = (key.kind, key.name)
                if name not in objects:
                    read = self._reader.secret if key.kind == "Secret" else self._reader.config_map
                    objects[name] = await read(namespace, key.name)
        except ApiError as error:
            return Refusal(kind=RefusalKind.UNAVAILABLE, message=f"values not read: {error}")
        return _values(action, objects)


def _values(action: ReadValues, objects: dict[tuple[str, str], ConfigData | None]) -> Values:
    values: dict[ValueKey, str] = {}
    missing: list[str] = []
    for key, optional in action.keys:
        found = objects[key.kind, key.name]
        if found is not None and key.key in found.data:
            values[key] = found.data[key.key].decode(errors="replace")
        elif not optional:
            missing.append(
                f"there is no {key.kind} {key.name}" if found is None else f"there is no {key}"
            )
    used = tuple(
        ReferencedValue(
            kind=found.kind,
            name=found.name,
            uid=found.uid,
            resource_version=found.resource_version,
        )
        for found in objects.values()
        if found is not None
    )
    return Values(values=values, objects=used, missing=tuple(missing))
