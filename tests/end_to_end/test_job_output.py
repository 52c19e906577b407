"""A job's output and errors through the API: the job's own files, read with the caller's rights, followed by offset."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slurm_words import ask_anew, until

from conftest import Api
from local.cluster import Cluster

only_root_makes_users = pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
PART = "path exists text message offset nextOffset size modifiedTime isShorter"
STDOUT = f"""query ($id: ID!, $lines: Int, $bytes: Int, $offset: BigInt) {{
  job(id: $id) {{ output(lines: $lines, bytes: $bytes, offset: $offset) {{ {PART} }} }} }}"""
BOTH = "query ($id: ID!) { job(id: $id) { out: output { ...part } err: output(stream: STDERR) { ...part } } }"
BOTH += " fragment part on JobOutput { %s }" % PART  # noqa: UP031 - braces

Submit = Callable[..., str]


@pytest.fixture(scope="module")
def submit(lab: Cluster) -> Iterator[Submit]:
    """Submits a script to the nodes that are up, in the user's workspace, and gives the job's id."""
    made: list[str] = []

    def submit(script: str, *options: str, user: str = "ada") -> str:
        argv = ["sbatch", "--parsable", "--constraint=static", *options]
        made.append(lab.run(*argv, user=user, input=f"#!/bin/bash\n{script}\n").stdout.strip())
        return made[-1]

    yield submit
    lab.run("scancel", "--quiet", *made, check=False)


def ended(lab: Cluster, job: str) -> bool:
    states = lab.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%T").stdout.split()
    return set(states) <= {"COMPLETED", "FAILED", "CANCELLED"}


def part(api: Api, job: str, **variables: Any) -> dict[str, Any]:
    """The requested part of the job's output."""
    found: dict[str, Any] = ask_anew(api, STDOUT, {"id": job, **variables})["job"]["output"]
    return found


def test_output_and_errors_are_what_the_job_wrote_into_its_files(api: Api, lab: Cluster, submit: Submit) -> None:
    job = submit("echo 'häuser ✓'; echo oh >&2", "--job-name=o%u t", "--output=%x-%5j-%u.out", "--error=%A.err")
    until(lambda: ended(lab, job), 60)
    found = ask_anew(api, BOTH, {"id": job})["job"]
    folder = lab.user("ada").workspace
    out, err = folder / f"o%u t-{int(job):05}-ada.out", folder / f"{job}.err"
    assert (found["out"]["path"], found["err"]["path"]) == (str(out), str(err))
    assert (found["out"]["text"], found["err"]["text"]) == (out.read_text(), err.read_text())
    assert (found["out"]["text"], found["err"]["text"]) == ("häuser ✓\n", "oh\n")
    assert (found["out"]["offset"], found["out"]["nextOffset"], found["out"]["size"]) == (0, 12, 12)
    assert (found["out"]["exists"], found["out"]["message"], found["out"]["isShorter"]) == (True, None, False)


def test_errors_go_to_the_output_unless_the_job_named_a_file(api: Api, lab: Cluster, submit: Submit) -> None:
    job = submit("echo one; echo two >&2")
    until(lambda: ended(lab, job), 60)
    found = ask_anew(api, BOTH, {"id": job})["job"]
    assert found["out"] == found["err"]
    assert found["out"]["text"] == "one\ntwo\n"


def test_the_end_or_the_beginning_is_read_by_lines_and_bytes(api: Api, lab: Cluster, submit: Submit) -> None:
    job = submit("seq 1000")
    until(lambda: ended(lab, job), 60)
    numbers = "".join(f"{number}\n" for number in range(1, 1001))
    assert part(api, job)["text"] == numbers
    assert part(api, job, lines=2)["text"] == "999\n1000\n"
    assert part(api, job, lines=2, offset=0)["text"] == "1\n2\n"
    assert part(api, job, bytes=5)["text"] == "1000\n"
    middle = part(api, job, bytes=8, offset=4)
    assert (middle["text"], middle["offset"], middle["nextOffset"], middle["size"]) == (
        numbers[4:12],
        4,
        12,
        len(numbers),
    )
    behind = part(api, job, offset=10**9)
    assert (behind["text"], behind["isShorter"]) == ("", True)


def test_a_running_job_is_followed_without_loss(api: Api, lab: Cluster, submit: Submit) -> None:
    job = submit("for i in $(seq 40); do printf 'Zeile %03d → ✓\\n' $i; sleep 0.05; done")
    seen, offset, give_up = "", 0, time.monotonic() + 90
    while not seen.endswith("040 → ✓\n"):
        assert time.monotonic() < give_up, seen
        found = part(api, job, offset=offset, bytes=50)
        assert found["offset"] == offset
        seen, offset = seen + (found["text"] or ""), found["nextOffset"]
    assert seen == "".join(f"Zeile {number:03} → ✓\n" for number in range(1, 41))


def test_a_file_that_does_not_exist_yet_is_reported(api: Api, lab: Cluster, submit: Submit) -> None:
    job = submit("true", "--hold")
    found = part(api, job)
    path = lab.user("ada").workspace / f"slurm-{job}.out"
    assert not path.exists()
    assert found == {
        "path": str(path),
        "exists": False,
        "text": None,
        "message": f"{path} does not exist, or not yet.",
        "offset": 0,
        "nextOffset": 0,
        "size": None,
        "modifiedTime": None,
        "isShorter": False,
    }


