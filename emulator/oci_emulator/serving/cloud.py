"""A cloud: a tenancy with its state, the services on it, and the runs that they execute."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from oci_emulator.certificates.authority import Authority
from oci_emulator.certificates.keys import KeyFile
from oci_emulator.control.access import AccessControl
from oci_emulator.control.api import PREFIX, ControlApi
from oci_emulator.control.call import Route
from oci_emulator.control.conduct import ConductControl
from oci_emulator.control.faults import FaultControl
from oci_emulator.control.file_systems import FileSystemControl
from oci_emulator.control.journal import JournalControl
from oci_emulator.control.overview import OverviewControl
from oci_emulator.control.runs import RunControl
from oci_emulator.control.secrets import SecretControl
from oci_emulator.control.users import UserControl, key_of, make_user
from oci_emulator.formats.jsontypes import compact
from oci_emulator.principals.directory import Directory
from oci_emulator.principals.instances import PREFIX as INSTANCE_METADATA
from oci_emulator.principals.instances import Instance
from oci_emulator.principals.tokens import TokenService
from oci_emulator.principals.verdicts import Verdicts
from oci_emulator.principals.workloads import Workloads
from oci_emulator.running.conda import CondaEnvironments, default_cache
from oci_emulator.running.containers import Engine
from oci_emulator.running.environment import Network
from oci_emulator.running.process import Processes
from oci_emulator.running.spark import connector_directory
from oci_emulator.server.dispatch import Dispatch
from oci_emulator.server.faults import Faults
from oci_emulator.server.federation import WORKLOAD, X509, Federation
from oci_emulator.server.journal import Journal
from oci_emulator.server.pipeline import Pipeline
from oci_emulator.server.retry_tokens import RetryTokens
from oci_emulator.services.dataflow.execution import Execution as FlowExecution
from oci_emulator.services.dataflow.staging import Staging
from oci_emulator.services.datascience.bootstrap import Bootstrap
from oci_emulator.services.datascience.execution import Execution
from oci_emulator.services.datascience.metering import Metering
from oci_emulator.services.datascience.progression import JOB
from oci_emulator.services.datascience.published import PublishedPacks
from oci_emulator.services.foundation import Tenancy
from oci_emulator.serving.services import build
from oci_emulator.serving.settings import Settings
from oci_emulator.serving.statedir import State
from oci_emulator.state.resources import Selection

_PLACES_PER_CORE = 2
_PROJECT_NAME = "emulator"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The URLs at which a cloud is reached."""

    http: str
    proxy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What clients were told of a cloud: another that has it can take its place.

    Attributes:
        user: the OCID of the administrator.
        key: the administrator's API key.
        project: the OCID of the project that is there from the beginning.
    """

    tenancy: Tenancy
    user: str
    key: RSAPrivateKey
    project: str


class Cloud:
    """A local cloud on a state directory.

    Args:
        known: what a cloud without a state begins with; all of it new by default.

    Raises:
        StartError: a setting can't be used.
    """

    def __init__(
        self, settings: Settings, authority: Authority, known: Known | None = None
    ) -> None:
        self._settings = settings
        self._authority = authority
        self._state = State(settings, _tenancy(settings, known))
        foundation = self._foundation = self._state.foundation
        self.database = foundation.database
        self.tenancy = foundation.tenancy
        self._services = build(foundation, self._state.plans)
        token_key = KeyFile(settings.state / "token.key")
        self._tokens = TokenService(token_key.key, foundation.tenancy.id)
        self._directory = Directory(foundation.resources, self._tokens, foundation.tenancy.id)
        self._journal = Journal(foundation.database, bodies=settings.journal_bodies)
        self._faults = Faults()
        self._verdicts = Verdicts(
            foundation.database,
            foundation.clock,
            foundation.compartments,
            lambda: foundation.lags.iam,
        )
        self._workloads = Workloads(foundation.database, foundation.tenancy.id)
        self._instance = Instance(
            settings.state / "instance",
            authority,
            tenancy=foundation.tenancy.id,
            region=foundation.tenancy.region,
            new_ocid=foundation.new_ocid,
        )
        self._federation = Federation(
            tokens=self._tokens,
            authority=authority,
            instance=self._instance,
            workloads=self._workloads,
            book=foundation.book,
        )
        self._dispatch = Dispatch(
            endpoints=self._services.endpoints,
            database=foundation.database,
            book=foundation.book,
            gate=self._verdicts,
            journal=self._journal,
            retry_tokens=RetryTokens(foundation.database, foundation.book),
        )
        self._services.schedules.attach(self._dispatch.perform)
        self._services.dataflow.files.attach(self._dispatch.perform)
        self._pipeline = self._make_pipeline()
        self._first = self._first_start(known)
        self._execution: Execution | None = None
        self._flow: FlowExecution | None = None
        self._control: ControlApi | None = None

    def start(self, endpoints: Endpoints) -> dict[str, str]:
        """Let time pass and runs execute; what clients need to know."""
        self._sweep()
        self._execution = self._make_execution(endpoints)
        self._flow = self._make_flow(endpoints)
        self._control = ControlApi(self._routes(self._execution, self._flow))
        self._foundation.timers.start()
        self._execution.recover()
        self._flow.recover()
        self.database.commit()
        return {
            **self._first,
            "tenancy": self.tenancy.id,
            "region": self.tenancy.region,
            "namespace": self.tenancy.namespace,
        }

    async def stop(self) -> None:
        """Let nothing happen by itself any more: processes of runs are ended, no state is changed."""
        self._foundation.timers.stop()
        if self._execution is not None:
            await self._execution.close()
        if self._flow is not None:
            await self._flow.close()

    def close(self) -> None:
        """Commit, and answer nothing any more."""
        self._pipeline.close()
        self._state.close()

    def known(self) -> Known:
        """What clients were told of it.

        Raises:
            OSError: the administrator's key is gone.
            ValueError: it is no key any more.
        """
        user = self._first["user"]
        return Known(
            tenancy=self.tenancy,
            user=user,
            key=key_of(self._settings.state, user),
            project=self._first["project"],
        )

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, for a service or for what is beside them."""
        if request.path in {X509, WORKLOAD}:
            return await self._federation(request)
        if request.path.startswith(INSTANCE_METADATA) and not request.secure:
            return self._instance.metadata(request)
        # Not through the proxy: the control API is no service of the cloud.
        if request.raw_path.startswith(PREFIX) and not request.secure and self._control:
            response = await self._control(request)
            self.database.commit()
            return response
        return await self._pipeline(request)

    def _make_pipeline(self) -> Pipeline:
        foundation = self._foundation
        return Pipeline(
            endpoints=self._services.endpoints,
            database=foundation.database,
            clock=foundation.clock,
            book=foundation.book,
            directory=self._directory,
            gate=self._verdicts,
            journal=self._journal,
            faults=self._faults,
            dispatch=self._dispatch,
            region=foundation.tenancy.region,
        )

    def _make_execution(self, endpoints: Endpoints) -> Execution:
        foundation = self._foundation
        cache = self._settings.cache or default_cache()
        bootstrap = Bootstrap(
            foundation,
            tokens=self._tokens,
            environments=CondaEnvironments(cache, lambda line: _logger.info("conda: %s", line)),
            published=PublishedPacks(
                self._dispatch.perform,
                now=foundation.clock.now,
                tenancy=foundation.tenancy.id,
                region=foundation.tenancy.region,
            ),
            engine=Engine.of(self._settings.engine, self._settings.engine_options),
            directory=self._settings.state / "runs",
            network=Network(proxy=endpoints.proxy, authority=self._authority.certificate_path),
        )
        return Execution(
            foundation,
            self._services.progression,
            bootstrap=bootstrap,
            metering=Metering(foundation, self._services.metrics),
            processes=Processes(),
            places=self._settings.places or _PLACES_PER_CORE * (os.cpu_count() or 1),
        )

    def _make_flow(self, endpoints: Endpoints) -> FlowExecution:
        foundation = self._foundation
        flow = self._services.dataflow
        staging = Staging(
            foundation,
            files=flow.files,
            tokens=self._tokens,
            python=self._settings.spark or Path(sys.executable),
            connector=connector_directory(self._settings.cache or default_cache()),
            directory=self._settings.state / "runs",
            network=Network(proxy=endpoints.proxy, authority=self._authority.certificate_path),
            endpoint=endpoints.http,
        )
        flow.logs.attach(staging.logs_of)
        places = self._settings.places or os.cpu_count() or 1
        return FlowExecution(foundation, flow.progression, staging=staging, places=places)

    def _routes(self, execution: Execution, flow: FlowExecution) -> Iterator[Route]:
        """What its control API answers."""
        foundation = self._foundation
        services = self._services
        yield from JournalControl(foundation, self._journal).routes()
        yield from FaultControl(self._faults).routes()
        yield from ConductControl(foundation, self._state.plans).routes()
        yield from AccessControl(foundation, self._verdicts, self._workloads).routes()
        yield from UserControl(foundation, self._directory, self._settings.state).routes()
        yield from SecretControl(foundation, services.secrets).routes()
        yield from FileSystemControl(foundation).routes()
        yield from RunControl(
            foundation, services.progression, execution, services.dataflow.progression, flow
        ).routes()
        yield from OverviewControl(
            foundation,
            progression=services.progression,
            plans=self._state.plans,
            entries=services.entries,
            metrics=services.metrics,
            config=Path(self._first["config"]),
        ).routes()

    def _first_start(self, known: Known | None) -> dict[str, str]:
        """The user and the project that are there from the beginning."""
        remembered = self.database.fact("first start")
        if remembered is not None:
            first: dict[str, str] = json.loads(remembered)
            return first
        foundation = self._foundation
        user = make_user(
            foundation,
            self._directory,
            self._settings.state,
            "admin",
            ["Administrators"],
            key=known.key if known else None,
            identifier=known.user if known else "",
        )
        details = {"displayName": _PROJECT_NAME, "compartmentId": foundation.tenancy.id}
        project = self._services.projects.add(
            details, user["id"], foundation.clock.now(), known.project if known else ""
        )
        first = {"config": user["config"], "user": user["id"], "project": project.id}
        self.database.set_fact("first start", compact(first))
        return first

    def _sweep(self) -> None:
        """Remove content that a kill left without a record."""
        foundation = self._foundation
        jobs = foundation.resources.select(Selection(kind=JOB))
        artifacts = {job.inner["artifact"]["content"] for job in jobs if "artifact" in job.inner}
        foundation.content.sweep(frozenset(artifacts | self._services.objects.contents()))


def _tenancy(settings: Settings, known: Known | None) -> Tenancy | None:
    """The tenancy that clients know, with the namespace that the settings name, if they do."""
    if known is None:
        return None
    return replace(known.tenancy, namespace=settings.namespace or known.tenancy.namespace)
