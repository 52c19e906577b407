"""How a command runs in a bare machine and ends, and which settings of this machine's package clients it finds."""

import os
from pathlib import Path

import pytest

from local.fresh import __main__, registries
from local.fresh.machine import BARE_ENVIRONMENT, Machine

SECONDS = f"43210.{os.getpid()}"
"""How long processes sleep that this test run recognises as its own."""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make namespaces and enter a chroot")


@pytest.fixture
def machine() -> Machine:
    """This machine's own root folder: the mounts are made in the command's namespaces all the same."""
    return Machine(Path("/"), BARE_ENVIRONMENT)


def running_with(word: str) -> list[str]:
    """The processes that have the word among their arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(process.name)
        except OSError:
            continue  # it has just ended
    return found


@needs_root
def test_a_command_has_the_bare_environment_its_folder_and_a_proc_of_its_own(machine: Machine, tmp_path: Path) -> None:
    with machine.running(
        ["sh", "-c", "pwd; env | cut -d= -f1 | sort | xargs; ls -d /proc/1"], "/usr", tmp_path / "log"
    ) as run:
        assert run.wait(20) == 0
        assert run.output().split() == ["/usr", "HOME", "PATH", "PWD", "/proc/1"]


@needs_root
def test_what_a_command_leaves_behind_is_reported_and_killed(machine: Machine, tmp_path: Path) -> None:
    with machine.running(["sh", "-c", f"setsid sleep {SECONDS} & sleep 0.5; exit 3"], "/", tmp_path / "log") as run:
        assert run.wait(20) == 3
        assert run.output() == f"left behind: sleep {SECONDS}\n"
    assert running_with(SECONDS) == []


@needs_root
def test_ctrl_c_reaches_the_command_which_may_end_in_its_own_way(machine: Machine, tmp_path: Path) -> None:
    script = "trap 'echo stopped; exit 7' INT; echo ready; while :; do sleep 0.1; done"
    with machine.running(["sh", "-c", script], "/", tmp_path / "log") as run:
        assert run.wait_for("^ready$", 20, lambda output: None)
        run.interrupt()
        assert run.wait(20) == 7
        assert run.output() == "ready\nstopped\n"


@needs_root
def test_a_command_that_still_runs_at_the_end_of_the_block_is_killed(machine: Machine, tmp_path: Path) -> None:
    with machine.running(["sh", "-c", f"echo begun; sleep {SECONDS}; true"], "/", tmp_path / "log") as run:
        assert run.wait_for("begun", 20, lambda output: None)
        assert run.wait(0.1) is None
        assert running_with(SECONDS)
    assert running_with(SECONDS) == []


@needs_root
def test_waiting_for_a_line_ends_with_the_command(machine: Machine, tmp_path: Path) -> None:
    with machine.running(["true"], "/", tmp_path / "log") as run:
        assert not run.wait_for("ready", 20, lambda output: None)


def test_pip_s_addresses_and_certificates_are_carried_and_nothing_that_chooses_packages() -> None:
    listed = """\
global.cert='/etc/ssl/ca.pem'
global.constraint='/etc/pip/constraints.txt'
global.extra-index-url='file:///opt/simple https://packages.example/simple'
global.find-links='/opt/wheels'
install.no-binary=':all:'
:env:.cert='/etc/ssl/of-the-environment.pem'
:env:.default-timeout='180'
"""
    assert registries.pip_settings(listed) == {
        "cert": "/etc/ssl/of-the-environment.pem",
        "extra-index-url": "https://packages.example/simple",
        "default-timeout": "180",
    }
    assert registries.pip_settings("global.extra-index-url='file:///opt/simple'\n") == {}


def test_npm_s_settings_without_a_value_are_not_carried() -> None:
    printed = "registry=https://npm.example/a=b\ncafile=/etc/ssl/ca.pem\nproxy=null\nnoproxy=\nhttps-proxy=undefined\n"
    assert registries.npm_settings(printed) == {"registry": "https://npm.example/a=b", "cafile": "/etc/ssl/ca.pem"}


def test_proxy_and_certificate_variables_are_carried() -> None:
    environment = {"https_proxy": "http://proxy:3128", "SSL_CERT_FILE": "/ca.pem", "no_proxy": "", "AWS_PROFILE": "x"}
    assert registries.variables(environment) == {"https_proxy": "http://proxy:3128", "SSL_CERT_FILE": "/ca.pem"}


def test_a_file_that_a_setting_names_is_copied_where_no_package_puts_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in registries.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    certificate = tmp_path / "ca.pem"
    certificate.write_text("certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("PIP_CERT", str(certificate))
    root = tmp_path / "root"
    carried = registries.carry(root)
    assert carried == {"SSL_CERT_FILE": f"/carried{certificate}", "https_proxy": "http://proxy:3128"}
    assert (root / carried["SSL_CERT_FILE"].lstrip("/")).read_text() == "certificate"
    assert f"cert = /carried{certificate}\n" in (root / "etc/pip.conf").read_text()
    assert (root / "etc/apt/apt.conf.d/90carried").exists()


def test_only_root_can_make_a_bare_machine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("sys.argv", ["make fresh", "trixie"])
    assert __main__.main() == __main__.NOT_HERE
    assert "only root" in capsys.readouterr().out


@needs_root
def test_a_machine_that_cannot_be_made_differs_from_a_failed_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLURMQL_CACHE", str(tmp_path))
    monkeypatch.setenv("SLURMQL_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")
    monkeypatch.setattr("sys.argv", ["make fresh", "trixie", "--quick"])
    assert __main__.main() == __main__.NOT_HERE
    assert "debootstrap failed" in capsys.readouterr().err
