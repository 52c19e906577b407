"""What a caller is on each cluster."""

import json
from typing import Any

import pytest

from access.caller import Caller, signed_in
from access.configuration import access
from access.role import JobVisibility, Role

OWN = JobVisibility.OWN
PORTAL = "arn:aws:sts::111122223333:assumed-role/HpcPortal/"


def on(cluster: str, configured: dict[str, Any] | None = None, arn: str | None = None, **claims: Any) -> Caller | None:
    """The caller that those claims, or that ARN, make on a cluster; `lab` and `big` are there."""
    authorizer = {"iam": {"userArn": arn}} if arn else {"jwt": {"claims": claims}}
    rules = access(json.dumps(configured) if configured else "", ["lab", "big"])
    found = signed_in({"requestContext": {"authorizer": authorizer}}, rules)
    assert found is not None
    return found.on(cluster)


def test_without_an_authorizer_nobody_is_signed_in() -> None:
    assert signed_in({"headers": {"authorization": "Bearer ada"}}, access("", ["lab"])) is None


def test_a_name_that_is_a_valid_account_name_can_act() -> None:
    """Only the head node knows whether the cluster has that account, so the role is open until then."""
    assert on("lab", username="ada") == Caller("ada", "ada", None)


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "ada@example.com",
        "Ada",
        "ADA",
        "-ada",
        "0ada",
        "a" * 65,
        "ada\n",
        "\nada",
        "ada\0",
        "a\0da",
        ".",
        "../ada",
        "ada/../root",
        "ada;id",
        "$(id)",
        "àda",
        "ａda",  # noqa: RUF001 - full width: never folded
        "ſlurm",  # noqa: RUF001 - becomes "slurm" when its case is folded
        ["ada"],
        {"name": "ada"},
        "[ada]",
        "[ada grace]",
        7,
        True,
    ],
)
@pytest.mark.parametrize("configured", [None, {"users": {"{user}@example.org": "{user}"}}])
def test_a_name_that_is_not_a_valid_account_name_may_only_look(name: Any, configured: Any) -> None:
    assert on("lab", configured, username=name) == Caller(str(name), None, Role.VIEWER)


@pytest.mark.parametrize(
    "name", ["root", "slurm", "munge", "slurmdbd", "pcluster-admin", "nobody", "ec2-user", "ubuntu", "rocky", "centos"]
)
def test_nobody_gets_a_system_account(name: str) -> None:
    assert on("lab", username=name) == Caller(name, None, Role.VIEWER)
    mapped = {"users": {"{user}@example.com": "{user}", PORTAL + "{user}": "{user}"}}
    assert on("lab", mapped, username=f"{name}@example.com") == Caller(f"{name}@example.com", None, Role.VIEWER)
    assert on("lab", mapped, arn=PORTAL + name) == Caller(PORTAL + name, None, Role.VIEWER)


def test_which_accounts_of_images_are_denied_can_be_configured_and_not_the_systems() -> None:
    assert on("lab", {"deny": []}, username="ec2-user") == Caller("ec2-user", "ec2-user", None)
    assert on("lab", {"deny": ["ada"]}, username="ada") == Caller("ada", None, Role.VIEWER)
    assert on("lab", {"deny": []}, username="slurm") == Caller("slurm", None, Role.VIEWER)


def test_a_subject_alone_gives_no_account_and_matches_no_rule() -> None:
    assert on("lab", sub="ada") == Caller("ada", None, Role.VIEWER)
    assert on("lab", {"users": {"ada": "ada"}, "others": {"user": "ada"}}, sub="ada") == Caller(
        "ada", None, Role.VIEWER
    )
    assert on("lab", {"nameClaims": ["sub"]}, sub="ada") == Caller("ada", "ada", None)


def test_a_viewer_cannot_act_but_may_have_jobs() -> None:
    viewer = on("lab", username="ada", groups="slurmql-viewers")
    assert viewer == Caller("ada", "ada", Role.VIEWER)
    assert viewer.cluster_user is None


def test_the_highest_role_of_several_groups_counts() -> None:
    assert on("lab", username="ada", groups="[slurmql-viewers slurmql-operators]") == Caller(
        "ada", "ada", Role.OPERATOR
    )
    configured = {"groups": {"guests": "VIEWER", "staff": "USER"}}
    assert on("lab", configured, username="ada", groups="[guests staff]") == Caller("ada", "ada", None)


def test_an_operator_needs_no_account() -> None:
    found = on("lab", username="Ada Lovelace", groups="slurmql-operators")
    assert found == Caller("Ada Lovelace", None, Role.OPERATOR)


@pytest.mark.parametrize("groups", ["slurmql-operators2", "SLURMQL-OPERATORS", "[]", "", "slurmql", "7", "null", "{}"])
def test_other_groups_mean_nothing(groups: str) -> None:
    assert on("lab", username="ada", groups=groups) == Caller("ada", "ada", None)


def test_configured_groups_take_the_place_of_the_default_ones() -> None:
    configured = {"groups": {"hpc-admins": "OPERATOR"}}
    assert on("lab", configured, username="ada", groups="slurmql-operators") == Caller("ada", "ada", None)
    assert on("lab", configured, username="ada", groups="hpc-admins") == Caller("ada", "ada", Role.OPERATOR)


