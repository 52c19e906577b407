"""Submitting a job: sbatch(1). One line of the table is one input: its name, its option, its check, its meaning."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slurm import argument
from slurm.command import Command, Question, Reply, require_scheduler
from slurm.refusal import InvalidInputError, Refusal, RefusalCode, refusal
from slurm.states import DescribedEnum

SCRIPT_LIMIT = 4 * 1024 * 1024
"""Bytes: slurmctld's default max_script_size (slurm.conf(5), SchedulerParameters)."""
_VALUE_LIMIT = 64 * 1024
_URI_LIMIT = 1100
"""Bytes: a key of S3 has at most 1024, a bucket's name 63."""


class MailType(DescribedEnum):
    """What Slurm sends mail about (sbatch(1), --mail-type)."""

    BEGIN = "BEGIN", "The job starts."
    END = "END", "The job ends."
    FAIL = "FAIL", "The job fails."
    REQUEUE = "REQUEUE", "The job goes back to its queue."
    INVALID_DEPEND = "INVALID_DEPEND", "What it waits for can never happen."
    STAGE_OUT = "STAGE_OUT", "Its files are staged out of the burst buffer."
    TIME_LIMIT = "TIME_LIMIT", "Its time limit is reached."
    TIME_LIMIT_90 = "TIME_LIMIT_90", "90 percent of its time limit are over."
    TIME_LIMIT_80 = "TIME_LIMIT_80", "80 percent of its time limit are over."
    TIME_LIMIT_50 = "TIME_LIMIT_50", "Half of its time limit is over."
    ALL = "ALL", "BEGIN, END, FAIL, INVALID_DEPEND, REQUEUE and STAGE_OUT."
    ARRAY_TASKS = "ARRAY_TASKS", "Beside others: about each task of an array, not about the array as a whole."
    NONE = "NONE", "Nothing, whatever the script's `#SBATCH` lines say."


class OpenMode(DescribedEnum):
    """What becomes of an output file that is there already (sbatch(1), --open-mode)."""

    APPEND = "APPEND", "It stays, and the job's output comes behind it."
    TRUNCATE = "TRUNCATE", "It is emptied."


class Export(DescribedEnum):
    """Which variables the job gets (sbatch(1), --export)."""

    ALL = "ALL", "Those of the user's login environment, and those of `environment`."
    NAMED = "NAMED", "Those of `environment` alone, beside what the node's own login sets."
    NONE = "NONE", "None but what the node's own login sets; `environment` must be empty."


def option(name: str, write: Callable[[Any], str], about: str, otherwise: str | None = None) -> Any:
    """A line of the table: sbatch's long option, how the value is written (ValueError: what is wrong), the meaning.

    `otherwise` is the option that a false value stands for; without one false is as if not given.
    """
    metadata = {"option": name, "write": write, "otherwise": otherwise, "about": f"{about} sbatch: --{name}."}
    return field(default=None, metadata=metadata)


def given(about: str) -> Any:
    """An input that is no option of sbatch by itself."""
    return field(default=None, metadata={"about": about})


def _mebibytes(value: int) -> str:
    if value < 0:
        raise ValueError("must be 0 (all of the node's memory) or more MiB")
    return f"{value}M"


def _mebibytes_each(value: int) -> str:
    return f"{argument.count(value)}M"


_STEPS = r"\d{1,7}(-\d{1,7}(:\d{1,7})?)?"
_ARRAY = re.compile(rf"{_STEPS}(,{_STEPS})*(%[1-9]\d{{0,6}})?")
_SIGNAL = re.compile(r"(?:(?:B|R|BR|RB):)?(?:(?:SIG)?[A-Z][A-Z0-9]{1,9}|[1-9][0-9]?)(?:@(\d{1,5}))?")
_ADDRESS = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(@[A-Za-z0-9][A-Za-z0-9.-]*)?"
_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^/\0][^\0]*")


def _array(value: str) -> str:
    if not _ARRAY.fullmatch(value):
        raise ValueError("must be task numbers such as 0-9, 1,3,5 or 0-99:2%4")
    return value


def _flag(value: bool) -> str:
    return ""


def _signal(value: str) -> str:
    match = _SIGNAL.fullmatch(value)
    if match is None or int(match[1] or 0) > 65535:
        raise ValueError("must be such as USR1@120 or B:TERM@60, at most 65535 seconds")
    return value


def _mail_types(value: Sequence[MailType]) -> str:
    if not value:
        raise ValueError("must name at least one")
    return ",".join(kind.value for kind in value)


