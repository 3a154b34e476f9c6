"""What nobody foresaw is told where it happens, tried again later and later, and over when it works again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import Document, condition, is_synced, phase

from ocijobs.cloud.data_science import DataScience
from ocijobs.cloud.log_search import LogSearch
from ocijobs.controller.observer import Observer
from ocijobs.controller.staging import Staging

pytestmark = pytest.mark.asyncio


class UnforeseenError(Exception):
    """What nobody foresaw, with a text that nobody is to read."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__("hunter2")


class Trouble:
    """Something of the operator that fails for as long as the test says, for all objects or for one."""

    def __init__(self, patch: pytest.MonkeyPatch, where: Any, name: str, of: str = "") -> None:
        self.on, self.tries = True, 0
        inner: Callable[..., Any] = getattr(where, name)

        def broken(*args: Any, **kwargs: Any) -> Any:
            if self.on and of in str(args[1:]):
                self.tries += 1
                raise UnforeseenError
            return inner(*args, **kwargs)

        patch.setattr(where, name, broken)


def archive(*names: str) -> bytes:
    """Return a zip whose members have those names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, "print(1)\n")
    return content.getvalue()


def metric(world: World, name: str) -> float:
    """Return the sum of a counter."""
    registry = world.operator.metrics.registry
    return sum(
        sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    )


def told(document: Document) -> bool:
    """Whether an object says that it met with an error, and nothing of the error's text."""
    ready = condition(document, "Ready")
    if ready["reason"] != "InternalError":
        return False
    assert (ready["status"], "UnforeseenError" in ready["message"]) == ("False", True), ready
    assert "hunter2" not in str(document)
    assert ready["observedGeneration"] == document["metadata"]["generation"]
    return True


async def _prepare(world: World) -> None:
    world.stage.emulator.set_mode(default={"accepted": 5, "inProgress": 60})
    world.stage.identity()
    world.create(manifests.job())
    await world.until_synced("job")


@pytest.mark.parametrize(
    "names", [("main.py", "x" * 300), ("main.py", "d", "d/x")], ids=["long name", "file and folder"]
)
async def test_an_archive_that_can_not_be_unpacked_is_told_in_a_round_and_others_go_on(
    world: World, names: tuple[str, ...]
) -> None:
    await _prepare(world)
    bucket = world.stage.bucket("code")
    world.stage.put(f"{bucket}/poison.zip", archive(*names))
    source = {"objectStorage": {"uri": f"{bucket}/poison.zip"}}
    world.create(
        manifests.job("poison", runtime={"script": {"source": source, "entrypoint": "main.py"}}),
        manifests.run(),
    )
    await world.settle()
    ready = condition(world.stage.get("OCIJob", "poison"), "Ready")
    assert (ready["status"], ready["reason"]) != ("Unknown", "Pending")
    assert ready["status"] == "False"
    assert ready["reason"] in {"InternalError", "InvalidSpec"}
    assert phase(await world.until_ended("run")) == "Succeeded"
    # It is tried again, and taken as soon as it can be.
    world.stage.put(f"{bucket}/poison.zip", archive("main.py"))
    assert is_synced(await world.until_synced("poison"))


async def test_a_decision_that_fails_is_told_by_its_object_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _prepare(world)
    trouble = Trouble(monkeypatch, Observer, "run", of="name='broken'")
    world.create(manifests.run("broken"), manifests.run("well"))
    await world.settle()
    assert told(world.stage.get("OCIJobRun", "broken"))
    message = await world.operator.see(world.stage.until_event, "broken", "InternalError")
    assert "UnforeseenError" in message
    assert phase(await world.until_ended("well")) == "Succeeded"
    tries = trouble.tries
    await world.pass_time(minutes=30)
    # Later and later, up to a minute: neither never nor all the time.
    assert 25 <= trouble.tries - tries <= 70
    assert condition(world.stage.get("OCIJobRun", "broken"), "Stalled")["status"] == "True"
    assert metric(world, "ocijobs_internal_errors_total") == trouble.tries
    trouble.on = False
    ended = await world.until_ended("broken")
    assert phase(ended) == "Succeeded"
    assert condition(ended, "Ready")["reason"] == "Succeeded"


async def test_an_error_that_is_over_is_taken_back_where_nothing_else_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _prepare(world)
    trouble = Trouble(monkeypatch, Observer, "job", of="name='job'")
    world.stage.patch("OCIJob", "job", {"metadata": {"annotations": {"some": "thing"}}})
    await world.settle()
    assert told(world.stage.get("OCIJob", "job"))
    trouble.on = False
    back = await world.until_synced("job", within=timedelta(minutes=2))
    assert condition(back, "Reconciling")["status"] == "False"


async def test_a_paused_object_does_not_go_on_saying_that_an_error_is_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _prepare(world)
    trouble = Trouble(monkeypatch, Observer, "job", of="name='job'")
    pause = {"metadata": {"annotations": {"ocijobs.io/paused": "true"}}}
    world.stage.patch("OCIJob", "job", pause)
    await world.settle()
    assert told(world.stage.get("OCIJob", "job"))
    trouble.on = False
    await world.pass_time(minutes=2)
    assert condition(world.stage.get("OCIJob", "job"), "Ready")["reason"] != "InternalError"


async def test_a_broken_disk_is_told_by_the_job_and_is_over_when_it_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _prepare(world)
    broken = True
    receive = Staging.receive

    def receive_if_it_works(self: Staging, *args: Any) -> Any:
        if broken:
            raise OSError(5, "Input/output error", "a/secret/place")
        return receive(self, *args)

    monkeypatch.setattr(Staging, "receive", receive_if_it_works)
    world.create(manifests.job("second", files={"main.py": "print(2)\n"}))
    await world.settle()
    ready = condition(world.stage.get("OCIJob", "second"), "Ready")
    assert ready["status"] == "False"
    assert ready["reason"] == "SourceUnreachable"
    assert "Input/output error" in ready["message"]
    assert "secret" not in ready["message"]
    broken = False
    assert is_synced(await world.until_synced("second"))


async def test_a_poll_that_fails_is_told_by_its_runs_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _prepare(world)
    world.create(manifests.run())
    await world.until_phase("run", "Running")
    trouble = Trouble(monkeypatch, DataScience, "list_runs")
    run = await world.until("OCIJobRun", "run", told, within=timedelta(minutes=2))
    assert phase(run) == "Running"
    assert world.operator.running
    trouble.on = False
    assert phase(await world.until_ended("run")) == "Succeeded"


async def test_a_log_that_can_not_be_read_keeps_no_run_from_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_group = await world.log_group()
    world.stage.emulator.set_mode(default={"accepted": 5, "inProgress": 60})
    world.stage.identity(logGroupId=log_group)
    world.create(manifests.job())
    await world.until_synced("job")
    trouble = Trouble(monkeypatch, LogSearch, "lines")
    world.create(manifests.run())
    assert phase(await world.until_ended("run")) == "Succeeded"
    assert trouble.tries
    assert world.operator.running
    assert metric(world, "ocijobs_internal_errors_total") == trouble.tries


async def test_each_error_that_is_counted_has_its_line(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await _prepare(world)
    trouble = Trouble(monkeypatch, Observer, "run")
    world.create(manifests.run())
    await world.pass_time(minutes=5)
    lines = [one for one in caplog.records if getattr(one, "error", None) == "UnforeseenError"]
    assert len(lines) == trouble.tries
    assert {(one.kind, one.object_name) for one in lines} == {("OCIJobRun", "run")}  # type: ignore[attr-defined]
