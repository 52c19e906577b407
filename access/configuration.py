"""SLURMQL_ACCESS, read and checked once at the start. docs/settings.md explains every key.

{
  "users": {
    "ada@example.com": "ada",
    "grace@example.com": {"user": "ghopper", "role": "OPERATOR"},
    "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Hpc_*/{user}@example.com": "{user}"
  },
  "groups": {"hpc-admins": "OPERATOR", "hpc-guests": "VIEWER"},
  "others": {"user": "{identity}", "role": "USER"},
  "jobVisibility": "ALL",
  "clusters": {"secret": {"others": {"role": "NONE"}, "jobVisibility": "OWN"}}
}
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from access.role import JobVisibility, Role
from access.rules import ACCOUNT, IMAGE_ACCOUNTS, SYSTEM_ACCOUNTS, NoAccess, Rule, Rules, Standing

T = TypeVar("T")

_OF_CLUSTERS = ("users", "groups", "others", "jobVisibility")
_ROLES: Mapping[str, Role | NoAccess] = {each.name: each for each in (*Role, *NoAccess)}


class AccessError(Exception):
    """The configuration is wrong; the message names the key."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"SLURMQL_ACCESS: {key} {message}" if key else f"SLURMQL_ACCESS {message}")


@dataclass(frozen=True)
class Access:
    """The claims that name a caller and their groups (the first one present counts), and the rules of every cluster."""

    name_claims: tuple[str, ...]
    group_claims: tuple[str, ...]
    rules: Mapping[str, Rules]


def access(text: str, clusters: Collection[str]) -> Access:
    """The configuration of a deployment with those clusters; an empty text means the defaults. Raises AccessError."""
    given = _object("", _parsed(text or "{}"), (*_OF_CLUSTERS, "nameClaims", "groupClaims", "deny", "clusters"))
    rules = _rules(
        given,
        "",
        Rules(
            users=(),
            groups={} if "groups" in given else {"slurmql-operators": Role.OPERATOR, "slurmql-viewers": Role.VIEWER},
            others=Standing("{identity}", Role.USER),
            job_visibility=JobVisibility.ALL,
            denied=SYSTEM_ACCOUNTS | set(_texts("deny", given.get("deny", sorted(IMAGE_ACCOUNTS)))),
        ),
    )
    overrides = _object("clusters", given.get("clusters", {}), clusters)
    return Access(
        name_claims=_texts("nameClaims", given.get("nameClaims", ["username", "cognito:username"])),
        group_claims=_texts("groupClaims", given.get("groupClaims", ["cognito:groups", "groups"])),
        rules={
            name: _rules(_object(f"clusters.{name}", overrides.get(name, {}), _OF_CLUSTERS), f"clusters.{name}.", rules)
            for name in clusters
        },
    )


def _rules(given: Mapping[str, Any], at: str, above: Rules) -> Rules:
    """The given rules, on top of the ones above: users are checked first, everything else replaces."""
    users = _object(f"{at}users", given.get("users", {}))
    groups = _object(f"{at}groups", given.get("groups", {}))
    others = _object(f"{at}others", given.get("others", {}), ("user", "role"))
    visibility = given.get("jobVisibility", above.job_visibility.name)
    return Rules(
        users=(*(_rule(f"{at}users.{name}", name, value, above.denied) for name, value in users.items()), *above.users),
        groups={
            **above.groups,
            **{name: _choice(f"{at}groups.{name}", role, Role.__members__) for name, role in groups.items()},
        },
        others=_standing(f"{at}others", others, above.others, "{identity}", above.denied),
        job_visibility=_choice(f"{at}jobVisibility", visibility, JobVisibility.__members__),
        denied=above.denied,
    )


def _rule(key: str, pattern: str, value: Any, denied: Collection[str]) -> Rule:
    if pattern.count("{user}") > 1:
        raise AccessError(key, "has {user} more than once")
    given = {"user": value} if isinstance(value, str) else _object(key, value, ("user", "role"))
    if not given:
        raise AccessError(key, 'must be an account, or an object such as {"user": "ada", "role": "OPERATOR"}')
    return Rule(pattern, _standing(key, given, Standing(None, None), "{user}" if "{user}" in pattern else "", denied))


def _standing(key: str, given: Mapping[str, Any], above: Standing, variable: str, denied: Collection[str]) -> Standing:
    user, role = above.user, above.role
    if "user" in given:
        user = given["user"]
        if user is not None and (not isinstance(user, str) or (user != variable and not ACCOUNT.fullmatch(user))):
            raise AccessError(
                f"{key}.user", f"must be null or an account in lower case{variable and f', or {variable}'}"
            )
        if user in denied:
            raise AccessError(f"{key}.user", f"is {user}, which is denied")
    if "role" in given:
        role = _choice(f"{key}.role", given["role"], _ROLES)
    return Standing(user, role)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise AccessError("", f'must be JSON such as {{"jobVisibility": "OWN"}}: {error}') from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; json itself would take the last of several equal keys."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key occurs twice among {sorted(key for key, _ in pairs)}")
    return found


def _object(key: str, value: Any, known: Collection[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise AccessError(key, "must be a JSON object")
    if known is not None and (unknown := sorted(set(value) - set(known))):
        raise AccessError(key, f"has unknown keys {unknown}; known are {', '.join(known)}")
    return value


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise AccessError(key, 'must be a list of strings, such as ["username"]')
    return tuple(value)


def _choice(key: str, value: Any, known: Mapping[str, T]) -> T:
    if not isinstance(value, str) or value not in known:
        raise AccessError(key, f"must be one of {', '.join(known)}")
    return known[value]
