"""The program on the head node, run as the SSM agent runs it: by the system's own Python, with nothing but its library.

In Slurm's place stand scripts that print what they were called with.
"""

import ast
import base64
import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from program_node import SCRIPT, SOURCE, Bucket, Node, argv, packed

from headnode.program.operations import matches
from headnode.program.refused import Refused
from headnode.replies import unpack
from program_check import as_the_program_has_it
from slurm import framing
from slurm.operation import Operation
from slurm.operations import OPERATIONS

FORMAT = "JobID:~0123abCD"
SOON = time.time() + 3000


pytest_plugins = ["program_node"]


def test_a_read_is_run_with_its_fixed_words_and_checked_options(node: Node) -> None:
    (reply,) = node.ask(
        {"operation": "squeue", "options": {"jobs": "1,2_3"}, "environment": {"SQUEUE_FORMAT2": FORMAT}}
    )
    assert argv(reply) == ["--local", "--noheader", "--all", "--states=all", "--noconvert", "--sort=", "--jobs=1,2_3"]
    assert reply["stderr"] == ""
    assert reply["seconds"] >= 0


def test_replies_stand_in_the_order_of_the_operations(node: Node) -> None:
    node.command("squeue", "sleep 0.3; echo squeue")
    node.command("sinfo", "echo sinfo")
    replies = node.ask({"operation": "squeue"}, {"operation": "nonesuch"}, {"operation": "sinfo"})
    assert [reply.get("stdout", reply.get("code")) for reply in replies] == ["squeue\n", "invalid", "sinfo\n"]


def test_operations_of_a_step_run_together_and_steps_one_after_the_other(node: Node) -> None:
    node.command("squeue", f"touch {node.folder}/users/$$ 2>/dev/null; date +%s.%N; sleep 1; date +%s.%N")
    (one, two), (three,) = (
        [[float(time) for time in reply["stdout"].split()] for reply in replies] for replies in _steps(node, 2, 1)
    )
    assert max(one[0], two[0]) < min(one[1], two[1])
    assert three[0] >= max(one[1], two[1])


def _steps(node: Node, *sizes: int) -> list[list[dict[str, Any]]]:
    request = {**node.request(), "steps": [[{"operation": "squeue"}] * size for size in sizes]}
    replies = node.answer(packed(request))["replies"]
    return [[replies.pop(0) for _ in range(size)] for size in sizes]


def test_an_exit_code_and_the_text_of_stderr_are_reported(node: Node) -> None:
    node.command("squeue", "echo out; echo bad >&2; exit 3")
    (reply,) = node.ask({"operation": "squeue"})
    assert (reply["exit_code"], reply["stdout"], reply["stderr"]) == (3, "out\n", "bad\n")


def test_bytes_that_are_not_utf_8_become_replacement_characters(node: Node) -> None:
    node.command("squeue", r"printf 'a\377b'")
    assert node.ask({"operation": "squeue"})[0]["stdout"] == "a\ufffdb"


