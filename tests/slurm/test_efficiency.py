"""CPU and memory efficiency."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.efficiency import Efficiency, efficiency


@dataclass(frozen=True)
class Given:
    elapsed_seconds: int | None = 100
    cpu_count: int | None = 4
    memory_mib: int | None = 1000


@dataclass(frozen=True)
class Used:
    cpu_time_seconds: int | None = None
    max_rss_mib: int | None = None
    total_rss_mib: int | None = None


def test_one_cpu_of_four_and_half_the_memory() -> None:
    assert efficiency(Given(), [Used(100, 500, 500)]) == Efficiency(cpu=0.25, memory=0.5)


def test_cpu_time_of_steps_adds_up_and_memory_is_that_of_the_largest() -> None:
    assert efficiency(Given(), [Used(100, 500), Used(300, 200)]) == Efficiency(cpu=1.0, memory=0.5)


def test_the_whole_jobs_cpu_time_wins_over_the_sum_of_its_steps() -> None:
    assert efficiency(Given(), [Used(100), Used(100)], cpu_time_seconds=202).cpu == 202 / 400


def test_all_tasks_of_a_step_count() -> None:
    assert efficiency(Given(), [Used(max_rss_mib=200, total_rss_mib=800)]).memory == 0.8


def test_a_task_that_gave_memory_back_counts_with_its_most() -> None:
    assert efficiency(Given(), [Used(max_rss_mib=700, total_rss_mib=100)]).memory == 0.7


@pytest.mark.parametrize(
    "job", [Given(elapsed_seconds=0), Given(elapsed_seconds=None), Given(cpu_count=None), Given(cpu_count=0)]
)
def test_no_cpu_efficiency_without_allocated_cpu_time(job: Given) -> None:
    assert efficiency(job, [Used(100)]).cpu is None


@pytest.mark.parametrize("job", [Given(memory_mib=0), Given(memory_mib=None)])
def test_no_memory_efficiency_where_memory_is_not_managed(job: Given) -> None:
    assert efficiency(job, [Used(1, 500)]).memory is None


@pytest.mark.parametrize("steps", [[], [Used()], [Used(), Used()]])
def test_unknown_is_not_zero(steps: list[Used]) -> None:
    assert efficiency(Given(), steps) == Efficiency(None, None)


amounts = st.none() | st.integers(0, 2**40)


@given(st.builds(Given, amounts, amounts, amounts), st.lists(st.builds(Used, amounts, amounts, amounts)), amounts)
def test_efficiency_is_total(job: Given, steps: list[Used], cpu_time: int | None) -> None:
    found = efficiency(job, steps, cpu_time)
    assert all(share is None or share >= 0 for share in (found.cpu, found.memory))
