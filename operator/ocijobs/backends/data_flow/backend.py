"""OCI Data Flow: each run has a Spark of its own, a driver and executors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.infrastructure import Infrastructure
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.settings import RunSettings, RunSpark
from ocijobs.api.shared.backend import BackendName
from ocijobs.backends.backend import Backend, MachinesTold
from ocijobs.backends.data_flow import fields, job_request, machines_told, run_request
from ocijobs.backends.data_flow.application import application_of
from ocijobs.backends.data_flow.requests import (
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
)
from ocijobs.backends.environment import command_line, resolve
from ocijobs.backends.inputs import JobInput, RunInput
from ocijobs.backends.limits import over_limit
from ocijobs.backends.names import KnownNames
from ocijobs.backends.pod_sets import PodSet
from ocijobs.backends.records import RunState
from ocijobs.backends.requests import (
    JobChange,
    JobCreation,
    RunCreation,
    Tags,
    WantedName,
    expect,
)
from ocijobs.backends.values import NO_VALUES
from ocijobs.settings import Settings


class DataFlow(Backend):
    """OCI Data Flow."""

    def is_meant_by(self, infrastructure: Infrastructure) -> bool:
        """Whether there is a block of Data Flow."""
        return infrastructure.data_flow is not None

    def template(
        self, spec: OCIJobSpec, *, region: str, artifact: Artifact | None, names: KnownNames
    ) -> RunTemplate:
        """Return the application, variables and arguments."""
        del region
        return job_request.template_of(spec, artifact, names)

    def foreign_template(self, content: JobCreation) -> RunTemplate:
        """Return the application without its properties, which may be secret."""
        application = application_of(expect(content, ApplicationRequest))
        return RunTemplate(application=application, made_elsewhere=True)

    def revision_content(self, made: JobInput) -> Mapping[str, object]:
        """Return what no run can be sent otherwise, and what an update can't take away."""
        return job_request.revision_content(made)

    def job_request(self, made: JobInput, tags: Tags) -> ApplicationRequest:
        """Return CreateApplicationDetails."""
        return job_request.job_request(made, tags)

    def run_request(self, run: RunInput) -> ApplicationRunRequest | str:
        """Return CreateRunDetails, or what the run can't have."""
        return run_request.run_request(run)

    def run_content(self, request: RunCreation, settings: RunSettings) -> Mapping[str, object]:
        """Return what of a run's request its digest is taken over."""
        return run_request.run_content(expect(request, ApplicationRunRequest), settings)

    def setting_fields(self, settings: JobChange) -> Iterator[tuple[str, object]]:
        """Return the code, and what a run may be sent instead."""
        return fields.setting_fields(expect(settings, ApplicationSettings))

    def fixed_fields(self, request: JobCreation) -> Iterator[tuple[str, object]]:
        """Return the type: all else is changed in place."""
        return fields.fixed_fields(expect(request, ApplicationRequest))

    def problem(self, spec: OCIJobSpec, *, region: str, limits: Settings) -> str | None:
        """Return what is too long."""
        del region
        written = (variable for variable in spec.env if not variable.read_at_launch)
        variables = resolve(written, NO_VALUES)
        return over_limit(variables, command_line(spec.args, variables), limits, merged="")

    def wanted_names(
        self, spec: OCIJobSpec, defaults: IdentityDefaults, names: KnownNames
    ) -> Iterator[WantedName]:
        """Yield the name of the pool."""
        del defaults, names
        name = job_request.pool_name(spec)
        if name is not None:
            yield name

    def code_bucket(self, spec: OCIJobSpec) -> str | None:
        """Return infrastructure.dataFlow.artifactBucketUri."""
        return job_request.own_bucket(spec)

    def code_found(self, artifact: Artifact, content: JobCreation) -> Artifact | None:
        """Return the code at the place where it is: that of another cluster, or namespace."""
        code = expect(content, ApplicationRequest).settings.code
        if code.file_uri is None:
            return None
        folder, found, _ = code.file_uri.rpartition(f"/{artifact.name}")
        return artifact.model_copy(update={"uri": folder}) if found else None

    def machines_told(self, template: RunTemplate, settings: RunSettings) -> MachinesTold:
        """Return the driver, which stands for its executors."""
        if template.application is None:
            return {}
        return machines_told.machines_told(template.application, settings.spark or RunSpark())

    def pod_sets(self, template: RunTemplate, settings: RunSettings) -> tuple[PodSet, ...]:
        """Return the driver and the executors."""
        if template.application is None:
            return (PodSet(name="main"),)
        return machines_told.pod_sets(template.application, settings.spark or RunSpark())

    def goes_on(self, template: RunTemplate) -> bool:
        """Whether the application is a stream or a session."""
        return template.application is not None and template.application.type.goes_on


DATA_FLOW = DataFlow(
    name=BackendName.DATA_FLOW,
    title="Data Flow",
    job_type="dataflowapplication",
    run_type="dataflowrun",
    job_page="data-flow/apps/details",
    run_page="data-flow/runs/details",
    run_states=(
        RunState.ACCEPTED,
        RunState.IN_PROGRESS,
        RunState.CANCELING,
        RunState.STOPPING,
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.CANCELED,
        RunState.STOPPED,
    ),
    ended_well="the run has ended well",
    code_bucket_field="spec.infrastructure.dataFlow.artifactBucketUri",
    keeps_logs=True,
)
"""The page of a run is the one that ADS links to; that of an application is named like it."""