def test_a_reads_environment_is_fixed(node: Node) -> None:
    node.command("squeue", "env -0")
    around = {"SLURM_CONF": "/nowhere/slurm.conf", "SQUEUE_STATES": "R", "SECRET": "x", "LD_PRELOAD": ""}
    request = node.request({"operation": "squeue", "environment": {"SQUEUE_FORMAT2": FORMAT}})
    (reply,) = node.answer(packed(request), environment=around)["replies"]
    seen = dict(line.split("=", 1) for line in reply["stdout"].split("\0") if line)
    seen.pop("PWD", None)
    seen.pop("_", None)
    assert seen == {
        "TZ": "UTC",
        "SLURM_TIME_FORMAT": "%s",
        "SLURM_BITSTR_LEN": "0",
        "LC_ALL": "C.UTF-8",
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864",
        "PATH": node.settings["path"],
        "SLURM_CONF": "/nowhere/slurm.conf",
        "SQUEUE_FORMAT2": FORMAT,
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_reads_run_as_nobody_and_changes_as_the_caller(node: Node) -> None:
    for name in ("squeue", "scancel", "sbatch"):
        about = "id -un; id -Gn; umask; pwd; cat /proc/self/status | grep CapEff"
        node.command(name, about if name != "sbatch" else f"({about}) >&2; echo 17")
    read, change, submission = (
        (reply["stderr"] or reply["stdout"]).splitlines()
        for reply in node.ask(
            {"operation": "squeue"},
            {"operation": "scancel", "arguments": ["1"]},
            {"operation": "sbatch", "stdin": SCRIPT},
        )
    )
    own = subprocess.run(["id", "-Gn", node.user], capture_output=True, text=True, check=True).stdout.strip()
    none = "CapEff:\t0000000000000000"
    assert read == ["nobody", "nogroup", "0022", "/", none]
    assert change == [node.user, own, "0022", "/", none]
    assert (submission[0], submission[1], submission[-1]) == (node.user, own, none)


@pytest.mark.parametrize(
    "operation",
    [
        {"operation": "sh"},
        {"operation": "bash -c id"},
        {"operation": "scontrol"},
        {"operation": "scontrol update"},
        {"operation": "scontrol shutdown"},
        {"operation": "/usr/bin/id"},
        {"operation": "../squeue"},
        {"operation": ""},
        {"operation": "squeue", "options": {"user": "root,ada"}},
        {"operation": "squeue", "options": {"jobs": "1;id"}},
        {"operation": "squeue", "options": {"jobs": ""}},
        {"operation": "squeue", "options": {"jobs": "1\n"}},
        {"operation": "squeue", "options": {"jobs": ["1"]}},
        {"operation": "squeue", "options": {"jobs": None}},
        {"operation": "squeue", "options": {"jobs": 1}},
        {"operation": "squeue", "options": {"-x": ""}},
        {"operation": "squeue", "arguments": ["1"]},
        {"operation": "squeue", "environment": {"LD_PRELOAD": "/x.so"}},
        {"operation": "squeue", "environment": {"SQUEUE_FORMAT2": "JobID:|"}},
        {"operation": "squeue", "environment": {"SLURM_CONF": "/x"}},
        {"operation": "squeue", "environment": {"PATH": "/x"}},
        {"operation": "sinfo", "options": {"Node": "x"}},
        {"operation": "sinfo", "options": {"Format": "JobID:~0123abCD,"}},
        {"operation": "scontrol show config", "arguments": ["x"]},
        {"operation": "scancel", "arguments": ["-u", "root"]},
        {"operation": "scancel", "arguments": ["--me"]},
        {"operation": "scancel", "arguments": ["1", "-1"]},
        {"operation": "scancel", "arguments": ["name=x"]},
        {"operation": "scancel", "options": {"signal": "-9"}, "arguments": ["1"]},
        {"operation": "scancel", "options": {"user": "root"}},
        {"operation": "scontrol hold", "arguments": ["name=x"]},
        {"operation": "scontrol hold", "arguments": ["1 2"]},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"uid": "0"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"wrap": "id"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"partition": "-x"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"partition": "a\tb"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"chdir": "relative"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"nodes": "1\n"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"hold": "x"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"job-name": "a\0b"}},
        {"operation": "sbatch", "stdin": SCRIPT, "arguments": ["/home/x.sh"]},
        {"operation": "sbatch"},
        {"operation": "sbatch", "arguments": ["relative.sh"]},
        {"operation": "sbatch", "arguments": ["/a.sh", "/b.sh"]},
        {"operation": "sbatch", "arguments": ["/a\0b"]},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"export": "A=1"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"export": ""}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"mail-user": "-s"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"container": "relative"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"gpus": "a100:"}},
        {"operation": "sbatch", "stdin": SCRIPT, "options": {"get-user-env": ""}},
        {"operation": "sbatch", "stdin": SCRIPT, "environment": {"A-B": "x"}},
        {"operation": "sbatch", "stdin": SCRIPT, "environment": {"A": "a\0b"}},
        {"operation": "sbatch", "stdin": SCRIPT, "environment": {"A": 1}},
    ],
    ids=lambda operation: json.dumps({name: value for name, value in operation.items() if name != "stdin"}),
)
def test_operations_outside_the_list_are_not_run(node: Node, operation: dict[str, Any]) -> None:
    marker = node.folder / "users" / node.user / "was-run"
    for name in ("squeue", "sinfo", "sbatch", "scancel", "scontrol"):
        node.command(name, f'[ "$*" = ping ] || touch {marker}')  # the ping of slurmctld runs as root
    (reply,) = node.ask(operation)
    assert reply["code"] == "invalid"
    assert "exit_code" not in reply
    assert not marker.exists()


