"""An operator at rest: it has done what it could, and what is left waits for its time or for somebody else."""

import time

from tests.support.patience import patience

from ocijobs.testing.process import OperatorProcess

_REST = ("\nocijobs_queue_depth 0.0", "\nocijobs_objects_under_way 0.0")


def until_at_rest(operator: OperatorProcess) -> None:
    """Return when no object waits for a worker, and none is worked on.

    A write of the operator puts its object into the queue again before the worker lets go of it. So what follows from
    a write that a test has seen (an Event, the finalizer's removal, another object's status) is done by then.
    """
    deadline = time.monotonic() + patience(60)
    while not _rests(operator):
        # It tells how it stands to who asks, and tells nobody of a change.
        assert time.monotonic() < deadline, "the operator comes to no rest"
        time.sleep(0.05)


def _rests(operator: OperatorProcess) -> bool:
    metrics = operator.fetch("/metrics") or ""
    return all(line in metrics for line in _REST)
