"""Why a job waits, and why a cloud node did not start: every spelling that Slurm and ParallelCluster have for it."""

import re

import pytest

from slurm.capacity import CapacityCode, capacity_code
from slurm.reason import ReasonCode, reason_code, sentence
from slurm.states import JobState


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Resources", ReasonCode.RESOURCES),
        ("Priority", ReasonCode.PRIORITY),
        ("Dependency", ReasonCode.DEPENDENCY),
        ("DependencyNeverSatisfied", ReasonCode.DEPENDENCY_NEVER_SATISFIED),
        ("BeginTime", ReasonCode.BEGIN_TIME),
        ("JobArrayTaskLimit", ReasonCode.JOB_ARRAY_TASK_LIMIT),
        ("QOSMaxJobsPerUserLimit", ReasonCode.QOS_MAX_JOBS_PER_USER_LIMIT),
        ("QOSMaxCpuPerUserLimit", ReasonCode.QOS_MAX_CPU_PER_USER_LIMIT),
        ("AssocGrpCPURunMinutesLimit", ReasonCode.ASSOC_GRP_CPU_RUN_MINUTES_LIMIT),
        ("AssocGrpGRES", ReasonCode.ASSOC_GRP_GRES),
        ("MaxGRESPerAccount", ReasonCode.MAX_GRES_PER_ACCOUNT),
        ("DeadLine", ReasonCode.DEADLINE),
        ("FrontEndDown", ReasonCode.FRONT_END_DOWN),  # gone since 24.05
        ("ReservationInvalid", ReasonCode.RESERVATION_INVALID),  # since 23.02
        ("MaxCpuRunMinsPerUser", ReasonCode.MAX_CPU_RUN_MINS_PER_USER),  # since 24.05
        ("NvidiaImexChannels", ReasonCode.NVIDIA_IMEX_CHANNELS),  # since 25.11
    ],
)
def test_a_code_of_slurm_is_known_by_its_own_spelling(text: str, code: ReasonCode) -> None:
    assert reason_code(text) is code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ReqNodeNotAvail, UnavailableNodes:queue1-dy-large-[1-4],gpu-dy-p4d-1", ReasonCode.REQ_NODE_NOT_AVAIL),
        ("ReqNodeNotAvail, May be reserved for other job", ReasonCode.REQ_NODE_NOT_AVAIL),
        ("ReqNodeNotAvail, Reserved for maintenance", ReasonCode.REQ_NODE_NOT_AVAIL),
        ("ReqNodeNotAvail(Unavailable:queue1-dy-large-1)", ReasonCode.REQ_NODE_NOT_AVAIL),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            ReasonCode.REQ_NODE_NOT_AVAIL,
        ),
        ("job requeued in held state", ReasonCode.JOB_HELD_USER),
        ("job requeued in special exit state", ReasonCode.JOB_HELD_USER),
        ("launch failed requeued held", ReasonCode.JOB_LAUNCH_FAILURE),
        ("user env retrieval failed requeued held", ReasonCode.JOB_LAUNCH_FAILURE),
        ("launch failure limit exceeded requeued held", ReasonCode.JOB_HOLD_MAX_REQUEUE),
        ("RaisedSignal:9(Killed)", ReasonCode.RAISED_SIGNAL),
        ("Reservation night was deleted", ReasonCode.RESERVATION_DELETED),
        ("Reservation night is invalid", ReasonCode.RESERVATION_INVALID),
        (
            "uid 1001 not in group permitted to use this partition (gpu). groups allowed: ml",
            ReasonCode.ACCOUNT_NOT_ALLOWED,
        ),
        ("Unable to load job batch script", ReasonCode.SYSTEM_FAILURE),
        ("Reservation maint window was deleted", ReasonCode.RESERVATION_DELETED),
        ("Reservation maint window is invalid", ReasonCode.RESERVATION_INVALID),
        ("Reservation maint window, which this job was running under, has ended", ReasonCode.RESERVATION),
        ("Job's QOS not permitted to use this partition (pdown allows urgent not normal)", ReasonCode.QOS_NOT_ALLOWED),
        (
            "Job's QOS not permitted to use this partition (pdown denies normal including normal)",
            ReasonCode.QOS_NOT_ALLOWED,
        ),
        ("Job's QOS not known, so it can't use this partition (pdown allows urgent)", ReasonCode.QOS_NOT_ALLOWED),
        (
            "Job's account not permitted to use this partition (gpu allows physics not chemistry)",
            ReasonCode.ACCOUNT_NOT_ALLOWED,
        ),
        (
            "Job's account not known, so it can't use this partition (gpu allows physics)",
            ReasonCode.ACCOUNT_NOT_ALLOWED,
        ),
        ("burst_buffer/lua: slurm_bb_data_in: quota exceeded", ReasonCode.BURST_BUFFER_OPERATION),
        ("burst_buffer/datawarp: setup: no such pool", ReasonCode.BURST_BUFFER_OPERATION),
        ("Could not find burst buffer record", ReasonCode.BURST_BUFFER_OPERATION),
        ("Memory resize to 100MB failed on node n1", ReasonCode.SYSTEM_FAILURE),
    ],
)
def test_the_reason_is_a_sentence_with_commas(text: str, code: ReasonCode) -> None:
    assert reason_code(text) is code


