"""Where the output of runs goes.

Rules from the Data Science API (`JobLogConfigurationDetails`): a log, or a log group in which each run gets a log of
its own. What is given by name is looked up in OCI once.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.shared.model import Model, Ocid, validations

LogName = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9_.-]+$")]


class Logging(Model):
    """Log group and log, by OCID or by name."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "!has(self.logId) || has(self.logGroupId)",
                "logId needs logGroupId, the group of the log",
            ),
            (
                "!(has(self.logGroupId) && has(self.logGroupName))",
                "give logGroupId or logGroupName, not both",
            ),
            ("!(has(self.logId) && has(self.logName))", "give logId or logName, not both"),
            (
                (
                    "self.enableLogging || !(has(self.logGroupId) || has(self.logGroupName) || "
                    "has(self.logName))"
                ),
                "a log group and a log have no effect if enableLogging is false",
            ),
        )
    )

    enable_logging: bool = Field(
        default=True,
        description="With false no output is kept, even if the identity has a default log group.",
    )
    log_group_id: Ocid | None = Field(
        default=None, description="Log group; by default that of the identity's defaults."
    )
    log_group_name: LogName | None = Field(
        default=None,
        description="Log group, by its name in the job's compartment, instead of logGroupId.",
    )
    log_id: Ocid | None = Field(
        default=None,
        description="Log of the group that all runs write to. Without it, each run gets a log of its own.",
    )
    log_name: LogName | None = Field(
        default=None, description="The log by its name in the log group, instead of logId."
    )