operations = st.sampled_from(OPERATIONS)
values = st.one_of(
    st.text(max_size=30),
    st.text("0123456789-_,;:+%[]= \n\t\0'\"$()`|&<>*?\\aA/~.@", max_size=12),
    st.from_regex(r"-{1,2}[a-z]+(=\w+)?", fullmatch=True),
    st.none() | st.integers() | st.lists(st.text(max_size=3), max_size=2),
)


@given(data=st.data(), operation=operations, argument=values)
def test_no_value_changes_what_is_run(data: st.DataObject, operation: Operation, argument: Any) -> None:
    """In any request each value is one word after its option, a job's id or a path; otherwise it is refused."""
    allowed = as_the_program_has_it(operation)
    options = data.draw(st.dictionaries(st.sampled_from([*allowed.options, "uid", "wrap", ""]), values, max_size=3))
    asked = {"operation": operation.name, "options": options, "arguments": [] if argument is None else [argument]}
    try:
        line = allowed.argv(asked, [])
    except Refused:
        return
    head = allowed.words
    assert line[: len(head)] == head
    dashes = "" if allowed.assigns else "--"
    shown = [
        f"--{option}" if allowed.options[option] == "" else f"{dashes}{option}={options[option]}" for option in options
    ]
    assert line[len(head) :] == [*shown, *asked["arguments"], *allowed.last_words]
    assert set(options) <= set(allowed.options)
    assert operation.name == "account" or all(str(word)[0] in "/0123456789" for word in asked["arguments"])
    assert not any("\0" in word for word in line)


_NAMES = st.sampled_from(["JobID", "tres-alloc", "exit_code"])


@given(st.lists(_NAMES, min_size=1, unique=True), st.sets(_NAMES))
def test_every_format_that_framing_makes_is_in_the_list(columns: list[str], plain: set[str]) -> None:
    assert matches(framing.FORMAT, framing.format_string(columns, framing.separator(), plain))


def test_the_job_of_an_earlier_reply_is_filled_in(node: Node) -> None:
    node.command("sbatch", "echo '17;lab'")
    steps = [
        [{"operation": "sbatch", "stdin": SCRIPT}],
        [{"operation": "squeue", "options": {"jobs": {"job_of": 0}}}],
    ]
    replies = node.answer(packed({**node.request(), "steps": steps}))["replies"]
    assert argv(replies[1])[-1] == "--jobs=17"


def test_without_such_a_job_the_later_command_is_not_run(node: Node) -> None:
    node.command("sbatch", "echo 'sbatch: error: no' >&2; exit 1")
    steps = [
        [{"operation": "sbatch", "stdin": SCRIPT}],
        [{"operation": "squeue", "options": {"jobs": {"job_of": 0}}}],
    ]
    first, second = node.answer(packed({**node.request(), "steps": steps}))["replies"]
    assert first["exit_code"] == 1
    assert second == {"refusal": "no job was submitted", "code": "invalid"}


@pytest.mark.parametrize("user", [None, "", "root", "nobody", "no-such-account", "../x", "Ada", "-x", "a\n"])
@pytest.mark.parametrize("operation", ["sbatch", "scancel"])
def test_the_program_does_not_act_as_system_accounts(node: Node, user: Any, operation: str) -> None:
    asked = {"operation": operation, "stdin": SCRIPT, "arguments": ["1"] if operation == "scancel" else []}
    assert [reply["code"] for reply in node.ask(asked, user=user)] == ["forbidden"]


