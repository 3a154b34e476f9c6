"""Runs a notebook, cell by cell, and saves it with its outputs. A program: `ocijobs_driver.py` starts it.

Arguments: the notebook, and the file that the executed one is saved to.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

EXIT_MISSING = 78


def main(source: Path, target: Path) -> int:
    """Run the notebook, and return the exit code: 1 if a cell failed."""
    job = json.loads(
        (Path(__file__).resolve().parent / "ocijobs_job.json").read_text(encoding="utf-8")
    )
    try:
        import ipykernel  # noqa: F401 - the kernel needs it, and says nothing of use without it
        import nbclient
        import nbformat
    except ModuleNotFoundError as error:
        print(
            "ocijobs: runtime.notebook needs the Python packages nbclient and ipykernel in the job's "
            f"conda environment; choose one that has them ({error})",
            file=sys.stderr,
        )
        return EXIT_MISSING
    encoding = job.get("notebookEncoding") or "utf-8"
    try:
        notebook = nbformat.reads(source.read_text(encoding=encoding), as_version=4)
    except (ValueError, LookupError, nbformat.reader.NotJSONError) as error:
        print(f"ocijobs: {source.name} is no notebook in {encoding}: {error}", file=sys.stderr)
        return EXIT_MISSING
    client = _client(nbclient, frozenset(job.get("excludeTags") or ()))(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(source.parent)}},
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError:
        return 1  # What the cell raised has been printed, as all that cells print.
    except nbclient.exceptions.DeadKernelError as error:
        print(f"ocijobs: the kernel died: {error}", file=sys.stderr)
        return 1
    finally:
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, str(target))
    return 0


def _client(nbclient: Any, excluded: frozenset[str]) -> Any:
    """Return the class of a client that prints what cells print, as it comes, and leaves tagged cells out."""

    class Client(nbclient.NotebookClient):  # type: ignore[misc]
        def create_kernel_manager(self) -> Any:
            kernel = super().create_kernel_manager()
            kernel.transport = "ipc"  # Over TCP, others on the machine could listen in.
            return kernel

        async def async_execute_cell(self, cell: Any, *args: Any, **kwargs: Any) -> Any:
            if excluded.intersection(cell.get("metadata", {}).get("tags", ())):
                return cell
            return await super().async_execute_cell(cell, *args, **kwargs)

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            show(msg["msg_type"], msg["content"])
            return super().process_message(msg, cell, cell_index)

    return Client


def show(kind: str, content: dict[str, Any]) -> None:
    """Print what a cell prints, returns or raises."""
    if kind == "stream":
        stream = sys.stderr if content["name"] == "stderr" else sys.stdout
        stream.write(content["text"])
        stream.flush()
    elif kind in ("execute_result", "display_data"):
        print(content["data"].get("text/plain", ""), flush=True)
    elif kind == "error":
        print("\n".join(content["traceback"]), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
