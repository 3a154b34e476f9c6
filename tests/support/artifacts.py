"""What OCI has of a job's code."""

import hashlib
import io
import zipfile

import oci
from tests.support.namespace import Document
from tests.support.stage import Stage


def code(stage: Stage, found: Document) -> dict[str, str]:
    """Return the files of the artifact that OCI has of a job's current revision."""
    client = stage.oci_client(oci.data_science.DataScienceClient)
    content = client.get_job_artifact_content(found["status"]["jobId"]).data.content
    assert hashlib.sha256(content).hexdigest() == found["status"]["artifact"]["sha256"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name.removeprefix("code/"): archive.read(name).decode()
            for name in archive.namelist()
            if name.startswith("code/")
        }
