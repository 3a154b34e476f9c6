"""Actions of an OCIIdentity: read its Secret into memory, and ask OCI whether it accepts the key."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import assert_never

from ocijobs.api import kinds
from ocijobs.api.identity import OCIIdentity
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.credentials import (
    ApiKey,
    CredentialsError,
    CredentialStore,
    IdentityKey,
    identity_key,
    parse_api_key,
)
from ocijobs.cloud.object_storage import ObjectStorage
from ocijobs.controller.credentials_copies import CredentialsCopies
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.store import Store
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ConfigData, ObjectReader
from ocijobs.reconcile.actions.calls import Launcher, Operation
from ocijobs.reconcile.actions.identities import (
    CopyCredentials,
    DropCredentials,
    IdentityAction,
    ReadCredentials,
    VerifyCredentials,
)
from ocijobs.reconcile.identity import read_credentials
from ocijobs.reconcile.known.identity import IdentityKnown, Key, OfKey, Serving


class IdentityActions:
    """Reads and verifies credentials, and has them copied for deletion.

    `read_for_launch_seconds` is how old a reading of the Secret may be when something is launched with it.
    """

    def __init__(
        self,
        *,
        reader: ObjectReader,
        storage: ObjectStorage,
        credentials: CredentialStore,
        store: Store,
        memory: Memory,
        clock: Clock,
        copies: CredentialsCopies,
        needed: Callable[[ObjectKey], bool],
        changed: Callable[[ObjectKey], None],
        read_for_launch_seconds: float,
    ) -> None:
        self._reader, self._storage = reader, storage
        self._credentials, self._store = credentials, store
        self._memory, self._clock = memory, clock
        self._copies, self._needed = copies, needed
        self._changed = changed
        self._launch_seconds = read_for_launch_seconds
        self._read_at: dict[ObjectKey, float] = {}
        self._locks: defaultdict[ObjectKey, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def execute(self, entry: Entry, action: IdentityAction) -> None:
        """Carry the action out. The users of the identity are queued if that changed what they see of it.

        Raises:
            ApiError: if the API server does not tell of the Secret that is to be copied, or does not delete the copy.
            NotLeadingError: if this process may not write any more.
        """
        key = entry.key
        if isinstance(action, CopyCredentials | DropCredentials):
            key = ObjectKey(*identity_key(entry.key.namespace, action.identity))
        before = self._memory.identity(key)
        match action:
            case ReadCredentials():
                async with self._locks[key]:
                    await self._read(key, action)
            case VerifyCredentials():
                await self._verify(entry, action)
            case CopyCredentials():
                await self._copy(key, action)
            case DropCredentials():
                await self._drop(key)
            case _:
                assert_never(action)
        self._tell(key, before)

    async def forget(self, key: ObjectKey) -> None:
        """Forget an identity that is gone and that nothing needs.

        Raises:
            ApiError: if the API server does not delete the copy of its credentials.
            NotLeadingError: if this process may not write any more.
        """
        await self._drop(key)
        unneeded = self._store.get(key) is None and not self._needed(key)
        if unneeded and self._memory.identity(key).copied is None:
            self._credentials.forget(IdentityKey(*key))
            self._memory.forget_identity(key)

    def object_changed(self, key: ObjectKey, before: Entry | None, after: Entry | None) -> None:
        """Make the key of a deleted identity start nothing: another identity of this name has its own Secret."""
        gone = before is not None and (after is None or after.metadata.uid != before.metadata.uid)
        if key.kind == kinds.IDENTITY and gone:
            self._credentials.keep_to_end(IdentityKey(*key))
            at = self._clock.now()
            self._memory.learn_identity(key, lambda known: known.absent(at))

    async def _copy(self, key: ObjectKey, action: CopyCredentials) -> None:
        """Copy the Secret as it is now, unless there is a copy of it."""
        async with self._locks[key]:
            entry = self._store.get(key)
            identity = entry.resource if entry is not None else None
            if entry is None or not isinstance(identity, OCIIdentity):
                return
            read = read_credentials(identity)
            secret = await self._secret(key, read)
            await self._learn(key, read, secret)
            api_key = self._credentials.get(IdentityKey(*key), starts=True)
            if secret is None or api_key is None:
                return
            if self._memory.identity(key).copied != api_key.version:
                kept = await self._copies.keep(key, entry.metadata.uid, api_key, secret)
                self._memory.identity_answered(key, (action, kept), self._clock.now())

    async def _drop(self, key: ObjectKey) -> None:
        """Delete the copy of the Secret, unless something needs it by now."""
        async with self._locks[key]:
            if self._memory.identity(key).copied is not None and not self._needed(key):
                await self._copies.drop(key)

    async def confirm(self, namespace: str, launcher: Launcher) -> bool:
        """Return whether the Secret is still the one that the launch was decided with. A change is recorded in memory.

        The Secret is read for each launch, or once for launches at the same time.

        Raises:
            ApiError: if the API server does not tell.
        """
        key = ObjectKey(*identity_key(namespace, launcher.identity))
        async with self._locks[key]:
            read_at = self._read_at.get(key)
            if read_at is None or self._clock.monotonic() - read_at > self._launch_seconds:
                entry = self._store.get(key)
                identity = entry.resource if entry is not None else None
                if not isinstance(identity, OCIIdentity):
                    return False
                before, action = self._memory.identity(key), read_credentials(identity)
                await self._learn(key, action, await self._secret(key, action))
                self._tell(key, before)
        credentials = self._memory.identity(key).credentials
        return isinstance(credentials, Serving) and credentials.key.version == launcher.version

    def _tell(self, key: ObjectKey, before: IdentityKnown) -> None:
        if _seen_by_others(before) != _seen_by_others(self._memory.identity(key)):
            self._changed(key)

    async def _read(self, key: ObjectKey, action: ReadCredentials) -> None:
        try:
            secret = await self._secret(key, action)
        except ApiError as error:
            refusal = Refusal(kind=RefusalKind.UNAVAILABLE, message=f"Secret not read: {error}")
            self._memory.identity_answered(key, (action, refusal), self._clock.now())
            return
        await self._learn(key, action, secret)

    async def _secret(self, key: ObjectKey, action: ReadCredentials) -> ConfigData | None:
        asked_at = self._clock.monotonic()
        secret = await self._reader.secret(key.namespace, action.secret_name)
        self._read_at[key] = asked_at
        return secret

    async def _learn(
        self, key: ObjectKey, action: ReadCredentials, secret: ConfigData | None
    ) -> None:
        """Keep the key that the Secret is; without one, let a former key end what there is, and start nothing."""
        found = await self._found(key, action, secret)
        entry = self._store.get(key)
        identity = entry.resource if entry is not None else None
        if not isinstance(identity, OCIIdentity) or read_credentials(identity) != action:
            # It is another one by now, or names another Secret, and is read anew.
            self._read_at.pop(key, None)
            return
        answer: Key | Refusal
        if isinstance(found, Refusal):
            answer = found
        else:
            api_key, answer = found
            self._credentials.put(IdentityKey(*key), api_key)
        known = self._memory.identity_answered(key, (action, answer), self._clock.now())
        if known.fault is not None:
            self._credentials.keep_to_end(IdentityKey(*key))

    async def _found(
        self, key: ObjectKey, action: ReadCredentials, secret: ConfigData | None
    ) -> tuple[ApiKey, Key] | Refusal:
        """Return the key that the Secret is, with its secrets and without; or why it is none."""
        if secret is None:
            message = f"there is no Secret {action.secret_name}"
            return Refusal(kind=RefusalKind.MISSING, message=message)
        version = f"{secret.uid}/{secret.resource_version}/{action.region or ''}"
        api_key = self._credentials.get(IdentityKey(*key), starts=True)
        try:
            if api_key is None or api_key.version != version:
                # To check a key takes a tenth of a second, and one with a passphrase as long as its maker wants.
                api_key = await asyncio.to_thread(
                    parse_api_key, secret.data, region=action.region, version=version
                )
        except CredentialsError as error:
            return Refusal(kind=RefusalKind.INVALID, message=str(error))
        if not api_key.region:
            message = "no region is given, neither there nor in spec.region"
            return Refusal(kind=RefusalKind.INVALID, message=message)
        read = Key(version=version, region=api_key.region, tenancy_id=api_key.tenancy)
        return api_key, read

    async def _verify(self, entry: Entry, action: VerifyCredentials) -> None:
        identity = self._memory.identity(entry.key).credentials.key
        version = identity.version if identity is not None else ""
        principal = Principal(identity=IdentityKey(*entry.key), region=action.caller.region)
        refusal = await self._storage.verify(principal)
        asked = OfKey(version=version, refusal=refusal)
        self._memory.identity_answered(entry.key, (action, asked), self._clock.now())


def _seen_by_others(known: IdentityKnown) -> tuple[object, ...]:
    verify, read = known.calls.get(Operation.VERIFY), known.calls.get(Operation.READ_CREDENTIALS)
    copy = known.calls.get(Operation.COPY_CREDENTIALS)
    return (
        known.credentials,
        known.absent_since,
        known.copied,
        known.refused_since,
        read.refusal if read is not None else None,
        copy.refusal if copy is not None else None,
        (verify.epoch, verify.refusal) if verify is not None else None,
    )
