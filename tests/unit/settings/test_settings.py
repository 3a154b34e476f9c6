"""Settings: from the environment and a file, and what is said of wrong ones."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ocijobs.settings import SETTINGS_FILE_VARIABLE, Settings, SettingsError, load


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the tester's own environment counts."""
    for name in os.environ:
        if name.startswith("OCIJOBS_"):
            monkeypatch.delenv(name)


class Environment:
    """What the operator is started with."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch, self._file = patch, folder / "settings.yaml"

    def set(self, **variables: str) -> None:
        """Set variables, named without their prefix."""
        for name, value in variables.items():
            self._patch.setenv(f"OCIJOBS_{name}", value)

    def set_other(self, **variables: str) -> None:
        """Set variables of others."""
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def file(self, text: str | bytes) -> None:
        """Name a file with that content."""
        self._file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self._patch.setenv(SETTINGS_FILE_VARIABLE, str(self._file))

    def refused(self) -> str:
        """Return what is said of the settings, in which `FILE` stands for the file's path."""
        with pytest.raises(SettingsError) as caught:
            load()
        return str(caught.value).replace(str(self._file), "FILE")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    """An environment of the test's own."""
    return Environment(monkeypatch, tmp_path)


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load()
    assert settings == Settings.model_construct()
    assert settings.worst_call_seconds == 12


def test_every_setting_is_described_and_can_be_set_either_way(environment: Environment) -> None:
    assert all(field.description for field in Settings.model_fields.values())
    environment.set(LAUNCH_SETTLE_SECONDS="5.5", WORKERS="3", OCI_CA_FILE="/ca.pem")
    environment.file("leaseName: mine\nhttpPort: 0\n")
    settings = load()
    assert (settings.launch_settle_seconds, settings.workers) == (5.5, 3)
    assert settings.oci_ca_file == Path("/ca.pem")
    assert (settings.lease_name, settings.http_port) == ("mine", 0)


def test_the_environment_wins_over_the_file_and_arguments_over_both(
    environment: Environment,
) -> None:
    environment.file("workers: 5\nociThreads: 5\npollMinSeconds: 5\n")
    environment.set(WORKERS="3", OCI_THREADS="3")
    assert (load().workers, load().oci_threads, load().poll_min_seconds) == (3, 3, 5)
    assert Settings(workers=1).workers == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("team-a", ("team-a",)),
        ("team-a, team-b", ("team-a", "team-b")),
        ('["team-a", "team-b"]', ("team-a", "team-b")),
        ("", ()),
        ("[]", ()),
    ],
)
def test_namespaces_are_a_list_with_commas_or_in_json(
    environment: Environment, text: str, expected: tuple[str, ...]
) -> None:
    environment.set(WATCH_NAMESPACES=text)
    assert load().watch_namespaces == expected


def test_namespaces_in_the_file_are_a_list(environment: Environment) -> None:
    environment.file("watchNamespaces: [team-a, team-b]\n")
    assert load().watch_namespaces == ("team-a", "team-b")


def test_an_empty_variable_is_none(environment: Environment) -> None:
    environment.set(CLUSTER_ID="", WORKERS="", SETTINGS_FILE="")
    assert load() == Settings.model_construct()


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_a_file_without_settings_changes_none(environment: Environment, text: str) -> None:
    environment.file(text)
    assert load() == Settings.model_construct()


def test_variables_without_the_prefix_are_other_programs(environment: Environment) -> None:
    environment.set_other(WORKERS="3", HTTPPORT="1", LOGLEVEL="DEBUG", CLUSTER_ID="x")
    assert load() == Settings.model_construct()


def test_what_kubernetes_tells_of_a_service_is_no_setting(environment: Environment) -> None:
    environment.set(
        METRICS_SERVICE_HOST="10.0.0.1",
        METRICS_SERVICE_PORT="8080",
        METRICS_SERVICE_PORT_HTTP="8080",
        METRICS_PORT="tcp://10.0.0.1:8080",
        METRICS_PORT_8080_TCP="tcp://10.0.0.1:8080",
        METRICS_PORT_8080_TCP_ADDR="10.0.0.1",
    )
    assert load() == Settings.model_construct()


# What is refused

