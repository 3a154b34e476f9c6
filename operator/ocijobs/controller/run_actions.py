"""Actions of an OCIJobRun: its values are read, its job run is made, followed and ended, and what it left is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ocijobs.api.run.binding import ReferencedValue
from ocijobs.backends.environment import ValueKey, Values
from ocijobs.backends.records import Operation, Refusal, RefusalKind
from ocijobs.backends.registry import backend_of
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.data_flow_logs import RunLogs, RunOutput
from ocijobs.cloud.infrastructure import Infrastructure
from ocijobs.cloud.object_storage import ObjectStorage
from ocijobs.controller.log_reader import LogReader
from ocijobs.controller.memory import Memory
from ocijobs.controller.places import principal_of
from ocijobs.controller.store import Entry
from ocijobs.controller.utilisation_reader import UtilisationReader
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ConfigData, ObjectReader
from ocijobs.reconcile import decision as act
from ocijobs.reconcile.run.known import RunKnown

RunCall = (
    act.CreateRun
    | act.SearchRuns
    | act.LookUpRun
    | act.CancelRun
    | act.DeleteRun
    | act.ReadResults
    | act.ListOutputs
    | act.ReadRunLogs
)
Learn = Callable[[RunKnown], RunKnown]


class RunActions:
    """Carries out what was decided about runs."""

    def __init__(
        self,
        *,
        infrastructures: Mapping[str, Infrastructure],
        run_logs: RunLogs,
        storage: ObjectStorage,
        logs: LogReader,
        utilisation: UtilisationReader,
        reader: ObjectReader,
        memory: Memory,
        clock: Clock,
    ) -> None:
        self._infrastructures, self._storage = infrastructures, storage
        self._run_logs = run_logs
        self._logs, self._utilisation = logs, utilisation
        self._reader, self._memory, self._clock = reader, memory, clock

    async def execute(self, entry: Entry, action: act.ReadValues | RunCall) -> None:
        """Carry the action out, and learn what it brought."""
        if isinstance(action, act.ReadValues):
            values = await self._values(entry.key.namespace, action)
            now = self._clock.now()
            self._memory.learn_run(
                entry.metadata.uid,
                lambda known: known.values_answered(values, at=now, epoch=action.epoch),
            )
            return
        learn = await self._call(action, principal_of(entry.key.namespace, action.caller))
        self._memory.learn_run(entry.metadata.uid, learn)

    def ask_log(self, entry: Entry, action: act.SearchLogs) -> None:
        """Have the run's log read in the next batch; the run is looked at again afterwards."""
        self._logs.ask(entry, action, principal_of(entry.key.namespace, action.caller))

    def ask_utilisation(self, entry: Entry, action: act.ReadUtilisation) -> None:
        """Have the run's utilisation read in the next batch; the run is looked at again afterwards."""
        self._utilisation.ask(entry, action, principal_of(entry.key.namespace, action.caller))

    async def _call(self, action: RunCall, principal: Principal) -> Learn:
        """Make the call, and return how it changes what is known."""
        storage = self._storage
        match action:
            case act.CreateRun(request=request, token=token, epoch=epoch):
                created = await self._having(request.job_id).create_run(principal, request, token)
                at = self._clock.now()
                return lambda known: known.create_answered(token, created, at=at, epoch=epoch)
            case act.SearchRuns(token=token, compartment_id=compartment, epoch=epoch):
                oci = self._having(action.job_id)
                found = await oci.search_runs(principal, compartment, action.job_id, action.owner)
                at = self._clock.now()
                return lambda known: known.search_answered(token, found, at=at, epoch=epoch)
            case act.LookUpRun(compartment_id=compartment, run_id=run_id, epoch=epoch):
                record = await self._having(run_id).look_up_run(principal, compartment, run_id)
                at = self._clock.now()
                return lambda known: known.look_up_answered(record, at=at, epoch=epoch)
            case act.CancelRun(run_id=run_id, epoch=epoch):
                refusal = await self._having(run_id).cancel_run(principal, run_id)
                return self._called(Operation.CANCEL, refusal, epoch)
            case act.DeleteRun(run_id=run_id, former=former, epoch=epoch):
                refusal = await self._having(run_id).delete_run(principal, run_id)
                at = self._clock.now()
                return lambda known: known.delete_answered(
                    run_id, refusal, former=former, at=at, epoch=epoch
                )
            case act.ReadResults(outputs_uri=uri, run_id=run_id):
                results = await storage.results(principal, uri, run_id)
                at = self._clock.now()
                return lambda known: known.results_answered(results, at=at)
            case act.ListOutputs(outputs_uri=uri):
                outputs = await storage.list_outputs(principal, uri)
                at = self._clock.now()
                return lambda known: known.outputs_answered(outputs, at=at)

            case act.ReadRunLogs(run_id=run_id, results=wanted):
                read = await self._run_logs.read(principal, run_id, results=wanted)
                return self._read(read)

    def _having(self, ocid: str) -> Infrastructure:
        """Return where a job or a run is."""
        return self._infrastructures[backend_of(ocid).name]

    def _read(self, read: RunOutput | Refusal) -> Learn:
        at = self._clock.now()
        if isinstance(read, Refusal):
            return lambda known: known.logs_answered(read, at=at)
        return lambda known: known.logs_answered(read.lines, at=at).files_answered(read.files)

    def _called(self, operation: Operation, refusal: Refusal | None, epoch: str) -> Learn:
        at = self._clock.now()
        return lambda known: known.called(operation, at=at, refusal=refusal, epoch=epoch)

    async def _values(self, namespace: str, action: act.ReadValues) -> Values | Refusal:
        """Return what the keys give, each Secret and ConfigMap read once."""
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


def _values(action: act.ReadValues, objects: dict[tuple[str, str], ConfigData | None]) -> Values:
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
