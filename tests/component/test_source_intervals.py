"""Sources that are looked at again and again: what is new becomes a revision, and what is gone harms nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.component.world import World
from tests.support import manifests
from tests.support.artifacts import code
from tests.support.git_server import served_repository
from tests.support.namespace import Document, condition

pytestmark = pytest.mark.asyncio

FILES = {"main.py": "print(1)\n", "lib/tools.py": "X = 1\n"}
INTERVAL = timedelta(minutes=10)


@pytest_asyncio.fixture
async def reading(world: World) -> World:
    """A world whose operator reads sources of this machine, at the interval that it has by default."""
    await world.restart(source_denied_networks="169.254.0.0/16")
    world.stage.identity()
    return world


def job(**source: Any) -> Document:
    return manifests.job(runtime={"script": {"source": source, "entrypoint": "main.py"}})


async def at_version(world: World, version: str) -> Document:
    """Let time pass until the job is synced at a version of its source: two intervals are enough."""
    return await world.until(
        "OCIJob",
        "job",
        lambda o: (
            condition(o, "Ready")["reason"] == "Synced"
            and o["status"].get("source", {}).get("version") == version
        ),
        within=2 * INTERVAL,
    )


async def test_each_commit_that_changes_the_code_makes_a_revision(
    reading: World, tmp_path: Path
) -> None:
    world, stage = reading, reading.stage
    with served_repository(tmp_path / "git", password="opensesame") as repository:
        first = repository.commit({f"src/{name}": text for name, text in FILES.items()})
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "git"},
            "stringData": {"username": "git", "password": "opensesame"},
        }
        source = {"url": repository.url, "ref": {"branch": "main"}, "path": "src"}
        stage.apply(job(gitRepository=source))
        told = await world.until_reason("OCIJob", "job", "WaitingForSource")
        assert "git ls-remote: " in condition(told, "Ready")["message"]
        stage.apply(secret, job(gitRepository=source | {"secretRef": {"name": "git"}}))
        found = await at_version(world, first)
        assert code(stage, found) == FILES
        # A commit that leaves the code alone makes none.
        second = repository.commit({"README.md": "Nothing new"})
        same = await at_version(world, second)
        assert same["status"]["revision"] == found["status"]["revision"]
        third = repository.commit({"src/main.py": "print(3)\n"})
        newer = await at_version(world, third)
        assert newer["status"]["revision"] != found["status"]["revision"]
        assert code(stage, newer)["main.py"] == "print(3)\n"
        # Whoever doesn't want to wait asks, as Flux's and Argo CD's users do.
        fourth = repository.commit({"README.md": "Nothing new either"})
        asked = {"metadata": {"annotations": {"ocijobs.io/requestedAt": "now"}}}
        stage.patch("OCIJob", "job", asked)
        await world.settle()
        assert stage.get("OCIJob", "job")["status"]["source"]["version"] == fourth
        repository.tag("v1")
        tagged = source | {"secretRef": {"name": "git"}, "ref": {"tag": "v1"}}
        stage.apply(job(gitRepository=tagged))
        revision = (await world.until_synced("job"))["status"]["revision"]
        assert revision == newer["status"]["revision"]
        fixed = source | {"secretRef": {"name": "git"}, "ref": {"commit": first}}
        stage.apply(job(gitRepository=fixed))
        back = await world.until_synced("job")
        assert back["status"]["jobId"] == found["status"]["jobId"]
    assert len(stage.emulator.journal("CreateJob", status=200)) == 2


async def test_while_a_repository_can_not_be_reached_the_current_revision_serves(
    reading: World, tmp_path: Path
) -> None:
    world, stage = reading, reading.stage
    with served_repository(tmp_path / "git") as repository:
        version = repository.commit(FILES)
        stage.apply(job(gitRepository={"url": repository.url}))
        found = await at_version(world, version)
    told = await world.until_reason("OCIJob", "job", "SourceUnreachable", within=2 * INTERVAL)
    ready = condition(told, "Ready")
    assert ready["status"] == "True"
    assert f"revision {found['status']['revision']} goes on serving" in ready["message"]
    await world.operator.see(stage.until_event, "job", "SourceUnreachable")
    world.create(manifests.run())
    ended = await world.until_ended("run")
    assert ended["status"]["revision"] == found["status"]["revision"]


async def test_a_branch_that_is_gone_is_told_and_the_current_revision_serves(
    reading: World, tmp_path: Path
) -> None:
    world, stage = reading, reading.stage
    with served_repository(tmp_path / "git") as repository:
        version = repository.commit(FILES, branch="topic")
        stage.apply(job(gitRepository={"url": repository.url, "ref": {"branch": "topic"}}))
        found = await at_version(world, version)
        repository.remove_branch("topic")
        # A launch looks at once, whatever the interval is.
        world.create(manifests.run())
        ended = await world.until_ended("run", within=INTERVAL / 2)
        assert ended["status"]["revision"] == found["status"]["revision"]
        told = condition(stage.get("OCIJob", "job"), "Ready")
    assert (told["status"], told["reason"]) == ("True", "SourceUnreachable")
    assert "has no branch topic" in told["message"]
