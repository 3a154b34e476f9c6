"""Connects the operator's parts."""

from __future__ import annotations

from concurrent.futures import Executor as Threads
from dataclasses import dataclass, replace

from ocijobs.api import kinds
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.clock import Clock, StepAwareClock
from ocijobs.cloud.admission import Admission
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.credentials import CredentialStore
from ocijobs.cloud.directory import Directory
from ocijobs.cloud.job_services import job_services, run_logs
from ocijobs.cloud.log_search import LogSearch
from ocijobs.cloud.monitoring import Monitoring
from ocijobs.cloud.object_storage import ObjectStorage
from ocijobs.controller.credentials_copies import CredentialsCopies
from ocijobs.controller.dependents import Dependents
from ocijobs.controller.entry import Entry
from ocijobs.controller.execution import Executor
from ocijobs.controller.failures import Failures
from ocijobs.controller.fetcher_client import Fetcher
from ocijobs.controller.identity_actions import IdentityActions
from ocijobs.controller.job_actions import JobActions
from ocijobs.controller.log_reader import LogReader
from ocijobs.controller.memory import Memory
from ocijobs.controller.observer import Observer
from ocijobs.controller.origins import Means
from ocijobs.controller.orphans import Orphans
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.reporting import Reporter
from ocijobs.controller.resync import Resync
from ocijobs.controller.run_actions import RunActions
from ocijobs.controller.sources import SourceReader
from ocijobs.controller.staging import Staging
from ocijobs.controller.statuses import StatusWriter
from ocijobs.controller.store import Store
from ocijobs.controller.tracker import Tracker
from ocijobs.controller.turns import Turns
from ocijobs.controller.upkeep import Upkeep
from ocijobs.controller.utilisation_reader import UtilisationReader
from ocijobs.controller.worker import Surroundings, Worker
from ocijobs.controller.workload_actions import WorkloadActions
from ocijobs.fetcher.protocol import Limits
from ocijobs.kube.client import KubeClient
from ocijobs.kube.events import EventRecorder, EventSubject
from ocijobs.kube.lease import LeaderLease, NotLeadingError
from ocijobs.kube.own_namespace import OwnNamespace
from ocijobs.kube.reads import ObjectReader
from ocijobs.kube.workloads import Workloads
from ocijobs.kube.writer import ObjectWriter
from ocijobs.settings import Settings
from ocijobs.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """The parts that run, or have to be closed."""

    client: KubeClient
    calls: Calls
    admission: Admission[ObjectKey]
    jobs: JobActions
    store: Store
    workloads: Store
    queue: WorkQueue
    worker: Worker
    tracker: Tracker
    logs: LogReader
    utilisation: UtilisationReader
    resync: Resync
    copies: CredentialsCopies
    upkeep: Upkeep
    orphans: Orphans
    memory: Memory


