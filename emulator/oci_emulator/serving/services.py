"""The services, put together on their foundation."""

from collections.abc import Mapping
from dataclasses import dataclass

from oci_emulator.calls.call import Endpoint
from oci_emulator.services.dataflow import build as dataflow
from oci_emulator.services.datascience import wire as datascience_wire
from oci_emulator.services.datascience.artifacts import Artifacts
from oci_emulator.services.datascience.job_runs import JobRuns
from oci_emulator.services.datascience.jobs import Jobs
from oci_emulator.services.datascience.plans import Plans
from oci_emulator.services.datascience.progression import Progression
from oci_emulator.services.datascience.projects import Projects
from oci_emulator.services.datascience.schedules import Schedules
from oci_emulator.services.datascience.simulation import Changes, Simulations
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.identity.wire import Identity
from oci_emulator.services.logging import wire as logging_wire
from oci_emulator.services.logging.changes import LogChanges
from oci_emulator.services.logging.entries import LogEntries
from oci_emulator.services.logging.groups import LogGroups
from oci_emulator.services.logging.ingestion import Ingestion
from oci_emulator.services.logging.search import LogSearch
from oci_emulator.services.monitoring.store import MetricStore
from oci_emulator.services.monitoring.wire import Monitoring
from oci_emulator.services.objectstorage import wire as objectstorage_wire
from oci_emulator.services.objectstorage.buckets import Buckets
from oci_emulator.services.objectstorage.multipart import MultipartUploads
from oci_emulator.services.objectstorage.objects import Objects
from oci_emulator.services.objectstorage.table import ObjectTable
from oci_emulator.services.resourcesearch.wire import ResourceSearch
from oci_emulator.services.secrets.store import Secrets
from oci_emulator.services.secrets.wire import SecretRetrieval
from oci_emulator.services.work_requests import WorkRequests


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the services offer.

    Attributes:
        endpoints: service -> operation -> how it is carried out.
    """

    endpoints: Mapping[str, Mapping[str, Endpoint]]
    dataflow: dataflow.Built
    projects: Projects
    progression: Progression
    objects: ObjectTable
    schedules: Schedules
    secrets: Secrets
    metrics: MetricStore
    entries: LogEntries


def build(foundation: Foundation, plans: Plans) -> Services:
    """Make all services."""
    entries = LogEntries(foundation.database)
    log_work = WorkRequests(
        foundation, resource_type="logworkrequest", lag=lambda lags: lags.work_request
    )
    groups = LogGroups(foundation, LogChanges(foundation, entries, log_work))
    simulations = Simulations(foundation, plans)
    changes = Changes()
    progression = Progression(foundation, groups, entries, simulations, changes)
    work = WorkRequests(
        foundation, resource_type="datascienceworkrequest", lag=lambda lags: lags.job_delete
    )
    projects = Projects(foundation, work)
    schedules = Schedules(foundation, work)
    table = ObjectTable(foundation.database)
    buckets = Buckets(foundation, table)
    objects = Objects(foundation, buckets, table)
    flow = dataflow.build(
        foundation, groups=groups, entries=entries, simulations=simulations, changes=changes
    )
    secrets = Secrets(foundation)
    metrics = MetricStore(foundation.database)
    return Services(
        endpoints={
            "datascience": datascience_wire.endpoints(
                projects=projects,
                jobs=Jobs(foundation, work, groups, progression),
                artifacts=Artifacts(foundation),
                runs=JobRuns(foundation, progression),
                schedules=schedules,
                work=work,
            ),
            "dataflow": flow.service.endpoints(),
            "logging": logging_wire.management(groups, log_work),
            "loggingsearch": logging_wire.search(LogSearch(foundation, entries)),
            "objectstorage": objectstorage_wire.endpoints(
                buckets, objects, MultipartUploads(foundation, buckets, objects, table)
            ),
            "loggingingestion": logging_wire.ingestion(Ingestion(foundation, entries)),
            "identity": Identity(foundation).endpoints(),
            "monitoring": Monitoring(foundation, metrics).endpoints(),
            "resourcesearch": ResourceSearch(foundation).endpoints(),
            "secrets": SecretRetrieval(foundation, secrets).endpoints(),
        },
        dataflow=flow,
        projects=projects,
        progression=progression,
        objects=table,
        schedules=schedules,
        secrets=secrets,
        metrics=metrics,
        entries=entries,
    )
