"""Clients that are told of nothing but a proxy and a certificate authority."""

import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from oci_emulator.testing import Emulator

CLIENT = """
import io, os, oci
config = oci.config.from_file()
tenancy = config["tenancy"]
science = oci.data_science.DataScienceClient(config)
storage = oci.object_storage.ObjectStorageClient(config)
logging = oci.logging.LoggingManagementClient(config)
namespace = storage.get_namespace().data
details = oci.object_storage.models.CreateBucketDetails(name="proxied", compartment_id=tenancy)
storage.create_bucket(namespace, details)
content = os.urandom(3 << 20)
for body in (content, io.BytesIO(content)):
    storage.put_object(namespace, "proxied", "dir/object", body)
    assert storage.get_object(namespace, "proxied", "dir/object").data.content == content
manager = oci.object_storage.UploadManager(storage, allow_parallel_uploads=True)
manager.upload_stream(namespace, "proxied", "large", io.BytesIO(content), part_size=1 << 20)
assert storage.get_object(namespace, "proxied", "large").data.content == content
print(len(science.list_job_shapes(tenancy).data), len(logging.list_log_groups(tenancy).data))
print(oci.identity.IdentityClient(config).get_tenancy(tenancy).data.id == tenancy)
"""


def environment(emulator: Emulator) -> dict[str, str]:
    return emulator.environment({"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]})


def test_the_sdk_works_unmodified(emulator: Emulator) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CLIENT],
        env=environment(emulator),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "True"


def connect(emulator: Emulator, request: str) -> tuple[socket.socket, str]:
    """Send a request to the proxy; the connection and the head of the answer."""
    proxy = urlsplit(emulator.proxy)
    assert proxy.hostname is not None
    assert proxy.port is not None
    connection = socket.create_connection((proxy.hostname, proxy.port), timeout=30)
    connection.sendall(request.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(4096)
        if not piece:
            break
        answer += piece
    return connection, answer.decode()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("CONNECT example.com:443", "403"),
        ("CONNECT datascience.us-ashburn-1.oci.oraclecloud.com.evil.org:443", "403"),
        ("CONNECT datascience.us-ashburn-1.oci.oraclecloud.com:80", "403"),
        ("CONNECT 127.0.0.1:443", "403"),
        ("CONNECT", "403"),
        ("GET http://127.0.0.1/", "405"),
    ],
)
def test_the_proxy_leads_nowhere_else(emulator: Emulator, request_line: str, status: str) -> None:
    connection, answer = connect(emulator, f"{request_line} HTTP/1.1\r\n\r\n")
    with connection:
        assert answer.startswith(f"HTTP/1.1 {status} ")


def https(emulator: Emulator, host: str, request: str) -> str:
    connection, answer = connect(emulator, f"CONNECT {host}:443 HTTP/1.1\r\n\r\n")
    assert answer.startswith("HTTP/1.1 200 ")
    context = ssl.create_default_context(cafile=str(emulator.ca))
    with connection, context.wrap_socket(connection, server_hostname=host) as secure:
        secure.sendall(f"{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while piece := secure.recv(4096):
            received += piece
    return received.decode()


def test_the_certificate_is_for_the_host_that_was_asked_for(emulator: Emulator) -> None:
    host = "ingestion.logging.us-ashburn-1.oci.oraclecloud.com"
    assert "401" in https(emulator, host, "POST /20200831/logs/x/actions/push").splitlines()[0]


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("dataflow.us-ashburn-1.oci.oraclecloud.com", "/20190101/jobs"),
        ("datascience.eu-frankfurt-1.oci.oraclecloud.com", "/20190101/jobs"),
        ("datascience.us-ashburn-1.oci.oraclecloud.com", "/_emulator/health"),
    ],
    ids=["another service", "another region", "the control API"],
)
def test_a_host_answers_for_its_own_service_only(emulator: Emulator, host: str, path: str) -> None:
    answer = https(emulator, host, f"GET {path}")
    assert answer.startswith("HTTP/1.1 404 ")
    assert "NotAuthorizedOrNotFound" in answer


def test_the_control_api_is_not_for_web_pages(emulator: Emulator) -> None:
    plain = urlsplit(emulator.http)
    for header in ("Host: evil.example", f"Host: {plain.netloc}\r\nOrigin: https://evil.example"):
        assert plain.hostname is not None
        assert plain.port is not None
        with socket.create_connection((plain.hostname, plain.port), timeout=30) as connection:
            connection.sendall(
                f"GET /_emulator/health HTTP/1.1\r\n{header}\r\nConnection: close\r\n\r\n".encode()
            )
            assert connection.recv(4096).startswith(b"HTTP/1.1 403 ")


def test_the_environment_of_the_fixture_names_proxy_and_authority(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://elsewhere")
    variables: dict[str, Any] = emulator.environment()
    assert variables["HTTPS_PROXY"] == emulator.proxy
    assert "https_proxy" not in variables
    assert Path(variables["REQUESTS_CA_BUNDLE"]) == emulator.ca
