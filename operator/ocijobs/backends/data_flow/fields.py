"""What a Spark job's application says, by the fields of the manifest: for telling where two are not alike."""

from __future__ import annotations

from collections.abc import Iterator

from ocijobs.backends.compared import Hidden, Said, fields_said
from ocijobs.backends.data_flow.application import DRIVER_VARIABLE, EXECUTOR_VARIABLE
from ocijobs.backends.data_flow.documents import of_executor
from ocijobs.backends.data_flow.requests import FLOW, ApplicationRequest, ApplicationSettings

_PROPERTIES = f"{FLOW}.sparkConfiguration["


def setting_fields(settings: ApplicationSettings) -> Iterator[Said]:
    """Yield what Data Flow changes in place, beside name, text and tags; what is None stays as it is there."""
    spark = settings.spark
    yield from fields_said(settings)
    yield from fields_said(settings.code)
    yield from fields_said(spark.driver)
    yield from fields_said(spark.executor, placed=of_executor)
    for path, value in fields_said(spark):
        variable = _variable(path)
        yield (path, value) if variable is None else (f"env[{variable}]", Hidden(value))


def _variable(path: str) -> str | None:
    """Return the variable that a property gives to driver or executors: its field is the job's."""
    for prefix in (DRIVER_VARIABLE, EXECUTOR_VARIABLE):
        if path.startswith(f"{_PROPERTIES}{prefix}"):
            return path.removeprefix(f"{_PROPERTIES}{prefix}").removesuffix("]")
    return None


def fixed_fields(request: ApplicationRequest) -> Iterator[Said]:
    """Yield what no update changes."""
    yield f"{FLOW}.type", request.type.value
