"""The command line: ``oci-emulator``."""

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from oci_emulator.clients import environment
from oci_emulator.clients.control import EmulatorError
from oci_emulator.conduct import rules as service_rules
from oci_emulator.conduct.lags import PROFILES
from oci_emulator.running import spark as spark_here
from oci_emulator.running.conda import PACKS, CondaEnvironments, CondaError, default_cache, pack_of
from oci_emulator.running.containers import DEFAULT
from oci_emulator.running.spark import SparkError, connector_directory
from oci_emulator.services.datascience.plans import MODES
from oci_emulator.serving.settings import Settings, StartError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="oci-emulator")
def main() -> None:
    """A local Oracle Cloud for Data Science jobs."""


@main.command()
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Directory that keeps everything; made if it doesn't exist.",
)
@click.option("--http-port", type=click.IntRange(0, 65535), default=0, help="Port of all services.")
@click.option("--proxy-port", type=click.IntRange(0, 65535), default=0, help="Port of the proxy.")
@click.option(
    "--oke-port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port at which pods ask for tokens; clients ask at 12250.  [default: none]",
)
@click.option("--mode", type=click.Choice(MODES), help="How runs are executed.  [default: process]")
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), help="How long things take.  [default: fast]"
)
@click.option("--rule", "rules", multiple=True, metavar="NAME=VALUE", help="Set a service rule.")
@click.option("--region", help="Home region of a new state directory.  [default: us-ashburn-1]")
@click.option(
    "--namespace",
    help="Object Storage namespace of a new state directory.  [default: a random one]",
)
@click.option(
    "--places",
    type=click.IntRange(1),
    help="Processes of runs at a time.  [default: 2 for each core]",
)
@click.option(
    "--spark",
    type=click.Path(path_type=Path),
    envvar="OCI_EMULATOR_SPARK",
    help="A Python that has pyspark, for runs of Data Flow; the emulator's own by default.",
)
@click.option(
    "--engine",
    envvar="OCI_EMULATOR_ENGINE",
    default=DEFAULT,
    show_default=True,
    help="Command of the container engine, with options.",
)
@click.option(
    "--engine-options",
    envvar="OCI_EMULATOR_ENGINE_OPTIONS",
    default="",
    help="Further options of its command run.",
)
@click.option(
    "--journal-bodies", is_flag=True, help="Keep the JSON that clients send in the journal."
)
@click.option("-v", "--verbose", is_flag=True, help="Say more on standard error.")
def serve(
    *,
    state: Path,
    http_port: int,
    proxy_port: int,
    oke_port: int,
    mode: str | None,
    profile: str | None,
    rules: tuple[str, ...],
    region: str | None,
    namespace: str | None,
    places: int | None,
    spark: Path | None,
    engine: str,
    engine_options: str,
    journal_bodies: bool,
    verbose: bool,
) -> None:
    """Serve, and print one line of JSON with all that clients need when ready.

    Ports that aren't given are free ones, and after a restart those of the last time. What the
    state directory remembers of mode, profile and rules is kept unless it is given again.
    """
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    settings = Settings(
        state=state.absolute(),
        http_port=http_port,
        proxy_port=proxy_port,
        oke_port=oke_port,
        mode=mode,
        profile=profile,
        rules=_pairs(rules),
        region=region,
        namespace=namespace,
        places=places,
        spark=spark,
        engine=engine,
        engine_options=engine_options,
        journal_bodies=journal_bodies,
    )
    with _quick_imports():
        from oci_emulator.serving import process  # noqa: PLC0415  # other commands do without
    try:
        asyncio.run(process.serve(settings))
    except StartError as error:
        raise click.ClickException(str(error)) from None


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--rule")
        pairs[name] = value
    return pairs


@contextmanager
def _quick_imports() -> Iterator[None]:
    """Import much without what takes time and is of no use to a process that serves."""
    # What is imported stays: the collector would look through it again and again in vain.
    gc.disable()
    # aiohttp reads all authorities that the machine trusts, twice, for clients in HTTPS.
    variable = "SSL_CERT_FILE"
    given = os.environ.get(variable)
    os.environ[variable] = os.devnull
    try:
        yield
    finally:
        del os.environ[variable]
        if given is not None:
            os.environ[variable] = given
        gc.freeze()
        gc.enable()


@main.command("env")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default="oci-state",
    show_default=True,
    envvar="OCI_EMULATOR_STATE",
    help="State directory of a running emulator.",
)
@click.option(
    "--shell",
    type=click.Choice(environment.SHELLS),
    default="sh",
    show_default=True,
    help="What to write commands for.",
)
@click.option("--unset", is_flag=True, help="Take the variables away again.")
def print_environment(*, state: Path, shell: environment.Shell, unset: bool) -> None:
    """Print what makes clients use a running emulator: eval "$(oci-emulator env)".

    They go on using the real host names, and find the emulator by its proxy. In such a shell,
    HTTPS reaches the hosts of the emulated cloud alone.
    """
    changes = environment.unset()
    if not unset:
        try:
            told = environment.announced(state.absolute())
        except EmulatorError as error:
            raise click.ClickException(str(error)) from None
        changes = environment.variables(
            proxy=told["proxy"], ca=Path(told["ca"]), config=Path(told["config"])
        )
    click.echo(environment.script(changes, shell), nl=False)


@main.command("rules")
def list_rules() -> None:
    """List the rules of the services that no document settles, with their values."""
    click.echo(service_rules.table(), nl=False)


@main.command("operations")
def list_operations() -> None:
    """List the operations of each service: those that work, and how many are answered 501."""
    from oci_emulator.serving import coverage  # noqa: PLC0415  # only this command needs the services

    click.echo(coverage.table(), nl=False)


@main.command("openapi")
def describe() -> None:
    """Describe the operations that work as an OpenAPI document."""
    from oci_emulator.schema import openapi  # noqa: PLC0415  # likewise
    from oci_emulator.serving import coverage  # noqa: PLC0415  # likewise

    click.echo(json.dumps(openapi.document(coverage.working()), indent=1))


@main.group()
def conda() -> None:
    """Manage the environments that stand in for the conda environments of the service."""


@conda.command("list")
def list_environments() -> None:
    """List the slugs that jobs can name, and where their environments are."""
    environments = CondaEnvironments(default_cache(), _report)
    for slug, pack in PACKS.items():
        place = environments.directory(pack) if environments.is_built(pack) else "not built"
        click.echo(f"{slug}\t{pack.description}\t{place}")


@conda.command("build")
@click.argument("slug")
def build_environment(slug: str) -> None:
    """Build the environment of a slug ahead of the first run that needs it."""
    environments = CondaEnvironments(default_cache(), _report)
    try:
        pack = pack_of(slug)
        environments.build(pack)
    except CondaError as error:
        raise click.ClickException(str(error)) from None
    click.echo(environments.directory(pack))


@main.group()
def spark() -> None:
    """Manage what runs of Data Flow need beside pyspark."""


@spark.command("connector")
def fetch_connector() -> None:
    """Fetch Oracle's HDFS connector from Maven Central, for oci:// in runs."""
    directory = connector_directory(default_cache())
    try:
        jars = spark_here.fetch_connector(directory)
    except SparkError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{len(jars)} jars in {directory}")


def _report(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
