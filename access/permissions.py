"""Who may do what. A field of Query or Mutation that is not in RIGHTS is refused.

tests/schema/test_permissions.py checks every field of the schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from access.caller import Caller
from access.role import Role

Place = tuple[str, str]
"""The names of a type and of its field."""


@dataclass(frozen=True)
class Right:
    """The role that a field needs, what the field does ("submit jobs"), and within which bounds.

    `as_account` says that it needs an account of the caller's own, which an operator may not have.
    """

    role: Role
    what: str
    bounds: str = ""
    as_account: bool = False


_OWN = "Their own; operators anybody's."
_VISIBLE = "Of the jobs that the caller sees."

RIGHTS: Mapping[Place, Right] = {
    ("Query", "viewer"): Right(Role.VIEWER, "see what the API takes them for"),
    ("Query", "clusters"): Right(Role.VIEWER, "look at the clusters", "Those that the caller has access to."),
    ("Query", "cluster"): Right(Role.VIEWER, "look at a cluster", "One that the caller has access to."),
    ("Query", "jobs"): Right(Role.VIEWER, "look at jobs", _VISIBLE),
    ("Query", "job"): Right(Role.VIEWER, "look at a job", _VISIBLE),
    ("Query", "jobHistory"): Right(Role.VIEWER, "look at past jobs", _VISIBLE),
    ("Query", "jobsEnded"): Right(Role.VIEWER, "wait for jobs to end", _VISIBLE),
    ("Query", "queues"): Right(Role.VIEWER, "look at queues"),
    ("Query", "queue"): Right(Role.VIEWER, "look at a queue"),
    ("Query", "nodes"): Right(Role.VIEWER, "look at nodes"),
    ("Query", "node"): Right(Role.VIEWER, "look at a node"),
    ("Job", "script"): Right(Role.USER, "read a job's script", _OWN),
    ("Job", "output"): Right(
        Role.USER, "read a job's output", "What the caller's own account may read; operators no more.", as_account=True
    ),
    ("Mutation", "submitJob"): Right(Role.USER, "submit jobs", "As their own account.", as_account=True),
    ("Mutation", "cancelJobs"): Right(Role.USER, "cancel jobs", _OWN),
    ("Mutation", "holdJobs"): Right(Role.USER, "hold jobs", _OWN),
    ("Mutation", "releaseJobs"): Right(Role.USER, "release jobs", _OWN),
    ("Mutation", "requeueJobs"): Right(Role.USER, "requeue jobs", _OWN),
    ("Mutation", "updateJob"): Right(
        Role.USER,
        "change jobs",
        f"{_OWN} `priority`, `adminComment`, `deadline` and a `nice` below 0 are for operators.",
    ),
    ("Mutation", "signalJobs"): Right(Role.USER, "signal jobs", _OWN),
    ("Mutation", "suspendJobs"): Right(Role.OPERATOR, "suspend jobs"),
    ("Mutation", "resumeJobs"): Right(Role.OPERATOR, "let suspended jobs go on"),
    ("Mutation", "updateNode"): Right(Role.OPERATOR, "change nodes"),
    ("Mutation", "updateQueue"): Right(Role.OPERATOR, "open and close queues"),
    ("Mutation", "createReservation"): Right(Role.OPERATOR, "make reservations"),
    ("Mutation", "updateReservation"): Right(Role.OPERATOR, "change reservations"),
    ("Mutation", "deleteReservation"): Right(Role.OPERATOR, "delete reservations"),
}


def why_not(caller: Caller, place: Place) -> str | None:
    """A sentence that says why the caller may not use the field; None if nothing here speaks against it.

    The head node and Slurm check whether the cluster has the account, and whether a job is the caller's.
    """
    right = RIGHTS.get(place)
    if right is None:
        return f"Nobody may use {'.'.join(place)}."
    is_operator = caller.role is Role.OPERATOR
    if right.role is Role.OPERATOR and not is_operator:
        return f"Only operators may {right.what}."
    if right.role is Role.USER and caller.cluster_user is None and (right.as_account or not is_operator):
        return f"Only an account on the cluster may {right.what}, and {caller.identity} has none to act as."
    return None
