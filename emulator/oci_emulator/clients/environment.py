"""The environment in which unmodified clients use an emulator through its proxy."""

import json
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from oci_emulator.clients.control import ControlClient, EmulatorError

ANNOUNCEMENT = "announcement.json"
"""The file of a state directory that says what clients need, while an emulator has it."""

Shell = Literal["sh", "fish", "json"]
SHELLS: tuple[Shell, ...] = ("sh", "fish", "json")

_UNSET = ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
"""Variables that would lead clients elsewhere: those in lower case win over the others."""
_AUTHORITIES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
_CONFIGS = ("OCI_CONFIG_FILE", "OCI_CLI_CONFIG_FILE")


def variables(*, proxy: str, ca: Path, config: Path) -> dict[str, str | None]:
    """What the environment must have; None for what it must not have.

    Args:
        proxy: the URL of the emulator's proxy.
        ca: the certificate of its authority.
        config: a config file of the SDK.
    """
    return {
        **dict.fromkeys(_UNSET),
        "HTTPS_PROXY": proxy,
        "NO_PROXY": "localhost,127.0.0.1",
        **dict.fromkeys(_AUTHORITIES, str(ca)),
        **dict.fromkeys(_CONFIGS, str(config)),
    }


def unset() -> dict[str, str | None]:
    """The same without an emulator: none of the variables."""
    return dict.fromkeys(variables(proxy="", ca=Path(), config=Path()))


def changed(base: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """An environment with changes made to it."""
    kept = {name: value for name, value in base.items() if name not in changes}
    return kept | {name: value for name, value in changes.items() if value is not None}


def announced(state: Path) -> dict[str, Any]:
    """What the emulator on a state directory has announced.

    Raises:
        EmulatorError: none runs there.
    """
    announcement: dict[str, Any] = {}
    pid = None
    # Nothing may be there, or only what an emulator has left that was killed.
    with suppress(OSError, EmulatorError):
        announcement = json.loads((state / ANNOUNCEMENT).read_text("utf-8"))
        pid = _Announced(announcement["http"]).control("GET", "health")["pid"]
    if pid is None or pid != announcement["pid"]:
        raise EmulatorError(f"no emulator runs on {state}: oci-emulator serve --state {state}")
    return announcement


class _Announced(ControlClient):
    def __init__(self, http: str) -> None:
        self._http = http

    @property
    def http(self) -> str:
        return self._http


def script(changes: Mapping[str, str | None], shell: Shell) -> str:
    """Commands that make the changes in a shell, or the changes as JSON."""
    if shell == "json":
        return json.dumps(changes, indent=1) + "\n"
    lines = _SCRIPTS[shell]
    return "".join(f"{lines(name, value)}\n" for name, value in changes.items())


def _sh(name: str, value: str | None) -> str:
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str | None) -> str:
    if value is None:
        return f"set --erase {name}"
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set --global --export {name} '{quoted}'"


_SCRIPTS: Mapping[str, Callable[[str, str | None], str]] = {"sh": _sh, "fish": _fish}
