"""The command line of the fetcher: `ocijobs-fetcher`, or `python -m ocijobs.fetcher`."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from pathlib import Path

import click

from ocijobs import __version__

AT_A_TIME = 8


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option(
    "--listen", metavar="[HOST]:PORT", help="Address to serve at; without a host, all addresses."
)
@click.option(
    "--socket", "number", type=int, help="File descriptor of a socket that listens already."
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the token that clients have to send.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for files of requests; what dead processes left there is removed.",
)
@click.option(
    "--at-a-time",
    type=click.IntRange(1, 1000),
    default=AT_A_TIME,
    show_default=True,
    help="How many requests are handled at the same time.",
)
@click.option("--lifeline", is_flag=True, help="End when standard input ends.")
def main(
    listen: str | None,
    number: int | None,
    token_file: Path | None,
    folder: Path | None,
    at_a_time: int,
    *,
    lifeline: bool,
) -> None:
    """Fetch sources, unpack them and build artifacts, for the operator, which asks over HTTP.

    It needs no access to the cluster. Its only access to OCI is what comes with a request.
    """
    gc.disable()
    from ocijobs.fetcher.forking import Nursery  # noqa: PLC0415 - half a second
    from ocijobs.fetcher.worker import work  # noqa: PLC0415
    from ocijobs.telemetry.logs import configure  # noqa: PLC0415
    from ocijobs.working_folder import default_place, working_folder  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    configure("INFO")
    if (listen is None) == (number is None):
        raise click.UsageError("give one of --listen and --socket")
    if listen is not None and (token_file is None or not token_file.read_text().strip()):
        raise click.UsageError("--listen needs a --token-file that is not empty")
    # Before there is a thread, a loop, or anything else that a child should not have.
    nursery = Nursery(work)
    listener = socket.socket(fileno=number) if number is not None else _listener(listen or "")
    from ocijobs.fetcher.server import serve  # noqa: PLC0415 - children do without it

    with working_folder(folder or default_place("fetcher")) as place:
        served = serve(
            nursery, listener, place, at_a_time=at_a_time, token_file=token_file, lifeline=lifeline
        )
        sys.exit(asyncio.run(served))


def _listener(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    try:
        if not host and socket.has_dualstack_ipv6():
            return socket.create_server(
                ("", int(port)), family=socket.AF_INET6, dualstack_ipv6=True
            )
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), int(port)), family=family)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"--listen {address}: {error}") from error


if __name__ == "__main__":
    main()