_POSITIVE = "Input should be greater than 0"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("WORKERS", "0", "Input should be greater than or equal to 1"),
        ("WORKERS", "257", "Input should be less than or equal to 256"),
        (
            "WORKERS",
            "many",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        ("OCI_THREADS", "0", "Input should be greater than or equal to 1"),
        ("OCI_CALL_ATTEMPTS", "11", "Input should be less than or equal to 10"),
        ("HTTP_PORT", "65536", "Input should be less than or equal to 65535"),
        ("HTTP_PORT", "-1", "Input should be greater than or equal to 0"),
        ("LOG_LEVEL", "debug", "String should match pattern '^(DEBUG|INFO|WARNING|ERROR)$'"),
        ("LAUNCH_SETTLE_SECONDS", "-1", "Input should be greater than or equal to 0"),
        (
            "RESYNC_SECONDS",
            "soon",
            "Input should be a valid number, unable to parse string as a number",
        ),
        ("OCI_RATE_MAX", "0", _POSITIVE),
        ("POLL_MIN_SECONDS", "inf", "Input should be a finite number"),
        ("POLL_MIN_SECONDS", "nan", "Input should be a finite number"),
        ("CLUSTER_ID", "x" * 65, "String should have at most 64 characters"),
        ("ARTIFACT_LIMIT_BYTES", "0", "Input should be greater than or equal to 1"),
        (
            "OCI_ENDPOINT",
            "oci.example.com",
            "String should match pattern '^https?://[A-Za-z0-9.:-]+$'",
        ),
        ("WATCH_NAMESPACES", "Team_A", "no name of a namespace: Team_A"),
        ("WATCH_NAMESPACES", "[", "no list in JSON: ["),
    ],
)
def test_a_wrong_value_is_told_with_its_setting_and_what_is_allowed(
    environment: Environment, name: str, value: str, message: str
) -> None:
    environment.set(**{name: value})
    said = environment.refused()
    assert said.startswith("wrong settings:\n  ")
    assert message in said
    assert f"OCIJOBS_{name}" in said
    assert "(found " in said


def test_all_wrong_settings_are_told_at_once(environment: Environment) -> None:
    environment.set(WORKERS="0", HTTP_PORT="-1")
    environment.file("pollMinSeconds: 0\n")
    said = environment.refused()
    lines = said.splitlines()
    assert lines[0] == "wrong settings:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "httpPort (OCIJOBS_HTTP_PORT)",
        "workers (OCIJOBS_WORKERS)",
        "pollMinSeconds (OCIJOBS_POLL_MIN_SECONDS)",
    ]


@pytest.mark.parametrize("seconds", [f for f in Settings.model_fields if f.endswith("_seconds")])
def test_no_time_is_negative(environment: Environment, seconds: str) -> None:
    environment.set(**{seconds.upper(): "-0.1"})
    assert f"OCIJOBS_{seconds.upper()}" in environment.refused()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"lease_duration_seconds": 12},
            "ociConnectTimeoutSeconds and ociReadTimeoutSeconds together must be shorter than lease",
        ),
        (
            {"lease_renew_seconds": 8},
            "leaseRenewSeconds must be at most half of leaseDurationSeconds",
        ),
        (
            {"poll_min_seconds": 16},
            "pollMinSeconds must be at most pollMaxSeconds",
        ),
        (
            {"refusal_retry_min_seconds": 301},
            "refusalRetryMinSeconds must be at most refusalRetryMaxSeconds",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_told(
    environment: Environment, settings: dict[str, Any], message: str
) -> None:
    environment.set(**{name.upper(): str(value) for name, value in settings.items()})
    assert message in environment.refused()
    with pytest.raises(ValidationError):
        Settings(**settings)


def test_unknown_variables_are_named(environment: Environment) -> None:
    environment.set(WORKER="3", POLL_SECONDS="3", HTTP_PROT="1")
    assert environment.refused() == (
        "unknown settings in the environment: "
        "OCIJOBS_HTTP_PROT, OCIJOBS_POLL_SECONDS, OCIJOBS_WORKER"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("worker: 3\n", "wrong settings:\n  worker: no such setting (found 3)"),
        ("workers: [\n", "FILE: no YAML: "),
        (b"\xff\xfe\xff", "FILE: no YAML: "),
        ("- workers\n", "FILE: settings are a map of names to values, such as `workers: 16`"),
        ("workers\n", "FILE: settings are a map of names to values, such as `workers: 16`"),
        ("3: 4\n", "FILE: settings are a map of names to values, such as `workers: 16`"),
    ],
)
def test_a_wrong_file_is_told(environment: Environment, text: str | bytes, message: str) -> None:
    environment.file(text)
    assert environment.refused().startswith(message)


def test_a_file_that_is_not_there_is_told(environment: Environment, tmp_path: Path) -> None:
    environment.set(SETTINGS_FILE="/no/such/file.yaml")
    assert environment.refused() == "OCIJOBS_SETTINGS_FILE: there is no file /no/such/file.yaml"
    environment.set(SETTINGS_FILE=str(tmp_path))
    assert "there is no file" in environment.refused()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load().workers = 3  # type: ignore[misc]
