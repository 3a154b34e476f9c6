"""The variables of a job's runs, as they were written: the job's, a group's over them, the run's over both."""

from __future__ import annotations

from ocijobs.api.environment import EnvVar
from ocijobs.api.job_run import RunSettings
from ocijobs.api.node_group import JobNodeGroup
from ocijobs.api.run_binding import RunTemplate
from ocijobs.reconcile.environment import merge


def groups_of(template: RunTemplate) -> tuple[JobNodeGroup, ...]:
    """Return the groups of nodes that a run has; none where it is on one machine."""
    return template.infrastructure.job_node_groups if template.infrastructure is not None else ()


def variables_of(
    template: RunTemplate, run: RunSettings | None, group: JobNodeGroup | None = None
) -> tuple[EnvVar, ...]:
    """Return the variables of a node as they were written: the job's, the group's over them, the run's over both."""
    merged = merge(template.env, group.env if group is not None else ())
    return merge(merged, run.env if run is not None else ())


def all_variables(template: RunTemplate, run: RunSettings | None) -> tuple[EnvVar, ...]:
    """Return every variable that some node has, as it was written."""
    groups = groups_of(template) or (None,)
    return tuple(variable for group in groups for variable in variables_of(template, run, group))
