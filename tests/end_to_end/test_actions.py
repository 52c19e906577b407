"""Cancelling, holding, releasing and requeueing: who may do it, what happens to the jobs, and refusals."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Api
from local.cluster import Cluster

CANCEL = """mutation ($ids: [ID!]!, $signal: String, $cluster: String) {
  done: cancelJobs(input: {jobs: {ids: $ids}, signal: $signal, cluster: $cluster}) {
    jobs { id jobId state reason } errors { code message field id: targetId }
  }
}"""
ACTION = """mutation ($ids: [ID!]!, $cluster: String) {
  done: %sJobs(input: {ids: $ids, cluster: $cluster}) {
    jobs { id jobId state reason } errors { code message field id: targetId } }
}"""
HOLD, RELEASE, REQUEUE = (ACTION % verb for verb in ("hold", "release", "requeue"))
UNKNOWN = "4294960000"

two_users = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make jobs of two users")


class Jobs:
    """Jobs of ada's, submitted by sbatch itself; cancelled in the end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ids: list[str] = []

    def held(self, *options: str) -> str:
        """A job that waits for its release."""
        return self._submit("exit 0", "--hold", *options)

    def running(self, script: str = "sleep 300", *options: str) -> str:
        """A job that runs."""
        id = self._submit(script, "--constraint=static", *options)
        self.wait_for(id, "RUNNING")
        return id

    def ended(self) -> str:
        """A job that has ended."""
        id = self.held()
        self._cluster.run("scancel", id)
        self.wait_for(id, "CANCELLED")
        return id

    def wait_for(self, id: str, *states: str) -> str:
        give_up = time.monotonic() + 90
        while (state := self.state(id)) not in states:
            assert time.monotonic() < give_up, f"job {id} is still {state}"
            time.sleep(0.1)
        return state

    def state(self, id: str) -> str:
        return self._cluster.run("squeue", "-h", "-t", "all", "-j", id, "-o", "%T").stdout.strip()

    def tasks(self, id: str) -> dict[str, str]:
        """The state of every row of an array."""
        rows = self._cluster.run("squeue", "-h", "-t", "all", "-j", id, "-o", "%i %T").stdout.splitlines()
        return {task: state for task, _, state in (row.partition(" ") for row in rows)}

    def text(self, id: str) -> str:
        """What the job has printed."""
        file = self._cluster.user("ada").workspace / f"slurm-{id}.out"
        return file.read_text() if file.exists() else ""

    def cancel_all(self) -> None:
        if self._ids:
            self._cluster.run("scancel", *self._ids, check=False)

    def _submit(self, script: str, *options: str) -> str:
        answer = self._cluster.run("sbatch", "--parsable", *options, user="ada", input=f"#!/bin/bash\n{script}\n")
        self._ids.append(answer.stdout.strip())
        return self._ids[-1]


@pytest.fixture
def jobs(lab: Cluster) -> Iterator[Jobs]:
    jobs = Jobs(lab)
    yield jobs
    jobs.cancel_all()


def act(
    api: Api, document: str, *ids: str, user: str = "ada", groups: str = "", **variables: Any
) -> tuple[dict[str, str], dict[str, str]]:
    """The state of every job that was acted on, and the code of every refusal, by the job's id."""
    done = api.data(document, {"ids": ids, **variables}, user=user, groups=groups)["done"]
    assert all(error["message"] for error in done["errors"])
    return {job["jobId"]: job["state"] for job in done["jobs"]}, {
        error["id"]: error["code"] for error in done["errors"]
    }


def test_a_waiting_job_is_cancelled(api: Api, jobs: Jobs) -> None:
    id = jobs.held()
    assert act(api, CANCEL, id) == ({id: "CANCELLED"}, {})
    assert jobs.state(id) == "CANCELLED"


def test_a_running_job_is_cancelled(api: Api, jobs: Jobs) -> None:
    id = jobs.running()
    done, refused = act(api, CANCEL, id)
    assert (set(done), refused) == ({id}, {})
    assert jobs.wait_for(id, "CANCELLED")


