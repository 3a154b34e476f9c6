"""Runtime of a job: its code, and the software around it.

The variants have the meanings of the ADS runtimes of the same names
(https://accelerated-data-science.readthedocs.io/en/latest/user_guide/jobs/index.html).
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api.job.runtimes.conda import CondaEnvironment
from ocijobs.api.job.runtimes.container import ContainerRuntime
from ocijobs.api.job.runtimes.git import GitRuntime
from ocijobs.api.job.runtimes.spark import SparkRuntime
from ocijobs.api.job.runtimes.torch import PyTorchDistributedRuntime
from ocijobs.api.job.source import Source
from ocijobs.api.shared.model import (
    SET_LIST,
    FunctionName,
    Model,
    PythonPath,
    RelativePath,
    validations,
)


class ScriptRuntime(Model):
    """One script that is run as a program: Python (.py) or shell (.sh)."""

    source: Source = Field()
    entrypoint: RelativePath | None = Field(
        default=None,
        description=(
            "File that is run: .py or .sh. By default the only one there is; required if the source "
            "has more than one."
        ),
    )
    conda: CondaEnvironment | None = Field(
        default=None,
        description=(
            "The conda environment that the script runs in: `{type: service, slug: ...}` or `{type: "
            "published, uri: ...}`. Without it, the script runs in a bare Python or shell; "
            "spec.outputs then needs an environment with the package `oci`."
        ),
    )


class PythonRuntime(Model):
    """Python code with its own modules: a file, or a function in it."""

    source: Source = Field()
    conda: CondaEnvironment = Field()
    entrypoint: RelativePath | None = Field(
        default=None,
        description=(
            "Python file that is run. By default the only one there is; required if the source has "
            "more than one."
        ),
    )
    entry_function: FunctionName | None = Field(
        default=None,
        description=(
            "Function of the file that is called after the file has been run. Of spec.args, `--key "
            "value` and `--key=value` become keyword arguments, and the others positional arguments, "
            "all as text."
        ),
    )
    working_dir: RelativePath | None = Field(
        default=None,
        description="Folder of the code that becomes the working directory; by default the code's root.",
    )
    python_path: PythonPath = Field(
        default=(),
        description=(
            "Folders of the code that are added to sys.path. The code's root and the working "
            "directory are always on it."
        ),
    )


class NotebookRuntime(Model):
    """A Jupyter notebook, whose cells are run in order.

    The conda environment needs `nbclient` and `ipykernel`, as those of OCI Data Science have. The executed notebook,
    with its outputs, is among spec.outputs, also when a cell fails.
    """

    source: Source = Field()
    conda: CondaEnvironment = Field()
    entrypoint: RelativePath | None = Field(
        default=None,
        description=(
            "Notebook (.ipynb) that is run. By default the only one there is; required if the source "
            "has more than one."
        ),
    )
    exclude_tags: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=255)], ...],
        Field(max_length=32, json_schema_extra=SET_LIST),
    ] = Field(default=(), description="Cells with one of these tags are not run.")
    notebook_encoding: Annotated[
        str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$")
    ] = Field(default="utf-8", description="Encoding of the notebook's file.")


RuntimeVariant = (
    ScriptRuntime
    | PythonRuntime
    | NotebookRuntime
    | GitRuntime
    | ContainerRuntime
    | PyTorchDistributedRuntime
    | SparkRuntime
)

_NAMES = ("script", "python", "notebook", "git", "container", "pyTorchDistributed", "spark")
_ONE_RULE = f"[{', '.join(f'has(self.{name})' for name in _NAMES)}].exists_one(x, x)"
_ONE_MESSAGE = f"exactly one of {', '.join(_NAMES[:-1])} and {_NAMES[-1]} must be given"


class Runtime(Model):
    """What runs, and in which software: exactly one of its fields.

    `script` runs one file, Python or shell, as a program: the shortest way from a file to a run. `python` is for code
    with modules of its own, with a working directory, or with a function as its entry. `notebook` runs a Jupyter
    notebook, `git` what a repository has when the run starts, `container` an image, and `pyTorchDistributed` a training
    on several nodes. `spark` is for infrastructure.dataFlow, the others are for dataScienceJob. Most have `source`,
    where the code is, and `conda`, the packages that it finds:

      runtime:
        script:
          conda:
            type: service
            slug: generalml_p311_cpu_x86_64_v1
          source:
            configMap:
              name: training-code
          entrypoint: train.py

    The code starts in its own folder with spec.env and spec.args, and has succeeded if it ends with exit code 0.

    In OCI the code of a job is immutable. When it changes here, the OCIJob gets a new revision (another OCI job), which
    later runs take; runs that were launched before keep theirs. With spec.adopt, the runtime may be left out: the code
    is then what OCI has.
    """

    model_config = ConfigDict(json_schema_extra=validations((_ONE_RULE, _ONE_MESSAGE)))

    script: ScriptRuntime | None = Field(
        default=None,
        description="One file, Python (.py) or shell (.sh), that is run as a program.",
    )
    python: PythonRuntime | None = Field(
        default=None,
        description=(
            "Python code with its own modules: a file that is run, or a function in it that is "
            "called."
        ),
    )
    notebook: NotebookRuntime | None = Field(
        default=None, description="A Jupyter notebook, whose cells are run in order."
    )
    git: GitRuntime | None = Field(
        default=None, description="Code in a Git repository that each run clones."
    )
    container: ContainerRuntime | None = Field(
        default=None, description="A container image of OCI's registry."
    )
    py_torch_distributed: PyTorchDistributedRuntime | None = Field(
        default=None, description="Distributed training with PyTorch, on one node or several."
    )
    spark: SparkRuntime | None = Field(default=None)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self._given()) != 1:
            msg = f"runtime: {_ONE_MESSAGE}"
            raise ValueError(msg)
        return self

    def _given(self) -> tuple[RuntimeVariant, ...]:
        members = (
            self.script,
            self.python,
            self.notebook,
            self.git,
            self.container,
            self.py_torch_distributed,
            self.spark,
        )
        return tuple(member for member in members if member is not None)

    @property
    def variant(self) -> RuntimeVariant:
        """The member that is given."""
        return self._given()[0]

    @property
    def name(self) -> str:
        """The field's name of the member that is given."""
        return next(iter(self.document()))

    @property
    def source(self) -> Source | None:
        """Where the operator reads the code; None where the run clones it, or an image holds it."""
        variant = self.variant
        return None if isinstance(variant, GitRuntime) else variant.source

    @property
    def reads_remotely(self) -> bool:
        """Whether the operator reads the code from outside the cluster's objects."""
        source = self.source
        return source is not None and source.inline is None and source.config_map is None

    @property
    def conda(self) -> CondaEnvironment | None:
        """The conda environment; None for a bare script, and for a container."""
        variant = self.variant
        return None if isinstance(variant, ContainerRuntime) else variant.conda

    @property
    def replicas(self) -> int:
        """The number of nodes that the runtime itself asks for."""
        variant = self.variant
        if isinstance(variant, ContainerRuntime | PyTorchDistributedRuntime):
            return variant.replicas or 1
        return 1
