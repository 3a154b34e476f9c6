"""What tests of the operator, and of what is built on it, start from.

Builders make valid resources, records and observations of which a test states only what matters to it; `ManualClock`
is time that passes when the test says so. Nothing here needs a test framework.
"""

from ocijobs.testing.clock import ManualClock, ShiftedClock
from ocijobs.testing.observations import (
    DEFAULT_SETTINGS,
    LOG,
    SETTLED,
    make_caller,
    make_identity_observation,
    make_identity_view,
    make_job_observation,
    make_job_record,
    make_run_observation,
    make_run_record,
    make_sources,
    make_spark_run_record,
)
from ocijobs.testing.resources import (
    CODE_BUCKET,
    COMPARTMENT,
    LOG_GROUP,
    NAMESPACE,
    PROJECT,
    REGION,
    REVISION,
    START,
    make_identity,
    make_job,
    make_metadata,
    make_ocid,
    make_ready_job,
    make_ready_spark_job,
    make_run,
    make_spark_job,
    make_submission,
)

__all__ = [
    "CODE_BUCKET",
    "COMPARTMENT",
    "DEFAULT_SETTINGS",
    "LOG",
    "LOG_GROUP",
    "NAMESPACE",
    "PROJECT",
    "REGION",
    "REVISION",
    "SETTLED",
    "START",
    "ManualClock",
    "ShiftedClock",
    "make_caller",
    "make_identity",
    "make_identity_observation",
    "make_identity_view",
    "make_job",
    "make_job_observation",
    "make_job_record",
    "make_metadata",
    "make_ocid",
    "make_ready_job",
    "make_ready_spark_job",
    "make_run",
    "make_run_observation",
    "make_run_record",
    "make_sources",
    "make_spark_job",
    "make_spark_run_record",
    "make_submission",
]