def _mail_user(value: str) -> str:
    # It becomes an argument of slurmctld's mail program: nothing that could be an option.
    if len(value) > argument.TEXT_LIMIT or not re.fullmatch(rf"{_ADDRESS}(,{_ADDRESS})*", value):
        raise ValueError("must be a user's name or an address, as ada@example.org")
    return value


def _uri(value: str) -> str:
    if not _URI.fullmatch(value):
        raise ValueError("must be such as s3://bucket/folder/job.sh")
    return argument.bounded(value, _URI_LIMIT)


def _lower(value: OpenMode) -> str:
    return value.name.lower()


@dataclass(kw_only=True)
class EnvironmentVariable:
    """A variable for the job's environment."""

    name: str = field(
        metadata={
            "about": "Letters, digits and _; not SLURM_* or SBATCH_*, which are Slurm's own, nor LD_PRELOAD or "
            "LD_AUDIT, "
            "which would act on sbatch itself: set those in the script."
        }
    )
    value: str = field(metadata={"about": "Any text; commas, quotes and newlines arrive as they are."})


@dataclass(kw_only=True)
class Submission:
    """A job to be."""

    script: str | None = given(
        "The batch script's text; its first line starts with `#!`. At most 4 MiB. Options given here win over its "
        "`#SBATCH` lines. Give exactly one of script, scriptUri and scriptPath."
    )
    script_uri: str | None = given(
        "The batch script as an object in S3, `s3://bucket/key`, in a bucket or under a prefix that the deployment "
        "allows; read by the service, UTF-8, at most 4 MiB."
    )
    script_path: str | None = given(
        "The batch script as a file on the cluster, an absolute path that the user's account may read there."
    )
    idempotency_key: str | None = given(
        "Any text of at most 255 bytes. A retry with the same key and the same input submits nothing and gives the "
        "first job; keys are the user's own and are kept for a week. It counts for nothing with `testOnly`."
    )
    test_only: bool | None = option(
        "test-only", _flag, "Make no job: only check the input and estimate when the job would start."
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
    nodes: int | None = option("nodes", argument.count, "How many nodes, exactly.")
    min_nodes: int | None = given(
        "How many nodes at least, by default 1; needs `maxNodes`, and not beside `nodes`. sbatch: --nodes."
    )
    max_nodes: int | None = given("How many nodes at most; not beside `nodes`. sbatch: --nodes.")
    tasks: int | None = option("ntasks", argument.count, "How many tasks (processes) `srun` starts; by default 1.")
    tasks_per_node: int | None = option(
        "ntasks-per-node", argument.count, "How many tasks on each node; beside `tasks` at most so many."
    )
    cpus_per_task: int | None = option("cpus-per-task", argument.count, "CPUs for each task; by default 1.")
    memory_mib: int | None = option("mem", _mebibytes, "Memory on each node in MiB; 0 means all of it.")
    memory_per_cpu_mib: int | None = option(
        "mem-per-cpu", _mebibytes_each, "Memory for each CPU in MiB; not beside another memory input."
    )
    memory_per_gpu_mib: int | None = option(
        "mem-per-gpu", _mebibytes_each, "Memory for each GPU in MiB; not beside another memory input."
    )
    gpus: int | None = option("gpus", argument.count, "GPUs for the whole job.")
    gpus_per_node: int | None = option("gpus-per-node", argument.count, "GPUs on each node.")
    gpus_per_task: int | None = option("gpus-per-task", argument.count, "GPUs for each task; needs `tasks` or `gpus`.")
    gpu_type: str | None = given(
        "The GPU model, in the cluster's spelling, as `a100`; by default any. Needs gpus, gpusPerNode or "
        "gpusPerTask. sbatch: --gpus=a100:2."
    )
    constraint: str | None = option(
        "constraint", argument.constraint, "The features that its nodes must have, as `static` or `c5.large|c5.xlarge`."
    )
    exclusive: bool | None = option("exclusive", _flag, "Share its nodes with no other job.")
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
    time_limit_seconds: int | None = option(
        "time", argument.time_limit, "The time limit in seconds, which Slurm rounds up to minutes."
    )
    time_min_seconds: int | None = option(
        "time-min",
        argument.time_limit,
        "The least time limit in seconds that backfill may cut the job down to, so that it starts earlier; rounded "
        "up to minutes.",
    )
    begin_time: datetime | None = option("begin", argument.moment, "Do not start before this time.")
    deadline: datetime | None = option("deadline", argument.moment, "Remove the job if it cannot end before this time.")
    nice: int | None = option(
        "nice",
        argument.niceness,
        "What is taken off the priority, -2147483645 to 2147483645. Only operators of the cluster may give less than "
        "0.",
    )
    hold: bool | None = option("hold", _flag, "Do not start before the job is released.")
    array: str | None = option(
        "array", _array, "Makes an array: its task numbers, as `0-9%2` (ten tasks, two at a time)."
    )
    dependency: str | None = option("dependency", argument.dependency, "What to wait for, as `afterok:123`.")
    requeue: bool | None = option(
        "requeue",
        _flag,
        "Whether the job goes back to its queue when a node fails or it is preempted; by default as the cluster has "
        "it. False is sbatch's --no-requeue.",
        otherwise="no-requeue",
    )
    signal: str | None = option(
        "signal",
        _signal,
        "A signal to send before the time limit ends the job, as sbatch writes it: `USR1@120` (to the steps, 120 "
        "seconds before), `B:USR1@120` (to the batch script alone).",
    )
    environment: Sequence[EnvironmentVariable] | None = given("Variables on top of the user's login environment.")
    export: Export | None = given("Which variables the job gets; by default ALL. sbatch: --export.")
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
        "error", argument.path, "The file for errors, likewise; by default the same as for output."
    )
    open_mode: OpenMode | None = option(
        "open-mode", _lower, "What becomes of output files that are there already; by default as the cluster has it."
    )
    mail_types: Sequence[MailType] | None = option("mail-type", _mail_types, "What to send mail about, at least one.")
    mail_user: str | None = option(
        "mail-user", _mail_user, "Who gets the mail, a user or an address; by default the user."
    )
    comment: str | None = option("comment", argument.text, "Any comment.")


