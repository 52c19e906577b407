"""The client against a real cluster, which clients/test_typed_clients.py starts."""

import os
import time
import unittest
from datetime import UTC, datetime, timedelta

from slurmql_client import jobs
from slurmql_client.generated.enums import JobState, UserErrorCode
from slurmql_client.generated.fragments import JobEnd
from slurmql_client.generated.input_types import CancelJobsInput, JobFilter, JobsToCancel, Script, SubmitJobInput

USER = os.environ["SLURMQL_USER"]
CLIENT = jobs.connect(os.environ["SLURMQL_URL"], USER)


def submit(name: str, script: str, **options: object) -> str:
    """Submit a job; return its id."""
    given = SubmitJobInput(script=Script(text=f"#!/bin/sh\n{script}\n"), name=name).model_copy(update=options)
    submitted = jobs.submit(CLIENT, given)
    assert submitted.id is not None, submitted.errors
    return submitted.id


class Documents(unittest.TestCase):
    """Each of the eight documents."""

    def test_a_job_from_its_submission_to_its_history(self) -> None:
        """Submit, list, follow the output, wait, look, and find it among the failed ones."""
        began = datetime.now(UTC) - timedelta(minutes=1)
        id = submit("python-fails", "for i in 1 2 3; do echo line $i; sleep 1; done; exit 3")
        listed = CLIENT.jobs(filter_=JobFilter(ids=[id])).jobs
        assert listed is not None
        self.assertEqual([job.name for job in listed.nodes], ["python-fails"])
        self.assertEqual("".join(jobs.follow(CLIENT, id)), "line 1\nline 2\nline 3\n")
        (ended,) = jobs.wait(CLIENT, [id]).jobs
        self.assertEqual((ended.id, ended.succeeded, ended.exit_code), (id, False, 3))
        job = CLIENT.job(id).job
        assert job is not None
        assert job.end_time is not None
        self.assertGreater(job.end_time, began)
        self.assertIn(id, self.failed(began))

    def failed(self, since: datetime) -> list[str]:
        """The ids of the user's failed jobs; accounting learns of an end a moment later than the scheduler."""
        for _ in range(20):
            history = CLIENT.failed(USER, since=since).job_history
            if history is not None and history.nodes:
                return [job.id for job in history.nodes]
            time.sleep(1)
        return []

    def test_a_job_that_waits_says_why_and_is_cancelled(self) -> None:
        """A held job."""
        id = submit("python-held", "true", hold=True)
        waiting = CLIENT.why_waiting(USER).jobs
        assert waiting is not None
        self.assertIn((id, "JOB_HELD_USER"), [(job.id, job.reason_code) for job in waiting.nodes])
        cancelled = CLIENT.cancel(CancelJobsInput(jobs=JobsToCancel(ids=[id, "999999"]))).cancel_jobs
        self.assertEqual(cancelled.ids, [id])
        self.assertEqual([error.code for error in cancelled.errors], [UserErrorCode.NOT_FOUND])
        (ended,) = jobs.wait(CLIENT, [id]).jobs
        self.assertEqual((ended.state, ended.succeeded), (JobState.CANCELLED, False))

    def test_a_state_that_this_client_does_not_know_is_unknown(self) -> None:
        ended = {"id": "lab:1", "state": "NEWER", "succeeded": None, "exitCode": None, "exitSignal": None}
        self.assertEqual(JobEnd.model_validate({**ended, "reasonText": None}).state, JobState.UNKNOWN)


class Trouble(unittest.TestCase):
    """What clients/test_typed_clients.py has prepared."""

    def test_a_submission_whose_answer_is_lost_makes_one_job(self) -> None:
        """Systems Manager carries the command out and cuts the connection."""
        submit(os.environ["SLURMQL_JOB_NAME"], "true", hold=True)

    def test_jobs_that_the_scheduler_has_forgotten(self) -> None:
        """Accounting knows the first one; nobody knows the second one, whose cluster keeps no accounts."""
        known, unknown = os.environ["SLURMQL_FORGOTTEN"].split()
        ended = jobs.wait(CLIENT, [known])
        self.assertEqual([(job.id, job.succeeded, job.exit_code) for job in ended.jobs], [(known, False, 3)])
        ended = jobs.wait(CLIENT, [unknown])
        self.assertEqual((ended.jobs, ended.not_remembered), ([], [unknown]))


if __name__ == "__main__":
    unittest.main()
