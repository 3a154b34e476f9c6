"""No object is long without a status that says what is done about it, or what it waits for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition

from ocijobs.cloud.calls import Calls
from ocijobs.controller.sources import SourceReader

pytestmark = pytest.mark.asyncio

LONG = 300.0


class Late:
    """Something of the operator that takes minutes on its clock."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch, where: Any, name: str) -> None:
        self.held, self.seconds = 0, LONG
        inner, clock = getattr(where, name), world.clock

        async def late(*args: Any) -> Any:
            if self.seconds:
                self.held += 1
                try:
                    await clock.sleep(self.seconds)
                finally:
                    self.held -= 1
            return await inner(*args)

        patch.setattr(where, name, late)
        world.operator.held = lambda: self.held


def says(world: World, kind: str, name: str) -> str:
    """Return what an object says of itself: it has to be of its generation."""
    document = world.stage.get(kind, name)
    ready = condition(document, "Ready")
    assert ready.get("observedGeneration") == document["metadata"]["generation"], ready
    return str(ready["message"])


async def test_a_source_that_takes_long_to_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stage.identity()
    await world.settle()
    late = Late(world, monkeypatch, SourceReader, "read")
    source = {"objectStorage": {"uri": f"{world.stage.bucket('code')}/code.zip"}}
    world.create(
        manifests.job(runtime={"script": {"source": source, "entrypoint": "main.py"}}),
        manifests.run(),
    )
    await world.pass_time(seconds=10)
    assert says(world, "OCIJob", "job") == "its source is being read"
    assert "OCIJob job" in says(world, "OCIJobRun", "run")
    late.seconds = 0
    await world.until_reason("OCIJob", "job", "WaitingForSource")


async def test_an_answer_of_oci_that_takes_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Late(world, monkeypatch, Calls, "_send")
    world.stage.identity()
    world.create(manifests.job(), manifests.run())
    await world.pass_time(seconds=20)
    asked = "OCI is asked whether it accepts the credentials"
    assert says(world, "OCIIdentity", "default") == asked
    assert says(world, "OCIJob", "job") == "its OCIIdentity is being read and verified"
    assert says(world, "OCIJobRun", "run")
    late.seconds = 0
    await world.until_synced("job")


async def test_an_object_that_is_paused_from_its_beginning(world: World) -> None:
    world.stage.identity()
    paused = manifests.job()
    paused["metadata"]["annotations"] = {"ocijobs.io/paused": "true"}
    world.create(paused)
    await world.pass_time(seconds=10)
    assert "paused" in says(world, "OCIJob", "job")
    writes = world.operator.writes
    await world.pass_time(hours=1)
    # The identity's own look at its Secret writes nothing.
    assert world.operator.writes == writes


async def test_what_is_over_in_a_moment_is_not_told(world: World) -> None:
    world.stage.emulator.set_mode(default={"accepted": 5, "inProgress": 60})
    world.stage.identity()
    await world.settle()
    writes = world.operator.writes
    world.create(manifests.job())
    await world.until_synced("job")
    # The finalizer, the intent, the OCI job, the code that is in it.
    assert world.operator.writes - writes <= 4
