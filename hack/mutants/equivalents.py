"""Mutants that no test can notice, each with the reason: lines `key  # reason`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_BEFORE_REASON = "  # "


class Equivalents:
    """What is listed, by the mutants' keys."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self._reasons = dict(reasons)

    @classmethod
    def read(cls, path: Path) -> Equivalents:
        """Read the list.

        Raises:
            ValueError: if a mutant has no reason.
        """
        reasons = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            key, mark, reason = line.rpartition(_BEFORE_REASON)
            if not mark or not reason.strip():
                raise ValueError(f"{path.name}: no reason is given for {line}")
            reasons[key] = reason.strip()
        return cls(reasons)

    def __contains__(self, key: str) -> bool:
        return key in self._reasons
