"""Control planes as Python sees them: `up`, `ControlPlane`, `down`, `status`."""

import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kubecontrolplane.api import HttpsClient
from kubecontrolplane.assets import KUBECTL, find_binaries
from kubecontrolplane.components import (
    API_SERVER,
    AUDIT_POLICY,
    COMPONENTS,
    SERVICE_ADDRESS,
    Component,
)
from kubecontrolplane.errors import DirectoryError, ForeignClusterError
from kubecontrolplane.files import locked, write_private
from kubecontrolplane.kubeconfig import Endpoint, Token, read_endpoint, render
from kubecontrolplane.layout import Layout
from kubecontrolplane.lifecycle import Starter, endpoint, health_client, running, stop_all
from kubecontrolplane.pki import Pki
from kubecontrolplane.process import ProcessRecord
from kubecontrolplane.state import State

_LOG = logging.getLogger("kubecontrolplane")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(ABC):
    """A cluster as its administrator sees it.

    Attributes:
        kubeconfig: credentials of the administrator.
        server: the API server's URL.
        kubectl: a kubectl that goes with it.
        audit_log: one JSON event a line; None without an audit log.
    """

    kubeconfig: Path
    server: str
    kubectl: Path
    audit_log: Path | None

    @abstractmethod
    def api(self) -> HttpsClient:
        """A client with the administrator's credentials."""

    @abstractmethod
    def endpoint(self) -> Endpoint:
        """How clients find and verify the API server."""

    def kubeconfig_for_service_account(
        self, namespace: str, name: str, *, seconds: int = 24 * 3600
    ) -> str:
        """A kubeconfig for an existing ServiceAccount, with a token from the TokenRequest API.

        Args:
            namespace: its namespace, also the kubeconfig's default.
            name: its name.
            seconds: how long the token is valid; the API grants at least 600.

        Raises:
            ApiError: there is no such ServiceAccount, or the duration is refused.
        """
        path = f"/api/v1/namespaces/{quote(namespace)}/serviceaccounts/{quote(name)}/token"
        asked = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        answer = self.api().request("POST", path, asked)
        return render(
            self.endpoint(),
            user=f"system:serviceaccount:{namespace}:{name}",
            credential=Token(value=answer["status"]["token"]),
            namespace=namespace,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane(Cluster):
    """A control plane that runs here.

    Its server is on loopback, its administrator of the group system:masters, and its kubectl of
    the same release.

    Attributes:
        directory: where it keeps everything.
        pids: component name -> process id.
    """

    directory: Path
    pids: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """What `kubecontrolplane up` prints."""
        return {
            "kubeconfig": str(self.kubeconfig),
            "server": self.server,
            "kubectl": str(self.kubectl),
            "audit_log": None if self.audit_log is None else str(self.audit_log),
            "pids": dict(self.pids),
        }

    def api(self) -> HttpsClient:
        """A client with the administrator's credentials."""
        layout = Layout(self.directory)
        return health_client(API_SERVER, layout, State.load(layout.state))

    def endpoint(self) -> Endpoint:
        """How clients find and verify the API server."""
        return endpoint(Layout(self.directory), self.server)

    def kubeconfig_for_user(self, user: str, groups: Sequence[str] = ()) -> str:
        """A kubeconfig for a user of these groups, who has only what RBAC grants them."""
        credential = Pki(Layout(self.directory).pki).issue_client(user, groups)
        return render(self.endpoint(), user=user, credential=credential)

    def down(self, *, delete: bool = False) -> None:
        """End it; with `delete`, its data goes too."""
        down(self.directory, delete=delete)


def up(
    directory: Path | str, *, audit: bool = False, port: int | None = None, fresh: bool = False
) -> ControlPlane:
    """Have a control plane run in a directory.

    What runs already is left as it is, what is missing is started, with the data that is there.
    Safe to call from many processes at once.

    Args:
        directory: made as needed.
        audit: whether to keep an audit log; once on, it stays on.
        port: of the API server; without it, the former one if it is free, else any.
        fresh: whether to end what runs and to delete all data first.

    Raises:
        DirectoryError: the directory holds something else.
        StartError: a component does not come up.
        ControlPlaneError: as `kubecontrolplane.assets.find_binaries` says.
    """
    layout = Layout.of(directory)
    with _held(layout):
        if fresh:
            stop_all(layout)
            layout.wipe()
        state = State.load(layout.state)
        binaries = _binaries(layout, state)
        state = replace(
            state,
            audit=audit or state.audit,
            binaries={name: str(path) for name, path in binaries.items()},
        )
        # First of all, as it marks the directory as ours.
        state.save(layout.state)
        layout.create()
        Pki(layout.pki).create(SERVICE_ADDRESS)
        write_private(layout.audit_policy, AUDIT_POLICY.encode())
        state = Starter(layout=layout, binaries=binaries, fixed_port=port).start(state)
        state.save(layout.state)
        return _running_cluster(layout)


def find(directory: Path | str) -> ControlPlane:
    """The control plane that runs in a directory.

    Raises:
        DirectoryError: none does.
    """
    layout = Layout.of(directory)
    layout.require()
    return _running_cluster(layout)


def find_by_kubeconfig(path: Path | str) -> ControlPlane:
    """The control plane that a kubeconfig leads to, if kubecontrolplane made it.

    For programs that are handed a kubeconfig and are about to do harm with it.

    Raises:
        ForeignClusterError: the file leads to another cluster, or kubecontrolplane did not write it.
        DirectoryError: the control plane does not run.
    """
    claimed = read_endpoint(Path(path))
    layout = Layout(claimed.directory)
    if not layout.exists:
        raise ForeignClusterError(f"{path}: there is no control plane in {layout.root}")
    cluster = _running_cluster(layout)
    real = endpoint(layout, cluster.server)
    if (claimed.server, claimed.authority) != (real.server, real.authority):
        raise ForeignClusterError(
            f"{path} leads to {claimed.server} by another certificate authority or port than the "
            f"control plane of {layout.root} ({real.server}) has"
        )
    return cluster


def down(directory: Path | str, *, delete: bool = False) -> bool:
    """End the control plane of a directory; does nothing where there is none.

    Only processes that kubecontrolplane started are ended, and only if they are still the same.

    Args:
        directory: the directory.
        delete: whether to delete everything that kubecontrolplane made in it.

    Returns:
        Whether anything ran.

    Raises:
        DirectoryError: the directory holds something else.
    """
    layout = Layout.of(directory)
    if not layout.exists:
        layout.check()
        return False
    with _held(layout):
        ended = stop_all(layout)
        if delete:
            layout.wipe()
            layout.remove()
    return bool(ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentStatus:
    """How one component does.

    Attributes:
        pid: its process, or None if it does not run.
        healthy: whether its health endpoint says so.
    """

    pid: int | None
    healthy: bool


def status(directory: Path | str) -> Mapping[str, ComponentStatus]:
    """How each component of a control plane does.

    Raises:
        DirectoryError: there is no control plane in the directory.
    """
    layout = Layout.of(directory)
    layout.require()
    state = State.load(layout.state)
    processes = running(layout)
    return {each.name: _component_status(each, layout, state, processes) for each in COMPONENTS}


@contextlib.contextmanager
def _held(layout: Layout) -> Iterator[None]:
    """The directory, ours alone: checked before a lock file is put there, and with the lock."""
    layout.check()
    with locked(layout.lock, on_wait=lambda: _LOG.info("waiting for another kubecontrolplane")):
        layout.check(locked=True)
        yield


def _running_cluster(layout: Layout) -> ControlPlane:
    state = State.load(layout.state)
    processes = running(layout)
    lacking = [each.name for each in COMPONENTS if each.name not in processes]
    if lacking:
        raise DirectoryError(
            f"the control plane in {layout.root} is not running ({', '.join(lacking)}): "
            f"`kubecontrolplane up --dir {layout.root}` starts it"
        )
    return ControlPlane(
        directory=layout.root,
        kubeconfig=layout.kubeconfig,
        server=API_SERVER.url(state),
        kubectl=Path(state.binaries[KUBECTL]),
        audit_log=layout.audit_log if state.audit else None,
        pids={name: record.pid for name, record in processes.items()},
    )


def _binaries(layout: Layout, state: State) -> Mapping[str, Path]:
    """The programs to start: while some of a control plane run, the rest must be of their kind."""
    recorded = {name: Path(path) for name, path in state.binaries.items()}
    if running(layout) and recorded and all(path.is_file() for path in recorded.values()):
        return recorded
    return find_binaries()


def _component_status(
    component: Component, layout: Layout, state: State, processes: Mapping[str, ProcessRecord]
) -> ComponentStatus:
    record = processes.get(component.name)
    if record is None:
        return ComponentStatus(pid=None, healthy=False)
    healthy = health_client(component, layout, state).is_ok(component.health)
    return ComponentStatus(pid=record.pid, healthy=healthy)
