"""Actions of an OCIIdentity: its Secret is read into memory, and OCI is asked whether it takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ocijobs.api.metadata import ObjectKey
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.credentials import (
    CredentialsError,
    CredentialStore,
    IdentityKey,
    parse_api_key,
)
from ocijobs.cloud.object_storage import ObjectStorage
from ocijobs.controller.memory import Memory
from ocijobs.controller.store import Entry
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ObjectReader
from ocijobs.reconcile.decision import ReadCredentials, VerifyCredentials
from ocijobs.reconcile.identity import CredentialsRead, IdentityKnown
from ocijobs.reconcile.remote import Operation, Refusal, RefusalKind


class IdentityActions:
    """Reads and verifies credentials."""

    def __init__(
        self,
        *,
        reader: ObjectReader,
        storage: ObjectStorage,
        credentials: CredentialStore,
        memory: Memory,
        clock: Clock,
        changed: Callable[[ObjectKey], None],
    ) -> None:
        self._reader, self._storage = reader, storage
        self._credentials, self._memory, self._clock = credentials, memory, clock
        self._changed = changed

    async def execute(self, entry: Entry, action: ReadCredentials | VerifyCredentials) -> None:
        """Carry the action out; what uses the identity is looked at again if that changed how it sees it."""
        before = self._memory.identity(entry.key)
        if isinstance(action, ReadCredentials):
            await self._read(entry, action)
        else:
            await self._verify(entry, action)
        after = self._memory.identity(entry.key)
        if _seen_by_others(before) != _seen_by_others(after):
            self._changed(entry.key)

    async def _read(self, entry: Entry, action: ReadCredentials) -> None:
        key, now, epoch = entry.key, self._clock.now(), action.epoch
        try:
            secret = await self._reader.secret(key.namespace, action.secret_name)
        except ApiError as error:
            refusal = Refusal(kind=RefusalKind.UNAVAILABLE, message=f"Secret not read: {error}")
            self._memory.learn_identity(
                key,
                lambda known: known.called(
                    Operation.READ_CREDENTIALS, at=now, refusal=refusal, epoch=epoch
                ),
            )
            return
        if secret is None:
            message = f"there is no Secret {action.secret_name}"
            missing = Refusal(kind=RefusalKind.MISSING, message=message)
            self._memory.learn_identity(
                key,
                lambda known: replace(
                    known.called(Operation.READ_CREDENTIALS, at=now, refusal=missing, epoch=epoch),
                    gone_since=known.gone_since or (None if known.credentials else now),
                ),
            )
            return
        version = f"{secret.uid}/{secret.resource_version}/{action.region or ''}"
        try:
            api_key = parse_api_key(secret.data, region=action.region, version=version)
        except CredentialsError as error:
            read = CredentialsRead(version=version, problem=str(error))
        else:
            self._credentials.put(IdentityKey(*key), api_key)
            read = CredentialsRead(
                version=version, region=api_key.region, tenancy_id=api_key.tenancy
            )
        self._memory.learn_identity(
            key,
            lambda known: replace(
                known.called(Operation.READ_CREDENTIALS, at=now, epoch=epoch),
                credentials=read,
                read_at=now,
                gone_since=None,
            ),
        )

    async def _verify(self, entry: Entry, action: VerifyCredentials) -> None:
        key = entry.key
        credentials = self._memory.identity(key).credentials
        version = credentials.version if credentials is not None else ""
        principal = Principal(identity=IdentityKey(*key), region=action.caller.region)
        refusal = await self._storage.verify(principal)
        now = self._clock.now()
        self._memory.learn_identity(
            key,
            lambda known: replace(
                known.called(Operation.VERIFY, at=now, refusal=refusal, epoch=version),
                verified=known.verified if refusal is not None else version,
            ),
        )


def _seen_by_others(known: IdentityKnown) -> tuple[object, ...]:
    verify, read = known.calls.get(Operation.VERIFY), known.calls.get(Operation.READ_CREDENTIALS)
    return (
        known.credentials,
        known.gone_since,
        read.refusal if read is not None else None,
        (verify.epoch, verify.refusal) if verify is not None else None,
    )
