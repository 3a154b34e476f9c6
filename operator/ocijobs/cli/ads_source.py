"""Code that a job of oracle-ads names, as the source of a manifest, and back."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ocijobs.api.job.source import Source
from ocijobs.cli.document_keys import Spec
from ocijobs.cli.manifests import InputError

_INLINE_LIMIT = 524288
_SECONDS = 30
"""How long a web server may say nothing."""


def source_of(
    spec: Mapping[str, Any], folder: Path, remarks: list[str], *, top: bool = True
) -> Spec:
    """Return the source; `top` keeps the name of a local folder before its files' names, as ADS does."""
    uri = spec.get("scriptPathURI")
    if not uri:
        raise InputError("spec.runtime.spec: names no code (scriptPathURI)")
    text = str(uri)
    if text.startswith("oci://"):
        return {"source": {"objectStorage": {"uri": text}}}
    if text.startswith(("http://", "https://")):
        return {"source": {"http": {"url": text, "sha256": _sha256(text)}}}
    return {"source": _local(folder / text.removeprefix("file://"), remarks, top=top)}


def _sha256(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the scheme was looked at
            return hashlib.file_digest(answer, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{url}: can't be fetched, and its SHA-256 is needed: {error}") from error


def _files_below(folder: Path, start: Path) -> dict[str, Path]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(start).as_posix(): path for path in paths}


def _local(path: Path, remarks: list[str], *, top: bool) -> Spec:
    files = _files_below(path, path.parent if top else path) if path.is_dir() else {path.name: path}
    if not path.exists() or not files:
        raise InputError(f"{path}: there is no such code")
    try:
        texts = {name: each.read_text(encoding="utf-8") for name, each in files.items()}
    except UnicodeDecodeError:
        texts = {}
    if not texts or sum(map(len, texts.values())) > _INLINE_LIMIT:
        remarks.append(
            f"{path}: is too large for a manifest, or no text: put it into Object Storage or a Git "
            "repository, and name that as the source"
        )
        return {"objectStorage": {"uri": f"oci://BUCKET@NAMESPACE/{path.name}"}}
    return {"inline": texts}


def located(source: Source, code: Path, remarks: list[str]) -> tuple[Spec, str]:
    """Return where the code is, and the folder that ADS has it in, if its paths don't begin with that anyway.

    Inline files are written to the folder `code`, which has the name of the OCIJob.
    """
    for uri in (
        source.object_storage.uri if source.object_storage is not None else None,
        source.http.url if source.http is not None else None,
    ):
        if uri is not None:
            return {"scriptPathURI": uri}, _top(uri)
    if source.inline is None:
        kind = next(iter(source.document()))
        remarks.append(
            f"source.{kind}: ADS has no such source: put the code of OCIJob {code.name} into {code}"
        )
        return {"scriptPathURI": str(code)}, code.name
    for path, text in source.inline.items():
        file = code / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    tops = {path.partition("/")[0] for path in source.inline}
    if len(tops) == 1:
        # One file, or a folder that the paths name already, as ADS has it.
        return {"scriptPathURI": str(code / tops.pop())}, ""
    return {"scriptPathURI": str(code)}, code.name


def _top(uri: str) -> str:
    """Return the folder that ADS puts remote code in: its own name; a single file has none."""
    name = uri.rstrip("/").rpartition("/")[2]
    return "" if name.endswith((".py", ".sh", ".ipynb")) else name.partition(".")[0]
