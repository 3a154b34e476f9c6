"""A scripted server, and calls to it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit.cloud.scripted_oci import Caller, ScriptedOci, make_caller


@pytest.fixture
def oci_server() -> Iterator[ScriptedOci]:
    """A server that answers as the test says."""
    with ScriptedOci() as server:
        yield server


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def caller(oci_server: ScriptedOci, threads: ThreadPoolExecutor) -> Caller:
    """A leader that has credentials, and calls the server."""
    return make_caller(oci_server.url, threads)
