"""What OCI starts in a job run: it gets the code ready, runs it, then saves outputs and results.

These files are data of the operator, imported by nothing of it, and run in the job's own Python (3.8 and later) with
nothing but the standard library; `oci` is needed only to reach OCI: for outputs, secrets and inputs. What is to be done
is in `ocijobs_job.json` beside them.

Exit codes: the code's own; 128 + n if signal n ended it; 78 if something that is needed is missing, before the code is
started; 74 if outputs or results could not be saved although the code succeeded.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # Not everywhere is a program's folder on the path.

import ocijobs_git  # noqa: E402
import ocijobs_inputs  # noqa: E402
import ocijobs_outputs  # noqa: E402
import ocijobs_process  # noqa: E402
import ocijobs_secrets  # noqa: E402
import ocijobs_torch  # noqa: E402
from ocijobs_said import MissingError, say  # noqa: E402

EXIT_NOT_SAVED = 74
EXIT_MISSING = 78


def main() -> int:
    """Do what `ocijobs_job.json` says, and return the exit code."""
    job = json.loads((HERE / "ocijobs_job.json").read_text(encoding="utf-8"))
    try:
        storage = ocijobs_outputs.open_storage() if "outputs" in job else None
        ocijobs_secrets.read_into(os.environ)
        told = ocijobs_git.clone(job["git"], HERE / "code") if "git" in job else None
        folder = working_folder(job)
        if storage is not None:
            (folder / job["outputs"]["path"]).mkdir(parents=True, exist_ok=True)
        ocijobs_inputs.copy(job.get("inputs") or {}, folder)
        words = command(job, folder)
    except MissingError as error:
        say(str(error))
        return EXIT_MISSING
    code, results = ocijobs_process.run(words, folder)
    saved = storage is None or ocijobs_outputs.save(storage, job["outputs"], folder, results)
    if told is not None:
        told.wait()
    return code or (0 if saved else EXIT_NOT_SAVED)


def code_folder(job: dict[str, Any]) -> Path:
    """Return the folder of the code."""
    return HERE / "code" / (job.get("codeDir") or ".")


def working_folder(job: dict[str, Any]) -> Path:
    """Return the folder that the code runs in: a notebook's own, else the one that is named."""
    code = code_folder(job)
    entrypoint = job.get("entrypoint")
    if entrypoint is not None and not (code / entrypoint).is_file():
        raise MissingError(f"the code has no file {entrypoint}")
    folder = code / (job.get("workingDir") or ".")
    if job.get("workingDir") is None and str(entrypoint).endswith(".ipynb"):
        folder = (code / str(entrypoint)).parent
    if not folder.is_dir():
        raise MissingError(f"the code has no folder {job.get('workingDir') or job.get('codeDir')}")
    return folder


def command(job: dict[str, Any], folder: Path) -> list[str]:
    """Return the command of the code. Notebooks, and Python code with modules, have a program that runs them."""
    code = code_folder(job)
    if "torch" in job:
        return ocijobs_torch.command(job["torch"], code, job.get("entrypoint"), folder)
    entrypoint = job["entrypoint"]
    if entrypoint.endswith(".ipynb"):
        outputs = folder / job["outputs"]["path"] if "outputs" in job else folder
        target = str(outputs / Path(entrypoint).name)
        return [sys.executable, str(HERE / "ocijobs_notebook.py"), str(code / entrypoint), target]
    if job.get("python") and entrypoint.endswith(".py"):
        return [sys.executable, str(HERE / "ocijobs_python.py"), str(code), *sys.argv[1:]]
    interpreter = "/bin/bash" if entrypoint.endswith(".sh") else sys.executable
    return [interpreter, str(code / entrypoint), *sys.argv[1:]]


if __name__ == "__main__":
    sys.exit(main())