def test_a_file_without_text_is_reported(api: Api, submit: Submit) -> None:
    found = part(api, submit("true", "--hold", "--output=/dev/null"))
    assert (found["exists"], found["text"]) == (True, None)
    assert found["message"] == "/dev/null is not a file that holds data."


def test_each_task_has_its_own_output_and_waiting_ones_none(api: Api, lab: Cluster, submit: Submit) -> None:
    array = submit("echo task $SLURM_ARRAY_TASK_ID", "--array=3,7")
    waiting = submit("true", "--hold", "--array=1-2")
    until(lambda: ended(lab, array), 60)
    assert part(api, f"{array}_3")["text"] == "task 3\n"
    assert part(api, f"{array}_7")["path"].endswith(f"/slurm-{array}_7.out")
    assert part(api, waiting) is None


def test_the_output_of_ten_jobs_costs_one_more_command(api: Api, lab: Cluster, submit: Submit) -> None:
    jobs = [submit(f"echo job {number}", "--job-name=ten outputs") for number in range(10)]
    until(lambda: ended(lab, ",".join(jobs)), 90)
    api.data("{ jobs { nodes { stdoutPath } } }")  # the release is known from here on
    before = api.commands()
    found = ask_anew(
        api,
        """query ($ids: [ID!]) { jobs(filter: {ids: $ids}) { nodes {
             jobId nodes { name } queue { name } output { text } err: output(stream: STDERR, lines: 1) { text }
           } } }""",
        {"ids": jobs},
    )["jobs"]["nodes"]
    assert api.commands() == before + 2
    assert [job["output"]["text"] for job in found] == [f"job {number}\n" for number in range(10)]
    assert [job["err"]["text"] for job in found] == [f"job {number}\n" for number in range(10)]


@only_root_makes_users
def test_another_users_private_output_is_forbidden_for_that_job_only(api: Api, lab: Cluster, submit: Submit) -> None:
    private = lab.user("grace").workspace / "private"
    private.mkdir()
    os.chown(private, lab.user("grace").uid, lab.user("grace").gid)
    private.chmod(0o700)
    own, others = submit("echo mine"), submit("echo secret", f"--output={private}/o", user="grace")
    until(lambda: ended(lab, f"{own},{others}"), 60)
    document = "query ($ids: [ID!]) { jobs(filter: {ids: $ids}) { nodes { jobId output { text } } } }"
    answer = api.ask(document, {"ids": [own, others]})
    assert answer["data"]["jobs"]["nodes"] == [
        {"jobId": own, "output": {"text": "mine\n"}},
        {"jobId": others, "output": None},
    ]
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("FORBIDDEN", ["jobs", "nodes", 1, "output"])
    assert "secret" not in str(answer)
    one = "query ($id: ID!) { job(id: $id) { output { text } } }"
    assert api.codes(one, {"id": others}, groups="slurmql-operators") == ["FORBIDDEN"]
    assert api.data(one, {"id": others}, user="grace")["job"]["output"]["text"] == "secret\n"


def test_a_caller_without_an_account_reads_no_file(api: Api, lab: Cluster, submit: Submit) -> None:
    job = submit("true", "--hold")
    before = api.commands()
    document = "query ($id: ID!) { job(id: $id) { output { text } } }"
    assert api.codes(document, {"id": job}, groups="slurmql-viewers") == ["FORBIDDEN"]
    assert api.commands() <= before + 1
    assert api.codes(document, {"id": job}, user="nobody") == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ("bytes: 0", "bytes"),
        ("bytes: 3", "bytes"),
        ("bytes: -1", "bytes"),
        ("bytes: 1048577", "bytes"),
        ("lines: 0", "lines"),
        ("lines: -5", "lines"),
        ("offset: -1", "offset"),
        ("offset: 1000000000000000", "offset"),
    ],
)
def test_invalid_input_is_refused_before_anything_is_sent(api: Api, arguments: str, argument: str) -> None:
    before = api.commands()
    for document in ('{ job(id: "1") { output(%s) { text } } }', "{ jobs { nodes { output(%s) { text } } } }"):
        (error,) = api.ask(document % arguments)["errors"]
        assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("BAD_USER_INPUT", argument)
    assert api.commands() == before


def test_more_output_than_an_answer_holds_is_refused_with_its_own_code(api: Api, submit: Submit) -> None:
    jobs = [submit("true", "--hold") for _ in range(3)]
    document = "query ($ids: [ID!]) { jobs(filter: {ids: $ids}) { nodes { output(bytes: 1048576) { exists } } } }"
    answer = api.ask(document, {"ids": jobs})
    assert [job["output"] for job in answer["data"]["jobs"]["nodes"]] == [{"exists": False}, {"exists": False}, None]
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["RESPONSE_TOO_LARGE"]


def test_a_link_out_of_the_job_s_folder_reaches_only_files_that_the_caller_may_read(
    api: Api, lab: Cluster, submit: Submit
) -> None:
    link = Path(lab.user("ada").workspace) / "link.out"
    link.symlink_to("/etc/shadow")
    job = submit("true", "--hold", f"--output={link}")
    if os.geteuid() == 0:
        assert api.codes("query ($id: ID!) { job(id: $id) { output { text } } }", {"id": job}) == ["FORBIDDEN"]
