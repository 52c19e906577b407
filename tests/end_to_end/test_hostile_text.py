"""Any text in a job or a node comes back unchanged, and each job stays one job."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Api
from local.cluster import Cluster
from slurm import framing, sacct

JOBS = """query ($ids: [ID!]) {
  jobs(filter: {ids: $ids}, first: 1000) {
    totalCount nodes { jobId name comment workDir command stdoutPath stderrPath }
  }
}"""
SUBMIT = """mutation ($input: SubmitJobInput!) {
  submitJob(input: $input) { job { jobId name comment workDir } errors { code message field } }
}"""
SCRIPT = "#!/bin/sh\ntrue\n"

LINE = {
    "pipes": "a|b||c",
    "tab": "a\tb",
    "record and unit separators": "a\x1eb\x1fc",
    "escape": "\x1b[31mred\x1b[0m",
    "quotes": 'it\'s "quoted" `so`',
    "a command": "$(id); `id` && id",
    "an option": "--uid=0",
    "a placeholder": "N/A",
    "blanks": "  a  b  ",
    "a backslash": "a\\nb\\",
    "a percent sign": "100%j",
    "other scripts": "задача 作业 🚀 e\u0301",
    "line separators of Unicode": "a\u2028b\x85c",
    "other control characters": "".join(map(chr, range(1, 10))) + "\x7f",
    "half a separator": "~0123456789abcde",
    "1,024 bytes": "é" * 512,
    "fields of scontrol": "x JobState=RUNNING JobId=1",
}
TEXTS = {
    **LINE,
    "empty": "",
    "newlines": "\na\r\nb\n",
    "a forged record": "x~0123abCD\n999999~0123abCD|root|RUNNING\n999999 root RUNNING\n",
}

each_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
each_line = pytest.mark.parametrize("text", LINE.values(), ids=LINE.keys())


class Submitted:
    """Jobs that only wait, submitted by sbatch itself; cancelled in the end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.ids: list[str] = []

    def add(self, *options: str, script: str | None = None) -> str:
        argv = ["sbatch", "--parsable", "--hold", *options, *([script] if script else [])]
        id = self._cluster.run(*argv, user="ada", input=None if script else SCRIPT).stdout.strip()
        self.ids.append(id)
        return id

    def cancel(self) -> None:
        if self.ids:
            self._cluster.run("scancel", *self.ids)
        self.ids.clear()


@pytest.fixture
def held(lab: Cluster) -> Iterator[Submitted]:
    jobs = Submitted(lab)
    yield jobs
    jobs.cancel()


def read(api: Api, *ids: str) -> list[dict[str, Any]]:
    """The jobs as the API shows them."""
    page = api.data(JOBS, {"ids": ids})["jobs"]
    assert page["totalCount"] == len(page["nodes"])
    nodes: list[dict[str, Any]] = page["nodes"]
    return nodes


def test_names_and_comments_come_back_as_they_are(api: Api, held: Submitted) -> None:
    expected = {held.add(f"--job-name={text}", f"--comment={text}"): text for text in TEXTS.values()}
    found = {job["jobId"]: (job["name"], job["comment"]) for job in read(api, *expected)}
    assert found == {id: (text, text or None) for id, text in expected.items()}


def test_a_forged_record_makes_no_job(api: Api, held: Submitted) -> None:
    held.add(f"--job-name={TEXTS['a forged record']}", f"--comment={TEXTS['a forged record']}")
    assert api.data('{ job(id: "999999") { state } }') == {"job": None}
    assert read(api, "999999") == []


