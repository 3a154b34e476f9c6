"""The operator's command line: `ocijobs-operator run`, or `python -m ocijobs run`.

Each command imports what it needs when it is called.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import click

from ocijobs import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Run OCI Data Science jobs from Kubernetes."""


@main.command()
@click.option(
    "--port-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to which the port of metrics and health is written, for a setting httpPort of 0.",
)
@click.option(
    "--hold-new",
    is_flag=True,
    help=(
        "Create nothing in OCI for objects that are new to this operator, as after a restore (setting "
        "holdNew)."
    ),
)
def run(port_file: Path | None, *, hold_new: bool) -> None:
    """Serve the resources, until SIGTERM or SIGINT.

    Settings come from the environment (OCIJOBS_...) and from the YAML file that OCIJOBS_SETTINGS_FILE names; the
    cluster is that of KUBECONFIG, or of the pod's service account.
    """
    # What is imported is no garbage, and stays: a tenth of the time goes into looking through it again and again.
    gc.disable()
    from ocijobs.controller import process  # noqa: PLC0415 - half a second

    gc.freeze()
    gc.enable()
    try:
        sys.exit(process.run(port_file, hold_new=hold_new))
    except process.UNSTARTED as error:
        raise click.ClickException(str(error)) from error


@main.command()
def crds() -> None:
    """Print the CustomResourceDefinitions of this version, for `kubectl apply --server-side -f -`."""
    import yaml  # noqa: PLC0415 - only here

    from ocijobs.api.crd import custom_resource_definitions  # noqa: PLC0415 - only here

    click.echo(yaml.safe_dump_all(custom_resource_definitions(), sort_keys=False), nl=False)


if __name__ == "__main__":
    main()
