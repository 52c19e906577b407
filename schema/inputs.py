"""The inputs, each field described where it is used."""

from typing import TYPE_CHECKING

from resolvers import actions, administration, filters, order
from schema import enums  # noqa: F401 - the inputs' enums must be GraphQL enums first
from schema.table import TYPES, input_type
from slurm import job_environment, job_update, reservation, sbatch

if TYPE_CHECKING:  # what a type checker sees: the dataclasses that the inputs are made from
    JobFilter = filters.JobFilter
    NodeFilter = filters.NodeFilter
    JobOrder = order.JobOrder
    SubmitJobInput = sbatch.Submission
    CancelJobsInput = actions.CancelJobs
    UpdateJobInput = job_update.JobUpdate
    UpdateNodeInput = administration.UpdateNode
    UpdateQueueInput = administration.UpdateQueue
    CreateReservationInput = reservation.NewReservation
else:
    JobFilter = input_type(filters.JobFilter, ids=("ids",))
    NodeFilter = input_type(filters.NodeFilter)
    JobOrder = input_type(order.JobOrder)
    TYPES[job_environment.EnvironmentVariable] = input_type(job_environment.EnvironmentVariable)
    SubmitJobInput = input_type(sbatch.Submission, name="SubmitJobInput")
    TYPES[filters.JobFilter] = JobFilter
    CancelJobsInput = input_type(actions.CancelJobs, name="CancelJobsInput", ids=("ids",))
    UpdateJobInput = input_type(job_update.JobUpdate, name="UpdateJobInput")
    UpdateNodeInput = input_type(administration.UpdateNode, name="UpdateNodeInput")
    UpdateQueueInput = input_type(administration.UpdateQueue, name="UpdateQueueInput")
    CreateReservationInput = input_type(reservation.NewReservation, name="CreateReservationInput")
