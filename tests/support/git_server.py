"""A Git repository on the loopback network, served by git's own http-backend, with a password if wanted."""

import base64
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit


class Repository:
    """A repository whose branch `main` a test commits to.

    Attributes:
        url: where it is served.
    """

    def __init__(self, folder: Path) -> None:
        self._work, self.bare = folder / "work", folder / "served" / "code.git"
        self.url = ""
        _git(folder, "init", "--quiet", "--initial-branch=main", str(self._work))
        _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))

    def commit(self, files: Mapping[str, str | None], branch: str = "main") -> str:
        """Commit files (None removes one), and return the commit's SHA."""
        for name, text in files.items():
            path = self._work / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        _git(self._work, "add", "--all")
        _git(self._work, "commit", "--quiet", "--allow-empty", "--message", "A change")
        _git(self._work, "push", "--quiet", "--force", str(self.bare), f"HEAD:refs/heads/{branch}")
        return _git(self._work, "rev-parse", "HEAD")

    def tag(self, name: str) -> None:
        """Set an annotated tag on the newest commit."""
        _git(self._work, "tag", "--annotate", "--force", "--message", name, name)
        _git(self._work, "push", "--quiet", "--force", str(self.bare), f"refs/tags/{name}")

    def forbid_single_commits(self) -> None:
        """Give branches and tags alone, as servers do that nobody has told otherwise."""
        _git(self.bare, "config", "uploadpack.allowReachableSHA1InWant", "false")

    def remove_branch(self, name: str) -> None:
        """Remove a branch from what is served."""
        _git(self.bare, "update-ref", "-d", f"refs/heads/{name}")


@contextmanager
def served_repository(folder: Path, password: str | None = None) -> Iterator[Repository]:
    """Serve a new repository; with a password, user `git` has to give it."""
    folder.mkdir()
    repository = Repository(folder)
    _git(repository.bare, "config", "uploadpack.allowReachableSHA1InWant", "true")
    wanted = f"Basic {base64.b64encode(f'git:{password}'.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _serve(self, body: bytes) -> None:
            if password is not None and self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic realm=git")
                self.end_headers()
                return
            where = urlsplit(self.path)
            answer = subprocess.run(
                ["git", "http-backend"],
                env={
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(repository.bare.parent),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": where.path,
                    "QUERY_STRING": where.query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                },
                input=body,
                capture_output=True,
                check=True,
            ).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        repository.url = f"http://127.0.0.1:{server.server_address[1]}/code.git"
        try:
            yield repository
        finally:
            server.shutdown()


def _git(folder: Path, *words: str) -> str:
    identity = {
        f"GIT_{who}_{what}": "a@b.c"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return subprocess.run(
        ["git", *words],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            **identity,
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
