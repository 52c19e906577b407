"""submitJob: the job is the signed-in user's own, in the user's own environment, exactly as asked for."""

import base64
import gzip
import json
import os
import pwd
import random
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conftest import Api, event
from local.aws import BUCKET
from local.cluster import Cluster
from local.gateway import Context
from local.stack import Stack
from slurm.script import SCRIPT_LIMIT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")

SUBMIT = """mutation ($input: SubmitJobInput!) {
  submitJob(input: $input) {
    job { id jobId name user state queueName comment }
    errors { code message field id: targetId }
  }
}"""
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")
SHELLS_OWN = {"_", "SHLVL", "PWD", "OLDPWD"}


@dataclass(frozen=True)
class Person:
    """An account made for these tests: its login profile is theirs alone."""

    name: str
    entry: pwd.struct_passwd = field(repr=False)

    @property
    def home(self) -> Path:
        return Path(self.entry.pw_dir)


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """An account in an extra group, whose profile sets a umask, PATH, variables and a function."""
    name = f"sql{os.getpid()}"
    system = Path(f"/etc/profile.d/{name}.sh")
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", "--groups", "games", name], check=True)
    try:
        # Every login of this machine reads it meanwhile, so it acts on this account alone.
        system.write_text(
            f'if [ "$(id -un)" = {name} ] && [ -n "$BASH_VERSION" ]; then\n'
            '  greet() { echo "hello from $1"; }\n  export -f greet\nfi\n'
        )
        made = Person(name, pwd.getpwnam(name))
        made.home.joinpath(".profile").write_text(
            "echo This profile prints, and fails at times.; false\n"
            "umask 027\nexport PATH=$HOME/own/bin:$PATH\nexport TWO_LINES='a\nb'\nexport MOTTO='a=b, \"c\" $d'\n"
        )
        yield made
    finally:
        system.unlink(missing_ok=True)
        subprocess.run(["userdel", "--force", "--remove", name], check=True, stderr=subprocess.DEVNULL)


def submit(api: Api, script: str, user: str = "ada", groups: str = "", **input: Any) -> dict[str, Any]:
    """The payload of submitJob."""
    asked = {"input": {"script": {"text": script}, **input}}
    payload: dict[str, Any] = api.data(SUBMIT, asked, user=user, groups=groups)["submitJob"]
    return payload


def submitted(api: Api, user: str = "ada", **input: Any) -> str:
    """The id of the submitted job."""
    payload = submit(api, user=user, **input)
    assert payload["errors"] == []
    id: str = payload["job"]["jobId"]
    return id


