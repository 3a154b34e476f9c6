"""Manifests as users write them, with what a test does not care about filled in."""

from typing import Any

from ocijobs.api.names import API_VERSION


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
    flow: dict[str, Any] | None = None,
    spark: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Return an OCIJob of Spark; `flow` and `spark` are fields of its infrastructure and its runtime."""
    inline = files or {"main.py": "print('done')\n"}
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJob",
        "metadata": {"name": name},
        "spec": {
            "infrastructure": {
                "dataFlow": {
                    "sparkVersion": "3.5.0",
                    "driverShape": "VM.Standard.E4.Flex",
                    "driverShapeConfig": {"ocpus": 1, "memoryInGBs": 16},
                    **(flow or {}),
                }
            },
            "runtime": {"spark": {"source": {"inline": inline}, **(spark or {})}},
            **spec,
        },
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
