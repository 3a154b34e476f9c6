"""How long things take: one place for every lag, with values for each profile."""

import dataclasses
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Lags:
    """Seconds on the emulator's clock.

    Attributes:
        accepted: a run without lifecycle details, before its infrastructure is provisioned.
        provisioning: "Infrastructure provisioning."
        provisioned: "Infrastructure provisioned."
        bootstrap: "Job run bootstrap starting.", without what a conda environment takes to build.
        starting: "Job run bootstrap complete. Artifact execution starting."
        canceling: from the request to cancel a run until its processes get SIGTERM.
        job_delete: each of the states of the work request that deletes a job.
        work_request: each of the states of a work request of Logging.
        list: until a list shows that a resource was created or deleted.
        log_ingestion: until a search finds a log entry, at the least.
        log_jitter: how much later than that a log entry may come; not in order, if above 0.
        iam: until a changed policy is in force.
        metrics: from one measurement of what a run uses to the next.
        search: until Resource Search finds a new resource.
        tag: until lists and Resource Search show tags that a resource was created or updated with.
    """

    accepted: float
    provisioning: float
    provisioned: float
    bootstrap: float
    starting: float
    canceling: float
    job_delete: float
    work_request: float
    list: float
    log_ingestion: float
    log_jitter: float
    iam: float
    metrics: float
    search: float
    tag: float

    @property
    def until_running(self) -> float:
        """From ACCEPTED to IN_PROGRESS."""
        return self.accepted + self.provisioning + self.provisioned + self.bootstrap + self.starting


FAST: Final = Lags(
    accepted=0.005,
    provisioning=0.01,
    provisioned=0.005,
    bootstrap=0.01,
    starting=0.005,
    canceling=0.01,
    job_delete=0.01,
    work_request=0.01,
    list=0.0,
    log_ingestion=0.0,
    log_jitter=0.0,
    iam=0.0,
    metrics=1.0,
    search=0.0,
    tag=0.0,
)
"""Every state in its order, none for long."""

REALISTIC: Final = Lags(
    accepted=5.0,
    provisioning=120.0,
    provisioned=10.0,
    bootstrap=50.0,
    starting=15.0,
    canceling=20.0,
    job_delete=10.0,
    work_request=5.0,
    list=3.0,
    log_ingestion=5.0,
    log_jitter=20.0,
    iam=10.0,
    metrics=60.0,
    search=30.0,
    tag=10.0,
)
"""About what the service takes: 200 s to IN_PROGRESS are in ADS's own sample (3.3 minutes)."""

PROFILES: Final = {"fast": FAST, "realistic": REALISTIC}


class Profile:
    """The profile in force; it can change while the emulator runs.

    Args:
        name: one of ``PROFILES``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lags = PROFILES[name]

    def select(self, name: str) -> None:
        """Change to another profile.

        Raises:
            ValueError: there is none of that name.
        """
        if name not in PROFILES:
            raise ValueError(f"there is no profile {name!r}; there are {', '.join(PROFILES)}")
        self.name = name
        self.lags = PROFILES[name]


def as_json(lags: Lags) -> dict[str, float]:
    """Name -> seconds."""
    return dataclasses.asdict(lags)
