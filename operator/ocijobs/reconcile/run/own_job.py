"""The OCIJob of a run's own, which `spec.jobTemplate` describes."""

from __future__ import annotations

from typing import Any

from ocijobs.api import kinds
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.reconcile.ownership import owned_object


def own_job(run: OCIJobRun) -> dict[str, Any]:
    """Return the document of the run's own OCIJob: it has the run's name and labels, and goes with the run."""
    if run.spec.job_template is None:
        raise AssertionError  # pragma: no cover - callers ask for runs with a template
    return owned_object(
        run.metadata,
        kinds.RUN,
        kind=kinds.JOB,
        name=run.metadata.name,
        spec=run.spec.job_template.spec,
        labels=run.metadata.labels,
    )
