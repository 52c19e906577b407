"""The errors that callers get if Systems Manager or the agent fails, and how soon."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from conftest import Api, event
from local.cluster import Cluster
from local.ssm import Faults, Instance
from local.stack import Stack

RESERVED = 1.0  # seconds that the handler keeps for saying what it has to say
QUERY = "{ jobs { totalCount } }"
SUBMIT = """mutation ($name: String!) {
  submitJob(input: { script: {text: "#!/bin/bash\\ntrue\\n"}, name: $name, hold: true }) {
    job { id } errors { message } } }"""


@dataclass(frozen=True)
class Context:
    """Lambda's context of an invocation that has little time left."""

    end: float
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.end - time.monotonic()) * 1000)


def ask(api: Api, document: str, seconds: float = 20, **variables: Any) -> dict[str, Any]:
    """The answer to a request that has so many seconds for its commands."""
    body = json.dumps({"query": document, "variables": variables})
    response = api.handler(event(body), Context(time.monotonic() + seconds + RESERVED))
    assert response["statusCode"] == 200
    answer: dict[str, Any] = json.loads(response["body"])
    return answer


def only_error(answer: dict[str, Any]) -> tuple[str, str]:
    """The code and the sentence."""
    (error,) = answer["errors"]
    return error["extensions"]["code"], error["message"]


@pytest.fixture(autouse=True)
def faults(stack: Stack) -> Iterator[Faults]:
    yield stack.ssm.faults
    stack.ssm.faults.change(Faults().as_json())


@pytest.fixture
def head_node(stack: Stack) -> Iterator[Instance]:
    instance = stack.ssm.instances[0]
    yield instance
    instance.online, instance.stopped = True, False


def last_status(stack: Stack) -> str:
    last = stack.ssm.sends[-1]
    answer = stack.ssm_client().get_command_invocation(CommandId=last.command_id, InstanceId=last.instance_ids[0])
    status: str = answer["Status"]
    return status


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def jobs_named(lab: Cluster, name: str) -> list[str]:
    return lab.run("squeue", "-h", "-t", "all", "-n", name, "-o", "%i").stdout.split()


def test_throttled_calls_are_made_again(api: Api, faults: Faults) -> None:
    faults.throttle_next = 3
    before = api.commands()
    assert "errors" not in ask(api, QUERY)
    assert api.commands() == before + 1


def test_a_throttled_submission_is_made_once(api: Api, faults: Faults, lab: Cluster) -> None:
    faults.throttle_next = 3
    answer = ask(api, SUBMIT, name="throttled")
    assert answer["data"]["submitJob"]["errors"] == []
    assert len(jobs_named(lab, "throttled")) == 1


def test_endless_throttling_is_reported(api: Api, faults: Faults, lab: Cluster) -> None:
    faults.throttle = 1.0
    code = "THROTTLED"
    sentence = "AWS Systems Manager accepts no more commands at the moment; try again shortly."
    assert only_error(ask(api, QUERY, seconds=3)) == (code, sentence)
    assert only_error(ask(api, SUBMIT, seconds=4, name="refused-by-aws")) == (code, sentence)
    assert jobs_named(lab, "refused-by-aws") == []


def test_an_invocation_that_ssm_does_not_show_yet_is_waited_for(api: Api, faults: Faults) -> None:
    faults.invocation_missing = 1.0
    assert "errors" not in ask(api, QUERY)


def test_a_dead_agent_is_reported_long_before_the_deadline(api: Api, head_node: Instance, stack: Stack) -> None:
    head_node.online = False
    started = time.monotonic()
    code, sentence = only_error(ask(api, QUERY, seconds=26))
    assert code == "CLUSTER_UNREACHABLE"
    assert sentence == f"The SSM agent of {head_node.id} is not connected: is the head node up?"
    assert time.monotonic() - started < 15
    head_node.online = True
    assert "errors" not in ask(api, QUERY)


def test_a_submission_to_a_dead_agent_is_not_made_later(api: Api, head_node: Instance, lab: Cluster) -> None:
    head_node.online = False
    assert only_error(ask(api, SUBMIT, seconds=26, name="too-late"))[0] == "CLUSTER_UNREACHABLE"
    head_node.online = True
    assert "errors" not in ask(api, QUERY)  # the agent works off what came before
    assert jobs_named(lab, "too-late") == []


def test_a_command_that_is_not_delivered_in_time_is_a_timeout_and_cancelled(
    api: Api, faults: Faults, stack: Stack
) -> None:
    faults.delivery_delay = 30.0
    code, sentence = only_error(ask(api, QUERY, seconds=1))
    assert (code, sentence) == ("TIMEOUT", "The head node did not answer in time; try again, or ask for less.")
    wait_until(lambda: last_status(stack) == "Cancelled")


def test_a_read_whose_reply_is_lost_is_a_timeout(api: Api, faults: Faults) -> None:
    faults.lose_reply = 1
    assert only_error(ask(api, QUERY, seconds=1))[0] == "TIMEOUT"
    assert "errors" not in ask(api, QUERY)


