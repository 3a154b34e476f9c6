"""What a run has read and written, from Spark's own log of events."""

import json
from pathlib import Path

EVENTS = "events"
"""The directory of the logs of events, within a run's."""
_TASK_END = '"SparkListenerTaskEnd"'


def read_and_written(directory: Path) -> tuple[int, int]:
    """The bytes that the tasks of a run have read and written, as far as Spark counts them."""
    read = written = 0
    for path in directory.glob("*"):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if _TASK_END not in line:
                    continue
                metrics = _metrics(line)
                read += metrics.get("Input Metrics", {}).get("Bytes Read", 0)
                written += metrics.get("Output Metrics", {}).get("Bytes Written", 0)
    return read, written


def _metrics(line: str) -> dict[str, dict[str, int]]:
    try:
        metrics: dict[str, dict[str, int]] = json.loads(line).get("Task Metrics") or {}
    except ValueError:
        # The last line of a process that was killed.
        return {}
    return metrics
