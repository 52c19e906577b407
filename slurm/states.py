"""The states of jobs, queues and nodes, in every spelling that Slurm's commands have had since 20.11."""

import re
from enum import Enum
from functools import lru_cache
from typing import Self


class DescribedEnum(Enum):
    """An enum whose members carry a sentence for users beside their name."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        """A member from its value and its description."""
        member = object.__new__(cls)
        member._value_ = value
        member.description = description
        return member

    # Members are equal to themselves alone; Enum's own hash is made of the name, in Python, for each of 10,000 jobs.
    __hash__ = object.__hash__


class JobPhase(DescribedEnum):
    """How far a job is. Each state belongs to one phase, states of newer Slurm releases too."""

    WAITING = "WAITING", "Waits in a queue: for the first time, or again after it was requeued."
    ACTIVE = "ACTIVE", "Has its nodes: it starts, runs, is suspended, or its nodes are being cleaned up."
    ENDED = "ENDED", "Has ended. It does not start again by itself."


class JobState(DescribedEnum):
    """The one state squeue prints for a job: a passing flag where one is set, else the base state.

    COMPLETING and STAGE_OUT hide the base state, and with it how the job ended: it is ACTIVE until that is known.
    """

    phase: JobPhase

    def __new__(cls, value: str, phase: JobPhase, description: str) -> Self:
        """A member from its value, its phase and its description."""
        member = object.__new__(cls)
        member._value_ = value
        member.phase = phase
        member.description = description
        return member

    PENDING = "PENDING", JobPhase.WAITING, "Waits for resources, a dependency, its begin time or its release."
    CONFIGURING = "CONFIGURING", JobPhase.ACTIVE, "Has its nodes, which are still starting."
    RUNNING = "RUNNING", JobPhase.ACTIVE, "Runs on its nodes."
    COMPLETING = "COMPLETING", JobPhase.ACTIVE, "Has ended; its nodes are being cleaned up."
    SUSPENDED = "SUSPENDED", JobPhase.ACTIVE, "Is suspended; its CPUs are free for other jobs."
    STOPPED = "STOPPED", JobPhase.ACTIVE, "Was stopped by a signal and keeps its CPUs."
    COMPLETED = "COMPLETED", JobPhase.ENDED, "Ended with exit code 0 on all nodes."
    CANCELLED = (
        "CANCELLED",
        JobPhase.ENDED,
        "Was cancelled by its user or an administrator, before or after it started.",
    )
    FAILED = "FAILED", JobPhase.ENDED, "Ended with a non-zero exit code or another failure."
    TIMEOUT = "TIMEOUT", JobPhase.ENDED, "Was ended at its time limit."
    NODE_FAIL = "NODE_FAIL", JobPhase.ENDED, "Was ended because one of its nodes failed."
    PREEMPTED = "PREEMPTED", JobPhase.ENDED, "Was ended to make room for another job."
    BOOT_FAIL = "BOOT_FAIL", JobPhase.ENDED, "Was ended because its nodes did not start."
    DEADLINE = "DEADLINE", JobPhase.ENDED, "Was ended at its deadline."
    OUT_OF_MEMORY = "OUT_OF_MEMORY", JobPhase.ENDED, "Was ended because it used more memory than it may."
    REQUEUED = "REQUEUED", JobPhase.WAITING, "Has left its nodes and is going back to its queue."
    REQUEUE_HOLD = "REQUEUE_HOLD", JobPhase.WAITING, "Was put back into its queue and is held there until released."
    SPECIAL_EXIT = (
        "SPECIAL_EXIT",
        JobPhase.WAITING,
        "Was put back into its queue and is held there after an exit its site treats specially.",
    )
    EXPEDITING = (
        "EXPEDITING",
        JobPhase.ACTIVE,
        "Has failed; Slurm waits for the epilog of its nodes to decide whether it runs again at once. Since 25.11.",
    )
    RESIZING = "RESIZING", JobPhase.ACTIVE, "Is about to change its size."
    SIGNALING = "SIGNALING", JobPhase.ACTIVE, "Is being sent a signal."
    STAGE_OUT = "STAGE_OUT", JobPhase.ACTIVE, "Has ended; its files are being staged out."
    REVOKED = "REVOKED", JobPhase.ENDED, "Was taken off this cluster because a sibling cluster started it."
    UNKNOWN = "UNKNOWN", JobPhase.ACTIVE, "A state this API does not know; the raw state has the scheduler's own word."


ENDED = frozenset(state for state in JobState if state.phase is JobPhase.ENDED)
"""The states after which a job does not start again by itself."""


class QueueState(DescribedEnum):
    """Whether a queue (a Slurm partition) takes jobs and whether it starts them."""

    UP = "UP", "Takes new jobs and starts them."
    DOWN = "DOWN", "Takes new jobs but starts none."
    DRAIN = "DRAIN", "Takes no new jobs; those already in it will start."
    INACTIVE = (
        "INACTIVE",
        "Takes no new jobs and starts none. ParallelCluster sets it when the fleet is stopped or protected.",
    )
    UNKNOWN = "UNKNOWN", "A state this API does not know."


class NodeState(DescribedEnum):
    """A node's base state; what else is true of it are its flags."""

    IDLE = "IDLE", "Runs no job."
    MIXED = "MIXED", "Some of its CPUs are allocated to jobs."
    ALLOCATED = "ALLOCATED", "All of its CPUs are allocated to jobs."
    DOWN = "DOWN", "Cannot run jobs."
    ERROR = "ERROR", "Cannot run jobs because of an error."
    FUTURE = "FUTURE", "Is defined for later and does not exist yet."
    UNKNOWN = "UNKNOWN", "Not known to the scheduler yet, or hidden by the short form of the state."


