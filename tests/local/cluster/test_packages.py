"""What `python -m local.packages` does on a machine that lacks something."""

import pytest

from local import packages


def test_nothing_is_printed_or_done_if_all_packages_are_installed(capsys: pytest.CaptureFixture[str]) -> None:
    if packages.missing(packages.ACCOUNTING):
        pytest.skip("this machine lacks a package")
    assert packages.main() == packages.main(["--accounting"]) == 0
    assert capsys.readouterr() == ("", "")


def test_without_apt_the_missing_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(packages, "FOLDERS", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert packages.main() == 1
    said = capsys.readouterr().err
    assert said.startswith("slurmctld, slurmd, slurm-client, munge, curl missing, and there is no apt-get")
    assert packages.main(["--accounting"]) == 1
    said = capsys.readouterr().err
    everything = "slurmctld, slurmd, slurm-client, munge, curl, slurmdbd, mariadb-server-core, mariadb-client-core"
    assert said.startswith(f"{everything} missing")
