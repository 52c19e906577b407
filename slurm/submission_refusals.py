"""The errors with which slurmctld refuses a submission: texts of slurm_strerror(3), in the order of its table.

sbatch prints them behind "Batch job submission failed: ". slurmctld and its plugins return them for a new job, from
Slurm 20.11 to 26.05. One error is sbatch's own: it could not connect, so nothing was sent. No other error means that
there is no job: sbatch reports a lost reply in many ways (Zero Bytes were transmitted or received, Connection reset by
peer, Unexpected message received, Protocol authentication error ...).
"""

import re
from collections.abc import Sequence

from slurm.refusal import Refusal, RefusalCode

REFUSALS = (
    "Invalid partition name specified",
    "No partition specified or system default partition",
    "Access/permission denied",
    "User's group not permitted to use this partition",
    "Requested nodes not in this partition",
    "More processors requested than permitted",
    "Node count specification invalid",
    "Unable to create job record, try again",
    "MaxJobCount limit reached",
    "Job size specification needs to be provided",
    "Job script not specified",
    "Invalid user id",
    "Duplicate job id",
    "Pathname of a file, directory or other parameter too long",
    "Immediate execution impossible, insufficient priority",
    "Requested node configuration is not available",
    "Requested partition configuration not available now",
    "Requested topology configuration is not available",
    "Requested nodes are busy",
    "Invalid job id specified",
    "Invalid node name specified",
    "Core count for reservation node list is not consistent!",
    "I/O error writing script/environment to file",
    "Task distribution specification invalid",
    "Task count specification invalid",
    "Slurm backup controller in standby mode",
    "Controller is in standby mode, try a different controller",
    "Invalid feature specification",
    "Invalid preferred feature specification",
    "Immediate execution impossible, resources too fragmented for allocation",
    "Requested operation not supported on this system",
    "Requested operation is presently disabled",
    "Job dependency problem",
    "Circular job dependency",
    "Only batch jobs are accepted or processed",
    "Current SwitchType does not permit arbitrary task distribution",
    "Requested more tasks than available processors",
    "Licenses currently unavailable",
    "Memory required by task is not available",
    "Invalid account or account/partition combination specified",
    "Invalid or unknown association",
    "Invalid license specification",
    "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
    "Requested time limit is invalid (missing or exceeds some limit)",
    "Time limit specification required, but not provided",
    "Invalid time-min specification (exceeds job's time or other limits)",
    "Invalid time specified",
    "Access denied to requested reservation",
    "Requested reservation is invalid",
    "Requested reservation is in use",
    "Requested reservation not usable now",
    "Job can not start due to maintenance reservation.",
    "Invalid wckey specification",
    "Required ports are in use",
    "Requires more ports than can be reserved",
    "Invalid qos specification",
    "Invalid QOS specification, relative QOS can only be used in a single partition per cluster.",
    "Requested account has breached requested QOS usage threshold",
    "QOS Preemption loop detected",
    "Preemption is required but is disabled on this system",
    "Required node not available (down, drained or reserved)",
    "Max powered up nodes reached",
    "CPU count specification invalid",
    "Cannot request more threads per core than the job allocation",
    "Required partition not available (inactive or drain)",
    "Partition in DOWN state",
    "Multiple partition job request not supported when a partition is set in the association",
    "Invalid generic resource (gres) specification",
    "Duplicate generic resource (gres) specification",
    "Invalid GRES specification (with and without type identification)",
    "Requested GRES option unsupported by configured SelectType plugin",
    "Insufficient GRES available in allocation",
    "RestrictedCoresPerGPU: Not enough unique cores per GPU",
    "RestrictedCoresPerGPU: Missing core topology for GPUs",
    "RestrictedCoresPerGPU: No GPUs configured on node",
    "Job can not start immediately",
    "Invalid job array specification",
    "Burst Buffer permission denied",
    "Burst Buffer resource limit exceeded",
    "Burst Buffer request invalid",
    "Invalid mcs_label specified",
    "System submissions disabled",
    "X11 forwarding not available",
    "Invalid group id",
    "Invalid group ID",
    "Unable to resolve group ID to group name",
    "Invalid user ID",
    "Unable to resolve user ID to user name",
    "Job --batch option is invalid or not a subset of --constraints",
    "Job --batch option is invalid or not a subset of --constraint",
    "Invalid Trackable RESource (TRES) specification",
    "Multiple KNL NUMA and/or MCDRAM constraints require use of a heterogeneous job",
    "Invalid KNL configuration (MCDRAM or NUMA option)",
    "Invalid --nice value",
    "Immediate execution impossible. Individual job submission scheduling attempts deferred",
    "Environment is missing in job",
    "Job cannot be submitted without the current working directory specified.",
    "Invalid extra constraints specification",
    "Invalid container id specified",
    "Container support is not configured",
    "Invalid cluster feature specification",
    "Invalid cluster name",
    "No eligible clusters for federated job",
    "Job locked by another sibling",
    "Rate limit exceeded, please retry later",
    "Unable to contact slurm controller (connect failure)",
)

# Which input Slurm's words are about (slurm_strerror(3)).
_FIELDS = [
    (r"[Ii]nvalid partition", "queue"),
    (r"[Ii]nvalid (job )?account|account/partition", "account"),
    (r"[Ii]nvalid qos", "qos"),
    (r"job array", "array"),
    (r"dependency", "dependency"),
    (r"time_min|time-min", "timeMinSeconds"),
    (r"time limit", "timeLimitSeconds"),
    (r"Memory specification", "memory"),
    (r"--gpus-per-task (or --tres-per-task )?used without", "gpusPerTask"),
    (r"Invalid feature", "constraint"),
    (r"Invalid license", "licenses"),
    (r"reservation is invalid|reservation name", "reservation"),
    (r"Invalid --nice|Invalid nice", "nice"),
    (r"--signal", "signal"),
    (r"Invalid node name", "nodeNames"),
    (r"deadline", "deadline"),
    (r"'?--container", "container"),
    (r"cannot enter the folder", "workDir"),
    (r"idempotency key", "idempotencyKey"),
]
_UNREADABLE = re.compile(r"Unable to open file")


def about_field(why: Refusal, source: Sequence[str]) -> Refusal:
    """The refusal with the input that it is about; `source` is the path of the input that the script came by."""
    if _UNREADABLE.search(why.message):
        message = f"{why.message}: there is no such file, or your account may not read it."
        return Refusal(RefusalCode.NOT_FOUND, message, source)
    name = next((name for text, name in _FIELDS if re.search(text, why.message)), None)
    if name is None and re.search(r"[Ss]cript|interpreter", why.message):
        return Refusal(why.code, why.message, source)
    return Refusal(why.code, why.message, ["input", name] if name else None)
