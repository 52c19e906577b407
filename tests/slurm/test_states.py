"""States of jobs, queues and nodes in every spelling."""

from collections.abc import Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm.states import (
    DescribedEnum,
    JobState,
    NodeFlag,
    NodeState,
    Provisioning,
    QueueState,
    job_state,
    node_state,
    provisioning,
    queue_state,
)

Expected = tuple[NodeState, Set[NodeFlag]]


@pytest.mark.parametrize(
    ("enum", "names"),
    [
        (
            JobState,
            "PENDING CONFIGURING RUNNING COMPLETING SUSPENDED STOPPED COMPLETED CANCELLED FAILED TIMEOUT "
            "NODE_FAIL PREEMPTED BOOT_FAIL DEADLINE OUT_OF_MEMORY REQUEUED REQUEUE_HOLD SPECIAL_EXIT "
            "EXPEDITING RESIZING SIGNALING STAGE_OUT REVOKED UNKNOWN",
        ),
        (QueueState, "UP DOWN DRAIN INACTIVE UNKNOWN"),
        (NodeState, "IDLE MIXED ALLOCATED DOWN ERROR FUTURE UNKNOWN"),
        (
            NodeFlag,
            "CLOUD DRAIN POWERED_DOWN POWERING_UP POWERING_DOWN POWER_DOWN COMPLETING FAIL MAINTENANCE "
            "RESERVED PLANNED NOT_RESPONDING REBOOT_REQUESTED REBOOT_ISSUED INVALID_REG BLOCKED DYNAMIC "
            "EXTERNAL UNKNOWN",
        ),
        (Provisioning, "STATIC DYNAMIC"),
    ],
)
def test_the_names_are_the_contracts(enum: type[DescribedEnum], names: str) -> None:
    assert [member.name for member in enum] == names.split()
    assert all(member.value == member.name for member in enum)
    assert all(member.description.endswith(".") for member in enum)


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ("PENDING", JobState.PENDING),
        ("OUT_OF_MEMORY", JobState.OUT_OF_MEMORY),
        ("CONFIGURING", JobState.CONFIGURING),
        ("PD", JobState.PENDING),
        ("CG", JobState.COMPLETING),
        ("S", JobState.SUSPENDED),
        ("ST", JobState.STOPPED),
        ("SO", JobState.STAGE_OUT),
        ("OOM", JobState.OUT_OF_MEMORY),
        ("running", JobState.RUNNING),
    ],
)
def test_job_state_long_and_compact(raw: str, state: JobState) -> None:
    assert job_state(raw) is state


def test_sacct_says_who_cancelled() -> None:
    assert job_state("CANCELLED by 1000") is JobState.CANCELLED


@pytest.mark.parametrize("raw", ["REQUEUE_FED", "RF", "REQUEUED_CRON", "RC"])
def test_every_kind_of_requeue_is_requeued(raw: str) -> None:
    assert job_state(raw) is JobState.REQUEUED


def test_a_job_held_because_its_reservation_is_gone_is_pending() -> None:
    assert job_state("RESV_DEL_HOLD") is JobState.PENDING
    assert job_state("RD") is JobState.PENDING


def test_a_job_that_may_run_again_at_once_has_its_own_state() -> None:
    assert job_state("EXPEDITING") is JobState.EXPEDITING  # since 25.11


@pytest.mark.parametrize("raw", ["?", "", " ", "A_STATE_OF_TOMORROW", "LAUNCH_FAILED"])
def test_a_job_state_of_a_later_slurm_is_unknown(raw: str) -> None:
    assert job_state(raw) is JobState.UNKNOWN


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        ("UP", QueueState.UP),
        ("up", QueueState.UP),
        ("down", QueueState.DOWN),
        ("DRAIN", QueueState.DRAIN),
        ("inact", QueueState.INACTIVE),
        ("INACTIVE", QueueState.INACTIVE),
        ("UNKNOWN", QueueState.UNKNOWN),
        ("", QueueState.UNKNOWN),
    ],
)
def test_queue_state(raw: str, state: QueueState) -> None:
    assert queue_state(raw) is state


