"""Where sources are: what is read is what the recorded version is of."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import AsyncMock

import pytest

from ocijobs.api.job.source import ObjectStorageSource, Source
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.credentials import IdentityKey
from ocijobs.cloud.object_storage import SignedRequest, StoredObject
from ocijobs.controller.origins import Means, RemoteSource, remote_source
from ocijobs.fetcher.protocol import RefusalKind, SourceRefusedError, StoredObjects

pytestmark = pytest.mark.asyncio

WHO = IdentityKey("OCIIdentity", "team", "default")
URI = "oci://code@tenancy/main.py"


class Bucket:
    """A bucket with one object, at a version."""

    def __init__(self) -> None:
        self.version = "1"

    async def stored(self, *_: object, **__: object) -> tuple[StoredObject, ...]:
        return (StoredObject(name="main.py", version=self.version, size=1),)

    async def signed(self, *_: object) -> tuple[SignedRequest, ...]:
        return (SignedRequest(url=f"http://bucket/main.py?{self.version}", headers={}),)

    def source(self) -> RemoteSource:
        """Return the source as a process that has just started has it."""
        means = Means(reader=AsyncMock(), storage=cast(Any, self), limit_bytes=10, limit_files=10)
        given = Source(object_storage=ObjectStorageSource(uri=URI))
        return remote_source(means, given, "team", Principal(identity=WHO, region="a"))


async def test_after_a_restart_an_object_that_has_changed_is_not_read_as_the_recorded_version() -> (
    None
):
    bucket = Bucket()
    recorded = str(await bucket.source().version())
    assert isinstance(await bucket.source().origin(recorded), StoredObjects)
    bucket.version = "2"
    restarted = bucket.source()
    for _ in range(2):
        with pytest.raises(SourceRefusedError, match="has changed since") as refused:
            await restarted.origin(recorded)
        assert refused.value.refusal.kind is RefusalKind.UNREACHABLE
    assert isinstance(await restarted.origin(str(await restarted.version())), StoredObjects)
