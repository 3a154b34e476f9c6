"""What an emulator is started with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_REGION = "us-ashburn-1"
HOST = "127.0.0.1"
"""The only address that is listened on."""


class StartError(Exception):
    """The emulator can't start; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line says; None leaves it to what the state directory remembers.

    Attributes:
        http_port: 0 takes the port of the last time if it is free, else any.
        proxy_port: likewise.
        oke_port: where pods of OKE ask for tokens, in TLS; 0 for nowhere.
        rules: name -> value, as JSON or as text.
        namespace: of Object Storage, in a new state directory; a random one by default.
        places: how many processes of runs there may be at a time.
        cache: where conda environments and the HDFS connector are kept.
        spark: a Python that has pyspark; the emulator's own by default.
        engine: the command of the container engine, with options.
        engine_options: further options of its command ``run``.
        journal_bodies: keep the JSON that clients send in the journal.
    """

    state: Path
    http_port: int = 0
    proxy_port: int = 0
    oke_port: int = 0
    mode: str | None = None
    profile: str | None = None
    rules: Mapping[str, object] = field(default_factory=dict)
    places: int | None = None
    region: str | None = None
    namespace: str | None = None
    cache: Path | None = None
    journal_bodies: bool = False
    spark: Path | None = None
    engine: str = "podman"
    engine_options: str = ""
