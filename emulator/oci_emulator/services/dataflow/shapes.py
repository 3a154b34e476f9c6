"""The compute shapes of drivers and executors."""

import math
from collections.abc import Mapping
from typing import Any

from oci_emulator.calls.errors import invalid
from oci_emulator.conduct.rules import Rules
from oci_emulator.formats.jsontypes import JsonObject

_CORES: Mapping[str, int] = {
    "VM.Standard2.1": 1,
    "VM.Standard2.2": 2,
    "VM.Standard2.4": 4,
    "VM.Standard2.8": 8,
    "VM.Standard2.16": 16,
    "VM.Standard2.24": 24,
    "VM.Standard.E3.Flex": 1,
    "VM.Standard.E4.Flex": 1,
    "VM.Standard3.Flex": 1,
    "VM.Standard.A1.Flex": 1,
}
"""The shapes that Data Flow has, and the OCPUs of each; of a flexible one, the least."""
_LEAST: Mapping[str, float] = {"ocpus": 1.0, "memoryInGBs": 16.0}
"""What a driver or an executor of a flexible shape has that says nothing else."""


def is_flexible(shape: str) -> bool:
    """Whether OCPUs and memory can be chosen."""
    return shape.endswith(".Flex")


def family_of(shape: str) -> str:
    """The family, such as Standard.E4: the name without the machine's kind and its size."""
    return ".".join(shape.split(".")[1:-1])


def check_shape(shape: str, config: Mapping[str, Any] | None, path: str, rules: Rules) -> None:
    """Check a shape and its configuration.

    Raises:
        ServiceError: 400, the shape is unknown, or it has a configuration that it can't have.
    """
    if shape not in _CORES and rules.unknown_shape == "refuse":
        raise invalid(f"{path}: {shape[:100]!r} is none of {', '.join(_CORES)}")
    if config is None:
        if is_flexible(shape) and rules.flexible_without_config == "refuse":
            raise invalid(f"{path}Config: is required for the flexible shape {shape}")
        return
    if not is_flexible(shape):
        raise invalid(f"{path}Config: is only for flexible shapes, not for {shape[:100]}")
    for name, value in config.items():
        if value <= 0:
            raise invalid(f"{path}Config.{name}: must be more than 0, not {value}")


def complete(settings: JsonObject) -> JsonObject:
    """Give flexible shapes without a configuration the least that there is."""
    for name in ("driverShape", "executorShape"):
        if is_flexible(settings.get(name, "")):
            settings[f"{name}Config"] = {**_LEAST, **settings.get(f"{name}Config", {})}
        else:
            settings.pop(f"{name}Config", None)
    return settings


def total_ocpus(settings: Mapping[str, Any]) -> int:
    """The OCPUs of the driver and all executors."""
    executors: int = settings["numExecutors"]
    total = _ocpus(settings, "driverShape") + executors * _ocpus(settings, "executorShape")
    return math.ceil(total)


def _ocpus(settings: Mapping[str, Any], name: str) -> float:
    chosen: float | None = settings.get(f"{name}Config", {}).get("ocpus")
    return chosen or _CORES.get(settings[name], 1)
