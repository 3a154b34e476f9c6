"""A cluster of another maker, such as kind or k3s, that somebody says may be destroyed."""

from dataclasses import dataclass
from pathlib import Path

from kubecontrolplane.api import HttpsClient
from kubecontrolplane.assets import find_kubectl
from kubecontrolplane.cluster import Cluster
from kubecontrolplane.errors import ForeignClusterError
from kubecontrolplane.files import write_private
from kubecontrolplane.kubeconfig import Access, Endpoint, Token, read_access, render


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposableCluster(Cluster):
    """A cluster that kubecontrolplane did not make, and neither starts nor ends. It has no audit log.

    Attributes:
        access: what the given kubeconfig gave.
        folder: holds what TLS wants to have in files.
    """

    access: Access
    folder: Path

    def api(self) -> HttpsClient:
        """A client with the administrator's credentials."""
        authority, credential = str(self.folder / "ca.crt"), self.access.credential
        if isinstance(credential, Token):
            return HttpsClient.with_token(self.server, authority=authority, token=credential.value)
        return HttpsClient.with_certificate(
            self.server,
            authority=authority,
            certificate=str(self.folder / "client.crt"),
            key=str(self.folder / "client.key"),
        )

    def endpoint(self) -> Endpoint:
        """How clients find and verify the API server."""
        return self.access.endpoint


def open_disposable(kubeconfig: Path, *, named: str, folder: Path) -> DisposableCluster:
    """The cluster that a kubeconfig leads to, if it is the one that was named as disposable.

    What comes of the file is copied: whoever changes its current context later changes nothing here.

    Args:
        kubeconfig: the file; its current context counts.
        named: the URL of the server that may be destroyed.
        folder: where the copy is kept, an existing directory that nobody else can read.

    Raises:
        ForeignClusterError: the file leads to another server. Nothing was sent to it.
        KubeconfigError: the file lacks something.
        OSError: the server can't be reached.
        ApiError: the server refuses to say its version.
        ControlPlaneError: there is no kubectl, as `find_kubectl` says.
    """
    access = read_access(kubeconfig)
    server = access.endpoint.server
    if server != named:
        raise ForeignClusterError(
            f"{kubeconfig} leads to {server}, but {named} was named as disposable: it is not used, since it "
            "may matter to somebody. Choose the other context, or name this server"
        )
    _write(access, folder)
    cluster = DisposableCluster(
        kubeconfig=folder / "kubeconfig",
        server=server,
        kubectl=find_kubectl(),
        audit_log=None,
        access=access,
        folder=folder,
    )
    cluster.api().request("GET", "/version")
    return cluster


def _write(access: Access, folder: Path) -> None:
    text = render(access.endpoint, user="administrator", credential=access.credential)
    write_private(folder / "kubeconfig", text.encode())
    write_private(folder / "ca.crt", access.endpoint.authority)
    if not isinstance(access.credential, Token):
        write_private(folder / "client.crt", access.credential.certificate)
        write_private(folder / "client.key", access.credential.key)
