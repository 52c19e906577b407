"""One SSM command against the local endpoint: the result if it succeeds, and the errors if it does not."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headnode.aws import Clients
from headnode.deadline import Deadline
from headnode.errors import (
    ClusterUnreachableError,
    DeadlineError,
    HeadNodeError,
    OutcomeUnknownError,
    ThrottledError,
)
from headnode.invocation import Invocation, Pace, invoke
from local.aws import CREDENTIALS
from local.ssm import Endpoint, Instance

NODE = "i-0123456789abcdef0"
ENDLESS = "exec sleep 600"


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with Endpoint([Instance(NODE, tmp_path / "node")], directory=tmp_path) as running:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_SSM": running.url}.items():
            monkeypatch.setenv(name, value)
        yield running


def run(script: str, changes: bool = False, seconds: float = 60, **other: str) -> str:
    """Run a shell script by the document that every account has."""
    called = {"document": "AWS-RunShellScript", "instance": NODE, "parameter": "commands", "comment": "test", **other}
    return invoke(
        Clients().ssm,
        Invocation(text=script, changes=changes, repeatable=False, **called),
        Deadline.after(seconds),
        QUICK,
    )


QUICK = Pace(first=0.01, interval=0.02)


def status(command_id: str) -> str:
    return Clients().ssm.get_command_invocation(CommandId=command_id, InstanceId=NODE)["Status"]


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@pytest.mark.parametrize(
    "said",
    [
        "slurmql: nothing was run: the head node has no Python 3",
        "/var/lib/script.sh: line 7: cannot create temp file for here-document: No space left on device",
    ],
)
def test_a_script_that_could_not_begin_changed_nothing(endpoint: Endpoint, said: str) -> None:
    with pytest.raises(ClusterUnreachableError, match="did not run the command"):
        run(f"echo '{said}' >&2; exit 1", changes=True)


def test_the_output_comes_back(endpoint: Endpoint) -> None:
    assert run("echo hello; echo ignored >&2") == "hello\n"
    (sent,) = endpoint.sends
    assert (sent.document, sent.instance_ids, sent.comment) == ("AWS-RunShellScript", (NODE,), "test")


def test_a_comment_is_cut_to_what_ssm_takes(endpoint: Endpoint) -> None:
    run("true", comment="x" * 300)
    assert endpoint.sends[0].comment == "x" * 100


@pytest.mark.parametrize("changes", [False, True])
def test_an_invocation_that_does_not_exist_yet_is_looked_up_again(endpoint: Endpoint, changes: bool) -> None:
    endpoint.faults.invocation_missing = 0.3
    assert run("echo hello", changes) == "hello\n"
    assert len(endpoint.sends) == 1


@pytest.mark.parametrize("changes", [False, True])
def test_a_throttled_call_is_made_again(endpoint: Endpoint, changes: bool) -> None:
    """Also the send of a change: what is throttled was not accepted."""
    endpoint.faults.throttle_next = 2
    assert run("echo hello", changes) == "hello\n"
    assert len(endpoint.sends) == 1


def test_throttled_looks_do_not_lose_the_result(endpoint: Endpoint) -> None:
    endpoint.faults.change({"throttle": 0.4, "seed": 3})
    assert run("echo hello") == "hello\n"
    assert len(endpoint.sends) == 1


def test_a_throttled_look_slows_the_next_one_and_none_after_it(endpoint: Endpoint) -> None:
    """The second look and the third are throttled; the usual pace is a tenth of a second."""
    looks: list[float] = []
    ssm = Clients().ssm

    def looked(**_: object) -> None:
        looks.append(time.monotonic())
        endpoint.faults.throttle_next = 1 if len(looks) in (2, 3) else 0

    ssm.meta.events.register("before-call.ssm.GetCommandInvocation", looked)
    invocation = Invocation("AWS-RunShellScript", NODE, "commands", "sleep 2", "test", changes=False)
    invoke(ssm, invocation, Deadline.after(60), Pace(first=0.1, interval=0.1))
    pauses = [after - before for before, after in itertools.pairwise(looks)]
    assert pauses[1] >= 0.18 and pauses[2] >= 0.36
    assert min(pauses[3:]) < 0.18


@pytest.mark.parametrize("changes", [False, True])
def test_a_command_that_ssm_never_accepts_fails_within_the_deadline(endpoint: Endpoint, changes: bool) -> None:
    endpoint.faults.throttle = 1.0
    started = time.monotonic()
    with pytest.raises(ThrottledError) as caught:
        run("true", changes, seconds=3)
    assert time.monotonic() - started < 20
    assert str(caught.value) == "AWS Systems Manager accepts no more commands at the moment; try again shortly."
    assert endpoint.sends == []


def test_a_read_that_takes_too_long_is_cancelled(endpoint: Endpoint) -> None:
    with pytest.raises(DeadlineError) as caught:
        run(ENDLESS, seconds=2)
    assert str(caught.value) == "The head node did not answer in time; try again, or ask for less."
    wait_until(lambda: status(endpoint.sends[0].command_id) == "Cancelled")


def test_a_change_that_takes_too_long_goes_on_and_its_outcome_is_unknown(endpoint: Endpoint, tmp_path: Path) -> None:
    with pytest.raises(OutcomeUnknownError) as caught:
        run(f"sleep 5; echo done > {tmp_path}/change", changes=True, seconds=3)
    assert str(caught.value) == "The head node did not say in time whether the change was made."
    wait_until((tmp_path / "change").exists)
    wait_until(lambda: status(endpoint.sends[0].command_id) == "Success")


@pytest.mark.parametrize(("changes", "error"), [(False, DeadlineError), (True, OutcomeUnknownError)])
def test_a_reply_that_is_lost_is_a_deadline_that_passes(
    endpoint: Endpoint, changes: bool, error: type[HeadNodeError]
) -> None:
    endpoint.faults.lose_reply = 1
    with pytest.raises(error):
        run("true", changes, seconds=3)


def test_a_read_is_sent_again_if_the_connection_broke(endpoint: Endpoint) -> None:
    endpoint.faults.lose_response = 1
    assert run("echo hello") == "hello\n"
    assert len(endpoint.sends) == 2


def test_a_change_is_not_sent_again_if_the_connection_broke(endpoint: Endpoint) -> None:
    endpoint.faults.lose_response = 1
    with pytest.raises(OutcomeUnknownError) as caught:
        run("true", changes=True)
    assert str(caught.value) == "The connection to AWS Systems Manager broke while sending."
    assert len(endpoint.sends) == 1


def test_a_read_that_fails_is_reported_in_the_nodes_words(endpoint: Endpoint) -> None:
    with pytest.raises(ClusterUnreachableError) as caught:
        run("echo python3: not found >&2; exit 127")
    assert str(caught.value) == f"The command on {NODE} ended with the status Failed: python3: not found."


CRASH = """python3 -c 'def f(): raise KeyError("of our own")
f()'"""