def assemble(
    *,
    settings: Settings,
    clock: Clock,
    metrics: Metrics,
    client: KubeClient,
    lease: LeaderLease,
    threads: Threads,
    staging: Staging,
    fetcher: Fetcher,
    cluster_id: str,
    instance: str,
) -> Machinery:
    """Connect the parts. Nothing runs yet."""
    clock = StepAwareClock(clock)
    store, memory = Store(), Memory()
    queue = WorkQueue(clock, workers=settings.workers)
    clock.listen(memory.clock_stepped)
    clock.listen(lambda _: _decide_anew(store, queue))
    reader, writer = ObjectReader(client), ObjectWriter(client, lease.check)
    kueue, workloads = Workloads(client, lease.check), Store()
    credentials = CredentialStore()
    calls = Calls(
        settings,
        credentials,
        threads=threads,
        fence=lease.check,
        fenced=NotLeadingError,
        observe=metrics.oci_call,
        clock=clock,
        count_error=metrics.unforeseen,
        refused=lambda key: _doubt(memory, queue, ObjectKey(*key)),
    )
    admission: Admission[ObjectKey] = Admission(
        each=settings.oci_calls_per_identity, pace=calls.pace, clock=clock, wake=queue.add
    )
    storage, code = ObjectStorage(calls), CodeStorage(calls)
    services = job_services(calls, code)
    turns = Turns(settings.source_workers, queue.add)
    observer = Observer(
        store, memory, clock, settings, cluster_id, workloads=workloads, turns=turns
    )
    store.listen(memory.children.changed)
    dependents = Dependents(store, queue, observer, workloads=workloads)
    store.listen(dependents.changed)
    workloads.listen(dependents.workload_changed)
    logs = LogReader(
        LogSearch(calls),
        memory=memory,
        queue=queue,
        clock=clock,
        batch_seconds=settings.log_batch_seconds,
        count_error=metrics.unforeseen,
    )
    utilisation = UtilisationReader(
        Monitoring(calls),
        memory=memory,
        queue=queue,
        clock=clock,
        batch_seconds=settings.utilisation_batch_seconds,
        count_error=metrics.unforeseen,
    )
    jobs = JobActions(
        services=services,
        directory=Directory(calls, clock),
        code=code,
        code_in_use=observer.code_in_use,
        sources=SourceReader(
            _means(settings, reader, storage), fetcher, _limits(settings), staging, clock
        ),
        staging=staging,
        memory=memory,
        queue=queue,
        clock=clock,
        fence=lease.check,
        count_error=metrics.unforeseen,
    )
    store.listen(lambda key, before, after: _forget(jobs, turns, key, before, after))
    own_namespace = OwnNamespace(client, settings.operator_namespace, lease.check)
    orphans = Orphans(own_namespace)
    copies = CredentialsCopies(
        own_namespace,
        credentials=credentials,
        memory=memory,
        clock=clock,
        uid_of=lambda key: entry.metadata.uid if (entry := store.get(key)) else None,
        namespaces=settings.watch_namespaces,
    )
    identities = IdentityActions(
        reader=reader,
        storage=storage,
        credentials=credentials,
        store=store,
        memory=memory,
        clock=clock,
        copies=copies,
        needed=observer.needed,
        changed=dependents.identity_changed,
        read_for_launch_seconds=settings.launch_settle_seconds,
    )
    store.listen(identities.object_changed)
    executor = Executor(
        writer=writer,
        identities=identities,
        orphans=orphans,
        jobs=jobs,
        runs=RunActions(
            services=services,
            storage=storage,
            run_logs=run_logs(calls),
            logs=logs,
            utilisation=utilisation,
            reader=reader,
            memory=memory,
            clock=clock,
        ),
        workloads=WorkloadActions(kueue, workloads, memory, clock),
        store=store,
        memory=memory,
        queue=queue,
        admission=admission,
        clock=clock,
    )
    tracker = Tracker(
        services=services,
        memory=memory,
        queue=queue,
        clock=clock,
        settings=settings,
        metrics=metrics,
    )
    store.listen(lambda key, before, after: _unfollow(tracker, key, before, after))
    recorder = EventRecorder(client, clock, instance=instance, may_write=lambda: lease.leading)
    own = EventSubject(
        key=ObjectKey("Lease", settings.operator_namespace, settings.lease_name),
        uid="",
        api_version="coordination.k8s.io/v1",
    )
    reporter = Reporter(recorder, metrics, clock, own=own)
    surroundings = Surroundings(
        store=store,
        workloads=workloads,
        memory=memory,
        queue=queue,
        observer=observer,
        dependents=dependents,
        executor=executor,
        writer=writer,
        statuses=StatusWriter(
            writer=writer,
            store=store,
            memory=memory,
            queue=queue,
            reporter=reporter,
            metrics=metrics,
            clock=clock,
            settings=settings,
        ),
        tracker=tracker,
        turns=turns,
        reporter=reporter,
        failures=Failures(
            store=store,
            queue=queue,
            writer=writer,
            reporter=reporter,
            metrics=metrics,
            clock=clock,
        ),
        metrics=metrics,
        clock=clock,
    )
    resync = Resync(
        reader=reader,
        kueue=kueue,
        store=store,
        workloads=workloads,
        memory=memory,
        queue=queue,
        clock=clock,
        namespaces=settings.watch_namespaces,
        interval_seconds=settings.resync_seconds,
        count_error=metrics.unforeseen,
    )
    upkeep = Upkeep(
        orphans=orphans,
        identities=identities,
        store=store,
        memory=memory,
        needed=lambda key: any(True for _ in observer.users_of(key)),
        clock=clock,
        interval_seconds=settings.identity_reread_seconds,
    )
    return Machinery(
        client=client,
        calls=calls,
        admission=admission,
        jobs=jobs,
        store=store,
        workloads=workloads,
        queue=queue,
        worker=Worker(surroundings),
        tracker=tracker,
        logs=logs,
        utilisation=utilisation,
        resync=resync,
        copies=copies,
        upkeep=upkeep,
        orphans=orphans,
        memory=memory,
    )


def _decide_anew(store: Store, queue: WorkQueue) -> None:
    """Queue all objects: what waits for a time of the wall clock is due at another time, since the clock was set."""
    for key in store.all_keys():
        queue.add(key)


def _means(settings: Settings, reader: ObjectReader, storage: ObjectStorage) -> Means:
    trust = settings.oci_ca_file.read_text() if settings.oci_ca_file is not None else None
    return Means(
        reader=reader,
        storage=storage,
        limit_bytes=settings.artifact_limit_bytes,
        limit_files=settings.source_files_limit,
        trust=trust,
    )


def _doubt(memory: Memory, queue: WorkQueue, identity: ObjectKey) -> None:
    """Have OCI asked about the credentials of an identity, since it has refused them in some call."""
    memory.learn_identity(identity, lambda known: replace(known, doubted=True))
    queue.add(identity)


def _limits(settings: Settings) -> Limits:
    return Limits(
        seconds=settings.source_timeout_seconds,
        cpu_seconds=settings.source_cpu_seconds,
        memory_bytes=settings.source_memory_bytes,
        artifact_bytes=settings.artifact_limit_bytes,
        files=settings.source_files_limit,
        denied_networks=settings.source_denied_networks,
    )


def _forget(
    jobs: JobActions, turns: Turns, key: ObjectKey, before: Entry | None, after: Entry | None
) -> None:
    """Forget the artifact and the turn of a job that is gone."""
    if key.kind == kinds.JOB and after is None and before is not None:
        jobs.forget(before.metadata.uid)
        turns.want(key, before.metadata.uid, wanted=False)


def _unfollow(tracker: Tracker, key: ObjectKey, before: Entry | None, after: Entry | None) -> None:
    """Stop following a run that is gone."""
    if key.kind == kinds.RUN and after is None and before is not None:
        tracker.follow(key, before.metadata.uid, None)
