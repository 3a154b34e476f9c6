"""What the operator does is in its log, with the object that it does it for."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import phase

from ocijobs.log_fields import about, log_fields
from ocijobs.telemetry.logs import formatter

pytestmark = pytest.mark.asyncio

SUBJECT = ("kind", "namespace", "object_name", "uid")


def lines(caplog: pytest.LogCaptureFixture, level: int, name: str) -> list[Any]:
    """Return what was logged at a level about an object."""
    return [
        record
        for record in caplog.records
        if record.levelno == level and getattr(record, "object_name", None) == name
    ]


async def test_a_plain_life_of_a_run_is_one_line_for_each_change(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ocijobs")
    world.stage.emulator.set_mode(default={"accepted": 30, "inProgress": 60})
    world.stage.identity()
    world.create(manifests.job())
    await world.until_synced("job")
    # The API server's clock is behind then, and the run is not too young to be launched.
    await world.pass_time(hours=1)
    world.create(manifests.run())
    ended = await world.until_ended("run")
    await world.pass_time(hours=1)
    assert phase(ended) == "Succeeded"
    told = lines(caplog, logging.INFO, "run")
    assert [(one.phase, one.reason, one.attempt) for one in told] == [
        ("Pending", "Submitting", 0),
        ("Accepted", "Accepted", 0),
        ("Running", "Running", 0),
        ("Succeeded", "Succeeded", 0),
    ]
    meta = ended["metadata"]
    wanted = ("OCIJobRun", meta["namespace"], "run", meta["uid"])
    assert {tuple(getattr(one, name) for name in SUBJECT) for one in told} == {wanted}
    decided = [one for one in lines(caplog, logging.DEBUG, "run") if one.message == "decided"]
    assert {tuple(getattr(one, name) for name in SUBJECT) for one in decided} == {wanted}
    actions = [action for one in decided for action in one.actions]
    assert actions.count("CreateRun") == 1
    assert {"AddFinalizer", "RemoveFinalizer"} <= set(actions)
    assert any(getattr(one, "wake_at", None) for one in decided)


async def test_a_refusal_of_oci_names_whom_it_is_about(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ocijobs")
    world.stage.emulator.set_mode(default={"accepted": 30, "inProgress": 60})
    world.stage.identity()
    world.create(manifests.job())
    await world.until_synced("job")
    fault = world.stage.emulator.add_fault("CreateJobRun", status=400, code="LimitExceeded")
    world.create(manifests.run())
    await world.until_reason("OCIJobRun", "run", "QuotaExceeded")
    (refused,) = [one for one in lines(caplog, logging.INFO, "run") if hasattr(one, "operation")]
    run, job = world.stage.get("OCIJobRun", "run"), world.stage.get("OCIJob", "job")
    assert (refused.operation, refused.status, refused.attempt) == ("CreateJobRun", 400, 0)
    assert refused.uid == run["metadata"]["uid"]
    assert refused.ocid == job["status"]["jobId"]
    assert refused.principal.startswith(f"{run['metadata']['namespace']}/default in ")
    assert refused.request
    world.stage.emulator.remove_fault(fault)
    await world.until_ended("run")


async def test_lines_are_json_with_the_objects_name() -> None:
    with about(kind="OCIJobRun", namespace="team-a", name="run", attempt=None):
        record = logging.getLogger("ocijobs.x").makeRecord(
            "ocijobs.x", logging.INFO, "x.py", 1, "hello", (), None, extra=log_fields(reason="Why")
        )
    line = json.loads(formatter().format(record))
    assert line.pop("time")
    assert line == {
        "level": "INFO",
        "logger": "ocijobs.x",
        "message": "hello",
        "kind": "OCIJobRun",
        "namespace": "team-a",
        "name": "run",
        "reason": "Why",
    }