COMPLETE: list[tuple[str, Expected]] = [
    ("IDLE", (NodeState.IDLE, set())),
    ("idle+cloud+powered_down", (NodeState.IDLE, {NodeFlag.CLOUD, NodeFlag.POWERED_DOWN})),
    (
        "mixed+cloud+not_responding+powering_up",
        (NodeState.MIXED, {NodeFlag.CLOUD, NodeFlag.NOT_RESPONDING, NodeFlag.POWERING_UP}),
    ),
    (
        "down+cloud+powered_down+not_responding",
        (NodeState.DOWN, {NodeFlag.CLOUD, NodeFlag.POWERED_DOWN, NodeFlag.NOT_RESPONDING}),
    ),
    (
        "IDLE+CLOUD+DRAIN+POWERED_DOWN",
        (NodeState.IDLE, {NodeFlag.CLOUD, NodeFlag.DRAIN, NodeFlag.POWERED_DOWN}),
    ),
    ("ALLOCATED+COMPLETING", (NodeState.ALLOCATED, {NodeFlag.COMPLETING})),
    ("IDLE+DYNAMIC_NORM", (NodeState.IDLE, {NodeFlag.DYNAMIC})),
    ("FUTURE+DYNAMIC_FUTURE", (NodeState.FUTURE, {NodeFlag.DYNAMIC})),
    ("IDLE+CLOUD+POWER_DOWN", (NodeState.IDLE, {NodeFlag.CLOUD, NodeFlag.POWER_DOWN})),
    (
        "allocated+cloud+not_responding+powering_up",
        (NodeState.ALLOCATED, {NodeFlag.CLOUD, NodeFlag.NOT_RESPONDING, NodeFlag.POWERING_UP}),
    ),
    ("down+cloud+powered_down", (NodeState.DOWN, {NodeFlag.CLOUD, NodeFlag.POWERED_DOWN})),
    ("UNKNOWN+INVALID_REG", (NodeState.UNKNOWN, {NodeFlag.INVALID_REG})),
]

SCONTROL_20_11: list[tuple[str, Expected]] = [
    ("IDLE+CLOUD+POWER", (NodeState.IDLE, {NodeFlag.CLOUD, NodeFlag.POWERED_DOWN})),
    ("IDLE+CLOUD+POWERING_DOWN", (NodeState.IDLE, {NodeFlag.CLOUD, NodeFlag.POWERING_DOWN})),
    (
        "IDLE+CLOUD+DRAIN+POWER",
        (NodeState.IDLE, {NodeFlag.CLOUD, NodeFlag.DRAIN, NodeFlag.POWERED_DOWN}),
    ),
    (
        "MIXED#+CLOUD+COMPLETING",
        (NodeState.MIXED, {NodeFlag.CLOUD, NodeFlag.POWERING_UP, NodeFlag.COMPLETING}),
    ),
    ("IDLE#+CLOUD", (NodeState.IDLE, {NodeFlag.CLOUD, NodeFlag.POWERING_UP})),
    ("DOWN*+DRAIN", (NodeState.DOWN, {NodeFlag.NOT_RESPONDING, NodeFlag.DRAIN})),
    ("DOWN*+CLOUD+POWER", (NodeState.DOWN, {NodeFlag.NOT_RESPONDING, NodeFlag.CLOUD, NodeFlag.POWERED_DOWN})),
]

SHORT: list[tuple[str, Expected]] = [
    ("idle~", (NodeState.IDLE, {NodeFlag.POWERED_DOWN})),
    ("mixed#", (NodeState.MIXED, {NodeFlag.POWERING_UP})),
    ("mix-", (NodeState.MIXED, {NodeFlag.PLANNED})),
    ("alloc", (NodeState.ALLOCATED, set())),
    ("allocated+", (NodeState.ALLOCATED, {NodeFlag.COMPLETING})),
    ("idle%", (NodeState.IDLE, {NodeFlag.POWERING_DOWN})),
    ("idle!", (NodeState.IDLE, {NodeFlag.POWER_DOWN})),
    ("idle$", (NodeState.IDLE, {NodeFlag.MAINTENANCE})),
    ("mix@", (NodeState.MIXED, {NodeFlag.REBOOT_REQUESTED})),
    ("alloc^", (NodeState.ALLOCATED, {NodeFlag.REBOOT_ISSUED})),
    ("down*", (NodeState.DOWN, {NodeFlag.NOT_RESPONDING})),
    ("futr", (NodeState.FUTURE, set())),
    ("unk*", (NodeState.UNKNOWN, {NodeFlag.NOT_RESPONDING})),
]

HIDDEN: list[tuple[str, Expected]] = [
    ("drained", (NodeState.UNKNOWN, {NodeFlag.DRAIN})),
    ("drain*", (NodeState.UNKNOWN, {NodeFlag.DRAIN, NodeFlag.NOT_RESPONDING})),
    ("draining@", (NodeState.UNKNOWN, {NodeFlag.DRAIN, NodeFlag.REBOOT_REQUESTED})),
    ("drng", (NodeState.UNKNOWN, {NodeFlag.DRAIN})),
    ("maint", (NodeState.IDLE, {NodeFlag.MAINTENANCE})),
    (
        "MAINT+CLOUD+DRAIN+POWER",
        (NodeState.IDLE, {NodeFlag.MAINTENANCE, NodeFlag.CLOUD, NodeFlag.DRAIN, NodeFlag.POWERED_DOWN}),
    ),
    ("fail", (NodeState.UNKNOWN, {NodeFlag.FAIL})),
    ("failing*", (NodeState.UNKNOWN, {NodeFlag.FAIL, NodeFlag.NOT_RESPONDING})),
    ("inval", (NodeState.UNKNOWN, {NodeFlag.INVALID_REG})),
    ("completing#", (NodeState.UNKNOWN, {NodeFlag.COMPLETING, NodeFlag.POWERING_UP})),
    ("comp", (NodeState.UNKNOWN, {NodeFlag.COMPLETING})),
    ("reboot", (NodeState.UNKNOWN, {NodeFlag.REBOOT_REQUESTED})),
    ("reboot^", (NodeState.UNKNOWN, {NodeFlag.REBOOT_ISSUED})),
    ("boot*", (NodeState.UNKNOWN, {NodeFlag.REBOOT_REQUESTED, NodeFlag.NOT_RESPONDING})),
]