def test_a_submission_whose_reply_is_lost_may_have_been_made(api: Api, faults: Faults, lab: Cluster) -> None:
    """And here it was. The caller learns that it is not known, and not that it failed."""
    faults.lose_reply = 1
    code, sentence = only_error(ask(api, SUBMIT, seconds=4, name="reply-lost"))
    assert code == "OUTCOME_UNKNOWN"
    assert sentence == "The head node did not say in time whether the change was made."
    wait_until(lambda: len(jobs_named(lab, "reply-lost")) == 1)


def test_with_a_key_a_submission_whose_reply_is_lost_can_be_made_again(api: Api, faults: Faults, lab: Cluster) -> None:
    submit = SUBMIT.replace("hold: true", 'hold: true, idempotencyKey: "lost and found"')
    faults.lose_reply = 1
    assert only_error(ask(api, submit, seconds=4, name="with-a-key"))[0] == "OUTCOME_UNKNOWN"
    wait_until(lambda: len(jobs_named(lab, "with-a-key")) == 1)
    answer = ask(api, submit, name="with-a-key")
    (job,) = jobs_named(lab, "with-a-key")
    assert answer["data"]["submitJob"] == {"job": {"id": f"lab:{job}"}, "errors": []}


def test_without_a_key_the_error_has_one_to_retry_with(api: Api, faults: Faults, lab: Cluster) -> None:
    faults.lose_reply = 1
    (error,) = ask(api, SUBMIT, seconds=4, name="no-key")["errors"]
    wait_until(lambda: len(jobs_named(lab, "no-key")) == 1)
    key = error["extensions"]["idempotencyKey"]
    answer = ask(api, SUBMIT.replace("hold: true", f'hold: true, idempotencyKey: "{key}"'), name="no-key")
    (job,) = jobs_named(lab, "no-key")
    assert answer["data"]["submitJob"] == {"job": {"id": f"lab:{job}"}, "errors": []}


def test_a_read_whose_connection_breaks_is_sent_again(api: Api, faults: Faults) -> None:
    faults.lose_response = 1
    assert "errors" not in ask(api, QUERY)


def test_a_submission_whose_connection_breaks_is_sent_again_and_made_once(
    api: Api, faults: Faults, lab: Cluster
) -> None:
    """Each has a key, the caller's or the API's: the head node makes one job of both commands."""
    faults.lose_response = 1
    before = api.commands()
    assert "errors" not in ask(api, SUBMIT, name="connection-lost")
    assert api.commands() == before + 2
    assert len(jobs_named(lab, "connection-lost")) == 1


def test_another_change_whose_connection_breaks_is_not_sent_again(api: Api, faults: Faults, lab: Cluster) -> None:
    argv = ("sbatch", "--parsable", "--hold", "--job-name=connection-lost-again")
    job = lab.run(*argv, user=lab.users[0].name, input="#!/bin/sh\ntrue\n").stdout.strip()
    faults.lose_response = 1
    before = api.commands()
    cancel = f'mutation {{ cancelJobs(input: {{ jobs: {{ ids: ["{job}"] }} }}) {{ ids }} }}'
    code, sentence = only_error(ask(api, cancel))
    assert (code, sentence) == ("OUTCOME_UNKNOWN", "The connection to AWS Systems Manager broke while sending.")
    assert api.commands() == before + 1
    wait_until(lambda: lab.run("squeue", "-h", "-j", job, "-t", "all", "-o", "%T").stdout.strip() == "CANCELLED")


@pytest.mark.parametrize("document", [QUERY, SUBMIT])
def test_a_stopped_instance_is_reported_at_once(document: str, api: Api, head_node: Instance) -> None:
    head_node.stopped = True
    started = time.monotonic()
    code, sentence = only_error(ask(api, document, name="stopped"))
    assert code == "CLUSTER_UNREACHABLE"
    assert head_node.id in sentence
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("document", [QUERY, SUBMIT])
def test_a_missing_document_is_reported(document: str, api: Api, stack: Stack) -> None:
    stack.ssm.documents.replace("slurmql", None)
    try:
        error = only_error(ask(api, document, name="no-document"))
    finally:
        stack.ssm.documents.replace("slurmql", json.dumps(stack.document))
    assert error == ("CLUSTER_UNREACHABLE", "There is no SSM document slurmql: deploy the stack again.")


@pytest.mark.parametrize("is_known", [True, False], ids=["head node known", "head node to be looked up"])
def test_a_request_without_time_left_leaves_nothing_running(is_known: bool, api: Api) -> None:
    import handler

    node = handler.clusters["lab"].node
    node._discovery.forget()
    if is_known:
        node.instance()
    before = api.commands()
    assert only_error(ask(api, QUERY, seconds=0.0))[0] == "TIMEOUT"
    assert api.commands() == before


def test_a_failure_is_not_kept(api: Api, faults: Faults) -> None:
    faults.throttle = 1.0
    # Time enough to look up the head node and to reach SSM, which is what must be throttled.
    assert only_error(ask(api, QUERY, seconds=2.0))[0] == "THROTTLED"
    faults.throttle = 0.0
    assert "errors" not in ask(api, QUERY)


@pytest.fixture(scope="module", autouse=True)
def no_jobs_left(lab: Cluster) -> Iterator[None]:
    yield
    for name in ("throttled", "reply-lost", "with-a-key", "connection-lost"):
        lab.run("scancel", f"--name={name}")
