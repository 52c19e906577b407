"""What make fresh reads from the README and from the output of its commands, and how it sums up."""

import io
import json
import shlex
from pathlib import Path

import pytest

from local.fresh import __main__, newcomer
from local.fresh.newcomer import Step
from local.fresh.progress import Progress

README = (Path(__file__).parents[3] / "README.md").read_text()
PYTEST = """\
tests/slurm/test_sacct.py ........                                       [  7%]
tests/slurm/test_sinfo.py ..F.E..s                                       [100%]
=================================== FAILURES ===================================
=========================== short test summary info ============================
FAILED tests/slurm/test_sinfo.py::test_one - AssertionError: assert 1 == 2
ERROR tests/slurm/test_sinfo.py::test_two - OSError
make: *** [Makefile:43: test] Error 1
"""


def test_the_query_is_the_readmes_own_sent_to_the_api_that_was_started() -> None:
    argv = shlex.split(newcomer.readme_query(README, "http://127.0.0.1:8123"))
    assert argv[:3] == ["curl", "-s", "http://127.0.0.1:8123/graphql"]
    assert "jobs(" in json.loads(argv[argv.index("-d") + 1])["query"]


def test_a_readme_without_a_query_is_an_error() -> None:
    with pytest.raises(ValueError, match="no curl command"):
        newcomer.readme_query("# slurmql\n\n    make run\n\nor use curl.\n", "")


@pytest.mark.parametrize(
    ("answer", "passed", "finding"),
    [
        ('{"data": {"jobs": {"totalCount": 4, "nodes": [{"id": "demo:2"}]}}}', True, "4 jobs"),
        ('{"data": {"jobs": {"totalCount": 0, "nodes": []}}}', False, "no jobs: {"),
        ('{"data": {"jobs": null}, "errors": [{"message": "why"}]}', False, "no jobs: {"),
        ('{"data": {"jobs": {"totalCount": 1, "nodes": [{}]}}, "errors": []}', False, "no jobs: {"),
        ("sh: 1: curl: not found\n", False, "no jobs: sh: 1: curl: not found"),
        ("", False, "no jobs: no answer"),
    ],
)
def test_an_answer_passes_with_jobs_and_without_errors(answer: str, passed: bool, finding: str) -> None:
    judged, said = newcomer.judge(answer)
    assert judged is passed
    assert said.startswith(finding)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("===== 2793 passed, 3 skipped in 412.32s (0:06:52) =====", "2793 passed, 3 skipped"),
        ("== 7 failed, 2786 passed, 1855 errors in 61.03s (0:01:01) ==", "7 failed, 2786 passed, 1855 errors"),
        ("=== 1 passed in 0.05s ===", "1 passed"),
        ("============ no tests ran in 1.90s ============", None),
        ("make: *** [Makefile:43: test] Error 2", None),
    ],
)
def test_the_counts_are_those_of_the_closing_line(line: str, counts: str | None) -> None:
    assert newcomer.closing_counts(f"{PYTEST}{line}\n") == counts


def test_progress_and_failures_are_read_from_the_output() -> None:
    assert newcomer.percentage(PYTEST) == "100%"
    assert newcomer.percentage("installing curl\n") is None
    assert [line.split()[:2] for line in newcomer.failures(PYTEST)] == [
        ["FAILED", "tests/slurm/test_sinfo.py::test_one"],
        ["ERROR", "tests/slurm/test_sinfo.py::test_two"],
    ]
    assert newcomer.last_line("a\nb\n\n") == "b"
    assert newcomer.last_line("\n") == "no output yet"


def test_the_table_has_a_line_for_each_step_of_each_suite() -> None:
    results = {
        "bookworm": [Step("make run", True, "ready after 85 s", 84.9, "run.log")],
        "trixie": [Step("make test", False, "2 failed, 3 passed", 412.2, "test.log")],
    }
    assert __main__.table(results).splitlines() == [
        "suite     step       seconds  result",
        "bookworm  make run   85       ready after 85 s",
        "trixie    make test  412      FAILED: 2 failed, 3 passed",
    ]


def test_a_failed_step_shows_its_failed_tests_or_its_last_lines() -> None:
    assert __main__.excerpt(PYTEST, Path("/x/test.log")).splitlines() == [
        "    FAILED tests/slurm/test_sinfo.py::test_one - AssertionError: assert 1 == 2",
        "    ERROR tests/slurm/test_sinfo.py::test_two - OSError",
        "    (all of it: /x/test.log)",
    ]
    lines = __main__.excerpt("\n".join(map(str, range(100))), Path("/x/run.log")).splitlines()
    assert (len(lines), lines[-2].strip()) == (__main__.SHOWN_LINES + 1, "99")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_renews_itself() -> None:
    output = Terminal()
    progress = Progress("trixie", output)
    progress.show("make test: 7%")
    progress.show("make test: 8%" + "x" * 1000)
    progress.say("make test: done")
    lines = output.getvalue().split("\r\x1b[K")
    assert [line.partition(" s  ")[2][:13] for line in lines[1:]] == ["make test: 7%", "make test: 8%", "make test: do"]
    assert output.getvalue().count("\n") == 1
    assert len(lines[2]) < 1000


def test_a_log_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("local.fresh.progress.time.monotonic", lambda: now)
    output = io.StringIO()
    progress = Progress("trixie", output)
    for second in range(91):
        now = float(second)
        progress.show(f"{second}%")
    assert output.getvalue().splitlines() == [
        "trixie     30 s  30%",
        "trixie     60 s  60%",
        "trixie     90 s  90%",
    ]
