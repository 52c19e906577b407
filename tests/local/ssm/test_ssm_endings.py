"""How scripts end, and what the API makes of each ending."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ssm import SSMClient

from local.ssm import Endpoint

from .conftest import NODE, Run, settled, wait_until


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def command_line(process: Path) -> str:
    """The arguments of a process in /proc; none once it has ended."""
    try:
        return (process / "cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def pid_in(file: Path) -> int:
    return int(wait_until(lambda: file.exists() and file.read_text().endswith("\n") and file.read_text()) or 0)


def status(ssm: SSMClient, command_id: str) -> str:
    return ssm.get_command_invocation(CommandId=command_id, InstanceId=NODE)["Status"]


@pytest.mark.parametrize(
    ("script", "state", "details", "code", "stderr"),
    [
        ("exit 3", "Failed", "Failed", 3, "failed to run commands: exit status 3"),
        ("printf oh >&2; exit 255", "Failed", "Failed", 255, "ohfailed to run commands: exit status 255"),
        ("kill -KILL 0", "Failed", "Failed", -1, "failed to run commands: signal: killed"),
        ("kill -TERM 0", "Failed", "Failed", -1, "failed to run commands: signal: terminated"),
        ("echo why >&2; exit 137", "TimedOut", "ExecutionTimedOut", 137, "why\n"),
        ("echo gone >&2; exit 168", "Success", "Success", 168, ""),
        ("exit 194", "Success", "Success", 194, ""),
        (
            "exit 169",
            "Failed",
            "Failed",
            169,
            "failed to run commands: exit status 169\nStep exited with code 169. "
            "Therefore, marking step as Failed. Further document steps will be skipped.",
        ),
    ],
)
def test_an_exit_code_becomes_a_state(run: Run, script: str, state: str, details: str, code: int, stderr: str) -> None:
    result = run(script)
    assert (result["Status"], result["StatusDetails"], result["ResponseCode"]) == (state, details, code)
    assert result["StandardErrorContent"] == stderr


@pytest.mark.parametrize(("code", "outcome"), [(168, "succeeded"), (169, "Failed")])
def test_168_and_169_append_to_stdout(run: Run, code: int, outcome: str) -> None:
    assert run(f"echo hi; exit {code}")["StandardOutputContent"] == (
        f"hi\n\nStep exited with code {code}. Therefore, marking step as {outcome}. "
        "Further document steps will be skipped."
    )


def test_194_is_marked_as_a_reboot_and_does_not_reboot(run: Run, endpoint: Endpoint) -> None:
    run("exit 0")
    result = run("exit 194")
    assert endpoint.reboots == [result["CommandId"]]


def test_a_script_over_its_time_is_killed_with_its_group(run: Run, tmp_path: Path) -> None:
    result = run(f"echo begun; sleep 60 & echo $! > {tmp_path}/child; wait", seconds=20)
    assert (result["Status"], result["StatusDetails"], result["ResponseCode"]) == (
        "TimedOut",
        "ExecutionTimedOut",
        137,
    )
    assert (result["StandardOutputContent"], result["StandardErrorContent"]) == ("begun\n", "")
    child = pid_in(tmp_path / "child")
    wait_until(lambda: not alive(child))


@pytest.mark.parametrize("seconds", [1, 4])
def test_a_time_limit_below_five_seconds_counts_as_an_hour(run: Run, seconds: int) -> None:
    result = run("sleep 0.15; echo survived", seconds=seconds)
    assert result["StandardOutputContent"] == "survived\n"


def test_what_left_the_process_group_survives_the_kill(run: Run, tmp_path: Path) -> None:
    pid_file = tmp_path / "daemon"
    run(f"setsid sh -c 'echo $$ > {pid_file}; exec sleep 60' >/dev/null 2>&1 & sleep 60", seconds=20)
    daemon = pid_in(pid_file)
    assert alive(daemon)
    os.kill(daemon, 9)


def test_a_child_that_keeps_stdout_open_holds_the_command(
    ssm: SSMClient, send: Callable[..., str], tmp_path: Path
) -> None:
    command_id = send(f"(sleep 0.4; echo late) & echo done > {tmp_path}/shell; exit 0")
    wait_until((tmp_path / "shell").exists)
    time.sleep(0.1)
    assert status(ssm, command_id) == "InProgress"
    assert settled(ssm, command_id)["StandardOutputContent"] == "late\n"


def test_a_child_that_closed_its_streams_does_not_hold_the_command(run: Run, tmp_path: Path) -> None:
    before = time.monotonic()
    run(f"setsid sleep 30 </dev/null >/dev/null 2>&1 & echo $! > {tmp_path}/child")
    assert time.monotonic() - before < 5
    os.kill(pid_in(tmp_path / "child"), 9)


def test_a_cancel_kills_the_group_and_keeps_the_output(
    ssm: SSMClient, send: Callable[..., str], tmp_path: Path
) -> None:
    command_id = send(f"echo partial; sleep 60 & echo $! > {tmp_path}/child; wait")
    child = pid_in(tmp_path / "child")
    ssm.cancel_command(CommandId=command_id)
    result = settled(ssm, command_id)
    assert (result["Status"], result["StatusDetails"], result["ResponseCode"]) == (
        "Cancelled",
        "Cancelled",
        137,
    )
    assert result["StandardOutputContent"] == "partial\n"
    wait_until(lambda: not alive(child))


def test_a_cancel_takes_effect_after_the_delivery_delay(
    ssm: SSMClient, send: Callable[..., str], endpoint: Endpoint, tmp_path: Path
) -> None:
    command_id = send(f"echo > {tmp_path}/begun; sleep 60")
    wait_until((tmp_path / "begun").exists)
    endpoint.faults.delivery_delay = 0.3
    ssm.cancel_command(CommandId=command_id)
    assert status(ssm, command_id) == "InProgress"
    assert settled(ssm, command_id)["Status"] == "Cancelled"


def test_a_command_cancelled_before_delivery_never_runs(
    ssm: SSMClient, send: Callable[..., str], endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.faults.delivery_delay = 0.2
    command_id = send(f"echo > {tmp_path}/ran")
    ssm.cancel_command(CommandId=command_id)
    assert settled(ssm, command_id)["ResponseCode"] == -1
    time.sleep(0.3)
    assert not (tmp_path / "ran").exists()


def test_a_cancel_of_an_ended_command_changes_nothing(ssm: SSMClient, run: Run) -> None:
    command_id = run("true")["CommandId"]
    ssm.cancel_command(CommandId=command_id)
    assert status(ssm, command_id) == "Success"


def test_a_cancel_of_an_unknown_command_is_refused(ssm: SSMClient) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(ClientError) as caught:
        ssm.cancel_command(CommandId=unknown)
    assert caught.value.response["Error"]["Code"] == "InvalidCommandId"
    assert caught.value.response["Error"]["Message"] == f"Command id {unknown} does not exist."


def test_five_commands_run_at_once_five_wait_and_the_next_is_delayed(
    ssm: SSMClient, send: Callable[..., str], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    script = f"echo > {tmp_path}/began-$SSM_COMMAND_ID; until [ -e {gate} ]; do sleep 0.02; done"
    ids = [send(script) for _ in range(11)]

    def began() -> set[str]:
        return {each.name.removeprefix("began-") for each in tmp_path.glob("began-*")}

    wait_until(lambda: len(began()) == 5)
    time.sleep(0.1)
    assert began() == set(ids[:5])
    assert [status(ssm, each) for each in ids] == ["InProgress"] * 10 + ["Delayed"]
    gate.touch()
    assert [settled(ssm, each)["Status"] for each in ids] == ["Success"] * 11


def test_sixty_commands_sent_at_once_all_run(ssm: SSMClient, send: Callable[..., str]) -> None:
    with ThreadPoolExecutor(12) as senders:
        ids = list(senders.map(lambda number: send(f"echo {number}"), range(60)))
    answers = [settled(ssm, each)["StandardOutputContent"] for each in ids]
    assert answers == [f"{number}\n" for number in range(60)]


def test_stop_ends_every_process(endpoint: Endpoint, send: Callable[..., str], tmp_path: Path) -> None:
    send(f"echo $$ > {tmp_path}/shell; sleep 300 & echo $! > {tmp_path}/child; wait")
    pids = [pid_in(tmp_path / "shell"), pid_in(tmp_path / "child")]
    assert all(alive(pid) for pid in pids)
    endpoint.stop()
    wait_until(lambda: not any(alive(pid) for pid in pids))
    assert not [pid for pid in Path("/proc").glob("[0-9]*") if str(tmp_path) in command_line(pid)]
