"""Code in a Git repository: cloned before it runs, and its commit told in the run's tags."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocijobs_nodes import rank
from ocijobs_oci import client
from ocijobs_said import MissingError, say, why
from ocijobs_secrets import text

COMMIT_TAG = "ocijobs_commit"
TELL_SECONDS = 120.0
"""For how long it is tried to tell the commit: OCI takes no tags of a run that it still shows as ACCEPTED."""

TELL_PAUSE_SECONDS = 3.0


class Telling:
    """Writes the commit to the run's tags, beside the code."""

    def __init__(self, commit: str) -> None:
        self._thread = threading.Thread(target=_tell, args=(commit,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until it is done, or can't be."""
        self._thread.join(TELL_SECONDS)


def clone(git: dict[str, Any], folder: Path) -> Telling | None:
    """Check the repository out into `folder`, and begin to tell its commit.

    Raises:
        MissingError: if there is no git, or nothing to check out.
    """
    if shutil.which("git") is None:
        raise MissingError("runtime.git needs the program git in the job's environment")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = git.get("commit") or git.get("branch") or "HEAD"
    with _ssh(git.get("secretId")) as environment:
        _git(folder, environment, "init", "--quiet")
        _git(folder, environment, "remote", "add", "origin", git["url"])
        shallow = _git(
            folder, environment, "fetch", "--quiet", "--depth=1", "origin", wanted, check=False
        )
        if shallow.returncode:
            # Some servers give no single commits, and some no shallow ones.
            _git(folder, environment, "fetch", "--quiet", "--tags", "origin")
        found = "FETCH_HEAD" if not shallow.returncode else _named(folder, environment, wanted)
        _git(folder, environment, "checkout", "--quiet", "--detach", found)
    commit = _git(folder, {}, "rev-parse", "HEAD").stdout.strip()
    say(f"checked out commit {commit} of {git['url']}")
    if git.get("skipMetadataUpdate") or rank() != 0 or "JOB_RUN_OCID" not in os.environ:
        return None
    return Telling(commit)


def _named(folder: Path, environment: dict[str, str], wanted: str) -> str:
    """Return what a commit, branch or tag is called in a clone of everything."""
    for name in (wanted, f"refs/remotes/origin/{wanted}", f"refs/tags/{wanted}"):
        found = _git(
            folder,
            environment,
            "rev-parse",
            "--verify",
            "--quiet",
            f"{name}^{{commit}}",
            check=False,
        )
        if not found.returncode:
            return name
    raise MissingError(f"the repository has no branch, tag or commit {wanted}")


def _git(
    folder: Path, environment: dict[str, str], *words: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if check and ended.returncode:
        raise MissingError(f"git {words[0]}: {ended.stderr.strip() or ended.returncode}")
    return ended


@contextmanager
def _ssh(secret_id: str | None) -> Iterator[dict[str, str]]:
    """Give git the private key of the Vault secret; it is on disk only while git needs it."""
    if secret_id is None:
        yield {}
        return
    vault = client("oci.secrets", "SecretsClient", "gitSecretId")
    key = text(vault, secret_id, "gitSecretId")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "key"
        path.touch(mode=0o600)
        path.write_text(key if key.endswith("\n") else f"{key}\n", encoding="utf-8")
        known = Path(directory) / "known_hosts"
        yield {
            "GIT_SSH_COMMAND": (
                f"ssh -i {path} -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new "
                f"-o UserKnownHostsFile={known}"
            )
        }


def _tell(commit: str) -> None:
    """Add the commit to the run's free-form tags."""
    until = time.monotonic() + TELL_SECONDS
    while True:
        try:
            _tag(commit)
        except Exception as error:  # The code is what matters; the commit is in the output.
            if getattr(error, "status", None) in {409, 412, 429} and time.monotonic() < until:
                time.sleep(TELL_PAUSE_SECONDS)
                continue
            say(f"the commit is not in the run's tags: {why(error)}")
        return


def _tag(commit: str) -> None:
    service = client("oci.data_science", "DataScienceClient", "the commit in the run's tags")
    from oci.data_science.models import UpdateJobRunDetails
    from oci.retry import NoneRetryStrategy

    run_id, once = os.environ["JOB_RUN_OCID"], NoneRetryStrategy()
    run = service.get_job_run(run_id)
    tags = {**(run.data.freeform_tags or {}), COMMIT_TAG: commit}
    service.update_job_run(
        run_id,
        UpdateJobRunDetails(freeform_tags=tags),
        if_match=run.headers.get("etag"),
        retry_strategy=once,
    )