def test_a_request_that_came_too_late_is_not_carried_out(node: Node) -> None:
    marker = node.folder / "users" / node.user / "was-run"
    node.command("scancel", f"touch {marker}")
    request = node.request({"operation": "scancel", "arguments": ["1"]}, expires=time.time() - 1)
    answer = node.answer(packed(request))
    assert abs(answer.pop("started") - time.time()) < 60
    assert answer == {"error": "the request came too late", "expired": True}
    assert not marker.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "%%%",
        "AAAA",
        base64.urlsafe_b64encode(b"no gzip").decode(),
        base64.urlsafe_b64encode(gzip.compress(b"no JSON", mtime=0)).decode(),
        base64.urlsafe_b64encode(gzip.compress(b"\xff\xfe", mtime=0)).decode(),
        base64.urlsafe_b64encode(gzip.compress(b"{}", mtime=0)[:-9]).decode(),
        packed(None),
        packed([]),
        packed("x"),
        packed({}),
        packed({"expires": "never", "steps": []}),
        packed({"expires": SOON}),
        packed({"expires": SOON, "steps": [1]}),
        packed({"expires": SOON, "user": ["ada"], "steps": [[{"operation": "scancel", "arguments": ["1"]}]]}),
        packed({"expires": SOON, "user": 0, "steps": [[{"operation": "scancel", "arguments": ["1"]}]]}),
        packed({"expires": SOON, "steps": [[{"operation": "scancel", "arguments": [1]}]]}),
        packed({"expires": SOON, "steps": [[1]]}),
        packed({"expires": SOON, "steps": [[{}]]}),
        packed({"expires": SOON, "steps": [[{"operation": ["squeue"]}]]}),
        packed({"expires": SOON, "steps": [[{"operation": "squeue", "options": [1]}]]}),
        packed({"expires": SOON, "steps": [[{"operation": "squeue", "options": {"jobs": {"job_of": 7}}}]]}),
        packed({"expires": SOON, "steps": [[{"operation": "squeue", "environment": 1}]]}),
        packed({"expires": SOON, "steps": [[{"operation": "scancel", "arguments": 1}]]}),
        packed({"expires": SOON, "user": "ada", "steps": [[{"operation": "sbatch", "stdin": 1}]]}),
        packed({"get": "ftp://127.0.0.1/x", "sha256": ""}),
        packed({"get": "http://example.org/x", "sha256": ""}),
        packed({"get": "http://127.0.0.1:1/x", "sha256": ""}),
        packed({"get": 1}),
    ],
    ids=lambda text: text[:12] or "nothing",
)
def test_garbage_is_answered_with_an_error(node: Node, text: str) -> None:
    answer = node.answer(text)
    assert "error" in answer or [reply["code"] for reply in answer["replies"]] == ["invalid"]


def test_a_command_is_killed_at_its_time_limit(node: Node) -> None:
    impatient = SOURCE.replace("SECONDS = 20.0", "SECONDS = 0.5")
    assert impatient != SOURCE
    node.command(
        "squeue", "trap '' TERM", "echo begun", f"echo $$ >{node.folder}/users/{node.user}/pid", "exec sleep 60"
    )
    node.command("sinfo", "echo done")
    started = time.monotonic()
    request = node.request({"operation": "squeue"}, {"operation": "sinfo"})
    slow, quick = node.answer(packed(request), impatient)["replies"]
    assert time.monotonic() - started < 30
    assert slow == {"refusal": "squeue did not end within 0 s", "code": "timed_out"}
    assert quick["stdout"] == "done\n"


def test_output_that_a_child_in_the_background_holds_open_is_not_waited_for(node: Node) -> None:
    node.command("squeue", "echo done", "sleep 30 &")
    started = time.monotonic()
    (reply,) = node.ask({"operation": "squeue"})
    assert time.monotonic() - started < 25
    assert (reply["exit_code"], reply["stdout"]) == (0, "done\n")


def test_much_output_on_both_streams_is_read_while_it_comes(node: Node) -> None:
    node.command("squeue", "head -c 1500000 /dev/zero | tr '\\0' x >&2; head -c 1500000 /dev/zero | tr '\\0' y")
    (reply,) = node.ask({"operation": "squeue"})
    assert (reply["stdout"], reply["stderr"]) == ("y" * 1_500_000, "x" * 1_500_000)


def test_long_outputs_of_commands_at_once_come_back_as_they_were(node: Node) -> None:
    printed = {
        name: "".join(f'{number % 7} {name} \u00e9\u4e16\U0001f600 "\\ \x01\t\n' for number in range(20_000))
        for name in ("squeue", "sinfo")
    }
    for name, text in printed.items():
        (node.folder / name).write_bytes(text.encode() + b"\xff\xe4\xb8")
        node.command(name, f"cat {node.folder / name}; cat {node.folder / name} >&2; exit 1")
    one, small, other = node.ask({"operation": "squeue"}, {"operation": "nonesuch"}, {"operation": "sinfo"})
    for reply, text in ((one, printed["squeue"]), (other, printed["sinfo"])):
        assert reply["stdout"] == reply["stderr"] == text + "\ufffd\ufffd"
        assert reply["exit_code"] == 1
    assert small["code"] == "invalid"


