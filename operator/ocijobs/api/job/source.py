"""Where the code of a job comes from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from ocijobs.api.shared.model import (
    ATOMIC_LIST,
    ConfigKey,
    Model,
    ObjectName,
    Ocid,
    RegionName,
    RelativePath,
    validations,
)

HttpUrl = Annotated[
    str, Field(max_length=2048, pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?(\?[^#\s]*)?$")
]
"""A web address without credentials in it."""

GitUrl = Annotated[
    str,
    Field(
        max_length=2048,
        pattern=r"^(https?://[^/?#@\s]+/\S+|ssh://[^\s]+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\s]+)$",
    ),
]
"""A Git repository: http, https, ssh, or the short form of ssh (user@host:path). No credentials in a web address."""

GitName = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_][-A-Za-z0-9_./+]*$")
]
"""A branch or tag."""

GitCommit = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$", max_length=64)]
"""A commit's full SHA."""


class SecretReference(Model):
    """A Secret of this namespace."""

    name: ObjectName = Field(description="Name of the Secret, in this namespace.")


class ConfigMapSource(Model):
    """Files from a ConfigMap."""

    name: ObjectName = Field(description="Name of the ConfigMap, in this namespace.")
    keys: (
        Annotated[
            tuple[ConfigKey, ...], Field(min_length=1, max_length=64, json_schema_extra=ATOMIC_LIST)
        ]
        | None
    ) = Field(
        default=None, description="Keys that become files of the same names; by default all keys."
    )


class ObjectStorageSource(Model):
    """An object, or all objects under a prefix, read as the job's identity."""

    uri: Annotated[str, Field(max_length=2048, pattern=r"^oci://[^@/]+@[^@/]+/.*$")] = Field(
        description=(
            "oci://bucket@namespace/name is one object: a file, or an archive (.zip, .tar, .tar.gz,"
            " .tgz), which is unpacked. One that ends with `/` is a folder of files."
        )
    )
    region: RegionName | None = Field(
        default=None, description="Region of the bucket; by default that of the job."
    )


class HttpSource(Model):
    """A file, or an archive, from the web."""

    url: HttpUrl = Field(
        description=(
            "Address of a file, or of an archive (.zip, .tar, .tar.gz, .tgz), which is unpacked."
        )
    )
    sha256: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of the content at the address, in hexadecimal. Other content is refused."
    )
    secret_ref: SecretReference | None = Field(
        default=None,
        description="Secret with `username` and `password`, or with `bearerToken`.",
    )


class GitReference(Model):
    """What is checked out: a commit, else a tag, else a branch."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "[has(self.branch), has(self.tag), has(self.commit)].exists_one(x, x)",
                "exactly one of branch, tag and commit must be given",
            )
        )
    )

    branch: GitName | None = Field(default=None, description="Newest commit of a branch.")
    tag: GitName | None = Field(default=None, description="Commit of a tag.")
    commit: GitCommit | None = Field(default=None, description="A commit, by its full SHA.")


class GitRepositorySource(Model):
    """A Git repository, which the fetcher clones. Each commit that changes the code makes a revision."""

    url: GitUrl = Field(description="Address of the repository: https, http or ssh.")
    ref: GitReference | None = Field(
        default=None, description="What is checked out; by default the repository's default branch."
    )
    path: RelativePath | None = Field(
        default=None, description="Folder of the repository that is the code; by default all of it."
    )
    secret_ref: SecretReference | None = Field(
        default=None,
        description=(
            "Secret with `username` and `password` for https, or with `identity` (a private key) and "
            "`known_hosts` for ssh, as for Flux's GitRepository."
        ),
    )


class FluxKind(StrEnum):
    """Kinds of Flux's source-controller that provide an artifact."""

    GIT_REPOSITORY = "GitRepository"
    BUCKET = "Bucket"
    OCI_REPOSITORY = "OCIRepository"


class FluxSource(Model):
    """What a source of Flux has fetched. Each new artifact makes a revision."""

    kind: FluxKind = Field(description="Kind of the source.")
    name: ObjectName = Field(description="Name of the source, in this namespace.")
    path: RelativePath | None = Field(
        default=None, description="Folder of the artifact that is the code; by default all of it."
    )


