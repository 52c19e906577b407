"""Hostile text through all text arguments, and into all that a job or a node keeps, on the real cluster.

The test finds the arguments by walking the schema, so it attacks new arguments, too.
"""

import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hostile_strings import families, strings
from text_arguments import Place, places

from access.permissions import RIGHTS
from access.role import Role
from conftest import Api, event
from headnode.deadline import Deadline
from headnode.node import Actor, Bundle, HeadNode
from local.cluster import Cluster
from local.gateway import Context
from local.stack import Stack
from schema import schema
from slurm import job_update, node_update, sbatch
from slurm.command import Command
from slurm.job_environment import EnvironmentVariable
from slurm.job_update import JobUpdate
from slurm.node_update import NodeAction
from slurm.refusal import InvalidInputError, Refusal
from slurm.sbatch import Submission, Submitted
from slurm.script import Script

T = TypeVar("T")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="as an ordinary user there is nobody else to attack"),
    pytest.mark.timeout(600),
]

SCRIPT = "#!/bin/sh\ntrue\n"
NODE = "gpu-dy-p4d-2"
TOGETHER = 25
"""Texts in one document: a name may be repeated so often (schema/limits.py)."""

COMMANDS = 8
"""The most SSM commands that one argument of a mutation may cost; then the test sends it no more documents."""

OPERATORS_INPUTS = {("Mutation", "updateJob", "adminComment"), ("Mutation", "updateJob", "deadline")}

CODES = {
    "BAD_USER_INPUT",
    "FORBIDDEN",
    "NOT_FOUND",
    "GRAPHQL_VALIDATION_FAILED",
    "ACCOUNTING_DISABLED",
    "FAIR_SHARE_DISABLED",
    "JOB_NOT_REMEMBERED",
    "PRIORITY_FACTORS_DISABLED",
}
REFUSALS = {"INVALID_INPUT", "NOT_FOUND", "FORBIDDEN", "ALREADY_FINISHED", "CONFLICT", "LIMIT_EXCEEDED"}
REFUSALS.add("REJECTED_BY_SCHEDULER")


@pytest.fixture(scope="module")
def canary() -> Iterator[Path]:
    """A folder that everybody may write to. Whatever appears there was made by a text that became a command."""
    folder = Path(tempfile.mkdtemp(prefix="canary-", dir="/tmp"))
    folder.chmod(0o1777)
    yield folder
    made = [path.name for path in folder.iterdir()]
    shutil.rmtree(folder)
    assert made == []


@pytest.fixture(scope="module")
def texts(canary: Path) -> list[str]:
    texts = strings(str(canary))
    assert len(texts) >= 500
    return texts


@pytest.fixture(scope="module")
def bystander(lab: Cluster) -> str:
    """Another user's job, which nothing here may touch."""
    return lab.run("sbatch", "--parsable", "--hold", "--job-name=bystander", user="grace", input=SCRIPT).stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def untouched(lab: Cluster, bystander: str) -> Iterator[None]:
    """At the end the cluster is as before, once ada's jobs and the operators' changes are removed."""
    before, reservations = settled(lab, bystander), reservation_names(lab)
    newest = int(bystander)
    yield
    rows = [row.split("|") for row in lab.run("squeue", "-h", "-a", "-t", "all", "-o", "%A|%u").stdout.split()]
    assert {user for job, user in rows if int(job) > newest} <= {"ada"}
    lab.run("scancel", "--user=ada", check=False)
    lab.run("scontrol", "update", f"nodename={NODE}", "state=resume", check=False)
    for name in reservation_names(lab) - reservations:
        lab.run("scontrol", "delete", f"reservationname={name}")
    assert settled(lab, bystander) == before
    lab.run("scancel", bystander)


def settled(cluster: Cluster, bystander: str) -> list[str]:
    """What Slurm shows of itself, without values that change with time."""
    told = [
        cluster.run("scontrol", "show", "config").stdout,
        cluster.run("scontrol", "show", "partition").stdout,
        cluster.run("scontrol", "show", "job", bystander).stdout,
        cluster.run("sinfo", "-h", "-N", "-o", "%N %P %w %f %G").stdout,
        cluster.run("sacctmgr", "-n", "-P", "show", "associations").stdout,
        cluster.run("sacctmgr", "-n", "-P", "show", "qos").stdout,
    ]
    hourly = r"(?m)^(Configuration data as of|BOOT_TIME|NEXT_JOB_ID|Slurmctld\(primary\)).*$|LastSchedEval=\S+"
    return [re.sub(hourly, "", text) for text in told]


