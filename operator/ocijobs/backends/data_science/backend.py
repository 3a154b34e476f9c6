"""OCI Data Science: each run has a virtual machine of its own, or several."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.infrastructure import Infrastructure
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.environment import EnvVar
from ocijobs.backends.backend import Backend, MachinesTold
from ocijobs.backends.data_science import (
    compute,
    fields,
    job_request,
    machines_told,
    run_request,
    workload,
)
from ocijobs.backends.data_science.limits import workload_over_limit
from ocijobs.backends.data_science.names import wanted_names
from ocijobs.backends.data_science.requests import JobRequest, JobSettings, RunRequest
from ocijobs.backends.inputs import JobInput, RunInput
from ocijobs.backends.names import KnownNames
from ocijobs.backends.pod_sets import PodSet
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.backends.requests import (
    JobChange,
    JobCreation,
    RunCreation,
    Tags,
    WantedName,
    expect,
)
from ocijobs.settings import Settings

_EXIT_CODE = re.compile(r"exit code (\d+)")


class DataScience(Backend):
    """OCI Data Science."""

    def is_meant_by(self, infrastructure: Infrastructure) -> bool:
        """Whether there is a block of Data Science."""
        return infrastructure.data_science_job is not None

    def template(
        self, spec: OCIJobSpec, *, region: str, artifact: Artifact | None, names: KnownNames
    ) -> RunTemplate:
        """Return machines, variables, arguments and container."""
        del artifact, names
        return workload.template_of(spec, region)

    def foreign_template(self, content: JobCreation) -> RunTemplate:
        """Return what is sent with the rest of a block: the arguments and the time limit."""
        return workload.foreign_template(expect(content, JobRequest))

    def revision_content(self, made: JobInput) -> Mapping[str, object]:
        """Return all but names, tags, and the machine of jobs on one machine."""
        return job_request.revision_content(made)

    def job_request(self, made: JobInput, tags: Tags) -> JobRequest:
        """Return CreateJobDetails."""
        return job_request.job_request(made, tags)

    def run_request(self, run: RunInput) -> RunRequest | str:
        """Return CreateJobRunDetails, or what the run can't have."""
        return run_request.run_request(run)

    def run_content(self, request: RunCreation, settings: RunSettings) -> Mapping[str, object]:
        """Return what of a run's request its digest is taken over."""
        return run_request.run_content(expect(request, RunRequest), settings)

    def setting_fields(self, settings: JobChange) -> Iterator[tuple[str, object]]:
        """Return machine and mounts."""
        return fields.setting_fields(expect(settings, JobSettings))

    def fixed_fields(self, request: JobCreation) -> Iterator[tuple[str, object]]:
        """Return the log, and what runs start."""
        return fields.fixed_fields(expect(request, JobRequest))

    def problem(self, spec: OCIJobSpec, *, region: str, limits: Settings) -> str | None:
        """Return what is too long."""
        return workload_over_limit(workload.job_workload(spec, region), limits, merged="")

    def wanted_names(
        self, spec: OCIJobSpec, defaults: IdentityDefaults, names: KnownNames
    ) -> Iterator[WantedName]:
        """Yield names of the log, and addresses of file systems."""
        return wanted_names(spec, defaults, names)

    def shape_names(self, spec: OCIJobSpec) -> Mapping[str, str]:
        """Return the job's shape, and those of its groups of nodes."""
        return compute.shape_names(spec)

    def settings_content(self, settings: JobChange) -> object:
        """Return what the digest of the settings is taken over."""
        return job_request.settings_content(expect(settings, JobSettings))

    def job_content(self, request: JobCreation) -> object:
        """Return what the digest of a creation is taken over."""
        return job_request.job_content(expect(request, JobRequest))

    def starts_the_same(self, wanted: JobCreation, found: JobCreation) -> bool:
        """Whether the workloads are alike."""
        return expect(wanted, JobRequest).workload == expect(found, JobRequest).workload

    def variables(self, template: RunTemplate, run: RunSettings | None) -> tuple[EnvVar, ...]:
        """Return the variables of all groups of nodes."""
        return workload.all_variables(template, run)

    def outputs_uri(self, run: RunInput) -> str | None:
        """Return where the driver saves outputs."""
        return run_request.outputs_uri(run)

    def machines_told(self, template: RunTemplate, settings: RunSettings) -> MachinesTold:
        """Return the machine of a run, or of its first group of nodes."""
        return machines_told.machines_told(template, settings)

    def pod_sets(self, template: RunTemplate, settings: RunSettings) -> tuple[PodSet, ...]:
        """Return a set for each group of nodes, or one for one machine."""
        return machines_told.pod_sets(template, settings)

    def exit_code(self, record: RunRecord) -> int | None:
        """Return the exit code: OCI has no field for it, only the words "exit code N" in lifecycleDetails."""
        if record.state is RunState.SUCCEEDED:
            return 0
        if record.state is not RunState.FAILED:
            return None
        found = _EXIT_CODE.search(record.details)
        return int(found.group(1)) if found else None


DATA_SCIENCE = DataScience(
    name=BackendName.DATA_SCIENCE,
    title="Data Science",
    job_type="datasciencejob",
    run_type="datasciencejobrun",
    job_page="data-science/jobs",
    run_page="data-science/job-runs",
    run_states=(
        RunState.ACCEPTED,
        RunState.IN_PROGRESS,
        RunState.NEEDS_ATTENTION,
        RunState.CANCELING,
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.CANCELED,
        RunState.DELETED,
    ),
    ended_well="the run has ended with exit code 0",
    needs_project=True,
    deletes_records=True,
    filters_combine=True,
    lists_in_part=True,
    tells_start=True,
    measured=True,
)
"""Pages of jobs and runs are the ones that ADS links to."""
