"""Inputs: what a node copies before the code starts."""

from __future__ import annotations

import shutil
import urllib.request
from pathlib import Path
from typing import Any

from ocijobs_oci import client
from ocijobs_said import MissingError, say, why

NEEDED_FOR = "runtime.pyTorchDistributed.inputs"


def copy(inputs: dict[str, str], folder: Path) -> None:
    """Copy each source to its place, in `folder` or absolute.

    Raises:
        MissingError: if a source can't be read.
    """
    for source, place in inputs.items():
        target = folder / place
        try:
            copied = (
                _bucket(source, target) if source.startswith("oci://") else _web(source, target)
            )
        except MissingError:
            raise
        except Exception as error:
            raise MissingError(f"{NEEDED_FOR}: {source} can't be read: {why(error)}") from error
        say(f"copied {copied} files from {source} to {place}")


def _web(source: str, target: Path) -> int:
    if target.is_dir() or not target.suffix:
        target = target / source.rstrip("/").rpartition("/")[2]
    target.parent.mkdir(parents=True, exist_ok=True)
    with urllib.request.urlopen(source) as answer, target.open("wb") as file:
        shutil.copyfileobj(answer, file)
    return 1


def _bucket(source: str, target: Path) -> int:
    """Copy an object to a file, or all objects under a prefix to a folder."""
    storage = client("oci.object_storage", "ObjectStorageClient", NEEDED_FOR)
    bucket, _, rest = source[len("oci://") :].partition("@")
    namespace, _, prefix = rest.partition("/")
    names = _names(storage, namespace, bucket, prefix)
    if not names:
        raise MissingError(f"{NEEDED_FOR}: there is no object under {source}")
    for name in names:
        inside = name[len(prefix) :].lstrip("/")
        path = target / inside if inside else target
        if not inside and (target.is_dir() or not target.suffix):
            path = target / name.rpartition("/")[2]
        if ".." in path.relative_to(target.parent).parts:
            raise MissingError(f"{NEEDED_FOR}: object {name} has no name of a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        with storage.get_object(namespace, bucket, name).data as answer, path.open("wb") as file:
            for chunk in answer.iter_content(1 << 20):
                file.write(chunk)
    return len(names)


def _names(storage: Any, namespace: str, bucket: str, prefix: str) -> list[str]:
    from oci.pagination import list_call_get_all_results

    listed = list_call_get_all_results(
        storage.list_objects, namespace, bucket, prefix=prefix, fields="name"
    ).data.objects
    folder = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    names = [item.name for item in listed if not item.name.endswith("/")]
    return [name for name in names if name == prefix or name.startswith(folder)]
