"""Who may do what. A field of Query or Mutation that is not in RIGHTS is refused.

tests/schema/test_permissions.py checks every field of the schema.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from access.caller import Caller
from access.role import Role
from slurm.states import DescribedEnum

Place = tuple[str, str]
"""The names of a type and of its field."""


@dataclass(frozen=True)
class Right:
    """The role that a field needs, what the field does ("submit jobs"), and within which bounds.

    `as_account` says that it needs an account of the caller's own, which an operator may not have. `own` says that it
    is about a job of that account; operators may do it to anybody's, unless it is done as an account.
    """

    role: Role
    what: str
    bounds: str = ""
    as_account: bool = False
    own: bool = False


def _own(what: str, bounds: str = "") -> Right:
    return Right(Role.USER, what, f"Their own jobs; for operators, any job. {bounds}".rstrip(), own=True)


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
    ("Query", "suggestedPollSeconds"): Right(Role.VIEWER, "read how often to ask"),
    ("Job", "script"): _own("read a job's script"),
    ("Job", "output"): Right(
        Role.USER,
        "read a job's output",
        "What the caller's own account may read; operators no more.",
        as_account=True,
        own=True,
    ),
    ("Mutation", "submitJob"): Right(Role.USER, "submit jobs", "As their own account.", as_account=True),
    ("Mutation", "cancelJobs"): _own("cancel jobs"),
    ("Mutation", "holdJobs"): _own("hold jobs"),
    ("Mutation", "releaseJobs"): _own("release jobs"),
    ("Mutation", "requeueJobs"): _own("requeue jobs"),
    ("Mutation", "updateJob"): _own(
        "change jobs", "`priority`, `adminComment`, `deadline` and a `nice` below 0 are for operators."
    ),
    ("Mutation", "signalJobs"): _own("signal jobs"),
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


def may(caller: Caller, place: Place, owner: str | None = None) -> bool:
    """Whether the caller may use the field; `owner` is the account of the job that it is about, if it is about one.

    Other people's output is left out, although files may let their account read it.
    """
    if why_not(caller, place) is not None:
        return False
    right = RIGHTS[place]
    is_theirs = owner is not None and owner == caller.cluster_user
    return not right.own or owner is None or is_theirs or (caller.role is Role.OPERATOR and not right.as_account)


def _name(place: Place) -> str:
    """`cancelJobs` of Mutation is CANCEL_JOBS, `script` of Job is JOB_SCRIPT."""
    kind, field = place
    words = field if kind == "Mutation" else f"{kind}_{field}"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words).upper()


_ABOUT: Mapping[str, tuple[str, str]] = {
    _name(place): (
        _name(place),
        f"{right.what[0].upper()}{right.what[1:]}: `{'.'.join(place)}`. {right.bounds}".rstrip(),
    )
    for place, right in RIGHTS.items()
    if place[0] != "Query"
}
"""What not everybody may do who may read at all."""

if TYPE_CHECKING:

    class Permission(DescribedEnum):
        """What a caller may do: a member for each line of RIGHTS but those of Query."""

else:
    Permission = DescribedEnum("Permission", _ABOUT)
    Permission.__doc__ = "What a caller may do: a mutation, or a field of jobs that not everybody may read."

PERMISSIONS: Mapping[Place, Permission] = {place: Permission[_name(place)] for place in RIGHTS if place[0] != "Query"}
"""The members by the places of their fields."""
