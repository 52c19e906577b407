"""Who the caller is, by what API Gateway's authorizer vouches for."""

from typing import Any

import pytest

from access.caller import Caller, caller
from access.role import Role

GROUPS = {"slurmql-operators": "OPERATOR", "slurmql-viewers": "VIEWER"}


def http_api(**claims: Any) -> dict[str, Any]:
    """Payload 2.0, JWT authorizer."""
    return {"requestContext": {"authorizer": {"jwt": {"claims": claims, "scopes": None}}}}


def rest_api(**claims: Any) -> dict[str, Any]:
    """Payload 1.0, Cognito authorizer."""
    return {"requestContext": {"authorizer": {"claims": claims}}}


@pytest.mark.parametrize("event", [http_api, rest_api])
def test_a_name_that_an_account_could_have_is_one_to_act_as(event: Any) -> None:
    """Whether the cluster has that account is the head node's to say: the role is open until then."""
    assert caller(event(username="ada"), GROUPS) == Caller("ada", "ada", None)


@pytest.mark.parametrize("claim", ["username", "cognito:username", "preferred_username", "sub"])
def test_the_name_is_in_one_of_these_claims(claim: str) -> None:
    assert caller(http_api(**{claim: "ada"}), GROUPS) == Caller("ada", "ada", None)


def test_the_user_name_goes_before_the_subject() -> None:
    found = caller(http_api(sub="7a1c3c3e-0000-4000-8000-000000000000", username="ada"), GROUPS)
    assert found is not None and found.identity == "ada"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"requestContext": None},
        {"requestContext": {"authorizer": None}},
        {"requestContext": {"authorizer": {"jwt": None}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": "ada"}}}},
        {"requestContext": {"authorizer": {"principalId": "ada"}}},
        {"requestContext": {"authorizer": {"jwt": "ada", "claims": "ada"}}},
        {"requestContext": {"authorizer": {"username": "ada"}}},
        {"requestContext": {"identity": {"user": "ada"}}},
        {"headers": {"authorization": "Bearer ada", "Authorization": "Bearer ada", "x-user": "ada"}},
        {"queryStringParameters": {"username": "ada"}, "body": '{"username": "ada"}'},
        http_api(),
        http_api(username=""),
    ],
)
def test_nobody_else_is_believed(event: dict[str, Any]) -> None:
    assert caller(event, GROUPS) is None


@pytest.mark.parametrize("identity", ["Ada Lovelace", "ada@example.com", "Ada", "-ada", "0ada", "a" * 65, "ada\n", "."])
def test_an_identity_that_no_account_can_have_may_only_look(identity: str) -> None:
    assert caller(http_api(username=identity), GROUPS) == Caller(identity, None, Role.VIEWER)


@pytest.mark.parametrize(
    "groups",
    [
        ["slurmql-operators", "staff"],
        "[slurmql-operators staff]",
        "slurmql-operators,staff",
        '["slurmql-operators", "staff"]',
        "slurmql-operators",
        '"slurmql-operators"',
    ],
)
@pytest.mark.parametrize("claim", ["cognito:groups", "groups"])
def test_groups_come_in_any_of_the_gateways_spellings(groups: Any, claim: str) -> None:
    assert caller(http_api(username="ada", **{claim: groups}), GROUPS) == Caller("ada", "ada", Role.OPERATOR)


def test_a_viewer_acts_as_nobody() -> None:
    assert caller(http_api(username="ada", groups="slurmql-viewers"), GROUPS) == Caller("ada", None, Role.VIEWER)


def test_an_operator_who_is_also_a_viewer_is_an_operator() -> None:
    found = caller(http_api(username="ada", groups="[slurmql-viewers slurmql-operators]"), GROUPS)
    assert found == Caller("ada", "ada", Role.OPERATOR)


def test_an_operator_needs_no_account() -> None:
    found = caller(http_api(username="Ada Lovelace", groups="slurmql-operators"), GROUPS)
    assert found == Caller("Ada Lovelace", None, Role.OPERATOR)


@pytest.mark.parametrize("groups", ["slurmql-operators2", "SLURMQL-OPERATORS", "[]", "", "slurmql", "7", "null", "{}"])
def test_other_groups_mean_nothing(groups: str) -> None:
    assert caller(http_api(username="ada", groups=groups), GROUPS) == Caller("ada", "ada", None)
