"""What can go wrong, as errors whose text tells a person what to do."""


class ControlPlaneError(Exception):
    """Any failure that is not a bug: the message says what was wrong, where and what to do."""


class ToolchainError(ControlPlaneError):
    """Go is missing, too old, or does not do what was asked of it."""


class BuildError(ControlPlaneError):
    """A binary could not be built."""


class AssetsError(ControlPlaneError):
    """KUBEBUILDER_ASSETS names a directory that lacks something."""


class SchemaError(ControlPlaneError):
    """A JSON schema can't be made."""


class StartError(ControlPlaneError):
    """A component of the control plane did not start."""


class DirectoryError(ControlPlaneError):
    """A directory is not one that kubecontrolplane made, or is not in the state that was asked for."""


class ForeignClusterError(ControlPlaneError):
    """A kubeconfig leads to a cluster that kubecontrolplane did not make."""


class KubeconfigError(ControlPlaneError):
    """A kubeconfig lacks what is needed of it."""


class ApiError(ControlPlaneError):
    """The Kubernetes API refused a request.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
