"""What a run of Spark asks its queue for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ocijobs.api.kueue import LABEL_SHAPE
from ocijobs.api.run.settings import RunSettings, RunSpark
from ocijobs.backends.data_flow.backend import DATA_FLOW
from ocijobs.backends.names import NO_NAMES
from ocijobs.reconcile.run.pod_sets import request_of
from ocijobs.testing import REGION, make_run, make_spark_job

E4 = "VM.Standard.E4.Flex"
SMALL, LARGE = {"cpu": "1", "memory": "16Gi"}, {"cpu": "2", "memory": "32Gi"}
FLEX = {"ocpus": 2, "memory_in_gbs": 32}


def asked(spark: dict[str, Any] | None = None, **data_flow: Any) -> list[tuple[Any, ...]]:
    """Return what a run asks its queue for: name, count, shape and requests of each set of pods."""
    spec = make_spark_job(data_flow=data_flow).spec
    template = DATA_FLOW.template(spec, region=REGION, artifact=None, names=NO_NAMES)
    ours = RunSettings(spark=RunSpark.model_validate(spark) if spark else None)
    request = request_of(make_run(), "queue", DATA_FLOW.pod_sets(template, ours))
    pod_sets: tuple[Mapping[str, Any], ...] = request.pod_sets
    return [
        (
            each["name"],
            each["count"],
            each["template"]["spec"]["nodeSelector"][LABEL_SHAPE],
            each["template"]["spec"]["containers"][0].get("resources", {}).get("requests", {}),
        )
        for each in pod_sets
    ]


def test_a_queue_counts_the_driver_and_its_executors() -> None:
    assert asked(num_executors=3) == [("driver", 1, E4, SMALL), ("executor", 3, E4, SMALL)]


def test_executors_that_come_and_go_count_as_many_as_there_are_at_first() -> None:
    found = asked(num_executors=2, dynamic_allocation={"min_executors": 1, "max_executors": 9})
    assert found == [("driver", 1, E4, SMALL), ("executor", 2, E4, SMALL)]


def test_a_run_s_own_machines_count_instead_of_the_job_s() -> None:
    ours = {"executor_shape": E4, "executor_shape_config": FLEX, "num_executors": 5}
    assert asked(ours) == [("driver", 1, E4, SMALL), ("executor", 5, E4, LARGE)]


def test_machines_of_fixed_shapes_count_by_their_shape_alone() -> None:
    fixed: dict[str, Any] = {"driver_shape": "VM.Standard2.1", "driver_shape_config": None}
    found = asked(**fixed)
    assert found == [("driver", 1, "VM.Standard2.1", {}), ("executor", 1, "VM.Standard2.1", {})]
