"""What OCI starts in a job run: it runs the user's code, then saves outputs and results.

It is data of the operator, imported by nothing, and runs in the job's own Python (3.8 and later) with nothing but the
standard library; `oci` is needed only to reach Object Storage. What it is to do is in `ocijobs_job.json` beside it.

Exit codes: the code's own; 128 + n if signal n ended it; 78 if something that is needed is missing, before the code is
started; 74 if outputs or results could not be saved although the code succeeded.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
CODE = HERE / "code"
RESULTS_KEY = "ocijobs.io/results"
RESULTS_OBJECT = "results.json"
RESULTS_LIMIT_BYTES = 4096
RESULTS_DEEPEST = 20
KEPT_LINE_BYTES = 16 * RESULTS_LIMIT_BYTES
CHUNK_BYTES = 1 << 20
"""More than a pipe holds: one read takes all that is in it."""
EXIT_NOT_SAVED = 74
EXIT_MISSING = 78


def say(message: str) -> None:
    """Print a line of our own."""
    print(f"ocijobs: {message}", file=sys.stderr, flush=True)


def main() -> int:
    """Do what `ocijobs_job.json` says, and return the exit code."""
    job = json.loads((HERE / "ocijobs_job.json").read_text(encoding="utf-8"))
    if len(sys.argv) > 1 and sys.argv[1] == "--ocijobs-python":
        run_python(job, sys.argv[2:])
        return 0
    storage = None
    if "outputs" in job:
        storage = open_storage()
        if storage is None:
            return EXIT_MISSING
    folder = working_folder(job)
    if "outputs" in job:
        (folder / job["outputs"]["path"]).mkdir(parents=True, exist_ok=True)
    code, results = run(command(job), folder)
    if storage is not None and not save(storage, job["outputs"], folder, results):
        return code or EXIT_NOT_SAVED
    return code


def working_folder(job: dict[str, Any]) -> Path:
    """Return the folder that the code runs in."""
    return CODE / (job.get("workingDir") or ".")


def command(job: dict[str, Any]) -> list[str]:
    """Return the command of the code. Python code with modules runs in a second driver, which sets up its paths."""
    if job.get("python"):
        return [sys.executable, str(HERE / "ocijobs_driver.py"), "--ocijobs-python", *sys.argv[1:]]
    entrypoint = str(CODE / job["entrypoint"])
    interpreter = "/bin/bash" if entrypoint.endswith(".sh") else sys.executable
    return [interpreter, entrypoint, *sys.argv[1:]]


def run_python(job: dict[str, Any], args: list[str]) -> None:
    """Run the entry file, and call its function if there is one."""
    entrypoint = CODE / job["entrypoint"]
    paths = [working_folder(job), CODE, *(CODE / path for path in job.get("pythonPath") or ())]
    sys.path[:] = [str(path) for path in paths] + [path for path in sys.path if path != str(HERE)]
    sys.argv[:] = [str(entrypoint), *args]
    function = job.get("entryFunction")
    if function is None:
        runpy.run_path(str(entrypoint), run_name="__main__")
        return
    called = getattr(load(entrypoint), function, None)
    if not callable(called):
        raise SystemExit(f"ocijobs: {job['entrypoint']} has no function {function}")
    positional, keywords = arguments(args)
    called(*positional, **keywords)


def load(path: Path) -> ModuleType:
    """Import a file as a module like any other: only so can its classes and functions be pickled."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module
    SourceFileLoader(path.stem, str(path)).exec_module(module)
    return module


