"""The program against whoever holds the Lambda's role: any request at all may come, and none of them is trusted.

In Slurm's place stand scripts that print what they were called with; test_stolen_role.py has the real one.
"""

import base64
import gzip
import hashlib
import json
import os
import pwd
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program_node import SCRIPT, SOURCE, Bucket, Node, a_bucket, argv, packed

from slurm import job_id
from slurm.operation import RunsAs
from slurm.operations import OPERATIONS

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


pytest_plugins = ["program_node"]


@pytest.fixture
def elsewhere() -> Iterator[Bucket]:
    """A server that the document does not name, as the metadata service."""
    with a_bucket() as server:
        server.objects["/latest/meta-data/iam/security-credentials/"] = b"HeadNodeRole"
        yield server


def line(body: bytes) -> str:
    """Bytes in place of a request's JSON, as the document's parameter."""
    return base64.urlsafe_b64encode(gzip.compress(body, mtime=0)).decode()


def submission(**parts: Any) -> dict[str, Any]:
    return {"operation": "sbatch", "stdin": SCRIPT, **parts}


def error(node: Node, text: str, source: str = SOURCE) -> str:
    """What is wrong with a request that is not carried out."""
    answer = node.answer(text, source)
    assert set(answer) <= {"error", "unread", "started"}, answer
    message: str = answer["error"]
    return message


def was_run(node: Node) -> Path:
    """A file that every command of Slurm would leave behind."""
    marker = node.folder / "users" / node.user / "was-run"
    for name in ("squeue", "sinfo", "sbatch", "scancel", "scontrol", "sacct", "sacctmgr", "sshare", "sstat"):
        node.command(name, f"touch {marker}")
    return marker


# --- for whom -------------------------------------------------------------------------------------------------------

SYSTEM = ["root", "daemon", "munge", "slurm", "nobody"]
NOBODYS = [
    "a\0b",
    "ada\0",
    "\0",
    "ada ",
    " ada",
    "ADA",
    "0",
    "1000",
    "+1000",
    "ada\n",
    "ada:x",
    "ada,root",
    "*",
    "~",
    "é",
]


@pytest.mark.parametrize("user", [*SYSTEM, *NOBODYS, "a" * 65, "../../root"], ids=repr)
def test_the_program_acts_only_for_ordinary_users(node: Node, user: str) -> None:
    marker = was_run(node)
    asked = [
        submission(),
        submission(key="k"),
        {"operation": "scancel", "arguments": ["1"]},
        {"operation": "scontrol update job", "options": {"JobId": "1", "Nice": "1"}},
        {"operation": "read", "options": {"path": "/etc/hostname", "limit": "10"}},
        {"operation": "account", "arguments": [user]},
    ]
    node.command("scontrol", "true")  # asked before a change whether slurmctld is there
    assert {reply.get("code") for reply in node.ask(*asked, user=user)} == {"forbidden"}
    assert not marker.exists()
    assert not list(node.folder.rglob("state/*"))


@only_root
def test_a_second_name_of_a_denied_account_is_denied(node: Node) -> None:
    node.settings["denied"] = ["ada"]
    twin = SOURCE.replace(
        "    try:\n        entry = pwd.getpwnam(name)\n", "    try:\n        entry = pwd.getpwnam('ada')\n"
    )
    twin = twin.replace("{entry.pw_name, name_of", "{name, name_of")
    assert twin.count("getpwnam('ada')") == 1
    (reply,) = node.answer(packed(node.request(submission(), user="ada-too")), twin)["replies"]
    assert reply["code"] == "forbidden"


@only_root
@pytest.mark.parametrize("setting", ["reader", "administrator"])
def test_an_account_that_the_document_names_and_the_node_lacks_is_an_answer(node: Node, setting: str) -> None:
    node.settings[setting] = "no-such-account"
    asked = {"operation": "squeue"} if setting == "reader" else {"operation": "scontrol suspend", "arguments": ["1"]}
    replies = node.answer(packed(node.request(asked, administer=True)))["replies"]
    assert [reply["code"] for reply in replies] == ["invalid"]


@only_root
@pytest.mark.parametrize("setting", ["reader", "administrator"])
def test_root_is_not_accepted_as_reader_or_administrator(node: Node, setting: str) -> None:
    node.settings[setting] = "root"
    marker = was_run(node)
    node.command("scontrol", f'[ "$1" = ping ] || touch {marker}')  # the program's own ping comes before a change
    asked = {"operation": "squeue"} if setting == "reader" else {"operation": "scontrol suspend", "arguments": ["1"]}
    (reply,) = node.answer(packed(node.request(asked, administer=True)))["replies"]
    assert reply["code"] == "invalid"
    assert "root" in reply["refusal"]
    assert not marker.exists()


