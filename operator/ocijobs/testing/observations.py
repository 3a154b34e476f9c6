"""Builders of observations, and of what OCI tells: the input of `decide_run`, `decide_job` and `decide_identity`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.backends.inputs import JobInput
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.names import NO_NAMES
from ocijobs.backends.records import (
    JobState,
    LogAddress,
    RunRecord,
    RunState,
    RunTotals,
)
from ocijobs.reconcile.actions.calls import Launcher
from ocijobs.reconcile.identity import IdentityObservation
from ocijobs.reconcile.identity_view import DEFAULT_IDENTITY, IdentityView
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.known.identity import IdentityKnown, Key
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.known.sources import SourcesRead
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.settings import Settings
from ocijobs.testing.resources import (
    COMPARTMENT,
    LOG_GROUP,
    PROJECT,
    REGION,
    REVISION,
    START,
    make_identity,
    make_job,
    make_metadata,
    make_ocid,
    make_ready_job,
    make_run,
)

SETTLED = START + timedelta(minutes=1)
"""A time at which a run that was created at START may be launched."""

DEFAULT_SETTINGS = Settings.model_construct()
"""The settings' defaults, whatever the environment of the test says."""

LOG = LogAddress(log_group_id=LOG_GROUP, log_id=make_ocid("log"))


def make_identity_view(**changes: Any) -> IdentityView:
    """Return an identity that can be used."""
    defaults: dict[str, Any] = {
        "reference": IdentityReference(name=DEFAULT_IDENTITY),
        "region": REGION,
        "version": "credentials-1",
        "defaults": IdentityDefaults(log_group_id=LOG_GROUP),
    }
    return IdentityView(**{**defaults, **changes})


def make_caller() -> Launcher:
    """Return the caller that `make_identity_view` gives: one that may start something."""
    return Launcher(
        identity=IdentityReference(name=DEFAULT_IDENTITY), region=REGION, version="credentials-1"
    )


def make_run_record(state: RunState = RunState.ACCEPTED, **changes: Any) -> RunRecord:
    """Return a job run as an answer to create or get tells it; `complete=False` makes it a list's summary."""
    defaults: dict[str, Any] = {
        "id": make_ocid("datasciencejobrun"),
        "job_id": make_ocid("datasciencejob", REVISION),
        "compartment_id": COMPARTMENT,
        "state": state,
        "accepted_at": START + timedelta(minutes=2),
        "started_at": START + timedelta(minutes=5) if state is not RunState.ACCEPTED else None,
        "finished_at": START + timedelta(minutes=9) if state.ended else None,
        "complete": True,
    }
    return RunRecord(**{**defaults, **changes})


def make_spark_run_record(state: RunState = RunState.ACCEPTED, **changes: Any) -> RunRecord:
    """Return a run of Data Flow as an answer to create or get tells it: its start and totals come with its end."""
    defaults: dict[str, Any] = {
        "id": make_ocid("dataflowrun"),
        "job_id": make_ocid("dataflowapplication", REVISION),
        "started_at": START + timedelta(minutes=5) if state.ended else None,
        "totals": RunTotals(ocpus=2, read_bytes=2048, written_bytes=512, milliseconds=240_000)
        if state.ended
        else None,
    }
    return make_run_record(state, **{**defaults, **changes})


def make_job_record(state: JobState = JobState.ACTIVE, **changes: Any) -> JobRecord:
    """Return an OCI job as an answer tells it."""
    defaults: dict[str, Any] = {
        "id": make_ocid("datasciencejob", REVISION),
        "compartment_id": COMPARTMENT,
        "state": state,
    }
    return JobRecord(**{**defaults, **changes})


def make_sources(checked_at: datetime = SETTLED, **changes: Any) -> SourcesRead:
    """Return sources that were read, and built into an artifact."""
    defaults: dict[str, Any] = {
        "checked_at": checked_at,
        "generation": 1,
        "digest": "ef" * 32,
        "name": "job.zip",
        "sha256": "ab" * 32,
        "size": 1024,
    }
    return SourcesRead(**{**defaults, **changes})


def make_run_observation(**changes: Any) -> RunObservation:
    """Return a run that nothing hinders from being launched at SETTLED."""
    defaults: dict[str, Any] = {
        "run": make_run(),
        "job": make_ready_job(),
        "sources_checked_at": SETTLED,
        "identity": make_identity_view(),
        "cluster_id": "cluster",
        "known": RunKnown(),
        "settings": DEFAULT_SETTINGS,
    }
    return RunObservation(**{**defaults, **changes})


def make_job_input(**changes: Any) -> JobInput:
    """Return what a job's request is made from: no code, and all names known that are given as OCIDs."""
    defaults: dict[str, Any] = {
        "job": make_job(),
        "cluster_id": "cluster",
        "compartment_id": COMPARTMENT,
        "project_id": PROJECT,
        "region": REGION,
        "defaults": IdentityDefaults(),
        "names": NO_NAMES,
        "artifact": None,
    }
    return JobInput(**{**defaults, **changes})


def make_job_observation(**changes: Any) -> JobObservation:
    """Return a new job whose sources were read at SETTLED."""
    defaults: dict[str, Any] = {
        "job": make_job(),
        "identity": make_identity_view(),
        "runs": (),
        "cluster_id": "cluster",
        "known": JobKnown(sources=make_sources()),
        "settings": DEFAULT_SETTINGS,
    }
    return JobObservation(**{**defaults, **changes})


def make_identity_observation(**changes: Any) -> IdentityObservation:
    """Return a new identity whose Secret was read and is a valid key."""
    key = Key(version="credentials-1", region=REGION, tenancy_id=make_ocid("tenancy"))
    defaults: dict[str, Any] = {
        "identity": make_identity(metadata=make_metadata(DEFAULT_IDENTITY, finalizer=True)),
        "users": (),
        "known": IdentityKnown().secret_read(key, at=SETTLED, epoch="1"),
        "settings": DEFAULT_SETTINGS,
    }
    return IdentityObservation(**{**defaults, **changes})
