"""The caller, from API Gateway's authorizer context and nothing else: never from a header or an argument.

Events of REST APIs (payload 1.0) and HTTP APIs (payload 2.0) carry the claims of a verified token in
`requestContext.authorizer` (API Gateway developer guide, "JWT authorizers", "Lambda proxy integrations").
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from access.role import Role

_USER_CLAIMS = ("username", "cognito:username", "preferred_username", "sub")
_GROUP_CLAIMS = ("cognito:groups", "groups")
_USER_NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Caller:
    """Who the API takes the caller for.

    `cluster_user` is the account on the cluster to act as, None if the identity is not the name of one. `role` is None
    where it depends on whether the cluster has that account.
    """

    identity: str
    cluster_user: str | None
    role: Role | None


def caller(event: Mapping[str, Any], groups: Mapping[str, str]) -> Caller | None:
    """The caller of an API Gateway event; None if no authorizer vouches for one.

    `groups` maps groups of the token to roles; OPERATOR wins over VIEWER.
    """
    claims = _claims(event)
    identity = next((str(claims[name]) for name in _USER_CLAIMS if claims.get(name)), None)
    if identity is None:
        return None
    roles = {Role[groups[group]] for group in _groups(claims) if group in groups}
    role = next((role for role in (Role.OPERATOR, Role.VIEWER) if role in roles), None)
    user = identity if _USER_NAME.fullmatch(identity) else None
    if user is None and role is not Role.OPERATOR:
        role = Role.VIEWER
    return Caller(identity, None if role is Role.VIEWER else user, role)


def _claims(event: Mapping[str, Any]) -> Mapping[str, Any]:
    authorizer = _object(_object(event, "requestContext"), "authorizer")
    return _object(_object(authorizer, "jwt"), "claims") or _object(authorizer, "claims")


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of that name; an empty one where there is none (a Lambda authorizer may put text there)."""
    value = parent.get(name)
    return value if isinstance(value, Mapping) else {}


def _groups(claims: Mapping[str, Any]) -> list[str]:
    """A list claim reaches the Lambda as a list, as JSON, or as API Gateway prints it: `[a b]`."""
    value: Any = next((claims[name] for name in _GROUP_CLAIMS if claims.get(name)), [])
    if isinstance(value, list):
        return [str(group) for group in value]
    text = str(value)
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = re.split(r"[\s,]+", text.strip("[]"))
    return [str(group) for group in parsed] if isinstance(parsed, list) else [str(parsed)]
