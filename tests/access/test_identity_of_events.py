"""Who is calling, in each shape of event that API Gateway's authorizers make."""

from typing import Any

import pytest

from access.identity import Identity, identity

NAMES = ("username", "cognito:username")
GROUPS = ("cognito:groups", "groups")
ARN = "arn:aws:sts::111122223333:assumed-role/HpcPortal/ada"


def http_jwt(**claims: Any) -> dict[str, Any]:
    """HTTP API (payload 2.0), JWT authorizer."""
    return {"version": "2.0", "requestContext": {"authorizer": {"jwt": {"claims": claims, "scopes": None}}}}


def http_lambda(**context: Any) -> dict[str, Any]:
    """HTTP API (payload 2.0), Lambda authorizer."""
    return {"version": "2.0", "requestContext": {"authorizer": {"lambda": context}}}


def rest_cognito(**claims: Any) -> dict[str, Any]:
    """REST API, Cognito authorizer; an HTTP API's JWT authorizer in payload 1.0 has `scopes` beside."""
    return {"requestContext": {"authorizer": {"claims": claims}, "identity": {"userArn": None}}}


def rest_lambda(**context: Any) -> dict[str, Any]:
    """REST API, Lambda authorizer."""
    authorizer = {"principalId": "portal", "integrationLatency": 12, **context}
    return {"requestContext": {"authorizer": authorizer, "identity": {"userArn": None}}}


def http_iam(arn: Any) -> dict[str, Any]:
    iam = {"accountId": "111122223333", "callerId": "AROA:ada", "userArn": arn, "userId": "AROA:ada"}
    return {"version": "2.0", "requestContext": {"authorizer": {"iam": iam}}}


def rest_iam(arn: Any) -> dict[str, Any]:
    return {"requestContext": {"identity": {"accountId": "111122223333", "user": "AROA:ada", "userArn": arn}}}


CLAIMED = [http_jwt, http_lambda, rest_cognito, rest_lambda]


def found(event: dict[str, Any], names: tuple[str, ...] = NAMES) -> Identity | None:
    return identity(event, names, GROUPS)


@pytest.mark.parametrize("event", CLAIMED)
@pytest.mark.parametrize("claim", NAMES)
def test_a_claim_names_the_caller_whatever_the_authorizer(event: Any, claim: str) -> None:
    assert found(event(**{claim: "ada", "groups": "staff"})) == Identity("ada", frozenset({"staff"}))


@pytest.mark.parametrize("event", [http_iam, rest_iam])
def test_an_iam_principal_is_its_arn(event: Any) -> None:
    assert found(event(ARN)) == Identity(ARN, is_arn=True)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"requestContext": None},
        {"requestContext": {"authorizer": None}},
        {"requestContext": {"authorizer": {}}},
        {"requestContext": {"authorizer": "ada"}},
        {"requestContext": {"authorizer": {"jwt": None}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": "ada"}}}},
        {"requestContext": {"authorizer": {"jwt": "ada", "claims": "ada"}}},
        {"requestContext": {"authorizer": {"jwt": {"username": "ada"}}}},
        {"requestContext": {"identity": {"user": "ada", "caller": "ada", "cognitoIdentityId": "ada"}}},
        {"headers": {"authorization": "Bearer ada", "Authorization": "Bearer ada", "x-user": "ada"}},
        {"headers": {"x-forwarded-user": "ada", "x-amzn-oidc-identity": "ada", "x-amzn-oidc-data": "e30.e30.e30"}},
        {"multiValueHeaders": {"x-forwarded-user": ["ada"]}, "requestContext": {"http": {"username": "ada"}}},
        {"queryStringParameters": {"username": "ada"}, "body": '{"username": "ada"}', "username": "ada"},
        {"authorizer": {"jwt": {"claims": {"username": "ada"}}}},
        http_jwt(),
        http_jwt(username=""),
        http_jwt(username=None, groups="slurmql-operators"),
        http_iam(None),
        http_iam(7),
        rest_iam(None),
        rest_iam(""),
    ],
)
def test_no_other_source_names_the_caller(event: dict[str, Any]) -> None:
    assert found(event) is None


def test_the_authorizers_name_wins_over_the_signing_principal() -> None:
    event = rest_cognito(username="ada")
    event["requestContext"]["identity"]["userArn"] = ARN
    assert found(event) == Identity("ada")


def test_an_authorizer_without_a_name_does_not_fall_back_to_the_signing_principal() -> None:
    event = rest_cognito(scope="jobs")
    event["requestContext"]["identity"]["userArn"] = ARN
    assert found(event) is None


def test_the_first_configured_claim_that_is_present_counts() -> None:
    event = http_jwt(username="ada", email="grace@example.com", email_verified=True)
    assert found(event, ("email", "username")) == Identity("grace@example.com")
    assert found(event, ("upn", "username")) == Identity("ada")


@pytest.mark.parametrize("verified", [False, "false", None, "True", 1.5])
def test_an_unverified_e_mail_address_names_nobody(verified: Any) -> None:
    assert found(http_jwt(email="grace@example.com", email_verified=verified), ("email",)) is None


@pytest.mark.parametrize("verified", [True, "true"])
def test_a_verified_e_mail_address_names_the_caller(verified: Any) -> None:
    assert found(http_jwt(email="g@example.com", email_verified=verified), ("email",)) == Identity("g@example.com")


@pytest.mark.parametrize("claim", ["sub", "client_id"])
def test_other_claims_of_a_token_name_the_caller_and_give_no_account(claim: str) -> None:
    """A client_credentials token of Cognito has no user name; `sub` and `client_id` are the client's."""
    assert found(http_jwt(**{claim: "ada"})) == Identity("ada", is_named=False)
    assert found(http_jwt(**{claim: "ada"}), (claim,)) == Identity("ada")


@pytest.mark.parametrize("claim", ["preferred_username", "name", "nickname", "email", "custom:username", "iss"])
def test_claims_that_users_may_write_themselves_name_nobody(claim: str) -> None:
    assert found(http_jwt(**{claim: "ada"})) is None


def test_a_lambda_authorizer_without_a_user_gives_a_principal_without_an_account() -> None:
    assert found(rest_lambda()) == Identity("portal", is_named=False)


@pytest.mark.parametrize(
    "groups",
    [
        ["slurmql-operators", "staff"],
        "[slurmql-operators staff]",
        "slurmql-operators,staff",
        "slurmql-operators, staff",
        '["slurmql-operators", "staff"]',
    ],
)
@pytest.mark.parametrize("claim", GROUPS)
def test_groups_are_read_in_each_of_the_gateways_spellings(groups: Any, claim: str) -> None:
    event = http_jwt(username="ada", **{claim: groups})
    assert found(event) == Identity("ada", frozenset({"slurmql-operators", "staff"}))


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        ("slurmql-operators", {"slurmql-operators"}),
        ('"slurmql-operators"', {"slurmql-operators"}),
        ("[]", set()),
        ("[ ]", set()),
        ("7", {"7"}),
        ("not slurmql-operators", {"not slurmql-operators"}),
        ("[not,slurmql-operators]", {"not,slurmql-operators"}),
    ],
)
def test_a_single_group_stays_one(groups: str, names: set[str]) -> None:
    assert found(http_jwt(username="ada", groups=groups)) == Identity("ada", frozenset(names))
