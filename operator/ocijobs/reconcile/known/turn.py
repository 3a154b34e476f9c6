"""What this process knows of the line in which an object waits for calls to OCI."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When an object may call OCI, about; and whether OCI's own 429 is why it can't now."""

    at: datetime
    throttled: bool