# --- as Slurm's administrator ---------------------------------------------------------------------------------------

FOR_ADMINISTRATORS = {
    "scontrol suspend",
    "scontrol resume",
    "scontrol update node",
    "scontrol update partition",
    "scontrol create reservation",
    "scontrol update reservation",
    "scontrol delete reservation",
}
OWN = {"read", "account"}  # of the program itself, with the caller's rights
FOR_CALLERS = {
    "sstat",
    "scancel",
    "scontrol write batch_script",
    "scontrol hold",
    "scontrol release",
    "scontrol requeue",
    "scontrol update job",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "sstat": {"options": {"format": "JobID", "jobs": "1"}},
    "scontrol update job": {"options": {"JobId": "1"}},
    "scontrol update node": {"options": {"NodeName": "a"}},
    "scontrol update partition": {"options": {"PartitionName": "a"}},
    "scontrol create reservation": {"options": {"Users": "ada"}},
    "scontrol update reservation": {"options": {"ReservationName": "a"}},
    "scontrol delete reservation": {"options": {"ReservationName": "a"}},
}


def test_the_lists_above_are_whole() -> None:
    names = {runs_as: {each.name for each in OPERATIONS if each.runs_as is runs_as} for runs_as in RunsAs}
    assert names[RunsAs.ADMINISTRATOR] == FOR_ADMINISTRATORS
    assert names[RunsAs.CALLER] == {*FOR_CALLERS, *OWN, "sbatch"}


@only_root
@pytest.mark.parametrize("user", [None, "root", "nobody", "no-such-account"])
def test_an_operator_without_an_account_acts_as_slurms_administrator_and_as_nobody_else(node: Node, user: Any) -> None:
    for name in ("squeue", "sstat", "scancel", "scontrol", "sbatch"):
        node.command(name, "id -un")
    changes = [
        {"operation": name, **EXAMPLES.get(name, {"arguments": ["1"]})}
        for name in sorted(FOR_CALLERS | FOR_ADMINISTRATORS)
    ]
    replies = node.ask(*changes, user=user, administer=True)
    assert [reply.get("stdout") for reply in replies] == ["slurm\n"] * len(changes)
    others = [
        submission(),
        submission(key="k"),
        {"operation": "read", "options": {"path": "/etc/shadow", "limit": "9"}},
    ]
    read, *refused = node.ask({"operation": "squeue"}, *others, user=user, administer=True)
    assert read["stdout"] == "nobody\n"
    assert [reply["code"] for reply in refused] == ["forbidden"] * 3


@only_root
def test_a_denied_read_is_not_repeated_as_the_administrator_even_for_an_operator(node: Node) -> None:
    """Others are shown the same answer for some seconds. What is done as the operator himself is tried again."""
    for name in ("squeue", "sdiag", "scancel", "sstat"):
        node.command(name, "id -un", 'test "$(id -un)" = slurm || echo Access/permission denied >&2')
    asked = [{"operation": name, **EXAMPLES.get(name, {})} for name in ("squeue", "sdiag", "sstat")]
    replies = node.ask(*asked, {"operation": "scancel", "arguments": ["1"]}, administer=True)
    assert [reply["stdout"].strip() for reply in replies] == ["nobody", "nobody", "slurm", "slurm"]


def test_administrative_operations_run_only_for_operators(node: Node) -> None:
    marker = was_run(node)
    node.command("scontrol", f'[ "$*" = ping ] || touch {marker}')
    asked = [{"operation": name, **EXAMPLES.get(name, {"arguments": ["1"]})} for name in sorted(FOR_ADMINISTRATORS)]
    for request in ({}, {"administer": False}):
        assert {reply["code"] for reply in node.ask(*asked, **request)} == {"forbidden"}
    assert not marker.exists()


@pytest.mark.parametrize("administer", [1, "true", "yes", [True], {"a": 1}])
def test_a_role_is_true_or_false(node: Node, administer: Any) -> None:
    assert "its role" in error(node, packed(node.request({"operation": "squeue"}, administer=administer)))


# --- what -----------------------------------------------------------------------------------------------------------

OPTIONS = ["--uid=0", "-o", "--wrap=id", "--get-user-env", "-D/", "--help", "-", "--", "@/etc/passwd", "\n--uid=0"]


