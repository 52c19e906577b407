"""Past jobs: from accounting, or from the scheduler's memory if a cluster keeps no accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from headnode.snapshots import Dataset, Snapshot
from resolvers import datasets
from resolvers.datasets import window_before
from resolvers.errors import BadInputError
from resolvers.filters import (
    JobFilter,
    JobRows,
    aware,
    check_job_filter,
    find_job,
    local_id,
    matching_jobs,
    rows_with_ids,
)
from resolvers.job import Job, JobConnection, JobSource
from resolvers.link import Link
from resolvers.order import JobOrder, JobOrderField, OrderDirection, job_ordering, order_name
from resolvers.output import JobOutput, OutputStream, output_range
from resolvers.pages import check_page, page
from resolvers.steps import Accounted
from resolvers.viewer import can_do_to_past_job
from slurm import accounted_files, job_id, sacct_search, squeue
from slurm.accounted_files import AccountedFiles
from slurm.column import Rows
from slurm.command import AccountingDisabledError
from slurm.sacct import History, HistoryJob
from slurm.sacct_search import RUN_AGAIN, Search
from slurm.states import ENDED

if TYPE_CHECKING:
    from resolvers.cluster import Cluster

NOT_RECORDED = (
    f"Accounting records a job's files since Slurm {accounted_files.SINCE} only. While the scheduler remembers the "
    "job, job(id:) has them; later look in workDir, where a job that named no file wrote to slurm-<its number>.out."
)
LATEST_FIRST = (JobOrder(field=JobOrderField.SUBMIT_TIME, direction=OrderDirection.DESC),)


class PastJob(HistoryJob, Job):
    """A job from accounting: the same fields and links, with sacct's columns in the place of squeue's.

    `history` is the answer that it came with, if that has steps; `search` is how it was looked for.
    """

    __slots__ = ("_history", "_search")

    def __init__(self, cluster: Cluster, rows: Rows[Any], index: int, history: History | None, search: Search) -> None:
        Job.__init__(self, cluster, rows, index)
        self._history = history
        self._search = search

    viewer_can = Link(can_do_to_past_job, HistoryJob.state, HistoryJob.user, HistoryJob.hold)

    async def accounted(self) -> Accounted:
        """What accounting knows of it."""
        return Accounted.of(self._history, self) if self._history else await super().accounted()

    async def output(
        self,
        stream: OutputStream = OutputStream.STDOUT,
        lines: int | None = None,
        bytes: int | None = None,
        offset: int | None = None,
    ) -> JobOutput | None:
        """Part of its output or errors; where accounting does not record which file has it, the reason."""
        output_range(lines, bytes, offset)
        if self._files.patterns is None:
            return JobOutput(None, False, message=NOT_RECORDED)
        return await super().output(stream, lines, bytes, offset)

    @property
    def stdout_path(self) -> str | None:
        """The file that took its output, if accounting records it."""
        return self._files.stdout_path(self, self.cluster.release)

    @property
    def stderr_path(self) -> str | None:
        """The file that took its errors, if accounting records it."""
        return self._files.stderr_path(self, self.cluster.release)

    @property
    def _files(self) -> AccountedFiles:
        return self.cluster.read(datasets.output_files(self._search)).value


@dataclass(frozen=True)
class JobHistory:
    """A search for past jobs: the filter, the period, the order (the latest first by default), the page."""

    where: JobFilter | None
    since: datetime | None
    until: datetime | None
    order_by: Sequence[JobOrder] | None
    first: int | None
    after: str | None

    def check(self, cluster: Cluster) -> None:
        """Raise BadInputError for wrong arguments, before anything is fetched."""
        check_page(self.first, self.after, order_name(self._order), cluster.request.page_limit)
        if self.where is not None:
            check_job_filter(self.where, cluster.name)
            if self.where.comment is not None:
                raise BadInputError(
                    "jobHistory cannot be filtered by comment: accounting is not asked for comments. Use `jobs`, or "
                    "filter by names.",
                    argument="comment",
                )
        since, until = self._since_given, self._until
        if since and until and since >= until:
            raise BadInputError("since must be before until.", argument="since")

    def needs(self, cluster: Cluster, steps: bool, files: bool) -> list[Dataset[Any]]:
        """The datasets to fetch, with the jobs' steps and files or without. Raises BadInputError.

        While it is not known whether the cluster keeps accounts, the scheduler's jobs are fetched as well.
        """
        self.check(cluster)
        search = self.search(cluster.name)
        past: list[Dataset[Any]] = [datasets.history(search, steps)]
        if files:
            past.append(datasets.output_files(search))
        accounts = keeps_accounts(cluster)
        if accounts is None:
            return [*past, datasets.JOBS, datasets.CONFIGURATION]
        return past if accounts else [datasets.JOBS]

    def search(self, cluster: str) -> Search:
        """The search for sacct. Its answer is filtered again, because sacct does not support every condition.

        States after which a job may run again are left out: sacct would find jobs by their earlier runs.
        """
        where = self.where or JobFilter()
        states = sorted(set(where.states or ()), key=lambda state: state.name)
        return Search(
            ids=tuple(sorted({_looked_up(id, cluster) for id in where.ids})) if where.ids else None,
            users=(where.user,) if where.user else tuple(sorted(set(where.users))) if where.users else None,
            account=where.account,
            queue=where.queue,
            states=tuple(states) if states and not RUN_AGAIN.intersection(states) else None,
            node_name=where.node_name,
            since=self._since,
            until=self._until,
        )

    def answer(self, cluster: Cluster) -> JobConnection:
        """The page, from the fetched answers. Raises RequestError."""
        self.check(cluster)
        search = self.search(cluster.name)
        for steps in (True, False):
            dataset = datasets.history(search, steps)
            if dataset not in cluster.answers:
                continue
            # If accounting was switched off a moment ago, the scheduler's jobs were not fetched, or not in full: then
            # the fault is the answer.
            if not accounting_is_off(cluster, dataset) or not _is_known_in_full(cluster):
                return self._accounted(cluster, cluster.read(dataset), steps)
        return self._remembered(cluster, cluster.read(datasets.JOBS))

    def _accounted(self, cluster: Cluster, snapshot: Snapshot[History], steps: bool) -> JobConnection:
        rows, history = snapshot.value.jobs, snapshot.value if steps else None
        chosen, search = matching_jobs(rows, cluster.name, self.where), self.search(cluster.name)
        return self._connection(
            rows,
            chosen,
            lambda index: PastJob(cluster, rows, index, history, search),
            cluster,
            snapshot,
            JobSource.ACCOUNTING,
        )

    def _remembered(self, cluster: Cluster, snapshot: Snapshot[Rows[squeue.Job]]) -> JobConnection:
        rows = snapshot.value
        chosen = [index for index in matching_jobs(rows, cluster.name, self.where) if self._in_window(rows[index])]
        return self._connection(
            rows, chosen, lambda index: Job(cluster, rows, index), cluster, snapshot, JobSource.SCHEDULER_MEMORY
        )

    def _connection(
        self,
        rows: JobRows,
        chosen: Sequence[int],
        job: Callable[[int], Job],
        cluster: Cluster,
        snapshot: Snapshot[Any],
        source: JobSource,
    ) -> JobConnection:
        limit, order = cluster.request.page_limit, job_ordering(rows, self._order)
        cut = page(chosen, order, job, self.first, self.after, limit, snapshot.as_of)
        return JobConnection(**vars(cut), rows=rows, chosen=chosen, source=source)

    def _in_window(self, job: squeue.Job) -> bool:
        """Whether the job waited, ran or ended in the period, which is sacct's rule (sacct(1))."""
        until = self._until or datetime.now(UTC)
        since = self._since or (None if self.where and self.where.ids else window_before(until))
        began = job.eligible_time or job.submit_time
        ended = min(job.end_time or until, until) if job.state in ENDED else until
        return (began is None or began < until) and (since is None or ended >= since)

    @property
    def _order(self) -> Sequence[JobOrder]:
        return self.order_by or LATEST_FIRST

    @property
    def _since(self) -> datetime | None:
        """The start of the period: the latest of `since` and of the times in the filter.

        No job waits, runs or ends before it is submitted, and what ended or changed after a time ran or waited then.
        """
        where = self.where or JobFilter()
        given = {
            "submittedAfter": where.submitted_after,
            "endedAfter": where.ended_after,
            "updatedAfter": where.updated_after,
        }
        named = [aware(time, name) for name, time in given.items() if time is not None]
        return max([*named, *([self._since_given] if self._since_given else [])], default=None)

    @property
    def _since_given(self) -> datetime | None:
        return None if self.since is None else aware(self.since, "since")

    @property
    def _until(self) -> datetime | None:
        return None if self.until is None else aware(self.until, "until")


