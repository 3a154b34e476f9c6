"""Drivers of Git code, notebooks and distributed training: what they start, and what they say is missing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_server import Repository, served_repository
from tests.unit.artifact.driver_process import CONDA, DriverFolder

# Git


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with served_repository(tmp_path / "git") as repository:
        yield repository


def git(folder: Path, url: str, **fields: Any) -> DriverFolder:
    fields = {"entrypoint": "main.py", **fields}
    return DriverFolder(folder, {}, runtime={"git": {"url": url, "conda": CONDA, **fields}})


def test_the_newest_commit_of_the_branch_is_run_and_told(
    tmp_path: Path, repository: Repository
) -> None:
    repository.commit({"main.py": "print('old')"})
    newest = repository.commit({"main.py": "import sys; print('new', *sys.argv[1:])"})
    ended = git(tmp_path / "job", repository.url).run("one")
    assert (ended.code, ended.output) == (0, "new one\n")
    assert f"checked out commit {newest}" in ended.errors


@pytest.mark.parametrize("by", ["commit", "tag", "branch"])
def test_what_is_named_is_run(tmp_path: Path, repository: Repository, by: str) -> None:
    commit = repository.commit({"main.py": "print('wanted')"}, branch="wanted")
    repository.tag("v1")
    repository.commit({"main.py": "print('another')"})
    named = {"commit": {"commit": commit}, "tag": {"branch": "v1"}, "branch": {"branch": "wanted"}}
    ended = git(tmp_path / "job", repository.url, **named[by]).run()
    assert (ended.code, ended.output) == (0, "wanted\n")


def test_a_commit_that_the_server_gives_to_nobody_is_found_among_all(
    tmp_path: Path, repository: Repository
) -> None:
    commit = repository.commit({"main.py": "print('wanted')"})
    repository.commit({"main.py": "print('another')"})
    repository.forbid_single_commits()
    ended = git(tmp_path / "job", repository.url, commit=commit).run()
    assert (ended.code, ended.output) == (0, "wanted\n")


def test_paths_are_those_of_the_folder_of_the_code(tmp_path: Path, repository: Repository) -> None:
    repository.commit(
        {"src/app/main.py": "import tools, os; print(tools.X, os.path.basename(os.getcwd()))"}
    )
    repository.commit({"src/lib/tools.py": "X = 1"})
    driver = git(
        tmp_path / "job",
        repository.url,
        code_dir="src",
        entrypoint="app/main.py",
        working_dir="app",
        python_path=["lib"],
    )
    assert driver.run().output == "1 app\n"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"branch": "gone"}, "the repository has no branch, tag or commit gone"),
        ({"commit": "0" * 40}, f"the repository has no branch, tag or commit {'0' * 40}"),
        ({"entrypoint": "other.py"}, "the code has no file other.py"),
        ({"working_dir": "nowhere"}, "the code has no folder nowhere"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_run(
    tmp_path: Path, repository: Repository, fields: dict[str, Any], message: str
) -> None:
    repository.commit({"main.py": "print('started')"})
    ended = git(tmp_path / "job", repository.url, **fields).run()
    assert (ended.code, ended.output) == (78, "")
    assert message in ended.errors


def test_a_repository_that_can_not_be_reached_is_told(tmp_path: Path) -> None:
    ended = git(tmp_path / "job", "http://127.0.0.1:1/code.git").run()
    assert ended.code == 78
    assert "git fetch: " in ended.errors


def test_git_itself_may_be_missing(tmp_path: Path, repository: Repository) -> None:
    driver = git(tmp_path / "job", repository.url)
    ended = driver.run(environment={"PATH": str(tmp_path)})
    assert ended.code == 78
    assert "needs the program git" in ended.errors


# Notebooks and secrets


def test_a_notebook_without_its_packages_is_refused(tmp_path: Path) -> None:
    source = {"inline": {"a.ipynb": "{}"}}
    driver = DriverFolder(
        tmp_path, {"a.ipynb": "{}"}, runtime={"notebook": {"source": source, "conda": CONDA}}
    )
    ended = driver.run()
    assert ended.code == 78
    assert "runtime.notebook needs the Python packages nbclient and ipykernel" in ended.errors


def test_a_vault_secret_without_the_package_oci_is_refused_before_the_code_starts(
    tmp_path: Path,
) -> None:
    driver = DriverFolder(tmp_path, {"main.py": "print('started')"})
    ended = driver.run(environment={"OCIJOBS_VAULT_TOKEN": "ocid1.vaultsecret.oc1.iad.a"})
    assert (ended.code, ended.output) == (78, "")
    assert "vaultSecretRef needs the Python package oci" in ended.errors


# Distributed training

SHOWS_ITS_ARGUMENTS = "import sys, os\nprint(*sys.argv[1:])\nprint(os.environ['PYTHONPATH'])\n"
STAND_INS = {
    "torch/__init__.py": "class cuda:\n    device_count = staticmethod(lambda: 2)\n",
    "torch/distributed/__init__.py": "",
    "torch/distributed/run.py": SHOWS_ITS_ARGUMENTS,
    "accelerate/__init__.py": "",
    "accelerate/commands/__init__.py": "",
    "accelerate/commands/launch.py": SHOWS_ITS_ARGUMENTS,
    "deepspeed/__init__.py": "",
    "deepspeed/launcher/__init__.py": "",
    "deepspeed/launcher/runner.py": SHOWS_ITS_ARGUMENTS,
    "train.py": "",
}
PLAIN_PYTHON = ("python3",)
"""Modules of the code must be found, which a Python in isolation does not."""


def started(folder: Path, *, rank: int = 1, **torch: Any) -> tuple[list[str], str]:
    """Return the words that the launcher is started with on one of two nodes, and PYTHONPATH."""
    source = {"inline": {"train.py": ""}}
    driver = DriverFolder(
        folder / "job",
        STAND_INS,
        runtime={"py_torch_distributed": {"source": source, "conda": CONDA, **torch}},
    )
    nodes = folder / "nodes.json"
    nodes.write_text(json.dumps([{"Rank": n, "IPAddress": f"10.0.0.{n + 1}"} for n in range(2)]))
    environment = {
        "NODE_RANK": str(rank),
        "INITIAL_CLUSTER_SIZE": "2",
        "CLUSTER_NODES_METADATA_FILE": str(nodes),
    }
    ended = driver.run("--epochs", "3", python=PLAIN_PYTHON, environment=environment)
    assert ended.code == 0, ended.errors
    words, path = ended.output.splitlines()
    return words.split(), path


def test_torchrun_is_told_of_the_nodes_and_of_this_one(tmp_path: Path) -> None:
    words, path = started(tmp_path, entrypoint="train.py")
    code = str(tmp_path / "job" / "code")
    assert words == [
        "--nnodes=2",
        "--nproc_per_node=2",
        "--node_rank=1",
        "--master_addr=10.0.0.1",
        "--master_port=29400",
        f"{code}/train.py",
        "--epochs",
        "3",
    ]
    assert path.split(":")[0] == code


def test_what_the_command_says_itself_is_left_alone(tmp_path: Path) -> None:
    words, _ = started(tmp_path, command="torchrun --nproc-per-node=8 --master_port 1 train.py")
    assert "--nproc_per_node=2" not in words
    assert "--master_port=29400" not in words
    assert "--nnodes=2" in words


def test_a_rendezvous_of_the_users_own_is_left_to_them(tmp_path: Path) -> None:
    words, _ = started(tmp_path, command="torchrun --rdzv_backend=c10d train.py")
    assert [word for word in words if word.startswith(("--master", "--node_rank"))] == []


def test_accelerate_and_deepspeed_are_told_in_their_own_words(tmp_path: Path) -> None:
    words, _ = started(tmp_path / "a", command="accelerate launch train.py")
    assert {"--num_machines=2", "--num_processes=4", "--machine_rank=1"} <= set(words)
    words, _ = started(tmp_path / "b", command="deepspeed train.py", deepspeed=True)
    assert words[0] == "--no_ssh"
    (hosts,) = [word.partition("=")[2] for word in words if word.startswith("--hostfile=")]
    assert Path(hosts).read_text() == "10.0.0.1 slots=2\n10.0.0.2 slots=2\n"
    Path(hosts).unlink()


def test_training_without_torch_is_refused(tmp_path: Path) -> None:
    source = {"inline": {"train.py": ""}}
    torch = {"source": source, "conda": CONDA, "entrypoint": "train.py"}
    driver = DriverFolder(tmp_path, {"train.py": ""}, runtime={"py_torch_distributed": torch})
    ended = driver.run()
    assert ended.code == 78
    assert "needs the Python package torch" in ended.errors


def test_another_launcher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="begins with mpirun, and not with torchrun"):
        started(tmp_path, command="mpirun train.py")
