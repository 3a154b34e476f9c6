"""The metrics of job runs: what their processes really use."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.running import usage
from oci_emulator.services.datascience.shapes import BY_NAME
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.monitoring.store import MetricStore, Point, Stream
from oci_emulator.state.resources import Resource

NAMESPACE = "oci_datascience_jobrun"
_GIGABYTE = 1 << 30
_VCPUS_OF_OCPU = 2
_WHOLE = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """One node of a run.

    Attributes:
        variable: finds its processes, as ``NAME=value``.
        directory: what stands for its block storage.
        infrastructure: what it has of processors, memory and block storage.
    """

    variable: str
    directory: Path
    infrastructure: JsonObject


@dataclass(frozen=True, slots=True)
class _Machine:
    """What a node has."""

    cpus: float
    memory_bytes: float
    disk_bytes: float

    @classmethod
    def of(cls, infrastructure: JsonObject) -> "_Machine":
        name = infrastructure.get("shapeName", "")
        shape = BY_NAME.get(name)
        chosen = infrastructure.get("jobShapeConfigDetails", {})
        ocpus = chosen.get("ocpus") or (shape.cores if shape else 1)
        memory = chosen.get("memoryInGBs") or (shape.memory_gb if shape else 16)
        # An OCPU of ARM is one processor, of all others two threads.
        arm = shape is not None and shape.series == "ARM"
        return cls(
            cpus=ocpus * (1 if arm else _VCPUS_OF_OCPU),
            memory_bytes=memory * _GIGABYTE,
            disk_bytes=infrastructure.get("blockStorageSizeInGBs", 50) * _GIGABYTE,
        )


class Metering:
    """Measures runs while they run.

    Values are percent of what the run's shape has, whatever this machine has; those of a
    multi-node run are the mean of its nodes.
    """

    def __init__(self, foundation: Foundation, store: MetricStore) -> None:
        self._foundation = foundation
        self._store = store

    async def follow(self, run: Resource, nodes: Sequence[Metered]) -> None:
        """Measure until canceled."""
        machines = [_Machine.of(node.infrastructure) for node in nodes]
        clock = self._foundation.clock
        used = await asyncio.to_thread(_cpu_seconds, nodes)
        since = clock.now()
        while True:
            await clock.sleep(self._foundation.lags.metrics)
            measured = await asyncio.to_thread(_measure, nodes)
            now = clock.now()
            seconds = max(now - since, 1e-3)
            shares = [
                (
                    (use.cpu_seconds - before) / seconds / machine.cpus,
                    use.memory_bytes / machine.memory_bytes,
                    disk / machine.disk_bytes,
                )
                for (use, disk), before, machine in zip(measured, used, machines, strict=True)
            ]
            self._write(run, shares, now)
            used = [use.cpu_seconds for use, _ in measured]
            since = now

    def _write(
        self, run: Resource, shares: Sequence[tuple[float, float, float]], now: float
    ) -> None:
        names = ("CpuUtilization", "MemoryUtilization", "DiskUtilization")
        for name, values in zip(names, zip(*shares, strict=True), strict=True):
            share = min(max(sum(values) / len(values), 0.0), 1.0)
            stream = Stream(
                compartment=run.compartment,
                namespace=NAMESPACE,
                name=name,
                dimensions={"resourceId": run.id},
                metadata={"unit": "percent"},
            )
            self._store.add(stream, [Point(now, share * _WHOLE)], now=now)
        self._foundation.database.commit()


def _cpu_seconds(nodes: Sequence[Metered]) -> list[float]:
    return [usage.of_processes(node.variable).cpu_seconds for node in nodes]


def _measure(nodes: Sequence[Metered]) -> list[tuple[usage.Usage, int]]:
    return [
        (usage.of_processes(node.variable), usage.of_directories([node.directory]))
        for node in nodes
    ]