def _looked_up(id: str, cluster: str) -> str:
    """The number of the job or of its array, because a waiting task has no row of its own."""
    return str(job_id.parse(local_id(id, cluster)).job)


def keeps_accounts(cluster: Cluster) -> bool | None:
    """Whether the cluster keeps accounts; None if no kept snapshot says so."""
    kept = cluster.snapshots.kept(datasets.CONFIGURATION)
    return None if kept is None else kept.value.accounting_enabled


def _is_known_in_full(cluster: Cluster) -> bool:
    """Whether the scheduler's jobs were fetched in full."""
    known = cluster.answers.get(datasets.JOBS)
    return known is not None and not (isinstance(known, Snapshot) and squeue.is_brief(known.value))


def accounting_is_off(cluster: Cluster, dataset: Dataset[History]) -> bool:
    """Whether the cluster keeps no accounts; sacct itself may report another fault first."""
    known = cluster.answers.get(datasets.CONFIGURATION)
    off = isinstance(known, Snapshot) and not known.value.accounting_enabled
    return off or isinstance(cluster.answers[dataset], AccountingDisabledError)


def keeps_no_accounts(cluster: Cluster, id: str) -> bool:
    """Whether the cluster answered, now or before, that it keeps no accounts; `id` is the job that was looked for."""
    dataset = datasets.accounted(sacct_search.lookup_id(id))
    asked = dataset in cluster.answers
    return accounting_is_off(cluster, dataset) if asked else keeps_accounts(cluster) is False


def search_of(id: str) -> Search:
    """The search for the files of the job of that id alone."""
    return Search(ids=(sacct_search.lookup_id(id),))


def past_job(cluster: Cluster, id: str) -> PastJob | None:
    """The job with that id from accounting; None if accounting does not know it or is off. Raises RequestError."""
    dataset = datasets.accounted(sacct_search.lookup_id(id))
    if dataset not in cluster.answers or accounting_is_off(cluster, dataset):
        return None
    history = cluster.read(dataset).value
    index = find_job(history.jobs, id)
    return None if index is None else PastJob(cluster, history.jobs, index, history, search_of(id))


def past_jobs(cluster: Cluster, id: str) -> list[PastJob]:
    """As `past_job`, but the id of an array means all of its tasks."""
    dataset = datasets.accounted(sacct_search.lookup_id(id))
    if accounting_is_off(cluster, dataset):
        return []
    history = cluster.read(dataset).value
    found = rows_with_ids(history.jobs, [id])
    return [PastJob(cluster, history.jobs, index, history, search_of(id)) for index in found]
