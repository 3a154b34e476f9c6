"""A control plane's life: up, found again, repaired, ended, continued, started afresh."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.patience import patience

from kubecontrolplane import lifecycle
from kubecontrolplane.binaries import CONTROL_PLANE
from kubecontrolplane.build import Pins
from kubecontrolplane.cluster import down, find, up
from kubecontrolplane.errors import StartError
from kubecontrolplane.layout import Layout
from kubecontrolplane.ports import HOST, free_port
from kubecontrolplane.process import ProcessRecord, spawn, stop, wait_exit

pytestmark = pytest.mark.breadth

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager")
GENEROUS = patience(120)


def kill(kubecontrolplane: Any, component: str) -> None:
    """End a component the hard way and wait until it is gone."""
    record = ProcessRecord.load(Layout(kubecontrolplane.directory).record(component))
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    assert wait_exit(record, seconds=GENEROUS)


class TestUp:
    def test_the_line_tells_all_that_a_client_needs(self, shared: Any) -> None:
        line = shared.json("up")
        assert set(line) == {"kubeconfig", "server", "kubectl", "audit_log", "pids"}
        assert Path(line["kubeconfig"]).is_file()
        assert os.access(line["kubectl"], os.X_OK)
        assert line["server"].startswith("https://127.0.0.1:")
        assert line["audit_log"] is None
        assert tuple(line["pids"]) == COMPONENTS

    def test_a_second_up_finds_the_running_one(self, shared: Any) -> None:
        first, second = shared.json("up"), shared.json("up")
        assert first == second

    def test_the_python_interface_finds_it_too(self, shared: Any) -> None:
        assert find(shared.directory).to_json() == shared.json("up")

    def test_all_components_are_healthy(self, shared: Any) -> None:
        found = shared.json("status")
        assert tuple(found) == COMPONENTS
        assert all(each["healthy"] for each in found.values())

    def test_kubectl_and_server_are_of_the_pinned_release_and_know_it(
        self, shared: Any, kubectl: Any
    ) -> None:
        done = kubectl(shared.json("up"), "version")
        versions = [line for line in done.stdout.splitlines() if "Kustomize" not in line]
        release = Pins.of(CONTROL_PLANE).version("k8s.io/kubernetes")
        assert versions == [f"Client Version: {release}", f"Server Version: {release}"]
        assert done.stderr == ""

    def test_only_the_owner_reads_the_directory(self, shared: Any) -> None:
        assert stat.S_IMODE(shared.directory.stat().st_mode) == 0o700
        assert stat.S_IMODE((shared.directory / "kubeconfig").stat().st_mode) == 0o600

    def test_the_components_are_detached(self, shared: Any) -> None:
        pids = shared.json("up")["pids"].values()
        assert [os.getsid(pid) for pid in pids] == list(pids)

    def test_etcd_takes_nobody_without_its_certificate(self, shared: Any) -> None:
        record = ProcessRecord.load(Layout(shared.directory).record("etcd"))
        assert record is not None
        [url] = [each for each in record.argv if each.startswith("--listen-client-urls=")]
        port = int(url.rpartition(":")[2])
        with socket.create_connection((HOST, port)) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"healthy" not in connection.recv(1024)

    def test_two_at_once_start_one(self, kubecontrolplane: Any) -> None:
        starters = [
            subprocess.Popen(
                kubecontrolplane.command("up"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            for _ in range(3)
        ]
        lines = {starter.communicate()[0] for starter in starters}
        assert {starter.returncode for starter in starters} == {0}
        assert len(lines) == 1


class TestRepair:
    @pytest.mark.parametrize("component", COMPONENTS)
    def test_what_has_died_is_started_again_and_the_rest_left_alone(
        self, component: str, shared: Any
    ) -> None:
        before = shared.json("up")
        kill(shared, component)
        assert shared.run("status").returncode == 3
        after = shared.json("up")
        changed = {name for name in COMPONENTS if before["pids"][name] != after["pids"][name]}
        assert changed == {component}
        assert after["server"] == before["server"]

    def test_data_outlives_a_crash_of_everything(self, shared: Any, kubectl: Any) -> None:
        kubectl(shared.json("up"), "create", "configmap", "survivor").check_returncode()
        for component in COMPONENTS:
            kill(shared, component)
        done = kubectl(shared.json("up"), "get", "configmap", "survivor", "-o", "name")
        assert done.stdout == "configmap/survivor\n", done.stderr

    def test_an_audit_log_can_be_added_and_stays(self, kubecontrolplane: Any) -> None:
        before = kubecontrolplane.json("up")
        after = kubecontrolplane.json("up", "--audit")
        assert before["pids"]["etcd"] == after["pids"]["etcd"]
        assert before["server"] == after["server"]
        assert Path(after["audit_log"]).stat().st_size
        assert kubecontrolplane.json("up") == after


class TestDown:
    def test_it_ends_all_and_tells_so_and_again_is_no_error(self, kubecontrolplane: Any) -> None:
        kubecontrolplane.json("up")
        records = [
            ProcessRecord.load(Layout(kubecontrolplane.directory).record(name))
            for name in COMPONENTS
        ]
        done = kubecontrolplane.run("down")
        assert (done.returncode, done.stdout) == (0, "")
        assert [record.alive for record in records if record] == [False, False, False]
        again = kubecontrolplane.run("down")
        assert again.returncode == 0
        assert "nothing runs in" in again.stderr

    def test_processes_that_are_not_ours_stay(self, kubecontrolplane: Any, tmp_path: Path) -> None:
        """A record whose pid was given to somebody else meanwhile."""
        bystander = spawn(
            (sys.executable, "-c", "import signal; signal.pause()"), log=tmp_path / "log"
        )
        kubecontrolplane.json("up")
        recycled = ProcessRecord(pid=bystander.pid, started="another moment", argv=bystander.argv)
        layout = Layout(kubecontrolplane.directory)
        kill(kubecontrolplane, "kube-controller-manager")
        recycled.save(layout.record("kube-controller-manager"))
        assert kubecontrolplane.run("down").returncode == 0
        assert bystander.alive
        stop(bystander, grace=GENEROUS)

    def test_the_next_up_continues_with_the_data_at_the_same_address(
        self, kubecontrolplane: Any, kubectl: Any
    ) -> None:
        before = kubecontrolplane.json("up")
        kubectl(before, "create", "namespace", "kept").check_returncode()
        assert kubecontrolplane.run("down").returncode == 0
        after = kubecontrolplane.json("up")
        assert after["server"] == before["server"]
        assert kubectl(after, "get", "namespace", "kept", "-o", "name").stdout == "namespace/kept\n"

    def test_fresh_starts_from_nothing(self, kubecontrolplane: Any, kubectl: Any) -> None:
        before = kubecontrolplane.json("up")
        kubectl(before, "create", "namespace", "gone").check_returncode()
        after = kubecontrolplane.json("up", "--fresh")
        done = kubectl(after, "get", "namespace", "gone")
        assert 'namespaces "gone" not found' in done.stderr

    def test_delete_leaves_nothing(self, kubecontrolplane: Any) -> None:
        kubecontrolplane.json("up")
        assert kubecontrolplane.run("down", "--delete").returncode == 0
        assert not kubecontrolplane.directory.exists()


class TestPorts:
    def test_a_port_that_was_asked_for_is_used(self, kubecontrolplane: Any) -> None:
        port = free_port()
        assert (
            kubecontrolplane.json("up", "--port", str(port))["server"]
            == f"https://127.0.0.1:{port}"
        )

    def test_a_running_one_moves_to_a_port_that_is_asked_for(
        self, kubecontrolplane: Any, kubectl: Any
    ) -> None:
        before = kubecontrolplane.json("up")
        port = free_port()
        after = kubecontrolplane.json("up", "--port", str(port))
        assert after["server"].endswith(f":{port}")
        assert after["pids"]["etcd"] == before["pids"]["etcd"]
        # The controllers have moved along: they serve the new namespace.
        kubectl(after, "create", "namespace", "moved").check_returncode()
        done = kubectl(after, "wait", "--namespace=moved", "--for=create", "serviceaccount/default")
        assert done.returncode == 0, done.stderr

    def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_running(
        self, kubecontrolplane: Any
    ) -> None:
        with socket.create_server((HOST, 0)) as somebody:
            port = somebody.getsockname()[1]
            done = kubecontrolplane.run("up", "--port", str(port))
        assert done.returncode == 1
        assert f"port {port} of 127.0.0.1 is taken: name another --port" in done.stderr
        assert kubecontrolplane.run("status").returncode == 3

    def test_a_former_port_that_is_taken_now_is_replaced(
        self, kubecontrolplane: Any, kubectl: Any
    ) -> None:
        before = kubecontrolplane.json("up")
        kubecontrolplane.run("down")
        with socket.create_server((HOST, int(before["server"].rpartition(":")[2]))):
            after = kubecontrolplane.json("up")
        assert after["server"] != before["server"]
        assert kubectl(after, "get", "namespaces").returncode == 0

    @pytest.mark.parametrize("component", COMPONENTS)
    def test_a_port_that_is_lost_between_choice_and_use_is_replaced(
        self, component: str, kubecontrolplane: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server((HOST, 0)) as somebody:
            taken = somebody.getsockname()[1]
            drawn: list[int] = []

            def choose(*, exclude: Any) -> int:
                drawn.append(taken if len(drawn) == COMPONENTS.index(component) else free_port())
                return drawn[-1]

            monkeypatch.setattr(lifecycle, "free_port", choose)
            up(kubecontrolplane.directory)
        assert len(drawn) == len(COMPONENTS) + 1
        assert kubecontrolplane.run("status").returncode == 0


class TestFailure:
    def test_what_a_component_said_is_shown_and_nothing_stays(
        self, kubecontrolplane: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Any
    ) -> None:
        real = Path(shared.json("up")["kubectl"]).parent
        for name in ("etcd", "kubectl", "kube-controller-manager"):
            (tmp_path / name).symlink_to(real / name)
        broken = tmp_path / "kube-apiserver"
        broken.write_text("#!/bin/sh\necho the moon is in the wrong phase >&2\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
        done = kubecontrolplane.run("up")
        assert done.returncode == 1
        assert done.stdout == ""
        assert "kube-apiserver ended while it started" in done.stderr
        assert "the moon is in the wrong phase" in done.stderr
        record = ProcessRecord.load(Layout(kubecontrolplane.directory).record("etcd"))
        assert record is not None
        assert not record.alive

    def test_a_program_that_is_for_another_machine_is_named(
        self, kubecontrolplane: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl"):
            (tmp_path / name).write_bytes(b"\x7fELF, but not really")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
        with pytest.raises(StartError, match=r"etcd: .*/etcd can't be started"):
            up(kubecontrolplane.directory)


class TestForeground:
    @pytest.fixture
    def foreground(self, kubecontrolplane: Any) -> Any:
        """A control plane that a process of ours owns."""
        owner = subprocess.Popen(
            kubecontrolplane.command("up", "--foreground"), stdout=subprocess.PIPE, text=True
        )
        assert owner.stdout is not None
        assert '"kubeconfig"' in owner.stdout.readline()
        yield owner
        owner.kill()
        owner.communicate()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
    def test_a_signal_ends_it_all(
        self, number: int, foreground: Any, kubecontrolplane: Any
    ) -> None:
        foreground.send_signal(number)
        assert foreground.wait(timeout=GENEROUS) == 0
        assert kubecontrolplane.run("status").returncode == 3
        assert not down(kubecontrolplane.directory)

    def test_the_end_of_a_component_ends_it_with_an_error(
        self, foreground: Any, kubecontrolplane: Any
    ) -> None:
        kill(kubecontrolplane, "etcd")
        assert foreground.wait(timeout=GENEROUS) == 1
        assert not down(kubecontrolplane.directory)

    def test_a_signal_while_it_starts_leaves_nothing_running(
        self, kubecontrolplane: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Any
    ) -> None:
        real = Path(shared.json("up")["kubectl"]).parent
        for name in ("etcd", "kubectl", "kube-controller-manager"):
            (tmp_path / name).symlink_to(real / name)
        # Never becomes ready, and tells when it has been started.
        os.mkfifo(tmp_path / "started")
        waits = tmp_path / "kube-apiserver"
        waits.write_text(f"#!/bin/sh\necho > {tmp_path}/started\nexec sleep 1000\n")
        waits.chmod(0o755)
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
        starter = subprocess.Popen(kubecontrolplane.command("up"), stderr=subprocess.DEVNULL)
        assert (tmp_path / "started").read_text() == "\n"
        starter.send_signal(signal.SIGTERM)
        assert starter.wait(timeout=GENEROUS) == 128 + signal.SIGTERM
        assert not down(kubecontrolplane.directory)
