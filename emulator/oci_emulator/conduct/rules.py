"""The rules of the services that no document settles, each a named setting.

Where Oracle's documents say nothing, or where only memory says something, the emulator doesn't
decide in silence: the rule stands here with both (or all) of its values, clients can be tested
against each of them (``--rule name=value``, or the control API), and the table in the README is
made of this class.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _rule(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One value for each open question."""

    # Requests
    clock_skew_seconds: int = _rule(300, "How far a request's date may be from real time.")
    unknown_body_field: Literal["refuse", "ignore"] = _rule(
        "refuse", "What becomes of a body with a field that its model doesn't have."
    )
    unknown_query_parameter: Literal["refuse", "ignore"] = _rule(
        "refuse", "What becomes of a query parameter that the operation doesn't have."
    )
    maximum_body_bytes: int = _rule(1 << 20, "The largest JSON body.")
    default_page_size: int = _rule(50, "The size of a page if the request names none.")
    oracle_tags: bool = _rule(
        True, "Whether the tag defaults Oracle-Tags.CreatedBy and .CreatedOn are set."
    )
    freeform_tags_maximum: int = _rule(10, "Free-form tags on a resource.")

    requests_per_second: int = _rule(
        0, "Requests of one principal for one service, above which there are 429s; 0 for no limit."
    )

    # Retry tokens
    retry_token_hours: int = _rule(24, "How long a retry token is remembered.")
    retry_token_scope: Literal["principal-and-operation", "principal", "tenancy"] = _rule(
        "principal-and-operation", "Within what a retry token must be unique."
    )
    retry_token_answer: Literal["current", "original"] = _rule(
        "current", "Whether a replay shows the resource as it is now, or as it was at first."
    )
    retry_token_after_delete: Literal["invalidated", "replayed"] = _rule(
        "invalidated", "What a replay gets once the resource is deleted: a 409, or the answer."
    )
    retry_token_maximum_length: int = _rule(64, "Characters of a retry token.")

    # Jobs and job runs
    active_runs_code: Literal["IncorrectState", "Conflict"] = _rule(
        "IncorrectState", "The code of the 409 for deleting a job with active runs."
    )
    delete_job_with_run_records: Literal["conflict", "allow"] = _rule(
        "conflict",
        "Whether a job can be deleted, without deleteRelatedJobRuns, while records of finished"
        " runs remain.",
    )
    environment_merge: Literal["merge", "replace"] = _rule(
        "merge", "Whether a run's environmentVariables are merged onto the job's or replace them."
    )
    configuration_override: Literal["whole", "by-field"] = _rule(
        "whole",
        "Whether a run's jobConfigurationOverrideDetails stand for all of the job's, but for"
        " environmentVariables, or only for the fields that they have.",
    )
    empty_environment_value: Literal["keep", "unset"] = _rule(
        "keep", "Whether an override with an empty string sets or unsets the job's variable."
    )
    reserved_environment: Literal["refuse", "ignore"] = _rule(
        "refuse", "What becomes of a variable that the service sets by itself."
    )
    partial_override_block: Literal["refuse", "merge"] = _rule(
        "refuse",
        "Whether a run's override of logging may be partial: refused as incomplete, or the rest"
        " taken from the job.",
    )
    run_without_override: Literal["DEFAULT", "EMPTY"] = _rule(
        "DEFAULT", "The jobType that a run shows which overrode nothing."
    )
    update_run_while_accepted: Literal["conflict", "allow"] = _rule(
        "conflict", "Whether a run in ACCEPTED, CANCELING or NEEDS_ATTENTION can be updated."
    )
    cancel_race: Literal["own-outcome", "canceled"] = _rule(
        "own-outcome", "How a run ends that finishes by itself while CANCELING."
    )
    cancel_grace_seconds: float = _rule(
        10.0, "Real seconds between SIGTERM and SIGKILL when a run is canceled."
    )
    signal_exit_code: Literal["128+n", "1"] = _rule(
        "128+n", "The exit code that is shown for a process that signal n ended."
    )
    auto_log_appears: Literal["at-creation", "at-provisioning"] = _rule(
        "at-provisioning", "When the log that a run gets automatically is in its logDetails."
    )
    log_check: Literal["at-creation", "at-run"] = _rule(
        "at-run", "When a job's log group and log must exist: at once, or when it runs."
    )
    project_check: bool = _rule(True, "Whether the project of a job or a run must exist.")
    unknown_shape: Literal["refuse", "accept"] = _rule(
        "refuse", "What becomes of a shape that the service doesn't have."
    )
    deleted_visible_seconds: float = _rule(
        3600.0, "How long a deleted resource can still be read, as DELETED."
    )
    deleted_in_lists: bool = _rule(True, "Whether lists without a state filter show DELETED ones.")

    # Limits of jobs and job runs
    block_storage_minimum_gb: int = _rule(50, "The least blockStorageSizeInGBs.")
    block_storage_maximum_gb: int = _rule(10240, "The greatest blockStorageSizeInGBs.")
    maximum_runtime_minutes: int = _rule(
        43200, "The greatest maximumRuntimeInMinutes, and the default."
    )
    environment_maximum_characters: int = _rule(
        20000, "All keys and values of the variables together, after merging."
    )
    arguments_maximum_characters: int = _rule(4000, "Characters of commandLineArguments.")
    storage_mounts_maximum: int = _rule(5, "Storage mounts of a job.")
    container_command_maximum_bytes: int = _rule(2048, "cmd and entrypoint together, in bytes.")
    artifact_maximum_bytes: int = _rule(4 << 30, "The largest job artifact.")

    active_runs_maximum: int = _rule(
        0, "Job runs of the tenancy that may be active at a time; 0 for no limit."
    )
    active_runs_maximum_code: Literal["LimitExceeded", "QuotaExceeded"] = _rule(
        "LimitExceeded", "The code of the 400 for one run more."
    )

    # Data Flow
    dataflow_list_filters: Literal["one-filter", "one-parameter", "any"] = _rule(
        "one-filter",
        "How many filters a list has besides compartmentId: one, with paging and sorting apart from"
        " it; one, and sorting counts too; or any number.",
    )
    class_name: Literal["required", "optional"] = _rule(
        "required", "Whether applications in Java and Scala must have a className."
    )
    unknown_spark_version: Literal["refuse", "accept"] = _rule(
        "refuse", "What becomes of a sparkVersion that isn't known."
    )
    reserved_spark_property: Literal["refuse", "accept"] = _rule(
        "refuse", "What becomes of configuration with a property that the service sets by itself."
    )
    flexible_without_config: Literal["default", "refuse"] = _rule(
        "default", "What becomes of a flexible shape of a driver or executor without configuration."
    )
    executors_maximum: int = _rule(1000, "The greatest numExecutors.")
    idle_timeout: Literal["refuse", "ignore"] = _rule(
        "refuse", "What becomes of idleTimeoutInMinutes where the type isn't SESSION."
    )
    execute_with_application: Literal["refuse", "execute-wins"] = _rule(
        "refuse", "What becomes of a run with both applicationId and execute."
    )
    run_type: Literal["refuse", "override"] = _rule(
        "refuse", "What becomes of a run with another type than its application has."
    )
    run_parameters: Literal["replace", "merge"] = _rule(
        "replace", "Whether a run's parameters replace the application's or are merged onto them."
    )
    run_configuration: Literal["replace", "merge"] = _rule(
        "replace", "Whether a run's configuration replaces the application's or is merged onto it."
    )
    run_arguments: Literal["as-given", "filled"] = _rule(
        "as-given", "Whether a run shows its arguments with placeholders or with their values."
    )
    run_duration: Literal["in-progress", "accepted"] = _rule(
        "in-progress", "From which state on runDurationInMilliseconds counts."
    )
    run_out_of_time: Literal["FAILED", "CANCELED", "STOPPED"] = _rule(
        "FAILED", "How a run of Data Flow ends that exceeds its maxDurationInMinutes."
    )
    delete_run_stops: Literal["streaming", "streaming-and-session", "nothing"] = _rule(
        "streaming", "Which runs end as STOPPED, not as CANCELED, when DeleteRun ends them."
    )
    delete_ended_run: Literal["accept", "conflict"] = _rule(
        "accept",
        "What becomes of DeleteRun and DeleteStatement for what is over or ending already.",
    )
    delete_application_with_active_runs: Literal["conflict", "allow"] = _rule(
        "conflict", "Whether DeleteApplication is possible while runs are active."
    )
    file_check: Literal["at-creation", "at-run"] = _rule(
        "at-run", "When a run's files are looked for, with its owner's rights."
    )
    pool_shape: Literal["refuse", "accept"] = _rule(
        "refuse", "What becomes of a driver or executor shape that the pool doesn't have."
    )
    pool_start_by_run: Literal["start", "wait"] = _rule(
        "start", "Whether a run starts its pool, or waits until somebody does."
    )
    pool_after_creation: Literal["ACTIVE", "ACCEPTED"] = _rule(
        "ACTIVE", "Whether a new pool is started at once."
    )

    # Logs
    search_window_days: int = _rule(14, "The longest period of one log search.")
    search_exact_source: Literal["refuse", "accept"] = _rule(
        "refuse", "Whether a search may compare source with a whole OCID, without a leading '*'."
    )
    search_maximum_entries: int = _rule(
        100000, "How many entries a search may find before it is refused as too large."
    )
    log_line_maximum_characters: int = _rule(
        10000, "Characters of one log entry; longer lines of output become several entries."
    )

    ingested_entry_maximum_bytes: int = _rule(1 << 20, "The largest data of one entry of PutLogs.")
    ingested_text_field: Literal["message", "msg"] = _rule(
        "message", "The field of data under which a search shows ingested text that is no JSON."
    )

    # Object Storage
    object_maximum_bytes: int = _rule(50 << 30, "The largest object of one PutObject.")

    # Monitoring
    metric_timestamp: Literal["start", "end"] = _rule(
        "start", "Whether a datapoint of a summary has the start or the end of its interval."
    )
    metric_streams_maximum: int = _rule(50, "Metrics in one PostMetricData.")
    metric_dimensions_maximum: int = _rule(20, "Dimensions of a metric.")
    metric_oldest_minutes: int = _rule(120, "How old a posted datapoint may be, in real time.")
    metric_newest_minutes: int = _rule(10, "How far ahead a posted datapoint may be.")

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """The rules with other values.

        Args:
            values: name -> value, as JSON or as text.

        Raises:
            ValueError: there is no such rule, or the rule has no such value.
        """
        known = {rule.name: rule for rule in dataclasses.fields(self)}
        for name in values:
            if name not in known:
                raise ValueError(f"there is no rule {name!r}; the rules are {', '.join(known)}")
        parsed = {name: _parse(known[name], value) for name, value in values.items()}
        return dataclasses.replace(self, **parsed)

    def as_json(self) -> dict[str, Any]:
        """Name -> value."""
        return dataclasses.asdict(self)


