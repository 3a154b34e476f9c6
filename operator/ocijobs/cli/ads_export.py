"""Manifests as YAML of oracle-ads, as far as ADS can say the same."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from ocijobs.api.job.spec import OCIJob
from ocijobs.cli.ads_document import job_document
from ocijobs.cli.ads_export_data_flow import to_data_flow
from ocijobs.cli.ads_export_data_science import to_data_science
from ocijobs.cli.environment import references_to_ads
from ocijobs.cli.manifests import Document, InputError


def exported(document: Document, code: Path, remarks: list[str]) -> Document:
    """Return the job of ADS of an OCIJob.

    Args:
        document: the manifest.
        code: folder that inline files are written to.
        remarks: what ADS can't say, and so is lost.

    Raises:
        InputError: if it is no OCIJob that the operator takes, or has no runtime.
    """
    meta = {"creationTimestamp": "1970-01-01T00:00:00Z", **document.get("metadata", {})}
    try:
        job = OCIJob.model_validate({**document, "metadata": meta, "status": {}})
    except ValidationError as error:
        raise InputError(f"OCIJob {meta.get('name')}: {error}") from error
    spec, name = job.spec, job.metadata.name
    if spec.runtime is None:
        raise InputError(f"OCIJob {name}: spec.runtime: is missing, and ADS needs one")
    machines, spark = spec.infrastructure.data_science_job, spec.infrastructure.data_flow
    if machines is not None:
        parts = to_data_science(spec, machines, spec.runtime, code / name, remarks)
    elif spark is not None and spec.runtime.spark is not None:
        parts = to_data_flow(spec, spark, spec.runtime.spark, code / name, remarks)
    else:
        raise InputError(f"OCIJob {name}: infrastructure.dataFlow runs runtime.spark alone")
    return job_document(references_to_ads(spec.display_name or name), *parts)
