"""Code that is read for a job: from each kind of source, and in words why it can't be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from ocijobs.api.metadata import ObjectKey
from ocijobs.artifact.files import SourceMissingError, SourceUnreachableError
from ocijobs.artifact.staging import Staging
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.credentials import IdentityKey
from ocijobs.cloud.object_storage import StoredObject
from ocijobs.controller.memory import Memory
from ocijobs.controller.remote_sources import Means
from ocijobs.controller.run_actions import RunActions
from ocijobs.controller.sources import SourceReader
from ocijobs.controller.store import Entry
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ConfigData, FluxArtifact
from ocijobs.reconcile.decision import ReadSources, ReadValues, ServedSource
from ocijobs.reconcile.environment import ValueKey
from ocijobs.reconcile.job.known import SourcesRead
from ocijobs.reconcile.remote import Operation, Refusal, RefusalKind
from ocijobs.testing import NAMESPACE, ManualClock, make_caller, make_job, make_metadata, make_run

pytestmark = pytest.mark.asyncio

CODE = b"print('hello')"
SHA = hashlib.sha256(CODE).hexdigest()
PRINCIPAL = Principal(
    identity=IdentityKey(kind="OCIIdentity", namespace=NAMESPACE, name="default"),
    region="us-ashburn-1",
)
BUCKET = "oci://code@team"
UNAVAILABLE = Refusal(kind=RefusalKind.UNAVAILABLE, message="timed out")
NOT_FOUND = Refusal(kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, message="no policy")


def config(kind: str = "ConfigMap", **data: bytes) -> ConfigData:
    return ConfigData(kind=kind, name="code", uid="uid-1", resource_version="7", data=data)


def _put(target: Path, content: bytes) -> None:
    target.write_bytes(content)


class World:
    """What sources are read from, as the test says that it is."""

    def __init__(self) -> None:
        self.objects: dict[str, ConfigData | None] = {}
        self.failure: Exception | None = None
        self.flux: FluxArtifact | None = None
        self.listed: tuple[StoredObject, ...] | Refusal = ()
        self.contents: dict[str, bytes | Refusal] = {}
        self.on_the_web: bytes = CODE
        self.headers: Mapping[str, str] | None = None
        self.regions: set[str] = set()
        self.credentials: Any = None
        self.asked: list[str] = []

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

    async def stored(self, principal: Principal, _uri: str) -> tuple[StoredObject, ...] | Refusal:
        """List objects."""
        self.regions.add(principal.region)
        return self.listed

    async def download(
        self, _principal: Principal, _uri: str, stored: StoredObject, target: Path
    ) -> Refusal | None:
        """Read an object."""
        content = self.contents[stored.name]
        if isinstance(content, Refusal):
            return content
        _put(target, content)
        return None

    # The web and Git.

    async def fetch(self, *given: Any, limit: int = 0, headers: Any = None) -> None:
        """Fetch an address, or check a commit out."""
        del limit
        if self.failure is not None:
            raise self.failure
        if isinstance(given[1], Path):
            self.headers = headers
            given[1].write_bytes(self.on_the_web)
        else:
            folder: Path = given[3]
            (folder / "lib").mkdir()
            (folder / "lib" / "main.py").write_bytes(CODE)

    async def commit(self, _url: str, _ref: object, credentials: Any, _folder: Path) -> str:
        """Return the commit of a reference."""
        self.credentials = credentials
        return "c" * 40

    def means(self) -> Means:
        """Return what sources are read with."""
        each = cast("Any", self)
        return Means(reader=each, storage=each, web=each, repositories=each, limit_bytes=1000)


@pytest.fixture
def world() -> World:
    return World()


class Reading:
    """A reader of one job's sources."""

    def __init__(self, world: World, folder: Path) -> None:
        self._reader = SourceReader(world.means(), Staging(folder), ManualClock())

    async def __call__(
        self, source: dict[str, Any] | None, served: ServedSource | None = None, **variant: Any
    ) -> SourcesRead | Refusal:
        given = {"source": source, **variant} if source is not None else None
        job = make_job(runtime={"script": given} if given is not None else None)
        entry = Entry(key=job_key(), metadata=make_metadata("job"), resource=job)
        action = ReadSources(spec=job.spec, caller=make_caller(), served=served, epoch="e")
        return await self._reader.read(entry, action, PRINCIPAL)

    async def words(self, source: dict[str, Any], **variant: Any) -> str:
        """Return what is missing or wrong, or why the source can't be reached."""
        read = await self(source, **variant)
        if isinstance(read, Refusal):
            return read.message
        return read.missing or read.invalid or ""


