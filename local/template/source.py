"""Reads template.yaml and turns CloudFormation's short forms (`!Ref x`) into the long ones (`{"Ref": "x"}`)."""

from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

Json = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """A loader that knows CloudFormation's tags."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise yaml.YAMLError(f"!{suffix} of a mapping")
    if suffix == "GetAtt":
        return {"Fn::GetAtt": value.split(".", 1) if isinstance(value, str) else value}
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def read(path: Path = TEMPLATE) -> Json:
    """The template with every function in its long form. Raises yaml.YAMLError."""
    template: Json = yaml.load(path.read_text(), _Loader)  # noqa: S506 - it is a SafeLoader with CloudFormation's tags
    return template
