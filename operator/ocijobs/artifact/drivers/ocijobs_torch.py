"""Distributed training: the command that starts the code on this node, so that it finds the others."""

from __future__ import annotations

import fcntl
import os
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import ocijobs_nodes
from ocijobs_said import MissingError, say

PORT = "29400"
_INTERFACE_ADDRESS = 0x8915
"""SIOCGIFADDR: the ioctl that asks for the address of a network interface."""


def command(torch: dict[str, Any], code: Path, entrypoint: str | None, folder: Path) -> list[str]:
    """Return the command, after installing what it depends on.

    Raises:
        MissingError: if a package is missing, or the other nodes don't come.
    """
    _install(torch, code)
    nodes = ocijobs_nodes.addresses()
    _environment(torch, code, folder, nodes)
    gpus = _gpus()
    words = shlex.split(torch.get("command") or "torchrun")
    if entrypoint is not None:
        words.append(str(code / entrypoint))
    words += sys.argv[1:]
    if words[0] == "deepspeed":
        return _deepspeed(words[1:], nodes, gpus)
    if words[:2] == ["accelerate", "launch"]:
        return _accelerate(words[2:], nodes, gpus)
    if words[0] != "torchrun":
        raise MissingError(
            f"runtime.pyTorchDistributed.command: begins with {words[0]}, and not with torchrun, "
            "deepspeed or accelerate launch"
        )
    return _torchrun(words[1:], nodes, gpus)


def _torchrun(words: list[str], nodes: list[str], gpus: int) -> list[str]:
    ours = {
        "nnodes": str(len(nodes)),
        "nproc_per_node": str(gpus or 1),
        "node_rank": str(ocijobs_nodes.rank()),
        "master_addr": nodes[0],
        "master_port": PORT,
    }
    own_meeting = any(word.startswith(("--rdzv", "--standalone")) for word in words)
    if own_meeting:
        ours = {name: ours[name] for name in ("nnodes", "nproc_per_node")}
    return [sys.executable, "-m", "torch.distributed.run", *_missing(words, ours), *words]


def _deepspeed(words: list[str], nodes: list[str], gpus: int) -> list[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".hostfile", delete=False) as hosts:
        hosts.writelines(f"{node} slots={gpus or 1}\n" for node in nodes)
    ours = {
        "hostfile": hosts.name,
        "node_rank": str(ocijobs_nodes.rank()),
        "master_addr": nodes[0],
        "master_port": PORT,
    }
    alone = ["--no_ssh"] if len(nodes) > 1 and "--no_ssh" not in words else []
    runner = [sys.executable, "-m", "deepspeed.launcher.runner"]
    return [*runner, *alone, *_missing(words, ours), *words]


def _accelerate(words: list[str], nodes: list[str], gpus: int) -> list[str]:
    ours = {
        "num_machines": str(len(nodes)),
        "num_processes": str(len(nodes) * (gpus or 1)),
        "machine_rank": str(ocijobs_nodes.rank()),
        "main_process_ip": nodes[0],
        "main_process_port": PORT,
    }
    return [sys.executable, "-m", "accelerate.commands.launch", *_missing(words, ours), *words]


def _missing(words: list[str], ours: dict[str, str]) -> list[str]:
    """Return the options that the command does not have; `-` and `_` are the same in them."""
    given = {
        word.split("=", 1)[0].lstrip("-").replace("-", "_") for word in words if word[:2] == "--"
    }
    given = {"nnodes" if name == "nnode" else name for name in given}
    return [f"--{name}={value}" for name, value in ours.items() if name not in given]


def _gpus() -> int:
    """Return the number of GPUs, as torch sees them: in a process of its own, which gives them back."""
    asked = subprocess.run(
        [sys.executable, "-c", "import torch; print(torch.cuda.device_count())"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        why = asked.stderr.strip().rpartition("\n")[2]
        raise MissingError(
            "runtime.pyTorchDistributed needs the Python package torch in the job's conda "
            f"environment; choose one that has it ({why})"
        )
    return int(asked.stdout)


def _install(torch: dict[str, Any], code: Path) -> None:
    words: list[str] = list(torch.get("pipPackages") or ())
    if torch.get("pipRequirements"):
        words += ["--requirement", str(code / torch["pipRequirements"])]
    if not words:
        return
    say("installing packages with pip")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", *words]
    if subprocess.run(pip, stdin=subprocess.DEVNULL, check=False).returncode:
        raise MissingError("runtime.pyTorchDistributed.dependencies: pip could not install them")


def _environment(torch: dict[str, Any], code: Path, folder: Path, nodes: list[str]) -> None:
    """Set where modules are, and which network interface the nodes talk over."""
    paths = [str(folder), str(code), *(str(code / path) for path in torch.get("pythonPath") or ())]
    if os.environ.get("PYTHONPATH"):
        paths.append(os.environ["PYTHONPATH"])
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    if torch.get("deepspeed"):
        os.environ.setdefault("ACCELERATE_USE_DEEPSPEED", "true")
    interface = _interface(nodes[min(ocijobs_nodes.rank(), len(nodes) - 1)])
    if len(nodes) > 1 and interface is not None:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", interface)
        os.environ.setdefault("NCCL_SOCKET_IFNAME", interface)


def _interface(address: str) -> str | None:
    """Return the network interface that has the address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), _INTERFACE_ADDRESS, request)
            except OSError:
                continue  # It has no address.
            if socket.inet_ntoa(answer[20:24]) == address:
                return name
    return None
