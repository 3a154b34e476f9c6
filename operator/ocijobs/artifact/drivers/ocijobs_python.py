"""Runs Python code with modules of its own: a file, or a function in it. A program: `ocijobs_driver.py` starts it."""

from __future__ import annotations

import json
import runpy
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent


def run_python(code: Path, args: list[str]) -> None:
    """Run the entry file, and call its function if there is one."""
    job = json.loads((HERE / "ocijobs_job.json").read_text(encoding="utf-8"))
    entrypoint = code / job["entrypoint"]
    folder = code / (job.get("workingDir") or ".")
    paths = [folder, code, *(code / path for path in job.get("pythonPath") or ())]
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


if __name__ == "__main__":
    run_python(Path(sys.argv[1]), sys.argv[2:])