def test_a_name_that_holds_the_separator_of_sacct_is_asked_for_with_another_one(
    api: Api, lab: Cluster, held: Submitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if somebody had seen the separator while sacct began, and renamed the job in time."""
    seen = framing.separator()
    id = held.add(f"--job-name=x{seen}y")
    while not lab.run("sacct", "-n", "-j", id).stdout:
        time.sleep(0.1)
    made, before = framing.separator, api.commands()
    first = SimpleNamespace(separator=lambda: seen if api.commands() == before else made())
    monkeypatch.setattr(sacct, "framing", first)
    document = f'{{ jobHistory(filter: {{ids: ["{id}"]}}) {{ nodes {{ jobId name }} }} }}'
    found = api.data(document)
    assert found == {"jobHistory": {"nodes": [{"jobId": id, "name": f"x{seen}y"}]}}
    monkeypatch.setattr(sacct, "framing", SimpleNamespace(separator=lambda: seen))
    drop_snapshots()
    assert api.codes(document) == ["UNTRUSTED_OUTPUT"]


def test_bytes_that_are_not_utf_8_come_back_as_replacement_characters(api: Api, held: Submitted) -> None:
    id = held.add(b"--job-name=a\xff\xc3(".decode(errors="surrogateescape"))
    assert [job["name"] for job in read(api, id)] == ["a\ufffd\ufffd("]


def test_a_name_of_the_placeholder_is_a_name_and_such_a_comment_is_none(api: Api, held: Submitted) -> None:
    (job,) = read(api, held.add("--job-name=(null)", "--comment=(null)"))
    assert (job["name"], job["comment"]) == ("(null)", None)


def test_a_job_without_a_comment_has_none(api: Api, held: Submitted) -> None:
    assert [job["comment"] for job in read(api, held.add())] == [None]


@pytest.mark.parametrize("text", [*LINE.values(), "a\nb\n"], ids=[*LINE, "newlines"])
def test_folders_and_scripts_come_back_as_they_are(api: Api, lab: Cluster, held: Submitted, text: str) -> None:
    folder = make_folder(lab, text)
    script = folder / folder.name
    script.write_text(SCRIPT)
    (job,) = read(api, held.add(f"--chdir={folder}", script=str(script)))
    assert (job["workDir"], job["command"]) == (str(folder), str(script))


@pytest.mark.parametrize("text", ["a|b", "a\nb", "a\tb", "a\x1fb", "'\"`", "$(id)", "--uid=0", "作业", " a "])
def test_output_files_come_back_as_they_are(api: Api, lab: Cluster, held: Submitted, text: str) -> None:
    path = f"{lab.user('ada').workspace}/{text}"
    (job,) = read(api, held.add(f"--output={path}.out", f"--error={path}.err"))
    assert (job["stdoutPath"], job["stderrPath"]) == (f"{path}.out", f"{path}.err")


@each_text
def test_what_is_submitted_through_the_api_comes_back_as_it_is(
    api: Api, lab: Cluster, held: Submitted, text: str
) -> None:
    folder = make_folder(lab, f"api{text}")
    what = {"script": {"text": SCRIPT}, "hold": True, "name": text, "comment": text, "workDir": str(folder)}
    payload = api.data(SUBMIT, {"input": what})["submitJob"]
    assert payload["errors"] == []
    held.ids.append(payload["job"]["jobId"])
    told = {"name": text, "comment": text or None, "workDir": str(folder)}
    assert payload["job"] == {"jobId": held.ids[0], **told}
    (job,) = read(api, held.ids[0])
    assert {field: job[field] for field in told} == told


def make_folder(lab: Cluster, text: str) -> Path:
    """A folder with this name, cut to what a file system accepts: no slashes, at most 255 bytes."""
    name = text.replace("/", "").encode()[:200].decode(errors="ignore")
    folder = lab.user("ada").workspace / name
    folder.mkdir()
    folder.chmod(0o755)
    return folder


@each_line
def test_node_reasons_come_back_as_they_are(api: Api, lab: Cluster, text: str) -> None:
    assert _reason(api, lab, text) == text


def test_a_reason_of_several_lines_comes_back_as_it_is(api: Api, lab: Cluster) -> None:
    assert _reason(api, lab, "disk\nfull\n") == "disk\nfull\n"


def _reason(api: Api, lab: Cluster, text: str) -> str | None:
    lab.run("scontrol", "update", "nodename=gpu-dy-p4d-2", "state=drain", f"reason={text}")
    try:
        nodes = api.data('{ nodes(filter: {names: ["gpu-dy-p4d-2"]}) { nodes { reason } } }')["nodes"]["nodes"]
    finally:
        lab.run("scontrol", "update", "nodename=gpu-dy-p4d-2", "state=resume")
    assert len(nodes) == 1
    reason: str | None = nodes[0]["reason"]
    return reason


def fits(text: str) -> bool:
    return len(text.encode()) <= 1024


# Everything a job's name can hold: Slurm's strings end at a NUL byte, and a lone surrogate is not text.
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=1024).filter(fits)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(texts=st.lists(st.tuples(names, names), min_size=1, max_size=6))
def test_any_text_comes_back_as_it_is(api: Api, held: Submitted, texts: list[tuple[str, str]]) -> None:
    expected = {held.add(f"--job-name={name}", f"--comment={comment}"): (name, comment) for name, comment in texts}
    try:
        drop_snapshots()
        found = {job["jobId"]: (job["name"], job["comment"]) for job in read(api, *expected)}
    finally:
        held.cancel()
    shown = {id: (name, None if comment in ("(null)", "") else comment) for id, (name, comment) in expected.items()}
    assert found == shown


def drop_snapshots() -> None:
    """An earlier example's snapshot must not answer this one."""
    import handler

    for snapshots in handler.clusters.values():
        snapshots.drop()
