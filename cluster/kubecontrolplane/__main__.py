"""The command line of kubecontrolplane."""

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kubecontrolplane import cluster as clusters
from kubecontrolplane.binaries import CONTROL_PLANE, SETS
from kubecontrolplane.build import Pins, ensure_built
from kubecontrolplane.errors import ControlPlaneError
from kubecontrolplane.files import write_private
from kubecontrolplane.layout import Layout
from kubecontrolplane.lifecycle import running
from kubecontrolplane.process import wait_any_exit
from kubecontrolplane.repin import repin as repin_to
from kubecontrolplane.schemas import LAYOUT, write_schemas

# "Program is not running", as the Linux Standard Base has it for `status`.
_NOT_RUNNING = 3


class _Group(click.Group):
    """Shows what went wrong, by us or by the system (a full disk), without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ControlPlaneError, OSError) as error:
            raise click.ClickException(str(error)) from error


def _directory_option() -> Callable[[Any], Any]:
    return click.option(
        "--dir",
        "directory",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        help="The directory of the control plane.",
    )


@click.group(cls=_Group)
@click.version_option(package_name="kubecontrolplane")
def main() -> None:
    """A real Kubernetes control plane on loopback, built from pinned Go modules."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")


@main.command()
@click.option(
    "--set",
    "name",
    type=click.Choice(sorted(SETS)),
    default=CONTROL_PLANE.name,
    show_default=True,
    help="Which programs.",
)
def build(name: str) -> None:
    """Build the programs that are not in the cache yet; print their directory."""
    click.echo(ensure_built(SETS[name]))


@main.command()
@_directory_option()
@click.option("--audit", is_flag=True, help="Keep an audit log of every request.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The API server's port.  [default: the former one, else any that is free]",
)
@click.option("--fresh", is_flag=True, help="Delete the data of a former start first.")
@click.option("--foreground", is_flag=True, help="Keep running; SIGTERM or SIGINT ends it all.")
def up(directory: Path, *, audit: bool, port: int | None, fresh: bool, foreground: bool) -> None:
    """Have a control plane run; print one line of JSON when it is ready."""
    with _terminable():
        if foreground:
            _run_in_foreground(directory, audit=audit, port=port, fresh=fresh)
        else:
            cluster = clusters.up(directory, audit=audit, port=port, fresh=fresh)
            click.echo(json.dumps(cluster.to_json()))


@main.command()
@_directory_option()
@click.option("--delete", is_flag=True, help="Delete its data, keys and logs too.")
def down(directory: Path, *, delete: bool) -> None:
    """End a control plane; its data stays for the next start unless --delete is given."""
    if not clusters.down(directory, delete=delete):
        click.echo(f"nothing runs in {directory}", err=True)


@main.command()
@_directory_option()
@click.pass_context
def status(context: click.Context, directory: Path) -> None:
    """Print how each component does, as JSON; the exit code is 3 unless all are healthy."""
    components = clusters.status(directory)
    click.echo(json.dumps({name: asdict(each) for name, each in components.items()}))
    if not all(each.healthy for each in components.values()):
        context.exit(_NOT_RUNNING)


@main.command("kubeconfig-for")
@_directory_option()
@click.option("--user", help="The name of a user.")
@click.option("--group", "groups", multiple=True, help="A group of the user; may be repeated.")
@click.option(
    "--service-account", metavar="NAMESPACE/NAME", help="An existing ServiceAccount instead."
)
@click.option(
    "--hours", type=click.IntRange(min=1), default=24, show_default=True, help="A token's lifetime."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to this file, readable by you alone.  [default: standard output]",
)
def kubeconfig_for(
    directory: Path,
    *,
    user: str | None,
    groups: tuple[str, ...],
    service_account: str | None,
    hours: int,
    output: Path | None,
) -> None:
    """Make a kubeconfig for a user (by certificate) or a ServiceAccount (by token)."""
    if user is not None and service_account is None:
        made = clusters.find(directory).kubeconfig_for_user(user, groups)
    elif service_account is not None and user is None:
        if groups:
            raise click.UsageError("--group goes with --user: a ServiceAccount's groups are given")
        namespace, _, name = service_account.partition("/")
        if not (namespace and name):
            raise click.UsageError(f"--service-account {service_account}: not NAMESPACE/NAME")
        made = clusters.find(directory).kubeconfig_for_service_account(
            namespace, name, seconds=hours * 3600
        )
    else:
        raise click.UsageError("name either --user or --service-account")
    if output is None:
        click.echo(made, nl=False)
    else:
        write_private(output.absolute(), made.encode())


@main.command()
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The directory for the schemas.",
)
@click.option(
    "--crd",
    "crds",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with CustomResourceDefinitions; may be repeated.",
)
def schemas(output: Path, crds: tuple[Path, ...]) -> None:
    """Write strict JSON schemas of the pinned Kubernetes release for kubeconform.

    Prints the location to give to kubeconform as -schema-location.
    """
    count = write_schemas(Pins.of(CONTROL_PLANE), output, crds)
    click.echo(f"{count} schemas in {output}", err=True)
    click.echo(output.absolute() / LAYOUT)


@main.command()
@click.argument("release")
def repin(release: str) -> None:
    """Pin another RELEASE of Kubernetes, such as v1.37.2, in go.mod and go.sum."""
    pins = Pins.of(CONTROL_PLANE)
    if not Pins.is_source_tree():
        raise ControlPlaneError(f"{pins.directory} is an installed copy: run this in a source tree")
    repin_to(pins, release)
    click.echo(
        f"{pins.go_mod} pins Kubernetes {release}; `kubecontrolplane build` builds it", err=True
    )


class _Terminated(BaseException):
    """SIGTERM or SIGINT came: like KeyboardInterrupt, no handler of errors may swallow it."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Let signals unwind the stack, so that what was half started is ended."""

    def terminate(number: int, _frame: object) -> None:
        # Once: the cleanup that follows must not be cut short by an impatient sender.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise _Terminated(number)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, terminate)
    try:
        yield
    except _Terminated as terminated:
        [number] = terminated.args
        sys.exit(128 + number)


def _run_in_foreground(directory: Path, *, audit: bool, port: int | None, fresh: bool) -> None:
    try:
        cluster = clusters.up(directory, audit=audit, port=port, fresh=fresh)
        # Before it is told: what ends from then on must be noticed.
        processes = running(Layout.of(directory))
        click.echo(json.dumps(cluster.to_json()))
        # Consumers read the line through a pipe and wait for it.
        sys.stdout.flush()
        ended = wait_any_exit(list(processes.values()))
    except _Terminated:
        clusters.down(directory)
        return
    name = next((name for name, record in processes.items() if record == ended), "a component")
    clusters.down(directory)
    raise ControlPlaneError(
        f"{name} ended by itself: see the logs in {Layout.of(directory).root}/logs"
    )


if __name__ == "__main__":
    main()
