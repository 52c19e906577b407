"""The rows that accounting has of one job: a row for each run after it was requeued, and for each size of a run; and
one for an array's tasks that waited.

A size that ended is RESIZING, and the next one was submitted when it ended. Up to 22.05 the next one starts with the
job, so that both cover the time before; later it starts when the last size ended.
"""

from collections.abc import Collection, Mapping, Sequence

from slurm import job_id
from slurm.duration import seconds
from slurm.errors import ParseError
from slurm.hostlist import PLACEHOLDERS
from slurm.sacct_search import RUN_AGAIN
from slurm.states import ENDED, JobState, job_state
from slurm.text import NO_WORD

Texts = Mapping[str, Sequence[str]]
"""sacct's columns, each with its text in every row."""


def ended(texts: Texts) -> dict[str, list[str]]:
    """The rows, each with the end of its job, if that never started: sacct's Start is then the same moment.

    Slurm 24.11 records no End of a job that it cancels while it takes the submission, because its dependency can never
    be satisfied: sacct prints Unknown, and an ElapsedRaw that grows for ever.
    """
    rows = {column: list(values) for column, values in texts.items()}
    columns = (rows[column] for column in ("State", "NodeList", "End"))
    for row, (state, nodes, end) in enumerate(zip(*columns, strict=True)):
        if job_state(state) in ENDED and nodes in PLACEHOLDERS and end in NO_WORD:
            rows["End"][row], rows["ElapsedRaw"][row], rows["CPUTimeRAW"][row] = rows["Start"][row], "0", "0"
    return rows


def joined(texts: Texts) -> dict[str, list[str]]:
    """The rows with one for each job that was resized: the last size, with the time since the first and all steps.

    Submit, Eligible and Start are the first size's; ElapsedRaw, CPUTimeRAW and TotalCPU count all of them.
    """
    rows = {column: list(values) for column, values in texts.items()}
    chains = _chains(texts)
    run_of = {texts["DBIndex"][size]: texts["DBIndex"][chain[-1]] for chain in chains for size in chain}
    rows["DBIndex"] = [run_of.get(run, run) for run in texts["DBIndex"]]
    for chain in chains:
        first, last = chain[0], chain[-1]
        for column in ("Submit", "Eligible", "Start"):
            rows[column][last] = texts[column][first]
        rows["ElapsedRaw"][last] = str(sum(_elapsed(texts, chain)))
        rows["CPUTimeRAW"][last] = str(sum(_reserved(texts, chain)))
        rows["TotalCPU"][last] = _cpu_time([texts["TotalCPU"][size] for size in chain])
    smaller = {size for chain in chains for size in chain[:-1]}
    kept = [index for index in range(len(texts["JobID"])) if index not in smaller]
    return {column: [values[index] for index in kept] for column, values in rows.items()}


def shared_by_waiting_tasks(texts: Texts) -> dict[str, list[str]]:
    """The rows; that of an array's waiting tasks without those that have rows of their own.

    Accounting keeps such a row, `7_[2-5%1]`, as it was some tasks ago: it still names tasks that have started since.
    """
    own: dict[tuple[str, str], set[int]] = {}
    for id, user in zip(texts["JobID"], texts["User"], strict=True):
        array, _, task = id.partition("_")
        if task.isdecimal():
            own.setdefault((array, user), set()).add(int(task))
    ids = [
        _less(id, own.get((id.partition("_")[0], user), set())) if "_[" in id and "." not in id else id
        for id, user in zip(texts["JobID"], texts["User"], strict=True)
    ]
    return {**{column: list(values) for column, values in texts.items()}, "JobID": ids}


def _less(id: str, tasks: Collection[int]) -> str:
    try:
        return str(job_id.parse(id).without(tasks)) if tasks else id
    except ParseError:
        return id  # reading the job, and no other, raises it


def _chains(texts: Texts) -> list[list[int]]:
    """The rows of each job that was resized, in the order of their sizes."""
    by_job: dict[tuple[str, str], list[int]] = {}
    for index, (id, number, user) in enumerate(zip(texts["JobID"], texts["JobIDRaw"], texts["User"], strict=True)):
        if "." not in id:
            by_job.setdefault((number, user), []).append(index)
    chains = []
    for runs in by_job.values():
        chain: list[int] = []
        for index in sorted(runs, key=lambda index: (digits(texts["Submit"][index]), digits(texts["DBIndex"][index]))):
            chain.append(index)
            if job_state(texts["State"][index]) is not JobState.RESIZING:
                chains.append(chain)
                chain = []
        chains.append(chain)
    return [chain for chain in chains if len(chain) > 1]


def _elapsed(texts: Texts, chain: Sequence[int]) -> list[int]:
    """The seconds of each size, without those that an earlier one covers."""
    ends = [0, *(digits(texts["End"][size]) for size in chain)]
    overlaps = [
        max(0, end - digits(texts["Start"][size])) if end else 0 for size, end in zip(chain, ends, strict=False)
    ]
    return [max(0, digits(texts["ElapsedRaw"][size]) - overlap) for size, overlap in zip(chain, overlaps, strict=True)]


def _reserved(texts: Texts, chain: Sequence[int]) -> list[int]:
    """The CPU seconds of each size."""
    return [
        digits(texts["CPUTimeRAW"][size]) * own // (digits(texts["ElapsedRaw"][size]) or 1)
        for size, own in zip(chain, _elapsed(texts, chain), strict=True)
    ]


def restart_count(texts: Mapping[str, Sequence[str]], runs: Sequence[int]) -> int:
    """How many of the runs of one number, in order, are earlier ones of the job that the last belongs to."""
    *earlier, last = runs
    count = 1 if job_state(texts["State"][last]) is JobState.REQUEUED else 0
    for run in reversed(earlier):
        state = job_state(texts["State"][run])
        if texts["User"][run] != texts["User"][last] or state not in RUN_AGAIN:
            break
        count += 1
    return count


def _cpu_time(texts: Sequence[str]) -> str:
    """The sum, with a fraction as sacct prints it unless nothing was measured.

    A time that cannot be read stands for the sum, so that reading the job, and no other, raises ParseError.
    """
    total = 0
    for text in texts:
        try:
            total += seconds(text) or 0
        except ParseError:
            return text
    fraction = ".000" if any(text not in ("", "00:00:00") for text in texts) else ""
    return f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}{fraction}"


def digits(text: str) -> int:
    """A number in decimal digits; 0 for any other text."""
    return int(text) if text.isdecimal() else 0