def reservation_names(cluster: Cluster) -> set[str]:
    shown = cluster.run("scontrol", "-o", "show", "reservation").stdout
    return set(re.findall(r"(?m)^ReservationName=(.*?) StartTime=", shown))


def held(cluster: Cluster) -> str:
    return cluster.run("sbatch", "--parsable", "--hold", user="ada", input=SCRIPT).stdout.strip()


def sound(response: dict[str, Any], what: str) -> dict[str, Any]:
    """The answer, if it is JSON that shows nothing of our insides and every error in it is one of the known kinds."""
    body = response["body"]
    assert response["statusCode"] == 200, (what, body[:500])
    for word in ("Traceback", 'File \\"', "object at 0x", "went wrong", "INTERNAL_SERVER_ERROR", "OUTCOME_UNKNOWN"):
        assert word not in body, (what, body[:3000])
    answer: dict[str, Any] = json.loads(body, parse_constant=lambda name: pytest.fail(f"{what}: {name} in JSON"))
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    assert codes <= CODES, (what, answer["errors"][:2])
    assert {error["code"] for error in refused(answer.get("data"))} <= REFUSALS
    return answer


def refused(data: Any) -> Iterator[dict[str, Any]]:
    """The errors in payloads."""
    for payload in (data or {}).values():
        if isinstance(payload, dict):
            yield from payload.get("errors") or ()


def parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def rotated(texts: Sequence[str], by: int) -> list[str]:
    by %= len(texts)
    return [*texts[by:], *texts[:by]]


def test_every_text_argument_of_a_query_takes_any_text(api: Api, lab: Cluster, texts: list[str], canary: Path) -> None:
    """All texts where a kind of argument is met first, some at its other places; every attempt a result or an error."""
    right = {"Query.job(id)": held(lab)}
    met: set[str] = set()
    for number, place in enumerate(places(schema._schema)):
        if place.root != "Query":
            continue
        wanted = rotated(texts, number * 41)
        for some in parts(wanted if place.kind not in met else wanted[:TOGETHER], TOGETHER):
            attack(api, place, some, right)
        met.add(place.kind)
        assert list(canary.iterdir()) == [], place


def attack(api: Api, place: Place, texts: Sequence[str], right: dict[str, Any], groups: str = "") -> None:
    document, variables = place.document(texts, right)
    body = json.dumps({"query": document, "variables": variables})
    response = api.handler(event(body, groups=groups), Context())
    if len(texts) > 1 and re.search(r'"code": ?"(TIMEOUT|OUTCOME_UNKNOWN)"', response["body"]):
        halves(api, place, texts, right, groups)  # each text became a change: too many for one request's time
        return
    answer = sound(response, str(place))
    if answer.get("data") is None and len(answer["errors"]) < len(
        texts
    ):  # one text would hide the results of the others
        halves(api, place, texts, right, groups)


def halves(api: Api, place: Place, texts: Sequence[str], right: dict[str, Any], groups: str) -> None:
    half = len(texts) // 2
    attack(api, place, texts[:half], right, groups)
    attack(api, place, texts[half:], right, groups)


