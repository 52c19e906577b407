"""Who is calling. Only API Gateway's authorizer says so, never a header or an argument.

Where its answer is in the event depends on the API and its authorizer (API Gateway developer guide, "AWS Lambda proxy
integrations for HTTP APIs", "JWT authorizers", "Input format of a Lambda function for proxy integration"):

    HTTP API, JWT            requestContext.authorizer.jwt.claims
    HTTP API, IAM            requestContext.authorizer.iam.userArn
    HTTP API, Lambda         requestContext.authorizer.lambda          the authorizer's context
    REST API, Cognito or JWT requestContext.authorizer.claims
    REST API, Lambda         requestContext.authorizer                 the authorizer's context
    REST API, IAM            requestContext.identity.userArn
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANONYMOUS_CLAIMS = ("sub", "client_id", "principalId")
"""Claims that name a caller whose token has none of the configured ones, so that the log has a name."""


@dataclass(frozen=True)
class Identity:
    """Who an authorizer vouches for.

    `is_arn` says that the name is an IAM principal's. `is_named` says that the name may lead to an account on the
    cluster, because it comes from a configured claim or is an ARN.
    """

    name: str
    groups: frozenset[str] = frozenset()
    is_arn: bool = False
    is_named: bool = True


def identity(event: Mapping[str, Any], name_claims: Sequence[str], group_claims: Sequence[str]) -> Identity | None:
    """Who is calling, by the first claim that is present; None if no authorizer vouches for anyone."""
    context = _object(event, "requestContext")
    authorizer = _object(context, "authorizer")
    if not authorizer:
        return _iam(_object(context, "identity"))
    if iam := _object(authorizer, "iam"):
        return _iam(iam)
    for place in ("jwt", "lambda", "claims"):
        if isinstance(authorizer.get(place), Mapping):
            found = authorizer[place]
            return _claimed(_object(found, "claims") if place == "jwt" else found, name_claims, group_claims)
    return _claimed(authorizer, name_claims, group_claims)


def _iam(principal: Mapping[str, Any]) -> Identity | None:
    arn = principal.get("userArn")
    return Identity(arn, is_arn=True) if isinstance(arn, str) and arn else None


def _claimed(claims: Mapping[str, Any], name_claims: Sequence[str], group_claims: Sequence[str]) -> Identity | None:
    groups = _groups(next((claims[claim] for claim in group_claims if claims.get(claim)), []))
    for names, is_named in ((name_claims, True), (ANONYMOUS_CLAIMS, False)):
        for claim in names:
            if claims.get(claim) and _verified(claim, claims):
                name = _text(claims[claim])
                return None if name is None else Identity(name, groups, is_named=is_named)
    return None


def _verified(claim: str, claims: Mapping[str, Any]) -> bool:
    """Whether the claim can be relied on: an e-mail address can be anything until the issuer has verified it."""
    return claim != "email" or claims.get("email_verified") in (True, "true")


def _groups(value: Any) -> frozenset[str]:
    """The names in a claim. Those of a list stay as they are; a text may hold several."""
    names = value if isinstance(value, list) else _names(value) if isinstance(value, str) else [value]
    return frozenset(name for name in map(_text, names) if name)


def _names(text: str) -> list[str]:
    """The names in a text: a list as JSON, `[a b]` as an HTTP API writes it, or `a,b` as a REST API does.

    In the last two forms a name with a blank or a comma looks like several names: docs/security.md says what follows.
    Only U+0020 is a blank: any other white space belongs to a name.
    """
    text = text.strip(" ")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1].split(" ")
    return [name.strip(" ") for name in text.split(",")]


def _text(value: Any) -> str | None:
    """The value as text; None if Python cannot write it: a list in a thousand lists, a number of 5,000 digits."""
    try:
        return str(value)
    except (RecursionError, ValueError):
        return None


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of that name; an empty one if it is not an object (a Lambda authorizer may put text there)."""
    value = parent.get(name)
    return value if isinstance(value, Mapping) else {}
