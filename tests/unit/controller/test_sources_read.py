"""What the fetcher is asked for a job's code, from each kind of source, and in words why it can't be had."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ocijobs.api.run.observed import OutputList
from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.backends.values import ValueKey
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.credentials import IdentityKey
from ocijobs.cloud.object_storage import SignedRequest, StoredObject
from ocijobs.controller.entry import Entry
from ocijobs.controller.fetcher_client import Receive
from ocijobs.controller.memory import Memory
from ocijobs.controller.origins import Means
from ocijobs.controller.run_actions import RunActions
from ocijobs.controller.sources import Reading, SourceReader
from ocijobs.controller.staging import Quota, Staging
from ocijobs.fetcher.protocol import (
    FetchAnswer,
    FetchedArtifact,
    FetchRefusal,
    FetchRequest,
    GitCommit,
    GivenFiles,
    Limits,
    StoredObjects,
    WebFile,
)
from ocijobs.fetcher.protocol import RefusalKind as FetchRefusalKind
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ConfigData, FluxArtifact
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.jobs import ReadSources, ServedSource
from ocijobs.reconcile.actions.runs import ListOutputs, ReadResults, ReadRunLogs, ReadValues
from ocijobs.reconcile.known.sources import SourceNamed, SourcesRead
from ocijobs.testing import NAMESPACE, ManualClock, make_caller, make_job, make_metadata, make_run

pytestmark = pytest.mark.asyncio

CODE = b"print('hello')"
SHA = hashlib.sha256(CODE).hexdigest()
COMMIT = "c" * 40
PRINCIPAL = Principal(
    identity=IdentityKey(kind="OCIIdentity", namespace=NAMESPACE, name="default"),
    region="us-ashburn-1",
)
BUCKET = "oci://code@team"
UNAVAILABLE = Refusal(kind=RefusalKind.UNAVAILABLE, message="timed out")
NOT_FOUND = Refusal(kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, message="no policy")
LIMITS = Limits(seconds=1, cpu_seconds=1, memory_bytes=1, artifact_bytes=1000, files=3)
ARTIFACT = FetchedArtifact(name="job.zip", sha256=SHA, size=len(CODE))
BUILT = FetchAnswer(digest="d", artifact=ARTIFACT)


def config(kind: str = "ConfigMap", **data: bytes) -> ConfigData:
    return ConfigData(kind=kind, name="code", uid="uid-1", resource_version="7", data=data)


class World:
    """What sources are read from, as the test says that it is."""

    def __init__(self) -> None:
        self.objects: dict[str, ConfigData | None] = {}
        self.failure: Exception | None = None
        self.flux: FluxArtifact | None = None
        self.listed: tuple[StoredObject, ...] | Refusal = ()
        self.signed: Refusal | None = None
        self.lists = 0
        self.regions: set[str] = set()
        self.asked: list[str] = []
        self.requests: list[FetchRequest] = []
        self.answer = BUILT
        self.left: Mapping[str, str] = {}
        self.outputs = OutputList(count=0)
        self.read_logs: Refusal | None = None

    # The cluster.

    async def secret(self, _namespace: str, name: str) -> ConfigData | None:
        """Read a Secret."""
        return await self.config_map(_namespace, name)

    async def config_map(self, _namespace: str, name: str) -> ConfigData | None:
        """Read a ConfigMap."""
        self.asked.append(name)
        if self.failure is not None:
            raise self.failure
        return self.objects.get(name)

    async def flux_artifact(self, *_: str) -> FluxArtifact | None:
        """Read a source of Flux."""
        return self.flux

    # Object Storage.

    async def stored(
        self, principal: Principal, _uri: str, *, most: int
    ) -> tuple[StoredObject, ...] | Refusal:
        """List objects."""
        assert most == LIMITS.files
        self.lists += 1
        self.regions.add(principal.region)
        return self.listed

    async def signed_(self, stored: Sequence[StoredObject]) -> tuple[SignedRequest, ...] | Refusal:
        """Sign requests."""
        if self.signed is not None:
            return self.signed
        return tuple(SignedRequest(url=f"https://oci/{s.name}", headers={"a": "b"}) for s in stored)

    async def results(self, *_: str) -> Mapping[str, str]:
        """Return what a driver has written."""
        return self.left

    async def list_outputs(self, *_: str) -> OutputList:
        """Return what is under an address."""
        return self.outputs

    async def read(self, *_: str, results: bool) -> Refusal | None:
        """Return what Data Flow keeps of a run's output."""
        del results
        return self.read_logs

    # The fetcher.

    async def fetch(self, request: FetchRequest, receive: Receive) -> FetchAnswer:
        """Answer as the test says."""
        self.requests.append(request)
        if isinstance(request.origin, GitCommit) and request.origin.commit is None:
            answer = self.answer.model_copy(update={"artifact": None, "commit": COMMIT})
        else:
            answer = self.answer
        if answer.artifact is not None:
            with receive(answer.artifact) as arrival:
                arrival.write(CODE)
        return answer

    @property
    def origin(self) -> Any:
        """Where the fetcher was told last that the files are."""
        return self.requests[-1].origin


