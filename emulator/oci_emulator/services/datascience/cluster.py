"""The processes of one run, one on each of its nodes."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.running.process import Process, kill_earlier
from oci_emulator.services.datascience.node_groups import Node


@dataclass(frozen=True, slots=True)
class _Member:
    node: Node
    process: Process


class Cluster:
    """The nodes of a run that are up.

    Attributes:
        failed: the groups of which so many nodes failed that the run has.
    """

    def __init__(self) -> None:
        self._members: list[_Member] = []
        self.failed: set[str] = set()

    def add(self, node: Node, process: Process) -> None:
        """Take up a node's process."""
        self._members.append(_Member(node, process))

    @property
    def processes(self) -> list[Process]:
        """The processes, by the ranks of their nodes."""
        return [member.process for member in self._members]

    def stop(self, grace: float) -> None:
        """Ask all processes to end, and kill them after the grace."""
        for process in self.processes:
            process.stop(grace)

    def kill(self) -> None:
        """Kill all processes."""
        for process in self.processes:
            process.kill()

    async def wait(self, grace: float) -> int:
        """Wait until all nodes have ended; the exit code of the run, or minus its signal.

        It is the code of the node by whose failure a group fell below the number of nodes that
        must succeed; the others are stopped then. 0 if no group did.
        """
        waits = {asyncio.create_task(each.process.wait()): each for each in self._members}
        failures: Counter[str] = Counter()
        decisive = 0
        try:
            while waits:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for ended in done:
                    group = waits.pop(ended).node.group
                    failures[group.name] += ended.result() != 0
                    if group.replicas - failures[group.name] < group.minimum:
                        self.failed.add(group.name)
                    if self.failed and not decisive:
                        decisive = ended.result()
                        self.stop(grace)
        finally:
            for left in waits:
                left.cancel()
        return decisive

    def as_json(self) -> list[JsonObject]:
        """What is needed to end the processes if the emulator is killed."""
        return [
            {"pid": each.pid, "start": each.mark, "variable": each.variable}
            for each in self.processes
        ]


def kill_left(processes: list[JsonObject]) -> None:
    """Kill what is left of the processes of an earlier emulator."""
    for each in processes:
        kill_earlier(each["pid"], each["start"], each["variable"])
