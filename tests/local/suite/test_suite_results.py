"""What the table of make test-slurm shows of pytest's own reports."""

import subprocess
import sys
from pathlib import Path

from local.suite.results import Results, read, table

JOBS = """
import pytest

def test_one(): pass
def test_two(): assert False
@pytest.mark.skip(reason="not here")
def test_three(): pass
class TestMore:
    def test_four(self): pass
"""
NODES = """
import pytest

@pytest.fixture
def broken(): raise OSError
def test_one(broken): pass
@pytest.mark.parametrize("dotted", ["a.test_b", "c"])
def test_two(dotted): pass
"""


def run(folder: Path, **modules: str) -> Results:
    """The results of a real pytest run over the modules."""
    for name, text in modules.items():
        (folder / f"test_{name}.py").write_text(text)
    report = folder / "report.xml"
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", str(folder)]
    status = subprocess.run(argv, cwd=folder, capture_output=True, check=False).returncode
    return read(report, status)


def test_each_module_is_a_dataset_and_each_version_a_column(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = run(tmp_path / "old", queued_jobs=JOBS, nodes=NODES)
    new = run(tmp_path / "new", nodes="def test_one(): pass\n")
    assert table({"bullseye 20.11": old, "forky 26.05": new}).split("\n") == [
        "dataset      bullseye 20.11          forky 26.05",
        "nodes        2/3 FAILED              1/1",
        "queued jobs  2/3 (1 skipped) FAILED  -",
        "all          4/6 (1 skipped) FAILED  1/1",
    ]
    assert (old.passed, new.passed) == (False, True)


def test_a_module_that_cannot_be_read_is_a_failure_of_its_dataset(tmp_path: Path) -> None:
    results = run(tmp_path, jobs="import nothing_of_the_kind\n")
    assert not results.passed
    assert table({"x": results}).split("\n")[1:] == ["jobs     0/1 FAILED", "all      0/1 FAILED"]


def test_a_run_without_a_report_is_a_failure(tmp_path: Path) -> None:
    results = read(tmp_path / "report.xml", 2)
    assert not results.passed
    assert table({"x": results}) == "dataset  x\nall      stopped with status 2"


def test_a_run_of_no_tests_is_a_failure(tmp_path: Path) -> None:
    results = run(tmp_path)
    assert not results.passed
    assert table({"x": results}) == "dataset  x\nall      stopped with status 5"
