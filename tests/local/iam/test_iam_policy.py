"""What a policy allows: the rules of IAM's user guide."""

from typing import Any

import pytest

from local.iam import Policy
from local.iam.policy import UnknownElementError

NODES = "arn:aws:ec2:eu-west-1:123456789012:instance/*"
NODE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0"


def allow(**statement: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": NODES, **statement}


def test_actions_that_no_statement_allows_are_refused() -> None:
    assert not Policy([]).allows("ssm:SendCommand", NODE)
    assert not Policy([allow()]).allows("ssm:CancelCommand", NODE)
    assert not Policy([allow()]).allows("ssm:SendCommand", NODE.replace("eu-west-1", "eu-west-2"))


def test_a_statement_allows_its_actions_on_its_resources() -> None:
    assert Policy([allow()]).allows("ssm:SendCommand", NODE)
    assert Policy([allow(Action=["ssm:CancelCommand", "ssm:sendcommand"])]).allows("ssm:SendCommand", NODE)
    assert Policy([allow(Resource=["arn:x", NODE])]).allows("ssm:SendCommand", NODE)


def test_a_denial_wins() -> None:
    assert not Policy([allow(), {**allow(), "Effect": "Deny"}]).allows("ssm:SendCommand", NODE)


def test_an_action_without_resources_needs_a_statement_on_everything() -> None:
    assert not Policy([allow()]).allows("ssm:SendCommand")
    assert Policy([allow(Resource="*")]).allows("ssm:SendCommand")


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("arn:a/*", "arn:a/b/c", True),
        ("arn:a/?", "arn:a/b", True),
        ("arn:a/?", "arn:a/bc", False),
        ("arn:a.b", "arn:axb", False),
        ("arn:a", "arn:a/b", False),
        ("arn:A", "arn:a", False),
    ],
)
def test_wildcards(pattern: str, resource: str, matches: bool) -> None:
    assert Policy([allow(Resource=pattern)]).allows("ssm:SendCommand", resource) is matches


@pytest.mark.parametrize(
    ("tags", "allowed"),
    [
        ({"type": "HeadNode", "cluster": "lab"}, True),
        ({"type": "HeadNode", "cluster": "big"}, True),
        ({"type": "HeadNode", "cluster": "LAB"}, False),
        ({"type": "Compute", "cluster": "lab"}, False),
        ({"cluster": "lab"}, False),
        ({}, False),
    ],
)
def test_every_condition_must_hold(tags: dict[str, str], allowed: bool) -> None:
    condition = {"StringEquals": {"ssm:resourceTag/type": "HeadNode", "ssm:resourceTag/cluster": ["lab", "big"]}}
    context = {f"ssm:resourceTag/{name}": value for name, value in tags.items()}
    assert Policy([allow(Condition=condition)]).allows("ssm:SendCommand", NODE, context) is allowed


def test_a_denial_whose_condition_does_not_hold_denies_nothing() -> None:
    condition = {"ArnEquals": {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:slurmql"}}
    policy = Policy([allow(), {**allow(Condition=condition), "Effect": "Deny"}])
    assert policy.allows("ssm:SendCommand", NODE)
    inside = {"lambda:SourceFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:slurmql"}
    assert not policy.allows("ssm:SendCommand", NODE, inside)


def test_an_unknown_condition_is_an_error() -> None:
    with pytest.raises(UnknownElementError):
        Policy([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}])
    with pytest.raises(UnknownElementError):
        Policy([allow(Condition={"Bool": {"aws:SecureTransport": "true"}})]).allows("ssm:SendCommand", NODE)
