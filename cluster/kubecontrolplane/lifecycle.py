"""Starts what is missing of a control plane, and ends what was started.

All of it is called with the directory's lock held.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kubecontrolplane.api import HttpsClient
from kubecontrolplane.components import API_SERVER, COMPONENTS, CONTROLLER_MANAGER, Component
from kubecontrolplane.errors import StartError
from kubecontrolplane.files import write_private
from kubecontrolplane.kubeconfig import OwnEndpoint, render
from kubecontrolplane.layout import Layout
from kubecontrolplane.pki import Pki
from kubecontrolplane.ports import HOST, free_port, is_free, port_was_taken
from kubecontrolplane.process import ProcessRecord, spawn, stop, wait_exit
from kubecontrolplane.state import State

_LOG = logging.getLogger("kubecontrolplane")

READY_SECONDS: Final = 180.0
# The API server ends in a second or two, but never once its etcd is gone. Killing it, or etcd,
# loses nothing that was answered.
STOP_SECONDS: Final = 10.0
# Between two looks at a health endpoint; the wait ends at once if the process does.
_POLL_SECONDS: Final = 0.05
# Ports are drawn from thousands; losing this many in a row has another cause.
_ATTEMPTS: Final = 5
_LOG_TAIL_LINES: Final = 15
_DEFAULT_ACCOUNT: Final = "/api/v1/namespaces/default/serviceaccounts/default"


class _EndedError(StartError):
    """A component's process ended before it was ready.

    Attributes:
        log: what it said.
    """

    def __init__(self, component: str, path: Path) -> None:
        self.log = path.read_text(errors="replace")
        tail = "\n".join(self.log.splitlines()[-_LOG_TAIL_LINES:])
        super().__init__(f"{component} ended while it started; {path} ends with:\n{tail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Starts the components of one control plane.

    Attributes:
        layout: its directory.
        binaries: component name -> program, for components that are not running.
        fixed_port: the port that the API server must have, or None for any.
    """

    layout: Layout
    binaries: Mapping[str, Path]
    fixed_port: int | None

    def start(self, state: State) -> State:
        """Bring every component up that is down, or that runs with other settings.

        Returns:
            The settings with which all of them run.

        Raises:
            StartError: one of them does not come up; those that this call started are ended.
        """
        started: list[ProcessRecord] = []
        try:
            for component in COMPONENTS:
                state = self._bring_up(component, state, started)
                if component is API_SERVER:
                    write_kubeconfigs(self.layout, component.url(state))
            self._await_default_account(state)
        except BaseException:
            for record in reversed(started):
                stop(record, grace=STOP_SECONDS)
            raise
        return state

    def _bring_up(self, component: Component, state: State, started: list[ProcessRecord]) -> State:
        """Have one component run and be ready; the settings with its port."""
        for _ in range(_ATTEMPTS):
            state = self._with_port(component, state)
            record = self._running(component, state) or self._spawn(component, state, started)
            try:
                self._await_ready(component, record, state)
            except _EndedError as ended:
                if record not in started:
                    continue  # it was on its way out when it was found
                if not port_was_taken(ended.log) or self._is_fixed(component):
                    raise
                _LOG.info("%s: port %d was taken", component.name, state.ports[component.name])
                state = state.with_port(component.name, free_port(exclude=state.ports.values()))
            else:
                return state
        raise StartError(f"{component.name}: {_ATTEMPTS} free ports in a row were taken")

    def _with_port(self, component: Component, state: State) -> State:
        """The settings with a port for the component: the one asked for, the former, or any."""
        former = state.ports.get(component.name)
        record = load_record(self.layout, component.name)
        ours = former is not None and record is not None and record.alive
        if self.fixed_port is not None and self._is_fixed(component):
            if not (ours and former == self.fixed_port) and not is_free(self.fixed_port):
                raise StartError(f"port {self.fixed_port} of {HOST} is taken: name another --port")
            return state.with_port(component.name, self.fixed_port)
        if former is not None and (ours or is_free(former)):
            return state
        return state.with_port(component.name, free_port(exclude=state.ports.values()))

    def _is_fixed(self, component: Component) -> bool:
        return component is API_SERVER and self.fixed_port is not None

    def _running(self, component: Component, state: State) -> ProcessRecord | None:
        """The process that runs the component with these settings; with others, it is ended."""
        record = load_record(self.layout, component.name)
        if record is None or not record.alive:
            return None
        if record.argv == self._argv(component, state):
            return record
        _LOG.info("%s: restarting with other settings", component.name)
        stop(record, grace=STOP_SECONDS)
        return None

    def _spawn(
        self, component: Component, state: State, started: list[ProcessRecord]
    ) -> ProcessRecord:
        argv = self._argv(component, state)
        log = self.layout.log(component.name)
        if log.exists():
            log.replace(log.with_name(f"{log.name}.1"))
        # First, so that the port is known to a later call whatever becomes of this one.
        state.save(self.layout.state)
        try:
            record = spawn(argv, log=log)
        except OSError as error:
            raise StartError(f"{component.name}: {argv[0]} can't be started: {error}") from error
        started.append(record)
        record.save(self.layout.record(component.name))
        _LOG.info("%s: started as process %d", component.name, record.pid)
        return record

    def _argv(self, component: Component, state: State) -> tuple[str, ...]:
        return component.argv(self.binaries[component.name], self.layout, state)

    def _await_ready(self, component: Component, record: ProcessRecord, state: State) -> None:
        client = health_client(component, self.layout, state)
        self._await(component, record, lambda: client.is_ok(component.health), component.health)

    def _await_default_account(self, state: State) -> None:
        """Wait for the first visible work of the controllers, which clients depend on."""
        client = health_client(API_SERVER, self.layout, state)
        record = load_record(self.layout, CONTROLLER_MANAGER.name)
        if record is None:
            raise StartError(f"{CONTROLLER_MANAGER.name}: its record in {self.layout.root} is gone")
        self._await(
            CONTROLLER_MANAGER, record, lambda: client.exists(_DEFAULT_ACCOUNT), _DEFAULT_ACCOUNT
        )

    def _await(
        self,
        component: Component,
        record: ProcessRecord,
        reached: Callable[[], bool],
        what: str,
    ) -> None:
        """Wait for a condition as long as the component's process lives."""
        log = self.layout.log(component.name)
        deadline = time.monotonic() + READY_SECONDS
        while not reached():
            if wait_exit(record, seconds=_POLL_SECONDS):
                raise _EndedError(component.name, log)
            if time.monotonic() > deadline:
                raise StartError(
                    f"{component.name}: no {what} after {READY_SECONDS:.0f} s; see {log}"
                )