def test_the_merged_reasons_of_an_arrays_tasks_give_the_one_that_says_something() -> None:
    assert reason_code("Resources,None") is ReasonCode.RESOURCES
    assert reason_code("None,JobArrayTaskLimit") is ReasonCode.JOB_ARRAY_TASK_LIMIT
    assert reason_code("None,None") is None


@pytest.mark.parametrize("text", ["", "None", "(null)"])
def test_no_reason_is_none(text: str) -> None:
    assert reason_code(text) is None


@pytest.mark.parametrize("text", ["PhaseOfTheMoon", "something, somewhere", "优先级", ",", "\n"])
def test_words_that_no_release_has_are_unknown_and_never_an_error(text: str) -> None:
    assert reason_code(text) in (ReasonCode.UNKNOWN, None)


def test_a_new_word_is_unknown() -> None:
    assert reason_code("PhaseOfTheMoon") is ReasonCode.UNKNOWN


def test_every_code_says_what_it_means_in_whole_sentences() -> None:
    for code in [*ReasonCode, *CapacityCode]:
        assert re.fullmatch(r"[A-Z].*[.]", code.description), code
        assert code.name == code.value


WAITS = [JobState.PENDING, JobState.REQUEUED, JobState.REQUEUE_HOLD, JobState.SPECIAL_EXIT, JobState.CONFIGURING]
ENDS = {
    JobState.FAILED: "It ended with an exit code other than 0",
    JobState.TIMEOUT: "It reached its time limit",
    JobState.NODE_FAIL: "A node failed while it ran",
    JobState.PREEMPTED: "It was ended to make room",
    JobState.BOOT_FAIL: "Its nodes did not start",
    JobState.DEADLINE: "It could not end before its deadline",
    JobState.OUT_OF_MEMORY: "It used more memory",
}


@pytest.mark.parametrize("code", ReasonCode)
def test_only_a_waiting_job_has_advice(code: ReasonCode) -> None:
    for state in WAITS:
        assert sentence(code, state, has_run=False) == code.description
    for state, said in ENDS.items():
        assert (sentence(code, state, has_run=True) or "").startswith(said)
    assert sentence(code, JobState.COMPLETED, has_run=True) is None


@pytest.mark.parametrize(
    ("code", "state", "said"),
    [
        (ReasonCode.BEGIN_TIME, JobState.CANCELLED, None),
        (ReasonCode.NODE_DOWN, JobState.NODE_FAIL, "A node failed while it ran. Submit it again."),
        (ReasonCode.DEPENDENCY, JobState.COMPLETED, None),
        (ReasonCode.JOB_ARRAY_TASK_LIMIT, JobState.COMPLETED, None),
        (
            ReasonCode.BAD_CONSTRAINTS,
            JobState.FAILED,
            "No node could ever give what it asked for, so it never started.",
        ),
        (
            ReasonCode.DEPENDENCY_NEVER_SATISFIED,
            JobState.CANCELLED,
            "A job that it depended on did not end as required, so it never started.",
        ),
        (None, JobState.TIMEOUT, "It reached its time limit. Submit it again with a longer one."),
        (None, JobState.PENDING, None),
        (None, JobState.FAILED, "It failed before it started."),
        (ReasonCode.DEPENDENCY, JobState.RUNNING, None),  # accounting keeps why it waited
    ],
)
def test_an_ended_job_has_the_reason_of_its_end(code: ReasonCode | None, state: JobState, said: str | None) -> None:
    started = state in (JobState.COMPLETED, JobState.RUNNING, JobState.NODE_FAIL, JobState.TIMEOUT)
    assert sentence(code, state, has_run=started) == said


def test_no_two_codes_have_the_same_spelling() -> None:
    for codes in (ReasonCode, CapacityCode):
        assert len({code.value.replace("_", "") for code in codes}) == len(codes)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (
            "(Code:InsufficientInstanceCapacity)Failure when resuming nodes",
            CapacityCode.INSUFFICIENT_INSTANCE_CAPACITY,
        ),
        (
            "(Code:InsufficientInstanceCapacity)Temporarily disabling node due to insufficient capacity",
            CapacityCode.INSUFFICIENT_INSTANCE_CAPACITY,
        ),
        ("(Code:InsufficientHostCapacity)Failure when resuming nodes", CapacityCode.INSUFFICIENT_HOST_CAPACITY),
        ("(Code:VcpuLimitExceeded)Failure when resuming nodes", CapacityCode.VCPU_LIMIT_EXCEEDED),
        ("(Code:SpotMaxPriceTooLow)Failure when resuming nodes", CapacityCode.SPOT_MAX_PRICE_TOO_LOW),
        ("(Code:MaxSpotInstanceCountExceeded)Failure", CapacityCode.MAX_SPOT_INSTANCE_COUNT_EXCEEDED),
        ("(Code:Unsupported)Failure when resuming nodes", CapacityCode.UNSUPPORTED),
        ("(Code:UnauthorizedOperation)Failure when resuming nodes", CapacityCode.UNAUTHORIZED_OPERATION),
        ("(Code:SomethingNew)Failure when resuming nodes", CapacityCode.UNKNOWN),
    ],
)
def test_parallelclusters_ec2_code_is_read_from_a_nodes_reason(reason: str, code: CapacityCode) -> None:
    assert capacity_code(reason) is code


@pytest.mark.parametrize("reason", ["", "none", "Not responding", "ResumeTimeout reached", "see (Code:Unsupported)"])
def test_a_nodes_reason_without_a_code_has_none(reason: str) -> None:
    assert capacity_code(reason) is None