def test_every_text_argument_of_a_mutation_takes_any_text(
    api: Api, lab: Cluster, texts: list[str], canary: Path
) -> None:
    """One of each family everywhere, then all others until they cost commands; nothing comes of them but ada's jobs.

    A plain word may be the name of something, for which a change is sent: those go where nothing was sent yet. Where
    any text is taken, the tests below send all.
    """
    waiting, spare = held(lab), held(lab)
    right: dict[str, Any] = {
        "Mutation.submitJob(input)": {"script": {"text": SCRIPT}, "hold": True},
        "Mutation.submitJob(input).gpuType": {"script": {"text": SCRIPT}, "hold": True, "gpus": 1},
        "Mutation.submitJob(input).environment": {
            "script": {"text": SCRIPT},
            "hold": True,
            "environment": [{"name": "TEXT", "value": "text"}],
        },
        "Mutation.submitJob(input).signal": {"script": {"text": SCRIPT}, "hold": True, "timeLimitSeconds": 600},
        "Mutation.cancelJobs(input)": {"jobs": {"ids": [spare]}},
        "Mutation.cancelJobs(input).jobs": {"jobs": {"matching": {"filter": {}, "limit": 1, "dryRun": True}}},
        "Mutation.holdJobs(input)": {"ids": [waiting]},
        "Mutation.releaseJobs(input)": {"ids": [spare]},
        "Mutation.requeueJobs(input)": {"ids": [spare]},
        "Mutation.updateJob(input)": {"id": waiting, "nice": 1},
        "Mutation.signalJobs(input)": {"ids": [waiting], "signal": "CONT"},
        "Mutation.updateNode(input)": {"names": [NODE], "action": "DRAIN", "reason": "attacked"},
        "Mutation.updateQueue(input)": {"name": "queue1", "action": "UP"},
        "Mutation.createReservation(input)": {
            "users": ["ada"],
            "nodes": {"names": ["queue1-st-small-1"]},
            "startTime": "2033-05-18T03:33:20Z",
            "until": {"durationSeconds": 600},
            "flags": ["OVERLAP"],
        },
    }
    names = [text for text in texts if re.fullmatch(r"\w[\w.:@,+=-]*", text, re.ASCII)]
    no_names = [text for text in texts if text not in names]
    sent = 0
    attacked = [place for place in places(schema._schema) if place.root == "Mutation"]
    for number, place in enumerate(attacked):
        for_operators = RIGHTS[place.field].role is Role.OPERATOR or (*place.field, *place.inputs) in OPERATORS_INPUTS
        groups = "slurmql-operators" if for_operators else ""
        before = api.commands()
        documents = [(some, COMMANDS) for some in parts(no_names, TOGETHER)]
        documents += [(some, 1) for some in parts(names, TOGETHER)]
        for some, bound in [(one_of_each_family(str(canary), number), COMMANDS), *documents]:
            if api.commands() - before >= bound:
                break
            attack(api, place, some, right, groups)
            sent += len(some)
        assert list(canary.iterdir()) == [], place
    assert sent > 300 * len(attacked)


def one_of_each_family(canary: str, number: int) -> list[str]:
    """Other texts for each number."""
    return [family[number % len(family)] for family in families(canary)]


# --- where any text is taken, all of them, and read back by Slurm's own tools ---------------------------------------


@pytest.fixture
def node(stack: Stack) -> HeadNode:
    import handler

    return handler.clusters["lab"].node


FIELDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "name": lambda text: {"name": text},
    "comment": lambda text: {"comment": text},
    "output": lambda text: {"stdout_path": text},
    "error": lambda text: {"stderr_path": text},
    "key": lambda text: {"idempotency_key": f"again {text}"},
    "variable": lambda text: {"environment": [EnvironmentVariable(name="TEXT", value=text)]},
    "script": lambda text: {"script": Script(text=SCRIPT + text)},
}


def taken(text: str) -> dict[str, Any]:
    """The inputs of a job that take the text."""
    inputs: dict[str, Any] = {"script": Script(text=SCRIPT)}
    for made in FIELDS.values():
        try:
            sbatch.check(Submission(**{"script": Script(text=SCRIPT), **made(text)}))
        except InvalidInputError:
            continue
        inputs |= made(text)
    return inputs


