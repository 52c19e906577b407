"""SLURMQL_ACCESS is checked at start, and the message names what is wrong."""

import json
from typing import Any

import pytest

from access.configuration import AccessError, access


@pytest.mark.parametrize("text", ["", "{}", '{"users": {}, "clusters": {"lab": {}}}'])
def test_nothing_configured_is_the_default(text: str) -> None:
    assert access(text, ["lab"]) == access("", ["lab"])


@pytest.mark.parametrize("text", ["no", "[", "\0", '{"groups": {"a": "USER", "a": "OPERATOR"}}'])
def test_invalid_json_and_repeated_keys_are_refused(text: str) -> None:
    with pytest.raises(AccessError, match="SLURMQL_ACCESS must be JSON"):
        access(text, ["lab"])


@pytest.mark.parametrize(
    ("configured", "told"),
    [
        ([], "must be a JSON object"),
        ({"user": {}}, "has unknown keys ['user']; known are users, groups, others"),
        ({"users": []}, "users must be a JSON object"),
        ({"users": {"ada": 7}}, "users.ada must be a JSON object"),
        ({"users": {"ada": {}}}, "users.ada must be an account, or an object such as"),
        ({"users": {"ada": {"name": "ada"}}}, "users.ada has unknown keys ['name']"),
        ({"users": {"ada": "Ada"}}, "users.ada.user must be null or an account in lower case"),
        ({"users": {"ada": "../ada"}}, "users.ada.user must be null or an account"),
        ({"users": {"ada": {"user": 7}}}, "users.ada.user must be null or an account"),
        ({"users": {"ada": "{user}"}}, "users.ada.user must be null or an account"),
        (
            {"users": {"{user}@x": "{identity}"}},
            "users.{user}@x.user must be null or an account in lower case, or {u",
        ),
        ({"users": {"{user}@{user}": "{user}"}}, "users.{user}@{user} has {user} more than once"),
        ({"users": {"ada": "root"}}, "users.ada.user is root, which is denied"),
        ({"users": {"ada": "ec2-user"}}, "users.ada.user is ec2-user, which is denied"),
        ({"users": {"ada": {"role": "ADMIN"}}}, "users.ada.role must be one of VIEWER, USER, OPERATOR, NONE"),
        ({"groups": {"staff": "NONE"}}, "groups.staff must be one of VIEWER, USER, OPERATOR"),
        ({"groups": {"staff": None}}, "groups.staff must be one of"),
        ({"groups": ["staff"]}, "groups must be a JSON object"),
        ({"others": "USER"}, "others must be a JSON object"),
        ({"others": {"role": "operator"}}, "others.role must be one of"),
        ({"others": {"user": "{user}"}}, "others.user must be null or an account in lower case, or {identity}"),
        ({"others": {"user": "slurm"}}, "others.user is slurm, which is denied"),
        ({"jobVisibility": "own"}, "jobVisibility must be one of ALL, OWN"),
        ({"jobVisibility": ["OWN"]}, "jobVisibility must be one of ALL, OWN"),
        ({"nameClaims": "sub"}, "nameClaims must be a list of strings"),
        ({"nameClaims": [""]}, "nameClaims must be a list of strings"),
        ({"groupClaims": [7]}, "groupClaims must be a list of strings"),
        ({"deny": "ada"}, "deny must be a list of strings"),
        ({"clusters": {"large": {}}}, "clusters has unknown keys ['large']; known are lab"),
        ({"clusters": {"lab": []}}, "clusters.lab must be a JSON object"),
        ({"clusters": {"lab": {"deny": []}}}, "clusters.lab has unknown keys ['deny']"),
        ({"clusters": {"lab": {"users": {"ada": "root"}}}}, "clusters.lab.users.ada.user is root, which is denied"),
        ({"clusters": {"lab": {"jobVisibility": 1}}}, "clusters.lab.jobVisibility must be one of"),
    ],
)
def test_the_message_names_the_key(configured: Any, told: str) -> None:
    with pytest.raises(AccessError) as caught:
        access(json.dumps(configured), ["lab"])
    assert str(caught.value).startswith("SLURMQL_ACCESS ") or str(caught.value).startswith("SLURMQL_ACCESS: ")
    assert told in str(caught.value)
