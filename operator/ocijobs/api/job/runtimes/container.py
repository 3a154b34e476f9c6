"""A container image as what a job runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ocijobs.api.job.source import Source
from ocijobs.api.shared.model import Model, Ocid, Replicas, Words

IMAGE_PATTERN = (
    r"^([a-z0-9-]+\.ocir\.io|ocir\.[a-z0-9-]+\.oci\.oraclecloud\.com)/[a-z0-9_-]+/[a-z0-9._/-]+"
    r"(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$"
)
"""`<region>.ocir.io/<namespace>/<image>:<tag>[@digest]`, as the Data Science API takes images."""


class ContainerImage(Model):
    """A container image and how it is started: the fields that OCI has of a container."""

    image: Annotated[str, Field(max_length=512, pattern=IMAGE_PATTERN)] = Field(
        description="Image: <region>.ocir.io/<namespace>/<image>:<tag>, optionally with @sha256:<digest>."
    )
    image_digest: Annotated[str, Field(max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")] | None = (
        Field(default=None, description="Digest that the image must have: sha256:<hexadecimal>.")
    )
    image_signature_id: Ocid | None = Field(
        default=None, description="OCID of the image's signature, which OCI verifies."
    )
    entrypoint: Words | None = Field(
        default=None, description="Program of the container, instead of the image's own."
    )
    cmd: Words | None = Field(
        default=None, description="Arguments of the container, instead of the image's own."
    )


class ContainerRuntime(ContainerImage):
    """A container image of OCI's registry.

    The image is started unchanged: nothing of the operator runs in it. Its code has to save files by itself, or to a
    storage mount.
    """

    source: Source | None = Field(
        default=None,
        description="Files that the container finds as an archive: /home/datascience/<name>.zip.",
    )
    replicas: Replicas | None = Field(
        default=None,
        description="Number of nodes, each of which runs the container: one group of nodes.",
    )
