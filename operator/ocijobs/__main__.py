"""The operator's command line: `ocijobs-operator run`, or `python -m ocijobs run`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

import click
import yaml

from ocijobs import __version__
from ocijobs.api.crd import custom_resource_definitions
from ocijobs.controller.operator import Operator
from ocijobs.kube.client import NoClusterError, load_configuration
from ocijobs.observe import logs
from ocijobs.observe.server import PortError
from ocijobs.settings import Settings, SettingsError, load


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Run OCI Data Science jobs from Kubernetes."""


@main.command()
@click.option(
    "--port-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write the port of metrics and health to, for a setting httpPort of 0.",
)
@click.option(
    "--hold-new",
    is_flag=True,
    help="Create nothing in OCI for objects that are new to this operator, as after a restore (setting holdNew).",
)
def run(port_file: Path | None, *, hold_new: bool) -> None:
    """Serve the resources, until SIGTERM or SIGINT.

    Settings come from the environment (OCIJOBS_...) and from the YAML file that OCIJOBS_SETTINGS_FILE names; the
    cluster is that of KUBECONFIG, or of the pod's service account.
    """
    try:
        settings = load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    settings = settings.model_copy(update={"hold_new": settings.hold_new or hold_new})
    logs.configure(settings.log_level)
    try:
        sys.exit(asyncio.run(_run(settings, port_file)))
    except (NoClusterError, PortError) as error:
        raise click.ClickException(str(error)) from error


async def _run(settings: Settings, port_file: Path | None) -> int:
    configuration = await load_configuration(connections=settings.workers + 16)
    operator = Operator(settings, configuration)
    if port_file is not None:
        operator.port.add_done_callback(lambda port: port_file.write_text(str(port.result())))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, operator.stop)
    try:
        await operator.run()
    except ExceptionGroup as group:
        for error in group.exceptions:
            logging.getLogger(__name__).critical("can't go on: %s", error, exc_info=error)
        return 1
    return 0


@main.command()
def crds() -> None:
    """Print the CustomResourceDefinitions of this version, for `kubectl apply --server-side -f -`."""
    click.echo(yaml.safe_dump_all(custom_resource_definitions(), sort_keys=False), nl=False)


if __name__ == "__main__":
    main()
