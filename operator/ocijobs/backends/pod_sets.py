"""What a run counts for with Kueue, in terms of OCI."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSet:
    """Machines of one kind that a run takes: Kueue counts each as a pod.

    Attributes:
        name: a DNS label, another one for each set of the run.
        count: how many machines.
        shape: their shape; None if it is not known.
        ocpus: OCPUs of each, where the manifest says how many.
        memory_in_gbs: memory of each in gigabytes, where the manifest says how much.
    """

    name: str
    count: int = 1
    shape: str | None = None
    ocpus: float | None = None
    memory_in_gbs: float | None = None