def test_every_text_becomes_that_text_in_a_job_of_the_callers(
    node: HeadNode, lab: Cluster, texts: list[str], canary: Path
) -> None:
    asked: dict[str, dict[str, Any]] = {}
    inputs = [inputs for text in texts if len(inputs := taken(text)) > 1]
    assert len(inputs) > 500
    for some in parts(inputs, 40):
        questions = [sbatch.check(Submission(hold=True, **each)).submit() for each in some]
        commands = [command for question in questions for command in question.commands]
        replies = node.run(Bundle([commands], Actor("ada"), changes=True), Deadline.after(100), "attack")
        for each, question, reply in zip(some, questions, replies, strict=True):
            submitted = question.read([reply])
            assert isinstance(submitted, Submitted), (each, submitted)
            asked[submitted.job] = each
    told = jobs_told(lab)
    for job, each in asked.items():
        user, name, comment = told[job]
        assert user == "ada"
        assert name == one_kind_of_line_end(each.get("name", "sbatch"))
        assert comment == one_kind_of_line_end(each.get("comment", "(null)"))
    for job in list(asked)[:: len(asked) // 20]:
        written = lab.run("scontrol", "write", "batch_script", job, "-").stdout
        assert written == one_kind_of_line_end(asked[job]["script"].text)
    assert list(canary.iterdir()) == []


def one_kind_of_line_end(text: str) -> str:
    """The text as Python reads it from Slurm; test_hostile_text.py checks that it comes back unchanged."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def jobs_told(cluster: Cluster) -> dict[str, tuple[str, str, str]]:
    """User, name and comment of all jobs, by id."""
    mark = f"~{secrets.token_hex(8)}"
    columns = ",".join(f"{name}:{mark}" for name in ("JobID", "UserName", "Name", "Comment"))
    printed = cluster.run("squeue", "-h", "-a", "-t", "all", "-O", columns).stdout
    fields = printed.removesuffix("\n").split(mark)
    rows = parts(fields[:-1], 4)
    return {job.removeprefix("\n"): (user, name, comment) for job, user, name, comment in rows}


def test_every_text_becomes_that_text_of_one_changed_job(
    node: HeadNode, lab: Cluster, texts: list[str], canary: Path
) -> None:
    job = held(lab)
    changes = [JobUpdate(name=text, comment=text, stdout_path=text) for text in texts]
    commands = [command for each in changes for command in commands_for(job, each)]
    assert len(commands) > 500
    for *others, last in parts(commands, 100):
        replies = node.run(Bundle([others, [last]], Actor("ada"), changes=True), Deadline.after(100), "attack")
        wrong = [reply for found in replies for reply in job_update.read([found], [job]) if reply is not None]
        assert wrong == []
        user, name, comment = jobs_told(lab)[job]
        assert (user, name) == ("ada", one_kind_of_line_end(str(last.options["JobName"])))
        assert comment == one_kind_of_line_end(str(last.options["Comment"]))
    assert list(canary.iterdir()) == []


def commands_for(job: str, changes: JobUpdate) -> Sequence[Command]:
    try:
        return job_update.update([job], changes).commands
    except InvalidInputError:
        return []


def test_every_line_becomes_that_reason_of_one_node(
    node: HeadNode, lab: Cluster, texts: list[str], canary: Path
) -> None:
    commands: list[Command] = []
    for text in texts:
        try:
            commands += node_update.update([NODE], NodeAction.DRAIN, text).commands
        except InvalidInputError:
            continue
    assert len(commands) > 400
    for *others, last in parts(commands, 200):
        some = [others, [last]]
        replies = node.run(Bundle(some, Actor("ada", administer=True), changes=True), Deadline.after(100), "attack")
        assert {reply.exit_code for reply in replies} == {0}
        reason = str(last.options["Reason"])
        assert f"Reason={reason}" in lab.run("scontrol", "show", "node", NODE).stdout
    assert list(canary.iterdir()) == []


def test_no_path_leads_further_than_the_callers_own_rights(
    node: HeadNode, lab: Cluster, texts: list[str], canary: Path
) -> None:
    """As a folder, as a script and as a container: what ada may not enter or read is refused, with the input's name."""
    paths = [text for text in texts if text.startswith("/")]
    questions = []
    for path in paths:
        for submission in (Submission(work_dir=path, script=Script(text=SCRIPT)), Submission(script=Script(path=path))):
            try:
                questions.append((path, sbatch.check(replace(submission, hold=True)).submit()))
            except InvalidInputError:
                continue
    assert len(questions) > 100
    for some in parts(questions, 60):
        commands = [command for _, question in some for command in question.commands]
        replies = node.run(Bundle([commands], Actor("ada"), changes=True), Deadline.after(100), "attack")
        for (path, question), reply in zip(some, replies, strict=True):
            outcome = question.read([reply])
            # Everybody may enter some of the folders: /, and paths that lead back to it.
            assert isinstance(outcome, Refusal) or (Path(path).is_dir() and not path.startswith("/root")), path
    assert list(canary.iterdir()) == []


def test_a_wrong_signal_gets_our_own_message(api: Api, texts: list[str]) -> None:
    document = """mutation ($signal: String!) {
      signalJobs(input: {ids: ["1"], signal: $signal}) { errors { message field } }
    }"""
    for text in texts[:: len(texts) // 10]:
        errors = api.data(document, {"signal": text})["signalJobs"]["errors"]
        message = "signal must be a name or number such as TERM, USR1 or 9."
        assert errors == [{"message": message, "field": ["input", "signal"]}]
