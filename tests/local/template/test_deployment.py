"""CloudFormation's functions, as the user guide shows them."""

from typing import Any

import pytest

from local.template import Deployment
from local.template.deployment import UnresolvedError

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Names": {"Default": "a,b"}, "Name": {"Default": ""}},
    "Conditions": {
        "Named": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]},
        "Both": {"Fn::And": [{"Condition": "Named"}, {"Fn::Equals": [{"Ref": "Names"}, "a,b"]}]},
    },
    "Resources": {
        "Always": {"Properties": {"Size": 3, "Kind": {"Fn::If": ["Named", "x", {"Ref": "AWS::NoValue"}]}}},
        "Sometimes": {"Condition": "Named", "Properties": {}},
    },
}


def resolve(value: Any, **parameters: str) -> Any:
    return Deployment(TEMPLATE, parameters, {"Bucket": "bucket"}, {"Bucket.Arn": "arn"}).resolve(value)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Bucket"}, "bucket"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn"),
        ({"Fn::Split": [",", {"Ref": "Names"}]}, ["a", "b"]),
        ({"Fn::Select": [1, {"Fn::Split": [",", {"Ref": "Names"}]}]}, "b"),
        ({"Fn::Join": ["/", ["x", {"Ref": "Bucket"}]]}, "x/bucket"),
        ({"Fn::Sub": "${Bucket} of ${Bucket.Arn}, $Bucket"}, "bucket of arn, $Bucket"),
        ({"Fn::Sub": ["${It}", {"It": {"Ref": "Bucket"}}]}, "bucket"),
        ({"Fn::If": ["Named", 1, 2]}, 2),
        ([1, {"Ref": "AWS::NoValue"}, {"Ref": "Bucket"}], [1, "bucket"]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": True}, {"b": True}),
    ],
)
def test_functions(value: Any, resolved: Any) -> None:
    assert resolve(value) == resolved


def test_parameters_decide_conditions() -> None:
    choice = {"Fn::If": ["Both", "yes", "no"]}
    assert [resolve(choice), resolve(choice, Name="x"), resolve(choice, Name="x", Names="c")] == ["no", "yes", "no"]


def test_a_resource_is_there_if_its_condition_holds() -> None:
    assert Deployment(TEMPLATE, {}, {}, {}).resource("Always") == {"Size": 3}
    assert Deployment(TEMPLATE, {}, {}, {}).resource("Sometimes") is None
    assert Deployment(TEMPLATE, {"Name": "x"}, {}, {}).resource("Always") == {"Size": 3, "Kind": "x"}
    assert Deployment(TEMPLATE, {"Name": "x"}, {}, {}).resource("Sometimes") == {}


@pytest.mark.parametrize(
    "value", [{"Ref": "Nobody"}, {"Fn::GetAtt": ["Bucket", "Name"]}, {"Fn::Sub": "${Nobody}"}, {"Fn::Base64": "x"}]
)
def test_nothing_is_guessed(value: Any) -> None:
    with pytest.raises(UnresolvedError):
        resolve(value)