def wait_for(cluster: Cluster, job: str) -> str:
    """The state in which the job ended."""
    give_up = time.monotonic() + 90
    while (state := cluster.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%T").stdout.strip()) not in ENDED:
        assert time.monotonic() < give_up, f"job {job} is still {state}"
        time.sleep(0.1)
    return state


def output(cluster: Cluster, job: str, folder: Path) -> str:
    """What the job printed, once it has ended."""
    assert wait_for(cluster, job) == "COMPLETED"
    return (folder / f"slurm-{job}.out").read_text()


def run(api: Api, cluster: Cluster, person: Person, *lines: str, **input: Any) -> list[str]:
    """The lines that a job of the person's prints."""
    script = "\n".join(["#!/bin/bash", *lines, ""])
    job = submitted(api, person.name, script=script, **input)
    return output(cluster, job, person.home).splitlines()


def jobs_named(cluster: Cluster, name: str) -> list[str]:
    return cluster.run("squeue", "-h", "-t", "all", "-n", name, "-o", "%i").stdout.split()


def test_the_job_runs_as_the_user_in_the_users_groups_and_home(api: Api, lab: Cluster, person: Person) -> None:
    printed = run(api, lab, person, "id -un; id -gn; id -Gn; echo $HOME; pwd; umask; echo $USER $LOGNAME $SHELL")
    own = subprocess.run(["id", "-gn", person.name], capture_output=True, text=True, check=True).stdout.strip()
    groups = subprocess.run(["id", "-Gn", person.name], capture_output=True, text=True, check=True).stdout.strip()
    assert printed == [
        person.name,
        own,
        groups,
        str(person.home),
        str(person.home),
        "0027",
        f"{person.name} {person.name} /bin/bash",
    ]
    assert "games" in groups


def test_its_output_file_is_the_users(api: Api, lab: Cluster, person: Person) -> None:
    job = submitted(api, person.name, script="#!/bin/sh\ntouch made-by-job\n")
    output(lab, job, person.home)
    assert person.home.joinpath(f"slurm-{job}.out").stat().st_uid == person.entry.pw_uid
    made = person.home.joinpath("made-by-job").stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (person.entry.pw_uid, person.entry.pw_gid, 0o640)


def test_it_starts_in_the_folder_asked_for(api: Api, lab: Cluster, person: Person) -> None:
    folder = person.home / "work here"
    folder.mkdir()
    os.chown(folder, person.entry.pw_uid, person.entry.pw_gid)
    job = submitted(api, person.name, script="#!/bin/sh\npwd\n", workDir=str(folder))
    assert output(lab, job, folder) == f"{folder}\n"


def test_what_the_login_profile_sets_is_there_in_the_script_and_in_a_step(
    api: Api, lab: Cluster, person: Person
) -> None:
    seen = 'greet $0; umask; echo "${PATH%%:*}"; echo "$TWO_LINES"; echo "$MOTTO"'
    printed = run(api, lab, person, seen.replace("$0", "batch"), f"srun bash -c '{seen}' step")
    told = ["0027", f"{person.home}/own/bin", "a", "b", 'a=b, "c" $d']
    assert printed == ["hello from batch", *told, "hello from step", *told]


def test_nothing_of_roots_or_the_agents_environment_is_there(
    api: Api, stack: Stack, lab: Cluster, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "not for jobs")
    for instance in stack.ssm.instances:
        agents = {**instance.environment, "SECRET_OF_THE_AGENT": "not for jobs", "SLURM_JOB_NAME": "the agent's"}
        monkeypatch.setattr(instance, "environment", agents)
    printed = run(api, lab, person, "env -0 | tr '\\n\\0' '\\t\\n'")
    seen = dict(line.split("=", 1) for line in printed if not line.startswith(("SLURM", "BASH_FUNC")))
    assert [name for name in seen if name.startswith(("SECRET", "AWS", "SSM", "INVOCATION", "JOURNAL", "PYTHON"))] == []
    assert "not for jobs" not in "\n".join(printed)
    login = subprocess.run(
        ["/bin/bash", "-lc", "env -0"],
        env={"HOME": str(person.home), "USER": person.name, "LOGNAME": person.name, "SHELL": "/bin/bash"},
        user=person.entry.pw_uid,
        group=person.entry.pw_gid,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    profile = {line.split("=", 1)[0].rpartition("\n")[2] for line in login.split("\0") if "=" in line}
    slurms = {"ENVIRONMENT", "HOSTNAME", "TMPDIR", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES"}
    # For MPI's launchers; from 24.05 at the latest.
    launchers = {name for name in seen if re.match("HYDRA_|I_MPI_HYDRA_|OMPI_MCA_plm_|PRTE_MCA_plm_", name)}
    assert set(seen) - profile - slurms - launchers - SHELLS_OWN == set()


def test_the_environment_asked_for_arrives_as_it_is(api: Api, lab: Cluster, person: Person) -> None:
    values = {
        "LIST": "a,b,,c",
        "QUOTES": "'\"`$(id)\\",
        "LINES": "\na\nb\n",
        "EMPTY": "",
        "PAIRS": "A=1,B=2",
        "WORDS": "作业 é",
        "MOTTO": "over the profile's",
    }
    environment = [{"name": name, "value": value} for name, value in values.items()]
    script = "#!/bin/bash\nenv -0 >batch.env\nsrun bash -c 'env -0 >step.env'\n"
    output(lab, submitted(api, person.name, script=script, environment=environment), person.home)
    for file in ("batch.env", "step.env"):
        text = person.home.joinpath(file).read_text()
        seen = dict(variable.split("=", 1) for variable in text.split("\0") if variable)
        assert {name: seen.get(name) for name in values} == values


def test_every_option_reaches_slurm(api: Api, lab: Cluster) -> None:
    first = submitted(api, script="#!/bin/sh\ntrue\n", hold=True)
    folder = lab.user("ada").workspace
    job = submitted(
        api,
        script="#!/bin/sh\n#SBATCH --job-name=loses --nodes=1 --comment=loses\ntrue\n",
        name="wins",
        queue="gpu",
        account="physics",
        workDir=str(folder),
        nodes=2,
        tasks=4,
        cpusPerTask=3,
        memory={"perNodeMib": 1500},
        gpus=5,
        timeLimitSeconds=5400,
        dependency=f"afterany:{first}",
        stdoutPath="out-%j.txt",
        stderrPath=f"{folder}/err.txt",
        hold=True,
        beginTime="2033-05-18T03:33:20Z",
        comment="all of them",
    )
    try:
        told = lab.run("scontrol", "--oneliner", "show", "job", job).stdout
        columns = "Name,Partition,Account,MaxNodes,NumTasks,cpus-per-task,MinMemory,tres-per-job,TimeLimit,Comment"
        row = lab.run("squeue", "-h", "-j", job, "-O", ",".join(f"{name}:|" for name in columns.split(","))).stdout
    finally:
        lab.run("scancel", first, job)
    # 20.11 writes gpu:5, later ones gres:gpu:5, 23.11 and later gres/gpu:5.
    assert re.sub(r"\|gres[:/]gpu:", "|gpu:", row).split("|")[:-1] == [
        "wins",
        "gpu",
        "physics",
        "2",
        "4",
        "3",
        "1500M",
        "gpu:5",
        "1:30:00",
        "all of them",
    ]
    for words in [
        "NumNodes=2-2 ",
        f"WorkDir={folder} ",
        f"StdOut={folder}/out-{job}.txt ",
        f"StdErr={folder}/err.txt ",
        f"Dependency=afterany:{first}(unfulfilled)",
        "Priority=0 ",
        "EligibleTime=2033-05-18T",
        "UserId=ada(",
    ]:
        assert words in told


def test_an_array_is_made(api: Api, lab: Cluster) -> None:
    payload = submit(api, script="#!/bin/sh\ntrue\n", array="1-9:2%2", hold=True)
    assert payload["errors"] == []
    id = payload["job"]["jobId"]
    number = id.split("_")[0]
    told = lab.run("scontrol", "show", "job", number).stdout
    lab.run("scancel", number)
    assert id == f"{number}_[1,3,5,7,9%2]"
    assert "ArrayTaskId=1,3,5,7,9%2 " in told


def long_script(size: int) -> str:
    """A script of so many bytes that hardly shrink when packed."""
    noise = random.Random(7)  # noqa: S311 - a repeatable text, not a secret
    head = "#!/bin/bash\necho read to the end\nexit 0\n"
    body = base64.b64encode(noise.randbytes(size)).decode()
    lines = "\n".join("#" + body[start : start + 120] for start in range(0, size, 120))
    return (head + lines)[: size - 1] + "\n"


@pytest.mark.parametrize("size", [50_000, 1_000_000, SCRIPT_LIMIT])
def test_long_scripts_arrive_whole(api: Api, lab: Cluster, person: Person, size: int) -> None:
    script = long_script(size)
    assert len(script.encode()) == size
    job = submitted(api, person.name, script=script)
    assert lab.run("scontrol", "write", "batch_script", job, "-").stdout.rstrip("\n") == script.rstrip("\n")
    assert output(lab, job, person.home) == "read to the end\n"


def requests(stack: Stack) -> set[str]:
    """The requests in the bucket."""
    listing = stack.aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="requests/")
    return {item["Key"] for item in listing.get("Contents", [])}


def test_past_the_limit_of_systems_manager_they_travel_through_the_bucket(api: Api, stack: Stack, lab: Cluster) -> None:
    before = requests(stack)
    job = submitted(api, script=long_script(300_000), hold=True)
    lab.run("scancel", job)
    (packed,) = stack.ssm.sends[-1].parameters["request"]
    pointer = json.loads(gzip.decompress(base64.urlsafe_b64decode(packed)))
    assert set(pointer) == {"get", "sha256"}
    assert requests(stack) - before == set()


def test_a_submitted_job_is_shown_as_it_is(api: Api, lab: Cluster) -> None:
    payload = submit(api, script="#!/bin/sh\ntrue\n", name="told", queue="gpu", hold=True, comment="as it is")
    job = payload["job"]
    lab.run("scancel", job["jobId"])
    assert job == {
        "id": f"lab:{job['jobId']}",
        "jobId": job["jobId"],
        "name": "told",
        "user": "ada",
        "state": "PENDING",
        "queueName": "gpu",
        "comment": "as it is",
    }


def test_another_cluster_may_be_named(api: Api, stack: Stack) -> None:
    variables = {
        "input": {"script": {"text": "#!/bin/sh\ntrue\n"}, "hold": True, "name": "annexed", "cluster": "annex"}
    }
    job = api.data(SUBMIT, variables)["submitJob"]["job"]
    annex = stack.clusters["annex"]
    assert jobs_named(annex, "annexed") == [job["jobId"]]
    assert job["id"] == f"annex:{job['jobId']}"
    annex.run("scancel", job["jobId"])


@pytest.mark.parametrize(
    "identity",
    ["root", "slurm", "munge", "nobody", "daemon", "missing", "../x", "ADA", "ada;id", "-ada", "ada\n", "0", "1001"],
)
def test_system_accounts_cannot_submit(api: Api, lab: Cluster, identity: str) -> None:
    input = {"script": {"text": "#!/bin/sh\ntrue\n"}, "hold": True, "name": "not to be"}
    request = event(json.dumps({"query": SUBMIT, "variables": {"input": input}}))
    request["requestContext"]["authorizer"]["jwt"]["claims"]["username"] = identity
    payload = json.loads(api.handler(request, Context())["body"])["data"]["submitJob"]
    assert payload["job"] is None
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
    assert jobs_named(lab, "not to be") == []


def test_who_is_not_signed_in_submits_nothing(api: Api, lab: Cluster) -> None:
    input = {"script": {"text": "#!/bin/sh\ntrue\n"}, "hold": True, "name": "not to be"}
    before = api.commands()
    request = event(json.dumps({"query": SUBMIT, "variables": {"input": input}}), user=None)
    (error,) = json.loads(api.handler(request, Context())["body"])["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert api.commands() == before


def test_an_account_with_uid_0_submits_nothing(api: Api, lab: Cluster) -> None:
    name = f"zero{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--non-unique", "--uid", "0", "--gid", "0", name], check=True)
    try:
        payload = submit(api, user=name, script="#!/bin/sh\ntrue\n", hold=True, name="not to be")
    finally:
        # userdel refuses while any process has the uid, and every one of root's has.
        subprocess.run(["userdel", "--force", name], check=True, stderr=subprocess.DEVNULL)
    assert payload["job"] is None
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
    assert jobs_named(lab, "not to be") == []


def test_a_viewer_submits_nothing_and_nothing_is_sent(api: Api) -> None:
    before = api.commands()
    payload = submit(api, groups="slurmql-viewers", script="#!/bin/sh\ntrue\n")
    assert payload["job"] is None
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
    assert api.commands() == before


def test_a_folder_the_user_may_not_enter_is_refused(api: Api) -> None:
    payload = submit(api, script="#!/bin/sh\ntrue\n", workDir="/root")
    assert payload["job"] is None
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [("INVALID_INPUT", ["input", "workDir"])]


@pytest.mark.parametrize(
    ("input", "field", "words"),
    [
        ({"queue": "nonesuch"}, "queue", "nvalid partition"),
        ({"gpus": 3, "queue": "queue1"}, None, "not available"),
        ({"nodes": 500}, None, "More processors requested than permitted"),
        ({"array": "0-9999999"}, "array", "Invalid job array"),
    ],
)
def test_the_schedulers_refusals_are_reported_in_its_own_words(
    api: Api, input: dict[str, Any], field: str | None, words: str
) -> None:
    payload = submit(api, script="#!/bin/sh\ntrue\n", **input)
    assert payload["job"] is None
    (error,) = payload["errors"]
    assert error["code"] == "REJECTED_BY_SCHEDULER"
    assert words in error["message"]
    assert error["field"] == (["input", field] if field else None)