def test_ids_with_the_clusters_name_are_accepted_too(api: Api, jobs: Jobs) -> None:
    id = jobs.held()
    assert act(api, CANCEL, f"lab:{id}") == ({id: "CANCELLED"}, {})


def test_a_job_named_twice_is_acted_on_once(api: Api, jobs: Jobs) -> None:
    id = jobs.held()
    assert act(api, CANCEL, id, f"lab:{id}", id) == ({id: "CANCELLED"}, {})


@pytest.mark.parametrize("signal", ["USR1", "SIGUSR1", "10"])
def test_a_signal_reaches_the_job_and_the_job_lives(api: Api, jobs: Jobs, signal: str) -> None:
    id = jobs.running("trap 'echo got it' USR1; echo ready; for i in $(seq 600); do sleep 0.1; done")
    give_up = time.monotonic() + 60
    while "ready" not in jobs.text(id):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    done, refused = act(api, CANCEL, id, signal=signal)
    assert (done, refused) == ({id: "RUNNING"}, {})
    assert jobs.state(id) == "RUNNING"


def test_a_signal_that_slurm_does_not_know_is_the_inputs_fault(api: Api, jobs: Jobs) -> None:
    id = jobs.held()
    for change in ("cancelJobs(input: {jobs: {ids: [$id]}", "signalJobs(input: {ids: [$id]"):
        document = f'mutation ($id: ID!) {{ done: {change}, signal: "BOGUS"}}) {{ errors {{ code field }} }} }}'
        assert api.data(document, {"id": id})["done"]["errors"] == [
            {"code": "INVALID_INPUT", "field": ["input", "signal"]}
        ]


@pytest.mark.parametrize("signal", ["USR1", "TERM", "CONT"])
def test_a_signal_to_a_waiting_job_is_a_conflict_at_once(api: Api, jobs: Jobs, signal: str) -> None:
    """scancel by itself would try for a minute and a half."""
    id, array = jobs.held(), jobs.held("--array=1-3")
    conflicts = {f"lab:{job}": "CONFLICT" for job in (id, array)}
    assert act(api, CANCEL, id, array, signal=signal) == ({}, conflicts)
    assert act(api, CANCEL, f"{array}_2", signal=signal) == ({}, {f"lab:{array}_2": "CONFLICT"})
    assert jobs.state(id) == "PENDING"


def test_a_signal_to_a_suspended_job_is_a_conflict_and_kill_ends_it(api: Api, lab: Cluster, jobs: Jobs) -> None:
    id = jobs.running()
    lab.run("scontrol", "suspend", id)
    assert act(api, CANCEL, id, signal="USR1") == ({}, {f"lab:{id}": "CONFLICT"})
    assert jobs.state(id) == "SUSPENDED"
    assert act(api, CANCEL, id, signal="KILL")[1] == {}
    assert jobs.wait_for(id, "CANCELLED")


def test_kill_ends_a_waiting_job(api: Api, jobs: Jobs) -> None:
    id = jobs.held()
    assert act(api, CANCEL, id, signal="SIGKILL") == ({id: "CANCELLED"}, {})


def test_a_signal_to_an_ended_job_is_refused_because_it_has_ended(api: Api, jobs: Jobs) -> None:
    """scancel calls the id invalid. The listing after the signal shows the end: accounting is not asked."""
    id, before = jobs.ended(), api.commands()
    done = api.data(CANCEL, {"ids": [id], "signal": "USR1"})["done"]
    assert api.commands() == before + 1
    expected = {"code": "ALREADY_FINISHED", "message": f"Job {id} has ended: CANCELLED.", "field": None}
    assert done == {"jobs": [], "errors": [{**expected, "id": f"lab:{id}"}]}


def test_one_task_of_an_array_is_cancelled_and_the_others_wait_on(api: Api, jobs: Jobs) -> None:
    id = jobs.held("--array=1-3")
    act(api, CANCEL, f"{id}_2")
    tasks = jobs.tasks(id)
    assert tasks.pop(f"{id}_[1,3]") == "PENDING"
    assert set(tasks.values()) <= {"CANCELLED"}


