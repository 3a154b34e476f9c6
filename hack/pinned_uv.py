"""Runs the pinned uv, of `.uv`, with the package index that pip is set up to use.

    .uv/bin/python hack/pinned_uv.py pip sync --require-hashes requirements/dev.txt

uv reads neither pip's files nor its variables, so a machine that reaches packages by a mirror, and has told pip so,
would have to say it twice. Who has told uv itself, by one of its variables, is left alone.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# pip's setting -> uv's option. Where pip takes several values, they are parted by white space.
_VALUES = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
    "cert": "--cert",
}
# Where `pip config list` finds settings, the strongest last.
_SOURCES = ("global", "install", ":env:")
_UVS_OWN = (
    *("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"),
    *("UV_FIND_LINKS", "UV_CONFIG_FILE"),
)
_TRUE = {"1", "true", "yes", "on", "y", "t"}


def index_options(listing: str) -> list[str]:
    """What tells `uv pip` the index that pip uses.

    Args:
        listing: what `pip config list` prints: a setting a line, its value as a literal of Python.
    """
    settings = _settings(listing)
    options = [
        word
        for setting, option in _VALUES.items()
        for value in settings.get(setting, "").split()
        for word in (option, value)
    ]
    if "--index" in options:
        # pip takes the best of all its indexes. Which file it is, the hashes say.
        options += ["--index-strategy", "unsafe-best-match"]
    if settings.get("no-index", "").lower() in _TRUE:
        options.append("--no-index")
    return options


def _settings(listing: str) -> dict[str, str]:
    found: dict[str, dict[str, str]] = {source: {} for source in _SOURCES}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        source, _, setting = name.partition(".")
        if source in found:
            found[source][setting] = ast.literal_eval(value)
    return {name: value for source in _SOURCES for name, value in found[source].items()}


def command(
    programs: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[str, ...]:
    """The words by which uv is run.

    Args:
        programs: the directory that holds pip and uv.
        arguments: those of uv; options are added to `uv pip` alone, as nothing else fetches packages here.
        environment: the environment's variables.

    Raises:
        subprocess.CalledProcessError: pip fails to say how it is set up.
    """
    uv = str(programs / "uv")
    if arguments[:1] != ["pip"] or any(environment.get(name) for name in _UVS_OWN):
        return (uv, *arguments)
    listing = subprocess.run(  # noqa: S603 - the pip that lies beside uv
        [programs / "pip", "config", "list"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return (uv, *arguments, *index_options(listing.stdout))


def main() -> None:
    """Become uv. It downloads no Python: the one that make was given is meant."""
    environment = {"UV_PYTHON_DOWNLOADS": "never", **os.environ}
    words = command(Path(sys.executable).parent, sys.argv[1:], environment)
    os.execve(words[0], words, environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
