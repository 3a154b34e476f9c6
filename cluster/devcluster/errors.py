"""What can go wrong, as errors whose text tells a person what to do."""


class DevclusterError(Exception):
    """Any failure that is not a bug: the message says what was wrong, where and what to do."""


class ToolchainError(DevclusterError):
    """Go is missing, too old, or does not do what was asked of it."""


class BuildError(DevclusterError):
    """A binary could not be built."""


class AssetsError(DevclusterError):
    """KUBEBUILDER_ASSETS names a directory that lacks something."""


class SchemaError(DevclusterError):
    """A JSON schema can't be made."""


class StartError(DevclusterError):
    """A component of the control plane did not start."""


class DirectoryError(DevclusterError):
    """A directory is not one that devcluster made, or is not in the state that was asked for."""


class ForeignClusterError(DevclusterError):
    """A kubeconfig leads to a cluster that devcluster did not make."""


class ApiError(DevclusterError):
    """The Kubernetes API refused a request.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