def test_an_arrays_waiting_tasks_are_cancelled_as_squeue_names_them(api: Api, jobs: Jobs) -> None:
    id = jobs.held("--array=1-9%2")
    _, refused = act(api, CANCEL, f"{id}_[3-9%2]")
    assert refused == {}
    assert jobs.tasks(id)[f"{id}_[1-2%2]"] == "PENDING"


def test_an_arrays_id_means_all_of_its_tasks(api: Api, jobs: Jobs) -> None:
    id = jobs.held("--array=1-3")
    _, refused = act(api, CANCEL, id)
    assert refused == {}
    assert set(jobs.tasks(id).values()) == {"CANCELLED"}


def test_nine_of_ten_jobs_are_cancelled_and_the_unknown_one_is_refused(api: Api, jobs: Jobs) -> None:
    ids = [jobs.held() for _ in range(9)]
    done, refused = act(api, CANCEL, *ids[:4], UNKNOWN, *ids[4:])
    assert done == dict.fromkeys(ids, "CANCELLED")
    assert refused == {f"lab:{UNKNOWN}": "NOT_FOUND"}


@pytest.mark.parametrize("document", [HOLD, RELEASE], ids=["hold", "release"])
def test_nine_of_ten_jobs_are_held_or_released_and_the_unknown_one_is_refused(
    api: Api, jobs: Jobs, document: str
) -> None:
    ids = [jobs.held("--begin=now+1hour") for _ in range(9)]
    done, refused = act(api, document, *ids[:4], UNKNOWN, *ids[4:])
    assert done == dict.fromkeys(ids, "PENDING")
    assert refused == {f"lab:{UNKNOWN}": "NOT_FOUND"}


@two_users
def test_another_users_held_job_is_not_released(api: Api, jobs: Jobs) -> None:
    id = jobs.held("--begin=now+1hour")
    assert act(api, RELEASE, id, user="grace") == ({}, {f"lab:{id}": "FORBIDDEN"})
    assert jobs.state(id) == "PENDING"


def test_an_ended_job_is_finished_already(api: Api, jobs: Jobs) -> None:
    id = jobs.ended()
    assert act(api, CANCEL, id) == ({}, {f"lab:{id}": "ALREADY_FINISHED"})
    assert act(api, HOLD, id) == ({}, {f"lab:{id}": "ALREADY_FINISHED"})


def test_a_waiting_job_is_held_and_released(api: Api, lab: Cluster, jobs: Jobs) -> None:
    id = jobs.held("--begin=now+1hour")
    lab.run("scontrol", "release", id)
    assert act(api, HOLD, id) == ({id: "PENDING"}, {})
    assert lab.run("squeue", "-h", "-j", id, "-o", "%r").stdout.strip() == "JobHeldUser"
    assert act(api, RELEASE, id) == ({id: "PENDING"}, {})
    assert lab.run("squeue", "-h", "-j", id, "-o", "%r").stdout.strip() != "JobHeldUser"


def test_a_running_job_is_requeued(api: Api, lab: Cluster, jobs: Jobs) -> None:
    id = jobs.running("sleep 300", "--requeue")
    done, refused = act(api, REQUEUE, id)
    assert (set(done), refused) == ({id}, {})
    assert " Restarts=1 " in lab.run("scontrol", "show", "job", id).stdout


def test_an_action_that_does_not_fit_a_jobs_state_is_a_conflict(api: Api, jobs: Jobs) -> None:
    id = jobs.held()
    assert act(api, REQUEUE, id) == ({}, {f"lab:{id}": "CONFLICT"})


@pytest.mark.parametrize("document", [CANCEL, HOLD, RELEASE, REQUEUE], ids=["cancel", "hold", "release", "requeue"])
def test_an_unknown_job_is_not_found(api: Api, document: str) -> None:
    assert act(api, document, UNKNOWN) == ({}, {f"lab:{UNKNOWN}": "NOT_FOUND"})


