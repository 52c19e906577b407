"""A template as CloudFormation deploys it, with its conditions, references and functions resolved.

Source: the CloudFormation user guide's pages on intrinsic functions. It knows only those that template.yaml uses.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from .source import Json

_VARIABLE = re.compile(r"\$\{([^}!]+)\}")
_NOTHING = object()  # AWS::NoValue: the property is left out


class UnresolvedError(Exception):
    """The template has a name or a function that this module does not know."""


class Deployment:
    """A template with the parameters of one deployment.

    `parameters` override the template's defaults; `names` are the values of Ref by logical id. Both may contain pseudo
    parameters such as `AWS::Region`. `attributes` are the values of GetAtt, such as that of `Bucket.Arn`. Everything
    that cannot be resolved is an error; nothing is guessed.
    """

    def __init__(
        self,
        template: Json,
        parameters: Mapping[str, str],
        names: Mapping[str, str],
        attributes: Mapping[str, str],
    ) -> None:
        self._template = template
        defaults = {name: body["Default"] for name, body in template["Parameters"].items() if "Default" in body}
        self._names: dict[str, Any] = {**defaults, **parameters, **names, "AWS::NoValue": _NOTHING}
        self._attributes = attributes
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self._condition,
            "Fn::And": lambda terms: all(self.resolve(term) for term in terms),
            "Fn::Equals": lambda pair: str(self.resolve(pair[0])) == str(self.resolve(pair[1])),
            "Fn::GetAtt": lambda path: self._attribute(".".join(path)),
            "Fn::If": lambda choice: self.resolve(choice[1 if self._condition(choice[0]) else 2]),
            "Fn::Join": lambda args: args[0].join(self.resolve(args[1])),
            "Fn::Not": lambda term: not self.resolve(term[0]),
            "Fn::Select": lambda args: self.resolve(args[1])[int(args[0])],
            "Fn::Split": lambda args: self.resolve(args[1]).split(args[0]),
            "Fn::Sub": self._substitute,
        }

    def resource(self, name: str) -> Json | None:
        """A resource's properties; None if its condition is false."""
        body = self._template["Resources"][name]
        if "Condition" in body and not self._condition(body["Condition"]):
            return None
        properties: Json = self.resolve(body["Properties"])
        return properties

    def resolve(self, value: Any) -> Any:
        """The resolved value of a part of the template. Raises UnresolvedError."""
        if isinstance(value, list):
            return [each for each in map(self.resolve, value) if each is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in self._functions:
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise UnresolvedError(name)
        resolved = {name: self.resolve(each) for name, each in value.items()}
        return {name: each for name, each in resolved.items() if each is not _NOTHING}

    def _ref(self, name: str) -> Any:
        if name not in self._names:
            raise UnresolvedError(f"Ref {name}")
        return self._names[name]

    def _attribute(self, path: str) -> str:
        if path not in self._attributes:
            raise UnresolvedError(f"GetAtt {path}")
        return self._attributes[path]

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self._template["Conditions"][name]))

    def _substitute(self, argument: str | list[Any]) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument
        return _VARIABLE.sub(lambda match: str(self._variable(match[1], given)), text)

    def _variable(self, name: str, given: Json) -> Any:
        if name in given:
            return self.resolve(given[name])
        return self._attribute(name) if "." in name else self._ref(name)
