"""What a control plane is started with, kept for its next start."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kubecontrolplane.errors import DirectoryError
from kubecontrolplane.files import write_private

# Raised when a later kubecontrolplane can't read what this one wrote.
_FORMAT = 1
_REMEDY = "start afresh with --fresh, or use the kubecontrolplane that wrote it"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Settings of one control plane.

    Attributes:
        ports: component name -> its port on loopback, those of the last start.
        binaries: program name -> its path, those of the last start.
        audit: whether the API server keeps an audit log.
    """

    ports: Mapping[str, int]
    binaries: Mapping[str, str]
    audit: bool = False

    def with_port(self, component: str, port: int) -> "State":
        """The same with another port for one component."""
        return replace(self, ports={**self.ports, component: port})

    def save(self, path: Path) -> None:
        """Write the state where `load` finds it."""
        write_private(path, json.dumps({"format": _FORMAT, **asdict(self)}, indent=2).encode())

    @classmethod
    def load(cls, path: Path) -> "State":
        """The state saved at `path`; a fresh one if there is none.

        Raises:
            DirectoryError: the file is not one that this version can read.
        """
        try:
            saved = json.loads(path.read_bytes())
            known = saved["format"] == _FORMAT
            state = cls(ports=saved["ports"], binaries=saved["binaries"], audit=saved["audit"])
        except FileNotFoundError:
            return cls(ports={}, binaries={})
        except (ValueError, KeyError, TypeError) as error:
            raise DirectoryError(f"{path} can't be read ({error!r}): {_REMEDY}") from error
        if not known:
            raise DirectoryError(f"{path} was written by another version: {_REMEDY}")
        return state
