"""The files of jobs that accounting remembers: sacct's StdOut and StdErr, since Slurm 24.05 (sacct(1)).

If sacct does not know a column it prints nothing at all, so a separate command reads these columns: an older sacct
then ends at once, without a query to slurmdbd.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from slurm import framing, output_path, sacct, sacct_search
from slurm.command import Command, Question, Reply
from slurm.hostlist import expand
from slurm.output_path import Release
from slurm.text import NULL

_COLUMNS = ("DBIndex", "StdOut", "StdErr")
SINCE = "24.05"


@dataclass(frozen=True)
class AccountedFiles:
    """What jobs named as their files, StdOut and StdErr, by their runs' keys; None where Slurm does not record it."""

    patterns: Mapping[str, tuple[str, str]] | None

    def stdout_path(self, job: sacct.HistoryJob, release: Release | None) -> str | None:
        """The file that took the job's output; None for a job without a script, or where it is not recorded."""
        stdout, _ = self._of(job)
        return output_path.output_path(stdout, *_row(job), release=release)

    def stderr_path(self, job: sacct.HistoryJob, release: Release | None) -> str | None:
        """The file that took the job's errors: that of its output, if it named none."""
        stdout, stderr = self._of(job)
        return output_path.stderr_path(stderr or NULL, stdout, *_row(job), release=release)

    def _of(self, job: sacct.HistoryJob) -> tuple[str, str]:
        return (self.patterns or {}).get(job.run, ("", ""))


def _row(job: sacct.HistoryJob) -> list[str]:
    """What slurm.output_path takes, from WorkDir on."""
    texts, index = job.rows.texts, job.index
    array, task = (job.array_job_id or "N/A", job.job_id.partition("_")[2] or "N/A")
    host = next(iter(expand(texts["NodeList"][index])), "n/a")
    restarts = str(job.restart_count)
    return [texts["WorkDir"][index], job.raw_id, array, task, job.user, job.name, host, restarts]


def accounted_files(search: sacct_search.Search) -> Question[AccountedFiles]:
    """The files of the jobs that a search finds. Raises and reading raises as sacct.history."""
    parts = sacct_search.options(search)
    separators = [framing.separator() for _ in parts]
    commands = tuple(
        Command(sacct_search.SACCT, {"allocations": "", **part, "format": ",".join(_COLUMNS), "delimiter": separator})
        for part, separator in zip(parts, separators, strict=True)
    )
    return Question(commands, partial(read, separators=separators))


def read(replies: Sequence[Reply], separators: Sequence[str]) -> AccountedFiles:
    """The rows of every sacct. Raises as sacct.read."""
    patterns: dict[str, tuple[str, str]] = {}
    for reply, separator in zip(replies, separators, strict=True):
        if reply.exit_code == 1 and "Invalid field requested" in reply.stderr:
            return AccountedFiles(None)
        texts = sacct_search.texts(reply, separator, _COLUMNS).texts
        patterns |= dict(zip(texts["DBIndex"], zip(texts["StdOut"], texts["StdErr"], strict=True), strict=True))
    return AccountedFiles(patterns)