class _Storage:
    def __init__(self, world: World) -> None:
        self._world = world
        self.stored = world.stored

    async def signed(
        self, _principal: Principal, _uri: str, stored: Sequence[StoredObject]
    ) -> tuple[SignedRequest, ...] | Refusal:
        return await self._world.signed_(stored)


@pytest.fixture
def world() -> World:
    return World()


class Reader:
    """A reader of one job's sources: the version is asked for first, and what it names is read then."""

    def __init__(self, world: World, folder: Path) -> None:
        each = cast("Any", world)
        means = Means(
            reader=each,
            storage=cast("Any", _Storage(world)),
            limit_bytes=LIMITS.artifact_bytes,
            limit_files=LIMITS.files,
        )
        self.staging = Staging(folder, Quota(total_bytes=1000, namespace_bytes=500))
        self._reader = SourceReader(means, each, LIMITS, self.staging, ManualClock())

    async def step(
        self,
        source: dict[str, Any] | None,
        served: ServedSource | None = None,
        version: str | None = None,
        **variant: Any,
    ) -> Reading:
        """Do one reading, as it is decided."""
        given = {"source": source, **variant} if source is not None else None
        job = make_job(runtime={"script": given} if given is not None else None)
        entry = Entry(key=job_key(), metadata=make_metadata("job"), resource=job)
        action = ReadSources(
            spec=job.spec, caller=make_caller(), served=served, epoch="e", version=version
        )
        return await self._reader.read(entry, action, PRINCIPAL)

    async def __call__(
        self, source: dict[str, Any] | None, served: ServedSource | None = None, **variant: Any
    ) -> SourcesRead | Refusal:
        found = await self.step(source, served, **variant)
        if isinstance(found, SourceNamed):
            found = await self.step(source, served, found.version, **variant)
        assert not isinstance(found, SourceNamed)
        return found

    async def words(self, source: dict[str, Any], **variant: Any) -> str:
        """Return what is missing or wrong, or why the source can't be reached."""
        read = await self(source, **variant)
        if isinstance(read, Refusal):
            return read.message
        return read.missing or read.invalid or ""


def job_key() -> ObjectKey:
    return ObjectKey("OCIJob", NAMESPACE, "job")


@pytest.fixture
def read(world: World, tmp_path: Path) -> Reader:
    return Reader(world, tmp_path / "staging")


WHERE = "spec.runtime.script.source: "


async def test_a_job_without_a_runtime_has_no_code(world: World, read: Reader) -> None:
    world.answer = FetchAnswer(digest="d")
    found = await read(None)
    assert isinstance(found, SourcesRead)
    assert (found.artifact, found.version, world.origin.files) == (None, "", {})


async def test_files_of_a_config_map_are_the_code(world: World, read: Reader) -> None:
    source = {"config_map": {"name": "code"}}
    assert await read.words(source) == f"{WHERE}there is no ConfigMap code"
    world.objects["code"] = replace(config(), data={"main.py": CODE})
    found = await read(source)
    assert isinstance(found, SourcesRead)
    assert found.artifact is not None
    assert world.origin == GivenFiles(files={"main.py": CODE})
    await read({"inline": {"main.py": CODE.decode()}})
    assert world.origin == GivenFiles(files={"main.py": CODE})
    keyed = {"config_map": {"name": "code", "keys": ["other.py"]}}
    assert await read.words(keyed) == f"{WHERE}ConfigMap code has no key other.py"
    world.failure = ApiError(503, "ServiceUnavailable", "later")
    refused = await read(source)
    assert isinstance(refused, Refusal)
    assert refused.kind is RefusalKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FetchRefusalKind.UNREACHABLE, RefusalKind.UNAVAILABLE),
        (FetchRefusalKind.LIMIT, RefusalKind.DIED),
        (FetchRefusalKind.DIED, RefusalKind.DIED),
        (FetchRefusalKind.FULL, RefusalKind.NO_ROOM),
    ],
)
async def test_a_refusal_that_says_nothing_of_the_source_is_none_of_the_spec(
    world: World, read: Reader, kind: FetchRefusalKind, expected: RefusalKind
) -> None:
    world.answer = FetchAnswer(refusal=FetchRefusal(kind=kind, message="why"))
    found = await read({"inline": {"main.py": ""}})
    assert found == Refusal(kind=expected, message="why")