def check(submission: Submission) -> None:
    """Raise InvalidInputError, with everything that is wrong, if the job cannot be submitted like this.

    What lies behind scriptUri is looked at by `submit`.
    """
    _, refusals = _options(submission)
    argument.require(
        *_wrong_source(submission),
        *_wrong_key(submission.idempotency_key),
        *refusals,
        *_wrong_environment(submission),
    )


def submit(submission: Submission, fetched: str | None = None) -> Question[str | Refusal]:
    """Submit the job; the answer is its id, or why it was refused.

    `fetched` is the text that scriptUri leads to. Raises InvalidInputError, with everything that is wrong, before
    anything is sent.
    """
    command = _command(submission, fetched)
    return Question((command,), partial(read, source=_source(submission)))


def estimate(submission: Submission, fetched: str | None = None) -> Question[datetime | Refusal | None]:
    """When the job would start (None: the scheduler cannot say), or why it would be refused: --test-only.

    Raises InvalidInputError as `submit` does. No job is made.
    """
    command = _command(submission, fetched)
    read = partial(read_estimate, source=_source(submission))
    return Question((command,), partial(_never, read) if submission.hold else read)


def _command(submission: Submission, fetched: str | None) -> Command:
    check(submission)
    if submission.script_uri is not None:
        argument.require(*_wrong_script("script_uri", fetched or ""))
    options, _ = _options(submission)
    return Command(
        "sbatch",
        options=options,
        arguments=() if submission.script_path is None else (submission.script_path,),
        environment={variable.name: variable.value for variable in submission.environment or ()},
        stdin=submission.script if submission.script_uri is None else fetched,
        key=None if submission.test_only else submission.idempotency_key,
    )


def read(replies: Sequence[Reply], source: str = "script") -> str | Refusal:
    """The id from `sbatch --parsable`, "123" or "123;cluster", on its last line. Raises as `refusal` does.

    Errors beside it do not count: sbatch tells of every attempt that a busy slurmctld put off. `source` is the input
    that the script came by.
    """
    (reply,) = replies
    match = re.fullmatch(r"(\d+)(;[A-Za-z0-9_.-]+)?", (reply.stdout.strip().splitlines() or [""])[-1])
    if reply.exit_code == 0 and match is not None:
        return match[1]
    if why := refusal(reply):
        return _about_field(why, source)
    return Refusal(RefusalCode.REJECTED_BY_SCHEDULER, f"sbatch printed no job id: {reply.stdout[:200]!r}")


