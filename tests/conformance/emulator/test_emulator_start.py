"""The start of an emulator: what it costs is what is imported and made, so that is what is held."""

import gc
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oci_emulator.__main__ import _quick_imports

LATE = (
    # Tokens of runs and workloads, runtime files of archives, schedules.
    *("jwt", "yaml", "cronsim", "dateutil"),
    # Other commands, and tests.
    *("oci_emulator.serving.coverage", "oci_emulator.schema.openapi", "oci_emulator.testing"),
    *("oci", "pytest", "requests", "urllib3"),
)
MOST_MODULES = 600
"""There are 556 with aiohttp 3.14 and cryptography 50 on Python 3.11."""


def imported(*arguments: str, until_ready: bool) -> set[str]:
    """The modules that a command imports, or that it has when it says that it is ready."""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "oci_emulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        if until_ready:
            assert process.stdout is not None
            assert process.stdout.readline().startswith('{"http"')
            process.kill()
        _, errors = process.communicate(timeout=60)
    return set(re.findall(r"^import time:[\s\d]+\|[\s\d]+\| +(\S+)$", errors, re.MULTILINE))


def test_an_emulator_is_ready_without_what_it_may_never_need(tmp_path: Path) -> None:
    modules = imported("serve", "--state", str(tmp_path / "state"), until_ready=True)
    assert "oci_emulator.serving.services" in modules
    assert modules.isdisjoint(LATE)
    assert len(modules) <= MOST_MODULES
    # A key takes a tenth of a second: that of the administrator is the only one so far.
    keys = [path.name for path in (tmp_path / "state").rglob("*.key")]
    assert sorted(keys) == ["ca.key"]


@pytest.mark.parametrize("arguments", [["rules"], ["conda", "list"], ["env", "--unset"]])
def test_other_commands_do_without_the_services(arguments: list[str]) -> None:
    modules = imported(*arguments, until_ready=False)
    assert "click" in modules
    assert modules.isdisjoint({"aiohttp", "cryptography", "oci_emulator.serving.services"})


@pytest.fixture
def collected() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.parametrize("given", [None, "/some/bundle.pem"])
def test_what_speeds_imports_up_is_over_with_them(
    collected: None, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    if given is not None:
        monkeypatch.setenv("SSL_CERT_FILE", given)

    def fail() -> None:
        with _quick_imports():
            assert not gc.isenabled()
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert gc.isenabled()
    assert os.environ.get("SSL_CERT_FILE") == given
