"""An application of Data Flow as the spec of a job that is like it.

It is not adopted: Data Flow lets anybody change the code of an application, so the operator makes one of its own, of a
copy of the code as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator

from ocijobs.backends.data_flow.documents import of_executor
from ocijobs.backends.data_flow.requests import FLOW, SPARK, ApplicationRequest
from ocijobs.backends.documents import put
from ocijobs.backends.manifest_fields import given_fields
from ocijobs.cli.document_keys import Spec
from ocijobs.cli.environment import literal
from ocijobs.cli.spark_properties import (
    AUTH,
    DEFAULT_AUTH,
    take_dynamic_allocation,
    take_variables,
)


def application_spec(request: ApplicationRequest, remarks: list[str]) -> Spec:
    """Return the spec of the OCIJob that makes what the application is, without name, place and tags."""
    code, spark = request.settings.code, request.settings.spark
    properties = dict(spark.configuration or {})
    variables = take_variables(properties, remarks)
    _take_rights(properties, remarks)
    remarks.append(
        "the application stays as it is: this job makes another, with a copy of its code"
    )
    source = {"objectStorage": {"uri": code.file_uri}} if code.file_uri else None
    parameters = (spark.parameters or {}).items()
    otherwise = {
        f"{FLOW}.dynamicAllocation": take_dynamic_allocation(properties),
        f"{FLOW}.sparkConfiguration": properties,
        f"{SPARK}.source": source,
        f"{SPARK}.parameters": [{"name": name, "value": value} for name, value in parameters],
        "env": [{"name": name, "value": literal(value)} for name, value in variables.items()],
        "args": [literal(argument) for argument in spark.arguments or ()],
    }
    spec: Spec = {}
    put(spec, SPARK, {})
    for path, value in {**dict(_copied(request)), **otherwise}.items():
        if value not in (None, [], {}):
            put(spec, path, value)
    return spec


def _copied(request: ApplicationRequest) -> Iterator[tuple[str, object]]:
    """Yield the fields that are as the application has them. Executors are as the driver, unless something is said."""
    code, spark = request.settings.code, request.settings.spark
    for block in (code, spark, spark.driver):
        yield from given_fields(block)
    if spark.executor != spark.driver:
        yield from given_fields(spark.executor, placed=of_executor)


def _take_rights(properties: dict[str, str], remarks: list[str]) -> None:
    """Take the property out that says whose rights runs have, if it says what it says by default."""
    if AUTH not in properties:
        remarks.append(
            f"configuration: has no {AUTH}: runs of an OCIJob have the rights of a resource principal, "
            "unless infrastructure.dataFlow.sparkConfiguration says otherwise"
        )
    elif properties[AUTH] == DEFAULT_AUTH:
        del properties[AUTH]
