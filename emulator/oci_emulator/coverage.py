"""Which of the services' operations work."""

import tempfile
from pathlib import Path

from oci_emulator.schema import catalogue
from oci_emulator.services import build
from oci_emulator.settings import Settings
from oci_emulator.statedir import StateDirectory


def table() -> str:
    """The services with their operations as a Markdown table, as the README has it."""
    with tempfile.TemporaryDirectory() as directory:
        state = StateDirectory(Settings(state=Path(directory)))
        endpoints = build(state.foundation, state.plans).endpoints
        state.close()
    lines = ["| service | works | answered 501 |", "|---|---|---|"]
    for name in catalogue.SERVICES:
        operations = catalogue.service(name).operations
        working = sorted(endpoints.get(name, {}))
        listed = ", ".join(f"`{operation}`" for operation in working) or "nothing yet"
        lines.append(f"| {name} | {listed} | {len(operations) - len(working)} |")
    return "\n".join(lines) + "\n"