def _never(read: Callable[[Sequence[Reply]], datetime | Refusal | None], replies: Sequence[Reply]) -> Refusal | None:
    """Only why a held job would be refused: 24.11 and 26.05 print when it would start if it were not held."""
    found = read(replies)
    return found if isinstance(found, Refusal) else None


_FOREVER = 2**32
"""Epoch seconds, beyond which slurmctld means that there is no saying (22.05: the year 7641)."""


def read_estimate(replies: Sequence[Reply], source: str = "script") -> datetime | Refusal | None:
    """The time from "sbatch: Job 7 to start at 1795400000 using ..." on stderr (SLURM_TIME_FORMAT=%s).

    None where slurmctld cannot say. Raises SchedulerUnavailableError.
    """
    (reply,) = replies
    require_scheduler(reply)  # nothing was to be made: no outcome is unknown
    match = re.search(r"(?m)^sbatch: Job \d+ to start at (\d{1,20}) ", reply.stderr)
    if reply.exit_code == 0 and match is not None:
        epoch = int(match[1])
        return datetime.fromtimestamp(epoch, UTC) if epoch < _FOREVER else None
    if why := refusal(reply):
        return _about_field(why, source)
    return Refusal(RefusalCode.REJECTED_BY_SCHEDULER, f"sbatch printed no estimate: {reply.stderr[:200]!r}")