IDLE_BEHIND_A_WORD: list[tuple[str, Expected]] = [
    ("reserved", (NodeState.IDLE, {NodeFlag.RESERVED})),
    ("resv", (NodeState.IDLE, {NodeFlag.RESERVED})),
    ("planned", (NodeState.IDLE, {NodeFlag.PLANNED})),
    ("plnd", (NodeState.IDLE, {NodeFlag.PLANNED})),
    ("blocked", (NodeState.IDLE, {NodeFlag.BLOCKED})),
]


@pytest.mark.parametrize(("raw", "expected"), COMPLETE)
def test_the_complete_form_in_any_case(raw: str, expected: Expected) -> None:
    assert node_state(raw) == node_state(raw.swapcase()) == expected


@pytest.mark.parametrize(("raw", "expected"), SCONTROL_20_11)
def test_20_11_s_node_grammar_mixes_symbols_and_words(raw: str, expected: Expected) -> None:
    assert node_state(raw) == expected


@pytest.mark.parametrize(("raw", "expected"), SHORT)
def test_the_short_form_has_one_symbol(raw: str, expected: Expected) -> None:
    assert node_state(raw) == expected


@pytest.mark.parametrize(("raw", "expected"), HIDDEN)
def test_drain_hides_down_and_other_words_hide_the_base_which_is_then_unknown(raw: str, expected: Expected) -> None:
    assert node_state(raw) == expected


@pytest.mark.parametrize(("raw", "expected"), IDLE_BEHIND_A_WORD)
def test_a_word_that_is_for_idle_nodes_only_says_idle(raw: str, expected: Expected) -> None:
    assert node_state(raw) == expected


def test_a_flag_of_a_later_slurm_is_unknown_and_the_rest_is_read() -> None:
    assert node_state("IDLE+CLOUD+SPARKLING") == (
        NodeState.IDLE,
        frozenset({NodeFlag.CLOUD, NodeFlag.UNKNOWN}),
    )
    assert node_state("IDLE+PERFCTRS+?") == (NodeState.IDLE, frozenset({NodeFlag.UNKNOWN}))


def test_no_text_is_an_unknown_state_without_flags() -> None:
    assert node_state("") == (NodeState.UNKNOWN, frozenset())  # StateComplete on 20.11
    assert node_state("INVALID") == (NodeState.UNKNOWN, frozenset())


def test_features_say_how_parallelcluster_provides_a_node() -> None:
    assert provisioning(["static", "c5.large", "small"], "queue1-st-small-1") is Provisioning.STATIC
    assert provisioning(["dynamic", "large"], "queue1-dy-large-7") is Provisioning.DYNAMIC


def test_features_win_over_an_ambiguous_name() -> None:
    assert provisioning(["static"], "a-st-b-dy-c-1") is Provisioning.STATIC
    assert provisioning([], "a-st-b-dy-c-1") is Provisioning.DYNAMIC


def test_without_features_the_name_says_it() -> None:
    assert provisioning([], "queue1-st-small-1") is Provisioning.STATIC
    assert provisioning(["gpu"], "queue-with-dashes-dy-p4d-24xlarge-12") is Provisioning.DYNAMIC
    assert provisioning(["static", "dynamic"], "queue1-dy-large-1") is Provisioning.DYNAMIC


@pytest.mark.parametrize("name", ["node1", "queue1-st-small", "Queue1-st-small-1", "q_1-dy-a-1", "", "q-dy-a-1\n"])
def test_a_node_of_another_kind_has_no_provisioning(name: str) -> None:
    assert provisioning([], name) is None


@given(st.text() | st.text("IDLEDOWNidle+*~#!%$@^- "))
def test_states_are_total(raw: str) -> None:
    assert isinstance(job_state(raw), JobState)
    assert isinstance(queue_state(raw), QueueState)
    state, flags = node_state(raw)
    assert isinstance(state, NodeState)
    assert all(isinstance(flag, NodeFlag) for flag in flags)
    assert provisioning([raw], raw) in {None, *Provisioning}


@given(st.sampled_from([*NodeState]), st.frozensets(st.sampled_from([*NodeFlag])))
def test_base_and_flags_read_back_from_the_complete_form(state: NodeState, flags: frozenset[NodeFlag]) -> None:
    raw = "+".join([state.value, *(flag.value for flag in flags)])
    assert node_state(raw) == (state, flags)
