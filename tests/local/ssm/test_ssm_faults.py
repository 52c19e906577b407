"""The knobs: delays, races, throttling, losses, dead agents."""

import base64
import gzip
import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from mypy_boto3_ssm import SSMClient

from local.ssm import Endpoint, Faults
from local.ssm.faults import ENDINGS, NOT_DELIVERED
from local.ssm.spoiling import WAYS

from .conftest import NODE, Run, settled, wait_until


def status(ssm: SSMClient, command_id: str) -> str:
    return ssm.get_command_invocation(CommandId=command_id, InstanceId=NODE)["Status"]


def test_a_command_is_pending_until_it_is_delivered(
    ssm: SSMClient, send: Callable[..., str], endpoint: Endpoint
) -> None:
    endpoint.faults.delivery_delay = 0.2
    command_id = send("sleep 0.3")
    assert status(ssm, command_id) == "Pending"
    wait_until(lambda: status(ssm, command_id) == "InProgress")
    assert settled(ssm, command_id)["Status"] == "Success"


def test_a_result_is_seen_only_after_the_visibility_lag(
    ssm: SSMClient, send: Callable[..., str], endpoint: Endpoint, tmp_path: Any
) -> None:
    endpoint.faults.visibility_lag = 0.3
    command_id = send(f"echo > {tmp_path}/done")
    wait_until((tmp_path / "done").exists)
    time.sleep(0.1)
    assert status(ssm, command_id) == "InProgress"
    assert settled(ssm, command_id)["Status"] == "Success"


def test_an_invocation_does_not_exist_right_after_the_send(
    ssm: SSMClient, send: Callable[..., str], endpoint: Endpoint
) -> None:
    endpoint.faults.invocation_missing = 0.25
    command_id = send("true")
    with pytest.raises(ClientError) as caught:
        status(ssm, command_id)
    assert caught.value.response["Error"] == {
        "Code": "InvocationDoesNotExist",
        "Message": f"Invocation not found for {command_id}, {NODE}",
    }
    time.sleep(0.25)
    assert settled(ssm, command_id)["Status"] == "Success"


def test_the_next_calls_are_throttled(ssm: SSMClient, endpoint: Endpoint, run: Run) -> None:
    endpoint.faults.throttle_next = 2
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            ssm.describe_instance_information()
        assert caught.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert run("true")["Status"] == "Success"


def test_throttling_by_chance_is_repeatable(ssm: SSMClient, endpoint: Endpoint) -> None:
    def throttled() -> bool:
        try:
            ssm.describe_instance_information()
        except ClientError:
            return True
        return False

    endpoint.faults.change({"throttle": 0.5, "seed": 7})
    first = [throttled() for _ in range(20)]
    endpoint.faults.change({"seed": 7})
    assert [throttled() for _ in range(20)] == first
    assert 0 < sum(first) < 20


def test_a_throttled_send_is_not_carried_out(endpoint: Endpoint, send: Callable[..., str]) -> None:
    endpoint.faults.throttle = 1.0
    with pytest.raises(ClientError, match="ThrottlingException"):
        send("true")
    assert endpoint.sends == []