@two_users
@pytest.mark.parametrize("document", [CANCEL, HOLD, REQUEUE], ids=["cancel", "hold", "requeue"])
def test_another_users_job_is_forbidden_and_lives(api: Api, jobs: Jobs, document: str) -> None:
    id = jobs.running()
    assert act(api, document, id, user="grace") == ({}, {f"lab:{id}": "FORBIDDEN"})
    assert jobs.state(id) == "RUNNING"


@two_users
def test_another_user_cannot_signal_a_job(api: Api, jobs: Jobs) -> None:
    id = jobs.running()
    assert act(api, CANCEL, id, user="grace", signal="KILL") == ({}, {f"lab:{id}": "FORBIDDEN"})
    assert jobs.state(id) == "RUNNING"


@two_users
@pytest.mark.parametrize("operator", ["grace", "nobody-here", "Head.Of-IT@example.org"])
def test_an_operator_acts_on_other_peoples_jobs(api: Api, jobs: Jobs, operator: str) -> None:
    """With an account on the cluster or without one."""
    id = jobs.held()
    who = {"user": operator, "groups": "slurmql-operators"}
    assert act(api, RELEASE, id, **who)[1] == {}
    id = jobs.held()
    assert act(api, CANCEL, id, **who) == ({id: "CANCELLED"}, {})


def test_a_viewer_cannot_act_even_on_own_jobs_and_nothing_is_sent(api: Api, jobs: Jobs) -> None:
    id = jobs.held()
    before = api.commands()
    for document in (CANCEL, HOLD, RELEASE, REQUEUE):
        done = api.data(document, {"ids": [id]}, groups="slurmql-viewers")["done"]
        assert done["jobs"] == []
        assert [error["code"] for error in done["errors"]] == ["FORBIDDEN"]
    assert api.commands() == before
    assert jobs.state(id) == "PENDING"


@pytest.mark.parametrize("user", ["missing", "daemon"])
def test_system_accounts_cannot_act_on_jobs(api: Api, jobs: Jobs, user: str) -> None:
    """The account does not exist, or its uid is below 1000: the head node checks it."""
    id = jobs.held()
    assert act(api, CANCEL, id, user=user) == ({}, {f"lab:{id}": "FORBIDDEN"})
    assert jobs.state(id) == "PENDING"


@pytest.mark.parametrize("user", ["root", "slurm", "nobody", "ec2-user", "Ada", "../ada", "ada\0", "ada\nroot"])
def test_names_that_cannot_act_are_refused_before_anything_is_sent(api: Api, jobs: Jobs, user: str) -> None:
    id, before = jobs.held(), api.commands()
    done = api.data(CANCEL, {"ids": [id]}, user=user)["done"]
    assert (done["jobs"], [error["code"] for error in done["errors"]]) == ([], ["FORBIDDEN"])
    assert api.commands() == before
    assert jobs.state(id) == "PENDING"


def test_a_change_costs_one_command_and_the_next_answer_shows_it(api: Api, jobs: Jobs) -> None:
    id = jobs.held()
    query = "query ($id: ID!) { job(id: $id) { state } }"
    assert api.data(query, {"id": id}) == {"job": {"state": "PENDING"}}
    before = api.commands()
    act(api, CANCEL, id)
    assert api.commands() == before + 1
    assert api.data(query, {"id": id}) == {"job": {"state": "CANCELLED"}}


def test_the_scheduler_says_which_signal_it_does_not_know(api: Api, jobs: Jobs) -> None:
    id = jobs.running()
    done = api.data(CANCEL, {"ids": [id], "signal": "NOSUCH"})["done"]
    assert done["jobs"] == []
    assert [(error["code"], error["message"]) for error in done["errors"]] == [
        ("INVALID_INPUT", "Unknown job signal: NOSUCH")
    ]
    assert jobs.state(id) == "RUNNING"
