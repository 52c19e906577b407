"""Who is calling, by what API Gateway's authorizer vouches for and nothing else: never by a header or an argument.

Where it stands depends on the API and its authorizer (API Gateway developer guide, "AWS Lambda proxy integrations for
HTTP APIs", "JWT authorizers", "Input format of a Lambda function for proxy integration"):

    HTTP API, JWT            requestContext.authorizer.jwt.claims
    HTTP API, IAM            requestContext.authorizer.iam.userArn
    HTTP API, Lambda         requestContext.authorizer.lambda          what the authorizer's context says
    REST API, Cognito or JWT requestContext.authorizer.claims
    REST API, Lambda         requestContext.authorizer                 what the authorizer's context says
    REST API, IAM            requestContext.identity.userArn
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANONYMOUS_CLAIMS = ("sub", "client_id", "principalId")
"""What names a caller whose token has none of the claims that are configured, so that a log can tell who it was."""


@dataclass(frozen=True)
class Identity:
    """Who an authorizer vouches for.

    `is_arn` says that the name is an IAM principal's. `is_named` says that the name may lead to an account on the
    cluster: it comes from a claim that is configured to, or it is an ARN.
    """

    name: str
    groups: frozenset[str] = frozenset()
    is_arn: bool = False
    is_named: bool = True


def identity(event: Mapping[str, Any], name_claims: Sequence[str], group_claims: Sequence[str]) -> Identity | None:
    """Who is calling, by the first of the claims that is there; None if no authorizer vouches for anybody."""
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
                return Identity(str(claims[claim]), groups, is_named=is_named)
    return None


def _verified(claim: str, claims: Mapping[str, Any]) -> bool:
    """An e-mail address is whatever somebody typed until the issuer has verified it."""
    return claim != "email" or claims.get("email_verified") in (True, "true")


def _groups(value: Any) -> frozenset[str]:
    """A list claim reaches the Lambda as a list, as JSON, as an HTTP API prints it, `[a b]`, or a REST API, `a,b`.

    The last two spell a name with a blank or a comma like several names: docs/security.md tells what follows.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            value = json.loads(text)
        except ValueError:
            value = text[1:-1].split() if re.fullmatch(r"\[.*\]", text, re.DOTALL) else text.split(",")
    names = value if isinstance(value, list) else [value]
    return frozenset(name for name in (str(name).strip() for name in names) if name)


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of that name; an empty one where there is none (a Lambda authorizer may put text there)."""
    value = parent.get(name)
    return value if isinstance(value, Mapping) else {}
