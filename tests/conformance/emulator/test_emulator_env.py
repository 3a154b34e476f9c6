"""The variables that lead unmodified clients to an emulator, in the shells that they are for."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oci_emulator.clients import environment
from oci_emulator.testing import Emulator

BIN = Path(sys.executable).parent
SDK = """
import oci
client = oci.object_storage.ObjectStorageClient(oci.config.from_file())
print(client.get_namespace().data)
"""
STANDARD_LIBRARY = """
import urllib.error, urllib.request
try:
    urllib.request.urlopen("https://objectstorage.us-ashburn-1.oraclecloud.com/n", timeout=30)
except urllib.error.HTTPError as error:
    print(error.code)
"""
ASTRAY = {
    "https_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "no_proxy": "*",
    "SSL_CERT_FILE": "/nonexistent",
    "REQUESTS_CA_BUNDLE": "/nonexistent",
    "OCI_CONFIG_FILE": "/nonexistent",
}


def bash(commands: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run commands with nothing in the environment but what is given."""
    return subprocess.run(
        ["/bin/bash", "-c", f"set -e\n{commands}"],
        env={
            "PATH": f"{BIN}:{os.defpath}",
            "HOME": str(home),
            "PYTHONWARNINGS": "ignore",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def command(state: Path, *options: str) -> str:
    return shlex.join(["oci-emulator", "env", "--state", str(state), *options])


@pytest.mark.parametrize("given", [{}, ASTRAY], ids=["clean", "astray"])
def test_clients_in_such_a_shell_find_the_emulator(
    emulator: Emulator, tmp_path: Path, given: dict[str, str]
) -> None:
    told = bash(
        f'eval "$({command(emulator.state)})"\n'
        f"python -c {shlex.quote(SDK)}\npython -c {shlex.quote(STANDARD_LIBRARY)}",
        tmp_path,
        **given,
    )
    assert (told.stdout, told.stderr) == (f"{emulator.namespace}\n401\n", "")


def test_the_variables_are_taken_away_again(emulator: Emulator, tmp_path: Path) -> None:
    variable = "OCI_EMULATOR_STATE"
    told = bash(
        'eval "$(oci-emulator env)"\nenv | grep -c _PROXY\n'
        'eval "$(oci-emulator env --unset)"\nenv | cut -d= -f1 | sort | paste -sd" "',
        tmp_path,
        **{variable: str(emulator.state)},
    )
    # Those that bash sets by itself are there in any case.
    assert told.stdout == f"2\nHOME {variable} PATH PWD PYTHONWARNINGS SHLVL _\n"


def test_programs_get_json_and_tests_get_the_same(emulator: Emulator, tmp_path: Path) -> None:
    told = json.loads(bash(command(emulator.state, "--shell", "json"), tmp_path).stdout)
    base = {**ASTRAY, "KEPT": "1"}
    assert environment.changed(base, told) == emulator.environment(base)
    assert emulator.environment(base)["KEPT"] == "1"
    assert "https_proxy" not in emulator.environment(base)


def test_fish_has_words_of_its_own() -> None:
    changes = {"A": "it's a \\ path", "B": None}
    assert environment.script(changes, "fish") == (
        "set --global --export A 'it\\'s a \\\\ path'\nset --erase B\n"
    )


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_where_no_emulator_runs_that_is_told(
    own_process: Callable[..., Any], tmp_path: Path, how: str
) -> None:
    emulator = own_process().emulator
    getattr(emulator, how)()
    told = bash(command(emulator.state), tmp_path)
    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr == (
        f"Error: no emulator runs on {emulator.state}: oci-emulator serve --state {emulator.state}\n"
    )