# Which input Slurm's words are about (slurm_strerror(3)).
_FIELDS = [
    (r"[Ii]nvalid partition", "queue"),
    (r"[Ii]nvalid (job )?account|account/partition", "account"),
    (r"[Ii]nvalid qos", "qos"),
    (r"job array", "array"),
    (r"dependency", "dependency"),
    (r"time_min|time-min", "timeMinSeconds"),
    (r"time limit", "timeLimitSeconds"),
    (r"Memory specification", "memoryMib"),
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


def _about_field(why: Refusal, source: str) -> Refusal:
    if _UNREADABLE.search(why.message):
        message = f"{why.message}: there is no such file, or your account may not read it."
        return Refusal(RefusalCode.NOT_FOUND, message, ["input", source])
    name = next((name for text, name in _FIELDS if re.search(text, why.message)), None)
    if name is None and re.search(r"[Ss]cript|interpreter", why.message):
        name = source
    return Refusal(why.code, why.message, ["input", name] if name else None)


def _options(submission: Submission) -> tuple[dict[str, str | int], list[Refusal]]:
    """sbatch's long options, and what is wrong with the inputs that become options."""
    options: dict[str, str | int] = {}
    refusals = []
    for line in fields(Submission):  # the table's own lines: a subclass may describe them otherwise
        value = getattr(submission, line.name)
        if "option" not in line.metadata or value is None:
            continue
        name = line.metadata["option"] if value is not False else line.metadata["otherwise"]
        try:
            if name is not None:
                options[name] = line.metadata["write"](value)
        except ValueError as error:
            refusals.append(argument.invalid(line.name, str(error)))
    refusals += _wrong_memory(submission)
    for add in (_add_node_range, _add_gpu_type, _add_export):
        try:
            add(submission, options)
        except InvalidInputError as error:
            refusals += error.refusals
    return options, refusals


def _wrong_memory(submission: Submission) -> list[Refusal]:
    names = ("memory_mib", "memory_per_cpu_mib", "memory_per_gpu_mib")
    given_names = [name for name in names if getattr(submission, name) is not None]
    return [argument.invalid(name, "cannot be given beside another memory input") for name in given_names[1:]]


def _add_node_range(submission: Submission, options: dict[str, str | int]) -> None:
    least, most = submission.min_nodes, submission.max_nodes
    if least is None and most is None:
        return
    if submission.nodes is not None:
        argument.require(argument.invalid("nodes", "cannot be given beside minNodes and maxNodes"))
    if most is None:
        argument.require(argument.invalid("min_nodes", "needs maxNodes beside it; for an exact number give nodes"))
    elif least is not None and least < 1:
        argument.require(argument.invalid("min_nodes", "must be 1 or more"))
    elif not (least or 1) <= most < 2**32 - 2:
        argument.require(argument.invalid("max_nodes", f"must be {least or 1} or more"))
    options["nodes"] = f"{least or 1}-{most}"


def _add_gpu_type(submission: Submission, options: dict[str, str | int]) -> None:
    model = submission.gpu_type
    if model is None:
        return
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", model):
        argument.require(argument.invalid("gpu_type", "must be one word, as a100"))
    asked = [name for name in ("gpus", "gpus-per-node", "gpus-per-task") if name in options]
    if not asked:
        argument.require(argument.invalid("gpu_type", "needs gpus, gpusPerNode or gpusPerTask beside it"))
    for name in asked:
        options[name] = f"{model}:{options[name]}"


def _add_export(submission: Submission, options: dict[str, str | int]) -> None:
    names = [variable.name for variable in submission.environment or ()]
    if submission.export is Export.NONE and names:
        argument.require(argument.invalid("export", "cannot be NONE beside environment; NAMED gives those alone"))
    if submission.export is Export.NAMED and not names:
        argument.require(argument.invalid("export", "cannot be NAMED without environment; NONE gives none"))
    if submission.export is Export.NAMED and {"ALL", "NONE", "NIL"} & set(names):
        argument.require(
            argument.invalid("environment", "has a variable ALL, NONE or NIL, which sbatch takes otherwise")
        )
    if submission.export is not None:
        # sbatch takes the values from its own environment, so that commas and newlines in them arrive.
        options["export"] = ",".join(names) if submission.export is Export.NAMED else submission.export.value


_SOURCES = {"script": "script", "script_uri": "scriptUri", "script_path": "scriptPath"}


def _source(submission: Submission) -> str:
    return next((camel for name, camel in _SOURCES.items() if getattr(submission, name) is not None), "script")


def _wrong_source(submission: Submission) -> list[Refusal]:
    sources = [name for name in _SOURCES if getattr(submission, name) is not None]
    if not sources:
        message = "is missing: give the batch script's text, or scriptUri, or scriptPath"
        return [argument.invalid("script", message)]
    if len(sources) > 1:
        message = "cannot be given beside another: give exactly one of script, scriptUri and scriptPath"
        return [argument.invalid(name, message) for name in sources[1:]]
    if submission.script_uri is not None:
        return _wrong("script_uri", _uri, submission.script_uri)
    if submission.script_path is not None:
        return _wrong("script_path", argument.folder, submission.script_path)
    return _wrong_script("script", submission.script or "")


def _wrong(name: str, write: Callable[[str], str], value: str) -> list[Refusal]:
    try:
        write(value)
    except ValueError as error:
        return [argument.invalid(name, str(error))]
    return []


def _wrong_script(name: str, script: str) -> list[Refusal]:
    try:
        size = len(script.encode())
    except UnicodeEncodeError:
        return [argument.invalid(name, "holds half of a surrogate pair, which is no character")]
    if size > SCRIPT_LIMIT:
        return [argument.invalid(name, f"is too large: it has {size} bytes, and Slurm takes {SCRIPT_LIMIT}")]
    if not script.startswith("#!"):
        return [argument.invalid(name, "must start with #! and the path of an interpreter, as #!/bin/bash")]
    if "\0" in script:
        return [argument.invalid(name, "must not hold a NUL character")]
    if "\r\n" in script:
        return [argument.invalid(name, "has DOS line ends (CR LF); Slurm takes only LF")]
    if re.search(r"(?m)^#SBATCH[ \t]+(?:[^ \t\n]+[ \t]+)*(?:--wait\b|-W\b)", script):
        return [argument.invalid(name, "must not ask sbatch to wait (#SBATCH --wait): ask for the job's state instead")]
    return []


def _wrong_key(key: str | None) -> list[Refusal]:
    try:
        if key is None or 1 <= len(key.encode()) <= 255:
            return []
    except UnicodeEncodeError:
        return [argument.invalid("idempotency_key", "holds half of a surrogate pair, which is no character")]
    return [argument.invalid("idempotency_key", "must have 1 to 255 bytes")]


def _wrong_environment(submission: Submission) -> list[Refusal]:
    refusals = []
    for variable in submission.environment or ():
        if not re.fullmatch(r"(?!SLURM_|SBATCH_)[A-Za-z_][A-Za-z0-9_]{0,254}", variable.name):
            message = f"has {variable.name[:80]!r}, which no variable of a job may be called"
            refusals.append(argument.invalid("environment", message))
            continue
        if variable.name in ("LD_PRELOAD", "LD_AUDIT"):
            message = f"has {variable.name}, which would act on sbatch itself: set it in the script"
            refusals.append(argument.invalid("environment", message))
            continue
        try:
            argument.bounded(variable.value, _VALUE_LIMIT)
        except ValueError as error:
            refusals.append(argument.invalid("environment", f"has {variable.name}, whose value {error}"))
    return refusals
