"""The function's credentials, as a thief would have them: what the deployed role may not do is refused.

The policy is the one in template.yaml; every other end-to-end test runs under it.
"""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import Api
from headnode.aws import Clients
from headnode.deadline import Deadline
from headnode.errors import ClusterUnreachableError
from headnode.node import HeadNode
from headnode.settings import Settings
from headnode.snapshots import Snapshots
from local.aws import BUCKET, REGION, SCRIPTS, TABLE
from local.iam import FUNCTION
from local.ssm import Endpoint, Instance
from local.stack import DOCUMENT, Stack
from resolvers import datasets


@pytest.fixture
def thief(stack: Stack) -> Callable[..., Any]:
    """Clients with the function's credentials."""

    def client(service: str, region: str = REGION, version: str | None = None) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=stack.ssm.url if service == "ssm" else stack.aws.url,
            aws_access_key_id=FUNCTION,
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, signature_version=version),
        )

    return client


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value.response["Error"]["Code"])


def head_node(stack: Stack) -> str:
    return stack.ssm.instances[0].id


def test_the_stacks_document_on_a_head_node_is_allowed(stack: Stack, thief: Callable[..., Any]) -> None:
    answer = thief("ssm").send_command(
        DocumentName=DOCUMENT, InstanceIds=[head_node(stack)], Parameters={"request": ["AAAA"]}
    )
    assert answer["Command"]["Status"] == "Pending"


def test_a_shell_is_refused(stack: Stack, thief: Callable[..., Any], api: Api) -> None:
    before = api.commands()
    parameters = {"commands": ["id"]}
    assert (
        refusal(
            lambda: thief("ssm").send_command(
                DocumentName="AWS-RunShellScript", InstanceIds=[head_node(stack)], Parameters=parameters
            )
        )
        == "AccessDeniedException"
    )
    assert api.commands() == before


