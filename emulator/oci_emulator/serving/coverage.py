"""Which of the services' operations work."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from oci_emulator.schema import catalogue
from oci_emulator.serving.services import build
from oci_emulator.serving.settings import Settings
from oci_emulator.serving.statedir import State


def working() -> Mapping[str, frozenset[str]]:
    """Service -> the operations that work."""
    with tempfile.TemporaryDirectory() as directory:
        state = State(Settings(state=Path(directory)))
        endpoints = build(state.foundation, state.plans).endpoints
        state.close()
    return {name: frozenset(endpoints.get(name, {})) for name in catalogue.SERVICES}


def table() -> str:
    """The services with their operations as a Markdown table, as the README has it."""
    lines = ["| service | works | answered 501 |", "|---|---|---|"]
    for name, works in working().items():
        operations = catalogue.service(name).operations
        listed = ", ".join(f"`{operation}`" for operation in sorted(works)) or "nothing yet"
        lines.append(f"| {name} | {listed} | {len(operations) - len(works)} |")
    return "\n".join(lines) + "\n"
