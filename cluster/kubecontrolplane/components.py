"""The components of a control plane: their command lines and their health endpoints.

Adding one (kubelet, kube-scheduler) is adding a row here and its binary in `binaries`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kubecontrolplane.layout import Layout
from kubecontrolplane.pki import Pki
from kubecontrolplane.ports import HOST
from kubecontrolplane.state import State

_ETCD: Final = "etcd"
_API_SERVER: Final = "kube-apiserver"
_CONTROLLER_MANAGER: Final = "kube-controller-manager"

SERVICE_RANGE: Final = "10.96.0.0/16"
# The range's first address: Kubernetes gives it to the Service `kubernetes`.
SERVICE_ADDRESS: Final = "10.96.0.1"
# Constant, so that tokens outlive a change of port.
ISSUER: Final = "https://kubernetes.default.svc.cluster.local"

# Every request with its user, verb, resource, subresource and name, once, when it is answered;
# no bodies, so no Secret ever gets into the log.
AUDIT_POLICY: Final = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: Metadata
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One program of the control plane.

    Attributes:
        name: the name of its binary.
        flags: its arguments; any change of them restarts it.
        health: the path that answers 200 once it serves.
        authority: the name of the certificate authority that issued its serving certificate.
        client: the name of the client certificate that may ask for its health.
    """

    name: str
    flags: Callable[[Layout, State], tuple[str, ...]]
    health: str
    authority: str
    client: str

    def url(self, state: State) -> str:
        """Where it serves."""
        return f"https://{HOST}:{state.ports[self.name]}"

    def argv(self, binary: Path, layout: Layout, state: State) -> tuple[str, ...]:
        """Its command line."""
        return (str(binary), *self.flags(layout, state))


def _etcd(layout: Layout, state: State) -> tuple[str, ...]:
    pki = Pki(layout.pki)
    url = f"https://{HOST}:{state.ports[_ETCD]}"
    certificate, key = pki.certificate("etcd"), pki.key("etcd")
    return (
        f"--data-dir={layout.etcd}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--cert-file={certificate}",
        f"--key-file={key}",
        f"--trusted-ca-file={pki.certificate('etcd-ca')}",
        "--client-cert-auth=true",
        # It has no peers, yet insists on listening for them.
        f"--listen-peer-urls=https://{HOST}:0",
        f"--peer-cert-file={certificate}",
        f"--peer-key-file={key}",
        f"--peer-trusted-ca-file={pki.certificate('etcd-ca')}",
        "--peer-client-cert-auth=true",
        # What a crash of the machine may lose is a test's data; a crash of etcd loses nothing.
        "--unsafe-no-fsync=true",
        "--log-level=warn",
    )


def _api_server(layout: Layout, state: State) -> tuple[str, ...]:
    pki = Pki(layout.pki)
    flags = (
        f"--etcd-servers=https://{HOST}:{state.ports[_ETCD]}",
        f"--etcd-cafile={pki.certificate('etcd-ca')}",
        f"--etcd-certfile={pki.certificate('etcd-client')}",
        f"--etcd-keyfile={pki.key('etcd-client')}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={state.ports[_API_SERVER]}",
        f"--tls-cert-file={pki.certificate(_API_SERVER)}",
        f"--tls-private-key-file={pki.key(_API_SERVER)}",
        f"--client-ca-file={pki.certificate('ca')}",
        "--authorization-mode=Node,RBAC",
        f"--service-account-issuer={ISSUER}",
        f"--api-audiences={ISSUER}",
        f"--service-account-signing-key-file={pki.key('service-account')}",
        f"--service-account-key-file={pki.service_account_public_key}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        # Endpoints of the Service `kubernetes` can't be on loopback, and no pod would use them.
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        # Without it, the end waits up to a minute for every client that watches something.
        "--shutdown-watch-termination-grace-period=2s",
        "--profiling=false",
    )
    if not state.audit:
        return flags
    return (
        *flags,
        f"--audit-policy-file={layout.audit_policy}",
        f"--audit-log-path={layout.audit_log}",
        # Never rotated: whoever reads it while it is written sees every event.
        "--audit-log-maxsize=0",
    )


def _controller_manager(layout: Layout, state: State) -> tuple[str, ...]:
    pki = Pki(layout.pki)
    kubeconfig = layout.controller_manager_kubeconfig
    return (
        f"--kubeconfig={kubeconfig}",
        # In the kubeconfig too; here, so that a new port restarts it.
        f"--master=https://{HOST}:{state.ports[_API_SERVER]}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={state.ports[_CONTROLLER_MANAGER]}",
        f"--tls-cert-file={pki.certificate('kube-controller-manager-serving')}",
        f"--tls-private-key-file={pki.key('kube-controller-manager-serving')}",
        f"--root-ca-file={pki.certificate('ca')}",
        f"--service-account-private-key-file={pki.key('service-account')}",
        f"--cluster-signing-cert-file={pki.certificate('ca')}",
        f"--cluster-signing-key-file={pki.key('ca')}",
        # Each controller acts under its own RBAC role, as in any real cluster.
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        # All controllers that are on by default run: without those for nodes and volumes it takes
        # neither less memory nor noticeably less processor time (measured).
        # The defaults (20, 30) are for a shared API server; here they would delay collection.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    )


ETCD: Final = Component(
    name=_ETCD, flags=_etcd, health="/health", authority="etcd-ca", client="etcd-client"
)
API_SERVER: Final = Component(
    name=_API_SERVER, flags=_api_server, health="/readyz", authority="ca", client="admin"
)
CONTROLLER_MANAGER: Final = Component(
    name=_CONTROLLER_MANAGER,
    flags=_controller_manager,
    health="/healthz",
    authority="ca",
    client="admin",
)
# In the order in which they start; they end in the reverse order.
COMPONENTS: Final = (ETCD, API_SERVER, CONTROLLER_MANAGER)