def test_a_document_of_the_callers_own_is_refused(stack: Stack, thief: Callable[..., Any]) -> None:
    content = json.dumps(stack.document)
    ssm = thief("ssm")
    assert refusal(lambda: ssm.create_document(Name="mine", Content=content)) == "AccessDeniedException"
    assert refusal(lambda: ssm.update_document(Name=DOCUMENT, Content=content)) == "AccessDeniedException"
    assert refusal(lambda: ssm.get_document(Name=DOCUMENT)) == "AccessDeniedException"


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"parallelcluster:cluster-name": "lab", "parallelcluster:node-type": "Compute"},
        {"parallelcluster:cluster-name": "another", "parallelcluster:node-type": "HeadNode"},
        {"parallelcluster:node-type": "HeadNode"},
    ],
    ids=["untagged", "compute node", "another cluster", "no cluster"],
)
@pytest.mark.parametrize("node", ["i-0123456789abcdef0", "mi-0123456789abcdef0"])
def test_every_other_node_is_refused(
    node: str, tags: dict[str, str], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It appears as the cluster's error, which says what to do."""
    policies = stack.policies
    with Endpoint([Instance(node, tags=tags)], policies=policies) as endpoint:
        document = json.dumps(stack.document)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", endpoint.url)
        administrator = boto3.client(
            "ssm", REGION, endpoint_url=endpoint.url, aws_access_key_id="local", aws_secret_access_key="local"
        )
        administrator.create_document(Name=DOCUMENT, Content=document, DocumentType="Command")
        environment = {**stack.environment, "SLURMQL_CLUSTERS": json.dumps({"other": {"instance": node}})}
        settings = Settings.from_environment({**environment, "SLURMQL_DEFAULT_CLUSTER": ""})
        snapshots = Snapshots(HeadNode(Clients(), settings.clusters["other"], settings), settings.ttl)
        answer = snapshots.ask([datasets.QUEUES], Deadline.after(30), "test")[datasets.QUEUES]
        assert isinstance(answer, ClusterUnreachableError)
        assert "does the instance have the tags that the stack's policy asks for?" in str(answer)
        assert endpoint.sends == []


@pytest.mark.parametrize(
    "call",
    [
        lambda ssm: ssm.list_commands(),
        lambda ssm: ssm.list_command_invocations(),
        lambda ssm: ssm.get_connection_status(Target="i-0123456789abcdef0"),
    ],
    ids=["other commands", "their output", "another node"],
)
def test_listing_in_systems_manager_is_refused(call: Callable[[Any], object], thief: Callable[..., Any]) -> None:
    assert refusal(lambda: call(thief("ssm"))) == "AccessDeniedException"


@pytest.mark.parametrize(
    "call",
    [
        lambda ec2: ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1),
        lambda ec2: ec2.terminate_instances(InstanceIds=["i-0123456789abcdef0"]),
        lambda ec2: ec2.create_tags(Resources=["i-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}]),
        lambda ec2: ec2.describe_volumes(),
    ],
    ids=["run", "terminate", "tag", "volumes"],
)
def test_ec2_only_finds_head_nodes(call: Callable[[Any], object], thief: Callable[..., Any]) -> None:
    assert refusal(lambda: call(thief("ec2"))) == "UnauthorizedOperation"
    assert thief("ec2").describe_instances()["Reservations"]
    assert refusal(lambda: thief("ec2", "us-east-1").describe_instances()) == "UnauthorizedOperation"


@pytest.mark.parametrize(
    "call",
    [
        lambda s3: s3.put_object(Bucket=BUCKET, Key="elsewhere/x", Body=b""),
        lambda s3: s3.put_object(Bucket=SCRIPTS, Key="job.sh", Body=b"#!/bin/sh"),
        lambda s3: s3.delete_object(Bucket=SCRIPTS, Key="job.sh"),
        lambda s3: s3.delete_object(Bucket=BUCKET, Key="answers/x"),
        lambda s3: s3.get_object(Bucket="another", Key="answers/x"),
        lambda s3: s3.get_object(Bucket=f"{SCRIPTS}-2", Key="job.sh"),
        lambda s3: s3.get_object_acl(Bucket=BUCKET, Key="answers/x"),
        lambda s3: s3.list_objects_v2(Bucket=BUCKET),
        lambda s3: s3.list_buckets(),
        lambda s3: s3.delete_bucket(Bucket=BUCKET),
    ],
    ids=[
        "another prefix",
        "writing scripts",
        "deleting scripts",
        "deleting answers",
        "another bucket",
        "a bucket of a longer name",
        "an ACL",
        "listing",
        "all buckets",
        "deleting the bucket",
    ],
)
def test_s3_allows_only_the_prefixes_of_the_bucket(call: Callable[[Any], object], thief: Callable[..., Any]) -> None:
    assert refusal(lambda: call(thief("s3"))) == "AccessDenied"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_has_no_more_rights_than_the_role(version: str, thief: Callable[..., Any]) -> None:
    s3 = thief("s3", version=version)

    def put(key: str) -> int:
        url = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": key})
        return urllib3.request("PUT", url, body=b"x").status

    assert (put("answers/x"), put("elsewhere/x")) == (200, 403)


@pytest.mark.parametrize(
    "call",
    [
        lambda table: table.get_item(TableName="another", Key={"key": {"S": "x"}}),
        lambda table: table.scan(TableName=TABLE),
        lambda table: table.delete_item(TableName=TABLE, Key={"key": {"S": "x"}}),
        lambda table: table.delete_table(TableName=TABLE),
        lambda table: table.list_tables(),
    ],
    ids=["another table", "reading all", "deleting", "deleting the table", "all tables"],
)
def test_dynamodb_allows_only_the_table(call: Callable[[Any], object], thief: Callable[..., Any]) -> None:
    assert refusal(lambda: call(thief("dynamodb"))) == "AccessDeniedException"
    assert "Item" not in thief("dynamodb").get_item(TableName=TABLE, Key={"key": {"S": "no such key"}})


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client("sts").get_caller_identity(),
        lambda client: client("iam").list_roles(),
        lambda client: client("secretsmanager").list_secrets(),
    ],
    ids=["sts", "iam", "secretsmanager"],
)
def test_no_other_service_is_allowed(call: Callable[[Any], object], thief: Callable[..., Any]) -> None:
    with pytest.raises(ClientError) as raised:
        call(thief)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
