"""Which rules of OCI that no document settles the operator meets, and which of its tests run at each value.

The list of rules is the emulator's own. A rule that is in neither table fails `test_open_rules.py`.
"""

import dataclasses
from typing import Any, get_args

from oci_emulator.conduct.rules import Rules

_FIELDS = {rule.name: rule for rule in dataclasses.fields(Rules)}

RULES = tuple(_FIELDS)

_KILLED = "test_runs_are_created_once_though_the_operator_is_killed_among_them"
_OLD_TOKEN = "test_a_run_whose_creation_is_older_than_its_token_is_found"
_UNLISTED = "test_a_run_that_no_list_shows_yet_is_not_created_again"
_JOB_ONCE = "test_a_job_is_created_once_though_no_answer_comes"
_SAME_NAME = "test_a_run_of_the_same_name_is_another_run"
_DELETED_RUN = "test_a_deleted_run_is_cancelled_before_it_goes"
_DELETED_UNANSWERED = "test_a_run_that_is_deleted_while_its_creation_has_no_answer_is_cancelled"
_DELETED_JOB = "test_a_deleted_job_waits_for_its_runs_and_then_goes"
_CANCEL_RACE = "test_a_run_that_succeeds_while_it_is_cancelled_is_told_as_it_was"
_CANCELLED = "test_a_cancelled_run_keeps_its_record"
_OWN_LOG_GROUP = "test_a_run_may_have_a_log_group_of_its_own"
_RESULTS = "test_results_are_taken_from_lines_that_come_after_the_end"
_TAIL = "test_the_tail_has_the_last_lines_in_their_order_once_all_have_come"
_UNTOUCHED = "test_a_job_that_nobody_touches_is_written_once"
_FORMER = "test_a_former_revision_goes_when_no_run_needs_it"
_ADOPTED = "test_an_adopted_job_is_kept_as_the_manifest_says"
_OBSERVED = "test_an_observed_job_is_run_with_all_that_it_has_itself"
_LOST = "test_an_oci_job_that_others_delete_is_made_again"
_SPARK_ONCE = "test_an_application_and_its_runs_are_made_once_though_the_operator_is_killed"
_SPARK_DELETED = "test_a_run_of_spark_that_is_deleted_is_stopped"
_SPARK_RECORD = "test_a_run_of_spark_that_has_ended_is_deleted_with_its_record"
_SPARK_TIME = "test_a_run_of_spark_that_exceeds_its_time_has_failed"
_SPARK_OVERRIDE = "test_a_run_of_spark_with_settings_of_its_own_gets_the_jobs_others_as_well"
_DRIVER_LOG = "test_the_end_of_the_log_of_a_failed_driver_is_told"
_CHAIN = "test_a_run_takes_the_best_of_a_sweep_that_waited_for_another_run"
_LIMIT = "test_runs_beyond_ocis_limit_wait_and_all_end"

MET: dict[str, tuple[str, ...]] = {
    # Requests
    "unknown_body_field": (_ADOPTED, _SPARK_OVERRIDE),
    "unknown_query_parameter": (_KILLED, _SPARK_ONCE),
    "default_page_size": (_CHAIN, _SPARK_ONCE),
    "oracle_tags": (_UNTOUCHED, _ADOPTED),
    "freeform_tags_maximum": (_CHAIN,),
    "requests_per_second": (_KILLED,),
    # Retry tokens
    "retry_token_hours": (_OLD_TOKEN,),
    "retry_token_scope": (_KILLED, _JOB_ONCE, _SPARK_ONCE),
    "retry_token_answer": (_KILLED, _JOB_ONCE, _DELETED_UNANSWERED),
    "retry_token_after_delete": (_SAME_NAME,),
    # Jobs and job runs
    "active_runs_code": (_DELETED_JOB,),
    "delete_job_with_run_records": (_DELETED_JOB,),
    "environment_merge": (_CHAIN, _OBSERVED),
    "configuration_override": (_OBSERVED,),
    "run_without_override": (_KILLED,),
    "empty_environment_value": (_OBSERVED,),
    "partial_override_block": (_OWN_LOG_GROUP,),
    "cancel_race": (_CANCEL_RACE,),
    "auto_log_appears": (_RESULTS, _TAIL),
    "log_check": (_RESULTS,),
    "project_check": (_JOB_ONCE,),
    "unknown_shape": (_ADOPTED,),
    "deleted_visible_seconds": (_SAME_NAME, _LOST, _FORMER),
    "deleted_in_lists": (_SAME_NAME, _LOST, _FORMER, _OLD_TOKEN),
    "active_runs_maximum": (_CHAIN,),
    "active_runs_maximum_code": (_LIMIT,),
    # Data Flow
    "dataflow_list_filters": (_SPARK_ONCE,),
    "flexible_without_config": (_SPARK_ONCE,),
    "run_configuration": (_SPARK_OVERRIDE,),
    "run_parameters": (_SPARK_OVERRIDE,),
    "run_arguments": (_SPARK_OVERRIDE,),
    "run_duration": (_SPARK_OVERRIDE,),
    "run_out_of_time": (_SPARK_TIME,),
    "delete_run_stops": (_SPARK_DELETED,),
    "delete_ended_run": (_SPARK_RECORD,),
    "delete_application_with_active_runs": (_SPARK_DELETED,),
    "file_check": (_SPARK_ONCE,),
    "unknown_spark_version": (_SPARK_ONCE,),
    # Logs
    "search_window_days": (_RESULTS,),
    "search_exact_source": (_RESULTS,),
    "log_line_maximum_characters": (_RESULTS, _DRIVER_LOG),
}
"""Rule -> the tests of this folder whose path meets it."""

