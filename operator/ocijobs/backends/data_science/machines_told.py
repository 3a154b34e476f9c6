"""What people, and Kueue, are told of the machines of a run on Data Science."""

from __future__ import annotations

import re

from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.backends.backend import MachinesTold
from ocijobs.backends.data_science.compute import machine, node_machine
from ocijobs.backends.data_science.machines import Compute, ComputeCluster, NodeMachine
from ocijobs.backends.data_science.workload import groups_of, machines
from ocijobs.backends.pod_sets import PodSet


def machines_told(template: RunTemplate, settings: RunSettings) -> MachinesTold:
    """Return the machine of a run, or of its first group of nodes."""
    given, groups = machines(template, settings), groups_of(template)
    if given is None:
        return {}
    first = node_machine(given, groups[0]) if groups else machine(given)
    if isinstance(first, ComputeCluster):
        return {"compute_target_id": first.target.compute_target_id}
    nodes = sum(group.replicas for group in groups)
    return {
        "shape_name": first.shape_name,
        "ocpus": first.size.ocpus if first.size else None,
        "memory_in_gbs": first.size.memory_in_gbs if first.size else None,
        "block_storage_size_in_gbs": first.block_storage_size_in_gbs,
        "nodes": nodes or None,
    }


def pod_sets(template: RunTemplate, settings: RunSettings) -> tuple[PodSet, ...]:
    """Return the sets of pods: one for each group of nodes, or `main` for one machine."""
    given, groups = machines(template, settings), groups_of(template)
    if given is None:
        return (PodSet(name="main"),)
    if groups:
        return tuple(
            _pod_set(_set_name(group.name, index), group.replicas, node_machine(given, group))
            for index, group in enumerate(groups)
        )
    single = machine(given)
    if isinstance(single, ComputeCluster):
        return (PodSet(name="main"),)
    return (_pod_set("main", 1, single),)


def _set_name(group: str, index: int) -> str:
    """Return a DNS label for a group; those of two groups differ by their index."""
    return f"{re.sub('[^a-z0-9]', '-', group.lower())[:56].rstrip('-')}-{index}"


def _pod_set(name: str, count: int, node: Compute | NodeMachine) -> PodSet:
    return PodSet(
        name=name,
        count=count,
        shape=node.shape_name,
        ocpus=node.size.ocpus if node.size else None,
        memory_in_gbs=node.size.memory_in_gbs if node.size else None,
    )
