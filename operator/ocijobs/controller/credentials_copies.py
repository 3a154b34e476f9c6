"""Copies of credentials in the operator's own namespace, to end what is in OCI when the Secret is gone.

A copy is written before anything is created as its identity, and is deleted with the last object that needs it. A
process reads the copies when it begins to lead. Nothing is started with a copy.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.clock import Clock
from ocijobs.cloud.credentials import (
    OPTIONAL_KEYS,
    REQUIRED_KEYS,
    ApiKey,
    CredentialsError,
    CredentialStore,
    IdentityKey,
    parse_api_key,
)
from ocijobs.controller.memory import Memory
from ocijobs.kube.client import ApiError
from ocijobs.kube.own_namespace import CredentialsCopy, OwnNamespace
from ocijobs.kube.reads import ConfigData
from ocijobs.reconcile.known.identity import Key, OfKey

_LOG = logging.getLogger(__name__)
_PAUSE_SECONDS = 2.0


class CredentialsCopies:
    """Reads, writes and deletes the copies, and records them in memory."""

    def __init__(
        self,
        own: OwnNamespace,
        *,
        credentials: CredentialStore,
        memory: Memory,
        clock: Clock,
        uid_of: Callable[[ObjectKey], str | None],
        namespaces: tuple[str, ...],
    ) -> None:
        self._own, self._credentials = own, credentials
        self._memory, self._clock = memory, clock
        self._uid_of, self._namespaces = uid_of, namespaces

    async def read(self) -> None:
        """Read all copies into memory. Returns when they are read, or may not be read."""
        copies: list[CredentialsCopy] | None = None
        while copies is None:
            try:
                copies = await self._own.copies()
            except ApiError as error:
                _LOG.error("copies of credentials not read: %s", error)
                if error.status == HTTPStatus.FORBIDDEN:
                    return
                await self._clock.sleep(_PAUSE_SECONDS)
        for copy in copies:
            # Another operator of this namespace may serve others.
            if not self._namespaces or copy.identity.namespace in self._namespaces:
                await self._learn(copy)

    async def _learn(self, copy: CredentialsCopy) -> None:
        try:
            api_key = await asyncio.to_thread(
                parse_api_key, copy.data, region=None, version=copy.version
            )
        except CredentialsError as error:
            _LOG.error("copy of the credentials of %s: %s", copy.identity, error)
            return
        if api_key.region is None:
            return
        key = Key(version=copy.version, region=api_key.region, tenancy_id=api_key.tenancy)
        if self._uid_of(copy.identity) in {copy.uid, None}:
            self._credentials.keep_copy(IdentityKey(*copy.identity), api_key)
            self._memory.learn_identity(copy.identity, lambda known: known.copy_found(key))
        else:
            # Of a former identity of that name: it is written over, or deleted, as though it were this one's.
            self._memory.learn_identity(
                copy.identity, lambda known: replace(known, copied=copy.version)
            )

    async def keep(
        self, identity: ObjectKey, uid: str, api_key: ApiKey, secret: ConfigData
    ) -> OfKey:
        """Write a copy of a Secret; return of which version it is, and why it can't be written if it can't.

        Raises:
            NotLeadingError: if this process may not write any more.
        """
        wanted = (*REQUIRED_KEYS, *OPTIONAL_KEYS)
        data = {key: value for key, value in secret.data.items() if key in wanted}
        data["region"] = (api_key.region or "").encode()
        copy = CredentialsCopy(identity=identity, uid=uid, version=api_key.version, data=data)
        refusal = None
        try:
            await self._own.keep_copy(copy)
        except ApiError as error:
            message = f"no copy of its credentials could be kept for deletion: {error}"
            _LOG.warning("%s: %s", identity, message)
            refusal = Refusal(kind=RefusalKind.UNAVAILABLE, message=message)
        return OfKey(version=copy.version, refusal=refusal)

    async def drop(self, identity: ObjectKey) -> None:
        """Delete a copy. From the start of the call on, nothing relies on it.

        Raises:
            ApiError: if the API server does not delete it.
            NotLeadingError: if this process may not write any more.
        """
        copied = self._memory.identity(identity).copied
        self._memory.learn_identity(identity, lambda known: known.copy_dropped())
        try:
            await self._own.drop_copy(identity)
        except ApiError:
            self._memory.learn_identity(identity, lambda known: replace(known, copied=copied))
            raise
