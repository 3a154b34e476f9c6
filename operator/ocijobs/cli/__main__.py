"""The command line: `kubectl ocijobs`, by a program `kubectl-ocijobs` on the PATH."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from ocijobs import __version__
from ocijobs.api import kinds
from ocijobs.cli.ads_export import exported
from ocijobs.cli.ads_import import imported
from ocijobs.cli.manifests import Document, InputError, dump, read
from ocijobs.cli.oci_import import job_of_oci
from ocijobs.cli.orphans import Access, as_json, listed, table
from ocijobs.cli.restore import restored

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Convert jobs between OCI, oracle-ads and manifests of the operator.

    Manifests go to standard output, remarks to standard error.
    """


@main.command("import")
@click.argument("source")
@click.option(
    "--config", type=click.Path(path_type=Path), help="OCI configuration file to use for an OCID."
)
@click.option(
    "--profile", default="DEFAULT", show_default=True, help="Profile in it to use for an OCID."
)
@click.option("--endpoint", help="Endpoint of the Data Science API to use for an OCID.")
def import_(source: str, config: Path | None, profile: str, endpoint: str | None) -> None:
    """Print the manifest of a job.

    SOURCE is a YAML file of oracle-ads or the OCID of an OCI job. The code of a YAML file becomes part of the manifest;
    an OCI job is adopted by the manifest.
    """
    remarks: list[str] = []
    with _told():
        if source.startswith("ocid1."):
            documents = [job_of_oci(source, config, profile, endpoint, remarks)]
        else:
            path = Path(source)
            documents = [imported(item, path.parent, remarks) for item in read(path)]
        _print(documents, remarks)


@main.command("export")
@click.argument("file", type=_FILE)
@click.option(
    "--code",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("code"),
    show_default=True,
    help="Folder for inline files, with one folder for each job.",
)
def export(file: Path, code: Path) -> None:
    """Print the OCIJobs of a file as YAML of oracle-ads."""
    remarks: list[str] = []
    with _told():
        jobs = [item for item in read(file) if item.get("kind") == kinds.JOB]
        if not jobs:
            raise InputError(f"{file}: has no OCIJob")
        _print([exported(item, code, remarks) for item in jobs], remarks)


@main.command("restore")
@click.argument("backup", type=_FILE)
def restore(backup: Path) -> None:
    """Print the objects of a backup as manifests that adopt what they have in OCI.

    A backup is what `kubectl get ociidentities,ocijobs,ocijobruns,secrets,configmaps -o yaml` prints. Run the
    new cluster's operator with --hold-new while you apply them.
    """
    remarks: list[str] = []
    with _told():
        _print(list(restored(read(backup), remarks)), remarks)


@main.command("orphans")
@click.option(
    "-n",
    "--namespace",
    default="ocijobs",
    show_default=True,
    help="Namespace of the operator, which keeps the list.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Format of the list.",
)
@click.option("--end", is_flag=True, help="End what is listed, and show what could not be ended.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="OCI configuration file with the key to use, instead of the operator's copy.",
)
@click.option(
    "--profile", help="Profile in it; without --config, in the OCI command line's own file."
)
@click.option("--endpoint", help="Endpoint of all services, instead of the region's own.")
def orphans_(
    *,
    namespace: str,
    output: str,
    end: bool,
    config: Path | None,
    profile: str | None,
    endpoint: str | None,
) -> None:
    """List what objects that were let go have left in OCI, and end it.

    An object is let go when its credentials are gone, or by the annotation ocijobs.io/abandon. What
    deletionPolicy keeps is not listed.
    """
    with _told():
        access = Access(config=config, profile=profile, endpoint=endpoint)
        found = listed(namespace, end=end, access=access)
    click.echo(table(found.orphans) if output == "table" else as_json(found.orphans), nl=False)
    for remark in found.remarks:
        click.echo(f"note: {remark}", err=True)
    if found.left:
        sys.exit(1)


class _told:  # noqa: N801 - it is used as a statement
    """Ends the program with the message of an InputError."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InputError):
            raise click.ClickException(str(error)) from error


def _print(documents: Iterable[Document], remarks: list[str]) -> None:
    click.echo(dump(documents), nl=False)
    for remark in remarks:
        click.echo(f"note: {remark}", err=True)


if __name__ == "__main__":
    sys.exit(main())