def test_an_argument_is_never_an_option(node: Node) -> None:
    marker = was_run(node)
    node.command("scontrol", f'[ "$*" = ping ] || touch {marker}')
    node.command("sinfo", "echo slurm 20.11.9")
    asked = [
        {"operation": operation.name, **EXAMPLES.get(operation.name, {}), "arguments": [argument]}
        for operation in OPERATIONS
        for argument in OPTIONS
    ]
    replies = node.ask(*asked, administer=True)
    codes = ["forbidden" if operation["operation"] == "account" else "invalid" for operation in asked]
    assert [reply.get("code") for reply in replies] == codes
    assert not marker.exists()


def test_an_operation_needs_its_objects(node: Node) -> None:
    about_jobs = {each.name for each in OPERATIONS if each.argument == job_id.ARGUMENT}
    names = sorted(about_jobs | {each.name for each in OPERATIONS if each.needs})
    assert {"scancel", "scontrol hold", "scontrol update job", "scontrol delete reservation", "read"} <= set(names)
    replies = node.ask(*({"operation": name} for name in names), administer=True)
    assert [reply["code"] for reply in replies] == ["invalid"] * len(names)
    assert all("needs" in reply["refusal"] for reply in replies)


@pytest.mark.parametrize("name", ["ALL", "all", "All"])
def test_no_word_means_every_node(node: Node, name: str) -> None:
    asked = {"operation": "scontrol update node", "options": {"NodeName": name, "State": "DOWN", "Reason": "x"}}
    assert node.ask(asked, administer=True)[0]["code"] == "invalid"
    alike = {"operation": "scontrol update node", "options": {"NodeName": "all-st-1", "State": "RESUME"}}
    assert "NodeName=all-st-1" in argv(node.ask(alike, administer=True)[0])


@pytest.mark.parametrize(
    "name",
    [
        "LD_PRELOAD",
        "LD_AUDIT",
        "SLURM_CONF",
        "SBATCH_PARTITION",
        "SBATCH_UID",
        "SLURM_",
        "A=B",
        "a b",
        "",
        "BASH_FUNC_x%%",
    ],
)
def test_no_variable_is_an_option_of_sbatch_or_puts_code_into_it(node: Node, name: str) -> None:
    marker = was_run(node)
    node.command("scontrol", "true")
    (reply,) = node.ask(submission(environment={name: "/x.so"}))
    assert reply["code"] == "invalid"
    assert not marker.exists()


@pytest.mark.parametrize("name", ["PATH", "BASH_ENV", "ENV", "PYTHONPATH", "HOME"])
def test_a_variable_of_the_job_does_not_change_the_command_or_its_account(node: Node, name: str) -> None:
    node.command("sbatch", f'(/usr/bin/id -un; printf "%s\\n" "$0" "${{{name}-unset}}") >&2; echo 17')
    (reply,) = node.ask(submission(environment={name: "/nowhere"}))
    user, path, value = reply["stderr"].splitlines()
    assert (user, value) == (node.user, "/nowhere")
    assert path == str(node.bin / "sbatch")


# --- texts that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        submission(options={"job-name": "\ud800"}),
        submission(options={"comment": "\udcff"}),
        submission(environment={"A": "\ud800"}),
        {"operation": "sbatch", "stdin": "#!/bin/sh\n\ud800"},
        submission(key="\ud800"),
        {"operation": "read", "options": {"path": "/\ud800", "limit": "1"}},
        {"operation": "\ud800"},
    ],
)
def test_half_of_a_surrogate_pair_is_refused(node: Node, parts: dict[str, Any]) -> None:
    assert "surrogates" in error(node, packed(node.request(parts)))


# --- how much -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[" * 1_000_000, "recursion"),
        (b'{"a":' * 150_000, "recursion"),
        (b" " * (1 << 20) + b"{}", "too many parts"),
        (b"[" + b"{}," * 400_000 + b"{}]", "too many parts"),
        (b"[" + b'"",' * 600_000 + b'""]', "too many parts"),
        (b'{"expires": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"expires": NaN, "user": null, "steps": []}', "is not a number"),
        (b'{"expires": Infinity, "user": null, "steps": []}', "is not a number"),
        (b'"' + b"x" * (33 << 20) + b'"', "33554432 bytes"),
        (b'"' + b"\\" * 100_001 + b'"', "cannot be read"),
    ],
    ids=["brackets", "objects", "blanks", "parts", "texts", "digits", "nan", "infinity", "bomb", "backslashes"],
)
def test_a_request_that_would_take_the_nodes_memory_is_refused(node: Node, body: bytes, words: str) -> None:
    assert words in error(node, line(body))


