"""Code in a Git repository that each run clones."""

from __future__ import annotations

from pydantic import Field

from ocijobs.api.job.runtimes.conda import CondaEnvironment
from ocijobs.api.job.source import GitCode
from ocijobs.api.shared.model import FunctionName, PythonPath, RelativePath


class GitRuntime(GitCode):
    """Python code, or a shell script, in a Git repository that each run clones.

    A run takes the newest commit of its branch, so two runs of one revision may run different code. To prevent that,
    name a commit, or use `runtime.python` with `source.gitRepository`.
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
            "Folder of the repository with the code; all other paths are relative to it. By default "
            "the repository's root."
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
            "Do not write the commit into the run's tags. Use it if the run's resource principal may "
            "not change them; the run's output still names the commit."
        ),
    )
