"""Documents over the API: what they answer, and what is refused."""

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


def code_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return caught.value.response["Error"]["Code"]


def create(ssm: SSMClient, content: str) -> Any:
    return ssm.create_document(Name="say-it", Content=content, DocumentType="Command")["DocumentDescription"]


def test_a_new_document_is_creating_and_runs(ssm: SSMClient) -> None:
    content = saying("one")
    created = create(ssm, content)
    assert (created["Status"], created["DocumentVersion"], created["SchemaVersion"]) == ("Creating", "1", "2.2")
    assert created["Hash"] == hashlib.sha256(content.encode()).hexdigest()
    assert created["Parameters"][0]["DefaultValue"] == '["a"]'
    sent = ssm.send_command(InstanceIds=[NODE], DocumentName="say-it", DocumentVersion="$LATEST")["Command"]
    assert settled(ssm, sent["CommandId"])["StandardOutputContent"] == "one\n"


def test_a_document_is_found_by_its_arn(ssm: SSMClient) -> None:
    create(ssm, saying("one"))
    arn = "arn:aws:ssm:eu-west-1:123456789012:document/say-it"
    sent = ssm.send_command(InstanceIds=[NODE], DocumentName=arn)["Command"]
    assert sent["DocumentName"] == "say-it"


def test_the_same_name_twice_is_refused(ssm: SSMClient) -> None:
    create(ssm, saying("one"))
    with pytest.raises(ClientError) as caught:
        create(ssm, saying("two"))
    assert code_of(caught) == "DocumentAlreadyExists"


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
        ssm.send_command(InstanceIds=[NODE], DocumentName="broken")