def test_a_million_operations_are_refused(node: Node) -> None:
    steps = b",".join([b'[{"operation":"squeue"}]'] * 1_000_000)
    body = b'{"expires": %d, "user": null, "steps": [%s]}' % (time.time() + 60, steps)
    assert "too many parts" in error(node, line(body))
    assert "more than 10000 operations" in error(node, packed({**node.request(), "steps": [[]] * 10_001}))


def test_a_script_of_100_mb_is_refused_and_one_of_4_mib_is_not(node: Node) -> None:
    node.command("sbatch", "wc -c")
    script = "#!/bin/sh\n" + '\x01\\"é' * ((4 << 20) // 5)
    (reply,) = node.ask(submission(stdin=script))
    assert reply["stdout"].strip() == str(len(script.encode()))
    assert "33554432 bytes" in error(node, line(b'{"steps": [[{"stdin": "' + b"x" * 100_000_000))


@pytest.mark.parametrize("ahead", [3700, 1e6, 9e99])
def test_no_request_is_valid_for_more_than_an_hour(node: Node, ahead: float) -> None:
    marker = was_run(node)
    assert "valid for too long" in error(
        node, packed(node.request({"operation": "squeue"}, expires=time.time() + ahead))
    )
    assert not marker.exists()


def test_a_command_that_prints_without_end_is_ended(node: Node) -> None:
    short = SOURCE.replace("PRINTED_LIMIT = 256 << 20", "PRINTED_LIMIT = 1 << 20")
    assert short != SOURCE
    node.command("squeue", "exec cat /dev/zero")
    node.command("sinfo", "exec cat /dev/zero >&2")
    node.command("sacct", "cat /dev/zero & exit 0")
    replies = node.answer(packed(node.request(*({"operation": name} for name in ("squeue", "sinfo", "sacct")))), short)
    assert [reply["code"] for reply in replies["replies"]] == ["unavailable"] * 3
    assert {reply["refusal"].partition(" ")[2] for reply in replies["replies"]} == {"printed too much"}


@only_root
@pytest.mark.parametrize("noise", ["cat /dev/zero", "cat /dev/zero &", "yes &", "exec sleep 60"])
def test_a_login_that_prints_without_end_or_hangs_leaves_a_bare_environment(node: Node, noise: str) -> None:
    """A profile is the user's own, and is run on the head node before the user's job is submitted."""
    shell = node.folder / "users" / "shell"
    shell.write_text(f'#!/bin/sh\n{noise}\nshift; eval "$@"\n')
    shell.chmod(0o755)
    path = f'"{shell}"'  # in double quotes: this part of the text is itself a string in single quotes
    noisy = SOURCE.replace("[entry.pw_shell,", f"[{path},").replace("LOGIN_SECONDS = 5.0", "LOGIN_SECONDS = 1.0")
    assert noisy.count("LOGIN_SECONDS = 1.0") == noisy.count(path) == 1
    node.command("sbatch", "env | cut -d= -f1 | sort | tr '\\n' ' ' >&2; echo 17")
    (reply,) = node.answer(packed(node.request(submission())), noisy)["replies"]
    assert set(reply["stderr"].split()) - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        "HOME",
        "LOGNAME",
        "PATH",
        "SHELL",
        "USER",
    }


# --- where to -------------------------------------------------------------------------------------------------------

NOISE = "head -c 60000 /dev/urandom | base64 -w 0"
METADATA = "/latest/meta-data/iam/security-credentials/"


def outside(bucket: Bucket, elsewhere: Bucket) -> list[str]:
    """Addresses that are not the bucket's, however alike."""
    host = bucket.url.removeprefix("http://")
    return [
        elsewhere.url + METADATA,
        elsewhere.url + "/slurmql/x",
        f"{bucket.url}/other/x",
        f"{bucket.url}/slurmql",
        f"{bucket.url}@{elsewhere.url.removeprefix('http://')}/slurmql/x",
        f"http://{host}@{elsewhere.url.removeprefix('http://')}{METADATA}",
        f"{bucket.url}/slurmql/\r\nX-Y: z",
        f"{bucket.url}/slurmql/a b",
        f" {bucket.url}/slurmql/x",
        bucket.url.upper() + "/slurmql/x",
        "http://169.254.169.254" + METADATA,
        "https://169.254.169.254" + METADATA,
        "https://slurmql.s3.eu-west-1.amazonaws.com.example.org/x",
        "https://example.org/x",
        "file:///etc/shadow",
        "ftp://127.0.0.1/x",
        "data:,x",
        "",
    ]