def test_a_long_output_takes_little_memory(node: Node, bucket: Bucket) -> None:
    status = node.folder / "status"
    told = f"{SOURCE}\nopen('{status}', 'w').write(open('/proc/self/status').read())"
    node.command("squeue", "yes 1234567 | head -c 8000000")
    node.answer(packed(node.request({"operation": "squeue"}, put=f"{bucket.url}/slurmql/x")), told)
    (reply,) = unpack(bucket.objects["/slurmql/x"])["replies"]
    assert len(reply["stdout"]) == 8_000_000
    highest = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    assert int(highest) < 30_000  # kB; the output alone was in memory four times


def test_a_long_output_names_no_job(node: Node) -> None:
    node.command("squeue", "yes 17 | head -c 300000")
    steps = [[{"operation": "squeue"}], [{"operation": "squeue", "options": {"jobs": {"job_of": 0}}}]]
    _, reply = node.answer(packed({**node.request(), "steps": steps}))["replies"]
    assert reply == {"refusal": "no job was submitted", "code": "invalid"}


def test_a_command_that_is_missing_is_unavailable(node: Node) -> None:
    node.settings["path"] = "/nowhere"
    assert node.ask({"operation": "sinfo"})[0]["code"] == "unavailable"


NOISE = "head -c 60000 /dev/urandom | base64 -w 0"


def test_a_large_answer_is_one_put_and_stdout_has_its_digest(node: Node, bucket: Bucket) -> None:
    node.command("squeue", NOISE)
    answer = node.answer(
        packed(node.request({"operation": "squeue"}, put=f"{bucket.url}/slurmql/answers/1?signature=x"))
    )
    (body,) = bucket.objects.values()
    assert list(bucket.objects) == ["/slurmql/answers/1?signature=x"]
    assert answer == {"put": hashlib.sha256(body).hexdigest()}
    assert len(unpack(body)["replies"][0]["stdout"]) == 80_000


def test_a_small_answer_stays_out_of_the_bucket(node: Node, bucket: Bucket) -> None:
    node.answer(packed(node.request({"operation": "squeue"}, put=f"{bucket.url}/slurmql/answers/1")))
    assert bucket.objects == {}


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (None, "needs a bucket, and none is configured"),
        ("http://127.0.0.1:1/x", "cannot write to the bucket"),
        ("http://example.org/x", "not in the bucket that the head node's document names"),
    ],
)
def test_a_large_answer_that_cannot_go_there_is_an_error(node: Node, put: str | None, words: str) -> None:
    node.settings["bucket"] = ["http://127.0.0.1:1/"]
    node.command("squeue", NOISE)
    answer = node.answer(packed(node.request({"operation": "squeue"}, put=put)))
    assert list(answer) == ["error"]
    assert words in answer["error"]


def test_a_bucket_that_refuses_the_answer_is_an_error(node: Node, bucket: Bucket) -> None:
    node.command("squeue", NOISE)
    bucket.status = 403
    answer = node.answer(packed(node.request({"operation": "squeue"}, put=f"{bucket.url}/slurmql/x")))
    assert "403" in answer["error"]


def test_the_proxy_that_the_agents_environment_names_is_used(node: Node, bucket: Bucket) -> None:
    node.command("squeue", NOISE)
    node.settings["bucket"] = ["http://bucket.example/"]
    request = packed(node.request({"operation": "squeue"}, put="http://bucket.example/answers/1"))
    answer = node.answer(request, environment={"http_proxy": bucket.url, "no_proxy": "other.example"})
    assert (list(answer), list(bucket.objects)) == (["put"], ["http://bucket.example/answers/1"])
    direct = node.answer(request, environment={"http_proxy": bucket.url, "no_proxy": "bucket.example"})
    assert "Could not resolve host" in direct["error"]


def test_no_command_line_shows_the_presigned_url(node: Node, bucket: Bucket) -> None:
    node.command("squeue", NOISE)
    node.command("curl", "tr '\\0' '\\n' < /proc/$$/cmdline > $(dirname $0)/../seen", 'exec /usr/bin/curl "$@"')
    answer = node.answer(
        packed(node.request({"operation": "squeue"}, put=f"{bucket.url}/slurmql/answers/1?signature=x"))
    )
    assert (list(answer), list(bucket.objects)) == (["put"], ["/slurmql/answers/1?signature=x"])
    seen = (node.folder / "seen").read_text()
    assert "--config" in seen
    assert "signature" not in seen


