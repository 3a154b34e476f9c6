"""The compute shapes that jobs can have.

The list is a part of what the service offers, with the memory that each shape has; a flexible
shape shows its least.
"""

from dataclasses import dataclass

from oci_emulator.formats.jsontypes import JsonObject


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape."""

    name: str
    cores: int
    memory_gb: int
    series: str
    fast_launch: bool = False

    @property
    def flexible(self) -> bool:
        """Whether ocpus and memory can be chosen."""
        return self.name.endswith(".Flex")

    def as_json(self) -> JsonObject:
        """As ListJobShapes shows it."""
        return {
            "name": self.name,
            "coreCount": self.cores,
            "memoryInGBs": self.memory_gb,
            "shapeSeries": self.series,
        }

    def as_fast_launch(self) -> JsonObject:
        """As ListFastLaunchJobConfigs shows it."""
        return {
            "name": f"{self.name}-{self.cores}-{self.memory_gb}",
            "shapeName": self.name,
            "coreCount": self.cores,
            "memoryInGBs": self.memory_gb,
            "shapeSeries": self.series,
            "managedEgressSupport": "SUPPORTED",
        }


SHAPES = (
    Shape("VM.Standard2.1", 1, 15, "INTEL_SKYLAKE", fast_launch=True),
    Shape("VM.Standard2.2", 2, 30, "INTEL_SKYLAKE", fast_launch=True),
    Shape("VM.Standard2.4", 4, 60, "INTEL_SKYLAKE"),
    Shape("VM.Standard2.8", 8, 120, "INTEL_SKYLAKE"),
    Shape("VM.Standard2.16", 16, 240, "INTEL_SKYLAKE"),
    Shape("VM.Standard2.24", 24, 320, "INTEL_SKYLAKE"),
    Shape("VM.Standard3.Flex", 1, 16, "INTEL_SKYLAKE"),
    Shape("VM.Optimized3.Flex", 1, 14, "INTEL_SKYLAKE"),
    Shape("VM.Standard.E2.1", 1, 8, "LEGACY"),
    Shape("VM.Standard.E2.2", 2, 16, "LEGACY"),
    Shape("VM.Standard.E2.4", 4, 32, "LEGACY"),
    Shape("VM.Standard.E2.8", 8, 64, "LEGACY"),
    Shape("VM.Standard.E3.Flex", 1, 16, "AMD_ROME"),
    Shape("VM.Standard.E4.Flex", 1, 16, "AMD_ROME", fast_launch=True),
    Shape("VM.Standard.E5.Flex", 1, 16, "AMD_ROME"),
    Shape("VM.Standard.A1.Flex", 1, 6, "ARM"),
    Shape("VM.GPU2.1", 12, 72, "NVIDIA_GPU"),
    Shape("VM.GPU3.1", 6, 90, "NVIDIA_GPU"),
    Shape("VM.GPU3.2", 12, 180, "NVIDIA_GPU"),
    Shape("VM.GPU3.4", 24, 360, "NVIDIA_GPU"),
    Shape("VM.GPU.A10.1", 15, 240, "NVIDIA_GPU"),
    Shape("VM.GPU.A10.2", 30, 480, "NVIDIA_GPU"),
    Shape("BM.GPU.A10.4", 64, 1024, "NVIDIA_GPU"),
    Shape("BM.GPU4.8", 64, 2048, "NVIDIA_GPU"),
)

BY_NAME = {shape.name: shape for shape in SHAPES}