def test_nothing_is_fetched_from_other_hosts(node: Node, bucket: Bucket, elsewhere: Bucket) -> None:
    body = elsewhere.objects[METADATA]
    for url in outside(bucket, elsewhere):
        message = error(node, packed({"get": url, "sha256": hashlib.sha256(body).hexdigest()}))
        assert "not in the bucket" in message, url


def test_nothing_is_sent_to_other_hosts(node: Node, bucket: Bucket, elsewhere: Bucket) -> None:
    node.command("squeue", NOISE)
    before = dict(elsewhere.objects)
    for url in outside(bucket, elsewhere):
        message = error(node, packed(node.request({"operation": "squeue"}, put=url)))
        assert "bucket" in message, url
    assert (elsewhere.objects, bucket.objects) == (before, {})


def test_without_a_bucket_in_the_document_nothing_is_sent_anywhere(node: Node, elsewhere: Bucket) -> None:
    node.command("squeue", NOISE)
    message = error(node, packed(node.request({"operation": "squeue"}, put=f"{elsewhere.url}/x")))
    assert "not in the bucket that the head node's document names" in message
    assert "/x" not in elsewhere.objects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_bucket_cannot_redirect_the_node(node: Node, bucket: Bucket, elsewhere: Bucket, status: int) -> None:
    bucket.status, bucket.location = status, elsewhere.url + METADATA
    digest = hashlib.sha256(elsewhere.objects[METADATA]).hexdigest()
    assert str(status) in error(node, packed({"get": f"{bucket.url}/slurmql/x", "sha256": digest}))
    node.command("squeue", NOISE)
    before = dict(elsewhere.objects)
    assert str(status) in error(node, packed(node.request({"operation": "squeue"}, put=f"{bucket.url}/slurmql/x")))
    assert elsewhere.objects == before


def test_a_request_in_the_bucket_is_bounded_too(node: Node, bucket: Bucket) -> None:
    for body, words in (
        (gzip.compress(b" " * (64 << 20)), "33554432 bytes"),
        (b"x" * (33 << 20), "33554432 bytes"),
        (
            gzip.compress(json.dumps({"get": f"{bucket.url}/slurmql/1", "sha256": "0" * 64}).encode()),
            "lacks its expiry",
        ),
    ):
        bucket.objects["/slurmql/1"] = body
        pointer = {"get": f"{bucket.url}/slurmql/1", "sha256": hashlib.sha256(body).hexdigest()}
        assert words in error(node, packed(pointer))


@pytest.mark.parametrize("put", [1, ["x"], {"a": "b"}, True])
def test_where_to_answer_is_a_text(node: Node, put: Any) -> None:
    assert "the address for the answer" in error(node, packed(node.request({"operation": "squeue"}, put=put)))


# --- the folder of keys ---------------------------------------------------------------------------------------------


def claims(node: Node) -> Path:
    """Where the user's keys are kept."""
    return node.folder / "state" / str(pwd.getpwnam(node.user).pw_uid)


def test_keys_are_closed_to_all_others_whatever_the_agents_umask(node: Node) -> None:
    node.command("sbatch", "echo 17")
    before = os.umask(0)
    try:
        (reply,) = node.ask(submission(key="k"))
    finally:
        os.umask(before)
    assert reply["stdout"] == "17"
    for path in (claims(node).parent, claims(node), *claims(node).iterdir()):
        assert (path.stat().st_uid, path.stat().st_mode & 0o077) == (os.getuid(), 0)


@only_root
@pytest.mark.parametrize("planted", ["folder", "writable", "symlink", "symlinked claim", "fifo"])
def test_a_planted_folder_or_claim_is_not_used(node: Node, planted: str) -> None:
    person = pwd.getpwnam(node.user)
    target = node.folder / "target"
    target.mkdir()
    victim = node.folder / "victim"
    victim.write_text("kept\n")
    claims(node).parent.mkdir(mode=0o755)
    if planted == "symlink":
        claims(node).symlink_to(target)
    else:
        claims(node).mkdir(mode=0o700)
    claim = claims(node) / hashlib.sha256(b"k").hexdigest()
    if planted == "folder":
        os.chown(claims(node), person.pw_uid, person.pw_gid)
    elif planted == "writable":
        claims(node).chmod(0o777)
    elif planted == "symlinked claim":
        claim.symlink_to(victim)
    elif planted == "fifo":
        os.mkfifo(claim)
    (reply,) = node.ask(submission(key="k"))
    assert reply["code"] == "unavailable"
    assert victim.read_text() == "kept\n"
    assert not list(target.iterdir())


