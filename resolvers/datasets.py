"""The datasets of a cluster: each is fetched, kept and shared as a whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from headnode.instances import Agent, Instance
from headnode.node import Actor
from headnode.snapshots import Dataset
from slurm import account as slurm_account
from slurm import (
    configuration,
    partition,
    ping,
    sacct,
    sinfo,
    sprio,
    squeue,
    sstat,
)
from slurm.accounted_files import AccountedFiles, accounted_files
from slurm.batch_script import batch_script
from slurm.column import Rows
from slurm.command import Question, Reply
from slurm.configuration import Configuration
from slurm.output_file import FilePart, Unreadable, read_file
from slurm.ping import Ping
from slurm.refusal import Refusal
from slurm.sacct import History
from slurm.sacct_search import Search
from slurm.sstat import RunningStep

T = TypeVar("T")

JOBS: Dataset[Rows[squeue.Job]] = Dataset("jobs", squeue.jobs, shared=True)
JOBS_IN_BRIEF: Dataset[Rows[squeue.Job]] = Dataset("jobs", squeue.jobs_in_brief, shared=True, in_full=JOBS)
QUEUES: Dataset[Rows[partition.Queue]] = Dataset("queues", partition.queues, shared=True)
NODES: Dataset[Rows[sinfo.Node]] = Dataset("nodes", sinfo.nodes, shared=True)
CONFIGURATION: Dataset[Configuration] = Dataset(
    "configuration", configuration.configuration, lifetime=300.0, shared=True, outlives_changes=True
)
PING: Dataset[Ping] = Dataset("ping", ping.ping, shared=True)


def job(id: str) -> Dataset[Rows[squeue.Job]]:
    """One job, an array's tasks or a heterogeneous job's components, without asking for all jobs."""
    return Dataset(("job", id), partial(squeue.jobs, (id,)))


DEFAULT_WINDOW = timedelta(hours=24)
"""How far a history reaches back by default."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def history(search: Search, steps: bool) -> Dataset[History]:
    """Past jobs, with their steps and what only steps show, or without, which is a fraction of the rows.

    A search without ids and without `since` begins DEFAULT_WINDOW before its end.
    """
    return Dataset(("history", search, steps), partial(_history, search, sacct.history if steps else sacct.allocations))


def output_files(search: Search) -> Dataset[AccountedFiles]:
    """The files of the past jobs that a search finds."""
    return Dataset(("output files", search), partial(_history, search, accounted_files))


def _history(search: Search, question: Callable[[Search], Question[T]]) -> Question[T]:
    if search.ids or search.since:
        return question(search)
    return question(replace(search, since=window_before(search.until or datetime.now(UTC))))


def window_before(until: datetime) -> datetime:
    """The beginning of the default window that ends then; nothing was accounted before 1970."""
    return max(until, _EPOCH + DEFAULT_WINDOW) - DEFAULT_WINDOW


def accounted(id: str) -> Dataset[History]:
    """What accounting knows of one job and its steps; `id` as lookup_id spells it. Other jobs may be in it."""
    return Dataset(("accounted", id), together=_accounted, thing=id)


def _accounted(ids: Sequence[Any]) -> Question[Mapping[Any, History]]:
    question = sacct.history(Search(ids=ids))
    return Question(question.commands, lambda replies: dict.fromkeys(ids, question.read(replies)))


def running_steps(raw_id: str, actor: Actor) -> Dataset[Rows[RunningStep]]:
    """What the steps of a running job use now, if the actor may see it."""
    return Dataset(("running steps", raw_id, actor), together=_running_steps, thing=raw_id)


def _running_steps(raw_ids: Sequence[Any]) -> Question[Mapping[Any, Rows[RunningStep]]]:
    question = sstat.running_steps(raw_ids)

    def read(replies: Sequence[Reply]) -> dict[Any, Rows[RunningStep]]:
        rows = question.read(replies)
        of = rows.values(RunningStep.raw_id)
        return {raw_id: rows.only([index for index, job in enumerate(of) if job == raw_id]) for raw_id in raw_ids}

    return Question(question.commands, read)


def account(name: str) -> Dataset[bool]:
    """Whether the cluster has an account with that name."""
    return Dataset(("account", name), partial(slurm_account.account, name), lifetime=60.0)


PRIORITY_FACTORS: Dataset[Rows[sprio.PriorityFactors] | sprio.NoPriorityFactors] = Dataset(
    "priority factors", sprio.priority_factors, shared=True
)


def script(job: str, actor: Actor) -> Dataset[str | Refusal | None]:
    """A job's batch script, if the actor may see it."""
    return Dataset(("script", job, actor), partial(batch_script, job))


def output(
    actor: Actor, path: str, limit: int, offset: int, from_end: bool, lines: int | None
) -> Dataset[FilePart | Unreadable]:
    """Part of a file, if the actor may read it; kept only for a moment, because clients follow a growing file."""
    ask = partial(read_file, path, limit=limit, offset=offset, from_end=from_end, lines=lines)
    return Dataset(("output", actor, path, limit, offset, from_end, lines), ask, lifetime=1.0)


INSTANCES: Dataset[Mapping[str, Instance]] = Dataset(
    "instances", lifetime=30.0, from_aws=lambda node: node.instances_by_address()
)
HEAD: Dataset[str] = Dataset("head", from_aws=lambda node: node.instance())
AGENT: Dataset[Agent] = Dataset("agent", from_aws=lambda node: node.agent())
