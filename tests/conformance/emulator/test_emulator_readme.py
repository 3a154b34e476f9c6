"""What the README says is so: its tables are generated, and its commands do what it says."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import oci_emulator
from oci_emulator.conduct import rules
from oci_emulator.serving import coverage

README = (Path(oci_emulator.__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "table"), [("operations", coverage.table()), ("rules", rules.table())]
)
def test_tables_are_up_to_date(name: str, table: str) -> None:
    match = re.search(rf"<!-- {name}: .*? -->\n(.*?)<!-- end of {name} -->", README, re.DOTALL)
    assert match is not None
    assert match[1] == table


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_path_of_the_control_api_is_described() -> None:
    control = Path(oci_emulator.__file__).parent / "control"
    source = "".join(path.read_text(encoding="utf-8") for path in control.glob("*.py"))
    found = re.findall(r'\("(GET|PUT|POST|DELETE)", "([\w/{}-]+)"', source)
    assert ("GET", "journal/counts") in found
    for method, template in [*found, ("POST", "reset")]:
        path = f"/_emulator/{template.replace('runs/{id}', 'runs/{ocid}')}"
        path = re.sub(r"(compartments|clusters)/{id}", r"\1/{ocid}", path)
        assert any(method in line and f"{path}`" in line for line in README.splitlines()), (
            f"{method} {path}"
        )


def test_the_first_command_installs_it_from_a_checkout(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    environment = {
        "PATH": f"{tmp_path}/venv/bin:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        # What it depends on, and what builds it, is here already.
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    repository = Path(oci_emulator.__file__).parents[2]
    install = blocks("sh")[0]
    subprocess.run(["/bin/bash", "-c", install], cwd=repository, env=environment, check=True)
    [package] = (tmp_path / "venv" / "lib").glob("*/site-packages/oci_emulator")
    ours = Path(oci_emulator.__file__).parent
    assert {path.name for path in (package / "schema" / "data").iterdir()} == {
        path.name for path in (ours / "schema" / "data").iterdir()
    }
    assert (tmp_path / "venv" / "bin" / "oci-emulator").exists()


def test_the_quick_start_works_as_written(tmp_path: Path) -> None:
    _, serve, run, proxied = blocks("sh")
    script = blocks("python")[0]
    (tmp_path / "run_a_job.py").write_text(script)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONWARNINGS": "ignore",
    }
    commands = f"set -e\n{serve}\ntrap 'kill %1; wait %1' EXIT\n{run}\n{proxied}"
    result = subprocess.run(
        ["/bin/bash", "-c", commands],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    announced, outcome, namespace = result.stdout.splitlines()
    assert announced.startswith('{"http": "http://127.0.0.1:')
    assert outcome == "FAILED Job run artifact execution failed with exit code 3."
    assert outcome in README
    assert f'"namespace": "{namespace}"' in announced
