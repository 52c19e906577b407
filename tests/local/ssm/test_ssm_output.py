"""What is left of a script's output: cuts, marks, bytes that are not text, replies that are too large."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from mypy_boto3_ssm import SSMClient

from local.ssm import streams

from .conftest import Run, settled, wait_until


def test_stdout_below_24_000_bytes_is_whole(run: Run) -> None:
    assert run("head -c 23999 /dev/zero | tr '\\0' x")["StandardOutputContent"] == "x" * 23_999


@pytest.mark.parametrize("size", [24_000, 300_000])
def test_stdout_of_24_000_bytes_is_cut_and_marked(run: Run, size: int) -> None:
    result = run(f"head -c {size} /dev/zero | tr '\\0' x")
    assert result["StandardOutputContent"] == "x" * 23_980 + "--output truncated--"
    assert result["Status"] == "Success"


def test_stderr_is_cut_at_8_000_characters(run: Run) -> None:
    assert run("head -c 9000 /dev/zero | tr '\\0' e >&2")["StandardErrorContent"] == "e" * 8_000


def test_the_agents_line_about_a_failure_is_cut_with_the_rest(run: Run) -> None:
    result = run("head -c 8000 /dev/zero | tr '\\0' e >&2; exit 1")
    assert result["StandardErrorContent"] == "e" * 8_000


def test_the_cut_counts_bytes_and_may_split_a_character(run: Run) -> None:
    result = run("yes € | head -n 9000 | tr -d '\\n'")
    assert result["StandardOutputContent"] == "€" * 7_993 + "\ufffd--output truncated--"


def test_bytes_that_are_not_text_become_replacement_characters(run: Run) -> None:
    result = run(r"printf 'a\377\376\303b\000c'")
    assert result["StandardOutputContent"] == "a\ufffd\ufffd\ufffdb\0c"


def test_each_byte_of_a_broken_character_is_replaced_by_its_own(run: Run) -> None:
    assert run(r"printf '\342\202x'")["StandardOutputContent"] == "\ufffd\ufffdx"


def test_a_reply_over_120_000_json_bytes_never_arrives(ssm: SSMClient, send: Callable[..., str]) -> None:
    command_id = send("head -c 20000 /dev/zero", seconds=20, TimeoutSeconds=30)
    result = settled(ssm, command_id)
    assert (result["Status"], result["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    assert (result["ResponseCode"], result["StandardOutputContent"]) == (-1, "")


def test_as_many_bytes_of_plain_text_do_arrive(run: Run) -> None:
    assert len(run("head -c 20000 /dev/zero | tr '\\0' x")["StandardOutputContent"]) == 20_000


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        (b"plain", '"plain"'),
        (b'"\\\n\r\t', r'"\"\\\n\r\t"'),
        (b"<>&", r'"\u003c\u003e\u0026"'),
        (b"\x00\x1f", r'"\u0000\u001f"'),
        (b"\xff\xc3", r'"\ufffd\ufffd"'),
        ("€\u2028".encode(), '"€' + r'\u2028"'),
    ],
)
def test_json_is_measured_as_go_writes_it(raw: bytes, escaped: str) -> None:
    assert streams.go_json_length(raw) == len(escaped.encode())


def test_output_is_empty_until_the_end(ssm: SSMClient, send: Callable[..., str], tmp_path: Any) -> None:
    command_id = send(f"echo early; echo > {tmp_path}/said; until [ -e {tmp_path}/go ]; do sleep 0.02; done")
    wait_until((tmp_path / "said").exists)
    running = ssm.get_command_invocation(CommandId=command_id, InstanceId="i-0123456789abcdef0")
    assert (running["Status"], running["ResponseCode"]) == ("InProgress", -1)
    assert (running["StandardOutputContent"], running["ExecutionEndDateTime"]) == ("", "")
    assert "ExecutionStartDateTime" not in running
    assert "ExecutionElapsedTime" not in running
    (tmp_path / "go").touch()
    assert settled(ssm, command_id)["StandardOutputContent"] == "early\n"


def test_times_are_in_milliseconds_and_the_end_is_whole_seconds_after_the_start(run: Run) -> None:
    result = run("sleep 0.05")
    elapsed = re.fullmatch(r"PT(0\.\d{1,3})S", result["ExecutionElapsedTime"])
    assert elapsed, result["ExecutionElapsedTime"]
    assert float(elapsed[1]) >= 0.05
    assert result["ExecutionStartDateTime"] == result["ExecutionEndDateTime"]
    assert datetime.strptime(result["ExecutionStartDateTime"], "%Y-%m-%dT%H:%M:%S.%fZ")
    assert len(result["ExecutionStartDateTime"]) == len("2026-01-02T03:04:05.678Z")


def test_the_reply_joins_both_streams() -> None:
    assert streams.combined(b"out\n", b"err\n") == b"out\n\n----------ERROR-------\nerr\n"
    assert streams.combined(b"out\n", b"") == b"out\n"


@pytest.mark.parametrize(
    ("stdout", "stderr", "begins", "ends"),
    [
        (b"o\n" * 2_500, b"", b"o\no\n", b"\n---Output truncated---"),
        (b"", b"e\n" * 2_500, b"\n----------ERROR-------\ne\n", b"\n---Error truncated----"),
        (b"o\n" * 2_500, b"e\n" * 2_500, b"o\no\n", b"\n---Error truncated----"),
    ],
)
def test_what_the_reply_joins_is_cut_at_2_500_bytes(stdout: bytes, stderr: bytes, begins: bytes, ends: bytes) -> None:
    output = streams.combined(stdout, stderr)
    assert 2_498 <= len(output) <= 2_500
    assert output.startswith(begins)
    assert output.endswith(ends)


def test_when_both_streams_are_long_each_gets_half_and_its_mark() -> None:
    output = streams.combined(b"o\n" * 2_500, b"e\n" * 2_500)
    before, after = output.split(b"\n----------ERROR-------\n")
    assert before.endswith(b"\n---Output truncated---")
    assert len(before) == len(after)
