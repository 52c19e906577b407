"""Who may do what. Whatever is not listed here nobody may do: tests/schema/test_permissions.py walks the schema."""

from collections.abc import Mapping
from dataclasses import dataclass

from access.caller import Caller
from access.role import Role

Place = tuple[str, str]
"""A type's name and a field's."""


@dataclass(frozen=True)
class Right:
    """Which role a field needs, what it lets its callers do ("submit jobs"), and within which bounds.

    `as_account` says that it is done as the caller's own account, which an operator may lack.
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
    ("Mutation", "deleteReservation"): Right(Role.OPERATOR, "delete reservations"),
}


def why_not(caller: Caller, place: Place) -> str | None:
    """Why the caller may not use the field, as a sentence; None if they may, as far as it can be told here.

    Whether the cluster has their account, and whether a job is theirs, the head node and Slurm find out.
    """
    right = RIGHTS.get(place)
    if right is None:
        return f"{'.'.join(place)} is open to nobody."
    is_operator = caller.role is Role.OPERATOR
    if right.role is Role.OPERATOR and not is_operator:
        return f"Only operators may {right.what}."
    if right.role is Role.USER and caller.cluster_user is None and (right.as_account or not is_operator):
        return f"Only an account on the cluster may {right.what}, and {caller.identity} has none to act as."
    return None
