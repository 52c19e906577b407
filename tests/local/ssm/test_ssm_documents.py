"""Documents over the API: versions, hashes, and what is refused."""

import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ssm import SSMClient

from .conftest import NODE, settled


def saying(word: str) -> str:
    step = {"action": "aws:runShellScript", "name": "say", "inputs": {"runCommand": [f"echo {word}"]}}
    parameters = {"list": {"type": "StringList", "default": ["a"], "description": "some"}}
    content = {"schemaVersion": "2.2", "description": word, "parameters": parameters, "mainSteps": [step]}
    return json.dumps(content)


def said(ssm: SSMClient, **request: Any) -> str:
    sent = ssm.send_command(InstanceIds=[NODE], DocumentName="say-it", **request)
    return str(settled(ssm, sent["Command"]["CommandId"])["StandardOutputContent"]).strip()


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return caught.value.response["Error"]["Code"]


@pytest.fixture
def two_versions(ssm: SSMClient) -> None:
    ssm.create_document(Name="say-it", Content=saying("one"), DocumentType="Command")
    ssm.update_document(Name="say-it", Content=saying("two"), DocumentVersion="$LATEST")


def test_aws_runshellscript_is_there_as_on_aws(ssm: SSMClient) -> None:
    described = ssm.describe_document(Name="AWS-RunShellScript")["Document"]
    assert (described["Owner"], described["SchemaVersion"]) == ("Amazon", "1.2")
    assert [each["Name"] for each in described["Parameters"]] == [
        "commands",
        "workingDirectory",
        "executionTimeout",
    ]
    content = json.loads(ssm.get_document(Name="AWS-RunShellScript")["Content"])
    assert content["runtimeConfig"]["aws:runShellScript"]["properties"][0]["id"] == "0.aws:runShellScript"


def test_a_new_document_is_creating_then_active(ssm: SSMClient) -> None:
    content = saying("one")
    created = ssm.create_document(Name="say-it", Content=content, DocumentType="Command")
    assert created["DocumentDescription"]["Status"] == "Creating"
    described = ssm.describe_document(Name="say-it")["Document"]
    assert described["Status"] == "Active"
    assert described["Hash"] == hashlib.sha256(content.encode()).hexdigest()
    assert described["Parameters"][0]["DefaultValue"] == '["a"]'
    assert ssm.get_document(Name="say-it")["Content"] == content


@pytest.mark.usefixtures("two_versions")
def test_an_update_makes_a_version_but_not_the_default(ssm: SSMClient) -> None:
    assert said(ssm) == "one"
    assert said(ssm, DocumentVersion="$LATEST") == "two"
    ssm.update_document_default_version(Name="say-it", DocumentVersion="2")
    assert said(ssm) == "two"
    assert said(ssm, DocumentVersion="1") == "one"
    described = ssm.describe_document(Name="say-it")["Document"]
    assert (described["DefaultVersion"], described["LatestVersion"]) == ("2", "2")


@pytest.mark.usefixtures("two_versions")
def test_a_version_can_be_deleted_but_not_the_default(ssm: SSMClient) -> None:
    with pytest.raises(ClientError) as caught:
        ssm.delete_document(Name="say-it", DocumentVersion="1")
    assert code_of(caught) == "InvalidDocumentOperation"
    ssm.delete_document(Name="say-it", DocumentVersion="2")
    with pytest.raises(ClientError) as caught:
        ssm.get_document(Name="say-it", DocumentVersion="2")
    assert code_of(caught) == "InvalidDocumentVersion"


@pytest.mark.usefixtures("two_versions")
def test_a_deleted_document_is_gone(ssm: SSMClient) -> None:
    ssm.delete_document(Name="say-it")
    with pytest.raises(ClientError) as caught:
        ssm.describe_document(Name="say-it")
    assert caught.value.response["Error"] == {
        "Code": "InvalidDocument",
        "Message": "Document with name say-it does not exist.",
    }


@pytest.mark.usefixtures("two_versions")
def test_a_document_is_found_by_its_arn(ssm: SSMClient) -> None:
    arn = "arn:aws:ssm:eu-west-1:123456789012:document/say-it"
    sent = ssm.send_command(InstanceIds=[NODE], DocumentName=arn)["Command"]
    assert sent["DocumentName"] == "say-it"


@pytest.mark.usefixtures("two_versions")
def test_the_same_name_or_content_twice_is_refused(ssm: SSMClient) -> None:
    with pytest.raises(ClientError) as caught:
        ssm.create_document(Name="say-it", Content=saying("x"), DocumentType="Command")
    assert code_of(caught) == "DocumentAlreadyExists"
    with pytest.raises(ClientError) as caught:
        ssm.update_document(Name="say-it", Content=saying("one"))
    assert code_of(caught) == "DuplicateDocumentContent"


def test_amazons_own_document_cannot_be_changed(ssm: SSMClient) -> None:
    with pytest.raises(ClientError) as caught:
        ssm.delete_document(Name="AWS-RunShellScript")
    assert code_of(caught) == "InvalidDocumentOperation"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("{", "InvalidDocumentContent"),
        ("[]", "InvalidDocumentContent"),
        ('{"schemaVersion": "9.9"}', "InvalidDocumentSchemaVersion"),
        ('{"schemaVersion": "2.2", "mainSteps": []}', "InvalidDocumentContent"),
        (saying("x").replace("aws:runShellScript", "aws:runPowerShellScript"), "InvalidDocumentContent"),
        (saying("x").replace('"name": "say", ', ""), "InvalidDocumentContent"),
        (saying("x").replace('"StringList"', '"StringList", "allowedPattern": "("'), "InvalidDocumentContent"),
        (saying("x" * 65_536), "MaxDocumentSizeExceeded"),
    ],
)
def test_content_that_cannot_run_here_is_refused(ssm: SSMClient, content: str, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        ssm.create_document(Name="broken", Content=content, DocumentType="Command")
    assert code_of(caught) == code
    with pytest.raises(ClientError, match="InvalidDocument"):
        ssm.get_document(Name="broken")
