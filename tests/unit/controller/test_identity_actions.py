"""The Secret of an identity: read at each launch, copied for deletion, and what a process does with the copies."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from tests.unit.cloud.api_keys import secret

from ocijobs.api.shared.metadata import IdentityReference, ObjectKey
from ocijobs.api.shared.names import API_VERSION
from ocijobs.cloud.credentials import CredentialStore, IdentityKey
from ocijobs.cloud.object_storage import ObjectStorage
from ocijobs.controller.credentials_copies import CredentialsCopies
from ocijobs.controller.identity_actions import IdentityActions
from ocijobs.controller.memory import Memory
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.own_namespace import OwnNamespace
from ocijobs.kube.reads import ConfigData, ObjectReader
from ocijobs.reconcile.actions.calls import Launcher, Operation
from ocijobs.reconcile.actions.identities import CopyCredentials, DropCredentials
from ocijobs.reconcile.known.identity import Serving
from ocijobs.testing import ManualClock

pytestmark = pytest.mark.asyncio

KEY = ObjectKey("OCIIdentity", "team-a", "default")
REFERENCE = IdentityReference(name="default")


class Secrets:
    """The one Secret of the namespace; None while it is gone."""

    def __init__(self) -> None:
        self.version: int | None = 1
        self.reads = 0
        self.unreachable = False
        self.meanwhile: Callable[[], object] = lambda: None

    async def secret(self, _namespace: str, name: str) -> ConfigData | None:
        """Return it."""
        self.reads += 1
        self.meanwhile()
        if self.unreachable:
            raise ApiError(500, "InternalError", "no")
        if self.version is None:
            return None
        return ConfigData(
            kind="Secret",
            name=name,
            uid="uid-of-secret",
            resource_version=str(self.version),
            data=secret() | {"nobody-s-business": b"x"},
        )


class OwnSecrets:
    """The API server, as far as Secrets of the operator's own namespace go."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.refuses: int | None = None

    async def request(self, verb: str, path: str, *, body: Any = None, **_: Any) -> Any:
        """Answer a request."""
        if self.refuses is not None:
            raise ApiError(self.refuses, "Refused", "no")
        name = path.rpartition("/")[2]
        match verb:
            case "GET":
                return {"items": list(self.documents.values()), "metadata": {}}
            case "POST" if body["metadata"]["name"] in self.documents:
                raise ApiError(409, "AlreadyExists", name)
            case "POST" | "PUT":
                self.documents[body["metadata"]["name"]] = body
            case _:
                del self.documents[name]
        return {}


@dataclass
class World:
    """A process, the Secret and the operator's own namespace."""

    secrets: Secrets = field(default_factory=Secrets)
    own: OwnSecrets = field(default_factory=OwnSecrets)
    needed: bool = True

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.begin()

    def begin(self, uid: str | None = "uid-1") -> None:
        """Begin anew, as another process, with the identity of that uid."""
        self.store, self.memory, self.credentials = Store(), Memory(), CredentialStore()
        self.changed: list[ObjectKey] = []
        if uid is not None:
            self.store.put(_identity(uid))
        self.copies = CredentialsCopies(
            OwnNamespace(cast("KubeClient", self.own), "ocijobs"),
            credentials=self.credentials,
            memory=self.memory,
            clock=self.clock,
            uid_of=lambda key: entry.metadata.uid if (entry := self.store.get(key)) else None,
            namespaces=("team-a",),
        )
        self.actions = IdentityActions(
            reader=cast("ObjectReader", self.secrets),
            storage=cast("ObjectStorage", None),
            credentials=self.credentials,
            store=self.store,
            memory=self.memory,
            clock=self.clock,
            copies=self.copies,
            needed=lambda _: self.needed,
            changed=self.changed.append,
            read_for_launch_seconds=2.0,
        )

    async def confirm(self, version: int = 1) -> bool:
        """Ask whether something may be launched with that version of the Secret."""
        launcher = Launcher(
            identity=REFERENCE, region="us-ashburn-1", version=f"uid-of-secret/{version}/"
        )
        return await self.actions.confirm("team-a", launcher)

    async def do(self, action: CopyCredentials | DropCredentials) -> None:
        """Carry an action of the identity out."""
        entry = self.store.get(KEY)
        assert entry is not None
        await self.actions.execute(entry, action)

    def key(self, *, starts: bool) -> object:
        """Return the key in memory, to start something or to end."""
        return self.credentials.get(IdentityKey(*KEY), starts=starts)


def _identity(uid: str) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIIdentity",
        "metadata": {
            "name": "default",
            "namespace": "team-a",
            "uid": uid,
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"type": "APIKey", "secretRef": {"name": "api-key"}},
    }


async def test_the_launches_of_a_moment_read_the_secret_once() -> None:
    world = World()
    for _ in range(40):
        assert await world.confirm()
    assert world.secrets.reads == 1
    world.clock.advance(2.1)
    assert await world.confirm()
    assert world.secrets.reads == 2