def job_key() -> ObjectKey:
    return ObjectKey("OCIJob", NAMESPACE, "job")


@pytest.fixture
def read(world: World, tmp_path: Path) -> Reading:
    return Reading(world, tmp_path / "staging")


WHERE = "spec.runtime.script.source: "


async def test_a_job_without_a_runtime_has_no_code(read: Reading) -> None:
    found = await read(None)
    assert isinstance(found, SourcesRead)
    assert (found.artifact, found.version) == (None, "")


async def test_files_of_a_config_map_are_the_code(world: World, read: Reading) -> None:
    source = {"config_map": {"name": "code"}}
    assert await read.words(source) == f"{WHERE}there is no ConfigMap code"
    world.objects["code"] = config(**{"main.py": CODE})
    found = await read(source)
    assert isinstance(found, SourcesRead)
    assert found.artifact is not None
    inline = await read({"inline": {"main.py": CODE.decode()}})
    assert isinstance(inline, SourcesRead)
    assert found.digest == inline.digest
    keyed = {"config_map": {"name": "code", "keys": ["other.py"]}}
    assert await read.words(keyed) == f"{WHERE}ConfigMap code has no key other.py"
    world.failure = ApiError(503, "ServiceUnavailable", "later")
    refused = await read(source)
    assert isinstance(refused, Refusal)
    assert refused.kind is RefusalKind.UNAVAILABLE


async def test_code_that_has_no_file_to_start_is_told(read: Reading) -> None:
    source = {"inline": {"a.py": "", "b.py": ""}}
    assert "spec.runtime" in await read.words(source)
    assert "missing.py" in await read.words(source, entrypoint="missing.py")


async def test_a_source_at_the_version_that_serves_is_not_read_again(
    world: World, read: Reading
) -> None:
    source = {"http": {"url": "https://example.com/main.py", "sha256": SHA}}
    first = await read(source)
    assert isinstance(first, SourcesRead)
    world.failure = SourceUnreachableError("nobody asks")
    served = ServedSource(version=first.version, digest=first.digest, artifact=first.artifact)
    assert await read(source, served) == first
    bare = await read(source, ServedSource(version=first.version, digest="d", artifact=None))
    assert isinstance(bare, SourcesRead)
    assert bare.artifact is None


# The web.


@pytest.mark.parametrize(
    ("secret", "header"),
    [
        ({"bearerToken": b"token\n"}, "Bearer token"),
        ({"username": b"user", "password": b"word\n"}, "Basic dXNlcjp3b3Jk"),
    ],
)
async def test_a_file_from_the_web_is_fetched_as_whom_its_secret_says(
    world: World, read: Reading, secret: dict[str, bytes], header: str
) -> None:
    http = {"url": "https://example.com/main.py", "sha256": SHA}
    found = await read({"http": http})
    assert isinstance(found, SourcesRead)
    assert (found.version, world.headers) == (f"sha256:{SHA}", {})
    known = {"http": {**http, "secret_ref": {"name": "key"}}}
    assert await read.words(known) == f"{WHERE}there is no Secret key"
    world.objects["key"] = config("Secret", **secret)
    await read(known)
    assert world.headers == {"Authorization": header}
    world.objects["key"] = config("Secret", username=b"user")
    assert "has neither bearerToken nor username and password" in await read.words(known)


async def test_another_file_than_the_wanted_one_is_not_taken(world: World, read: Reading) -> None:
    world.on_the_web = b"other"
    source = {"http": {"url": "https://example.com/main.py", "sha256": SHA}}
    assert f"http.sha256 wants {SHA}" in await read.words(source)


# Object Storage.


