"""Why Slurm refused a change: the texts are what sbatch, scancel and scontrol of 22.05 print."""

import pytest

from slurm import job_action, job_update, node_update
from slurm.command import Question, Reply, SchedulerUnavailableError
from slurm.refusal import OutcomeUnknown, Refusal, RefusalCode, refusal

SAID = [
    (
        Reply(
            0,
            "",
            "scancel: Terminating job 4711\nscancel: error: Kill job error on job id 4711: Invalid job id specified\n",
        ),
        RefusalCode.NOT_FOUND,
        "Kill job error on job id 4711: Invalid job id specified",
    ),
    (
        Reply(
            0,
            "",
            "scancel: Terminating job 3\n"
            "scancel: error: Kill job error on job id 3: Job/step already completing or completed\n",
        ),
        RefusalCode.ALREADY_FINISHED,
        "Kill job error on job id 3: Job/step already completing or completed",
    ),
    (
        Reply(
            210,
            "",
            "scancel: Terminating job 4\nscancel: error: Kill job error on job id 4: Access/permission denied\n",
        ),
        RefusalCode.FORBIDDEN,
        "Kill job error on job id 4: Access/permission denied",
    ),
    (
        Reply(
            228,
            "",
            "scancel: select/cons_tres: common_init: select/cons_tres loaded\nscancel: Signal 10 to job 4\n"
            "scancel: Job is in transitional state, retrying\n"
            "scancel: error: Kill job error on job id 4: Job can not be altered now, try again later\n",
        ),
        RefusalCode.CONFLICT,
        "Kill job error on job id 4: Job can not be altered now, try again later",
    ),
    (Reply(1, "", "Unknown job signal: NOSUCH\n"), RefusalCode.INVALID_INPUT, "Unknown job signal: NOSUCH"),
    (
        Reply(1, "", "Job has already finished for job 3\nslurm_suspend error: Job has already finished\n"),
        RefusalCode.ALREADY_FINISHED,
        "Job has already finished for job 3",
    ),
    (
        Reply(1, "", "Invalid user id for job 4\nslurm_suspend error: Invalid user id\n"),
        RefusalCode.FORBIDDEN,
        "Invalid user id for job 4",
    ),
    (Reply(1, "", "Access/permission denied for job 4\n"), RefusalCode.FORBIDDEN, "Access/permission denied for job 4"),
    (Reply(1, "", "Job is pending execution for job 4\n"), RefusalCode.CONFLICT, "Job is pending execution for job 4"),
    (
        Reply(
            1,
            "",
            "sbatch: error: invalid partition specified: nope\n"
            "sbatch: error: Batch job submission failed: Invalid partition name specified\n",
        ),
        RefusalCode.REJECTED_BY_SCHEDULER,
        "invalid partition specified: nope\nBatch job submission failed: Invalid partition name specified",
    ),
    (
        Reply(
            1, "", "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit)\n"
        ),
        RefusalCode.LIMIT_EXCEEDED,
        "Batch job submission failed: Job violates accounting/QOS policy (job submit limit)",
    ),
    (Reply(7), RefusalCode.REJECTED_BY_SCHEDULER, "exit code 7"),
]


@pytest.mark.parametrize(("reply", "code", "message"), SAID, ids=[message[-40:] for _, _, message in SAID])
def test_slurms_words_get_a_code(reply: Reply, code: RefusalCode, message: str) -> None:
    found = refusal(reply)
    assert found is not None
    assert (found.code, found.message) == (code, message)


@pytest.mark.parametrize(
    "reply", [Reply(0), Reply(0, "", "scancel: Terminating job 3\n"), Reply(0, "17\n", "warning\n")]
)
def test_a_change_that_was_made_is_not_a_refusal(reply: Reply) -> None:
    assert refusal(reply) is None


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("forbidden", RefusalCode.FORBIDDEN),
        ("conflict", RefusalCode.CONFLICT),
        ("invalid", RefusalCode.INVALID_INPUT),
        ("a later word", RefusalCode.INVALID_INPUT),
    ],
)
def test_the_program_on_the_head_node_refuses_in_its_own_words(program: str, code: RefusalCode) -> None:
    found = refusal(Reply(None, refusal="it may not be", refusal_code=program))
    assert found is not None
    assert (found.code, found.message) == (code, "it may not be")


@pytest.mark.parametrize("code", ["unknown", "timed_out"])
def test_a_change_that_may_have_been_made_is_not_a_refusal(code: str) -> None:
    with pytest.raises(OutcomeUnknown, match="nobody knows"):
        refusal(Reply(None, refusal="nobody knows", refusal_code=code))


def test_a_scheduler_that_does_not_answer_refuses_nothing() -> None:
    words = "Unable to contact slurm controller (connect failure)"
    with pytest.raises(SchedulerUnavailableError, match="Unable to contact"):
        refusal(Reply(1, "", f"sbatch: error: Batch job submission failed: {words}\n"))
    with pytest.raises(SchedulerUnavailableError, match="cannot run sbatch"):
        refusal(Reply(None, refusal="cannot run sbatch: not found", refusal_code="unavailable"))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(1, "", "slurm_update error: Zero Bytes were transmitted or received\n"),
        Reply(1, "", "scancel: error: Kill job error on job id 3: Socket timed out on send/recv operation\n"),
        Reply(0, "", "scancel: error: Kill job error on job id 3: Connection reset by peer\n"),
        Reply(1, "", "slurm_update error: Unable to contact slurm controller (receive failure)\n"),
        Reply(-9, "", ""),
    ],
)
def test_a_change_whose_answer_was_lost_may_have_been_made(reply: Reply) -> None:
    with pytest.raises(OutcomeUnknown, match="answer was lost"):
        refusal(reply)


CHANGES = {
    "jobs held": job_action.hold(["1", "2", "3", "4"]),
    "jobs changed": job_update.update(["1", "2", "3", "4"], job_update.JobUpdate(comment="new")),
    "nodes changed": node_update.update(["1", "2", "3", "4"], node_update.NodeAction.RESUME),
}


@pytest.mark.parametrize("question", CHANGES.values(), ids=CHANGES)
def test_an_unknown_outcome_does_not_hide_the_others(question: Question[list[Refusal | None]]) -> None:
    lost = Reply(1, "", "slurm_update error: Zero Bytes were transmitted or received\n")
    down = Reply(1, "", "slurm_update error: Unable to contact slurm controller (connect failure)\n")
    refused = Reply(1, "", "slurm_update error: Access/permission denied\n")
    outcomes = question.read([Reply(0), lost, down, refused])
    assert [(why.code, why.id) if why else None for why in outcomes] == [
        None,
        (RefusalCode.OUTCOME_UNKNOWN, "2"),
        (RefusalCode.REJECTED_BY_SCHEDULER, "3"),
        (RefusalCode.FORBIDDEN, "4"),
    ]
    with pytest.raises(OutcomeUnknown):
        question.read([lost] * 4)
    with pytest.raises(SchedulerUnavailableError):
        question.read([down] * 4)
