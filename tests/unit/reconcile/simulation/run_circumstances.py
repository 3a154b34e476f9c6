"""What does not change in a history of a run."""

from __future__ import annotations

from dataclasses import dataclass

from ocijobs.backends.records import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What does not change in a history.

    Attributes:
        lag: by how many seconds OCI's lists are late; less than the time between two searches.
        log_lag: by how many seconds lines of output are late.
        secret: whether the environment takes a value from a Secret, and the code prints it.
        results: whether results are declared.
        printed: whether the code prints them.
        outputs: whether there are outputs, with results.json among them.
        log: when OCI tells of the run's log; None without logging.
        measured: by how many seconds Monitoring is late with what the run used; None where it has nothing.
        delete_record: whether spec.deletionPolicy is Delete.
        backoff_limit: how often a failed run is tried again.
        ignores: whether the failure policy ignores the exit code that failed runs have.
        deadline: spec.activeDeadlineSeconds.
        pre_running: spec.preRunningDeadlineSeconds.
        waits: whether the run waits for another one, and takes a value from it.
        expires: whether the run is deleted a while after its end.
        queued: whether the run names a queue of Kueue.
        kueue: whether the cluster has Kueue at first.
        spark: whether it is a run of Data Flow.
        stream: whether it is one that goes on until it is stopped.
        swept: whether it is a child of a sweep, which is there until its namespace is deleted.
    """

    lag: float = 0
    log_lag: float = 0
    secret: bool = False
    results: bool = False
    printed: bool = True
    outputs: bool = False
    log: RunState | None = RunState.IN_PROGRESS
    measured: float | None = None
    delete_record: bool = False
    backoff_limit: int = 0
    ignores: bool = False
    deadline: int | None = None
    pre_running: int | None = None
    waits: bool = False
    expires: bool = False
    queued: bool = False
    kueue: bool = True
    spark: bool = False
    stream: bool = False
    swept: bool = False

    @property
    def on_data_flow(self) -> bool:
        """Whether Data Flow runs it: a stream is of Spark."""
        return self.spark or self.stream

    @property
    def keeps_lines(self) -> bool:
        """Whether what the code prints is kept: Data Flow has logs of its own."""
        return self.on_data_flow or self.log is not None
