"""What a script finds on the node, and how a document's parameters get into it."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ssm import SSMClient

from local.ssm import Endpoint

from .conftest import NODE, Run, settled

Make = Callable[..., Callable[..., Any]]


@pytest.fixture
def document(ssm: SSMClient) -> Make:
    """Make a document of schema 2.2 with one step `work`; returns how to run it with parameters."""

    def make(script: Any, parameters: dict[str, Any], **inputs: Any) -> Callable[..., Any]:
        step = {"action": "aws:runShellScript", "name": "work", "inputs": {"runCommand": script, **inputs}}
        content = {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": [step]}
        ssm.create_document(Name="made-here", Content=json.dumps(content), DocumentType="Command")

        def run(**given: list[str]) -> Any:
            sent = ssm.send_command(InstanceIds=[NODE], DocumentName="made-here", Parameters=given)
            return settled(ssm, sent["Command"]["CommandId"])

        return run

    return make


def test_the_environment_is_that_of_systemd_and_the_agent(run: Run) -> None:
    result = run("env")
    found = dict(line.split("=", 1) for line in result["StandardOutputContent"].splitlines())
    assert found.keys().isdisjoint({"HOME", "USER", "LOGNAME", "SHELL", "TERM"})
    assert found["PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
    assert found["AWS_SSM_INSTANCE_ID"] == NODE
    assert found["AWS_SSM_REGION_NAME"] == "eu-west-1"
    assert found["SSM_COMMAND_ID"] == result["CommandId"]
    assert found["SLURM_CONF"] == "/etc/slurm/slurm.conf"
    assert Path(found["PWD"]) == Path("/usr/bin")


def test_the_script_is_a_private_executable_in_the_orchestration_directory(run: Run, tmp_path: Path) -> None:
    result = run("echo $0; cat; cat /proc/$$/stat")  # proc_pid_stat(5)
    path, status = result["StandardOutputContent"].splitlines()
    folder = tmp_path / "node" / result["CommandId"] / "awsrunShellScript" / "0.awsrunShellScript"
    assert path == str(folder / "_script.sh")
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o700
    shell, (parent, group) = int(status.split()[0]), map(int, status.rpartition(")")[2].split()[1:3])
    assert group in (shell, parent), "bash turns `sh -c path` into the script's shell, dash starts a child"
    assert group != os.getpgrp()


def test_an_orchestration_directory_that_cannot_be_made_fails_the_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "node").write_text("in the way")
    result = run("echo hi")
    assert (result["Status"], result["ResponseCode"]) == ("Failed", 1)
    assert result["StandardErrorContent"].startswith("failed to create script file. ")


def test_a_shebang_chooses_the_interpreter(run: Run) -> None:
    assert run("#!/usr/bin/env python3\nprint(6 * 7)")["StandardOutputContent"] == "42\n"


def test_an_absolute_working_directory_is_used_and_a_missing_one_fails(ssm: SSMClient, tmp_path: Path) -> None:
    def run_in(directory: str) -> Any:
        parameters = {"commands": ["pwd"], "workingDirectory": [directory]}
        sent = ssm.send_command(InstanceIds=[NODE], DocumentName="AWS-RunShellScript", Parameters=parameters)
        return settled(ssm, sent["Command"]["CommandId"])

    assert run_in(str(tmp_path))["StandardOutputContent"] == f"{tmp_path}\n"
    assert run_in("not-absolute")["StandardOutputContent"] == "/usr/bin\n"
    failed = run_in(f"{tmp_path}/missing")
    assert (failed["Status"], failed["ResponseCode"]) == ("Failed", 1)
    assert failed["StandardErrorContent"].startswith("failed to run commands: ")
    assert failed["StandardErrorContent"].endswith("no such file or directory")


def test_a_parameter_is_put_into_the_script_without_any_quoting(document: Make) -> None:
    run = document(["echo '{{ word }}'"], {"word": {"type": "String"}})
    assert run(word=["it"])["StandardOutputContent"] == "it\n"
    assert run(word=["x'; echo 'injected"])["StandardOutputContent"] == "x\ninjected\n"


def test_a_parameter_alone_keeps_its_kind_and_inside_text_a_list_is_json(document: Make) -> None:
    parameters = {"lines": {"type": "StringList"}}
    assert document("{{lines}}", parameters)(lines=["echo a", "echo b"])["StandardOutputContent"] == "a\nb\n"


def test_a_list_inside_text_is_json_with_html_escaped(document: Make) -> None:
    run = document(["cat <<'END'\n{{ words }}\nEND"], {"words": {"type": "StringList"}})
    assert run(words=["a", "<b>"])["StandardOutputContent"] == '["a","\\u003cb\\u003e"]\n'


def test_two_dollars_in_a_value_become_one(document: Make) -> None:
    run = document(["echo '{{ word }}'"], {"word": {"type": "String"}})
    assert run(word=["a$$b"])["StandardOutputContent"] == "a$b\n"


def test_a_value_is_not_searched_for_parameters_again(document: Make) -> None:
    run = document(["echo '{{ a }} {{ b }}'"], {"a": {"type": "String"}, "b": {"type": "String"}})
    assert run(a=["{{ b }}"], b=["{{ a }}"])["StandardOutputContent"] == "{{ b }} {{ a }}\n"


def test_a_default_fills_in_for_a_parameter_not_given(document: Make) -> None:
    run = document(["echo '{{ word }}'"], {"word": {"type": "String", "default": "calm"}})
    assert run()["StandardOutputContent"] == "calm\n"


def test_a_parameter_with_an_underscore_is_dropped_by_the_agent(document: Make) -> None:
    run = document(["echo '{{ a_b }}'"], {"a_b": {"type": "String"}})
    assert run(a_b=["x"])["StandardOutputContent"] == "{{ a_b }}\n"


@pytest.mark.parametrize("script", ["echo {{ssm:secret}}", "echo '{{ ssm:/a/b-c }}'"])
def test_a_parameter_store_reference_fails_even_in_a_users_own_text(run: Run, script: str) -> None:
    result = run(script)
    name = script.partition("ssm:")[2].split("}")[0].strip()
    assert (result["Status"], result["StandardOutputContent"]) == ("Failed", "")
    assert result["StandardErrorContent"] == f"Input contains invalid parameters [{name}]"


SAFE = {"type": "String", "interpolationType": "ENV_VAR", "allowedPattern": "^[a-z]+$"}


def test_env_var_interpolation_exports_the_value(document: Make) -> None:
    run = document(['echo "$SSM_word"'], {"word": {"type": "String", "interpolationType": "ENV_VAR"}})
    assert run(word=["$(id); `id` 'x"])["StandardOutputContent"] == "$(id); `id` 'x\n"


def test_a_parameter_without_it_is_not_exported(document: Make) -> None:
    run = document(['echo "${SSM_word-unset}"'], {"word": {"type": "String"}})
    assert run(word=["x"])["StandardOutputContent"] == "unset\n"


def test_an_old_agent_exports_nothing(document: Make, endpoint: Endpoint) -> None:
    run = document(['echo "${SSM_word-unset}"'], {"word": SAFE})
    endpoint.faults.old_agent = True
    assert run(word=["abc"])["StandardOutputContent"] == "unset\n"


def test_a_value_of_90_000_characters_fits_a_variable(document: Make) -> None:
    run = document(['printf %s "$SSM_word" | wc -c'], {"word": SAFE})
    assert run(word=["a" * 90_000])["StandardOutputContent"] == "90000\n"


@pytest.mark.parametrize("word", ["ABC", "abc1", "", "abc\n", "a\nb", "abc; id"])
def test_the_allowed_pattern_is_checked_to_the_very_end(document: Make, word: str) -> None:
    run = document(['echo "$SSM_word"'], {"word": SAFE})
    with pytest.raises(ClientError) as caught:
        run(word=[word])
    assert caught.value.response["Error"]["Code"] == "InvalidParameters"
    assert run(word=["abc"])["StandardOutputContent"] == "abc\n"


def test_an_unanchored_pattern_is_only_searched_for(document: Make) -> None:
    run = document(['echo "$SSM_word"'], {"word": {**SAFE, "allowedPattern": "[a-z]+"}})
    assert run(word=["!abc!"])["StandardOutputContent"] == "!abc!\n"


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        ({"minChars": 2}, "ab", "a"),
        ({"maxChars": 2}, "ab", "abc"),
        ({"allowedValues": ["on", "off"]}, "on", "maybe"),
    ],
)
def test_lengths_and_values_are_checked(document: Make, limits: dict[str, Any], good: str, bad: str) -> None:
    run = document(["echo {{ word }}"], {"word": {"type": "String", **limits}})
    assert run(word=[good])["StandardOutputContent"] == f"{good}\n"
    with pytest.raises(ClientError, match="InvalidParameters"):
        run(word=[bad])


def test_steps_run_in_order_until_one_skips_the_rest(ssm: SSMClient) -> None:
    def step(name: str, script: str, **more: Any) -> dict[str, Any]:
        return {"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": [script]}, **more}

    windows = {"precondition": {"StringEquals": ["platformType", "Windows"]}}
    steps = [step("first", "echo 1; exit 5"), step("elsewhere", "echo no", **windows),
             step("second", "echo 2; exit 168"), step("third", "echo 3")]  # fmt: skip
    content = json.dumps({"schemaVersion": "2.2", "mainSteps": steps})
    ssm.create_document(Name="stepwise", Content=content, DocumentType="Command")
    command_id = ssm.send_command(InstanceIds=[NODE], DocumentName="stepwise")["Command"]["CommandId"]
    first = settled(ssm, command_id, PluginName="first")
    assert (first["Status"], first["StandardOutputContent"]) == ("Failed", "1\n")
    assert settled(ssm, command_id, PluginName="second")["StandardOutputContent"].startswith("2\n")
    assert settled(ssm, command_id, PluginName="elsewhere")["StandardOutputContent"] == ""
    assert settled(ssm, command_id, PluginName="third")["StandardOutputContent"] == ""
    with pytest.raises(ClientError, match="InvalidPluginName"):
        ssm.get_command_invocation(CommandId=command_id, InstanceId=NODE)
