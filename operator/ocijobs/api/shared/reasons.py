"""Reasons of conditions and Events: the documented enum, each with its page's text.

`docs/reference/reasons.md` is generated from this table, so a reason without an explanation can't exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a condition has its status, in one CamelCase word (metav1.Condition.reason)."""

    PENDING = "Pending"
    INVALID_SPEC = "InvalidSpec"
    WAITING_FOR_IDENTITY = "WaitingForIdentity"
    WAITING_FOR_JOB = "WaitingForJob"
    WAITING_FOR_SOURCE = "WaitingForSource"
    WAITING_FOR_VALUE = "WaitingForValue"
    CREDENTIALS_INVALID = "CredentialsInvalid"
    NOT_AUTHORIZED_OR_NOT_FOUND = "NotAuthorizedOrNotFound"
    QUOTA_EXCEEDED = "QuotaExceeded"
    THROTTLED = "Throttled"
    OCI_UNAVAILABLE = "OCIUnavailable"
    INTERNAL_ERROR = "InternalError"
    OCI_CONFLICT = "OCIConflict"
    SUBMITTING = "Submitting"
    SEARCHING = "Searching"
    CREATING = "Creating"
    SYNCED = "Synced"
    READING_SOURCE = "ReadingSource"
    SOURCE_UNREACHABLE = "SourceUnreachable"
    SOURCE_QUARANTINED = "SourceQuarantined"
    STAGING_FULL = "StagingFull"
    OBSERVED = "Observed"
    ADOPTED = "Adopted"
    DRIFT_DETECTED = "DriftDetected"
    DRIFT_CORRECTED = "DriftCorrected"
    MAX_ACTIVE_RUNS = "MaxActiveRuns"
    HELD = "Held"
    ACCEPTED = "Accepted"
    RUNNING = "Running"
    STREAMING = "Streaming"
    COLLECTING_RESULTS = "CollectingResults"
    NEEDS_ATTENTION = "NeedsAttention"
    CANCELLING = "Cancelling"
    SUCCEEDED = "Succeeded"
    STOPPED = "Stopped"
    RUN_FAILED = "RunFailed"
    RETRYING = "Retrying"
    SUSPENDED = "Suspended"
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    PRE_RUNNING_DEADLINE_EXCEEDED = "PreRunningDeadlineExceeded"
    MAX_FAILED_RUNS_EXCEEDED = "MaxFailedRunsExceeded"
    CREATION_FORBIDDEN = "CreationForbidden"
    NAME_TAKEN = "NameTaken"
    SCHEDULED = "Scheduled"
    STARTING = "Starting"
    ALREADY_ACTIVE = "AlreadyActive"
    START_REFUSED = "StartRefused"
    CLOCK_SET_BACK = "ClockSetBack"
    TOO_MANY_MISSED_TIMES = "TooManyMissedTimes"
    WAITING_FOR_DEPENDENCY = "WaitingForDependency"
    DEPENDENCY_FAILED = "DependencyFailed"
    WAITING_FOR_QUEUE = "WaitingForQueue"
    EVICTED = "Evicted"
    CANCELLED = "Cancelled"
    SUBMISSION_FAILED = "SubmissionFailed"
    REMOTE_DELETED = "RemoteDeleted"
    JOB_DELETED = "JobDeleted"
    RESULTS_COLLECTED = "ResultsCollected"
    RESULT_MISSING = "ResultMissing"
    LOGS_UNAVAILABLE = "LogsUnavailable"
    OUTPUTS_UNAVAILABLE = "OutputsUnavailable"
    STATUS_REFUSED = "StatusRefused"
    CHANGE_REFUSED = "ChangeRefused"
    DELETING = "Deleting"
    WAITING_FOR_RUNS = "WaitingForRuns"
    RECORDS_REMAIN = "RecordsRemain"
    ORPHANED = "Orphaned"
    IDENTITY_VERIFIED = "IdentityVerified"
    IN_USE = "InUse"