class NodeFlag(DescribedEnum):
    """What is true of a node beside its base state; several may be."""

    CLOUD = "CLOUD", "Is a cloud instance that can be started and stopped."
    DRAIN = "DRAIN", "Takes no new jobs."
    POWERED_DOWN = "POWERED_DOWN", "Has no instance at present; one is started when a job needs it."
    POWERING_UP = "POWERING_UP", "Is being started."
    POWERING_DOWN = "POWERING_DOWN", "Is being stopped."
    POWER_DOWN = "POWER_DOWN", "Will be stopped once its jobs have ended."
    COMPLETING = "COMPLETING", "Jobs on it have ended and are being cleaned up."
    FAIL = "FAIL", "Is expected to fail and takes no new jobs."
    MAINTENANCE = "MAINTENANCE", "Is in a reservation for maintenance."
    RESERVED = "RESERVED", "Is in a reservation."
    PLANNED = "PLANNED", "Is kept for a job that will start soon."
    NOT_RESPONDING = "NOT_RESPONDING", "Does not answer the scheduler."
    REBOOT_REQUESTED = "REBOOT_REQUESTED", "Will be rebooted when it is free."
    REBOOT_ISSUED = "REBOOT_ISSUED", "Is being rebooted."
    INVALID_REG = "INVALID_REG", "Reported a configuration that does not fit the scheduler's."
    BLOCKED = "BLOCKED", "Is blocked by a job that has its topology to itself."
    DYNAMIC = "DYNAMIC", "Was added while the scheduler was running, not by its configuration file."
    EXTERNAL = "EXTERNAL", "Is managed outside Slurm."
    UNKNOWN = "UNKNOWN", "A flag this API does not know; the raw state has the scheduler's own word."


class Provisioning(DescribedEnum):
    """How AWS ParallelCluster provides a node."""

    STATIC = "STATIC", "Is kept running."
    DYNAMIC = "DYNAMIC", "Is started when a job needs it and stopped when idle."


# Compact codes of man squeue, JOB STATE CODES, and the long words that have no state of their own here.
_JOB_WORDS: dict[str, JobState] = {
    "PD": JobState.PENDING,
    "CF": JobState.CONFIGURING,
    "R": JobState.RUNNING,
    "CG": JobState.COMPLETING,
    "S": JobState.SUSPENDED,
    "ST": JobState.STOPPED,
    "CD": JobState.COMPLETED,
    "CA": JobState.CANCELLED,
    "F": JobState.FAILED,
    "TO": JobState.TIMEOUT,
    "NF": JobState.NODE_FAIL,
    "PR": JobState.PREEMPTED,
    "BF": JobState.BOOT_FAIL,
    "DL": JobState.DEADLINE,
    "OOM": JobState.OUT_OF_MEMORY,
    "RQ": JobState.REQUEUED,
    "RH": JobState.REQUEUE_HOLD,
    "SE": JobState.SPECIAL_EXIT,
    "RS": JobState.RESIZING,
    "SI": JobState.SIGNALING,
    "SO": JobState.STAGE_OUT,
    "RV": JobState.REVOKED,
    # Requeued by a federation; requeued as a cron job (20.11 only).
    "REQUEUE_FED": JobState.REQUEUED,
    "RF": JobState.REQUEUED,
    "REQUEUED_CRON": JobState.REQUEUED,
    "RC": JobState.REQUEUED,
    # Held because its reservation was deleted: it waits for its release like any held job.
    "RESV_DEL_HOLD": JobState.PENDING,
    "RD": JobState.PENDING,
} | {state.value: state for state in JobState}


