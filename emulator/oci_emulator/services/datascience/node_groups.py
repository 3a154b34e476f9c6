"""The nodes of a run: the groups of a multi-node job, or the one node of any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Any

from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.running.probe import Probe
from oci_emulator.services.datascience.configuration import Effective

_FIRST_ADDRESS = IPv4Address("127.0.0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroup:
    """Nodes with the same settings.

    Attributes:
        name: empty for the one node of a run that has no groups.
        replicas: how many nodes.
        minimum: how many of them must succeed.
    """

    name: str = ""
    replicas: int = 1
    minimum: int = 1
    settings: Effective


@dataclass(frozen=True, slots=True)
class Node:
    """One node.

    Attributes:
        rank: counted from 0 through all groups.
    """

    rank: int
    group: NodeGroup
    groups: Sequence[NodeGroup]

    @property
    def address(self) -> str:
        """Its own address on the loopback network: nodes may listen on the same port."""
        return str(_FIRST_ADDRESS + self.rank)

    @property
    def siblings(self) -> "Sequence[Node]":
        """All nodes of the run, itself among them."""
        return nodes_of(self.groups)


def groups_of(settings: Effective) -> Sequence[NodeGroup]:
    """The node groups of a run, in the order in which they are listed."""
    listed: list[JsonObject] = settings.nodes.get("jobNodeGroupConfigurationDetailsList", [])
    if not listed:
        return [NodeGroup(settings=settings)]
    return [_group(settings, group) for group in listed]


def _group(settings: Effective, details: JsonObject) -> NodeGroup:
    replicas: int = details.get("replicas", 1)
    return NodeGroup(
        name=details["name"],
        replicas=replicas,
        minimum=details.get("minimumSuccessReplicas", replicas),
        settings=_of_group(settings, details),
    )


def _of_group(settings: Effective, group: Mapping[str, Any]) -> Effective:
    configuration = group.get("jobConfigurationDetails", {})
    return replace(
        settings,
        probe=Probe.of(configuration),
        environment=configuration.get("environmentVariables", {}),
        arguments=configuration.get("commandLineArguments", ""),
        infrastructure=group.get("jobInfrastructureConfigurationDetails", {}),
        container=group.get("jobEnvironmentConfigurationDetails", {}),
    )


def nodes_of(groups: Sequence[NodeGroup]) -> Sequence[Node]:
    """The nodes of all groups, by rank."""
    of_group = [group for group in groups for _ in range(group.replicas)]
    return [Node(rank, group, groups) for rank, group in enumerate(of_group)]
