"""Code of Spark, as objects in Object Storage: Data Flow runs one file, with libraries beside it.

main.py        what is run: fileUri
modules.zip    the other files of a Python source: Python finds modules in it (spark.submit.pyFiles)
lib/….jar      the jars of the source (spark.jars)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ocijobs.api.job.machines.data_flow import SparkLanguage
from ocijobs.artifact.archive import write_archive
from ocijobs.artifact.entrypoint import check_names, entrypoint_of
from ocijobs.artifact.files import Content, Files, SourceError

MODULES = "modules.zip"
_MOST_JARS = 63
_WHERE = "spec.runtime.spark"
_SUFFIXES: Mapping[SparkLanguage, str] = {
    SparkLanguage.PYTHON: ".py",
    SparkLanguage.SCALA: ".jar",
    SparkLanguage.JAVA: ".jar",
    SparkLanguage.SQL: ".sql",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkCode:
    """Objects by name; `entrypoint` is the one that is run."""

    entrypoint: str
    objects: Mapping[str, Content]


def spark_code(
    entrypoint: str | None, language: SparkLanguage, files: Files, modules: Path
) -> SparkCode:
    """Return what the files of a source become.

    Args:
        entrypoint: the file that is run; None for the only one that can be.
        language: of the code.
        files: the source: path -> content.
        modules: where the archive of Python modules is written, if there are any.

    Raises:
        SourceError: if there is no file to run, or there are more libraries than can be told.
    """
    check_names(_WHERE, files)
    started = _started(entrypoint, language, files)
    jars = _jars_beside(started, files)
    objects = {started: files[started], **jars}
    rest = {name: content for name, content in files.items() if name not in objects}
    if rest and language is SparkLanguage.PYTHON:
        write_archive(modules, rest)
        objects[MODULES] = modules
    if wrong := next((name for name in objects if len(name) > _LONGEST_NAME), None):
        raise SourceError(f"{_WHERE}.source: the path {wrong} is too long")
    return SparkCode(entrypoint=started, objects=objects)


def _started(entrypoint: str | None, language: SparkLanguage, files: Files) -> str:
    suffix = _SUFFIXES[language]
    candidates = sorted(name for name in files if name.endswith(suffix)) or sorted(files)
    return entrypoint_of(_WHERE, entrypoint, files, candidates, (suffix,))


def _jars_beside(started: str, files: Files) -> Files:
    jars = {n: content for n, content in files.items() if n.endswith(".jar") and n != started}
    if len(jars) > _MOST_JARS:
        raise SourceError(
            f"{_WHERE}.source: has {len(jars)} jars beside the code, and {_MOST_JARS} are allowed: "
            "put them into one, or into an archive for archiveUri"
        )
    return jars


_LONGEST_NAME = 255
