"""Record objects of every kind and phase, as this version of the operator writes them: `make record VERSION=NAME`.

Later versions have to read and serve what earlier ones have written: tests/unit/recorded and tests/component/recorded.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCENARIOS = ROOT / "tests/component/recorded"


def main(version: str, *options: str) -> int:
    """Lead objects through their phases and write them into a new folder; return the exit code.

    Args:
        version: name of the folder in tests/recorded; what is there already is never changed.
        options: further ones of pytest.
    """
    folder = ROOT / "tests/recorded" / version
    if folder.exists():
        sys.exit(f"{folder} is there: what was recorded is never recorded anew, name another one")
    scenarios = sorted(SCENARIOS.glob("record_*.py"))
    command = [sys.executable, "-m", "pytest", "-q", "--timeout", "900"]
    command += ["--record-into", str(folder), *options]
    done = subprocess.run([*command, *map(str, scenarios)], cwd=ROOT, check=False)  # noqa: S603 - our own program
    if done.returncode:
        print(f"some scenario failed: delete {folder}, and record again", file=sys.stderr)  # noqa: T201
    return done.returncode


if __name__ == "__main__":
    if len(sys.argv) < len(("program", "version")):
        sys.exit("usage: record_objects.py VERSION [OPTION OF PYTEST …]")
    sys.exit(main(*sys.argv[1:]))
