"""Kubeconfig files.

Ours have one cluster, one user, and everything embedded, so that a file can be moved. Others' are read.
"""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubecontrolplane.errors import ForeignClusterError, KubeconfigError
from kubecontrolplane.pki import CertificatePem

_CLUSTER = "kubecontrolplane"
# Kubeconfigs have a place for what other programs want to keep: by it a file of ours is known.
_EXTENSION = "kubecontrolplane"
# What reading a file raises that is no kubeconfig, or lacks something.
_UNREADABLE = (
    *(OSError, UnicodeDecodeError, yaml.YAMLError),
    *(KeyError, TypeError, ValueError, StopIteration),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, as the TokenRequest API gives it."""

    value: str


Credential = CertificatePem | Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An API server.

    Attributes:
        server: its URL.
        authority: the certificate by which it is verified, PEM.
    """

    server: str
    authority: bytes

    def entry(self) -> dict[str, Any]:
        """What a kubeconfig has of it."""
        return {
            "server": self.server,
            "certificate-authority-data": _base64(self.authority),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEndpoint(Endpoint):
    """The API server of a control plane that kubecontrolplane made.

    Attributes:
        directory: the control plane's directory.
    """

    directory: Path

    def entry(self) -> dict[str, Any]:
        """What a kubeconfig has of it, with what marks the file as ours."""
        mark = {"name": _EXTENSION, "extension": {"directory": str(self.directory)}}
        # Not super(): a dataclass with slots is another class than the one that was written.
        return {**Endpoint.entry(self), "extensions": [mark]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a kubeconfig of somebody's gives.

    Attributes:
        endpoint: where its current context leads.
        credential: whom the API server is shown.
    """

    endpoint: Endpoint
    credential: Credential


def render(
    endpoint: Endpoint,
    *,
    user: str,
    credential: Credential,
    namespace: str = "default",
) -> str:
    """A kubeconfig (v1, YAML) for one user of a cluster."""
    context = {"cluster": _CLUSTER, "user": user, "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _CLUSTER, "cluster": endpoint.entry()}],
        "users": [{"name": user, "user": _user(credential)}],
        "contexts": [{"name": _CLUSTER, "context": context}],
        "current-context": _CLUSTER,
    }
    return yaml.safe_dump(document, sort_keys=False)


def read_endpoint(path: Path) -> OwnEndpoint:
    """The control plane that a kubeconfig leads to.

    Raises:
        ForeignClusterError: kubecontrolplane did not write the file.
    """
    try:
        document: Any = yaml.safe_load(path.read_text())
        [named] = document["clusters"]
        cluster = named["cluster"]
        [extension] = [
            each["extension"] for each in cluster["extensions"] if each["name"] == _EXTENSION
        ]
        return OwnEndpoint(
            server=cluster["server"],
            authority=base64.b64decode(cluster["certificate-authority-data"]),
            directory=Path(extension["directory"]),
        )
    except _UNREADABLE as error:
        raise ForeignClusterError(
            f"{path} is not a kubeconfig that kubecontrolplane wrote ({type(error).__name__}: {error}): "
            "it is not used, since it may lead to a cluster that matters to somebody"
        ) from error


def read_access(path: Path) -> Access:
    """What the current context of anybody's kubeconfig gives: that of kind or k3s, for example.

    Raises:
        KubeconfigError: the file can't be read, or has no authority, or the user has neither a
            client certificate nor a token.
    """
    try:
        document: Any = yaml.safe_load(path.read_text())
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document["users"], context["user"])["user"]
        return Access(
            endpoint=Endpoint(
                server=cluster["server"],
                authority=_content(cluster, "certificate-authority", path.parent),
            ),
            credential=Token(value=user["token"])
            if "token" in user
            else CertificatePem(
                certificate=_content(user, "client-certificate", path.parent),
                key=_content(user, "client-key", path.parent),
            ),
        )
    except _UNREADABLE as error:
        raise KubeconfigError(
            f"{path}: its current context must lead to a cluster with a certificate-authority and a user "
            f"with a client certificate or a token ({type(error).__name__}: {error})"
        ) from error


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each for each in entries if each["name"] == name)


def _content(entry: dict[str, Any], name: str, folder: Path) -> bytes:
    """What is embedded, or in a file whose path is relative to that of the kubeconfig."""
    embedded = entry.get(f"{name}-data")
    return (folder / entry[name]).read_bytes() if embedded is None else base64.b64decode(embedded)


def _user(credential: Credential) -> dict[str, str]:
    if isinstance(credential, Token):
        return {"token": credential.value}
    return {
        "client-certificate-data": _base64(credential.certificate),
        "client-key-data": _base64(credential.key),
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