def health_client(component: Component, layout: Layout, state: State) -> HttpsClient:
    """A client that may ask for the component's health."""
    pki = Pki(layout.pki)
    return HttpsClient.with_certificate(
        component.url(state),
        authority=str(pki.certificate(component.authority)),
        certificate=str(pki.certificate(component.client)),
        key=str(pki.key(component.client)),
    )


def load_record(layout: Layout, component: str) -> ProcessRecord | None:
    """The process that was last started for a component, alive or not."""
    return ProcessRecord.load(layout.record(component))


def running(layout: Layout) -> Mapping[str, ProcessRecord]:
    """Component name -> its process, for those that run."""
    records = ((each.name, load_record(layout, each.name)) for each in COMPONENTS)
    return {name: record for name, record in records if record is not None and record.alive}


def stop_all(layout: Layout) -> list[str]:
    """End what kubecontrolplane started in the directory; the names of what was ended.

    The API server goes before etcd, which it needs to finish its requests.
    """
    ended = []
    for component in reversed(COMPONENTS):
        record = load_record(layout, component.name)
        if record is not None and stop(record, grace=STOP_SECONDS):
            _LOG.info("%s: process %d ended", component.name, record.pid)
            ended.append(component.name)
        layout.record(component.name).unlink(missing_ok=True)
    return ended


def write_kubeconfigs(layout: Layout, server: str) -> None:
    """Write the credentials of the administrator and of kube-controller-manager."""
    pki = Pki(layout.pki)
    at = endpoint(layout, server)
    for path, user, name in (
        (layout.kubeconfig, "admin", "admin"),
        (layout.controller_manager_kubeconfig, CONTROLLER_MANAGER.name, CONTROLLER_MANAGER.name),
    ):
        write_private(path, render(at, user=user, credential=pki.read(name)).encode())


def endpoint(layout: Layout, server: str) -> OwnEndpoint:
    """How clients find and verify the API server."""
    authority = Pki(layout.pki).certificate("ca").read_bytes()
    return OwnEndpoint(server=server, authority=authority, directory=layout.root)