def test_a_lost_reply_leaves_the_command_in_progress_until_it_expires(
    ssm: SSMClient, send: Callable[..., str], endpoint: Endpoint, tmp_path: Any
) -> None:
    endpoint.faults.lose_reply = 1
    command_id = send(f"echo > {tmp_path}/done", seconds=20, TimeoutSeconds=30)
    wait_until((tmp_path / "done").exists)
    time.sleep(0.1)
    assert status(ssm, command_id) == "InProgress"
    result = settled(ssm, command_id)
    assert (result["Status"], result["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    assert settled(ssm, send("true"))["Status"] == "Success", "only one reply was to be lost"


def test_a_send_whose_response_is_lost_was_carried_out(
    endpoint: Endpoint, send: Callable[..., str], tmp_path: Any
) -> None:
    endpoint.faults.lose_response = 1
    with pytest.raises(ConnectionClosedError):
        send(f"echo > {tmp_path}/ran")
    wait_until((tmp_path / "ran").exists)
    assert len(endpoint.sends) == 1
    send("true")
    assert len(endpoint.sends) == 2


def test_an_agent_that_is_offline_lets_the_delivery_time_out(
    ssm: SSMClient, send: Callable[..., str], endpoint: Endpoint, tmp_path: Any
) -> None:
    endpoint.instances[0].online = False
    assert ssm.get_connection_status(Target=NODE)["Status"] == "notconnected"
    before = time.monotonic()
    command_id = send(f"echo > {tmp_path}/ran", seconds=10, TimeoutSeconds=30)
    assert status(ssm, command_id) == "Pending"
    result = settled(ssm, command_id)
    assert 0.35 < time.monotonic() - before < 2, "(30 s + 10 s) at 10 ms each"
    assert (result["Status"], result["StatusDetails"], result["ResponseCode"]) == (
        "TimedOut",
        "DeliveryTimedOut",
        -1,
    )
    endpoint.instances[0].online = True
    time.sleep(0.1)
    assert not (tmp_path / "ran").exists()


def test_a_script_that_outlives_the_expiry_is_given_up_and_its_late_reply_ignored(
    ssm: SSMClient, send: Callable[..., str], tmp_path: Any
) -> None:
    # 2 counts in ExpiresAfter, but the agent takes it for an hour.
    command_id = send(f"sleep 0.6; echo > {tmp_path}/done", seconds=2, TimeoutSeconds=30)
    assert settled(ssm, command_id)["StatusDetails"] == "DeliveryTimedOut"
    assert not (tmp_path / "done").exists()
    wait_until((tmp_path / "done").exists)
    time.sleep(0.1)
    assert settled(ssm, command_id)["StatusDetails"] == "DeliveryTimedOut"


def test_an_agent_that_comes_back_in_time_runs_what_waited(
    ssm: SSMClient, send: Callable[..., str], endpoint: Endpoint
) -> None:
    endpoint.instances[0].online = False
    command_id = send("echo at last")
    assert status(ssm, command_id) == "Pending"
    endpoint.instances[0].online = True
    assert settled(ssm, command_id)["StandardOutputContent"] == "at last\n"


def test_realistic_latency_is_about_0_4_seconds(endpoint: Endpoint, run: Run) -> None:
    endpoint.faults.change(Faults.realistic().as_json())
    before = time.monotonic()
    run("true")
    assert 0.3 < time.monotonic() - before < 0.8


def test_the_environment_chooses_the_latency() -> None:
    assert Faults.from_environment({}) == Faults()
    assert Faults.from_environment({"SSM_LATENCY": "realistic"}) == Faults.realistic()
    with pytest.raises(ValueError, match="SSM_LATENCY"):
        Faults.from_environment({"SSM_LATENCY": "slow"})


def over_http(url: str, change: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the endpoint's own address
        url,
        method="PATCH" if change else "GET",
        data=json.dumps(change).encode() if change else None,
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the endpoint's own address
        return json.load(answer)


def test_another_process_can_turn_the_knobs(endpoint: Endpoint) -> None:
    assert over_http(f"{endpoint.url}/_local/faults") == Faults().as_json()
    changed = over_http(f"{endpoint.url}/_local/faults", {"lose_reply": True, "visibility_lag": 0.5})
    assert changed == over_http(f"{endpoint.url}/_local/faults")
    assert (endpoint.faults.lose_reply, endpoint.faults.visibility_lag) == (True, 0.5)


@pytest.mark.parametrize(
    "change", [{"speed": 1}, {"throttle": "much"}, {"old_agent": 3}, {"visibility_lag": -1}, {"seed": True}]
)
def test_a_knob_that_does_not_fit_is_refused_and_nothing_changes(endpoint: Endpoint, change: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        over_http(f"{endpoint.url}/_local/faults", {"lose_reply": True, **change})
    assert caught.value.code == 400
    assert endpoint.faults == Faults()


def test_another_process_can_count_the_sends_but_not_read_their_parameters(endpoint: Endpoint, run: Run) -> None:
    result = run("true", Comment="mine")
    (sent,) = over_http(f"{endpoint.url}/_local/sends")
    assert sent["commandId"] == result["CommandId"]
    assert (sent["document"], sent["instanceIds"], sent["comment"]) == (
        "AWS-RunShellScript",
        [NODE],
        "mine",
    )
    assert sent.keys() == {"commandId", "document", "instanceIds", "comment", "requested"}
    assert abs(sent["requested"] - time.time()) < 5


def test_a_foreign_host_name_is_refused(endpoint: Endpoint) -> None:
    request = urllib.request.Request(f"{endpoint.url}/_local/sends", headers={"Host": "evil.example:80"})  # noqa: S310 - the endpoint's own address
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)  # noqa: S310 - the endpoint's own address
    assert caught.value.code == 403


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_answer_ends_with_success_and_another_text(way: str, endpoint: Endpoint, run: Run) -> None:
    """The agent is content: only what the program printed is not what it printed."""
    printed = base64.b64encode(gzip.compress(json.dumps({"replies": [{"exit_code": 0}]}).encode())).decode()
    endpoint.faults.spoil = way
    result = run(f"echo {printed}")
    assert result["Status"] == "Success"
    assert result["StandardOutputContent"].strip() != printed


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_command_ends_as_the_fault_says(ending: str, endpoint: Endpoint, run: Run, tmp_path: Path) -> None:
    endpoint.faults.ending = ending
    assert run(f"echo > {tmp_path}/ran")["StatusDetails"] == ending
    assert (tmp_path / "ran").exists() == (ending not in NOT_DELIVERED)


def test_an_unknown_ending_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(ValueError, match="ending is one of Undeliverable"):
        endpoint.faults.change({"ending": "Success"})
