"""Making and entering another Debian suite: what is refused, and that a failure leaves nothing half made."""

import os
import subprocess
from pathlib import Path

import pytest

from local.suite import Chroot, SuiteError, __main__, debootstrap, suite
from local.suite.mirror import mirror

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a suite")


def test_an_unknown_suite_is_refused_with_the_known_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLURMQL_CACHE", str(tmp_path))
    with pytest.raises(SuiteError, match="no suite woody: bullseye, bookworm, trixie, forky"):
        suite.made("woody", print)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_suite_is_not_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLURMQL_CACHE", str(tmp_path))
    root = tmp_path / "suites" / "trixie"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/curl").touch()
    said: list[str] = []
    assert suite.made("trixie", said.append) == root
    assert said == []


@needs_root
def test_a_mirror_that_does_not_answer_leaves_a_log_and_no_suite(tmp_path: Path) -> None:
    keyring = Path("/") / debootstrap.KEYRING
    with pytest.raises(SuiteError, match=r"debootstrap failed with status 1: .* \(all of it: .*\.log\)"):
        debootstrap.make("trixie", tmp_path / "trixie", "http://127.0.0.1:9/debian", keyring, print)
    (log,) = tmp_path.iterdir()
    assert log.suffix == ".log"


@needs_root
def test_a_suite_that_cannot_be_made_differs_from_a_failed_suite(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLURMQL_CACHE", str(tmp_path))
    monkeypatch.setenv("SLURMQL_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")
    monkeypatch.setattr("sys.argv", ["make test-slurm", "trixie"])
    assert __main__.main() == __main__.NOT_HERE
    assert "debootstrap failed" in capsys.readouterr().err


def test_a_configured_mirror_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURMQL_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")
    assert mirror() == "http://127.0.0.1:9/debian"


def test_without_one_it_is_that_of_this_machines_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURMQL_DEBIAN_MIRROR", raising=False)
    argv = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian"]
    known = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split()
    if not known:
        with pytest.raises(SuiteError, match="apt knows no Debian archive"):
            mirror()
    else:
        assert mirror() in known


@needs_root
def test_a_program_runs_inside_as_the_given_account_and_in_the_given_folder(tmp_path: Path) -> None:
    """This machine's own root folder is a suite like any other."""
    tmp_path.chmod(0o755)
    command = Chroot(Path("/")).command(["sh", "-c", "id -u; id -g; id -G; pwd"], "/usr", (1234, 1235, (1235, 1236)))
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["1234", "1235", "1235", "1236", "/usr"]


def test_links_to_places_inside_count_as_there(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr" / "slurmctld").symlink_to("/etc/alternatives/of-the-suite")
    chroot = Chroot(tmp_path)
    assert chroot.has(Path("/usr/slurmctld"))
    assert not chroot.has(Path("/usr/sinfo"))