@lru_cache(1024)  # several columns ask for it, once for each distinct row of theirs
def job_state(raw: str) -> JobState:
    """The state for squeue's or sacct's word, long or compact, in any case; "CANCELLED by 1000" is CANCELLED.

    A word this code does not know, as a later release may bring, is UNKNOWN, so that a new Slurm breaks no client.
    Never raises. Source: man squeue, JOB STATE CODES; man sacct, JOB STATE CODES.
    """
    first, *_ = raw.split() or [""]
    return _JOB_WORDS.get(first.upper(), JobState.UNKNOWN)


_QUEUE_WORDS: dict[str, QueueState] = {"INACT": QueueState.INACTIVE} | {state.value: state for state in QueueState}


def queue_state(raw: str) -> QueueState:
    """The state for scontrol's State ("UP") or sinfo's Available ("up", "inact"). Never raises."""
    return _QUEUE_WORDS.get(raw.strip().upper(), QueueState.UNKNOWN)


# Long and compact base states (man sinfo, NODE STATE CODES).
_BASE_WORDS: dict[str, NodeState] = {
    "ALLOC": NodeState.ALLOCATED,
    "MIX": NodeState.MIXED,
    "FUTR": NodeState.FUTURE,
    "UNK": NodeState.UNKNOWN,
} | {state.value: state for state in NodeState}

# Words that take the base state's place, in the short form and in 20.11's scontrol. Slurm prints RESERVED,
# BLOCKED and PLANNED for idle nodes only (node_state_string in src/common/slurm_protocol_defs.c), and MAINT
# for none that is down, drained, mixed or allocated; behind the others several bases are possible.
_HIDING_WORDS = {
    "DRAINED": (NodeState.UNKNOWN, NodeFlag.DRAIN),
    "DRAINING": (NodeState.UNKNOWN, NodeFlag.DRAIN),
    "DRAIN": (NodeState.UNKNOWN, NodeFlag.DRAIN),
    "DRNG": (NodeState.UNKNOWN, NodeFlag.DRAIN),
    "FAIL": (NodeState.UNKNOWN, NodeFlag.FAIL),
    "FAILING": (NodeState.UNKNOWN, NodeFlag.FAIL),
    "FAILG": (NodeState.UNKNOWN, NodeFlag.FAIL),
    "COMPLETING": (NodeState.UNKNOWN, NodeFlag.COMPLETING),
    "COMP": (NodeState.UNKNOWN, NodeFlag.COMPLETING),
    "MAINT": (NodeState.IDLE, NodeFlag.MAINTENANCE),
    "INVAL": (NodeState.UNKNOWN, NodeFlag.INVALID_REG),
    "RESERVED": (NodeState.IDLE, NodeFlag.RESERVED),
    "RESV": (NodeState.IDLE, NodeFlag.RESERVED),
    "BLOCKED": (NodeState.IDLE, NodeFlag.BLOCKED),
    "BLOCK": (NodeState.IDLE, NodeFlag.BLOCKED),
    "PLANNED": (NodeState.IDLE, NodeFlag.PLANNED),
    "PLND": (NodeState.IDLE, NodeFlag.PLANNED),
}
_REBOOT_WORDS = frozenset({"REBOOT", "BOOT"})

# The short form's one suffix, and the symbol that 20.11's scontrol puts after the base state.
_SYMBOLS = {
    "$": NodeFlag.MAINTENANCE,
    "^": NodeFlag.REBOOT_ISSUED,
    "@": NodeFlag.REBOOT_REQUESTED,
    "#": NodeFlag.POWERING_UP,
    "%": NodeFlag.POWERING_DOWN,
    "~": NodeFlag.POWERED_DOWN,
    "!": NodeFlag.POWER_DOWN,
    "*": NodeFlag.NOT_RESPONDING,
    "-": NodeFlag.PLANNED,
}

