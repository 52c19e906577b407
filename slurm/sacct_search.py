"""The queries to sacct: which past jobs, by which options (sacct(1)).

sacct has no variable for its separator, so it stands in the arguments, which other accounts can see while sacct runs.
A text that is changed and stored within that moment can hold it: slurm/framing.py says what follows. Comments, which
users can change in finished jobs too, are not asked for.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slurm import accounting, argument, framing, job_id
from slurm.command import AccountingDisabledError, Reply
from slurm.operation import FLAG, Operation, RunsAs
from slurm.states import ENDED, JobState

RUN_AGAIN = frozenset({JobState.REQUEUED, JobState.NODE_FAIL, JobState.PREEMPTED, JobState.BOOT_FAIL})
"""How accounting says that a run ended after which the job may run again."""

ACCOUNTED = ENDED | {JobState.PENDING, JobState.RUNNING, JobState.SUSPENDED, JobState.REQUEUED, JobState.RESIZING}
"""The states that `sacct --state` knows; it refuses the passing ones (CONFIGURING, COMPLETING ...)."""

_FIRST_DAY = datetime(1970, 1, 2, tzinfo=UTC)  # sacct takes no time of 0
_PLAIN = re.compile(argument.PLAIN_WORD)
_MOST_USERS = 4
_ENDED_WAITING = f"{JobState.CANCELLED.value},{JobState.DEADLINE.value}"
"""The states, as `sacct --state` takes them, in which a job can end without ever having been eligible to start."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which jobs to ask accounting for; what is None does not narrow.

    The window: jobs that waited (eligible to start), ran or ended at `since` or later and before `until`; without ids,
    no `since` means from the first record on. A job that still waits and never was eligible (it is held, or waits for
    others) is in none.

    The answer may hold jobs that do not meet a condition: the caller filters once more. It lacks none. With `states`,
    a job is also found by an earlier run that ended so, and is then shown as it was. sacct matches names without regard
    to case.
    """

    ids: Sequence[str] | None = None
    users: Sequence[str] | None = None
    account: str | None = None
    queue: str | None = None
    states: Iterable[JobState] | None = None
    node_name: str | None = None
    name: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|now"
SACCT = Operation(
    "sacct",
    words=("sacct", "--local", "--noheader", "--allusers", "--duplicates", "--parsable", "--noconvert"),
    options={
        "format": framing.COLUMNS,
        "delimiter": framing.SEPARATOR,
        "allocations": FLAG,
        "starttime": _TIME,
        "endtime": _TIME,
        "jobs": argument.listed(job_id.ARGUMENT),
        "user": argument.PLAIN_WORD,
        "accounts": argument.PLAIN_WORD,
        "partition": argument.PLAIN_WORD,
        "nodelist": argument.PLAIN_WORD,
        "name": argument.PLAIN_WORD,
        "state": argument.listed("[A-Z_]+"),
    },
    asks_slurmdbd=True,
    runs_as=RunsAs.READER,
)


def options(search: Search) -> list[dict[str, str]]:
    """The options of each sacct that the search needs. Raises ParseError for an id that cannot be parsed."""
    return [{**own, **part} for own in _by_user(search) for part in _parts(search)]


def _by_user(search: Search) -> list[dict[str, str]]:
    """One sacct a user, as it stops at one who has no account; for many users or odd names one for all."""
    users = list(dict.fromkeys(search.users or ()))
    if not 1 <= len(users) <= _MOST_USERS or not all(map(_PLAIN.fullmatch, users)):
        return [{}]
    return [{"user": user} for user in users]


def _parts(search: Search) -> list[dict[str, str]]:
    """The options of each sacct command that the search needs."""
    options = _options(search)
    return [*_by_queue(search, options), *_never_eligible(search, options)]


def _never_eligible(search: Search, options: dict[str, str]) -> list[dict[str, str]]:
    """The options that find jobs that ended before they were eligible: cancelled while held, or with what they waited
    for. With a window, sacct finds these by their states alone, and those that ended at its last second, too.
    """
    if "starttime" not in options or "state" in options or search.node_name:
        return []
    found = {option: value for option, value in options.items() if option != "partition"}
    end = _time(max(search.until, _FIRST_DAY) - timedelta(seconds=1)) if search.until else "now"
    return [{**found, "allocations": "", "state": _ENDED_WAITING, "endtime": end}]


def _by_queue(search: Search, options: dict[str, str]) -> list[dict[str, str]]:
    """The options of each sacct command that the search by queue needs; those of other searches as they are.

    sacct does not find a job that waits for the queues `a,b` by either of them. A search by queue therefore also asks
    for all jobs that waited at the end of the window, and a search by ids does not pass the queue on.
    """
    if "partition" not in options:
        return [options, *_waiting_tasks(search)]
    anywhere = {option: value for option, value in options.items() if option != "partition"}
    if search.ids:
        return [anywhere, *_waiting_tasks(search)]
    if search.states and JobState.PENDING not in search.states:
        return [options]
    end = options.get("endtime", "now")
    return [options, {**anywhere, "state": JobState.PENDING.value, "starttime": end, "endtime": end}]


def _waiting_tasks(search: Search) -> list[dict[str, str]]:
    """The options that find tasks that ended while they waited: by `58_3` sacct does not find their row `58_[1-5]`."""
    tasks = [parsed.job for parsed in map(job_id.parse, search.ids or ()) if parsed.task is not None]
    if not tasks:
        return []
    return [
        {
            "allocations": "",
            "jobs": ",".join(map(str, dict.fromkeys(tasks))),
            "state": f"{_ENDED_WAITING},{JobState.PENDING.value}",
            "starttime": _time(_FIRST_DAY),
            "endtime": "now",
        }
    ]


def _options(search: Search) -> dict[str, str]:
    options = {"endtime": _time(search.until)} if search.until else {}
    if search.ids:
        options["jobs"] = ",".join(dict.fromkeys(lookup_id(id) for id in search.ids))
    if search.since or not search.ids:
        options["starttime"] = _time(search.since or _FIRST_DAY)
    words = {
        "accounts": search.account,
        "partition": search.queue,
        "nodelist": search.node_name,
        "name": search.name,
    }
    options.update((option, value) for option, value in words.items() if value and _PLAIN.fullmatch(value))
    return {**options, **_states(search)}


def _states(search: Search) -> dict[str, str]:
    """The states, if they mean the same to sacct as to us.

    With an end in the past it does not: a job counts as COMPLETED if it was by then, not if it is. The runs that ended
    in a requeue are needed to count them, those of other sizes to join them. With states but no end of the window,
    sacct would take its start for both.
    """
    states = set(search.states or ())
    if not states or search.until or not states <= ACCOUNTED:
        return {}
    asked = states | RUN_AGAIN | {JobState.RESIZING}
    return {"state": ",".join(sorted(state.value for state in asked)), "endtime": "now"}


def _time(time: datetime) -> str:
    """As sacct takes times under TZ=UTC. Raises ValueError for a time without zone."""
    if time.tzinfo is None:
        raise ValueError(f"{time} has no time zone")
    return max(time.astimezone(UTC), _FIRST_DAY).strftime("%Y-%m-%dT%H:%M:%S")


def lookup_id(text: str) -> str:
    """What to ask sacct for, to find the job of that id: waiting tasks and components are found by their number.

    Raises ParseError if the text is no job id.
    """
    parsed = job_id.parse(text)
    return f"{parsed.job}_{parsed.task}" if parsed.task is not None else str(parsed.job)


def texts(reply: Reply, separator: str, columns: Sequence[str]) -> framing.Records:
    """The columns of one sacct's reply. Raises as `read`."""
    if "accounting storage is disabled" in reply.stderr:
        raise AccountingDisabledError(accounting.HOW_TO_SWITCH_ON)
    # A user without an account, a window that has not begun: errors to sacct (exit code 1), no rows to us.
    if reply.exit_code == 1 and re.search(r"Invalid user id|is after end time", reply.stderr):
        return framing.Records({column: [] for column in columns}, ())
    return framing.split_watched(accounting.require(reply), columns, separator)