def test_a_program_that_crashes_gives_a_sentence_and_its_output_is_logged(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ClusterUnreachableError) as caught:
        run(CRASH)
    assert str(caught.value) == f"The head node's program failed on {NODE}; the API's log has the traceback."
    assert "Traceback (most recent call last)" in caplog.text and "KeyError: 'of our own'" in caplog.text
    with pytest.raises(OutcomeUnknownError) as change:
        run(CRASH, changes=True)
    assert str(change.value) == f"It is not known whether the change was made. {caught.value}"


def test_a_change_that_fails_may_have_been_made(endpoint: Endpoint) -> None:
    with pytest.raises(OutcomeUnknownError):
        run("exit 1", changes=True)


@pytest.mark.parametrize("changes", [False, True])
def test_a_stopped_instance_is_reported_at_once(endpoint: Endpoint, changes: bool) -> None:
    """The refusal is certain, so the outcome of a change is known."""
    endpoint.instances[0].stopped = True
    with pytest.raises(ClusterUnreachableError) as caught:
        run("true", changes)
    assert NODE in str(caught.value)
    assert "stopped" in str(caught.value)


@pytest.mark.parametrize("changes", [False, True])
def test_a_missing_document_is_reported_at_once(endpoint: Endpoint, changes: bool) -> None:
    with pytest.raises(ClusterUnreachableError) as caught:
        run("true", changes, document="slurmql-gone")
    assert str(caught.value) == "There is no SSM document slurmql-gone: deploy the stack again."


def test_a_parameter_that_the_document_does_not_take_is_reported_by_its_code(endpoint: Endpoint) -> None:
    with pytest.raises(ClusterUnreachableError) as caught:
        run("true", parameter="order")
    assert str(caught.value) == "AWS Systems Manager refused the command: InvalidParameters."


@pytest.mark.parametrize("changes", [False, True])
def test_a_dead_agent_is_reported_long_before_the_deadline(endpoint: Endpoint, changes: bool) -> None:
    """SSM takes the command and waits; GetConnectionStatus says that nobody listens."""
    endpoint.instances[0].online = False
    deadline = Deadline.after(25)
    with pytest.raises(ClusterUnreachableError) as caught:
        run("true", changes, seconds=deadline.remaining)
    assert str(caught.value) == f"The SSM agent of {NODE} is not connected: is the head node up?"
    assert deadline.remaining > 5
    endpoint.instances[0].online = True
    assert status(endpoint.sends[0].command_id) == "Cancelled"


@pytest.mark.parametrize(("changes", "error"), [(False, ClusterUnreachableError), (True, OutcomeUnknownError)])
def test_a_change_that_cannot_be_cancelled_may_be_made_when_the_agent_is_back(
    endpoint: Endpoint, changes: bool, error: type[HeadNodeError]
) -> None:
    endpoint.instances[0].online = False
    ssm = Clients().ssm
    ssm.meta.events.register("before-call.ssm.CancelCommand", lambda **_: endpoint.stop())
    called = Invocation("AWS-RunShellScript", NODE, "commands", "true", "test", changes)
    with pytest.raises(error, match=f"The SSM agent of {NODE} is not connected"):
        invoke(ssm, called, Deadline.after(25), QUICK)


def test_an_agent_that_is_late_but_connected_is_waited_for(endpoint: Endpoint) -> None:
    endpoint.faults.delivery_delay = 3.5
    assert run("echo hello") == "hello\n"


def test_an_endpoint_that_is_gone_is_reported_within_the_deadline(endpoint: Endpoint) -> None:
    endpoint.stop()
    with pytest.raises(ClusterUnreachableError) as caught:
        run("true", seconds=0.5)
    assert str(caught.value) == "AWS Systems Manager cannot be reached."
