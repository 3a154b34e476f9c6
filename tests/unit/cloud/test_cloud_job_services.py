"""Every backend has what makes its calls, and an API that they are of."""

from __future__ import annotations

from typing import cast

from ocijobs.api.shared.backend import BackendName
from ocijobs.backends.registry import BACKENDS
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import SERVICES
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.job_reader import READERS
from ocijobs.cloud.job_services import job_services, run_logs


def test_every_backend_is_called_and_its_calls_are_of_one_api() -> None:
    nothing = cast("Calls", object())
    made = job_services(nothing, CodeStorage(nothing))
    assert set(made) == set(SERVICES) == set(BackendName)
    assert (
        len({type(each) for each in made.values()})
        == len(set(SERVICES.values()))
        == len(BackendName)
    )


def test_a_job_of_every_backend_can_be_read_by_the_command_line() -> None:
    assert set(READERS) == set(BackendName)


def test_every_backend_that_keeps_logs_has_what_reads_them() -> None:
    read = run_logs(cast("Calls", object()))
    assert set(read) == {backend.name for backend in BACKENDS if backend.keeps_logs}
