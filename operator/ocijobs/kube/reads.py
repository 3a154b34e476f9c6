"""Reads of single objects and of whole lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ocijobs.kube.client import OBJECTS_A_PAGE, ApiError, KubeClient
from ocijobs.kube.resources import core_path, list_path, plural

FLUX_SOURCES = "source.toolkit.fluxcd.io"
"""API group of Flux's source-controller. Flux 2.6 and later serve its v1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigData:
    """The data of a Secret or ConfigMap, with a version that identifies its state."""

    kind: str
    name: str
    uid: str
    resource_version: str
    data: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FluxArtifact:
    """The artifact of a source of Flux: address, digest (`sha256:<hexadecimal>`) and revision; empty at first."""

    url: str
    digest: str
    revision: str


class ObjectReader:
    """Reads objects that decisions need and that are not watched."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def secret(self, namespace: str, name: str) -> ConfigData | None:
        """Return a Secret's data, or None if it does not exist.

        Raises:
            ApiError: if there is another answer, or none.
        """
        return await self._config("Secret", "secrets", namespace, name)

    async def config_map(self, namespace: str, name: str) -> ConfigData | None:
        """Return a ConfigMap's data and binaryData, or None if it does not exist.

        Raises:
            ApiError: if there is another answer, or none.
        """
        return await self._config("ConfigMap", "configmaps", namespace, name)

    async def _config(
        self, kind: str, plural_name: str, namespace: str, name: str
    ) -> ConfigData | None:
        try:
            document = await self._client.request(
                "GET", core_path(plural_name, namespace, name), resource=plural_name
            )
        except ApiError as error:
            if error.not_found:
                return None
            raise
        plain = document.get("data") or {}
        if kind == "Secret":
            data = {key: _decoded(value) for key, value in plain.items()}
        else:
            data = {key: value.encode() for key, value in plain.items()}
            data |= {k: _decoded(v) for k, v in (document.get("binaryData") or {}).items()}
        meta = document["metadata"]
        return ConfigData(
            kind=kind,
            name=name,
            uid=meta["uid"],
            resource_version=meta["resourceVersion"],
            data=data,
        )

    async def flux_artifact(self, namespace: str, kind: str, name: str) -> FluxArtifact | None:
        """Return the artifact of a source of Flux's source-controller; None if there is no such source.

        Raises:
            ApiError: if there is another answer, or none, or Flux is not installed.
        """
        plural_name = f"{kind.lower().removesuffix('y')}{'ies' if kind.endswith('y') else 's'}"
        path = f"/apis/{FLUX_SOURCES}/v1/namespaces/{namespace}/{plural_name}/{name}"
        try:
            document = await self._client.request("GET", path, resource=plural_name)
        except ApiError as error:
            if error.not_found:
                return None
            raise
        artifact = (document.get("status") or {}).get("artifact") or {}
        return FluxArtifact(
            url=artifact.get("url") or "",
            digest=artifact.get("digest") or "",
            revision=artifact.get("revision") or "",
        )

    async def namespace_uid(self, name: str) -> str:
        """Return the uid of a namespace.

        Raises:
            ApiError: if it can't be read.
        """
        document = await self._client.request(
            "GET", f"/api/v1/namespaces/{name}", resource="namespaces"
        )
        return str(document["metadata"]["uid"])

    async def pages(
        self, kind: str, namespace: str | None, *, selector: str = ""
    ) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        """Yield the objects of a kind page by page, each with the resourceVersion of the list.

        Args:
            kind: one of ours, or Workload.
            namespace: where; None means everywhere.
            selector: of labels; empty takes all.

        Raises:
            ApiError: if a page can't be read. What was yielded before is then not a complete list.
        """
        token = ""
        while True:
            query = {"limit": str(OBJECTS_A_PAGE), **({"continue": token} if token else {})}
            query |= {"labelSelector": selector} if selector else {}
            document = await self._client.request(
                "GET", list_path(kind, namespace), resource=plural(kind), query=query
            )
            meta = document["metadata"]
            yield list(document["items"]), str(meta.get("resourceVersion", ""))
            token = meta.get("continue", "")
            if not token:
                return


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return b""
