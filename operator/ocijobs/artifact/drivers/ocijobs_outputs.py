"""Outputs: files of one folder that are copied to Object Storage when the code has ended."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ocijobs_nodes import rank
from ocijobs_oci import client
from ocijobs_said import MissingError, say, why

RESULTS_OBJECT = "results.json"


def open_storage() -> Any:
    """Return a client of Object Storage that acts as the job run.

    Raises:
        MissingError: if there is none, said before the code has cost anything.
    """
    storage = client("oci.object_storage", "ObjectStorageClient", "spec.outputs")
    try:
        from oci.object_storage import UploadManager  # noqa: F401 - needed in the end, and missed now
    except ImportError as error:
        raise MissingError(f"spec.outputs: the package oci is not complete ({error})") from error
    return storage


def save(storage: Any, outputs: dict[str, str], folder: Path, results: dict[str, str]) -> bool:
    """Copy the outputs, then the results; return whether all of it arrived."""
    from oci.object_storage import UploadManager

    bucket, _, address = expand(outputs["uri"])[len("oci://") :].partition("@")
    namespace, _, prefix = address.partition("/")
    prefix = _of_node(prefix.strip("/"))
    root = folder / outputs["path"]
    manager = UploadManager(storage)
    saved = True
    for path in files(root):
        name = _below(prefix, path.relative_to(root).as_posix())
        if results and not rank() and path == root / RESULTS_OBJECT:
            say(
                f"not saved {path}: rename it: the results that were printed are saved under this name"
            )
            saved = False
            continue
        saved = _upload(manager, namespace, bucket, name, path) and saved
    if not results or rank():
        return saved
    name = _below(prefix, RESULTS_OBJECT)
    return _save_results(storage, namespace, bucket, name, results) and saved


def _below(prefix: str, name: str) -> str:
    return "/".join(part for part in (prefix, name) if part)


def _upload(manager: Any, namespace: str, bucket: str, name: str, path: Path) -> bool:
    """Save one file; the others are saved whatever becomes of it."""
    address = f"oci://{bucket}@{namespace}/{name}"
    try:
        manager.upload_file(namespace, bucket, name, str(path))
    except Exception as error:
        say(f"not saved {address}: {why(error)}")
        return False
    say(f"saved {address}")
    return True


def _save_results(
    storage: Any, namespace: str, bucket: str, name: str, results: dict[str, str]
) -> bool:
    document = {"jobRunId": os.environ.get("JOB_RUN_OCID"), "results": results}
    try:
        storage.put_object(namespace, bucket, name, json.dumps(document, sort_keys=True).encode())
    except Exception as error:
        say(f"results not saved: {why(error)}")
        return False
    return True


def _of_node(prefix: str) -> str:
    """Return where this node's files go: the first one's to the address itself, the others' below it."""
    return prefix if rank() == 0 else "/".join(part for part in (prefix, f"node-{rank()}") if part)


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
