"""When a job run counts as gone: OCI reads DELETED, or twice, minutes apart, it is nowhere to be found."""

from __future__ import annotations

from datetime import timedelta

from ocijobs.backends.records import RunState
from ocijobs.reconcile.run.observation import RunObservation


def gone(o: RunObservation) -> bool:
    """Whether the job run is gone. A single 404 proves nothing: OCI answers it where a permission lacks, too."""
    record, absent = o.known.record, o.known.absent_at
    if record is not None and record.state is RunState.DELETED:
        return True
    confirm = timedelta(seconds=o.settings.search_confirm_seconds)
    return bool(absent) and absent[-1] - absent[0] >= confirm
