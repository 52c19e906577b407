"""Job ids: "123", "123_4", "123_[5-9%2]", "123+0" (man scancel; man squeue, JobArrayID)."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd

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


ARGUMENT = rf"[1-9][0-9]{{0,9}}(_{_NUMBER}|_\[{_STEP}(,{_STEP})*\]|\+[0-9]{{1,4}})?"
"""The pattern of an id as a command takes it: without the `%limit` of an array's waiting tasks."""


@dataclass(frozen=True)
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

    @cached_property
    def task_numbers(self) -> Sequence[range]:
        """The array's tasks that are meant, in ranges: of `123_[1,5-9:2%4]` 1, and 5, 7, 9; () if none is named."""
        if self.task is not None:
            return (range(self.task, self.task + 1),)
        if self.tasks is None:
            return ()
        return tuple(_numbers(step) for step in self.tasks.partition("%")[0].split(","))

    def without(self, numbers: Collection[int]) -> "JobId":
        """The id without some of its tasks, `1_[2-5%1]` without 3 is `1_[2,4-5%1]`; the same if none would be left."""
        left: list[range] = []
        for tasks in self.task_numbers:
            start = 0
            for place in sorted(tasks.index(number) for number in numbers if number in tasks):
                left.append(tasks[start:place])
                start = place + 1
            left.append(tasks[start:])
        spelled = [_spell(tasks) for tasks in left if tasks]
        if self.tasks is None or not spelled:
            return self
        _, percent, limit = self.tasks.partition("%")
        return parse(f"{self.job}_[{','.join(spelled)}{percent}{limit}]")

    def common(self, other: "JobId") -> "JobId | None":
        """The tasks that both ids mean, None if there are none: of `1_[2-9]` and `1_[1-7:3]` it is `1_[4,7]`."""
        if self.job != other.job:
            return None
        shared = [_meet(mine, others) for mine in self.task_numbers for others in other.task_numbers]
        numbers = [_spell(found) for found in shared if found]
        if not numbers:
            return None
        return parse(
            f"{self.job}_{numbers[0]}"
            if numbers[0].isdigit() and len(numbers) == 1
            else f"{self.job}_[{','.join(numbers)}]"
        )


def _numbers(step: str) -> range:
    """ "5-9:2" as a range. A falling one is empty, as it is an error to Slurm."""
    bounds, _, width = step.partition(":")
    low, _, high = bounds.partition("-")
    return range(int(low), int(high or low) + 1, int(width or 1) or 1)


def _spell(numbers: range) -> str:
    if len(numbers) == 1:
        return str(numbers[0])
    width = f":{numbers.step}" if numbers.step > 1 else ""
    return f"{numbers[0]}-{numbers[-1]}{width}"


def _meet(one: range, other: range) -> range:
    """What both rising ranges hold; they are not counted through, as they may have billions of members."""
    divisor = gcd(one.step, other.step)
    away = other.start - one.start
    if away % divisor:
        return range(0)
    # The first place in `one`, from its start on, that falls on a step of `other` (Chinese remainder theorem).
    steps = other.step // divisor
    place = away // divisor * pow(one.step // divisor, -1, steps) % steps
    start, width = one.start + place * one.step, one.step * steps
    start += max(0, -((start - other.start) // width)) * width
    return range(start, min(one.stop, other.stop), width)


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


def argument(text: str) -> str:
    """The id as a command takes it: without the `%limit` that squeue shows. Raises ParseError as `parse` does."""
    return re.sub(r"%\d+\]$", "]", str(parse(text)))
