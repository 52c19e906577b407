"""Whose jobs a caller sees: datasets are reduced to those before anything is made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from access.caller import Caller
from access.role import JobVisibility
from headnode.snapshots import Fault, Snapshot
from slurm import association, fair_share, sacct, squeue
from slurm.column import Rows
from slurm.errors import ParseError

_OF_JOBS = (squeue.Job, sacct.HistoryJob)
_OF_USERS_AND_ACCOUNTS = (association.Association, fair_share.FairShare)


def visible(caller: Caller, answer: Snapshot[Any] | Fault) -> Snapshot[Any] | Fault:
    """What the caller may see of a dataset: everything, or with `jobVisibility` OWN only what is theirs or nobody's."""
    if caller.job_visibility is JobVisibility.ALL:
        return answer
    if isinstance(answer, ParseError):
        return ParseError(answer.what, "")  # the text may be somebody else's
    if not isinstance(answer, Snapshot):
        return answer
    return replace(answer, value=_cut(answer.value, caller.account))


def _cut(value: Any, account: str | None) -> Any:
    if isinstance(value, sacct.History):  # steps are found only through their jobs
        steps = Rows(value.steps.record, value.steps.texts, [replace(lost, text=None) for lost in value.steps.lost])
        return replace(value, jobs=_cut(value.jobs, account), steps=steps)
    if isinstance(value, Rows) and issubclass(value.record, _OF_JOBS):
        return _rows_of(value, {account} - {None})
    if isinstance(value, Rows) and issubclass(value.record, _OF_USERS_AND_ACCOUNTS):
        return _rows_of(value, {account, None})
    return value


def _rows_of(rows: Rows[Any], users: set[str | None]) -> Rows[Any]:
    """Those users' rows. What cannot be read may be somebody else's: that there is some is all that is shown of it."""
    own = rows.only([index for index, user in enumerate(rows.values(rows.record.user)) if user in users])
    return Rows(own.record, own.texts, [replace(lost, text=None) for lost in own.lost])