def test_a_damaged_claim_does_not_count(node: Node) -> None:
    """A disk may lose what was written."""
    node.command("sbatch", "echo 17")
    for garbage in (b"\xff\0\n1 2 3\n", b"x" * 3_000_000, b"", b"\n\n17\n", b"[]\n{}", b'{"digest": 1, "more": 2}'):
        (first,) = node.ask(submission(key="k"))
        assert first["stdout"] == "17"
        (claim,) = claims(node).iterdir()
        claim.write_bytes(garbage)


class Keys:
    """A node that keeps few keys. Each submission with a new key gets the next id."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.source = SOURCE.replace("KEYS_LIMIT = 20000", "KEYS_LIMIT = 8").replace("ROOM = 1000", "ROOM = 2")
        assert self.source.count("KEYS_LIMIT = 8") == self.source.count("ROOM = 2") == 1
        node.command("sbatch", f"echo x >> {node.folder}/ids; wc -l < {node.folder}/ids")
        (node.folder / "ids").touch()
        (node.folder / "ids").chmod(0o666)
        # Slurm lists every job, of every session.
        sessions = f"{node.folder}/sessions"
        node.command("squeue", f"cat {sessions}")
        (node.folder / "sessions").touch()

    def submit(self, key: str) -> str:
        (reply,) = self.node.answer(packed(self.node.request(submission(key=key))), self.source)["replies"]
        self._list_jobs()
        return str(reply["stdout"])

    def _list_jobs(self) -> None:
        rows = []
        for claim in claims(self.node).iterdir():
            kept: dict[str, Any] = {}
            for line in claim.read_text().splitlines():
                kept |= json.loads(line)
            if kept:
                rows.append(f"{kept['job']}~{kept['session']}~{int(kept['began'])}~0~")
        (self.node.folder / "sessions").write_text("\n".join([*rows, ""]))


def test_too_many_keys_remove_the_oldest_and_no_new_one(node: Node) -> None:
    keys = Keys(node)
    ids = {str(number): keys.submit(str(number)) for number in range(20)}
    assert len(set(ids.values())) == 20
    assert len(list(claims(node).iterdir())) <= 8
    for key in ("19", "18", "17", "16", "15"):
        assert keys.submit(key) == ids[key]
    assert keys.submit("0") not in ids.values()


def test_a_known_key_answers_however_many_there_are(node: Node) -> None:
    keys = Keys(node)
    first = keys.submit("first")
    for number in range(50):
        (claims(node) / f"{number:064x}").touch()
    assert keys.submit("first") == first


def test_keys_older_than_a_week_are_removed(node: Node) -> None:
    keys = Keys(node)
    first = keys.submit("first")
    (claim,) = claims(node).iterdir()
    began = re.search(r'"began": ([0-9.]+)', claim.read_text())
    assert began
    claim.write_text(claim.read_text().replace(began[1], str(float(began[1]) - 8 * 86400)))
    assert keys.submit("first") != first
    os.utime(claim, (0, 0))
    for number in range(64):
        keys.submit(f"another {number}")
        if not claim.exists():
            break
    assert not claim.exists()


def test_a_node_without_room_for_a_key_submits_nothing(node: Node) -> None:
    marker = was_run(node)
    node.command("scontrol", "true")
    (node.folder / "file").touch()
    node.settings["state"] = str(node.folder / "file" / "state")
    (reply,) = node.ask(submission(key="k"))
    assert reply["code"] == "unavailable"
    assert not marker.exists()


@only_root
def test_a_script_that_sbatch_would_read_without_end_is_refused(node: Node) -> None:
    marker = was_run(node)
    node.command("scontrol", "true")
    folder = node.folder / "users" / node.user
    os.mkfifo(folder / "pipe", 0o666)
    with (folder / "large").open("wb") as large:
        large.truncate((4 << 20) + 1)
    for path in ("/dev/zero", "/dev/stdin", f"{folder}/pipe", f"{folder}/large", "/proc/self/environ"):
        (reply,) = node.ask({"operation": "sbatch", "arguments": [path]})
        assert reply["code"] == "invalid", path
        assert reply["refusal"].startswith("the script ")
    assert not marker.exists()