def _parse(rule: "dataclasses.Field[Any]", value: Any) -> Any:
    choices = get_args(rule.type)
    if choices:
        if value in choices:
            return value
        raise ValueError(f"rule {rule.name} is one of {', '.join(choices)}, not {value!r}")
    if rule.type is bool:
        truth = _TRUTH.get(str(value).lower())
        if truth is None:
            raise ValueError(f"rule {rule.name} is true or false, not {value!r}")
        return truth
    try:
        number = rule.type(value)  # type: ignore[operator]  # int or float: the others are above
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number < math.inf:
        raise ValueError(f"rule {rule.name} is a number of 0 or more, not {value!r}")
    return number


def table() -> str:
    """All rules as a Markdown table, as the README has it."""
    lines = ["| rule | values | default | meaning |", "|---|---|---|---|"]
    for rule in dataclasses.fields(Rules):
        choices = get_args(rule.type) or (getattr(rule.type, "__name__", str(rule.type)),)
        values = ", ".join(f"`{choice}`" for choice in choices)
        default = str(rule.default).lower() if rule.type is bool else rule.default
        lines.append(f"| `{rule.name}` | {values} | `{default}` | {rule.metadata['doc']} |")
    return "\n".join(lines) + "\n"


class RuleBook:
    """The rules in force; they can change while the emulator runs."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
