"""A local OCI whose Object Storage takes what drivers save."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import oci
import pytest

from oci_emulator.testing import Emulator, emulator_fixture

emulator = emulator_fixture(mode="simulated")


class Bucket:
    """A bucket of the local OCI, and the environment in which a driver reaches it."""

    def __init__(self, emulator: Emulator, home: Path) -> None:
        self.emulator, self.name = emulator, f"models-{uuid4().hex[:8]}"
        self.namespace = emulator.namespace
        self.environment = emulator.environment({"HOME": str(home), "JOB_RUN_OCID": "ocid1.run.1"})
        self._client: Any = oci.object_storage.ObjectStorageClient(
            oci.config.from_file(str(emulator.config)), service_endpoint=emulator.http
        )
        details = oci.object_storage.models.CreateBucketDetails(
            name=self.name, compartment_id=emulator.tenancy
        )
        self._client.create_bucket(self.namespace, details)

    def uri(self, prefix: str) -> str:
        """Return the address of a prefix."""
        return f"oci://{self.name}@{self.namespace}/{prefix}"

    def names(self) -> list[str]:
        """Return the names of all objects."""
        listed = self._client.list_objects(self.namespace, self.name).data
        return [item.name for item in listed.objects]

    def content(self, name: str) -> bytes:
        """Return the content of an object."""
        content: bytes = self._client.get_object(self.namespace, self.name, name).data.content
        return content


@pytest.fixture
def bucket(emulator: Emulator, tmp_path: Path) -> Iterator[Bucket]:
    """A bucket of the test's own, in an OCI without faults."""
    yield Bucket(emulator, tmp_path)
    emulator.clear_faults()
