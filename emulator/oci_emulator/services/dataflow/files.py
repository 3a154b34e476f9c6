"""The files of applications, read from Object Storage with the rights of a run's owner."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oci_emulator.calls.errors import ServiceError
from oci_emulator.calls.principal import Principal
from oci_emulator.services.dataflow import lifecycle, uris
from oci_emulator.services.dataflow.checks import archives_of
from oci_emulator.services.datascience.published import Perform


class FileError(Exception):
    """A file can't be read; the message names the field and says why."""


class Files:
    """Reads files."""

    def __init__(self) -> None:
        self._perform: Perform | None = None

    def attach(self, perform: Perform) -> None:
        """Say what carries out requests to Object Storage."""
        self._perform = perform

    def check(self, owner: Principal, settings: Mapping[str, Any], now: float) -> None:
        """Check that all files of an application can be read.

        Raises:
            FileError: one can't.
        """
        if "fileUri" in settings:
            self.content(owner, "fileUri", settings["fileUri"], now)
        for uri in archives_of(settings):
            self.content(owner, "archiveUri", uri, now)

    def content(self, owner: Principal, field: str, uri: str, now: float) -> Path:
        """The content of the object that a URI names.

        Raises:
            FileError: it can't be read.
        """
        if self._perform is None:
            raise RuntimeError("nothing carries out the requests of runs")
        place = uris.read(uri)
        if place is None or not place.name:
            raise FileError(lifecycle.unreadable(field, f"{uri} is no URI of an object."))
        try:
            answer = self._perform("objectstorage", "GetObject", owner, {}, now, path=place.path)
        except ServiceError as error:
            raise FileError(lifecycle.unreadable(field, f"{uri}: {error.message}")) from error
        content: Any = answer.content
        path: Path = content.path
        return path
