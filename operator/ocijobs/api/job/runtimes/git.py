"""Code in a Git repository that each run clones."""

from __future__ import annotations

from pydantic import Field

from ocijobs.api.job.code import FunctionName, PythonPath
from ocijobs.api.job.runtimes.conda import CondaEnvironment
from ocijobs.api.job.source import GitCommit, GitName, GitUrl
from ocijobs.api.shared.model import Model, Ocid, RelativePath


class GitCode(Model):
    """A Git repository that the run itself clones, with the run's network and permissions.

    The commit that was checked out is told in the run's tag `ocijobs_commit` and in its status.
    """

    url: GitUrl = Field(description="Address of the repository: https, http or ssh.")
    branch: GitName | None = Field(
        default=None,
        description="Branch or tag whose newest commit runs; by default the repository's own default.",
    )
    commit: GitCommit | None = Field(
        default=None, description="Commit that runs, by its full SHA; it wins over branch."
    )
    git_secret_id: Ocid | None = Field(
        default=None,
        description=(
            "Secret of OCI Vault that holds the private ssh key; the run's resource principal "
            "reads it."
        ),
    )


class GitRuntime(GitCode):
    """Python code, or a shell script, in a Git repository that each run clones.

    A run takes the newest commit of its branch, so that two runs of one revision may run different code; name a
    commit, or take `runtime.python` with `source.gitRepository`, where that must not be.
    """

    conda: CondaEnvironment = Field()
    entrypoint: RelativePath = Field(
        description="File of the repository that is run: .py, .ipynb or .sh."
    )
    entry_function: FunctionName | None = Field(
        default=None,
        description="Function of a .py file that is called, as with `runtime.python`.",
    )
    code_dir: RelativePath | None = Field(
        default=None,
        description=(
            "Folder of the repository that is the code: all other paths are in it. By default the "
            "repository's root."
        ),
    )
    working_dir: RelativePath | None = Field(
        default=None,
        description="Folder of the code that becomes the working directory; by default the code's root.",
    )
    python_path: PythonPath = Field(
        default=(), description="Folders of the code that are added to sys.path."
    )
    skip_metadata_update: bool = Field(
        default=False,
        description=(
            "Leave the run's tags alone, where its resource principal may not change them; the commit"
            " is in the run's output all the same."
        ),
    )
