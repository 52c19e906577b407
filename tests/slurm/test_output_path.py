"""The file a pattern names: as sbatch --output=PATTERN made it on a real 22.05.8."""

import pytest

from slurm.output_path import output_path

JOB = {"work_dir": "/home/ada", "job": "7", "array_job": "7", "array_task": "N/A", "user": "ada", "name": "nm"}
TASK = JOB | {"job": "44", "array_job": "40", "array_task": "3"}
WAITING = JOB | {"job": "40", "array_job": "40", "array_task": "5-9%2"}


@pytest.mark.parametrize(
    ("pattern", "of_a_job", "of_a_task"),
    [
        ("o.out", "o.out", "o.out"),
        ("o-%j", "o-7", "o-44"),
        ("o-%J", "o-7", "o-44"),
        ("o-%A", "o-7", "o-40"),
        ("o-%a", "o-4294967294", "o-3"),
        ("o-%5j", "o-00007", "o-00044"),
        ("o-%05j", "o-00007", "o-00044"),
        ("o-%12j", "o-0000000007", "o-0000000044"),
        ("o-%0j", "o-7", "o-44"),
        ("o-%4a", "o-4294967294", "o-0003"),
        ("o-%u-%9u-%x-%5x", "o-ada-ada-nm-nm", "o-ada-ada-nm-nm"),
        ("o-%n-%3n-%t-%2t", "o-0-000-0-00", "o-0-000-0-00"),
        ("o-%s-%3s", "o-batch-batch", "o-batch-batch"),
        ("o-%%j", "o-%j", "o-%j"),
        ("o-%q-%", "o-%q-%", "o-%q-%"),
        ("o\\%j", "o%j", "o%j"),
    ],
)
def test_a_pattern_is_filled_in_as_slurm_does(pattern: str, of_a_job: str, of_a_task: str) -> None:
    assert output_path(f"/home/ada/{pattern}", **JOB) == f"/home/ada/{of_a_job}"
    assert output_path(f"/scratch/{pattern}", **TASK) == f"/scratch/{of_a_task}"


def test_signs_in_the_working_folder_s_name_are_no_pattern() -> None:
    odd = JOB | {"work_dir": "/home/100%j\\x"}
    assert output_path("/home/100%j\\x/slurm-%j.out", **odd) == "/home/100%j\\x/slurm-7.out"


def test_a_name_that_looks_like_a_pattern_is_put_in_as_it_is() -> None:
    assert output_path("/home/ada/%x.out", **JOB | {"name": "%j"}) == "/home/ada/%j.out"


@pytest.mark.parametrize("pattern", ["slurm-40_4294967294.out", "o-%a", "o-%j", "o-%A_%4a", "o-%J"])
def test_waiting_tasks_have_no_one_file(pattern: str) -> None:
    assert output_path(f"/home/ada/{pattern}", **WAITING) is None


@pytest.mark.parametrize("pattern", ["all.out", "all-%A.out"])
def test_waiting_tasks_may_share_a_file(pattern: str) -> None:
    assert output_path(f"/home/ada/{pattern}", **WAITING) == f"/home/ada/{pattern}".replace("%A", "40")


@pytest.mark.parametrize("pattern", ["N/A", "(null)", "", "/home/ada/%N.out", "/home/ada/%b.out"])
def test_what_slurm_does_not_tell_is_none(pattern: str) -> None:
    assert output_path(pattern, **JOB) is None