USERS = {
    "users": {
        "ada@example.com": "ada",
        "grace@example.com": {"user": "ghopper", "role": "OPERATOR"},
        "mallory@example.com": {"role": "NONE"},
        "boss@example.com": {"role": "VIEWER"},
        "{user}@example.com": "{user}",
        "*@example.org": {"role": "VIEWER"},
        PORTAL + "{user}": "{user}",
        "arn:aws:sts::*:assumed-role/AWSReservedSSO_Hpc_*/{user}@example.com": "{user}",
        "arn:aws:iam::111122223333:user/ci": {"user": "robot", "role": "USER"},
    },
    "groups": {"admins": "OPERATOR"},
    "others": {"role": "NONE"},
}


@pytest.mark.parametrize(
    ("name", "account", "role"),
    [
        ("ada@example.com", "ada", None),
        ("grace@example.com", "ghopper", Role.OPERATOR),
        ("boss@example.com", None, Role.VIEWER),
        ("linus@example.com", "linus", None),
        ("guest@example.org", None, Role.VIEWER),
    ],
)
def test_users_are_mapped_by_the_first_line_that_matches(name: str, account: str | None, role: Any) -> None:
    assert on("lab", USERS, username=name) == Caller(name, account, role)


@pytest.mark.parametrize(
    ("arn", "account"),
    [
        (PORTAL + "ada", "ada"),
        ("arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_Hpc_0123456789abcdef/ada@example.com", "ada"),
        ("arn:aws:iam::111122223333:user/ci", "robot"),
    ],
)
def test_iam_principals_are_mapped_by_their_arn(arn: str, account: str) -> None:
    assert on("lab", USERS, arn=arn) == Caller(arn, account, None)


@pytest.mark.parametrize(
    "arn",
    [
        PORTAL + "Ada",
        PORTAL + "ada@example.com",
        PORTAL + "ada/x",
        "arn:aws:sts::444455556666:assumed-role/HpcPortal/ada",
        "arn:aws:sts::111122223333:assumed-role/NotHpcPortal/ada",
        "arn:aws:sts::1:assumed-role/x:assumed-role/AWSReservedSSO_Hpc_1/ada@example.com",
        "arn:aws:sts::1:assumed-role/AWSReservedSSO_Hpc_1/x/ada@example.com",
        "arn:aws:sts::1:assumed-role/AWSReservedSSO_Hpc_1/ada@example.com.evil.org",
        "arn:aws:iam::111122223333:user/ci2",
        "arn:aws:iam::111122223333:root",
        "ada@example.com",
    ],
)
def test_other_principals_are_others(arn: str) -> None:
    assert on("lab", USERS, arn=arn) is None


@pytest.mark.parametrize("name", [PORTAL + "ada", "arn:aws:iam::111122223333:user/ci"])
def test_a_user_whose_name_is_an_arn_is_not_that_principal(name: str) -> None:
    assert on("lab", USERS, username=name) is None


@pytest.mark.parametrize("name", ["mallory@example.com", "stranger", "ada@example.com@example.net"])
def test_a_caller_without_a_role_has_no_access(name: str) -> None:
    assert on("lab", USERS, username=name) is None


def test_the_others_role_is_for_callers_in_no_listed_group() -> None:
    assert on("lab", USERS, username="stranger", groups="admins") == Caller("stranger", "stranger", Role.OPERATOR)
    assert on("lab", USERS, username="mallory@example.com", groups="admins") is None


def test_callers_without_a_line_of_their_own_need_no_account() -> None:
    configured = {"users": {"ada@example.com": "ada"}, "others": {"user": None}}
    assert on("lab", configured, username="grace") == Caller("grace", None, Role.VIEWER)
    assert on("lab", configured, username="ada@example.com") == Caller("ada@example.com", "ada", None)


def test_a_cluster_has_its_own_users_groups_and_rules_before_those_of_all() -> None:
    configured = {
        "users": {"ada": "ada", "grace": "grace"},
        "groups": {"admins": "OPERATOR"},
        "clusters": {
            "big": {
                "users": {"ada": "alovelace", "grace": {"role": "NONE"}},
                "groups": {"admins": "USER"},
                "others": {"role": "VIEWER"},
                "jobVisibility": "OWN",
            }
        },
    }
    assert on("lab", configured, username="ada") == Caller("ada", "ada", None)
    assert on("big", configured, username="ada") == Caller("ada", "alovelace", None, OWN)
    assert on("big", configured, username="grace") is None
    assert on("big", configured, username="linus") == Caller("linus", "linus", Role.VIEWER, OWN)
    assert on("lab", configured, username="linus", groups="admins") == Caller("linus", "linus", Role.OPERATOR)
    assert on("big", configured, username="linus", groups="admins") == Caller("linus", "linus", None, OWN)


def test_operators_see_all_jobs_whatever_the_others_see() -> None:
    configured = {"jobVisibility": "OWN"}
    assert on("lab", configured, username="ada") == Caller("ada", "ada", None, OWN)
    operator = on("lab", configured, username="ada", groups="slurmql-operators")
    assert operator == Caller("ada", "ada", Role.OPERATOR, JobVisibility.ALL)