_FLAG_WORDS: dict[str, NodeFlag] = {
    # 20.11 has one word for "no instance"; 21.08 renamed it, and made POWER_UP "start is asked for".
    "POWER": NodeFlag.POWERED_DOWN,
    "POWER_UP": NodeFlag.POWERING_UP,
    "DYNAMIC_FUTURE": NodeFlag.DYNAMIC,
    "DYNAMIC_NORM": NodeFlag.DYNAMIC,
    "MAINT": NodeFlag.MAINTENANCE,
} | {flag.value: flag for flag in NodeFlag}

_WORD = re.compile(r"(?P<word>[^$^@#%~!*-]*)(?P<symbols>[$^@#%~!*-]*)")


def node_state(raw: str) -> tuple[NodeState, frozenset[NodeFlag]]:
    """Base state and flags of a node, from any of the forms that Slurm prints, in any case. Never raises.

    - complete, base and flags joined by "+" (scontrol's State and sinfo's StateComplete, 21.08 on):
      "IDLE+CLOUD+POWERED_DOWN";
    - 20.11's scontrol, where the base may carry a symbol: "IDLE#+CLOUD", "DOWN*+DRAIN", "IDLE+CLOUD+POWER";
    - short, with at most one symbol (sinfo's StateLong and StateCompact): "idle~", "mix#", "allocated+".

    The short form hides the base behind words such as "drained" or "inval": the state is then UNKNOWN,
    except where the word is for idle nodes only (reserved, blocked, planned, maint). A flag word this
    code has no flag for (a new one, or RESUME and PERFCTRS) is NodeFlag.UNKNOWN; an unknown base word, or
    no text at all (20.11's StateComplete), is NodeState.UNKNOWN. Source: man sinfo, NODE STATE CODES; man
    scontrol.
    """
    base, *words = raw.strip().upper().split("+")
    flags = set()
    if words and words[-1] == "":
        # "ALLOCATED+" of the short form: some of its jobs are completing.
        words.pop()
        flags.add(NodeFlag.COMPLETING)
    state, base_flags = _base(base)
    flags |= base_flags
    flags.update(_FLAG_WORDS.get(word, NodeFlag.UNKNOWN) for word in words)
    return state, frozenset(flags)


def _base(text: str) -> tuple[NodeState, set[NodeFlag]]:
    match = _WORD.fullmatch(text)
    if match is None:
        return NodeState.UNKNOWN, set()
    word, symbols = match["word"], match["symbols"]
    flags = {_SYMBOLS[symbol] for symbol in symbols}
    if word in _REBOOT_WORDS:
        # "REBOOT^" is under way, so no longer only asked for.
        asked = set() if NodeFlag.REBOOT_ISSUED in flags else {NodeFlag.REBOOT_REQUESTED}
        return NodeState.UNKNOWN, flags | asked
    if word in _HIDING_WORDS:
        state, flag = _HIDING_WORDS[word]
        return state, flags | {flag}
    return _BASE_WORDS.get(word, NodeState.UNKNOWN), flags


_PROVISIONING_FEATURES = {"static": Provisioning.STATIC, "dynamic": Provisioning.DYNAMIC}
_PROVISIONING_INFIXES = {"st": Provisioning.STATIC, "dy": Provisioning.DYNAMIC}
# ParallelCluster's own pattern for queue-st-resource-1; greedy, so the last -st- or -dy- counts.
_NODE_NAME = re.compile(r"[a-z0-9-]+-(st|dy)-[a-z0-9-]+-[0-9]+")


def provisioning(features: list[str], node_name: str) -> Provisioning | None:
    """How ParallelCluster provides the node; None for a node that is not ParallelCluster's.

    The feature "static" or "dynamic" decides; only without one of them (or with both) does the name, as a
    queue or resource whose own name holds "-st-" or "-dy-" makes names ambiguous. Never raises.
    """
    named = {_PROVISIONING_FEATURES[feature] for feature in features if feature in _PROVISIONING_FEATURES}
    if len(named) == 1:
        return named.pop()
    match = _NODE_NAME.fullmatch(node_name)
    return _PROVISIONING_INFIXES[match[1]] if match else None
