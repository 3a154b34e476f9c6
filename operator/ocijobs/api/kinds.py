"""The kinds of the API group, and the services that run jobs.

Part of the interface: changing one needs a migration, not a rename.
"""

from typing import Final

JOB: Final = "OCIJob"
RUN: Final = "OCIJobRun"
SWEEP: Final = "OCIJobSweep"
SCHEDULE: Final = "OCIJobSchedule"
IDENTITY: Final = "OCIIdentity"

PLURALS: Final = {
    JOB: "ocijobs",
    RUN: "ocijobruns",
    SWEEP: "ocijobsweeps",
    SCHEDULE: "ocijobschedules",
    IDENTITY: "ociidentities",
}
"""Names of the resources, as paths of the API have them."""

MAKERS: Final = frozenset({SWEEP, SCHEDULE})
"""Kinds that make runs; a schedule makes sweeps, too."""
