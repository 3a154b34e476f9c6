"""What people, and Kueue, are told of the driver and the executors of a run on Data Flow."""

from __future__ import annotations

from ocijobs.api.job.machines.data_flow import ShapeConfig
from ocijobs.api.run.binding import BoundApplication
from ocijobs.api.run.settings import RunSpark
from ocijobs.backends.backend import MachinesTold
from ocijobs.backends.pod_sets import PodSet


def machines_told(application: BoundApplication, ours: RunSpark) -> MachinesTold:
    """Return the driver, which stands for its executors."""
    shape, size = _driver(application, ours)
    return {
        "shape_name": shape,
        "ocpus": size.ocpus if size is not None else None,
        "memory_in_gbs": size.memory_in_gbs if size is not None else None,
        "nodes": 1 + (ours.num_executors or application.num_executors),
    }


def pod_sets(application: BoundApplication, ours: RunSpark) -> tuple[PodSet, ...]:
    """Return the driver and the executors; those that come and go count as many as there are at first."""
    executors = ours.num_executors or application.num_executors
    return (
        _pod_set("driver", 1, *_driver(application, ours)),
        _pod_set("executor", executors, *_executor(application, ours)),
    )


def _driver(application: BoundApplication, ours: RunSpark) -> tuple[str, ShapeConfig | None]:
    if ours.driver_shape is not None:
        return ours.driver_shape, ours.driver_shape_config
    return application.driver_shape, application.driver_shape_config


def _executor(application: BoundApplication, ours: RunSpark) -> tuple[str, ShapeConfig | None]:
    if ours.executor_shape is not None:
        return ours.executor_shape, ours.executor_shape_config
    return application.executor_shape, application.executor_shape_config


def _pod_set(name: str, count: int, shape: str, size: ShapeConfig | None) -> PodSet:
    return PodSet(
        name=name,
        count=count,
        shape=shape,
        ocpus=size.ocpus if size is not None else None,
        memory_in_gbs=size.memory_in_gbs if size is not None else None,
    )