async def test_a_refusal_of_the_code_is_one_of_the_spec(world: World, read: Reader) -> None:
    source = {"inline": {"main.py": ""}}
    for kind in (FetchRefusalKind.MISSING, FetchRefusalKind.INVALID):
        world.answer = FetchAnswer(refusal=FetchRefusal(kind=kind, message="why"))
        found = await read(source)
        assert isinstance(found, SourcesRead)
        assert (found.missing, found.invalid) == (
            ("why", None) if kind is FetchRefusalKind.MISSING else (None, "why")
        )


async def test_an_artifact_for_which_there_is_no_room_is_told(world: World, read: Reader) -> None:
    world.answer = FetchAnswer(
        digest="d", artifact=FetchedArtifact(name="job.zip", sha256=SHA, size=501)
    )
    found = await read({"inline": {"main.py": ""}})
    assert isinstance(found, Refusal)
    assert found.kind is RefusalKind.NO_ROOM
    assert found.message.startswith(f"{WHERE}0 bytes of artifacts of namespace {NAMESPACE} wait")


async def test_trouble_of_the_operator_s_own_machine_is_told_too(
    world: World, read: Reader, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "staging")
    found = await read({"inline": {"main.py": ""}})
    assert found == Refusal(
        kind=RefusalKind.UNAVAILABLE, message=f"{WHERE}No such file or directory"
    )
    assert len(world.requests) == 1


async def test_a_source_at_the_version_that_serves_is_not_read_again(
    world: World, read: Reader
) -> None:
    source = {"git_repository": {"url": "https://git.example/code.git"}}
    first = await read(source)
    assert isinstance(first, SourcesRead)
    assert (first.version, len(world.requests)) == (COMMIT, 2)
    served = ServedSource(version=COMMIT, digest="d", artifact=first.artifact)
    assert await read(source, served) == first
    assert [request.origin.commit for request in world.requests[2:]] == [None]  # type: ignore[union-attr]
    bare = await read(source, ServedSource(version=COMMIT, digest="d", artifact=None))
    assert isinstance(bare, SourcesRead)
    assert bare.artifact is None


async def test_what_is_wrong_is_told_with_its_version_unless_that_may_become_right(
    world: World, read: Reader
) -> None:
    refusal = FetchRefusal(kind=FetchRefusalKind.INVALID, message="wrong")
    world.answer = FetchAnswer(refusal=refusal)
    wrong = await read.step(
        {"git_repository": {"url": "https://git.example/code.git"}}, version=COMMIT
    )
    assert isinstance(wrong, SourcesRead)
    assert (wrong.version, wrong.invalid) == (COMMIT, "wrong")
    http = {"http": {"url": "https://example.com/main.py", "sha256": SHA}}
    other = await read(http)
    assert isinstance(other, SourcesRead)
    assert (other.version, other.invalid) == ("", "wrong")


# The web.


@pytest.mark.parametrize(
    ("secret", "header"),
    [
        ({"bearerToken": b"token\n"}, "Bearer token"),
        ({"username": b"user", "password": b"word\n"}, "Basic dXNlcjp3b3Jk"),
    ],
)
async def test_a_file_from_the_web_is_fetched_as_whom_its_secret_says(
    world: World, read: Reader, secret: dict[str, bytes], header: str
) -> None:
    http = {"url": "https://example.com/main.py", "sha256": SHA}
    found = await read({"http": http})
    assert isinstance(found, SourcesRead)
    assert found.version == f"sha256:{SHA}"
    assert world.origin == WebFile(url=http["url"], name="main.py", sha256=SHA)
    known = {"http": {**http, "secret_ref": {"name": "key"}}}
    assert await read.words(known) == f"{WHERE}there is no Secret key"
    world.objects["key"] = config("Secret", **secret)
    await read(known)
    assert world.origin.headers == {"Authorization": header}
    assert header not in repr(world.requests[-1])
    world.objects["key"] = config("Secret", username=b"user")
    assert "has neither bearerToken nor username and password" in await read.words(known)
    nameless = {"http": {**http, "url": "https://example.com/code/"}}
    assert await read.words({"http": {**http, "url": "https://example.com"}}) == (
        f"{WHERE}https://example.com ends with no name of a file"
    )
    assert await read.words(nameless) == ""


