"""The file that a pattern names, as real Slurm 22.05.8 made it, and as other releases do by their sources."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.cluster import Cluster
from slurm.output_path import Release, output_path, release, stderr_path, stdout_path

JOB = {"work_dir": "/home/ada", "job": "7", "array_job": "7", "array_task": "N/A", "user": "ada", "name": "nm"}
TASK = JOB | {"job": "44", "array_job": "40", "array_task": "3"}
LAST_TASK = JOB | {"job": "40", "array_job": "40", "array_task": "9"}
WAITING = JOB | {"job": "40", "array_job": "40", "array_task": "5-9%2"}
R22, R24, R25, R26 = (22, 5), (24, 11), (25, 5), (26, 5)


def path(printed: str, row: dict[str, Any], release: Release | None = None) -> str | None:
    return output_path(printed, **row, release=release)


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
        ("o-%q-%-", "o-%q-%-", "o-%q-%-"),
        ("o\\%j", "o%j", "o%j"),
    ],
)
def test_a_pattern_is_filled_in_as_slurm_does(pattern: str, of_a_job: str, of_a_task: str) -> None:
    for any_release in (None, R22, R24, R26):
        assert path(f"/home/ada/{pattern}", JOB, any_release) == f"/home/ada/{of_a_job}"
        assert path(f"/scratch/{pattern}", TASK, any_release) == f"/scratch/{of_a_task}"


@pytest.mark.parametrize("printed", ["/home/ada/slurm-7.out", "/home/ada/slurm-%j.out", "slurm-%j.out"])
def test_a_job_that_named_no_file_has_slurms(printed: str) -> None:
    assert path(printed, JOB) == "/home/ada/slurm-7.out"


@pytest.mark.parametrize("printed", ["/home/ada/slurm-44.out", "/home/ada/slurm-%A_%a.out", "slurm-%A_%a.out"])
def test_a_task_that_named_no_file_has_one_with_both_numbers_whatever_squeue_prints(printed: str) -> None:
    assert path(printed, TASK) == "/home/ada/slurm-40_3.out"


def test_the_last_task_has_the_arrays_raw_id() -> None:
    assert path("/home/ada/slurm-40.out", LAST_TASK) == "/home/ada/slurm-40_9.out"
    assert path("/home/ada/%A-%a-%j", LAST_TASK) == "/home/ada/40-9-40"


@pytest.mark.parametrize("printed", ["/home/ada/slurm-40.out", "/home/ada/o-%a", "/home/ada/o-%j", "slurm-%A_%a.out"])
def test_an_arrays_waiting_tasks_have_no_one_file(printed: str) -> None:
    assert path(printed, WAITING) is None


def test_an_arrays_waiting_tasks_may_share_a_file() -> None:
    assert path("/home/ada/all-%A.out", WAITING) == "/home/ada/all-40.out"


def test_a_relative_pattern_is_under_the_working_folder() -> None:
    assert path("logs/%j", JOB) == "/home/ada/logs/7"
    assert path("logs/%j", JOB | {"work_dir": "/"}) == "/logs/7"


def test_symbols_in_the_working_folders_name_are_no_pattern() -> None:
    odd = JOB | {"work_dir": "/home/100%j\\x"}
    for printed in ("slurm-%j.out", "/home/100%j\\x/slurm-%j.out", "/home/100%j\\x/slurm-7.out"):
        assert path(printed, odd) == "/home/100%j\\x/slurm-7.out"


def test_a_name_that_looks_like_a_pattern_is_inserted_unchanged() -> None:
    assert path("/home/ada/%x.out", JOB | {"name": "%j\\"}) == "/home/ada/%j\\.out"


def test_the_host_is_the_short_name_of_the_first_node_and_unknown_before_the_job_starts() -> None:
    assert path("/o-%N", JOB | {"host": "queue1-dy-large-1"}) == "/o-queue1-dy-large-1"
    assert path("/o-%N", JOB | {"host": "n1.example.org"}) == "/o-n1"
    assert path("/o-%N", JOB | {"host": "n/a"}) is None


def test_the_number_of_restarts_is_known_where_squeue_is_asked_for_it() -> None:
    assert path("/o-%3r", JOB | {"restarts": "2"}, R26) == "/o-002"
    assert path("/o-%3r", JOB, R26) is None


@pytest.mark.parametrize("printed", ["N/A", "(null)", ""])
def test_no_file_is_none(printed: str) -> None:
    assert path(printed, JOB) is None


ROW = ("/home/ada", "7", "7", "N/A", "ada", "nm")


def test_errors_go_with_the_output_unless_they_have_a_file() -> None:
    assert stderr_path("/e-%j", "/o-%j", *ROW) == "/e-7"
    assert stderr_path("(null)", "/o-%j", *ROW) == "/o-7"  # since 24.05


def test_a_job_without_a_script_has_no_file_though_squeue_names_one() -> None:
    assert stdout_path("/home/ada/slurm-7.out", "N/A", *ROW) is None
    assert stderr_path("N/A", "/home/ada/slurm-7.out", *ROW) is None


@pytest.mark.parametrize(
    ("pattern", "r22", "r24", "r26"),
    [
        ("o-%b", "o-%b", "o-3", "o-3"),
        ("o-%r", "o-%r", "o-%r", None),
        ("o-%S", "o-%S", "o-%S", None),
        ("o-%12z", "o-2z", "o-2z", "o-%12z"),
        ("o-%4%j", "o-444", "o-444", "o-%4%j"),
        ("o-%5", "o-5", "o-5", "o-%5"),
        ("o-%", "o-%", "o-%", "o-"),
        ("o\\\\%j", "o\\%j", "o\\%j", "o%j"),
    ],
)
def test_differences_between_releases_need_a_known_release(pattern: str, r22: str, r24: str, r26: str | None) -> None:
    assert path(f"/{pattern}", TASK, R22) == f"/{r22}"
    assert path(f"/{pattern}", TASK, R24) == path(f"/{pattern}", TASK, R25) == f"/{r24}"
    assert path(f"/{pattern}", TASK, R26) == (None if r26 is None else f"/{r26}")
    if len({r22, r24, r26}) > 1 and pattern != "o-%4%j":
        assert path(f"/{pattern}", TASK) is None


def test_a_release_is_read_from_a_version() -> None:
    assert release("22.05.8") == (22, 5)
    assert release("24.11.5-rc1") == (24, 11)
    assert release("slurm") is None


@given(st.text(max_size=30), st.sampled_from([JOB, TASK, LAST_TASK, WAITING]), st.sampled_from([None, R22, R26]))
def test_any_pattern_gives_an_absolute_path_or_none(pattern: str, row: dict[str, Any], of: Release | None) -> None:
    found = path(pattern, row, of)
    assert found is None or found.startswith("/")


REAL = [
    "a-%j-%4j-%12j-%J-%A-%a-%n-%s-%t-%u-%x-%%j-%z-%4z-%12z-%b-%r-%3n.out",
    "%%%%j-%4%-%4%j.out",
    "\\%j.out",
    "x\\\\%j.out",
    "end%5",
    "end%",
    "p%%%j.out",
    "x%0j-%010j-%10j-%9j.out",
]


def test_real_jobs_write_where_it_is_said(lab: Cluster) -> None:
    numbers = [_submit(lab, "-o", pattern, "-J", "na me%j") for pattern in REAL]
    numbers += [_submit(lab), _submit(lab, "--array=1-2"), _submit(lab, "--array=3-4", "-o", "%A-%3a-%j")]
    columns = (
        "StdOut",
        "StdErr",
        "WorkDir",
        "JobID",
        "ArrayJobID",
        "ArrayTaskID",
        "UserName",
        "Name",
        "BatchHost",
        "RestartCnt",
    )
    rows = _ended(lab, numbers, columns)
    told = {stdout_path(*row, release=lab.programs.slurm_version()) for row in rows}
    assert len(rows) == len(told) == len(REAL) + 5
    assert told <= {str(file) for file in lab.user("ada").workspace.iterdir()}


def _submit(cluster: Cluster, *options: str) -> str:
    """A job on the nodes that are up; a cloud node would have to boot for it."""
    argv = ["sbatch", "--parsable", "-C", "static", *options]
    return cluster.run(*argv, user="ada", input="#!/bin/bash\necho hi\n").stdout.strip()


def _ended(cluster: Cluster, numbers: list[str], columns: tuple[str, ...]) -> list[list[str]]:
    """The rows of the jobs, once all of them have ended."""
    form = ",".join(f"{column}:\x1f" for column in columns)
    give_up = time.monotonic() + 120
    while cluster.run("squeue", "-h", "-t", "PD,R,CG,CF", "-j", ",".join(numbers)).stdout:
        assert time.monotonic() < give_up, "the jobs do not end"
        time.sleep(0.2)
    printed = cluster.run("squeue", "-h", "-t", "all", "-j", ",".join(numbers), "-O", form).stdout
    return [line.split("\x1f")[:-1] for line in printed.splitlines()]
