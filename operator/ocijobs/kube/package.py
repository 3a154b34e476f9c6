"""The package `kubernetes`, with only the parts imported that the operator uses.

`kubernetes/__init__.py` imports the synchronous client and everything that it needs (requests, oauthlib, websocket),
even if a program only imports `kubernetes.aio`. `kubernetes/aio/__init__.py` does much the same. So this module sets up
both packages without running these files: a part is imported when it is first used, and `__init__` runs only for a
name that is not a part. Users of `kubernetes` see no difference.

kopf looks for the models of the synchronous client, and imports these alone.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PACKAGES = ("kubernetes", "kubernetes.aio")


def import_parts_only() -> None:
    """Let `import kubernetes.aio.client` import just that; without effect where `kubernetes` is imported already.

    Raises:
        ModuleNotFoundError: if it is not installed.
    """
    for name in _PACKAGES:
        if name not in sys.modules:
            _put_in_place(name)


def _put_in_place(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    package = importlib.util.module_from_spec(spec)
    vars(package)["__getattr__"] = lambda attribute: _found(package, spec, attribute)
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


def _found(package: ModuleType, spec: ModuleSpec, attribute: str) -> Any:
    """Return an attribute that the package does not have yet: a part of it, or a name that its `__init__` defines."""
    part = f"{spec.name}.{attribute}"
    if importlib.util.find_spec(part) is not None:
        return importlib.import_module(part)
    if vars(package).pop("__getattr__", None) is not None and spec.loader is not None:
        spec.loader.exec_module(package)
    return getattr(package, attribute)