# Object Storage.


def stored(*names: str) -> tuple[StoredObject, ...]:
    return tuple(StoredObject(name=name, size=14, version=f"etag-{name}") for name in names)


async def test_a_folder_of_objects_is_the_code(world: World, read: Reader) -> None:
    world.listed = stored("jobs/main.py", "jobs/lib/a.py")
    found = await read(
        {"object_storage": {"uri": f"{BUCKET}/jobs/", "region": "eu-frankfurt-1"}},
        entrypoint="main.py",
    )
    assert isinstance(found, SourcesRead)
    assert found.artifact is not None
    assert world.regions == {"eu-frankfurt-1"}
    # One list for the version and for the files.
    assert world.lists == 1
    assert isinstance(world.origin, StoredObjects)
    assert not world.origin.unpack
    told = [(each.name, each.url) for each in world.origin.objects]
    assert told == [
        ("main.py", "https://oci/jobs/main.py"),
        ("lib/a.py", "https://oci/jobs/lib/a.py"),
    ]
    world.listed = stored("jobs/main.py")
    alone = await read({"object_storage": {"uri": f"{BUCKET}/jobs/main.py"}})
    assert isinstance(alone, SourcesRead)
    assert alone.version != found.version
    assert world.regions == {"eu-frankfurt-1", PRINCIPAL.region}
    assert (world.origin.unpack, world.origin.objects[0].name) == (True, "main.py")


async def test_objects_are_listed_again_where_nobody_remembers_them(
    world: World, read: Reader
) -> None:
    world.listed = stored("jobs/main.py")
    source = {"object_storage": {"uri": f"{BUCKET}/jobs/"}}
    named = await read.step(source)
    assert isinstance(named, SourceNamed)
    await read.step(source, version=named.version)
    await read.step(source, version=named.version)
    assert (world.lists, len(world.requests)) == (2, 2)


@pytest.mark.parametrize(
    ("listed", "signed", "words"),
    [
        ((), None, f"there is no object {BUCKET}/jobs/"),
        (NOT_FOUND, None, f"{BUCKET}/jobs/ can't be listed: no policy"),
        (UNAVAILABLE, None, f"{BUCKET}/jobs/ can't be listed: timed out"),
        (stored("jobs/main.py"), NOT_FOUND, f"{BUCKET}/jobs/ can't be read: no policy"),
    ],
)
async def test_objects_that_can_t_be_had_are_told(
    world: World, read: Reader, listed: Any, signed: Any, words: str
) -> None:
    world.listed, world.signed = listed, signed
    assert await read.words({"object_storage": {"uri": f"{BUCKET}/jobs/"}}) == f"{WHERE}{words}"


async def test_too_many_and_too_large_objects_are_not_asked_for(world: World, read: Reader) -> None:
    source = {"object_storage": {"uri": f"{BUCKET}/jobs/"}}
    world.listed = stored("jobs/1", "jobs/2", "jobs/3", "jobs/4")
    assert "has more than 3 objects, the most that are allowed" in await read.words(source)
    world.listed = (StoredObject(name="jobs/1", size=1001, version="e"),)
    assert "it has more than 1000 bytes" in await read.words(source)
    assert world.requests == []


# Git and Flux.


async def test_a_commit_is_asked_for_with_the_secret_s_credentials(
    world: World, read: Reader
) -> None:
    source = {
        "git_repository": {
            "url": "https://git.example/code.git",
            "path": "lib",
            "ref": {"branch": "main"},
            "secret_ref": {"name": "key"},
        }
    }
    world.objects["key"] = config("Secret", username=b"me\n", password=b"word")
    found = await read(source)
    assert isinstance(found, SourcesRead)
    assert (found.version, found.artifact is not None) == (COMMIT, True)
    asked, fetched = (request.origin for request in world.requests)
    assert isinstance(asked, GitCommit)
    assert asked == GitCommit(
        url="https://git.example/code.git",
        branch="main",
        path="lib",
        username="me",
        password="word",
    )
    assert fetched == asked.model_copy(update={"commit": COMMIT})
    assert "word" not in repr(asked)
    world.answer = FetchAnswer(
        refusal=FetchRefusal(kind=FetchRefusalKind.MISSING, message=f"{WHERE}no branch")
    )
    assert await read.words(source) == f"{WHERE}no branch"