def reason_named(text: str) -> Reason:
    """Return the reason of that name; PENDING for one that another version of the operator wrote."""
    try:
        return Reason(text)
    except ValueError:
        return Reason.PENDING


class EventType(StrEnum):
    """Type of a Kubernetes Event (core/v1)."""

    NORMAL = "Normal"
    WARNING = "Warning"


NORMAL, WARNING = EventType


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason's page: what it means, what to do, and of which type its Event is.

    Without a type no Event is posted: it would be over before anybody could read of it.
    """

    meaning: str
    remedy: str
    event: EventType | None


EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.PENDING: Explanation(
        "The operator has not looked at the object yet, or lets related changes of the same apply"
        " settle first.",
        "Nothing; if it stays, see whether the operator runs and watches the namespace.",
        None,
    ),
    Reason.INVALID_SPEC: Explanation(
        "The spec asks for something that OCI or the operator can't do, and only an edit can mend"
        " it. A run with an "
        "invalid spec ends Failed, since its spec can't be edited.",
        "Change what the message names. A job is taken up again at once; a run is to be created "
        "anew.",
        WARNING,
    ),
    Reason.WAITING_FOR_IDENTITY: Explanation(
        "The OCIIdentity (or the Secret that it names) does not exist yet, is not ready, or is "
        "being deleted.",
        "Create the OCIIdentity that the message names, or name another in `spec.identityRef`.",
        WARNING,
    ),
    Reason.WAITING_FOR_JOB: Explanation(
        "The OCIJob of the run does not exist, or is not Ready for its current generation.",
        "Create the OCIJob, or read its own conditions; the run starts by itself.",
        NORMAL,
    ),
    Reason.WAITING_FOR_SOURCE: Explanation(
        "The job's source can't be read: a ConfigMap or a key of it is missing.",
        "Create what the message names. It is read again with growing pauses, and whenever the "
        "job changes.",
        WARNING,
    ),
    Reason.WAITING_FOR_VALUE: Explanation(
        "A Secret, ConfigMap or key that an environment variable refers to does not exist.",
        "Create what the message names, or mark the reference `optional`.",
        WARNING,
    ),
    Reason.CREDENTIALS_INVALID: Explanation(
        "OCI answered 401: the key, its fingerprint, the user or the tenancy is wrong, or the "
        "machine's clock is off; "
        "or the Secret's content can't be read as an API key.",
        "Correct the Secret of the OCIIdentity; it is read again within minutes.",
        WARNING,
    ),
    Reason.NOT_AUTHORIZED_OR_NOT_FOUND: Explanation(
        "OCI answered 404, which it also does where a permission lacks. The call is repeated "
        "every one to five "
        "minutes for ever, since a policy may come; after 15 minutes the object is Stalled as "
        "well.",
        "See that the OCID in the message is right and that a policy lets the identity use it "
        "(docs/identity.md has the statements).",
        WARNING,
    ),
    Reason.QUOTA_EXCEEDED: Explanation(
        "A service limit or quota of the tenancy refuses the call. It is repeated every one to "
        "five minutes.",
        "Wait for other runs to end, or ask for a higher limit.",
        WARNING,
    ),
    Reason.THROTTLED: Explanation(
        "OCI answers 429: too many requests; or more calls of the identity wait than OCI may be asked for "
        "at a time. The operator slows down by itself, and the message says until when.",
        "Nothing; if it lasts, see which other clients use the tenancy.",
        WARNING,
    ),
    Reason.OCI_UNAVAILABLE: Explanation(
        "OCI can't be reached, times out or answers with a server error. What was known stays in "
        "status.",
        "Nothing if it passes; otherwise look at the network policy, the proxy settings and OCI's"
        " status page.",
        WARNING,
    ),
    Reason.INTERNAL_ERROR: Explanation(
        "The operator met with an error that it did not foresee; the message has its class, and says when "
        "it is tried again. Other objects are not affected.",
        "Look for the object in the operator's log, and report it.",
        WARNING,
    ),
    Reason.OCI_CONFLICT: Explanation(
        "OCI answers 409: the resource is in a state that does not allow the call now. It is "
        "repeated.",
        "Nothing if it passes; the message has OCI's words.",
        WARNING,
    ),
    Reason.SUBMITTING: Explanation(
        "The intent to create the job or the run in OCI is recorded, and the call is being made.",
        "Nothing.",
        None,
    ),
    Reason.SEARCHING: Explanation(
        "Whether an earlier call reached OCI is not known, so OCI is searched for the run's tag "
        "before anything is "
        "created. Two complete searches some minutes apart must find nothing before a new call is"
        " made.",
        "Nothing; if the search is refused, let the identity list job runs in the compartment.",
        NORMAL,
    ),
    Reason.CREATING: Explanation(
        "The OCI job of this revision is being created and its artifact uploaded.",
        "Nothing.",
        NORMAL,
    ),
    Reason.SYNCED: Explanation("OCI has the job as the manifest says.", "Nothing.", NORMAL),
    Reason.OBSERVED: Explanation(
        "The OCI job that spec.adopt names is looked at and never changed (mode Observe). Runs can be launched from"
        " it; status.differences tells where it is not as the manifest says.",
        "Nothing. Set spec.adopt.mode to Adopt to have the job kept as the manifest says.",
        NORMAL,
    ),
    Reason.ADOPTED: Explanation(
        "An Event: the OCI job that spec.adopt names belongs to the object from now on.",
        "Nothing.",
        NORMAL,
    ),
    Reason.DRIFT_DETECTED: Explanation(
        "Somebody changed the job's settings in OCI, or took it over. The object serves runs all the same;"
        " status.differences lists the fields. With spec.driftPolicy Report nothing is done about it.",
        "Change the manifest to what OCI has, or set OCI back; driftPolicy Correct does the latter by itself. If the"
        " difference is the owner, another operator keeps the same OCI job: only one of the two should.",
        WARNING,
    ),
    Reason.DRIFT_CORRECTED: Explanation(
        "An Event: settings that somebody changed in OCI were set back to what the manifest says; the message names"
        " them.",
        "Find out who changes them, or set spec.driftPolicy to Report.",
        NORMAL,
    ),
    Reason.HELD: Explanation(
        "The operator runs with the setting holdNew, as after a restore: nothing is created in OCI for an object of"
        " which the status does not know anything there yet.",
        "If the object has something in OCI already, name it in spec.adopt. If not, annotate the object with"
        " ocijobs.io/allow-start=true, or turn the setting off once all that was restored is adopted.",
        WARNING,
    ),
    Reason.MAX_ACTIVE_RUNS: Explanation(
        "As many runs of the job are active as spec.maxActiveRuns of the OCIJob allows. The run waits for its turn;"
        " the oldest goes first.",
        "Nothing, or raise maxActiveRuns.",
        NORMAL,
    ),
    Reason.SOURCE_UNREACHABLE: Explanation(
        "The source can't be read at the moment; the revision that was built last goes on serving.",
        "Restore what the message names.",
        WARNING,
    ),
    Reason.READING_SOURCE: Explanation(
        "The source is being fetched and its artifact built, or waits until others are: `sourceWorkers` are read at a"
        " time, and of one namespace half as many.",
        "Nothing. One reading may take as long as the setting sourceTimeoutSeconds says.",
        NORMAL,
    ),
    Reason.SOURCE_QUARANTINED: Explanation(
        "The process that read this source came to its end twice: it needed more processor time, memory or disk than"
        " one reading may have, or it crashed; or the operator itself ended meanwhile. So that others are not held up,"
        " it is tried again once in `sourceQuarantineSeconds` (an hour).",
        "Read the message, and make the source smaller, or name the folder of the code in `path`. It is read at once"
        " when the spec or the source's version changes, or when the annotation `ocijobs.io/requestedAt` is set to"
        " another value. If it is right as it is, raise the limit that the message names.",
        WARNING,
    ),
    Reason.STAGING_FULL: Explanation(
        "There is no room for the artifact: those that wait for their upload take all that the settings"
        " stagingLimitBytes and stagingNamespaceLimitBytes allow, or a disk is full. It is tried again within minutes.",
        "See why jobs of the namespace that the message names can't upload theirs: each has its own condition. If all"
        " is well, raise the setting, and the volume with it.",
        WARNING,
    ),
    Reason.ACCEPTED: Explanation(
        "OCI has accepted the run and provisions its infrastructure, which takes some minutes.",
        "Nothing.",
        NORMAL,
    ),
    Reason.RUNNING: Explanation("The job's code is running.", "Nothing.", NORMAL),
    Reason.COLLECTING_RESULTS: Explanation(
        "The run has ended in OCI, and its declared results are awaited, two minutes at most.",
        "Nothing.",
        NORMAL,
    ),
    Reason.NEEDS_ATTENTION: Explanation(
        "OCI reports NEEDS_ATTENTION: the run is alive, but somebody must act.",
        "Read `status.lifecycleDetails` and the run's page in the console; cancel the run if it "
        "can't go on.",
        WARNING,
    ),
    Reason.CANCELLING: Explanation(
        "The run was asked to stop, and OCI is ending it.", "Nothing.", NORMAL
    ),
    Reason.STREAMING: Explanation(
        "A stream or a session of Data Flow runs. It has no end of its own: the run is Ready while it "
        "goes on.",
        "Nothing. `spec.suspend` stops it and keeps the object, `spec.cancel` ends it for good.",
        NORMAL,
    ),
    Reason.SUCCEEDED: Explanation("The run has ended well.", "Nothing.", NORMAL),
    Reason.STOPPED: Explanation(
        "A stream or a session of Data Flow was stopped, and not by this operator: by a person, by another tool, or "
        "because a session was idle for too long. It counts as succeeded.",
        "Nothing, or create another OCIJobRun.",
        NORMAL,
    ),
    Reason.RUN_FAILED: Explanation(
        "The run has ended in OCI with FAILED; `status.exitCode` and `status.lifecycleDetails` "
        "say how, and "
        "`status.logs.tail` has the last lines of its output where there is a log.",
        "Read the lines, correct the code or the settings, create a new run.",
        WARNING,
    ),
    Reason.RETRYING: Explanation(
        "An attempt has failed and `spec.backoffLimit` and `spec.failurePolicy` allow another one, which is "
        "launched after a pause: 10 s after the first failure, twice as long after each further one, at "
        "most 6 minutes. `status.attempts` has each attempt.",
        "Nothing; to stop it, set `spec.cancel`.",
        WARNING,
    ),
    Reason.SUSPENDED: Explanation(
        "`spec.suspend` is true: what is not launched stays so, what was active is cancelled in OCI and kept "
        "in `status.attempts`.",
        "Set `spec.suspend` to false to launch it (again).",
        NORMAL,
    ),
    Reason.BACKOFF_LIMIT_EXCEEDED: Explanation(
        "More attempts have failed than `spec.backoffLimit` allows.",
        "Read `status.attempts` and the last lines, correct the cause, create a new run.",
        WARNING,
    ),
    Reason.DEADLINE_EXCEEDED: Explanation(
        "The run took longer than `spec.activeDeadlineSeconds` from its first launch, all attempts and "
        "waiting together.",
        "Create a new run with a longer deadline, or find out what took so long.",
        WARNING,
    ),
    Reason.PRE_RUNNING_DEADLINE_EXCEEDED: Explanation(
        "OCI did not start the code within `spec.preRunningDeadlineSeconds` of accepting the run, so the "
        "attempt was cancelled. It counts as a failed one.",
        "Look for capacity in the region or use another shape; provisioning takes minutes.",
        WARNING,
    ),
    Reason.MAX_FAILED_RUNS_EXCEEDED: Explanation(
        "More runs of the sweep have failed than `spec.maxFailedRuns` allows; those that had not ended were "
        "cancelled. `status.failedIndexes` has which.",
        "Read the status of a failed run (`kubectl get ocijr -l ocijobs.io/sweep=NAME`), correct the "
        "cause, create a new sweep.",
        WARNING,
    ),
    Reason.CREATION_FORBIDDEN: Explanation(
        "The API server forbids to create an object for now: a quota of the namespace is used up, or an "
        "admission policy is against it. It is tried again within a minute.",
        "Raise the quota or wait for other objects to go, or change what the policy names.",
        WARNING,
    ),
    Reason.NAME_TAKEN: Explanation(
        "An object that this one would create exists, and is somebody else's.",
        "Delete that object, or create this one under another name.",
        WARNING,
    ),
    Reason.SCHEDULED: Explanation(
        "The schedule is in force; `status.nextScheduleTime` is when it fires next.",
        "Nothing.",
        None,
    ),
    Reason.STARTING: Explanation("The objects of a firing are being made.", "Nothing.", NORMAL),
    Reason.ALREADY_ACTIVE: Explanation(
        "A start is due, an earlier firing has not ended, and `spec.concurrencyPolicy` is Forbid.",
        "Nothing; it starts when the earlier one has ended, unless startingDeadlineSeconds is over.",
        NORMAL,
    ),
    Reason.START_REFUSED: Explanation(
        "The API server refuses an object of a start, or somebody else's object has its name. What else the "
        "start had made was deleted.",
        "Change what the message names. The next start is tried as usual.",
        WARNING,
    ),
    Reason.CLOCK_SET_BACK: Explanation(
        "The last start was one of a time that is still to come, so the clock of a machine that the operator "
        "ran on was wrong. No time is started twice, so nothing starts before that one.",
        "See that the clocks are right now; to have starts before that time, create the schedule anew.",
        WARNING,
    ),
    Reason.TOO_MANY_MISSED_TIMES: Explanation(
        "More than 100 starts were missed, such as by an operator that was down for long, or by a clock "
        "that was set. Only the last of them is made up for.",
        "Set or decrease `spec.startingDeadlineSeconds`, or look at the clocks.",
        WARNING,
    ),
    Reason.WAITING_FOR_DEPENDENCY: Explanation(
        "What `spec.dependsOn` or a `resultRef` names does not exist yet or has not ended.",
        "Nothing; it goes on by itself. If it is never created, delete or cancel this object.",
        NORMAL,
    ),
    Reason.DEPENDENCY_FAILED: Explanation(
        "What this object waits for has to succeed, and has ended otherwise.",
        "Correct and create what has failed anew, then this one, since its end is final.",
        WARNING,
    ),
    Reason.WAITING_FOR_QUEUE: Explanation(
        "The run's label `kueue.x-k8s.io/queue-name` names a queue of Kueue, which has not admitted the run. The "
        "message has Kueue's words.",
        "Nothing; it is launched when others have ended. If it never is, look at the queue, its ClusterQueue and "
        "the run's Workload (`kubectl get workloads -l ocijobs.io/run=NAME`; docs/queues.md).",
        NORMAL,
    ),
    Reason.EVICTED: Explanation(
        "Kueue took the quota back that the run was admitted with: another one has a higher priority, the queue was "
        "stopped, or the Workload was deactivated or deleted. OCI is ending the attempt, which does not count as a "
        "failed one.",
        "Nothing; the run is queued again, and launched anew when it is admitted (docs/queues.md).",
        NORMAL,
    ),
    Reason.CANCELLED: Explanation(
        "The run was cancelled: by `spec.cancel`, by deletion, or by somebody in OCI.",
        "Nothing.",
        NORMAL,
    ),
    Reason.SUBMISSION_FAILED: Explanation(
        "OCI refused the run's creation for good; the message has OCI's words.",
        "Correct what it names and create a new run.",
        WARNING,
    ),
    Reason.REMOTE_DELETED: Explanation(
        "The job run was deleted in OCI before its end was seen.",
        "Create a new run if its work is wanted.",
        WARNING,
    ),
    Reason.JOB_DELETED: Explanation(
        "The OCIJob is being deleted, so a run that was not launched yet does not start.",
        "Create the OCIJob anew: the run starts then; or delete the run.",
        WARNING,
    ),
    Reason.RESULTS_COLLECTED: Explanation(
        "Every declared result has come; the values are in `status.results`.", "Nothing.", NORMAL
    ),
    Reason.RESULT_MISSING: Explanation(
        "The run ended, but a result that the job declares in `spec.results` did not come.",
        'Let the code print one line of output such as `{"ocijobs.io/results": {"auc": 0.93}}` '
        "with every declared name.",
        WARNING,
    ),
    Reason.STATUS_REFUSED: Explanation(
        "The API server refuses the object's whole status, for its size or content or by an admission policy; the Event"
        " has its words. What people only read is left out until it is taken: last lines, outputs, details. Where"
        " nothing can be written, what runs is followed and can be cancelled, and nothing new is started.",
        "Mend what the message names, such as a policy that is to leave the status of these kinds alone. The whole"
        " status is tried again after a minute, then less often, and after each edit.",
        WARNING,
    ),
    Reason.CHANGE_REFUSED: Explanation(
        "The API server does not take a change of the object that the operator needs, such as its finalizer: an"
        " admission policy or webhook, a missing permission, or a size that etcd does not take. Nothing of the object"
        " is started before.",
        "Mend what the message names. The change is tried again at least every minute.",
        WARNING,
    ),
    Reason.LOGS_UNAVAILABLE: Explanation(
        "The run has ended, but OCI does not let the identity read its log.",
        "Let the identity read log content in the compartment (docs/identity.md has the statements).",
        WARNING,
    ),
    Reason.OUTPUTS_UNAVAILABLE: Explanation(
        "The run has ended, but the objects under `outputs.uri` can't be listed.",
        "Let the identity read the bucket's objects, or correct `outputs.uri`.",
        WARNING,
    ),
    Reason.DELETING: Explanation(
        "The object is being deleted, and what it owns in OCI first.", "Nothing.", NORMAL
    ),
    Reason.WAITING_FOR_RUNS: Explanation(
        "The OCIJob is being deleted and waits for runs that are live or being launched.",
        "Wait, or cancel the runs (`spec.cancel: true`).",
        NORMAL,
    ),
    Reason.RECORDS_REMAIN: Explanation(
        "Something stays in OCI although the object goes: an OCI job that OCI refused to delete because records of "
        "its runs remain, or the record of a run of Data Flow, which deletes none.",
        "Delete the runs' records and the job in OCI if they are not wanted; of Data Flow, nothing can be done.",
        NORMAL,
    ),
    Reason.ORPHANED: Explanation(
        "The object was let go although what it owns in OCI could not be removed: there were no credentials that work"
        " for ten minutes, or the annotation `ocijobs.io/abandon` asked for it. What is left is"
        " listed in the operator's namespace.",
        "`kubectl ocijobs orphans` lists it, and ends it with `--end`.",
        WARNING,
    ),
    Reason.IDENTITY_VERIFIED: Explanation(
        "The credentials can be read, and OCI accepts their signature.", "Nothing.", NORMAL
    ),
    Reason.IN_USE: Explanation(
        "The OCIIdentity is being deleted, but jobs or runs still need it.",
        "Delete or finish what the message names.",
        WARNING,
    ),
}