def arguments(args: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return positional and keyword arguments: `--key value` and `--key=value` are keywords, as ADS has it."""
    positional: list[str] = []
    keywords: dict[str, str] = {}
    rest = list(args)
    while rest:
        item = rest.pop(0)
        if not item.startswith("--"):
            positional.append(item)
        elif "=" in item:
            key, value = item[2:].split("=", 1)
            keywords[key] = value
        else:
            keywords[item[2:]] = rest.pop(0) if rest and not rest[0].startswith("--") else ""
    return positional, keywords


def run(words: list[str], folder: Path) -> tuple[int, dict[str, str]]:
    """Run the code, pass its output and our signals on, and return its exit code and the results that it printed."""
    process = start(words, folder)
    results: dict[str, str] = {}
    line = b""
    for chunk in output(process):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        *complete, line = (line + chunk).split(b"\n")
        for text in complete:
            results.update(reported(text))
        line = line[:KEPT_LINE_BYTES]
    results.update(reported(line))
    code = process.wait()
    return (128 - code if code < 0 else code), results


def start(words: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start the code in a process group of its own, to which SIGTERM and SIGINT are passed on.

    To all of it, since a shell that waits for a program tells it nothing.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, _: Any) -> None:
        if not started:
            early.append(number)
        for process in started:
            tell(process, number)

    for listened in (signal.SIGTERM, signal.SIGINT):
        signal.signal(listened, pass_on)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        words,
        bufsize=0,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    started.append(process)
    for number in early:
        tell(process, number)
    return process


def tell(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the group of a process that has not ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # It has ended this very moment.
            os.killpg(process.pid, number)


def output(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield what the code prints, as it comes, until its end.

    That is the end of its process: what it left in the background may hold the pipe open for ever.
    """
    if process.stdout is None:
        return
    printed = process.stdout.fileno()
    ended, end = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(end)

    threading.Thread(target=wait, daemon=True).start()
    while True:
        ready, _, _ = select.select([printed, ended], [], [])
        if ended in ready:
            os.set_blocking(printed, False)
        try:
            chunk = os.read(printed, CHUNK_BYTES)
        except BlockingIOError:
            return
        if chunk:
            yield chunk
        if not chunk or ended in ready:
            return


class Printed(str):
    """A number, as it was printed."""

    __slots__ = ()


def reported(line: bytes) -> dict[str, str]:
    """Return the results that a line of output reports; numbers stay as they were printed."""
    text = line.strip()
    if not text.startswith(b"{") or RESULTS_KEY.encode() not in text:
        return {}
    if len(text) > RESULTS_LIMIT_BYTES:
        say(f"a line of results is ignored: it is longer than {RESULTS_LIMIT_BYTES} bytes")
        return {}
    try:
        document = json.loads(text.decode(), parse_float=Printed, parse_int=Printed)
        values = document[RESULTS_KEY]
        results = {name: as_text(value) for name, value in values.items() if value is not None}
        "".join((*results, *results.values())).encode()
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        say("a line that looks like results is ignored: it is not one JSON object of values")
        return {}
    return results


def as_text(value: Any) -> str:
    """Return a value as text: a string as it is, a number as it was printed, all else as JSON."""
    return str(value) if isinstance(value, str) else nested(value, 1)


def nested(value: Any, depth: int) -> str:
    """Return a value as compact JSON."""
    if depth > RESULTS_DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, Printed):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join([nested(item, depth + 1) for item in value]) + "]"
    if isinstance(value, dict):
        members = [
            f"{nested(name, depth)}:{nested(item, depth + 1)}" for name, item in value.items()
        ]
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)


def open_storage() -> Any:
    """Return a client of Object Storage that acts as the job run, or None with a word about what is missing."""
    try:
        import oci
        from oci.object_storage import UploadManager  # noqa: F401 - needed in the end, and missed now

        if "OCI_RESOURCE_PRINCIPAL_VERSION" in os.environ:
            signer = oci.auth.signers.get_resource_principals_signer()
            return oci.object_storage.ObjectStorageClient({}, signer=signer)
        return oci.object_storage.ObjectStorageClient(oci.config.from_file())
    except ModuleNotFoundError as error:
        say(
            "spec.outputs needs the Python package oci in the job's conda environment; "
            f"choose one that has it ({error})"
        )
    except Exception as error:  # Whatever it is, it is said before the code has cost anything.
        say(f"no access to Object Storage: {type(error).__name__}: {error}")
    return None


def save(storage: Any, outputs: dict[str, str], folder: Path, results: dict[str, str]) -> bool:
    """Copy the outputs, then the results; return whether all of it arrived."""
    from oci.object_storage import UploadManager

    bucket, _, address = expand(outputs["uri"])[len("oci://") :].partition("@")
    namespace, _, prefix = address.partition("/")
    prefix = prefix.strip("/")
    root = folder / outputs["path"]
    manager = UploadManager(storage)
    saved = True
    for path in files(root):
        name = "/".join(part for part in (prefix, path.relative_to(root).as_posix()) if part)
        if results and path == root / RESULTS_OBJECT:
            say(
                f"not saved {path}: rename it: the results that were printed are saved under this name"
            )
            saved = False
            continue
        try:
            manager.upload_file(namespace, bucket, name, str(path))
            say(f"saved oci://{bucket}@{namespace}/{name}")
        except Exception as error:  # The other files are saved all the same.
            say(f"not saved oci://{bucket}@{namespace}/{name}: {type(error).__name__}: {error}")
            saved = False
    if not results:
        return saved
    name = "/".join(part for part in (prefix, RESULTS_OBJECT) if part)
    document = {"jobRunId": os.environ.get("JOB_RUN_OCID"), "results": results}
    try:
        storage.put_object(namespace, bucket, name, json.dumps(document, sort_keys=True).encode())
    except Exception as error:
        say(f"results not saved: {type(error).__name__}: {error}")
        return False
    return saved


def files(root: Path) -> Iterable[Path]:
    """Return the files under a folder, in order."""
    return sorted(path for path in root.rglob("*") if path.is_file())


def expand(text: str) -> str:
    """Return text with `$(VAR)` replaced as in a Pod: what is not defined stays, `$$` stands for `$`."""

    def value(match: re.Match[str]) -> str:
        if match.group(1):
            return "$"
        return os.environ.get(match.group(2), match.group(0))

    return re.sub(r"\$(?:(\$)|\(([^)]*)\))", value, text)


if __name__ == "__main__":
    sys.exit(main())