async def test_a_commit_that_the_spec_names_is_not_asked_for(world: World, read: Reader) -> None:
    await read({"git_repository": {"url": "https://git.example/c.git", "ref": {"commit": COMMIT}}})
    assert [request.origin.commit for request in world.requests] == [COMMIT]  # type: ignore[union-attr]


async def test_an_artifact_of_flux_is_held_to_its_digest(world: World, read: Reader) -> None:
    source = {"flux": {"kind": "GitRepository", "name": "code", "path": "lib"}}
    assert await read.words(source) == f"{WHERE}there is no GitRepository code of Flux"
    world.flux = FluxArtifact(url="", digest="", revision="")
    assert await read.words(source) == f"{WHERE}GitRepository code of Flux has no artifact yet"
    world.flux = FluxArtifact(url="http://flux/a.tar.gz", digest=f"sha256:{SHA}", revision="main")
    found = await read(source)
    assert isinstance(found, SourcesRead)
    assert found.version == f"main sha256:{SHA}"
    assert world.origin == WebFile(
        url="http://flux/a.tar.gz", name="artifact.tar.gz", sha256=SHA, moves_on=True, path="lib"
    )


def acting(world: World) -> tuple[Memory, RunActions]:
    """Return what carries out what was decided about runs, and what it learns."""
    memory, each = Memory(), cast("Any", world)
    actions = RunActions(
        services={},
        run_logs={BackendName.DATA_FLOW: each},
        storage=each,
        logs=each,
        utilisation=each,
        reader=each,
        memory=memory,
        clock=ManualClock(),
    )
    return memory, actions


# Values of variables.


async def test_each_object_is_read_once_for_all_its_keys(world: World) -> None:
    memory, actions = acting(world)
    run = make_run()
    key = job_key()._replace(kind="OCIJobRun", name="run")
    entry = Entry(key=key, metadata=run.metadata, resource=run)
    keys = (
        (ValueKey("ConfigMap", "plain", "x"), True),
        (ValueKey("Secret", "keys", "a"), False),
        (ValueKey("Secret", "keys", "b"), True),
    )
    action = ReadValues(keys=keys, epoch="e")
    world.objects["keys"] = config("Secret", a=b"1")
    await actions.execute(entry, action)
    known = memory.run(run.metadata.uid)
    assert known.values is not None
    assert dict(known.values.values) == {keys[1][0]: "1"}
    assert [(one.kind, one.resource_version) for one in known.values.objects] == [("Secret", "7")]
    assert world.asked == ["plain", "keys"]
    missing = ReadValues(
        keys=(
            (ValueKey("Secret", "keys", "z"), False),
            (ValueKey("Secret", "none", "z"), False),
        ),
        epoch="e",
    )
    await actions.execute(entry, missing)
    refusal = memory.run(run.metadata.uid).calls[Operation.READ_VALUES].refusal
    assert refusal is not None
    assert refusal.message == "there is no key 'z' of Secret keys; there is no Secret none"
    world.failure = ApiError(403, "Forbidden", "no")
    await actions.execute(entry, action)
    refusal = memory.run(run.metadata.uid).calls[Operation.READ_VALUES].refusal
    assert refusal is not None
    assert refusal.message.startswith("values not read: ")


# What a run left.


async def test_results_and_outputs_are_learnt_as_they_are_answered(world: World) -> None:
    memory, actions = acting(world)
    run = make_run()
    entry = Entry(key=job_key()._replace(kind="OCIJobRun"), metadata=run.metadata, resource=run)
    uri, caller = f"{BUCKET}/outputs", make_caller()
    world.left = {"auc": "0.93"}
    await actions.execute(entry, ReadResults(caller=caller, run_id="r", outputs_uri=uri))
    world.outputs = OutputList(count=1, objects=(f"{uri}/model",))
    await actions.execute(entry, ListOutputs(caller=caller, outputs_uri=uri))
    known = memory.run(run.metadata.uid)
    assert known.results == {"auc": "0.93"}
    assert known.outputs == world.outputs
    world.read_logs = UNAVAILABLE
    run_logs = ReadRunLogs(caller=caller, run_id="ocid1.dataflowrun.oc1.iad.a", results=True)
    await actions.execute(entry, run_logs)
    assert memory.run(run.metadata.uid).calls[Operation.SEARCH_LOGS].refusal == UNAVAILABLE
