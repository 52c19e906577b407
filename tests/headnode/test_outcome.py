"""How sbatch ended, by what it printed. The texts are slurm_strerror(3)'s of Slurm 20.11 to 26.05."""

from dataclasses import dataclass
from typing import cast

import pytest

from headnode.program.outcome import NOT_SENT, REFUSED, TAKEN, UNKNOWN, ending, printed_ids, remarks
from headnode.program.processes import Process
from slurm.submission_refusals import REFUSALS

FAILED = "sbatch: error: Batch job submission failed: "
LOST = [
    "Zero Bytes were transmitted or received",
    "Connection reset by peer",
    "Broken pipe",
    "Socket timed out on send/recv operation",
    "Unexpected message received",
    "Message receive failure",
    "Message send failure",
    "Unable to contact slurm controller (send failure)",
    "Unable to contact slurm controller (receive failure)",
    "Unable to contact slurm controller (shutdown failure)",
    "Insane message length",
    "Header lengths are longer than data received",
    "Received zero length message",
    "Protocol authentication error",
    "Invalid authentication credential",
    "Incompatible versions of client and server code",
    "Connection timed out reading",
    "Slurm internal error, contact system administrator",
    "No error",
    "Success",
    "An error of a later release",
]


@dataclass
class Sbatch:
    """An sbatch that is over."""

    exit_code: int | None = 1
    said: str = ""
    printed: str = ""
    child: object = True
    refusal: object = None

    @property
    def stderr(self) -> bytes:
        return self.said.encode()

    @property
    def stdout(self) -> bytes:
        return self.printed.encode()


def how(exit_code: int | None, said: str = "", printed: str = "") -> str:
    return ending(cast(Process, Sbatch(exit_code, said, printed)), REFUSALS)


@pytest.mark.parametrize("text", REFUSALS)
def test_slurmctlds_own_refusal_means_no_job(text: str) -> None:
    assert how(1, f"sbatch: warning: something\n{FAILED}{text}\n") == REFUSED


@pytest.mark.parametrize("text", LOST)
def test_any_other_failure_leaves_the_outcome_open(text: str) -> None:
    assert how(1, f"{FAILED}{text}\n") == UNKNOWN


def test_a_wrapper_that_tries_twice_may_have_submitted_the_first_time() -> None:
    said = f"{FAILED}Connection reset by peer\n{FAILED}Invalid qos specification\n"
    assert how(1, said) == UNKNOWN
    assert how(1, f"{FAILED}Requested nodes are busy\n{FAILED}Invalid qos specification\n") == REFUSED


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (1, "sbatch: error: Unable to open file /nowhere\n"),
        (1, "sbatch: error: This does not look like a batch script.\n"),
        (255, "sbatch: error: Invalid --time specification\n"),
        (1, "sbatch: fatal: Could not establish a configuration source\n"),
        (255, "sbatch: unrecognized option '--prefer=x'\nTry \"sbatch --help\" for more information\n"),
        (255, "sbatch: option '--requeue' doesn't allow an argument\nTry \"sbatch --help\" for more information\n"),
        (1, f"sbatch: error: Ask for an account.\n{FAILED}Unspecified error\n"),
    ],
)
def test_a_job_that_sbatch_itself_refuses_was_not_sent(exit_code: int, said: str) -> None:
    assert how(exit_code, said) == NOT_SENT


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (-9, "sbatch: error: a plugin is old\n"),
        (1, "sbatch: error: Socket timed out on send/recv operation\n"),
        (-15, ""),
        (137, "sbatch: error: a plugin is old\n"),
        (139, f"{FAILED}Unspecified error\n"),
        (1, ""),
        (3, "the job's own exit code\n"),
        (None, "sbatch: error: a plugin is old\n"),
    ],
)
def test_any_other_end_leaves_the_outcome_open(exit_code: int | None, said: str) -> None:
    assert how(exit_code, said) == UNKNOWN


def test_exit_code_0_is_success_whatever_else_is_printed() -> None:
    assert how(0, "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n", "17\n") == TAKEN


def test_an_sbatch_that_was_not_started_counts_as_refused() -> None:
    assert ending(cast(Process, Sbatch(None, child=None, refusal=True)), REFUSALS) == REFUSED


def test_a_killed_sbatch_leaves_the_outcome_open() -> None:
    assert ending(cast(Process, Sbatch(-9, f"{FAILED}Invalid qos specification\n", refusal=True)), REFUSALS) == UNKNOWN


def test_lines_that_may_be_the_id_and_all_others() -> None:
    sbatch = cast(Process, Sbatch(0, "sbatch: Hello.\n", "42\nFrom a wrapper: 43\n 44\n17;lab\n"))
    assert printed_ids(sbatch) == ["42", "17"]
    assert remarks(sbatch, "17", 4096).splitlines() == ["sbatch: Hello.", "42", "From a wrapper: 43", " 44"]
    assert remarks(sbatch, "17", 9) == "sbatch: H"