@pytest.mark.parametrize("end", ['1"\noutput = "/tmp/x', "1\\", "1 2", '"'])
def test_characters_with_a_meaning_for_curl_are_refused(node: Node, bucket: Bucket, end: str) -> None:
    node.command("squeue", NOISE)
    answer = node.answer(packed(node.request({"operation": "squeue"}, put=f"{bucket.url}/slurmql/{end}")))
    assert "not in the bucket" in answer["error"]


def test_a_large_request_is_fetched_from_the_bucket(node: Node, bucket: Bucket) -> None:
    body = gzip.compress(json.dumps(node.request({"operation": "squeue"})).encode())
    bucket.objects["/slurmql/requests/1"] = body
    pointer = {"get": f"{bucket.url}/slurmql/requests/1", "sha256": hashlib.sha256(body).hexdigest()}
    (reply,) = node.answer(packed(pointer))["replies"]
    assert "--noheader" in argv(reply)


def test_a_request_in_the_bucket_that_is_not_the_announced_one_is_not_carried_out(node: Node, bucket: Bucket) -> None:
    bucket.objects["/slurmql/requests/1"] = gzip.compress(json.dumps(node.request({"operation": "squeue"})).encode())
    answer = node.answer(packed({"get": f"{bucket.url}/slurmql/requests/1", "sha256": "0" * 64}))
    assert "does not have the announced digest" in answer["error"]


def test_the_output_of_a_login_profile_is_not_part_of_the_environment(node: Node) -> None:
    """The user's own profile is run; only what stands behind a marker counts (see tests/end_to_end)."""
    node.command("sbatch", "env -0 >&2; echo 17")
    (reply,) = node.ask(
        {"operation": "sbatch", "stdin": SCRIPT, "environment": {"A": "1"}},
    )
    seen = dict(line.split("=", 1) for line in reply["stderr"].split("\0") if line)
    assert seen["A"] == "1"
    assert seen["USER"] == seen["LOGNAME"] == node.user


def test_a_script_by_its_path_is_sbatchs_last_word_and_nothing_is_on_stdin(node: Node) -> None:
    node.command("sbatch", '(cat; for word; do echo "[$word]"; done) >&2; echo 17')
    (reply,) = node.ask({"operation": "sbatch", "arguments": ["/a b;id"], "options": {"hold": ""}})
    assert reply["stderr"].splitlines() == ["[--parsable]", "[--hold]", "[/a b;id]"]


def test_an_estimate_is_in_epoch_seconds_and_claims_no_key(node: Node) -> None:
    node.command("sbatch", 'echo "$SLURM_TIME_FORMAT $TZ"')
    asked = {"operation": "sbatch", "stdin": SCRIPT, "options": {"test-only": ""}, "key": "k"}
    assert [reply["stdout"] for reply in node.ask(asked) + node.ask(asked)] == ["%s UTC\n"] * 2
    assert not list(node.folder.rglob("state/*/*"))


def test_the_script_reaches_sbatch_by_stdin_alone(node: Node) -> None:
    node.command("sbatch", '(cat; echo "$# $*") >&2; echo 17')
    script = "#!/bin/sh\necho 'é $(id)'\n"
    (reply,) = node.ask({"operation": "sbatch", "stdin": script})
    assert reply["stderr"] == script + "1 --parsable"


def test_the_source_is_python_3_6() -> None:
    ast.parse(SOURCE, feature_version=(3, 6))


def test_the_program_imports_only_the_standard_library() -> None:
    imported: set[str] = set()
    for part in ast.walk(ast.parse(SOURCE)):
        if isinstance(part, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in part.names)
        elif isinstance(part, ast.ImportFrom):
            imported.add((part.module or "").split(".")[0])
    assert imported <= sys.stdlib_module_names


def test_the_source_holds_nothing_that_systems_manager_would_fill_in() -> None:
    assert "{{" not in SOURCE


@pytest.mark.parametrize(
    ("version", "run"), [("slurm 20.11.9", True), ("slurm-wlm 21.08.0", False), ("slurm 26.05.5", False), ("", False)]
)
def test_operations_for_older_releases_run_only_there(node: Node, version: str, run: bool) -> None:
    node.command("sinfo", f"echo '{version}'")
    (reply,) = node.ask({"operation": "scontrol show node"})
    assert reply["exit_code"] == 0
    assert reply["stdout"].split("\0")[:-1] == (["--local", "--oneliner", "--all", "show", "node"] if run else [])
