"""Runtime of a job: its code, and the software around it.

The variants have the meanings of the ADS runtimes of the same names
(https://accelerated-data-science.readthedocs.io/en/latest/user_guide/jobs/index.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api.conda import CondaEnvironment
from ocijobs.api.model import ATOMIC_LIST, SET_LIST, Model, Ocid, validations
from ocijobs.api.source import GitCommit, GitName, GitUrl, RelativePath, Source

PythonPath = Annotated[
    tuple[RelativePath, ...], Field(max_length=16, json_schema_extra=ATOMIC_LIST)
]
FunctionName = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
]
Words = Annotated[
    tuple[Annotated[str, Field(max_length=2048)], ...],
    Field(min_length=1, max_length=64, json_schema_extra=ATOMIC_LIST),
]
Replicas = Annotated[int, Field(ge=1, le=1000)]

IMAGE_PATTERN = (
    r"^([a-z0-9-]+\.ocir\.io|ocir\.[a-z0-9-]+\.oci\.oraclecloud\.com)/[a-z0-9_-]+/[a-z0-9._/-]+"
    r"(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$"
)
"""`<region>.ocir.io/<namespace>/<image>:<tag>[@digest]`, as the Data Science API takes images."""


class ScriptRuntime(Model):
    """One script that is run as a program: Python (.py) or shell (.sh)."""

    source: Source = Field()
    entrypoint: RelativePath | None = Field(
        default=None,
        description=(
            "File that is run: .py or .sh. By default the only one there is; needed where the "
            "source has several files."
        ),
    )
    conda: CondaEnvironment | None = Field(
        default=None,
        description=(
            "The conda environment that the script runs in: `{type: service, slug: ...}` or "
            "`{type: published, uri: ...}`. Without it a script has a bare Python or shell, and "
            "spec.outputs needs an environment that has the package `oci`."
        ),
    )


class PythonRuntime(Model):
    """Python code with modules of its own: a file, or a function in it."""

    source: Source = Field()
    conda: CondaEnvironment = Field()
    entrypoint: RelativePath | None = Field(
        default=None,
        description=(
            "Python file that is run. By default the only one there is; needed where the source "
            "has several files."
        ),
    )
    entry_function: FunctionName | None = Field(
        default=None,
        description=(
            "Function of the file that is called after the file has been run. Of spec.args, "
            "`--key value` and `--key=value` "
            "become keyword arguments, the others positional ones, all as text."
        ),
    )
    working_dir: RelativePath | None = Field(
        default=None,
        description="Folder of the code that becomes the working directory; by default the code's root.",
    )
    python_path: PythonPath = Field(
        default=(),
        description=(
            "Folders of the code that are added to sys.path; its root and the working directory "
            "are on it."
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
            "Notebook (.ipynb) that is run. By default the only one there is; needed where the "
            "source has several."
        ),
    )
    exclude_tags: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=255)], ...],
        Field(max_length=32, json_schema_extra=SET_LIST),
    ] = Field(default=(), description="Cells that have one of these tags are not run.")
    notebook_encoding: Annotated[
        str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$")
    ] = Field(default="utf-8", description="Encoding of the notebook's file.")


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


class ContainerRuntime(Model):
    """A container image of OCI's registry.

    The image is started as it is: nothing of the operator runs in it. It saves files by itself, or to a storage mount.
    """

    image: Annotated[str, Field(max_length=512, pattern=IMAGE_PATTERN)] = Field(
        description="Image: <region>.ocir.io/<namespace>/<image>:<tag>, with @sha256:<digest> if wanted."
    )
    image_digest: Annotated[str, Field(max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")] | None = (
        Field(default=None, description="Digest that the image must have: sha256:<hexadecimal>.")
    )
    image_signature_id: Ocid | None = Field(
        default=None, description="OCID of the image's signature, which OCI verifies."
    )
    entrypoint: Words | None = Field(
        default=None, description="Program of the container, instead of the image's own."
    )
    cmd: Words | None = Field(
        default=None, description="Arguments of the container, instead of the image's own."
    )
    source: Source | None = Field(
        default=None,
        description="Files that lie in the container as an archive: /home/datascience/<name>.zip.",
    )
    replicas: Replicas | None = Field(
        default=None,
        description="Number of nodes, each of which runs the container: one group of nodes.",
    )


class PipDependencies(Model):
    """Packages that are installed with pip before the code starts."""

    pip_requirements: RelativePath | None = Field(
        default=None, description="Requirements file of the code."
    )
    pip_packages: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^-\s]")], ...],
        Field(max_length=64, json_schema_extra=ATOMIC_LIST),
    ] = Field(default=(), description="Packages, as pip takes them.")


class PyTorchDistributedRuntime(Model):
    """Distributed training: each node starts the code with torchrun, and finds the others by itself.

    The conda environment needs `torch`.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            ("has(self.source) != has(self.git)", "exactly one of source and git must be given"),
            (
                "has(self.entrypoint) != has(self.command)",
                "exactly one of entrypoint and command must be given",
            ),
            (
                "!has(self.deepspeed) || !self.deepspeed || has(self.command)",
                "deepspeed goes with command",
            ),
        )
    )

    conda: CondaEnvironment = Field()
    source: Source | None = Field(default=None, description="The code; or git.")
    git: GitCode | None = Field(
        default=None, description="Repository that every node clones; or source."
    )
    entrypoint: RelativePath | None = Field(
        default=None, description="Python file that torchrun starts, with spec.args."
    )
    command: Annotated[str, Field(min_length=1, max_length=4000)] | None = Field(
        default=None,
        description=(
            "The whole command instead of entrypoint, beginning with torchrun, deepspeed or "
            "`accelerate launch`. The number of nodes, the rank and the address of the first node "
            "are added where they are not given."
        ),
    )
    replicas: Replicas | None = Field(
        default=None,
        description=(
            "Number of nodes, by default 1: one group of nodes. For more groups, "
            "infrastructure.dataScienceJob.jobNodeGroups instead."
        ),
    )
    working_dir: RelativePath | None = Field(
        default=None,
        description="Folder of the code that becomes the working directory; by default the code's root.",
    )
    python_path: PythonPath = Field(
        default=(), description="Folders of the code that are added to PYTHONPATH."
    )
    inputs: (
        Annotated[
            Mapping[
                Annotated[str, Field(max_length=2048)],
                Annotated[str, Field(min_length=1, max_length=1024)],
            ],
            Field(max_length=32),
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "What every node copies before the code starts: source (oci://bucket@namespace/prefix, "
            "or a web address) -> folder or file, from the working directory or absolute."
        ),
    )
    dependencies: PipDependencies | None = Field(
        default=None, description="Packages that are installed with pip before the code starts."
    )
    deepspeed: bool = Field(
        default=False, description="The command is DeepSpeed's launcher, or the code uses it."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.source is None) == (self.git is None):
            msg = "runtime.pyTorchDistributed: exactly one of source and git must be given"
            raise ValueError(msg)
        return self


RuntimeVariant = (
    ScriptRuntime
    | PythonRuntime
    | NotebookRuntime
    | GitRuntime
    | ContainerRuntime
    | PyTorchDistributedRuntime
)

_NAMES = ("script", "python", "notebook", "git", "container", "pyTorchDistributed")
_ONE_RULE = f"[{', '.join(f'has(self.{name})' for name in _NAMES)}].exists_one(x, x)"
_ONE_MESSAGE = f"exactly one of {', '.join(_NAMES[:-1])} and {_NAMES[-1]} must be given"


class Runtime(Model):
    """What runs, and in which software: exactly one of its fields.

    `script` runs one file, Python or shell, as a program: the shortest way from a file to a run. `python` is for code
    with modules of its own, with a working directory, or with a function as its entry. `notebook` runs a Jupyter
    notebook, `git` what a repository has when the run starts, `container` an image, and `pyTorchDistributed` a training
    on several nodes. Most have `source`, where the code is, and `conda`, the packages that it finds:

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
            "Python code with modules of its own: a file that is run, or a function in it that is "
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
