"""Submitting a job: sbatch(1). One line of the table is one input: its name, its option, its kind, its meaning.

The GraphQL input, the argument vector and the head node's check follow from the line.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any

from slurm import argument, job_environment
from slurm.argument import Kind, OneOf, choice, described, matching
from slurm.command import Command, Question, Reply, require_scheduler
from slurm.job_action import SIGNAL
from slurm.job_environment import EnvironmentVariable, Export
from slurm.operation import Operation, RunsAs, Task
from slurm.refusal import OutcomeUnknown, Refusal, RefusalCode, refusal
from slurm.script import Script, wrong_text
from slurm.states import DescribedEnum
from slurm.submission_refusals import REFUSALS, about_field
from slurm.text import BigInt


class MailType(DescribedEnum):
    """What Slurm sends mail about (sbatch(1), --mail-type)."""

    BEGIN = "BEGIN", "The job starts."
    END = "END", "The job ends."
    FAIL = "FAIL", "The job fails."
    REQUEUE = "REQUEUE", "The job goes back to its queue."
    INVALID_DEPEND = "INVALID_DEPEND", "What it waits for can never happen."
    STAGE_OUT = "STAGE_OUT", "Its files are staged out of the burst buffer."
    TIME_LIMIT = "TIME_LIMIT", "Its time limit is reached."
    TIME_LIMIT_90 = "TIME_LIMIT_90", "90 percent of its time limit have passed."
    TIME_LIMIT_80 = "TIME_LIMIT_80", "80 percent of its time limit have passed."
    TIME_LIMIT_50 = "TIME_LIMIT_50", "Half of its time limit has passed."
    ALL = "ALL", "BEGIN, END, FAIL, INVALID_DEPEND, REQUEUE and STAGE_OUT."
    ARRAY_TASKS = "ARRAY_TASKS", "Beside others: about each task of an array, not about the array as a whole."
    NONE = "NONE", "Nothing, whatever the script's `#SBATCH` lines say."


class OpenMode(DescribedEnum):
    """What becomes of an output file that is there already (sbatch(1), --open-mode)."""

    APPEND = "APPEND", "It stays, and the job's output comes behind it."
    TRUNCATE = "TRUNCATE", "It is emptied."


class Requeue(DescribedEnum):
    """When a job goes back to its queue to run again (sbatch(1), --requeue)."""

    NEVER = "NEVER", "Never. sbatch: --no-requeue."
    ON_FAILURE = "ON_FAILURE", "When a node fails or the job is preempted."
    EXPEDITED = (
        "EXPEDITED",
        "When a node fails, or when the script ends with another code than 0 and the epilog of a node fails: it runs "
        "again at once, ahead of all others and on the same nodes. Since Slurm 25.11.",
    )


def option(name: str, kind: Kind[Any], about: str, otherwise: Mapping[Enum, str] | None = None) -> Any:
    """A line of the table: sbatch's long option, the kind of its value, the meaning.

    `otherwise` has the values that are another option, one without a value.
    """
    metadata = {"key": name, "kind": kind, "otherwise": otherwise or {}}
    return field(default=None, metadata={**metadata, "about": f"{argument.limited(about, kind)} sbatch: --{name}."})


_KEY_LIMIT = 255
_STEPS = r"\d{1,7}(-\d{1,7}(:\d{1,7})?)?"
_array = matching(
    rf"{_STEPS}(,{_STEPS})*(%[1-9]\d{{0,6}})?",
    "must be task numbers such as 0-9, 1,3,5 or 0-99:2%4",
    "numbers of at most 7 digits",
)
_requeue: Kind[Requeue] = Kind(lambda value: "expedite" if value is Requeue.EXPEDITED else "", "|expedite")
_ADDRESS = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(@[A-Za-z0-9][A-Za-z0-9.-]*)?"
# It becomes an argument of slurmctld's mail program: nothing that could be an option.
_mail_user = matching(
    rf"(?=.{{1,{argument.TEXT_LIMIT}}}\Z){argument.listed(_ADDRESS)}",
    "must be a user's name or an address, as ada@example.org",
    f"at most {argument.TEXT_LIMIT} characters",
)
_open_mode: Kind[OpenMode] = Kind(lambda mode: mode.name.lower(), "|".join(mode.name.lower() for mode in OpenMode))
_GPU_TYPE = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
# minNodes and maxNodes make a range of it, gpuType puts the model before it.
_nodes = argument.wider(argument.count, f"{argument.NUMBER}(-{argument.NUMBER})?")
_gpus = argument.wider(argument.count, f"({_GPU_TYPE}:)?{argument.NUMBER}")
_SIGNAL = rf"((B|R|BR|RB):)?({SIGNAL.pattern})(@(?P<seconds>\d{{1,5}}))?"


_MOST_SECONDS = 65535


@argument.kind(_SIGNAL, f"at most {_MOST_SECONDS} seconds before")
def _signal(value: str) -> str:
    match = re.fullmatch(_SIGNAL, value, re.ASCII)
    if match is None or int(match["seconds"] or 0) > _MOST_SECONDS:
        raise ValueError(f"must be such as USR1@120 or B:TERM@60, at most {_MOST_SECONDS} seconds")
    return value


@argument.kind(rf"[^\0]{{1,{_KEY_LIMIT}}}", f"1 to {_KEY_LIMIT} bytes")
def _key(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return argument.bounded(value, _KEY_LIMIT)


_mebibytes = argument.whole(0, 2**32 - 1, argument.NUMBER + "M", "{}M".format)
_mebibytes_each = argument.whole(1, argument.LARGEST, argument.NUMBER + "M", "{}M".format)
_gpu_type = matching(_GPU_TYPE, "must be one word, as a100", "at most 64 characters")


@dataclass(kw_only=True)
class JobMemory(OneOf):
    """How much memory a job asks for, in MiB."""

    per_node_mib: BigInt | None = option("mem", _mebibytes, "Memory on each node in MiB; 0 means all of it.")
    per_cpu_mib: BigInt | None = option("mem-per-cpu", _mebibytes_each, "Memory for each CPU in MiB.")
    per_gpu_mib: BigInt | None = option("mem-per-gpu", _mebibytes_each, "Memory for each GPU in MiB.")


@dataclass(kw_only=True)
class Submission:
    """The job to submit."""

    script: Script = argument.required("The batch script.")
    idempotency_key: str | None = described(
        "Any text; by default the API makes a key. A retry with the same key and the same input submits nothing and "
        "returns the first job. Keys belong to one user and are kept for a week.",
        kind=_key,
    )
    test_only: bool | None = option(
        "test-only", argument.flag, "Make no job: only check the input and estimate when the job would start."
    )
    name: str | None = option(
        "job-name", argument.text, "The job's name; by default `sbatch`, or the script's file name."
    )
    queue: str | None = option(
        "partition", argument.words, "The queue, or several joined by commas; by default the cluster's default queue."
    )
    account: str | None = option("account", argument.word, "The account to charge.")
    qos: str | None = option("qos", argument.word, "The quality of service.")
    work_dir: str | None = option(
        "chdir",
        argument.folder,
        "The folder to start in, an absolute path that the user may enter; by default the user's home.",
    )
    nodes: int | None = option("nodes", _nodes, "How many nodes; with `maxNodes`, how many at least, by default 1.")
    max_nodes: int | None = described(
        "How many nodes at most, at least `nodes` or 1; by default as many as `nodes`. sbatch: --nodes."
    )
    tasks: int | None = option("ntasks", argument.count, "How many tasks (processes) `srun` starts; by default 1.")
    tasks_per_node: int | None = option(
        "ntasks-per-node", argument.count, "How many tasks on each node; beside `tasks` at most so many."
    )
    cpus_per_task: int | None = option("cpus-per-task", argument.count, "CPUs for each task; by default 1.")
    core_spec: int | None = option("core-spec", argument.number, "Cores per node kept for the system, if Slurm allows.")
    memory: JobMemory | None = choice(JobMemory, "How much memory; by default the queue's setting.")
    gpus: int | None = option("gpus", _gpus, "GPUs for the whole job.")
    gpus_per_node: int | None = option("gpus-per-node", _gpus, "GPUs on each node.")
    gpus_per_task: int | None = option("gpus-per-task", _gpus, "GPUs for each task; needs `tasks` or `gpus`.")
    gpu_type: str | None = described(
        "The GPU model, in the cluster's spelling, as `a100`; by default any. Needs gpus, gpusPerNode or "
        "gpusPerTask. sbatch: --gpus=a100:2.",
        kind=_gpu_type,
    )
    constraint: str | None = option(
        "constraint", argument.constraint, "The features that its nodes must have, as `static` or `c5.large|c5.xlarge`."
    )
    exclusive: bool | None = option("exclusive", argument.flag, "Share its nodes with no other job.")
    node_names: Sequence[str] | None = option(
        "nodelist", argument.hosts, "Nodes that it must have, by name or as hostlists."
    )
    excluded_node_names: Sequence[str] | None = option(
        "exclude", argument.hosts, "Nodes that it must not have, by name or as hostlists."
    )
    licenses: str | None = option("licenses", argument.licenses, "Licenses and their counts, as `matlab:2,ansys`.")
    reservation: str | None = option(
        "reservation", argument.words, "The reservation to run in, or several joined by commas."
    )
    time_limit_seconds: BigInt | None = option(
        "time", argument.time_limit, "The time limit in seconds, which Slurm rounds up to minutes."
    )
    time_min_seconds: BigInt | None = option(
        "time-min",
        argument.time_limit,
        "The least time limit in seconds that backfill may cut the job down to, so that it starts earlier; rounded "
        "up to minutes.",
    )
    begin_time: datetime | None = option("begin", argument.moment, "Do not start before this time.")
    deadline: datetime | None = option("deadline", argument.moment, "Remove the job if it cannot end before this time.")
    nice: BigInt | None = option(
        "nice",
        argument.niceness,
        "What is taken off the priority. Only operators of the cluster may give less than 0.",
    )
    hold: bool | None = option("hold", argument.flag, "Do not start before the job is released.")
    array: str | None = option(
        "array", _array, "Makes an array: its task numbers, as `0-9%2` (ten tasks, two at a time)."
    )
    dependency: str | None = option("dependency", argument.dependency, "What to wait for, as `afterok:123`.")
    requeue: Requeue | None = option(
        "requeue",
        _requeue,
        "When the job goes back to its queue; by default as the cluster has it.",
        otherwise={Requeue.NEVER: "no-requeue"},
    )
    signal: str | None = option(
        "signal",
        _signal,
        "A signal to send before the time limit ends the job, as sbatch writes it: `USR1@120` (to the steps, 120 "
        "seconds before), `B:USR1@120` (to the batch script alone).",
    )
    environment: Sequence[EnvironmentVariable] | None = described(
        "Variables on top of the user's login environment.", kind=job_environment.environment
    )
    export: Export | None = option("export", job_environment.exported, "Which variables the job gets; by default ALL.")
    container: str | None = option(
        "container",
        argument.folder,
        "An OCI container bundle to run in, an absolute path on the nodes (Slurm 21.08 and later).",
    )
    stdout_path: str | None = option(
        "output",
        argument.path,
        "The file for output, with sbatch's patterns (%j ...); by default slurm-%j.out in the working folder.",
    )
    stderr_path: str | None = option(
        "error",
        argument.path,
        "The file for errors, with sbatch's patterns (%j ...); by default the same as for output.",
    )
    open_mode: OpenMode | None = option(
        "open-mode",
        _open_mode,
        "What becomes of output files that are there already; by default as the cluster has it.",
    )
    mail_types: Sequence[MailType] | None = option("mail-type", argument.some_of(MailType), "What to send mail about.")
    mail_user: str | None = option(
        "mail-user", _mail_user, "Who gets the mail, a user or an address; by default the user."
    )
    comment: str | None = option("comment", argument.text, "Any comment.")


SBATCH = Operation(
    "sbatch",
    task=Task.SUBMIT,
    words=("sbatch", "--parsable"),
    options=argument.patterns(Submission),
    environment=job_environment.PATTERNS,
    argument=argument.folder.pattern,  # the script's path; without one the script comes by stdin
    argument_is_optional=True,
    runs_as=RunsAs.CALLER,
    refusals=REFUSALS,
)


@dataclass(frozen=True)
class Submitted:
    """A job that was submitted: its id, and what else sbatch said. slurmctld lists no `forgotten` job."""

    job: str
    warnings: Sequence[str] = ()
    forgotten: bool = False


@dataclass(frozen=True)
class Checked:
    """A submission with valid inputs, and the options that they become."""

    submission: Submission
    options: Mapping[str, str | int]

    def submit(self, fetched: str | None = None) -> Question[Submitted | Refusal]:
        """Submit the job; the answer is the job, or why it was refused.

        `fetched` is the text that `script.uri` leads to. Raises InvalidInputError if that is not a batch script.
        """
        return Question((self._command(fetched),), partial(read, source=self.submission.script.field))

    def estimate(self, fetched: str | None = None) -> Question[datetime | Refusal | None]:
        """When the job would start (None: the scheduler cannot say), or why it would be refused: --test-only.

        No job is made. Raises InvalidInputError as `submit` does.
        """
        read = partial(read_estimate, source=self.submission.script.field)
        return Question((self._command(fetched),), partial(_never, read) if self.submission.hold else read)

    def _command(self, fetched: str | None) -> Command:
        submission, script = self.submission, self.submission.script
        if script.uri is not None:
            argument.require(wrong_text("uri", fetched or ""))
        return Command(
            SBATCH,
            options=self.options,
            arguments=() if script.path is None else (script.path,),
            environment={variable.name: variable.value for variable in submission.environment or ()},
            stdin=script.text if script.uri is None else fetched,
            key=None if submission.test_only else submission.idempotency_key,
        )


def check(submission: Submission) -> Checked:
    """The submission with its options. Raises InvalidInputError, with everything that is wrong.

    `Checked.submit` looks at the text that `script.uri` leads to.
    """
    options, refusals = argument.written(submission)
    variables, key = submission.environment or (), submission.idempotency_key
    argument.require(
        submission.script.wrong(),
        None if key is None else argument.checked("idempotency_key", _key, key),
        *refusals,
        _wrong_node_range(submission),
        _wrong_gpu_type(submission, options),
        job_environment.wrong_export(submission.export, [variable.name for variable in variables]),
        *job_environment.refusals(variables),
    )
    return Checked(submission, _joined(submission, options))


_FORGOTTEN = (
    "The scheduler no longer lists the job, which an earlier request with this idempotency key submitted. If the "
    "cluster keeps accounts, jobHistory has the job."
)


def read(replies: Sequence[Reply], source: Sequence[str] = ("input", "script")) -> Submitted | Refusal:
    """The job from the reply, whose stdout is the id that `sbatch --parsable` printed. Raises as `refusal` does.

    stderr has the rest of what sbatch said, which may have `error:` in it, too: sbatch reports each attempt that a busy
    slurmctld put off. `source` is the path of the input that the script came by.
    """
    (reply,) = replies
    if reply.exit_code == 0 and re.fullmatch(r"[0-9]{1,10}", reply.stdout):
        said = [re.sub(r"^sbatch: ", "", line).strip() for line in reply.stderr.splitlines()]
        warnings = [line for line in said if line]
        return Submitted(
            reply.stdout, [*warnings, _FORGOTTEN] if reply.forgotten else warnings, forgotten=reply.forgotten
        )
    if why := refusal(reply):
        return about_field(why, source)
    raise OutcomeUnknown(f"sbatch printed no job id: {reply.stdout[:200]!r}")


def _never(read: Callable[[Sequence[Reply]], datetime | Refusal | None], replies: Sequence[Reply]) -> Refusal | None:
    """Only why a held job would be refused: 24.11 and 26.05 print when it would start if it were not held."""
    found = read(replies)
    return found if isinstance(found, Refusal) else None


_FOREVER = 2**32
"""Epoch seconds. slurmctld prints a later time if it cannot estimate one (22.05: the year 7641)."""


def read_estimate(replies: Sequence[Reply], source: Sequence[str] = ("input", "script")) -> datetime | Refusal | None:
    """The time from "sbatch: Job 7 to start at 1795400000 using ..." on stderr (SLURM_TIME_FORMAT=%s).

    None where slurmctld cannot say. Raises SchedulerUnavailableError.
    """
    (reply,) = replies
    require_scheduler(reply)  # no job was requested, so no outcome is unknown
    match = re.search(r"(?m)^sbatch: Job \d+ to start at (\d{1,20}) ", reply.stderr)
    if reply.exit_code == 0 and match is not None:
        epoch = int(match[1])
        return datetime.fromtimestamp(epoch, UTC) if epoch < _FOREVER else None
    if why := refusal(reply):
        return about_field(why, source)
    return Refusal(RefusalCode.REJECTED_BY_SCHEDULER, f"sbatch printed no estimate: {reply.stderr[:200]!r}")


def _wrong_node_range(submission: Submission) -> Refusal | None:
    least, most = submission.nodes or 1, submission.max_nodes
    if most is None or least <= most < 2**32 - 2:
        return None
    return argument.invalid("max_nodes", f"must be {least} or more")


_GPU_OPTIONS = ("gpus", "gpus-per-node", "gpus-per-task")


def _wrong_gpu_type(submission: Submission, options: Mapping[str, object]) -> Refusal | None:
    if submission.gpu_type is None:
        return None
    if wrong := argument.checked("gpu_type", _gpu_type, submission.gpu_type):
        return wrong
    if not any(name in options for name in _GPU_OPTIONS):
        return argument.invalid("gpu_type", "needs gpus, gpusPerNode or gpusPerTask beside it")
    return None


def _joined(submission: Submission, options: Mapping[str, str | int]) -> dict[str, str | int]:
    """The options, with those that two inputs make together."""
    joined = dict(options)
    if submission.max_nodes is not None:
        joined["nodes"] = f"{submission.nodes or 1}-{submission.max_nodes}"
    if submission.gpu_type is not None:
        joined |= {name: f"{submission.gpu_type}:{options[name]}" for name in _GPU_OPTIONS if name in options}
    if submission.export is Export.NAMED:
        joined["export"] = ",".join(variable.name for variable in submission.environment or ())
    return joined
