"""Job ids: "123", "123_4", "123_[5-9%2]", "123+0" (man scancel; man squeue, JobArrayID)."""

import re
from dataclasses import dataclass

from slurm.errors import ParseError
from slurm.text import NO_VAL

# MAX_HET_JOB_COMPONENTS in slurm/slurm.h is 128; two digits more cost nothing.
_NUMBER = "(?:0|[1-9][0-9]{0,9})"
_STEP = f"{_NUMBER}(?:-{_NUMBER}(?::{_NUMBER})?)?"
_ID = re.compile(
    rf"(?P<job>[1-9][0-9]{{0,9}})"
    rf"(?:_(?P<task>{_NUMBER})"
    rf"|_\[(?P<tasks>{_STEP}(?:,{_STEP})*(?:%{_NUMBER})?)\]"
    rf"|\+(?P<component>0|[1-9][0-9]{{0,3}}))?"
)


@dataclass(frozen=True, slots=True)
class JobId:
    """A job, one task of an array, an array's waiting tasks, or a component of a heterogeneous job.

    At most one of `task`, `tasks` and `component` is set. `tasks` is the text between the brackets, such as
    "1,3,5-9:2" or "5-9%2". str() is Slurm's own spelling.
    """

    job: int
    task: int | None = None
    tasks: str | None = None
    component: int | None = None

    def __str__(self) -> str:
        if self.task is not None:
            return f"{self.job}_{self.task}"
        if self.tasks is not None:
            return f"{self.job}_[{self.tasks}]"
        if self.component is not None:
            return f"{self.job}+{self.component}"
        return str(self.job)


def parse(text: str) -> JobId:
    """The id that `text` spells, safe to hand to scancel or scontrol; str() of it is `text` again.

    Raises ParseError for everything else: options ("-1"), steps ("123.batch"), filters ("name=x"), blanks,
    leading zeros, numbers from 2**32 - 2 upward, and a task list that squeue has cut ("123_[1-5,...]").
    """
    match = _ID.fullmatch(text)
    if match is None:
        raise ParseError("job id", text)
    job, task, tasks, component = match.group("job", "task", "tasks", "component")
    if int(job) >= NO_VAL or (task is not None and int(task) >= NO_VAL):
        raise ParseError("job id", text)
    return JobId(int(job), None if task is None else int(task), tasks, None if component is None else int(component))