_INLINE_CHARACTERS = 1_000_000

_ONE = (
    "[has(self.inline), has(self.configMap), has(self.objectStorage), has(self.http), "
    "has(self.gitRepository), has(self.flux)].exists_one(x, x)"
)
_MEMBERS = "inline, configMap, objectStorage, http, gitRepository and flux"


class Source(Model):
    """Where the code comes from: exactly one of its fields.

    In the manifest itself, for a file or two:

      source:
        inline:
          train.py: |
            print("training")

    From a ConfigMap, for code that lives in files of its own, which kustomize's configMapGenerator or `kubectl create
    configmap training-code --from-file=src/` makes one of:

      source:
        configMap:
          name: training-code

    From a Git repository, at the newest commit of a branch:

      source:
        gitRepository:
          url: https://github.com/example/training
          ref:
            branch: main
          path: src

    It is read again before every launch, and every few minutes, so that an edited ConfigMap or a new commit counts for
    the next run. While it can't be reached, the current revision goes on serving. A Kubernetes object holds 1 MiB at
    most; an artifact of OCI 4 GB.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            (_ONE, f"exactly one of {_MEMBERS} must be given"),
            (
                (
                    "!has(self.inline) || self.inline.all(path, path.matches("
                    "'^[A-Za-z0-9_][-._A-Za-z0-9]*(/[A-Za-z0-9_][-._A-Za-z0-9]*)*$'))"
                ),
                "paths of inline files are relative: letters, digits, `.`, `_`, `-` and `/`",
            ),
            # etcd takes 1.5 MiB: what is larger is stored, but can be given neither a finalizer nor a status.
            (
                (
                    "!has(self.inline) || self.inline.map(path, size(self.inline[path])).sum() <= "
                    f"{_INLINE_CHARACTERS}"
                ),
                (
                    f"inline files have at most {_INLINE_CHARACTERS} characters together: put more into "
                    "Object Storage or a Git repository"
                ),
            ),
        )
    )

    inline: (
        Annotated[
            Mapping[
                Annotated[str, Field(max_length=253)], Annotated[str, Field(max_length=524288)]
            ],
            Field(min_length=1, max_length=64),
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "The files themselves: path (letters, digits, `.`, `_`, `-`, and `/` for folders) -> "
            "text."
        ),
    )
    config_map: ConfigMapSource | None = Field(
        default=None,
        description=(
            "Files from a ConfigMap of this namespace, for example one that kustomize's "
            "configMapGenerator makes."
        ),
    )
    object_storage: ObjectStorageSource | None = Field(
        default=None,
        description="An object of OCI Object Storage, or a folder of them, read as the job's identity.",
    )
    http: HttpSource | None = Field(
        default=None, description="A file or an archive from the web, checked against its SHA-256."
    )
    git_repository: GitRepositorySource | None = Field(
        default=None, description="A Git repository, which the fetcher clones."
    )
    flux: FluxSource | None = Field(
        default=None,
        description="The artifact of a GitRepository, Bucket or OCIRepository of Flux.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(member is not None for member in self._members()) != 1:
            msg = f"exactly one of {_MEMBERS} must be given"
            raise ValueError(msg)
        return self

    def _members(self) -> tuple[object, ...]:
        return (
            self.inline,
            self.config_map,
            self.object_storage,
            self.http,
            self.git_repository,
            self.flux,
        )


class GitCode(Model):
    """A Git repository that the run itself clones, with the run's network and permissions.

    The run's tag `ocijobs_commit` and its status name the commit that was checked out.
    """

    url: GitUrl = Field(description="Address of the repository: https, http or ssh.")
    branch: GitName | None = Field(
        default=None,
        description="Branch or tag whose newest commit is run; by default the repository's default branch.",
    )
    commit: GitCommit | None = Field(
        default=None, description="Commit that is run, by its full SHA. It overrides branch."
    )
    git_secret_id: Ocid | None = Field(
        default=None,
        description=(
            "Secret of OCI Vault with the private ssh key. The run's resource principal reads it."
        ),
    )
