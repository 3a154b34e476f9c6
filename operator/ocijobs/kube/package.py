"""The package `kubernetes`, of which only those parts are imported that the operator uses.

`kubernetes/__init__.py` imports the synchronous client and all that this needs (requests, oauthlib, websocket), also
for who asks for `kubernetes.aio` alone; `kubernetes/aio/__init__.py` is much the same. So both packages are put in
place here without that: a part is imported when it is first asked for, and `__init__` runs for what is no part. To
those who use it, `kubernetes` is therefore what it always is.

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
    """Return what the package does not have yet: a part of it, or what its `__init__` makes."""
    part = f"{spec.name}.{attribute}"
    if importlib.util.find_spec(part) is not None:
        return importlib.import_module(part)
    if vars(package).pop("__getattr__", None) is not None and spec.loader is not None:
        spec.loader.exec_module(package)
    return getattr(package, attribute)
