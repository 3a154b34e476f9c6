"""Kubeconfig files: one cluster, one user, everything embedded, so that a file can be moved."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubecontrolplane.errors import ForeignClusterError
from kubecontrolplane.pki import CertificatePem

_CLUSTER = "kubecontrolplane"
# Kubeconfigs have a place for what other programs want to keep: by it a file of ours is known.
_EXTENSION = "kubecontrolplane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, as the TokenRequest API gives it."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The API server of one control plane.

    Attributes:
        server: its URL.
        authority: the certificate by which it is verified, PEM.
        directory: the control plane's directory.
    """

    server: str
    authority: bytes
    directory: Path


def render(
    endpoint: Endpoint,
    *,
    user: str,
    credential: CertificatePem | Token,
    namespace: str = "default",
) -> str:
    """A kubeconfig (v1, YAML) for one user of a control plane."""
    cluster = {
        "server": endpoint.server,
        "certificate-authority-data": _base64(endpoint.authority),
        "extensions": [
            {"name": _EXTENSION, "extension": {"directory": str(endpoint.directory)}},
        ],
    }
    context = {"cluster": _CLUSTER, "user": user, "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _CLUSTER, "cluster": cluster}],
        "users": [{"name": user, "user": _user(credential)}],
        "contexts": [{"name": _CLUSTER, "context": context}],
        "current-context": _CLUSTER,
    }
    return yaml.safe_dump(document, sort_keys=False)


def read_endpoint(path: Path) -> Endpoint:
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
        return Endpoint(
            server=cluster["server"],
            authority=base64.b64decode(cluster["certificate-authority-data"]),
            directory=Path(extension["directory"]),
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ForeignClusterError(
            f"{path} is not a kubeconfig that kubecontrolplane wrote ({type(error).__name__}: {error}): "
            "it is not used, since it may lead to a cluster that matters to somebody"
        ) from error


def _user(credential: CertificatePem | Token) -> dict[str, str]:
    if isinstance(credential, Token):
        return {"token": credential.value}
    return {
        "client-certificate-data": _base64(credential.certificate),
        "client-key-data": _base64(credential.key),
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