async def test_nothing_is_launched_with_a_secret_that_is_gone_or_another() -> None:
    world = World()
    assert await world.confirm()
    world.changed.clear()
    world.clock.advance(2.1)
    world.secrets.version = None
    assert not await world.confirm()
    # It is told to those that use it, and the key in memory can only end what there is.
    assert world.changed == [KEY]
    assert world.key(starts=True) is None
    assert world.key(starts=False) is not None
    world.secrets.version = 2
    world.clock.advance(2.1)
    assert not await world.confirm(version=1)
    assert await world.confirm(version=2)


async def test_an_api_server_that_does_not_tell_confirms_nothing() -> None:
    world = World()

    world.secrets.unreachable = True
    with pytest.raises(ApiError):
        await world.confirm()


async def test_an_identity_that_is_gone_launches_nothing_and_ends_what_there_is() -> None:
    world = World()
    assert await world.confirm()
    world.store.listen(world.actions.object_changed)
    world.store.remove(KEY, "uid-1")
    assert not await world.confirm()
    assert (world.key(starts=True), world.key(starts=False) is None) == (None, False)
    await world.actions.forget(KEY)
    assert world.key(starts=False) is not None, "something needs it"
    world.needed = False
    await world.actions.forget(KEY)
    assert world.key(starts=False) is None


async def test_what_was_read_for_a_former_identity_is_not_learnt() -> None:
    world = World()
    world.store.listen(world.actions.object_changed)
    world.secrets.meanwhile = lambda: world.store.remove(KEY, "uid-1")
    assert not await world.confirm()
    assert world.key(starts=True) is None


async def test_another_process_ends_with_the_copy_and_starts_nothing() -> None:
    world = World()
    await world.do(CopyCredentials(identity=REFERENCE))
    (copy,) = world.own.documents.values()
    assert {k: base64.b64decode(v) for k, v in copy["data"].items()} == secret()
    world.secrets.version = None
    world.begin()
    assert world.key(starts=False) is None
    await world.copies.read()
    assert world.key(starts=False) is not None
    assert world.key(starts=True) is None
    assert world.memory.identity(KEY).copied == "uid-of-secret/1/"
    assert not isinstance(world.memory.identity(KEY).credentials, Serving)


@pytest.mark.parametrize(("uid", "usable"), [("uid-1", True), (None, True), ("uid-2", False)])
async def test_a_copy_is_of_one_identity(uid: str | None, usable: bool) -> None:  # noqa: FBT001
    world = World()
    await world.do(CopyCredentials(identity=REFERENCE))
    world.begin(uid)
    await world.copies.read()
    assert (world.key(starts=False) is not None) is usable
    # It is known all the same, so that it can go.
    assert world.memory.identity(KEY).copied is not None


async def test_a_copy_is_written_once_for_each_key_and_goes_when_nothing_needs_it() -> None:
    world = World()
    copy, drop = CopyCredentials(identity=REFERENCE), DropCredentials(identity=REFERENCE)
    await world.do(copy)
    world.secrets.version = 2
    await world.do(copy)
    (secret,) = world.own.documents.values()
    assert secret["metadata"]["annotations"]["ocijobs.io/credentials-version"] == "uid-of-secret/2/"
    await world.do(drop)
    assert len(world.own.documents) == 1, "something has come to need it"
    world.needed = False
    world.own.refuses = 500
    with pytest.raises(ApiError):
        await world.do(drop)
    assert world.memory.identity(KEY).copied is not None, "it is to be deleted yet"
    world.own.refuses = None
    await world.do(drop)
    assert world.own.documents == {}
    assert world.memory.identity(KEY).copied is None


async def test_a_copy_that_can_not_be_written_is_told() -> None:
    world = World()
    world.own.refuses = 403
    await world.do(CopyCredentials(identity=REFERENCE))
    known = world.memory.identity(KEY)
    refusal = known.calls[Operation.COPY_CREDENTIALS].refusal
    assert known.copied is None
    assert refusal is not None
    assert "no copy of its credentials could be kept" in refusal.message
    assert KEY in world.changed


@pytest.mark.parametrize(
    "spoil",
    [
        lambda copy: copy["data"].clear(),
        lambda copy: copy["metadata"]["annotations"].clear(),
        lambda copy: copy["metadata"].update(name="other"),
        lambda copy: copy["metadata"]["annotations"].update(
            {"ocijobs.io/identity": "team-b/default"}
        ),
    ],
)
async def test_what_others_have_made_of_a_copy_is_not_used(
    spoil: Callable[[dict[str, Any]], None],
) -> None:
    world = World()
    await world.do(CopyCredentials(identity=REFERENCE))
    (copy,) = world.own.documents.values()
    spoil(copy)
    world.begin()
    await world.copies.read()
    assert world.key(starts=False) is None


async def test_copies_that_may_not_be_read_stop_nothing() -> None:
    world = World()
    await world.do(CopyCredentials(identity=REFERENCE))
    world.begin()
    world.own.refuses = 403
    await world.copies.read()
    assert world.key(starts=False) is None
