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
    """A reason's section in the reference: what it means, what to do, and of which type its Event is.

    A reason without a type posts no Event: its state would be over before anybody could read the Event.
    """

    meaning: str
    remedy: str
    event: EventType | None


EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.PENDING: Explanation(
        "The operator has not looked at the object yet, or it waits two seconds for the rest of the same apply "
        "to arrive.",
        "Nothing. If the reason stays, check that the operator runs and watches the namespace.",
        None,
    ),
    Reason.INVALID_SPEC: Explanation(
        "The spec asks for something that OCI or the operator can't do, and only an edit can change that. A run "
        "with an invalid spec ends Failed, since the spec of a run can't be edited.",
        "Correct the field that the message names. A job goes on at once after the edit. A run has to be "
        "created again.",
        WARNING,
    ),
    Reason.WAITING_FOR_IDENTITY: Explanation(
        "The OCIIdentity, or the Secret that it names, does not exist yet, is not ready, or is being deleted.",
        "Create the OCIIdentity or the Secret that the message names, or name another OCIIdentity in "
        "`spec.identityRef`.",
        WARNING,
    ),
    Reason.WAITING_FOR_JOB: Explanation(
        "The OCIJob of the run does not exist, or is not Ready for its current generation.",
        "Create the OCIJob, or read its conditions. The run starts by itself when the OCIJob is Ready.",
        NORMAL,
    ),
    Reason.WAITING_FOR_SOURCE: Explanation(
        "The job's source can't be read: a ConfigMap or one of its keys is missing.",
        "Create what the message names. The operator reads the source again after growing pauses, and whenever "
        "the job changes.",
        WARNING,
    ),
    Reason.WAITING_FOR_VALUE: Explanation(
        "A Secret, ConfigMap or key that an environment variable refers to does not exist.",
        "Create what the message names, or mark the reference as `optional`.",
        WARNING,
    ),
    Reason.CREDENTIALS_INVALID: Explanation(
        "OCI answered 401, or the Secret does not contain a valid API key. A 401 means that the key, its "
        "fingerprint, the user or the tenancy is wrong, or that the clock of the operator's machine is.",
        "Correct the Secret of the OCIIdentity. The operator reads it again within minutes.",
        WARNING,
    ),
    Reason.NOT_AUTHORIZED_OR_NOT_FOUND: Explanation(
        "OCI answered 404, which it also does if a permission is missing. The operator repeats the call every "
        "one to five minutes without end, since a policy may still be added. After 15 minutes the object is "
        "Stalled as well.",
        "Check that the OCID in the message is right, and that a policy allows the identity to use it "
        "(docs/identity.md has the statements).",
        WARNING,
    ),
    Reason.QUOTA_EXCEEDED: Explanation(
        "A service limit or a quota of the tenancy does not allow the call. The operator repeats it every one "
        "to five minutes.",
        "Wait for other runs to end, or request a higher limit.",
        WARNING,
    ),
    Reason.THROTTLED: Explanation(
        "OCI answered 429 (too many requests), or too many calls of the identity already wait. The operator "
        "slows down by itself; the message says until when this object waits.",
        "Nothing. If it lasts, find out which other clients call OCI in the tenancy.",
        WARNING,
    ),
    Reason.OCI_UNAVAILABLE: Explanation(
        "OCI can't be reached, does not answer in time, or answers with a server error. The status keeps what "
        "was known before.",
        "Nothing if it passes. Otherwise check the network policy, the proxy settings and OCI's status page.",
        WARNING,
    ),
    Reason.INTERNAL_ERROR: Explanation(
        "The operator failed on this object with an error that its code does not handle. The message has the "
        "class of the error and the time of the next try. Other objects are not affected.",
        "Search the operator's log for the object's name, and report the error.",
        WARNING,
    ),
    Reason.OCI_CONFLICT: Explanation(
        "OCI answered 409: the state of the resource does not allow the call now. The operator repeats it.",
        "Nothing if it passes. The message has OCI's answer.",
        WARNING,
    ),
    Reason.SUBMITTING: Explanation(
        "The intent to create the job or the run in OCI is recorded, and the call is being made.",
        "Nothing.",
        None,
    ),
    Reason.SEARCHING: Explanation(
        "The operator does not know whether an earlier call reached OCI, so it searches OCI for the object's "
        "tag before it creates anything. Two complete searches, some minutes apart, must find nothing before it "
        "makes a new call.",
        "Nothing. If OCI refuses the search, allow the identity to list job runs in the compartment.",
        NORMAL,
    ),
    Reason.CREATING: Explanation(
        "The OCI job of this revision is being created and its artifact uploaded.",
        "Nothing.",
        NORMAL,
    ),
    Reason.SYNCED: Explanation(
        "The OCI job is as the manifest says.",
        "Nothing.",
        NORMAL,
    ),
    Reason.OBSERVED: Explanation(
        "The operator reads the OCI job that `spec.adopt` names and never changes it (mode Observe). Runs can "
        "be launched from it. `status.differences` lists where it differs from the manifest.",
        "Nothing. Set `spec.adopt.mode` to Adopt if the operator should keep the OCI job as the manifest says.",
        NORMAL,
    ),
    Reason.ADOPTED: Explanation(
        "An Event: from now on the OCI job that `spec.adopt` names belongs to the object.",
        "Nothing.",
        NORMAL,
    ),
    Reason.DRIFT_DETECTED: Explanation(
        "Somebody changed the job's settings in OCI, or its owner tag. The object still serves runs; "
        "`status.differences` lists the fields. With `spec.driftPolicy` Report the operator leaves them as they "
        "are.",
        "Change the manifest to what OCI has, or set OCI back; driftPolicy Correct sets OCI back by itself. If "
        "the owner differs, another operator keeps the same OCI job: only one of the two should.",
        WARNING,
    ),
    Reason.DRIFT_CORRECTED: Explanation(
        "An Event: the operator set settings that somebody changed in OCI back to what the manifest says. The "
        "message names them.",
        "Find out who changes them, or set `spec.driftPolicy` to Report.",
        NORMAL,
    ),
    Reason.HELD: Explanation(
        "The operator runs with the setting `holdNew`, as after a restore: it creates nothing in OCI for an "
        "object whose status names nothing there.",
        "If the object has something in OCI already, name it in `spec.adopt`. If not, set the annotation "
        "`ocijobs.io/allow-start=true` on the object, or turn the setting off when everything that was restored "
        "has adopted what it has.",
        WARNING,
    ),
    Reason.MAX_ACTIVE_RUNS: Explanation(
        "As many runs of the job are active as `spec.maxActiveRuns` of the OCIJob allows. The run waits for its "
        "turn; the oldest run goes first.",
        "Nothing: the run starts when others end. To run more at a time, raise `spec.maxActiveRuns`.",
        NORMAL,
    ),
    Reason.SOURCE_UNREACHABLE: Explanation(
        "The source can't be read at the moment. The revision that was built last still serves runs.",
        "Make available again what the message names.",
        WARNING,
    ),
    Reason.READING_SOURCE: Explanation(
        "The source is being fetched and its artifact built, or the job waits for its turn: `sourceWorkers` "
        "sources are read at a time, and at most half of them for one namespace.",
        "Nothing. One reading takes at most as long as the setting `sourceTimeoutSeconds` allows.",
        NORMAL,
    ),
    Reason.SOURCE_QUARANTINED: Explanation(
        "The process that read this source ended twice before it was done: it needed more processor time, "
        "memory or disk than one reading may use, or it crashed, or the operator itself ended meanwhile. To "
        "protect other jobs, the operator tries this source only once in `sourceQuarantineSeconds` (an hour).",
        "Read the message. Make the source smaller, or name the folder of the code in `path`. The operator "
        "reads the source at once when the spec or the source's version changes, or when the annotation "
        "`ocijobs.io/requestedAt` gets another value. If the source is right as it is, raise the limit that the "
        "message names.",
        WARNING,
    ),
    Reason.STAGING_FULL: Explanation(
        "There is no room for the artifact: others that wait for their upload take all that the settings "
        "`stagingLimitBytes` and `stagingNamespaceLimitBytes` allow, or a disk is full. The operator tries "
        "again within minutes.",
        "Find out why jobs of the namespace in the message can't upload their artifacts: each has its own "
        "condition. If they can, raise the setting, and the size of the volume with it.",
        WARNING,
    ),
    Reason.ACCEPTED: Explanation(
        "OCI has accepted the run and provisions its machines, which takes some minutes.",
        "Nothing.",
        NORMAL,
    ),
    Reason.RUNNING: Explanation(
        "The job's code is running.",
        "Nothing.",
        NORMAL,
    ),
    Reason.COLLECTING_RESULTS: Explanation(
        "The run has ended in OCI, and the operator waits for its declared results, two minutes at most.",
        "Nothing.",
        NORMAL,
    ),
    Reason.NEEDS_ATTENTION: Explanation(
        "OCI reports NEEDS_ATTENTION: the run is alive, but somebody has to act.",
        "Read `status.lifecycleDetails` and the run's page in the console. Cancel the run if it can't go on.",
        WARNING,
    ),
    Reason.CANCELLING: Explanation(
        "The run was asked to stop, and OCI is ending it.",
        "Nothing.",
        NORMAL,
    ),
    Reason.STREAMING: Explanation(
        "A stream or a session of Data Flow is running. It does not end by itself, so the run is Ready while it "
        "goes on.",
        "Nothing. `spec.suspend` stops it and keeps the object; `spec.cancel` ends it for good.",
        NORMAL,
    ),
    Reason.SUCCEEDED: Explanation(
        "The run has succeeded.",
        "Nothing.",
        NORMAL,
    ),
    Reason.STOPPED: Explanation(
        "A stream or a session of Data Flow was stopped, and not by this operator: by a person, by another "
        "tool, or because a session was idle for too long. It counts as succeeded.",
        "Nothing, or create another OCIJobRun.",
        NORMAL,
    ),
    Reason.RUN_FAILED: Explanation(
        "The run has ended in OCI with FAILED. `status.exitCode` and `status.lifecycleDetails` say how; "
        "`status.logs.tail` has the last lines of its output if there is a log.",
        "Read the lines, correct the code or the settings, and create a new run.",
        WARNING,
    ),
    Reason.RETRYING: Explanation(
        "An attempt has failed, and `spec.backoffLimit` and `spec.failurePolicy` allow another one. It is "
        "launched after a pause: 10 s after the first failure, twice as long after each further one, at most 6 "
        "minutes. `status.attempts` lists the attempts.",
        "Nothing. To stop it, set `spec.cancel` to true.",
        WARNING,
    ),
    Reason.SUSPENDED: Explanation(
        "`spec.suspend` is true: nothing is launched, and an attempt that was active is cancelled in OCI and "
        "kept in `status.attempts`.",
        "Set `spec.suspend` to false to launch the run, or to launch it again.",
        NORMAL,
    ),
    Reason.BACKOFF_LIMIT_EXCEEDED: Explanation(
        "More attempts have failed than `spec.backoffLimit` allows.",
        "Read `status.attempts` and the last lines, correct the cause, and create a new run.",
        WARNING,
    ),
    Reason.DEADLINE_EXCEEDED: Explanation(
        "The run took longer than `spec.activeDeadlineSeconds` allows. The time counts from its first launch, "
        "with all attempts and all waiting.",
        "Create a new run with a longer deadline, or find out what took so long.",
        WARNING,
    ),
    Reason.PRE_RUNNING_DEADLINE_EXCEEDED: Explanation(
        "OCI did not start the code within `spec.preRunningDeadlineSeconds` after it accepted the run, so the "
        "operator cancelled the attempt. It counts as a failed one.",
        "Look for capacity in the region, or use another shape. Provisioning takes minutes.",
        WARNING,
    ),
    Reason.MAX_FAILED_RUNS_EXCEEDED: Explanation(
        "More runs of the sweep have failed than `spec.maxFailedRuns` allows, so the operator cancelled those "
        "that had not ended. `status.failedIndexes` lists those that failed.",
        "Read the status of a failed run (`kubectl get ocijr -l ocijobs.io/sweep=NAME`), correct the cause, and "
        "create a new sweep.",
        WARNING,
    ),
    Reason.CREATION_FORBIDDEN: Explanation(
        "The API server does not allow the operator to create an object now: a quota of the namespace is used "
        "up, or an admission policy forbids it. The operator tries again within a minute.",
        "Raise the quota, wait for other objects to go, or change what the policy names.",
        WARNING,
    ),
    Reason.NAME_TAKEN: Explanation(
        "An object that this one would create exists already, and belongs to somebody else.",
        "Delete that object, or create this one under another name.",
        WARNING,
    ),
    Reason.SCHEDULED: Explanation(
        "The schedule is active; `status.nextScheduleTime` is when it fires next.",
        "Nothing.",
        None,
    ),
    Reason.STARTING: Explanation(
        "The operator is creating the objects of a firing.",
        "Nothing.",
        NORMAL,
    ),
    Reason.ALREADY_ACTIVE: Explanation(
        "A start is due, but an earlier firing has not ended, and `spec.concurrencyPolicy` is Forbid.",
        "Nothing. The firing starts when the earlier one has ended, unless `spec.startingDeadlineSeconds` is "
        "over by then.",
        NORMAL,
    ),
    Reason.START_REFUSED: Explanation(
        "The API server refuses an object of a start, or somebody else's object has its name. The operator "
        "deleted the other objects of this start.",
        "Correct what the message names. The next start is tried as usual.",
        WARNING,
    ),
    Reason.CLOCK_SET_BACK: Explanation(
        "The last start has a time that is still in the future, so the clock of a machine that ran the operator "
        "was wrong. The operator starts no time twice, so nothing starts before that time.",
        "Check that the clocks are right now. If you need starts before that time, delete the schedule and "
        "create it again.",
        WARNING,
    ),
    Reason.TOO_MANY_MISSED_TIMES: Explanation(
        "More than 100 starts were missed, for example because the operator was down for long or a clock was "
        "set. Only the last of them is made up for.",
        "Set or lower `spec.startingDeadlineSeconds`, or check the clocks.",
        WARNING,
    ),
    Reason.WAITING_FOR_DEPENDENCY: Explanation(
        "A run or sweep that `spec.dependsOn` or a `resultRef` names does not exist yet or has not ended.",
        "Nothing: the object goes on by itself. If the other one will never be created, delete or cancel this "
        "object.",
        NORMAL,
    ),
    Reason.DEPENDENCY_FAILED: Explanation(
        "The object waits for another one to succeed, and that one has ended otherwise.",
        "Correct and create again what has failed, and then this object, since its end is final.",
        WARNING,
    ),
    Reason.WAITING_FOR_QUEUE: Explanation(
        "The run's label `kueue.x-k8s.io/queue-name` names a queue of Kueue, which has not admitted the run. "
        "The message has Kueue's words.",
        "Nothing: the run is launched when others have ended. If that never happens, look at the queue, its "
        "ClusterQueue and the run's Workload (`kubectl get workloads -l ocijobs.io/run=NAME`; docs/queues.md).",
        NORMAL,
    ),
    Reason.EVICTED: Explanation(
        "Kueue took back the quota that it had admitted the run with: a run of higher priority needs it, the "
        "queue was stopped, or the Workload was deactivated or deleted. OCI is ending the attempt, which does "
        "not count as a failed one.",
        "Nothing. The run is queued again, and launched again when Kueue admits it (docs/queues.md).",
        NORMAL,
    ),
    Reason.CANCELLED: Explanation(
        "The run was cancelled: by `spec.cancel`, by its deletion, or by somebody in OCI.",
        "Nothing.",
        NORMAL,
    ),
    Reason.SUBMISSION_FAILED: Explanation(
        "OCI refused to create the run, and would refuse it again. The message has OCI's answer.",
        "Correct what the message names, and create a new run.",
        WARNING,
    ),
    Reason.REMOTE_DELETED: Explanation(
        "The job run was deleted in OCI before the operator saw its end.",
        "Create a new run if you still need its work.",
        WARNING,
    ),
    Reason.JOB_DELETED: Explanation(
        "The OCIJob is being deleted, so a run of it that is not launched yet does not start.",
        "Create the OCIJob again and the run starts, or delete the run.",
        WARNING,
    ),
    Reason.RESULTS_COLLECTED: Explanation(
        "Every declared result has arrived; the values are in `status.results`.",
        "Nothing.",
        NORMAL,
    ),
    Reason.RESULT_MISSING: Explanation(
        "The run has ended, but a result that the job declares in `spec.results` has not arrived.",
        'Have the code print one line such as `{"ocijobs.io/results": {"auc": 0.93}}` with every declared name.',
        WARNING,
    ),
    Reason.STATUS_REFUSED: Explanation(
        "The API server refuses the object's whole status, because of its size, its content or an admission "
        "policy; the Event has its answer. The operator leaves out what only people read (last lines, outputs, "
        "details) until the status is accepted. If nothing can be written at all, it follows what runs and can "
        "cancel it, but starts nothing new.",
        "Correct what the message names. An admission policy, for example, should leave the status of these "
        "kinds alone. The operator tries the whole status again after a minute, then less often, and after each "
        "edit.",
        WARNING,
    ),
    Reason.CHANGE_REFUSED: Explanation(
        "The API server refuses a change of the object that the operator needs, such as its finalizer: an "
        "admission policy or webhook, a missing permission, or an object that is too large for etcd. Until the "
        "change is accepted, nothing of the object is started.",
        "Correct what the message names. The operator tries the change again at least every minute.",
        WARNING,
    ),
    Reason.LOGS_UNAVAILABLE: Explanation(
        "The run has ended, but OCI does not allow the identity to read its log.",
        "Allow the identity to read log content in the compartment (docs/identity.md has the statements).",
        WARNING,
    ),
    Reason.OUTPUTS_UNAVAILABLE: Explanation(
        "The run has ended, but the objects under `outputs.uri` can't be listed.",
        "Allow the identity to read the bucket's objects, or correct `outputs.uri`.",
        WARNING,
    ),
    Reason.DELETING: Explanation(
        "The object is being deleted; what it owns in OCI is deleted first.",
        "Nothing.",
        NORMAL,
    ),
    Reason.WAITING_FOR_RUNS: Explanation(
        "The OCIJob is being deleted, and waits for runs that are active or being launched.",
        "Wait, or cancel the runs (`spec.cancel: true`).",
        NORMAL,
    ),
    Reason.RECORDS_REMAIN: Explanation(
        "The object goes, but something stays in OCI: an OCI job that OCI does not delete because records of "
        "its runs remain, or the record of a run of Data Flow, which deletes no records.",
        "Delete the records and the job in OCI if you do not need them. Records of Data Flow can't be deleted.",
        NORMAL,
    ),
    Reason.ORPHANED: Explanation(
        "The object was let go although the operator could not remove what it owns in OCI: for ten minutes "
        "there were no credentials that work, or the annotation `ocijobs.io/abandon` asked for it. A list in "
        "the operator's namespace names what is left.",
        "`kubectl ocijobs orphans` shows the list. With `--end` it ends what is listed.",
        WARNING,
    ),
    Reason.IDENTITY_VERIFIED: Explanation(
        "The credentials can be read, and OCI accepts their signature.",
        "Nothing.",
        NORMAL,
    ),
    Reason.IN_USE: Explanation(
        "The OCIIdentity is being deleted, but jobs or runs still need it.",
        "Delete what the message names, or wait until it has ended.",
        WARNING,
    ),
}
