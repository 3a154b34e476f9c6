"""The command lines: loopback only, authorised by RBAC, audited on request."""

from pathlib import Path

import pytest

from kubecontrolplane.binaries import CONTROL_PLANE
from kubecontrolplane.components import API_SERVER, COMPONENTS, CONTROLLER_MANAGER, ETCD, Component
from kubecontrolplane.layout import Layout
from kubecontrolplane.state import State

LAYOUT = Layout(Path("/c"))
STATE = State(
    ports={"etcd": 1001, "kube-apiserver": 1002, "kube-controller-manager": 1003}, binaries={}
)


def flags(component: Component, state: State = STATE) -> dict[str, str]:
    _, *arguments = component.argv(Path("/bin/program"), LAYOUT, state)
    return dict(argument.removeprefix("--").split("=", 1) for argument in arguments)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.name)
def test_every_component_is_a_program_of_the_set(component: Component) -> None:
    assert component.name in {binary.name for binary in CONTROL_PLANE.binaries}


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda each: each.name)
def test_every_listener_is_on_loopback_at_its_port(component: Component) -> None:
    given = flags(component)
    if component is ETCD:
        listeners = [given["listen-client-urls"], given["listen-peer-urls"]]
        assert listeners == ["https://127.0.0.1:1001", "https://127.0.0.1:0"]
    else:
        assert given["bind-address"] == "127.0.0.1"
        assert given["secure-port"] == str(STATE.ports[component.name])


def test_etcd_asks_its_clients_for_certificates() -> None:
    given = flags(ETCD)
    assert given["client-cert-auth"] == given["peer-client-cert-auth"] == "true"
    assert given["trusted-ca-file"] == "/c/pki/etcd-ca.crt"


def test_the_api_server_authorises_by_rbac() -> None:
    assert flags(API_SERVER)["authorization-mode"] == "Node,RBAC"


def test_without_audit_there_is_no_log() -> None:
    assert not [name for name in flags(API_SERVER) if name.startswith("audit")]


def test_with_audit_every_event_stays_in_one_file() -> None:
    audited = State(ports=STATE.ports, binaries={}, audit=True)
    given = flags(API_SERVER, audited)
    assert given["audit-log-path"] == "/c/logs/audit.log"
    assert given["audit-log-maxsize"] == "0"


@pytest.mark.parametrize(
    ("component", "depends_on"), [(API_SERVER, ETCD), (CONTROLLER_MANAGER, API_SERVER)]
)
def test_a_component_restarts_when_what_it_needs_has_moved(
    component: Component, depends_on: Component
) -> None:
    """Its command line changes with the other's port, and that is what restarts it."""
    moved = STATE.with_port(depends_on.name, 2000)
    before, after = (component.argv(Path("/b"), LAYOUT, state) for state in (STATE, moved))
    assert before != after
