"""What a starting operator imports, and what it leaves for later: counted, since a count is the same everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

MOST_OF_OTHERS = 540
"""Modules of others, Python's own included, when the operator is imported: nearly all of what a start costs. Think
twice before you raise it."""

MOST_OF_OURS = 285

STARTED = "import ocijobs.controller.process"
WATCHES = "import ocijobs.controller.kopf_watch"
CALLS = "from ocijobs.cloud.clients import import_sdk; import_sdk()"


def imported(*lines: str) -> set[str]:
    """Return what a new Python has imported after these lines."""
    code = "\n".join([*lines, "import json, sys", "print(json.dumps(sorted(sys.modules)))"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names: Sequence[str] = json.loads(done.stdout)
    return set(names)


def test_an_operator_starts_without_what_it_needs_later() -> None:
    modules = imported(STARTED)
    later = {"oci", "kopf", "requests", "kubernetes.client", "kubernetes.dynamic", "oauthlib"}
    assert "kubernetes.aio.client" in modules
    assert modules & later == set()
    ours = {module for module in modules if module.partition(".")[0] == "ocijobs"}
    assert len(modules - ours) <= MOST_OF_OTHERS
    assert len(ours) <= MOST_OF_OURS


def test_an_operator_has_nothing_that_handles_what_comes_from_outside() -> None:
    modules = imported(STARTED, WATCHES, CALLS)
    assert {m for m in modules if m.startswith("ocijobs.fetcher")} == {
        "ocijobs.fetcher",
        "ocijobs.fetcher.protocol",
    }
    assert not {m for m in modules if m.startswith("ocijobs.artifact")} | modules & {"tarfile"}


def test_a_fetcher_has_nothing_of_the_cluster_and_of_oci() -> None:
    modules = imported("import ocijobs.fetcher.__main__, ocijobs.fetcher.server")
    strange = {"oci", "kopf", "kubernetes", "prometheus_client", "cryptography", "yaml"}
    assert modules & strange == set()
    ours = {m.split(".")[1] for m in modules if m.startswith("ocijobs.")}
    assert ours <= {"api", "artifact", "fetcher", "working_folder"}


def test_the_command_line_imports_no_more_than_a_command_needs() -> None:
    modules = imported("import ocijobs.__main__")
    assert modules & {"aiohttp", "pydantic", "ocijobs.settings"} == set()


def test_who_watches_has_of_the_synchronous_client_what_kopf_looks_for() -> None:
    found = {m for m in imported(STARTED, WATCHES) if m.startswith("kubernetes.client.models.v1")}
    assert found == {
        "kubernetes.client.models.v1_managed_fields_entry",
        "kubernetes.client.models.v1_object_meta",
        "kubernetes.client.models.v1_owner_reference",
    }


def test_the_sdk_is_there_before_the_first_call() -> None:
    ready = imported(STARTED, CALLS)
    make = (
        "from ocijobs.cloud.clients import *",
        "from ocijobs.cloud.clients import _client_class",
        "from ocijobs.cloud.data_science_models import *",
        "from ocijobs.cloud.sdk import *",
        "[_client_class(service) for service in Service]",
        "parts = data_flow_models, data_science_models, log_search_models, monitoring_models",
        "[part.__doc__ for part in (oci, resource_search_models, *parts)]",
        "import gzip, oci.base_client",
        "oci.base_client.requests.exceptions.ContentDecodingError",
    )
    assert imported(STARTED, CALLS, *make) - ready - {"json.tool"} == set()


def test_kubernetes_is_what_it_always_is_to_others() -> None:
    uses = (
        "from kubernetes import config, watch",
        "import kubernetes",
        "assert kubernetes.client.CoreV1Api and kubernetes.aio.client.CoreV1Api",
        "assert kubernetes.__version__ and kubernetes.aio.__version__",
        "assert not hasattr(kubernetes, 'nothing') and not hasattr(kubernetes.aio, 'nothing')",
    )
    assert imported(STARTED) < imported(STARTED, *uses)
    assert "kubernetes.informer" in imported(STARTED, *uses)
