"""Manifests as users write them, with what a test does not care about filled in."""

from typing import Any

from ocijobs.api.shared.names import API_VERSION


def job(name: str = "job", *, files: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """Return an OCIJob with a script; `files` are its source, by default one that prints a line."""
    inline = files or {"main.py": "print('done')\n"}
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJob",
        "metadata": {"name": name},
        "spec": {
            "infrastructure": {"dataScienceJob": {"shapeName": "VM.Standard2.1"}},
            "runtime": {"script": {"source": {"inline": inline}}},
            **spec,
        },
    }


def spark_job(
    name: str = "job",
    *,
    files: dict[str, str] | None = None,
    machines: dict[str, Any] | None = None,
    code: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Return an OCIJob on Data Flow; `machines` are of infrastructure.dataFlow, `code` is of runtime.spark.

    What is None there is left out.
    """
    inline = files or {"main.py": "print('done')\n"}
    shape = {
        "sparkVersion": "3.5.0",
        "driverShape": "VM.Standard.E4.Flex",
        "driverShapeConfig": {"ocpus": 1, "memoryInGBs": 16},
    }
    spark = {"source": {"inline": inline}}
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJob",
        "metadata": {"name": name},
        "spec": {
            "infrastructure": {"dataFlow": _given({**shape, **(machines or {})})},
            "runtime": {"spark": _given({**spark, **(code or {})})},
            **spec,
        },
    }


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def identity(name: str = "default", **spec: Any) -> dict[str, Any]:
    """Return an OCIIdentity with an API key."""
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIIdentity",
        "metadata": {"name": name},
        "spec": {"type": "APIKey", "secretRef": {"name": f"{name}-key"}, **spec},
    }


def sweep(name: str = "sweep", of: str = "job", **spec: Any) -> dict[str, Any]:
    """Return an OCIJobSweep of the job `of`."""
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJobSweep",
        "metadata": {"name": name},
        "spec": {"jobRef": {"name": of}, **spec},
    }


def run(name: str = "run", of: str = "job", **spec: Any) -> dict[str, Any]:
    """Return an OCIJobRun of the job `of`."""
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJobRun",
        "metadata": {"name": name},
        "spec": {"jobRef": {"name": of}, **spec},
    }
