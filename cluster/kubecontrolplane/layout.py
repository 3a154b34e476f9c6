"""The directory of one control plane: what is where, and whether it is one at all."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from kubecontrolplane.errors import DirectoryError


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the directory `root` of a control plane.

    `kubecontrolplane.json` marks the directory as ours. It is the first file made in it and the last
    one deleted, so that a directory interrupted at any point is still known for what it is.
    """

    root: Path

    @classmethod
    def of(cls, directory: Path | str) -> "Layout":
        """The layout of a directory that may be given relative to the current one."""
        return cls(Path(directory).absolute())

    @property
    def state(self) -> Path:
        """Settings that a later start uses again."""
        return self.root / "kubecontrolplane.json"

    @property
    def lock(self) -> Path:
        """Held by whoever starts or ends processes of this directory."""
        return self.root / "kubecontrolplane.lock"

    @property
    def kubeconfig(self) -> Path:
        """Credentials of the administrator (group system:masters)."""
        return self.root / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        """The data of etcd: all that the cluster remembers."""
        return self.root / "etcd"

    @property
    def audit_policy(self) -> Path:
        """What the API server writes into the audit log."""
        return self.root / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        """One JSON event a line."""
        return self.root / "logs" / "audit.log"

    @property
    def controller_manager_kubeconfig(self) -> Path:
        """Credentials of kube-controller-manager."""
        return self.pki / "kube-controller-manager.kubeconfig"

    def log(self, component: str) -> Path:
        """Standard output and standard error of a component, appended at each start."""
        return self.root / "logs" / f"{component}.log"

    def record(self, component: str) -> Path:
        """The process that runs a component."""
        return self.root / "run" / f"{component}.json"

    @property
    def exists(self) -> bool:
        """Whether there is a control plane, running or stopped."""
        return self.state.is_file()

    def check(self, *, locked: bool = False) -> None:
        """Refuse a directory that can't be ours.

        Args:
            locked: whether the caller holds the lock. Without it, a directory in which there is a lock
                is taken for ours: another process may just be making the files that tell.

        Raises:
            DirectoryError: it is no directory, or holds files that kubecontrolplane did not make.
        """
        if self.root.exists() and not self.root.is_dir():
            raise DirectoryError(f"{self.root} is not a directory")
        if not self.root.is_dir():
            return
        # One look: what appears between two of them would be taken for somebody else's.
        names = {entry.name for entry in self.root.iterdir()}
        ours = {self.state.name} if locked else {self.state.name, self.lock.name}
        foreign = sorted(names - {self.lock.name})
        if foreign and not names & ours:
            raise DirectoryError(
                f"{self.root} is not empty ({foreign[0]}, ...) and kubecontrolplane did not make it: "
                "name another directory"
            )

    def require(self) -> None:
        """Insist on a control plane.

        Raises:
            DirectoryError: there is none here.
        """
        if not self.exists:
            raise DirectoryError(
                f"no control plane in {self.root}: `kubecontrolplane up --dir {self.root}` makes one"
            )

    def create(self) -> None:
        """Make the directories that components write to."""
        for directory in (self.pki, self.etcd, self.root / "logs", self.root / "run"):
            directory.mkdir(mode=0o700, exist_ok=True)

    def wipe(self) -> None:
        """Delete what kubecontrolplane made, and nothing else; the directory and its lock stay."""
        for directory in (self.pki, self.etcd, self.root / "logs", self.root / "run"):
            if directory.exists():
                shutil.rmtree(directory)
        for file in (self.kubeconfig, self.audit_policy, self.state):
            file.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove what `wipe` leaves: the lock, and the directory unless others' files are in it."""
        self.lock.unlink(missing_ok=True)
        if not any(self.root.iterdir()):
            self.root.rmdir()