NOT_MET: dict[str, str] = {
    "clock_skew_seconds": "a request's date is the machine's, held against the machine's time",
    "retry_token_maximum_length": "a token has 64 characters: where fewer are allowed, nothing can be created",
    "maximum_body_bytes": "what the operator sends has tighter bounds: variables and arguments",
    "reserved_environment": "the operator sets no variable that the service sets, and refuses users' own",
    "update_run_while_accepted": "the operator updates no runs",
    "cancel_grace_seconds": "only processes get signals: runs are simulated here",
    "signal_exit_code": "only processes get signals: runs are simulated here",
    "block_storage_minimum_gb": "the definitions hold the same bound: OCI is never asked for less",
    "block_storage_maximum_gb": "the definitions hold the same bound: OCI is never asked for more",
    "maximum_runtime_minutes": "a bound that is refused as any other invalid request",
    "environment_maximum_characters": "the operator holds the bound itself, by a setting",
    "arguments_maximum_characters": "the operator holds the bound itself, by a setting",
    "storage_mounts_maximum": "the definitions hold the same bound",
    "container_command_maximum_bytes": "a bound that is refused as any other invalid request",
    "artifact_maximum_bytes": "the operator holds the bound itself, by a setting",
    "class_name": "the integration tests of bad manifests of Spark run at both values",
    "reserved_spark_property": "the definitions refuse what the service sets by itself",
    "executors_maximum": "a bound that is refused as any other invalid request",
    "idle_timeout": "the operator makes no sessions and sends no such time",
    "execute_with_application": "the operator sends no `execute`",
    "run_type": "the operator sends no type of a run",
    "pool_shape": "pools are others': tests/component/data_flow/test_pools.py",
    "pool_start_by_run": "pools are others': tests/component/data_flow/test_pools.py",
    "pool_after_creation": "pools are others': tests/component/data_flow/test_pools.py",
    "search_maximum_entries": "a search that is refused is one more refusal of a search",
    "ingested_entry_maximum_bytes": "the operator puts no logs",
    "ingested_text_field": "the operator puts no logs",
    "object_maximum_bytes": "code is far smaller, by a setting of the operator",
    "metric_timestamp": "simulated runs use nothing: tests/conformance reads metrics of real ones",
    "metric_streams_maximum": "the operator posts no metrics",
    "metric_dimensions_maximum": "the operator posts no metrics",
    "metric_oldest_minutes": "the operator posts no metrics",
    "metric_newest_minutes": "the operator posts no metrics",
}
"""Rule -> why no test of this folder meets it."""

_OTHER_NUMBERS: dict[str, tuple[object, ...]] = {
    "default_page_size": (1,),
    "active_runs_maximum": (1,),
    "freeform_tags_maximum": (4,),
    "requests_per_second": (3,),
    "retry_token_hours": (1000,),
    "deleted_visible_seconds": (0, 100_000),
    "search_window_days": (1,),
    "log_line_maximum_characters": (100,),
}
"""Rules that are numbers -> the values at which the tests run besides the default."""


def other_values(rule: str) -> tuple[object, ...]:
    """Return the values of a rule besides its default."""
    field: dataclasses.Field[Any] = _FIELDS[rule]
    values = get_args(field.type) or ((True, False) if field.type is bool else ())
    return tuple(v for v in values or _OTHER_NUMBERS[rule] if v != field.default)
