"""`make demo`: a Kubernetes control plane, a local OCI and the operator, and the example job through all of it.

`KEEP=1` in the environment leaves everything running; `demo.py down` ends it.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import oci

from kubecontrolplane import cluster as control_plane
from kubecontrolplane import process
from kubecontrolplane.cluster import Cluster
from kubecontrolplane.errors import ControlPlaneError
from oci_emulator.testing import Emulator, EmulatorError
from ocijobs.testing.process import OperatorProcess

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".demo"
EXAMPLES = ROOT / "examples"
RUN = "train-classifier-200"
# As examples/ name them; a user writes names of the tenancy here.
SLUG, BUCKET, OBJECT_STORAGE_NAMESPACE = "generalml_p311_cpu_x86_64_v1", "models", "mytenancy"
RUN_SECONDS = 600


class DemoError(Exception):
    """A step failed; the message says what it was and what it printed."""


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    click.secho(f"==> {title}", bold=True)
    started = time.monotonic()
    yield
    click.echo(f"    done in {time.monotonic() - started:.1f} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """kubectl of the demo's cluster."""

    program: Path
    kubeconfig: Path

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        return [str(self.program), "--kubeconfig", str(self.kubeconfig), *arguments]

    def run(self, *arguments: str) -> str:
        """Run it and return what it prints.

        Raises:
            DemoError: it failed.
        """
        done = subprocess.run(  # noqa: S603 - the kubectl that kubecontrolplane built
            self.command(*arguments), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DemoError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def show(self, *arguments: str) -> None:
        """Run it for the reader: the command as one would type it, and what it prints."""
        click.secho(f"    $ kubectl {' '.join(arguments)}", fg="cyan")
        for line in self.run(*arguments).splitlines():
            click.echo(f"    {line}")


def demo() -> dict[str, Any]:
    """Run the whole road, and return the run as it ended. What was started is left running."""
    with step(f"software environment {SLUG} (built once, then cached)"):
        _call([sys.executable, "-m", "oci_emulator", "conda", "build", SLUG])
    with step("Kubernetes control plane"):
        cluster = control_plane.up(STATE / "cluster", fresh=True)
        kubectl = Kubectl(program=cluster.kubectl, kubeconfig=cluster.kubeconfig)
    with step("local OCI"):
        emulator = Emulator(STATE / "oci", mode="process", namespace=OBJECT_STORAGE_NAMESPACE)
        emulator.start()
        _remember("oci", emulator.pid)
        log_group = _prepare(emulator)
    with step("operator"):
        kubectl.show("apply", "--server-side", "-f", "crds/")
        operator = _operator(cluster, emulator)
        _remember("operator", operator.start().pid)
        operator.until_ready()
    with step("the example job and its run"):
        kubectl.run(*_secret(emulator))
        (STATE / "identity.yaml").write_text(_identity(emulator, log_group))
        kubectl.show("apply", "-f", ".demo/identity.yaml")
        kubectl.show("apply", "-f", "examples/training/")
        run = follow(kubectl)
    report(kubectl, run)
    return run


def _call(command: Sequence[str]) -> None:
    if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:  # noqa: S603 - our own
        raise DemoError(f"{' '.join(command)} failed; it says why above")


def _remember(name: str, pid: int) -> None:
    record = process.find(pid)
    if record is None:
        raise DemoError(f"the {name} process ended at once; see its log in {STATE}")
    record.save(STATE / f"{name}.process")


def _prepare(emulator: Emulator) -> str:
    """Make what examples/ take for granted in a tenancy: a bucket, and a log group, whose OCID is returned."""
    config = oci.config.from_file(str(emulator.config))
    storage = oci.object_storage.ObjectStorageClient(config, service_endpoint=emulator.http)
    storage.create_bucket(
        emulator.namespace,
        oci.object_storage.models.CreateBucketDetails(name=BUCKET, compartment_id=emulator.tenancy),
    )
    logging = oci.logging.LoggingManagementClient(config, service_endpoint=emulator.http)
    asked = logging.create_log_group(
        oci.logging.models.CreateLogGroupDetails(
            compartment_id=emulator.tenancy, display_name="jobs"
        )
    )
    request = logging.get_work_request(asked.headers["opc-work-request-id"])
    done = oci.wait_until(logging, request, "status", "SUCCEEDED", max_interval_seconds=1)
    return str(done.data.resources[0].identifier)


def _operator(cluster: Cluster, emulator: Emulator) -> OperatorProcess:
    return OperatorProcess(cluster.kubeconfig, STATE, {"oci_endpoint": emulator.http})


def _secret(emulator: Emulator) -> list[str]:
    """Return the command that examples/identity.yaml tells, for the local OCI's user."""
    parser = configparser.ConfigParser()
    parser.read(emulator.config)
    user = parser["DEFAULT"]
    return [
        *("create", "secret", "generic", "oci-api-key"),
        *(
            f"--from-literal={key}={user[key]}"
            for key in ("user", "tenancy", "fingerprint", "region")
        ),
        f"--from-file=privatekey={user['key_file']}",
    ]


def _identity(emulator: Emulator, log_group: str) -> str:
    """Return examples/identity.yaml with the OCIDs of the local OCI."""
    text = (EXAMPLES / "identity.yaml").read_text()
    for placeholder, ocid in (
        ("ocid1.compartment.oc1..replace", emulator.tenancy),
        ("ocid1.datascienceproject.oc1.iad.replace", emulator.project),
        ("ocid1.loggroup.oc1.iad.replace", log_group),
    ):
        text = text.replace(placeholder, ocid)
    return text


def follow(kubectl: Kubectl) -> dict[str, Any]:
    """Show each change of the run until it has ended, and return it.

    Raises:
        DemoError: it has not ended in time.
    """
    watch = kubectl.command(
        *("get", "ocijobrun", RUN, "--watch", f"--request-timeout={RUN_SECONDS}s"),
        "-o=jsonpath={.status.phase} {.status.lifecycleDetails}{'\\n'}",
    )
    started, shown = time.monotonic(), ""
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as changes:  # noqa: S603 - as above
        for line in changes.stdout or ():
            phase, _, details = line.strip().partition(" ")
            text = f"{phase or 'Pending':<12} {details.strip()}"
            if text != shown:
                shown = text
                click.echo(f"    {time.monotonic() - started:5.1f} s  {text}".rstrip())
            if phase in {"Succeeded", "Failed", "Cancelled"}:
                changes.terminate()
                break
        else:
            raise DemoError(f"{RUN} has not ended within {RUN_SECONDS} s")
    run: dict[str, Any] = json.loads(kubectl.run("get", "ocijobrun", RUN, "-o=json"))
    return run


def report(kubectl: Kubectl, run: dict[str, Any]) -> None:
    """Print what came of the run."""
    status = run["status"]
    click.secho("==> what came of it", bold=True)
    kubectl.show("get", "ocijobs,ocijobruns", "-o", "wide")
    lines = status.get("logs", {}).get("tail", [])
    _section("last log lines (status.logs.tail)", lines)
    results = [f"{name}: {value}" for name, value in status.get("results", {}).items()]
    _section("results (status.results)", results)
    outputs = status.get("outputs", {})
    _section("outputs (status.outputs.objects)", outputs.get("objects", []))
    _section("console (opens the run where it is in a real tenancy)", [status["consoleUrl"]])


def _section(title: str, lines: Sequence[str]) -> None:
    click.secho(f"    {title}", fg="cyan")
    for line in lines or ["(none)"]:
        click.echo(f"      {line}")


def tell_how_to_reach() -> None:
    """Say how to go on with what is left running."""
    cluster = control_plane.find(STATE / "cluster")
    port = (STATE / "operator.port").read_text()
    click.secho("==> kept running", bold=True)
    for line in (
        f"export KUBECONFIG={cluster.kubeconfig}",
        f'alias kubectl="{cluster.kubectl}"',
        f"kubectl describe ocijobrun {RUN}",
        f"curl http://127.0.0.1:{port}/metrics",
        f"logs: {STATE}/operator.log, {STATE}/oci/emulator.log",
        "make demo-down   # ends it all",
    ):
        click.echo(f"    {line}")


def down() -> None:
    """End what a demo left running, and delete its state."""
    for name in ("operator", "oci"):
        record = process.ProcessRecord.load(STATE / f"{name}.process")
        if record is not None:
            process.stop(record, grace=30)
    control_plane.down(STATE / "cluster", delete=True)
    shutil.rmtree(STATE, ignore_errors=True)


def _logs() -> None:
    for path in (STATE / "operator.log", STATE / "oci" / "emulator.log"):
        if path.exists():
            lines = path.read_text(errors="replace").splitlines()[-15:]
            _section(f"the end of {path.name}", lines)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Run the demo; exit 0 only if the run Succeeded."""
    if context.invoked_subcommand is not None:
        return
    keep = os.environ.get("KEEP", "") not in {"", "0"}
    os.chdir(ROOT)
    down()
    STATE.mkdir()
    succeeded = False
    try:
        succeeded = demo()["status"]["phase"] == "Succeeded"
        if not succeeded:
            _logs()
    except (DemoError, ControlPlaneError, EmulatorError, RuntimeError, TimeoutError) as error:
        click.secho(f"the demo failed: {error}", fg="red", err=True)
        _logs()
    finally:
        if keep and succeeded:
            tell_how_to_reach()
        else:
            down()
    sys.exit(not succeeded)


main.command("down")(down)

if __name__ == "__main__":
    main()
