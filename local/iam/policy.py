"""What a policy allows: IAM's evaluation of identity policies.

Source: the IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements". No maintained library evaluates
policies without AWS, and moto's ignores resources and conditions. Unknown elements and operators raise an error.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}


class UnknownElementError(Exception):
    """A statement has an element or an operator that this module cannot evaluate."""


class Policy:
    """The statements of a role. An explicit Deny wins; an action that no statement allows is refused."""

    def __init__(self, statements: Sequence[Mapping[str, Any]]) -> None:
        for statement in statements:
            if unknown := set(statement) - _ELEMENTS:
                raise UnknownElementError(", ".join(sorted(unknown)))
        self.statements = statements

    def allows(self, action: str, resource: str = "*", context: Mapping[str, str] | None = None) -> bool:
        """Whether the policy allows the action on the resource, an ARN; `*` for an action without a resource.

        `context` holds the condition keys of the request, such as `ssm:resourceTag/NAME`.
        """
        effects = {
            statement["Effect"]
            for statement in self.statements
            if _matches(statement["Action"], action.lower(), str.lower)
            and _matches(statement["Resource"], resource)
            and _holds(statement.get("Condition", {}), context or {})
        }
        return "Allow" in effects and "Deny" not in effects


def _matches(patterns: str | Iterable[str], value: str, fold: Any = str) -> bool:
    return any(_pattern(fold(pattern)).fullmatch(value) for pattern in _listed(patterns))


def _holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Whether all operators hold for all their keys; a key that the request lacks never holds."""
    known = {key.lower(): value for key, value in context.items()}
    for operator, keys in conditions.items():
        if operator not in ("StringEquals", "StringLike", "ArnEquals", "ArnLike"):
            raise UnknownElementError(operator)
        for key, wanted in keys.items():
            value = known.get(key.lower())
            if value is None:
                return False
            if operator == "StringEquals" and value not in _listed(wanted):
                return False
            if operator != "StringEquals" and not _matches(wanted, value):
                return False
    return True


def _listed(value: str | Iterable[str]) -> Iterable[str]:
    return [value] if isinstance(value, str) else value


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """IAM's wildcards: `*` matches any text and `?` any character; nothing else is special."""
    parts = [".*" if each == "*" else "." if each == "?" else re.escape(each) for each in text]
    return re.compile("".join(parts), re.DOTALL)