def stored(*names: str) -> tuple[StoredObject, ...]:
    return tuple(StoredObject(name=name, size=14, version=f"etag-{name}") for name in names)


async def test_a_folder_of_objects_is_the_code(world: World, read: Reading) -> None:
    world.listed = stored("jobs/main.py", "jobs/lib/a.py")
    world.contents = {"jobs/main.py": CODE, "jobs/lib/a.py": b""}
    found = await read(
        {"object_storage": {"uri": f"{BUCKET}/jobs/", "region": "eu-frankfurt-1"}},
        entrypoint="main.py",
    )
    assert isinstance(found, SourcesRead)
    assert found.artifact is not None
    assert world.regions == {"eu-frankfurt-1"}
    world.listed = stored("jobs/main.py")
    world.contents = {"jobs/main.py": b"changed"}
    alone = await read({"object_storage": {"uri": f"{BUCKET}/jobs/main.py"}})
    assert isinstance(alone, SourcesRead)
    assert alone.version != found.version
    assert world.regions == {"eu-frankfurt-1", PRINCIPAL.region}


@pytest.mark.parametrize(
    ("listed", "content", "words"),
    [
        ((), CODE, f"there is no object {BUCKET}/jobs/"),
        (NOT_FOUND, CODE, f"{BUCKET}/jobs/ can't be listed: no policy"),
        (UNAVAILABLE, CODE, f"{BUCKET}/jobs/ can't be listed: timed out"),
        (stored("jobs/main.py"), NOT_FOUND, "object jobs/main.py can't be read: no policy"),
        (stored("jobs/../main.py"), CODE, "object ../main.py has no name of a file"),
    ],
)
async def test_objects_that_can_t_be_had_are_told(
    world: World, read: Reading, listed: Any, content: Any, words: str
) -> None:
    world.listed = listed
    world.contents = {"jobs/main.py": content, "jobs/../main.py": content}
    source = {"object_storage": {"uri": f"{BUCKET}/jobs/"}}
    assert await read.words(source) == f"{WHERE}{words}"


# Git and Flux.


async def test_a_commit_is_checked_out_with_the_secret_s_credentials(
    world: World, read: Reading
) -> None:
    source = {
        "git_repository": {
            "url": "https://git.example/code.git",
            "path": "lib",
            "secret_ref": {"name": "key"},
        }
    }
    world.objects["key"] = config("Secret", username=b"me\n", password=b"word")
    found = await read(source)
    assert isinstance(found, SourcesRead)
    assert (found.version, found.artifact is not None) == ("c" * 40, True)
    assert (world.credentials.username, world.credentials.password) == ("me", "word")
    assert world.asked == ["key"], "once for the commit and its files"
    world.failure = SourceMissingError("there is no such commit")
    world.objects.clear()
    open_ = {"git_repository": {"url": "https://git.example/code.git"}}
    assert await read.words(open_) == f"{WHERE}there is no such commit"


async def test_an_artifact_of_flux_is_held_to_its_digest(world: World, read: Reading) -> None:
    source = {"flux": {"kind": "GitRepository", "name": "code"}}
    assert await read.words(source) == f"{WHERE}there is no GitRepository code of Flux"
    world.flux = FluxArtifact(url="", digest="", revision="")
    assert await read.words(source) == f"{WHERE}GitRepository code of Flux has no artifact yet"
    digest = f"sha256:{'0' * 64}"
    world.flux = FluxArtifact(url="http://flux/a.tar.gz", digest=digest, revision="main")
    assert "is not what sha256:0" in await read.words(source)
    world.flux = FluxArtifact(url="http://flux/a.tar.gz", digest=f"sha256:{SHA}", revision="main")
    # What Flux fetched is no archive.
    assert (await read.words(source)).startswith(WHERE)


# Values of variables.


async def test_each_object_is_read_once_for_all_its_keys(world: World) -> None:
    memory = Memory()
    each = cast("Any", world)
    actions = RunActions(
        infrastructures={},
        run_logs=each,
        storage=each,
        logs=each,
        utilisation=each,
        reader=each,
        memory=memory,
        clock=ManualClock(),
    )
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
