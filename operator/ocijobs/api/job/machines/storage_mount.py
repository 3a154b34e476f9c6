"""Storage that is mounted in a run: a bucket, or a file system.

Rules from the Data Science API (`StorageMountConfigurationDetails`): five mounts at most; a file system needs custom
networking, in the subnet of its mount target.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.shared.model import Model, Ocid, validations

BucketName = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9._-]+$")]
NamespaceName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


class ObjectStorageMount(Model):
    """A bucket, or the objects under a prefix of it."""

    namespace: NamespaceName = Field(description="Object Storage namespace of the tenancy.")
    bucket: BucketName = Field(description="Name of the bucket.")
    prefix: Annotated[str, Field(max_length=1024)] | None = Field(
        default=None,
        description="Mount only objects whose names begin with this prefix; by default all.",
    )


class FileStorageMount(Model):
    """A file system of the File Storage service."""

    mount_target_id: Ocid = Field(description="OCID of the mount target.")
    export_id: Ocid = Field(description="OCID of the export.")


class StorageMount(Model):
    """One mount: exactly one of `objectStorage`, `fileStorage` and `src` says what is mounted.

    `src` is what ADS takes: `oci://bucket@namespace/prefix`, `<mount target OCID>:<export OCID>` or
    `<IP address of the mount target>:<export path>`.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "[has(self.objectStorage), has(self.fileStorage), has(self.src)].exists_one(x, x)",
                "exactly one of objectStorage, fileStorage and src must be given",
            )
        )
    )

    destination_directory_name: Annotated[
        str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9._-]+$")
    ] = Field(description="Name of the directory that is mounted in the run.")
    destination_path: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^/")] | None = (
        Field(
            default=None,
            description="Directory in which it is mounted, an absolute path; by default /mnt.",
        )
    )
    object_storage: ObjectStorageMount | None = Field(
        default=None, description="A bucket, or the objects under a prefix of it."
    )
    file_storage: FileStorageMount | None = Field(
        default=None,
        description="A file system; it needs subnetId, the subnet of its mount target.",
    )
    src: (
        Annotated[
            str,
            Field(
                max_length=2048,
                pattern=(
                    r"^(oci://[^@/]+@[^@/]+(/.*)?"
                    r"|ocid1\.mounttarget\.[^:]+:ocid1\.export\.[^:]+"
                    r"|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+:/.*)$"
                ),
            ),
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "The source as ADS writes it: oci://bucket@namespace/prefix, <mount target OCID>:<export "
            "OCID> or <IP address>:<export path>. For an address, the operator looks the mount target "
            "and the export up in OCI."
        ),
    )
