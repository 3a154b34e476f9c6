"""A service that there is not: jobs have no settings that change, runs have few states, no logs and no exit codes.

This is all that decisions know of it: one value, and its requests. An OCIJob means it by its shape, since the API has
no block for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ocijobs.api.job.infrastructure import Infrastructure
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.backends.backend import Backend
from ocijobs.backends.environment import expand, references, resolve, variables_of
from ocijobs.backends.inputs import JobInput, RunInput
from ocijobs.backends.names import KnownNames
from ocijobs.backends.records import RunState
from ocijobs.backends.requests import JobChange, JobCreation, RunCreation, Tags, expect
from ocijobs.backends.values import NO_VALUES

SHAPE = "Batch.Task"
"""What a job of Batch has as its shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """What every job has."""

    display_name: str
    description: str | None
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJobRequest:
    """What makes a job."""

    compartment_id: str
    settings: BatchSettings
    variables: Mapping[str, str] = field(repr=False)

    @property
    def project_id(self) -> str | None:
        """None: jobs are in no project."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTaskRequest:
    """What makes a run. Without variables it has the job's."""

    compartment_id: str
    job_id: str
    display_name: str
    tags: Tags
    variables: Mapping[str, str] | None = field(repr=False)


class BatchService(Backend):
    """Batch: what has no default, and where outputs go."""

    def is_meant_by(self, infrastructure: Infrastructure) -> bool:
        """Whether the shape is one of Batch."""
        machines = infrastructure.data_science_job
        return machines is not None and machines.shape_name == SHAPE

    def template(
        self, spec: OCIJobSpec, *, region: str, artifact: Artifact | None, names: KnownNames
    ) -> RunTemplate:
        """Return the variables: that is all that a task has."""
        del region, artifact, names
        return RunTemplate(env=spec.env)

    def foreign_template(self, content: JobCreation) -> RunTemplate:
        """Return nothing: a task has the variables of its job."""
        expect(content, BatchJobRequest)
        return RunTemplate()

    def revision_content(self, made: JobInput) -> Mapping[str, object]:
        """Return everything, since nothing changes in place."""
        spec = made.job.spec
        return {
            "name": made.display_name,
            "description": spec.description,
            "freeformTags": spec.freeform_tags,
            "definedTags": spec.defined_tags,
            "env": [v.document() for v in spec.env if not v.read_at_launch],
        }

    def job_request(self, made: JobInput, tags: Tags) -> BatchJobRequest:
        """Return what makes the job."""
        written = (v for v in made.job.spec.env if not v.read_at_launch)
        return BatchJobRequest(
            compartment_id=made.compartment_id,
            settings=BatchSettings(
                display_name=made.display_name, description=made.job.spec.description, tags=tags
            ),
            variables=resolve(written, NO_VALUES),
        )

    def run_request(self, run: RunInput) -> BatchTaskRequest | str:
        """Return what makes the task; it takes variables, and nothing else."""
        if run.settings.args is not None:
            return f"spec.args: OCIJob {run.job_name} runs on Batch, and a task has no arguments"
        written = variables_of(run.template, run.settings)
        own = run.settings.env or references(written)
        return BatchTaskRequest(
            compartment_id=run.job.compartment_id or "",
            job_id=run.job.job_id or "",
            display_name=run.display_name,
            tags=run.tags,
            variables=resolve(written, run.values) if own else None,
        )

    def run_content(self, request: RunCreation, settings: RunSettings) -> Mapping[str, object]:
        """Return whether there are variables: what they are is in every digest."""
        del settings
        return {"overridden": expect(request, BatchTaskRequest).variables is not None}

    def setting_fields(self, settings: JobChange) -> Iterator[tuple[str, object]]:
        """Yield nothing."""
        expect(settings, BatchSettings)
        yield from ()

    def fixed_fields(self, request: JobCreation) -> Iterator[tuple[str, object]]:
        """Yield the variables."""
        for name, value in expect(request, BatchJobRequest).variables.items():
            yield f"env[{name}]", value

    def outputs_uri(self, run: RunInput) -> str | None:
        """Return where outputs go: a task saves them."""
        uri = run.job.outputs_uri_template
        known = resolve(variables_of(run.template, run.settings), run.values)
        return expand(uri, known) if uri is not None else None


BATCH = BatchService(
    name="Batch",
    title="Batch",
    job_type="batchjob",
    run_type="batchtask",
    job_page="batch/jobs",
    run_page="batch/tasks",
    run_states=(
        RunState.ACCEPTED,
        RunState.IN_PROGRESS,
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.CANCELED,
        RunState.DELETED,
    ),
    ended_well="the task is done",
    deletes_records=True,
)
