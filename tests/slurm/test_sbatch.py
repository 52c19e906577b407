"""Submitting: each input becomes one checked option of sbatch; all that is wrong is told at once."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm import sbatch
from slurm.command import Command, Reply, SchedulerUnavailableError
from slurm.job_environment import EnvironmentVariable, Export
from slurm.refusal import InvalidInputError, OutcomeUnknown, Refusal, RefusalCode
from slurm.sbatch import JobMemory, MailType, OpenMode, Requeue, Submission
from slurm.script import SCRIPT_LIMIT, Script

BERLIN = timezone(timedelta(hours=2))
SCRIPT = "#!/bin/bash\ntrue\n"
TEXT = Script(text=SCRIPT)


def command(**inputs: Any) -> Command:
    (made,) = sbatch.check(Submission(script=TEXT, **inputs)).submit().commands
    return made


def wrong_fields(submission: Submission) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        sbatch.check(submission)
    assert all(refusal.code is RefusalCode.INVALID_INPUT for refusal in caught.value.refusals)
    return [(refusal.field or ["", ""])[1] for refusal in caught.value.refusals]


def test_a_script_alone_is_enough() -> None:
    assert command() == Command(sbatch.SBATCH, stdin=SCRIPT)


@pytest.mark.parametrize(
    ("inputs", "options"),
    [
        ({"name": "a b\n|"}, {"job-name": "a b\n|"}),
        ({"name": ""}, {"job-name": ""}),
        ({"queue": "queue1,gpu"}, {"partition": "queue1,gpu"}),
        ({"account": "physics"}, {"account": "physics"}),
        ({"qos": "express"}, {"qos": "express"}),
        ({"work_dir": "/home/ada/a b"}, {"chdir": "/home/ada/a b"}),
        ({"nodes": 2}, {"nodes": "2"}),
        ({"tasks": 4}, {"ntasks": "4"}),
        ({"cpus_per_task": 3}, {"cpus-per-task": "3"}),
        ({"memory": JobMemory(per_node_mib=1500)}, {"mem": "1500M"}),
        ({"memory": JobMemory(per_node_mib=0)}, {"mem": "0M"}),
        ({"gpus": 5}, {"gpus": "5"}),
        ({"time_limit_seconds": 5400}, {"time": "90:00"}),
        ({"time_limit_seconds": 61}, {"time": "1:01"}),
        ({"array": "0-9:3,12%2"}, {"array": "0-9:3,12%2"}),
        ({"dependency": "afterok:1:2_3,singleton"}, {"dependency": "afterok:1:2_3,singleton"}),
        ({"dependency": "afterok:1?afternotok:2"}, {"dependency": "afterok:1?afternotok:2"}),
        ({"stdout_path": "%j.out"}, {"output": "%j.out"}),
        ({"stderr_path": "-x"}, {"error": "-x"}),
        ({"hold": True}, {"hold": ""}),
        ({"hold": False}, {}),
        ({"begin_time": datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC)}, {"begin": "uts2000000000"}),
        ({"begin_time": datetime(2033, 5, 18, 5, 33, 20, tzinfo=BERLIN)}, {"begin": "uts2000000000"}),
        ({"comment": "--uid=0"}, {"comment": "--uid=0"}),
        ({"nodes": 2, "max_nodes": 4}, {"nodes": "2-4"}),
        ({"max_nodes": 4}, {"nodes": "1-4"}),
        ({"tasks_per_node": 2}, {"ntasks-per-node": "2"}),
        ({"memory": JobMemory(per_cpu_mib=100)}, {"mem-per-cpu": "100M"}),
        ({"memory": JobMemory(per_gpu_mib=100)}, {"mem-per-gpu": "100M"}),
        ({"gpus_per_node": 2}, {"gpus-per-node": "2"}),
        ({"gpus": 4, "gpus_per_task": 1, "gpu_type": "a100"}, {"gpus": "a100:4", "gpus-per-task": "a100:1"}),
        ({"constraint": "[a|b]&c*2"}, {"constraint": "[a|b]&c*2"}),
        ({"exclusive": True}, {"exclusive": ""}),
        ({"exclusive": False}, {}),
        ({"node_names": ["a-[1-2]", "b"]}, {"nodelist": "a-[1-2],b"}),
        ({"excluded_node_names": ["a"]}, {"exclude": "a"}),
        ({"core_spec": 1}, {"core-spec": "1"}),
        ({"licenses": "matlab:2,ansys"}, {"licenses": "matlab:2,ansys"}),
        ({"reservation": "one,two"}, {"reservation": "one,two"}),
        ({"time_min_seconds": 90}, {"time-min": "1:30"}),
        ({"deadline": datetime(2033, 5, 18, 5, 33, 20, tzinfo=BERLIN)}, {"deadline": "uts2000000000"}),
        ({"nice": -5}, {"nice": "-5"}),
        ({"requeue": Requeue.ON_FAILURE}, {"requeue": ""}),
        ({"requeue": Requeue.NEVER}, {"no-requeue": ""}),
        ({"requeue": Requeue.EXPEDITED}, {"requeue": "expedite"}),  # since 25.11
        ({"signal": "B:USR1@120"}, {"signal": "B:USR1@120"}),
        ({"export": Export.ALL}, {"export": "ALL"}),
        ({"export": Export.NONE}, {"export": "NONE"}),
        ({"container": "/b"}, {"container": "/b"}),
        ({"open_mode": OpenMode.APPEND}, {"open-mode": "append"}),
        ({"mail_types": [MailType.END, MailType.TIME_LIMIT_80]}, {"mail-type": "END,TIME_LIMIT_80"}),
        ({"mail_user": "ada@example.org,bob"}, {"mail-user": "ada@example.org,bob"}),
    ],
    ids=str,
)
def test_each_input_is_one_option(inputs: dict[str, Any], options: dict[str, str]) -> None:
    assert command(**inputs) == Command(sbatch.SBATCH, options, stdin=SCRIPT)


def test_the_variables_that_alone_are_exported_are_named_and_their_values_travel_apart() -> None:
    variables = [EnvironmentVariable(name="A", value="x,\n"), EnvironmentVariable(name="B", value="")]
    made = command(environment=variables, export=Export.NAMED)
    assert made == Command(sbatch.SBATCH, {"export": "A,B"}, environment={"A": "x,\n", "B": ""}, stdin=SCRIPT)


def test_a_script_on_the_cluster_is_an_argument() -> None:
    question = sbatch.check(Submission(script=Script(path="/home/ada/job.sh"))).submit()
    assert question.commands == (Command(sbatch.SBATCH, arguments=("/home/ada/job.sh",)),)
    said = [Reply(1, "", "sbatch: error: Unable to open file /home/ada/job.sh\n")]
    found = question.read(said)
    assert isinstance(found, Refusal)
    assert (found.code, found.field) == (RefusalCode.NOT_FOUND, ["input", "script", "path"])


def test_a_script_in_s3_is_what_was_fetched_and_is_checked_like_any() -> None:
    checked = sbatch.check(Submission(script=Script(uri="s3://scripts/job.sh")))
    assert checked.submit(SCRIPT).commands == (Command(sbatch.SBATCH, stdin=SCRIPT),)
    with pytest.raises(InvalidInputError) as caught:
        checked.submit("true\n")
    assert [refusal.field for refusal in caught.value.refusals] == [["input", "script", "uri"]]


def test_an_estimate_claims_no_key() -> None:
    submission = Submission(script=TEXT, test_only=True, idempotency_key="k")
    assert sbatch.check(submission).estimate().commands == (Command(sbatch.SBATCH, {"test-only": ""}, stdin=SCRIPT),)


@pytest.mark.parametrize(
    ("printed", "time"),
    [
        (
            "sbatch: Job 7 to start at 2000000000 using 1 processors on nodes n1 in partition queue1\n",
            datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC),
        ),
        ("sbatch: Job 7 to start at 178956970469 using 1 processors on nodes n1 in partition queue1\n", None),
    ],
)
def test_the_estimate_stands_among_the_errors(printed: str, time: datetime | None) -> None:
    assert sbatch.read_estimate([Reply(0, "", printed)]) == time


def test_a_held_job_has_no_estimate_whatever_is_printed() -> None:
    asked = sbatch.check(Submission(script=TEXT, hold=True, test_only=True)).estimate()
    printed = "sbatch: Job 7 to start at 2000000000 using 1 processors on nodes n1 in partition queue1\n"
    assert asked.read([Reply(0, "", printed)]) is None
    assert isinstance(asked.read([Reply(1, "", "allocation failure: Invalid partition name specified\n")]), Refusal)


def test_a_refused_estimate_names_its_input() -> None:
    found = sbatch.read_estimate([Reply(1, "", "allocation failure: Invalid partition name specified\n")])
    assert isinstance(found, Refusal)
    assert found.field == ["input", "queue"]


def test_a_missing_estimate_is_not_a_success() -> None:
    found = sbatch.read_estimate([Reply(0, "17\n")])
    assert isinstance(found, Refusal)
    assert "no estimate" in found.message


def test_a_missing_estimate_does_not_make_the_outcome_unknown() -> None:
    with pytest.raises(SchedulerUnavailableError):
        sbatch.read_estimate([Reply(None, refusal="sbatch did not end within 20 s", refusal_code="timed_out")])


def test_variables_and_the_key_are_not_options() -> None:
    made = command(environment=[EnvironmentVariable(name="A", value="x,\n'\"")], idempotency_key="k")
    assert made == Command(sbatch.SBATCH, environment={"A": "x,\n'\""}, stdin=SCRIPT, key="k")


@pytest.mark.parametrize("command", ["gcc -W x.c", "srun --wait 5 x", "#SBATCH --waiting", "# SBATCH --wait"])
def test_only_options_of_sbatch_make_it_wait(command: str) -> None:
    sbatch.check(Submission(script=Script(text=f"#!/bin/sh\n#SBATCH -n 1\n{command}\n")))


@pytest.mark.parametrize("line", ["#SBATCH a\n", "#SBATCH " + "a " * 1000 + "\n", "#SBATCH\n", "a "])
def test_a_script_is_checked_in_a_time_that_grows_with_its_length(line: str) -> None:
    """One that grew with its square took minutes for these, in which the Lambda answered nobody else."""
    script = "#!/bin/sh\n#SBATCH " + line * ((SCRIPT_LIMIT - 100) // len(line))
    started = time.process_time()
    sbatch.check(Submission(script=Script(text=script)))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("environment", [EnvironmentVariable(name="LD_PRELOAD", value="/x.so")]),
        ("environment", [EnvironmentVariable(name="SBATCH_UID", value="0")]),
        ("name", "é" * 513),
        ("name", "a\0"),
        ("queue", "a\nb"),
        ("queue", ",queue1"),
        ("account", "-x"),
        ("work_dir", "relative"),
        ("nodes", 0),
        ("tasks", -1),
        ("time_limit_seconds", 0),
        ("array", "1-"),
        ("array", "1;2"),
        ("dependency", "after"),
        ("dependency", "afterok:1,afterok:2?afterok:3"),
        ("stdout_path", ""),
        ("begin_time", datetime(2033, 5, 18)),
        ("environment", [EnvironmentVariable(name="SLURM_CONF", value="")]),
        ("environment", [EnvironmentVariable(name="A", value="x" * 70_000)]),
        ("idempotency_key", "k" * 256),
        ("max_nodes", 0),
        ("gpu_type", "a100"),
        ("constraint", "a b"),
        ("node_names", []),
        ("excluded_node_names", ["a b"]),
        ("licenses", ""),
        ("signal", "USR1@99999"),
        ("signal", "USR1\n"),
        ("mail_types", []),
        ("mail_user", "-s"),
        ("mail_user", "a\n"),
        ("export", Export.NAMED),
        ("container", "relative"),
        ("deadline", datetime(2033, 5, 18)),
        ("nice", 2**31),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_error_names_its_field(field: str, value: Any) -> None:
    words = field.split("_")
    assert wrong_fields(replace(Submission(script=TEXT), **{field: value})) == [
        words[0] + "".join(word.title() for word in words[1:])
    ]


@pytest.mark.parametrize(
    ("inputs", "wrong"),
    [
        ({"script": Script(text="true\n")}, ["script", "text"]),
        ({"script": Script(text="#!/bin/sh\r\ntrue")}, ["script", "text"]),
        ({"script": Script(text="#!/bin/sh\n\0")}, ["script", "text"]),
        ({"script": Script(text="#!" + "x" * SCRIPT_LIMIT)}, ["script", "text"]),
        ({"script": Script(text="#!/bin/sh\n#SBATCH --wait\n")}, ["script", "text"]),
        ({"script": Script(text="#!/bin/sh\n#SBATCH -n 1 -W\n")}, ["script", "text"]),
        ({"script": Script(uri="s3://bucket")}, ["script", "uri"]),
        ({"script": Script(uri="s3://bucket/\ud800")}, ["script", "uri"]),
        ({"script": Script(uri="s3://bucket/" + "x" * 1100)}, ["script", "uri"]),
        ({"script": Script(path="x")}, ["script", "path"]),
        ({"nodes": 3, "max_nodes": 2}, ["maxNodes"]),
        ({"memory": JobMemory(per_node_mib=-1)}, ["memory", "perNodeMib"]),
        ({"memory": JobMemory(per_cpu_mib=0)}, ["memory", "perCpuMib"]),
        ({"memory": JobMemory(per_gpu_mib=0)}, ["memory", "perGpuMib"]),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_is_wrong_within_an_input_is_named_by_its_path(inputs: dict[str, Any], wrong: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        sbatch.check(Submission(**{"script": TEXT, **inputs}))
    (refusal,) = caught.value.refusals
    assert refusal.field == ["input", *wrong]
    assert refusal.message.startswith(f"{'.'.join(wrong)} ")


def test_all_errors_are_reported_at_once() -> None:
    wrong = Submission(script=Script(path="x"), nodes=0, array="x", work_dir="y")
    assert sorted(wrong_fields(wrong)) == ["array", "nodes", "script", "workDir"]


@given(st.text(max_size=1100))
def test_any_name_is_used_unchanged_or_refused(name: str) -> None:
    try:
        made = command(name=name)
    except InvalidInputError:
        assert "\0" in name or len(name.encode()) > 1024
    else:
        assert made.options == {"job-name": name}


def test_the_program_gives_the_id_alone() -> None:
    assert sbatch.read([Reply(0, "17")]) == sbatch.Submitted("17", [])


@pytest.mark.parametrize("printed", ["", "17;lab", "17\n42", "Submitted batch job 17"])
def test_anything_else_may_have_been_submitted(printed: str) -> None:
    with pytest.raises(OutcomeUnknown):
        sbatch.read([Reply(0, printed)])


def test_sbatchs_remarks_on_a_submitted_job_are_warnings() -> None:
    """sbatch reports each attempt that a busy slurmctld put off as an error."""
    retried = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n"
    submitted = sbatch.read([Reply(0, "17", f"{retried}\nsbatch: Your project ends soon.\n")])
    assert submitted == sbatch.Submitted(
        "17", ["error: Slurm temporarily unable to accept job, sleeping and retrying", "Your project ends soon."]
    )


def test_a_job_that_slurmctld_forgot_comes_with_a_warning() -> None:
    submitted = sbatch.read([Reply(0, "17", forgotten=True)])
    assert isinstance(submitted, sbatch.Submitted)
    assert submitted.forgotten
    assert "jobHistory" in submitted.warnings[0]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("Batch job submission failed: Invalid partition name specified", "queue"),
        ("Batch job submission failed: Invalid account or account/partition combination specified", "account"),
        ("Batch job submission failed: Invalid qos specification", "qos"),
        ("Batch job submission failed: Invalid job array specification", "array"),
        ("Batch job submission failed: Job dependency problem", "dependency"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "timeLimitSeconds"),
        ("Memory specification can not be satisfied", "memory"),
    ],
)
def test_a_refusal_names_the_input_that_slurms_words_are_about(words: str, field: str) -> None:
    found = sbatch.read([Reply(1, "", f"sbatch: error: {words}\n")])
    assert found == Refusal(RefusalCode.REJECTED_BY_SCHEDULER, words, ["input", field])


def test_a_refusal_that_is_not_about_an_input_names_none() -> None:
    found = sbatch.read(
        [Reply(1, "", "sbatch: error: Batch job submission failed: More processors requested than permitted\n")]
    )
    assert isinstance(found, Refusal)
    assert found.field is None


def test_the_outcome_of_a_possible_submission_is_unknown() -> None:
    with pytest.raises(OutcomeUnknown):
        sbatch.read([Reply(None, refusal="nobody knows", refusal_code="unknown")])


def test_a_scheduler_that_does_not_answer_is_unavailable() -> None:
    words = "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n"
    with pytest.raises(SchedulerUnavailableError):
        sbatch.read([Reply(1, "", words)])
